//! Brings all Planets to where the plan wants them: who can run starts, who cannot any more stops, and everybody is bound to
//! today's providers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::handle::Move;
use super::load::off_the_async_threads;
use super::{Primary, lock};
use crate::engine::Code;
use crate::inspect::Inspection;
use crate::interface::InterfaceName;
use crate::limits::margin;
use crate::link::{Bindings, link};
use crate::manifest::{SatelliteRequest, SatelliteStart};
use crate::planet::{Call, CallError, End, Instance, Linked, Planet, Start, Target};
use crate::registry::{Entry, Event, Reason, Registry, State};
use crate::resolve::{Member, Outsider, Plan, Problem, Provider, resolve};
use crate::satellite::{self, Lease, Satellite};

/// What is to be chosen anew although it is bound. By default nothing.
#[derive(Debug, Default, Clone)]
pub(super) struct Anew {
    /// Who serves the interfaces of this path.
    pub(super) path: Option<String>,
}

impl Primary {
    /// Plans, starts and binds until there is nothing left to start; then stops who cannot run any more, and who leaves. A Planet
    /// that fails to start makes the plan anew, without it.
    pub(super) async fn settle(&self, anew: &Anew) {
        while self.settle_once(anew).await {}
    }

    /// Says whether there may be more to do: somebody has gone, or who had failed may try again since.
    async fn settle_once(&self, anew: &Anew) -> bool {
        let plan = loop {
            let plan = {
                let mut registry = self.registry();
                for name in to_be_revisited(&registry) {
                    registry.wait_again(&name);
                }
                let plan = self.plan(&registry, anew);
                apply(&mut registry, &plan);
                self.rebind(&registry, anew);
                plan
            };
            self.compile(&plan.order).await;
            let mut failed = false;
            let consumers = consumers_of_new(&plan);
            for name in &plan.order {
                failed = !self.start(name, consumers.get(name.as_str()).map_or(&[], Vec::as_slice)).await;
                if failed {
                    break;
                }
            }
            if !failed {
                break plan;
            }
        };
        let leaving = |(name, entry): (&String, &Entry)| entry.leaves.then(|| name.clone());
        let leaving: Vec<String> = self.registry().entries.iter().filter_map(leaving).collect();
        for name in &plan.stops {
            let waits = plan.waiting.get(name).map(waiting_reason);
            self.stop(name, self.shared.limits.drain, waits).await;
        }
        for name in &leaving {
            self.stop(name, self.shared.limits.drain, None).await;
            self.registry().remove(name);
        }
        // What is said of those who wait is out of date when others have gone.
        !leaving.is_empty() || !to_be_revisited(&self.registry()).is_empty()
    }

    pub(super) fn plan(&self, registry: &Registry, anew: &Anew) -> Plan {
        resolve(&self.problem(registry, anew))
    }

