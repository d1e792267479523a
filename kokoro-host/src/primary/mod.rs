//! The door: a `Primary` manages the Planets (plugins) of an application.

mod admit;
mod change;
mod check;
mod dynamic;
mod explain;
mod handle;
mod load;
mod reload;
mod resource;
mod satellites;
mod settle;
mod supervise;
mod to_the_end;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime;
use wasmtime::component::Linker;

use self::admit::Judge;
pub use self::check::{Check, Checked};
pub use self::dynamic::{Function, FunctionType};
pub use self::explain::Explanation;
use self::handle::Handles;
pub use self::handle::{Description, Handle, Interface};
pub use self::load::Report;
use self::load::Source;
pub use self::reload::Reload;
pub use self::resource::{Arguments, Held, IsHeld, Lent, give, lend, receive};
use self::settle::Anew;
use self::to_the_end::ToTheEnd;
use crate::admission::{Admission, Candidate};
use crate::engine::Engine;
use crate::error::{Error, Kind};
use crate::graph::Graph;
use crate::interface::InterfaceName;
use crate::limits::{Budget, Limits};
use crate::link::{self, Service};
use crate::planet::{self, Call, Changing, Terms, Tidying};
use crate::registry::{Events, Locked, Registry, State};
use crate::resolve::stop_order;
use crate::restarts::Restarts;
use crate::satellite::Census;

/// The application's side: it loads Planets (plugins), starts them as their dependencies allow, and calls them.
///
/// Cheap to clone; all clones are the same Primary. When the last is dropped without [`shutdown`](Primary::shutdown), the
/// Planets end without being told. (A service that holds a clone keeps its own Primary alive until `shutdown`.)
#[derive(Clone)]
pub struct Primary {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    /// What all Planets are served alike, for each engine.
    linkers: Vec<Linker<planet::State>>,
    services: Vec<Service>,
    judge: Option<Judge>,
    limits: Limits,
    /// What is left of the memory of all Planets.
    budget: Arc<Budget>,
    restarts: Restarts,
    has_satellites: bool,
    /// The processes of all Satellites: one may be about to end whose Planet has gone, or has another.
    census: Census,
    runtime: runtime::Handle,
    /// Held while Planets are loaded, started or stopped: one change at a time.
    changing: tokio::sync::Mutex<Life>,
    /// By which calls that belong to such a change know it.
    change: Changing,
    registry: Mutex<Registry>,
    handles: Mutex<Handles>,
}

#[derive(Debug, PartialEq)]
enum Life {
    Open,
    ShutDown,
}

/// Says what a [`Primary`] shall be like.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    engine: Option<Engine>,
    limits: Limits,
    services: Vec<Service>,
    judge: Option<Judge>,
    restarts: Restarts,
    preferred: BTreeMap<String, String>,
    has_satellites: bool,
}

impl Builder {
    /// Uses an engine that other Primaries use as well. Default: an engine of its own.
    pub fn engine(mut self, engine: &Engine) -> Self {
        self.engine = Some(engine.clone());
        self
    }

    /// Sets what Planets may use up, and how long things may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how Planets that end in an error are started anew.
    pub fn restarts(mut self, restarts: Restarts) -> Self {
        self.restarts = restarts;
        self
    }