    pub(super) fn problem<'a>(&self, registry: &'a Registry, anew: &Anew) -> Problem<'a> {
        let mut problem = Problem {
            host: self.shared.services.iter().map(|service| service.name.clone()).collect(),
            unfit: &registry.unfit,
            preferred: &registry.preferred,
            members: BTreeMap::new(),
            outsiders: BTreeMap::new(),
        };
        for (name, entry) in &registry.entries {
            let Some(inspection) = &entry.inspection else { continue };
            let manifest = &inspection.manifest;
            if entry.lives() || entry.state().0 == State::Waiting && !entry.leaves {
                let bound = entry.lives().then(|| bound(registry, entry, anew));
                problem
                    .members
                    .insert(name, Member { manifest, provides: &manifest.provides, withheld: &entry.withheld, bound });
            } else {
                let reason = match entry.leaves {
                    true => "it is being unloaded".to_owned(),
                    false => format!("it is {}", entry.summary()),
                };
                problem.outsiders.insert(name, Outsider { manifest, provides: &manifest.provides, reason });
            }
        }
        problem
    }

    /// Compiles what is about to start and is not compiled yet, all at once and off the async threads.
    async fn compile(&self, names: &[String]) {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let places = Arc::new(Semaphore::new(at_once));
        let mut jobs = Vec::new();
        for name in names {
            let entry = &self.registry().entries[name];
            if let (Some(bytes), Some(inspection)) = (entry.bytes.clone(), entry.inspection.clone()) {
                let (engine, places) = (self.shared.engine.clone(), Arc::clone(&places));
                let job = async move {
                    let _place = places.acquire_owned().await;
                    off_the_async_threads(move || engine.compile(&inspection.sha256, &bytes)).await
                };
                jobs.push((name.clone(), tokio::spawn(job)));
            }
        }
        for (name, job) in jobs {
            let compiled = match job.await {
                Ok(compiled) => compiled.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let mut registry = self.registry();
            match compiled {
                Ok(component) => {
                    let entry = registry.entries.get_mut(&name).expect("entries stay while a change goes on");
                    entry.component = Some(component);
                    entry.bytes = None;
                }
                Err(error) => {
                    registry.change(&name, State::Failed, Some(format!("it cannot be compiled: {error}").into()));
                }
            }
        }
    }

    /// Starts one Planet whose providers run, and binds those to it whom it serves; says whether it runs now.
    async fn start(&self, name: &str, consumers: &[(&str, &InterfaceName)]) -> bool {
        let recipe = {
            let mut registry = self.registry();
            bind(&registry, name);
            if !is_served(&registry, name) {
                return false;
            }
            let Some(recipe) = Recipe::of(&registry, name) else { return false };
            registry.change(name, State::Starting, Some("it is starting".into()));
            recipe
        };
        let unfinished = Unfinished::new(self, name, None);
        let call = self.life_cycle_call(self.shared.limits.start);
        let started = self.instantiate(recipe, &call).await;
        unfinished.over();
        let mut registry = self.registry();
        let entry = registry.entries.get_mut(name).expect("entries stay while a change goes on");
        match started {
            Ok(Started { instance, linked, .. }) => {
                let most_waiting = self.shared.limits.waiting_calls;
                entry.planet =
                    Some(Planet::new(Arc::clone(&entry.id), instance, most_waiting, self.watcher(), self.tidying()));
                entry.linked = Some(linked);
                registry.change(name, State::Running, None);
                registry.has_started(name);
                for (consumer, import) in consumers {
                    serve(&registry, consumer, import);
                }
                true
            }
            Err(reason) => {
                let among = registry.surroundings(name);
                registry.change(name, State::Failed, Some(reason.to_string().into()));
                let entry = registry.entries.get_mut(name).expect("it is there");
                entry.failed_among = Some(among);
                if let StartError::Call(error) = &reason
                    && error.was_not_met()
                {
                    entry.failed_through = error.root().planet.clone();
                }
                false
            }
        }
    }

    /// Makes an instance and calls its `start`.
    pub(super) async fn instantiate(&self, recipe: Recipe, call: &Call) -> Result<Started, StartError> {
        let shared = &self.shared;
        let Recipe { name, component, linked, inspection, bindings, grants, release } = recipe;
        let place = shared.engine.place(&component, &shared.limits);
        let place = place.map_err(|error| StartError::Link(format!("it cannot be linked: {error}")))?;
        let linked = match linked.filter(|linked| linked.fits(&place)) {
            Some(linked) => linked,
            None => {
                let base = shared.linker(place.engine());
                let linked = link(base, place.component(), &inspection, &bindings, &shared.services);
                linked.map_err(|error| StartError::Link(format!("it cannot be linked: {error:#}")))?
            }
        };
        let leases = start_satellites(&name, &inspection, &bindings, call, shared.limits.start).await;
        let leases = leases.map_err(StartError::Satellite)?;
        // What they took is not its own time.
        let call = &call.with_time(shared.limits.start);
        let span = tracing::info_span!(target: "kokoro::life", "start", planet = &*name, outcome = Empty);
        let start = Start {
            place,
            name,
            linked: &linked,
            inspection: &inspection,
            grants: &grants,
            limits: &shared.limits,
            budget: &shared.budget,
            release,
            satellites: leases,
            receiver: bindings.receiver(),
        };
        let started = Instance::start(start, call).instrument(span.clone()).await;
        span.record("outcome", started.as_ref().map_or_else(CallError::kind, |_| "running"));
        Ok(Started { instance: started.map_err(StartError::Call)?, component, linked })
    }

    /// Stops a Planet that lives: it waits from then on, for this reason, or is gone.
    pub(super) async fn stop(&self, name: &str, drain: Duration, waits: Option<Reason>) {
        let planet = {
            let mut registry = self.registry();
            let Some(entry) = registry.entries.get_mut(name) else { return };
            let Some(planet) =
                entry.planet.clone().filter(|_| matches!(entry.state().0, State::Running | State::Starting))
            else {
                if entry.leaves {
                    registry.change(name, State::Gone, Some("it has been unloaded".into()));
                }
                return;
            };
            registry.change(name, State::Stopping, Some("it is being stopped".into()));
            planet
        };
        let (primary, stopped) = (self.clone(), Arc::clone(&planet));
        let work = async move {
            let call = || primary.life_cycle_call(primary.shared.limits.stop);
            stopped.stop(Instant::now() + drain, call).await
        };
        if !self.tell_to_stop(name, work).await {
            planet.abandon("it has been stopped");
        }
        self.satellites_end(name).await;
        let mut registry = self.registry();
        if let Some(entry) = registry.entries.get_mut(name) {
            entry.planet = None;
            entry.providers.clear();
            entry.bindings.planets.values().for_each(|binding| _ = binding.point_at(None));
            let (next, reason) = match waits {
                Some(reason) => (State::Waiting, reason),
                None if entry.leaves => (State::Gone, "it has been unloaded".into()),
                None => (State::Gone, "it has been stopped".into()),
            };
            registry.change(name, next, Some(reason));
        }
    }

    /// Waits until the Satellites of a Planet that has been stopped have ended. If a call is still executed, they end with that.
    async fn satellites_end(&self, name: &str) {
        let bindings = self.registry().entries.get(name).map(|entry| Arc::clone(&entry.bindings));
        let all = async {
            for satellite in bindings.iter().flat_map(|bindings| bindings.satellites()) {
                satellite.ended().await;
            }
        };
        // Whoever does not end when it is asked is ended after a grace.
        let _ = tokio::time::timeout(2 * self.shared.limits.grace, all).await;
    }

    /// Does the work of a stop, in a task of its own: a panic of what the application serves must not keep others from being stopped.
    /// Says whether it came to its end. What is wrong goes to the log.
    pub(super) async fn tell_to_stop(
        &self,
        name: &str,
        work: impl Future<Output = Result<(), CallError>> + Send + 'static,
    ) -> bool {
        let span = tracing::info_span!(target: "kokoro::life", "stop", planet = name, outcome = Empty);
        let told = tokio::spawn(Call::within(Call::around(), work.instrument(span.clone()))).await;
        let problem = match &told {
            Ok(told) => {
                span.record("outcome", told.as_ref().map_or_else(CallError::kind, |()| "stopped"));
                told.as_ref().err().map(|error| error.to_string())
            }
            Err(_) => Some("a panic of the application ended its stop".to_owned()),
        };
        if let Some(problem) = problem {
            tracing::warn!(target: "kokoro", planet = name, "while it stopped: {problem}");
        }
        told.is_ok()
    }

    /// Points all imports of Planets that live, and the application's handles, at their providers as the entries have them.
    pub(super) fn rebind(&self, registry: &Registry, anew: &Anew) {
        for (name, _) in registry.entries.iter().filter(|(_, entry)| entry.lives()) {
            bind(registry, name);
        }
        lock(&self.shared.handles).rebind(registry, |today, path| {
            let serves = |entry: &&Entry| {
                entry.lives()
                    && entry.release == today.release
                    && entry.planet.as_ref().is_some_and(|planet| Arc::ptr_eq(planet, &today.planet))
            };
            match registry.entries.get(&**today.planet.name()).filter(serves) {
                _ if anew.path.as_deref() == Some(path) => Move::ToTheBest,
                Some(_) => Move::No,
                None => Move::IfItDoesNotFit,
            }
        });
    }
}

/// What an instance is made of, beside what belongs to the Primary.
pub(super) struct Recipe {
    pub(super) name: Arc<str>,
    pub(super) component: Code,
    pub(super) linked: Option<Linked>,
    pub(super) inspection: Arc<Inspection>,
    pub(super) bindings: Arc<Bindings>,
    pub(super) grants: crate::admission::Grants,
    pub(super) release: u64,
}

impl Recipe {
    /// As the registry has it, once the component is compiled.
    pub(super) fn of(registry: &Registry, name: &str) -> Option<Self> {
        let entry = registry.entries.get(name)?;
        Some(Self {
            name: Arc::clone(&entry.id),
            component: entry.component.clone()?,
            linked: entry.linked.clone(),
            inspection: entry.inspection.clone()?,
            bindings: Arc::clone(&entry.bindings),
            grants: entry.grants.clone(),
            release: entry.release,
        })
    }
}

/// An instance that has been started.
pub(super) struct Started {
    pub(super) instance: Box<Instance>,
    pub(super) component: Code,
    pub(super) linked: Linked,
}

/// Why there is no instance.
#[derive(Debug)]
pub(super) enum StartError {
    Link(String),
    /// One that it needs could not be started.
    Satellite(satellite::Failure),
    Call(CallError),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(problem) => f.write_str(problem),
            Self::Satellite(failure) => write!(f, "{failure}"),
            Self::Call(error) => write!(f, "{error}"),
        }
    }
}