    /// Decides about each Planet before its code is compiled: whether it is let in, under which name, which of its exports
    /// count and what it is granted. Without this everyone is let in and nothing is granted.
    ///
    /// `decide` answers with an [`Admission`], or with a future of one, or with a future of a `Result` whose error is the
    /// reason for a refusal (of a `Result` without a future, `Admission::from` makes one): a person may be asked. It has a
    /// thread of its own, and may block; if it still does when its time is up, it keeps that, and a terminal that it reads
    /// from. Its future runs with all others and must not block. The candidates of one load are asked about one after
    /// another, in the order of their file names; [`Limits::admission`] bounds how long each may take. Nothing else waits for
    /// the answer: meanwhile the Primary works, and a load that is given up changes nothing. Who panics or is late refuses.
    ///
    /// ```
    /// # use kokoro_host::{Admission, Grants, Primary};
    /// # async fn ask_a_person(question: String) -> std::io::Result<bool> { Ok(question.is_empty()) }
    /// # async fn example() -> Result<(), kokoro_host::Error> {
    /// let primary = Primary::builder()
    ///     .admit(|plugin| async move {
    ///         Ok::<_, std::io::Error>(match ask_a_person(format!("load {}?", plugin.name())).await? {
    ///             true => Admission::granted(Grants::none().read("content", "/content")),
    ///             false => Admission::refused("you did not want it"),
    ///         })
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn admit<V>(mut self, decide: impl Fn(Candidate) -> V + Send + Sync + 'static) -> Self
    where
        V: IntoFuture<Output: Into<Admission>, IntoFuture: Send + 'static>,
    {
        self.judge = Some(Judge::new(decide));
        self
    }

    /// Serves an interface to Planets. No Planet can take its place. Several versions of one interface can be served side by
    /// side: a Planet gets the newest whose types fit.
    pub fn serve(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Prefers one Planet, by name, where several provide an interface (`acme:log/sink`, in whatever version).
    pub fn prefer(mut self, interface: &str, planet: impl Into<String>) -> Self {
        self.preferred.insert(interface.to_owned(), planet.into());
        self
    }

    /// Turns Satellites on: native child processes that Planets own. Nothing runs by that alone; which Planet gets which program is
    /// decided in its admission ([`Grants::satellite`](crate::Grants::satellite)). Without this, no Planet gets any, whatever is granted.
    ///
    /// A Satellite is not sandboxed: it may do what the application may.
    pub fn allow_satellites(mut self) -> Self {
        self.has_satellites = true;
        self
    }

    /// Makes the Primary, still without Planets.
    ///
    /// # Errors
    ///
    /// If there is no tokio runtime here, if what is preferred is no name of an interface, if one interface is served twice, if two interfaces that share a resource are served
    /// with different types of it, or if Wasmtime does not run on this machine. The
    /// runtime needs a clock (`enable_time`); without one, tokio panics at the first deadline. What the Primary does belongs to
    /// this runtime, wherever it is awaited: it has to be driven as long as the Primary is used.
    pub fn build(self) -> Result<Primary, Error> {
        let runtime = runtime::Handle::try_current().map_err(|_| Kind::NoRuntime)?;
        for (i, service) in self.services.iter().enumerate() {
            if self.services[..i].iter().any(|other| other.name == service.name) {
                return Err(Kind::ServedTwice { interface: service.name.clone() }.into());
            }
            for other in &self.services[..i] {
                if let Some([resource, one, two]) = other.disagrees(service) {
                    let interfaces = [other.name.clone(), service.name.clone()];
                    return Err(Kind::TwoTypes { resource, interfaces, types: [one, two] }.into());
                }
            }
        }
        let preferred = self.preferred.into_iter().map(|(interface, planet)| Ok((path_of(&interface)?, planet)));
        let preferred = preferred.collect::<Result<_, Error>>()?;
        let engine = match self.engine {
            Some(engine) => engine,
            None => Engine::new()?,
        };
        let linkers = engine.wasmtime().map(link::base).collect::<wasmtime::Result<_>>();
        let linkers = linkers.expect("WASI's interfaces have no name in common");
        let shared = Shared {
            engine,
            linkers,
            services: self.services,
            judge: self.judge,
            budget: Arc::new(Budget::new(self.limits.total_memory.unwrap_or(usize::MAX))),
            limits: self.limits,
            restarts: self.restarts,
            has_satellites: self.has_satellites,
            census: Census::default(),
            runtime,
            changing: tokio::sync::Mutex::new(Life::Open),
            change: Changing::default(),
            registry: Mutex::new(Registry::preferring(preferred)),
            handles: Mutex::default(),
        };
        Ok(Primary { shared: Arc::new(shared) })
    }
}

impl Primary {
    /// Begins to say what a Primary shall be like.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Loads all files `*.wasm` of a directory, as one set: every Planet starts that can, providers before those whom they
    /// serve.
    ///
    /// A file that is no usable component stops none of the others; it is in the report, `failed`, with the reason.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub async fn load_dir(&self, path: impl AsRef<Path>) -> Result<Report, Error> {
        self.load_directory(path.as_ref().to_owned()).await
    }

    /// Loads one file. Planets that have waited for it start as well.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no component that can be linked, or if its name is taken. A Planet that has to
    /// wait, fails to start or is refused by the application, is no error: it is in the report.
    pub async fn load(&self, path: impl AsRef<Path>) -> Result<Report, Error> {
        self.load_one(Source::File(path.as_ref().to_owned())).await
    }

    /// Loads a component from memory. `name` is the Planet's name unless its manifest gives another.
    ///
    /// # Errors
    ///
    /// As for [`load`](Primary::load).
    pub async fn load_bytes(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<Report, Error> {
        self.load_one(Source::Bytes { name: name.to_owned(), bytes: bytes.into().into() }).await
    }

    /// A typed handle to the best provider of the interface `I`: the preferred, else the newest, else the first by name.
    /// The handle follows: if that provider ends and another one comes, it goes there.
    ///
    /// # Errors
    ///
    /// If no running Planet exports the interface, or none with these types; the message says what differs.
    pub fn get<I: Interface>(&self) -> Result<I, Error> {
        handle::get(self)
    }

    /// Typed handles to all running Planets that export the interface `I`, by name. Those whose types differ are not among
    /// them.
    pub fn all<I: Interface>(&self) -> Vec<I> {
        handle::all(self)
    }

    /// A function by name, to be called with values whose types are only known at run time. `path` is an interface
    /// (`acme:geo/locate`, with or without version) or, for functions that are in none, a Planet's name.
    ///
    /// # Errors
    ///
    /// If there is no such running Planet, interface or function; the message names similar ones.
    pub fn function(&self, path: &str, function: &str) -> Result<Function, Error> {
        dynamic::function(self, path, function)
    }

    /// All Planets at this moment, with their states and bindings.
    pub fn graph(&self) -> Graph {
        Graph::of(&self.registry())
    }

    /// What happens to Planets from now on: each change of a state with its reason, each import that gets another provider, each
    /// reload.
    ///
    /// ```
    /// # async fn example(primary: kokoro_host::Primary) {
    /// let mut events = primary.events();
    /// tokio::spawn(async move {
    ///     while let Some(event) = events.next().await {
    ///         println!("{event}"); // page: waiting -> starting: it is starting
    ///     }
    /// });
    /// # }
    /// ```
    pub fn events(&self) -> Events {
        self.registry().listen()
    }

    /// Stops all Planets, dependents before those who serve them. Calls in flight are waited for as long as `stop` may
    /// take. What a Planet does wrong while it stops goes to `tracing`.
    pub async fn shutdown(&self) {
        let primary = self.clone();
        let shutdown = self.to_the_end(async move { primary.stop_all().await });
        if Call::around().is_some_and(|call| call.changes(&self.shared.change)) {
            tracing::warn!(target: "kokoro", "shut down by a start or a stop, which cannot wait for that: it comes afterwards");
            self.shared.runtime.spawn(shutdown);
        } else {
            shutdown.await;
        }
    }

    async fn stop_all(&self) {
        let mut life = self.shared.changing.lock().await;
        *life = Life::ShutDown;
        let living = {
            let mut registry = self.registry();
            registry.entries.values_mut().for_each(|entry| entry.leaves = false);
            stop_order(&self.problem(&registry, &Anew::default()))
        };
        for name in &living {
            self.stop(name, self.shared.limits.stop, None).await;
        }
        // Whoever does not end when it is asked is ended after a grace.
        let _ = tokio::time::timeout(2 * self.shared.limits.grace, self.shared.census.none()).await;
        let mut registry = self.registry();
        let waiting = registry.entries.iter().filter(|(_, entry)| entry.state().0 == State::Waiting);
        let waiting: Vec<String> = waiting.map(|(name, _)| name.clone()).collect();
        for name in waiting {
            registry.change(&name, State::Gone, Some("its Primary has been shut down".into()));
        }
    }

    /// A change that is given up half-way would leave Planets half-way too.
    fn to_the_end<T, F>(&self, change: F) -> impl Future<Output = T> + Send + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (around, serves) = Call::around().map(|around| around.served()).unzip();
        // Once nobody waits for the change any more, nor does the call that it is a part of.
        ToTheEnd::new(Call::within(around, change), &self.shared.runtime, move || drop(serves))
    }

    /// A call of the life cycle that is part of a change of this Primary.
    fn life_cycle_call(&self, within: std::time::Duration) -> Call {
        Call::of_life_cycle(within).changing(&self.shared.change)
    }

    /// How Planets drop resources that nobody holds any more.
    fn tidying(&self) -> Tidying {
        Tidying { runtime: self.shared.runtime.clone(), within: self.shared.limits.call }
    }

    /// What the application's calls are like unless it says otherwise.
    fn terms(&self) -> Terms {
        let Limits { call, grace, .. } = self.shared.limits;
        Terms { within: call, attached: None, cancel: None, grace }
    }

    fn registry(&self) -> Locked<'_> {
        Locked::new(lock(&self.shared.registry))
    }
}

/// The path of an interface that may have a version: `acme:log/sink`.
fn path_of(interface: &str) -> Result<String, Error> {
    let interface: InterfaceName = interface.parse()?;
    Ok(interface.path().to_owned())
}

impl Shared {
    /// What all Planets in places of this engine are served alike.
    fn linker(&self, engine: &wasmtime::Engine) -> &Linker<planet::State> {
        let mut linkers = self.linkers.iter();
        linkers.find(|linker| wasmtime::Engine::same(linker.engine(), engine)).expect("each engine has one")
    }
}

impl Drop for Shared {
    /// Ends the Planets, which handles may still hold, and frees those that hold each other.
    fn drop(&mut self) {
        for entry in lock(&self.registry).entries.values() {
            entry.bindings.planets.values().for_each(|binding| _ = binding.point_at(None));
            if let Some(planet) = &entry.planet {
                planet.abandon("its Primary has been dropped");
            }
        }
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primary").field("graph", &self.graph()).finish_non_exhaustive()
    }
}

/// Nothing here is left half-way by a panic, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