/// Lets an instance that is about to start have its Satellites, and starts those that are to be started with it, all at once.
async fn start_satellites(
    name: &str,
    inspection: &Inspection,
    bindings: &Bindings,
    call: &Call,
    within: Duration,
) -> Result<Vec<Lease>, satellite::Failure> {
    let leases = bindings.satellites().map(Satellite::lease).collect();
    // They have this time themselves, and then still say what became of them.
    let call = call.with_time(within + margin(within));
    let mut starting = Vec::new();
    for satellite in bindings.satellites() {
        let imports = bindings.satellites.iter().filter(|(_, serving)| Arc::ptr_eq(serving, satellite));
        let imports: Vec<&InterfaceName> = imports.map(|(import, _)| import).collect();
        let is_asked = |request: &SatelliteRequest| {
            request.start == SatelliteStart::Planet && imports.contains(&&request.interface)
        };
        if inspection.manifest.satellites.iter().any(is_asked) {
            let is_optional = imports.iter().all(|import| inspection.manifest.optional.contains(*import));
            let (call, satellite) = (call.clone(), Arc::clone(satellite));
            let program = satellite.program().to_owned();
            let start =
                async move { call.until(satellite.start()).await.unwrap_or_else(|_| Err(satellite.late_to_start())) };
            starting.push((program, is_optional, tokio::spawn(start.in_current_span())));
        }
    }
    let mut failed = None;
    for (program, is_optional, start) in starting {
        let failure = match start.await {
            Ok(Err(failure)) => failure,
            Ok(Ok(())) => continue,
            // The runtime is being shut down, and this with it.
            Err(_) => continue,
        };
        if is_optional {
            tracing::warn!(
                target: "kokoro", planet = name,
                "its satellite `{program}` could not be started; the next call tries again: {failure}"
            );
        } else {
            failed = failed.or(Some(failure));
        }
    }
    failed.map_or(Ok(leases), Err)
}

/// A start that goes on. If a panic (of a function that the application serves) ends it, or it is dropped, the Planet has failed.
pub(super) struct Unfinished<'a> {
    primary: &'a Primary,
    name: &'a str,
    /// Whose calls wait for it.
    planet: Option<&'a Arc<Planet>>,
    over: bool,
}

impl<'a> Unfinished<'a> {
    pub(super) fn new(primary: &'a Primary, name: &'a str, planet: Option<&'a Arc<Planet>>) -> Self {
        Self { primary, name, planet, over: false }
    }

    pub(super) fn over(mut self) {
        self.over = true;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let reason = match std::thread::panicking() {
            true => "a panic of the application ended its start",
            false => "its start was cut off",
        };
        {
            let mut registry = self.primary.registry();
            if registry.entries.get(self.name).is_some_and(|entry| entry.state().0 == State::Starting) {
                self.primary.give_up(&mut registry, self.name, reason);
            }
        }
        if let Some(planet) = self.planet {
            planet.close(End { reason: reason.into(), stopped: false });
        }
    }
}

pub(super) fn waiting_reason(waiting: &crate::resolve::Waiting) -> Reason {
    Reason { sentence: waiting.to_string(), details: format!("{waiting:#}") }
}

/// Those that failed to start, or failed later, and whose providers have changed since.
fn to_be_revisited(registry: &Registry) -> Vec<String> {
    let changed = |(name, entry): (&String, &Entry)| {
        let among = entry.failed_among.as_ref().filter(|_| entry.state().0 == State::Failed && !entry.leaves)?;
        (entry.try_again || *among != registry.surroundings(name)).then(|| name.clone())
    };
    registry.entries.iter().filter_map(changed).collect()
}

/// What is bound and shall stay so: to those who live. What is to be chosen anew is left out.
fn bound(registry: &Registry, entry: &Entry, anew: &Anew) -> BTreeMap<InterfaceName, Provider> {
    let stays = |import: &InterfaceName, provider: &Provider| match provider {
        Provider::Host | Provider::Satellite(_) => true,
        Provider::Planet { .. } => {
            anew.path.as_deref() != Some(import.path())
                && registry.target(provider).is_some_and(|target| target.planet.ended().is_none())
        }
    };
    let providers = entry.providers.iter().filter(|(import, provider)| stays(import, provider));
    providers.map(|(import, provider)| (import.clone(), provider.clone())).collect()
}

/// Whether all that a Planet requires still runs: a provider may have ended since the plan was made.
pub(super) fn is_served(registry: &Registry, name: &str) -> bool {
    let entry = &registry.entries[name];
    let requires = entry.inspection.iter().flat_map(|inspection| &inspection.manifest.requires);
    requires.into_iter().all(|import| entry.bindings.is_bound(import))
}

/// Writes down who serves whom, and who waits for what.
pub(super) fn apply(registry: &mut Registry, plan: &Plan) {
    for (name, waiting) in &plan.waiting {
        if registry.entries[name].state().0 == State::Waiting {
            registry.change(name, State::Waiting, Some(waiting_reason(waiting)));
        }
    }
    for (name, providers) in &plan.bindings {
        let entry = registry.entries.get_mut(name).expect("the plan knows only entries");
        entry.providers = providers.clone();
    }
}

/// Of the Planets that are about to start: the imports of others that they are to serve.
fn consumers_of_new(plan: &Plan) -> HashMap<&str, Vec<(&str, &InterfaceName)>> {
    let new: BTreeSet<&str> = plan.order.iter().map(String::as_str).collect();
    let mut consumers: HashMap<&str, Vec<(&str, &InterfaceName)>> = HashMap::new();
    for (consumer, providers) in &plan.bindings {
        for (import, provider) in providers {
            if let Provider::Planet { name, .. } = provider
                && new.contains(name.as_str())
            {
                consumers.entry(name).or_default().push((consumer, import));
            }
        }
    }
    consumers
}

/// Points the imports of one Planet at their providers, as far as those live.
fn bind(registry: &Registry, name: &str) {
    let entry = &registry.entries[name];
    for (import, binding) in &entry.bindings.planets {
        let target = entry.providers.get(import).and_then(|provider| registry.target(provider));
        let stays = match binding.target() {
            _ if target.is_some() || !entry.lives() => false,
            None => false,
            // It serves until there is another, or until this Planet is stopped; one that has failed says why it cannot answer.
            Some(_) if is_required(entry, import) => true,
            // It is about to be replaced.
            Some(today) => entry.providers.contains_key(import) && today.planet.ended().is_none(),
        };
        if !stays {
            point(registry, name, import, target);
        }
    }
}

/// Points one import of a Planet that has started already at a provider that has started just now.
fn serve(registry: &Registry, consumer: &str, import: &InterfaceName) {
    if let Some(entry) = registry.entries.get(consumer).filter(|entry| entry.lives())
        && let Some(target) = entry.providers.get(import).and_then(|provider| registry.target(provider))
    {
        point(registry, consumer, import, Some(target));
    }
}

fn point(registry: &Registry, consumer: &str, import: &InterfaceName, target: Option<Target>) {
    let entry = &registry.entries[consumer];
    let Some(binding) = entry.bindings.planets.get(import) else { return };
    let provider = |target: &Option<Target>| target.as_ref().map(|target| target.planet.name().to_string());
    let (before, after) = (provider(&binding.target()), provider(&target));
    if binding.point_at(target) && before != after && entry.lives() {
        let (planet, interface) = (consumer.to_owned(), import.clone());
        registry.tell(|| Event::Bound { planet, interface, provider: after });
    }
}

fn is_required(entry: &Entry, import: &InterfaceName) -> bool {
    entry.inspection.as_ref().is_some_and(|inspection| inspection.manifest.requires.contains(import))
}
