//! One instance of a Planet: a Wasmtime store of its own, and what it exports.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Func, InstancePre, Lift, Lower};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi_config::WasiConfig;

use super::call::{Call, FunctionName, Late};
use super::failure::{CallError, Cause, Crash, Interruption};
use super::handles::Handles;
use super::hold::{Hold, Target};
use super::memory::MemoryLimit;
use super::output::{Channel, Output};
use super::refusals::{Refusals, beginning};
use super::resource::Holdings;
use super::wasi::Wasi;
use crate::admission::Grants;
use crate::engine::Place;
use crate::inspect::{self, Inspection};
use crate::interface::{InterfaceName, in_one_line};
use crate::limits::{Budget, Limits};
use crate::satellite::Lease;
use crate::value::{Crossing, Plans, Receiver};

/// A component whose imports are linked, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Linked {
    pre: InstancePre<State>,
    exports: Arc<Exports>,
    plans: Arc<Plans>,
}

/// The exported functions of a component.
#[derive(Default)]
struct Exports {
    /// The place of each, by its name and by that of the interface, if it is in one.
    places: FxHashMap<Option<Arc<str>>, FxHashMap<Arc<str>, usize>>,
    indices: Vec<ComponentExportIndex>,
}

impl Exports {
    fn place(&self, interface: &Option<Arc<str>>, function: &str) -> Option<usize> {
        self.places.get(interface)?.get(function).copied()
    }
}

impl Linked {
    pub(crate) fn new(pre: InstancePre<State>, component: &Component, inspection: &Inspection) -> Self {
        let mut exports = Exports::default();
        let mut add = |interface: Option<(&Arc<str>, &ComponentExportIndex)>, name: &str| {
            if let Some(index) = component.get_export_index(interface.map(|(_, index)| index), name) {
                let interface = interface.map(|(full, _)| Arc::clone(full));
                exports.places.entry(interface).or_default().insert(name.into(), exports.indices.len());
                exports.indices.push(index);
            }
        };
        for (name, interface) in &inspection.exports {
            let full: Arc<str> = name.to_string().into();
            if let Some(index) = component.get_export_index(None, &*full) {
                interface.functions.keys().for_each(|function| add(Some((&full, &index)), function));
            }
        }
        inspection.functions.keys().for_each(|function| add(None, function));
        let plans = Arc::new(Plans::new(exports.indices.len()));
        Self { pre, exports: Arc::new(exports), plans }
    }

    /// Whether instances of it can live there.
    pub(crate) fn fits(&self, place: &Place) -> bool {
        wasmtime::Engine::same(self.pre.engine(), place.engine())
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked").field("exports", &self.exports.indices.len()).finish_non_exhaustive()
    }
}

/// What an instance is made of.
pub(crate) struct Start<'a> {
    pub(crate) place: Place,
    pub(crate) name: Arc<str>,
    pub(crate) linked: &'a Linked,
    pub(crate) inspection: &'a Arc<Inspection>,
    pub(crate) grants: &'a Grants,
    pub(crate) limits: &'a Limits,
    /// What is left of the Primary's memory.
    pub(crate) budget: &'a Arc<Budget>,
    /// Counts the releases of the Planet.
    pub(crate) release: u64,
    /// What keeps its Satellites.
    pub(crate) satellites: Vec<Lease>,
    /// Its one Satellite, if it has exactly one: what that is passed can go there at once.
    pub(crate) receiver: Option<Arc<dyn Receiver>>,
}

/// Counts all instances.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// One instance. It executes one call at a time.
pub(crate) struct Instance {
    store: Store<State>,
    /// As `linked` counts them.
    functions: Vec<Func>,
    linked: Linked,
    /// Tells it from all others that there ever are.
    number: u64,
    /// How large a value may be.
    most: usize,
    /// How many handles it may have, and how many of its own resources others hold: these handles are theirs.
    handles: usize,
    lent: usize,
    inspection: Arc<Inspection>,
    lifecycle: Option<Arc<str>>,
    saved_state: Option<Arc<str>>,
    release: u64,
    /// The chain of the last call before and inside of this Planet: that of the next one, as a rule.
    chains: Option<[Arc<[Arc<str>]>; 2]>,
    /// Since when it answers calls.
    began: Instant,
    stdout: Output,
    stderr: Output,
    receiver: Option<Arc<dyn Receiver>>,
    /// They end with it.
    _satellites: Vec<Lease>,
    /// The last field, since it must be dropped after the store.
    _place: Place,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What a Planet's store holds beside the instance.
pub(crate) struct State {
    call: Option<Call>,
    name: Arc<str>,
    pub(super) wasi: Wasi,
    memory: MemoryLimit,
    refusals: Arc<Refusals>,
    /// The environment variables that its manifest asks for.
    variables: Vec<String>,
    may_look_up_names: bool,
    handles: Handles,
    holdings: Holdings,
    /// What it has asked for as an option in the call that it executes, by its import.
    holds: Vec<(Arc<str>, Hold)>,
}

impl State {
    /// The call that the Planet executes.
    ///
    /// # Panics
    ///
    /// If it executes none: host functions are only reached from inside of a call.
    pub(crate) fn call(&self) -> &Call {
        self.call.as_ref().expect("a planet executes only inside of a call")
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it holds of the application's resources.
    pub(crate) fn handles(&self) -> &Handles {
        &self.handles
    }

    /// What it holds of other Planets' resources.
    pub(crate) fn holdings(&mut self) -> &mut Holdings {
        &mut self.holdings
    }

    /// Where to note what it tries and was not granted.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The environment variables that its manifest asks for.
    pub(crate) fn asks_for_variables(&self) -> &[String] {
        &self.variables
    }

    pub(crate) fn may_look_up_names(&self) -> bool {
        self.may_look_up_names
    }

    /// What `wasi:config/store` serves it.
    pub(crate) fn config(&self) -> WasiConfig<'_> {
        self.wasi.config()
    }

    /// Keeps `target` as the provider of `import` until the exported call that is executed ends. Of several times the first
    /// counts, unless that one has ended in spite of it.
    pub(crate) fn hold(&mut self, import: &Arc<str>, target: Target) {
        self.holds.retain(|(held, hold)| held != import || hold.target().planet.ended().is_none());
        if self.held(import).is_none() {
            let hold = Hold::new(target, &self.name, self.call().errand());
            self.holds.push((Arc::clone(import), hold));
        }
    }

    /// Does not keep the provider of `import` any more.
    pub(crate) fn let_go(&mut self, import: &Arc<str>) {
        self.holds.retain(|(held, _)| held != import);
    }

    /// Who is kept as the provider of `import`.
    pub(crate) fn held(&self, import: &str) -> Option<&Target> {
        self.holds.iter().find(|(held, _)| **held == *import).map(|(_, hold)| hold.target())
    }
}

/// `snapshot` of `kokoro:core/saved-state`.
#[derive(Debug, Clone, wasmtime::component::ComponentType, wasmtime::component::Lift, wasmtime::component::Lower)]
#[component(record)]
pub(crate) struct Saved {
    version: u32,
    data: Vec<u8>,
}

impl Instance {
    /// Instantiates a linked component and, if it wants to be told, calls its `start`.
    pub(crate) async fn start(start: Start<'_>, call: &Call) -> Result<Box<Self>, CallError> {
        let Start { place, name, linked, inspection, grants, limits, budget, release, satellites, receiver } = start;
        let lifecycle = export_of(inspection, kokoro_wit::LIFECYCLE);
        let function = match &lifecycle {
            Some(_) => FunctionName { interface: lifecycle.clone(), function: "start".into() },
            None => FunctionName { interface: None, function: "(instantiation)".into() },
        };
        let error = |cause| CallError {
            planet: Some(Arc::clone(&name)),
            function: function.clone(),
            chain: Arc::clone(call.chain()),
            cause,
        };
        let stdout = Output::new(Arc::clone(&name), Channel::Stdout);
        let stderr = Output::new(Arc::clone(&name), Channel::Stderr);
        let refusals = Arc::new(Refusals::new(Arc::clone(&name)));
        let wasi = Wasi::new(grants, &refusals, &stdout, &stderr).map_err(|why| error(Cause::Refused(why.into())))?;
        let state = State {
            call: None,
            name: Arc::clone(&name),
            wasi,
            memory: MemoryLimit::new(limits, budget),
            refusals,
            variables: inspection.manifest.permissions.env.clone(),
            may_look_up_names: grants.name_lookup,
            handles: Handles::default(),
            holdings: Holdings::default(),
            holds: Vec::new(),
        };
        let mut store = Store::new(place.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.value);
        store.set_max_component_handles(limits.handles);
        store.epoch_deadline_callback(|store| match store.data().call.as_ref().and_then(Call::late) {
            Some(late) => Err(wasmtime::Error::new(Interruption::Late(late))),
            None => Ok(UpdateDeadline::Yield(1)),
        });
        let mut instance = Box::new(Self {
            store,
            functions: Vec::new(),
            linked: linked.clone(),
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            most: limits.value,
            handles: limits.handles,
            lent: 0,
            inspection: Arc::clone(inspection),
            saved_state: export_of(inspection, kokoro_wit::SAVED_STATE),
            lifecycle,
            release,
            chains: None,
            began: Instant::now(),
            stdout,
            stderr,
            receiver,
            _satellites: satellites,
            _place: place,
        });
        instance.begin(call);
        let crossing = instance.crossing(None);
        let Self { store, functions, lifecycle, .. } = &mut *instance;
        let outcome = call.until(crossing.scope(async {
            let made = linked.pre.instantiate_async(&mut *store).await?;
            for export in &linked.exports.indices {
                let func = made.get_func(&mut *store, export);
                functions.push(func.ok_or_else(|| wasmtime::Error::msg("an export that was there is missing"))?);
            }
            match linked.exports.place(lifecycle, "start").filter(|_| lifecycle.is_some()) {
                Some(start) => {
                    let start = functions[start].typed::<(), (Result<(), String>,)>(&*store)?;
                    Ok(start.call_async(&mut *store, ()).await?.0)
                }
                None => Ok(Ok(())),
            }
        }));
        let outcome = outcome.await;
        let began = instance.began;
        match instance.concluded(outcome, began, Duration::ZERO).map_err(error)? {
            Ok(()) => {
                instance.began = Instant::now();
                Ok(instance)
            }
            Err(reason) => {
                instance.last_words();
                Err(error(Cause::Refused(in_one_line(beginning(&reason)).into())))
            }
        }
    }

    /// Tells the Planet to stop, if it wants to be told.
    pub(crate) async fn stop(&mut self, call: &Call) -> Result<(), CallError> {
        let Some(lifecycle) = self.lifecycle.clone() else { return Ok(()) };
        self.call_own::<_, ()>(call, lifecycle, "stop", ()).await.map(|_| ())
    }

    /// Whether it hands its state over to a newer release, and takes one.
    pub(crate) fn saves_state(&self) -> bool {
        self.saved_state.is_some()
    }

    /// Its state; `Err` is the Planet's own reason why there is none.
    pub(crate) async fn save(&mut self, call: &Call) -> Result<Result<Saved, String>, CallError> {
        let saved_state = self.saved_state.clone().expect("asked only of those who save");
        let saved: Option<(Result<Saved, String>,)> = self.call_own(call, saved_state, "save", ()).await?;
        let saved = saved.map_or_else(|| Err("it has no `save`".to_owned()), |(saved,)| saved);
        Ok(saved.map_err(|why| in_one_line(beginning(&why))))
    }

    /// Gives it the state of an older release; `Err` is the Planet's own reason why it does not take it.
    pub(crate) async fn restore(&mut self, call: &Call, saved: Saved) -> Result<Result<(), String>, CallError> {
        let saved_state = self.saved_state.clone().expect("asked only of those who save");
        let restored: Option<(Result<(), String>,)> = self.call_own(call, saved_state, "restore", (saved,)).await?;
        let restored = restored.map_or_else(|| Err("it has no `restore`".to_owned()), |(restored,)| restored);
        Ok(restored.map_err(|why| in_one_line(beginning(&why))))
    }

    /// Calls a function of the life cycle, if there is one. After an error the instance is not to be used any more.
    async fn call_own<P, R>(
        &mut self,
        call: &Call,
        interface: Arc<str>,
        name: &'static str,
        params: P,
    ) -> Result<Option<R>, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = FunctionName { interface: Some(interface), function: name.into() };
        let Some((func, _)) = self.function(&function) else { return Ok(None) };
        self.begin(call);
        let entered = Instant::now();
        let crossing = self.crossing(None);
        let store = &mut self.store;
        let work = async { func.typed::<P, R>(&*store)?.call_async(&mut *store, params).await };
        let outcome = call.until(crossing.scope(work)).await;
        self.concluded(outcome, entered, Duration::ZERO).map(Some).map_err(|cause| CallError {
            planet: Some(Arc::clone(&self.store.data().name)),
            function,
            chain: Arc::clone(call.chain()),
            cause,
        })
    }

    /// Takes a call up.
    pub(super) fn begin(&mut self, call: &Call) {
        let state = self.store.data_mut();
        state.memory.forget();
        state.refusals.forget();
        let chain = match &self.chains {
            Some([before, inside]) if Arc::ptr_eq(before, call.chain()) => Arc::clone(inside),
            _ => {
                let inside = call.chain_into(&state.name);
                self.chains = Some([Arc::clone(call.chain()), Arc::clone(&inside)]);
                inside
            }
        };
        state.call = Some(call.with_chain(chain));
        self.stderr.forget();
        self.store.set_epoch_deadline(1);
    }

    /// Others hold so many more of its resources.
    pub(super) fn lends_more(&mut self, count: usize) {
        self.lent += count;
        self.store.set_max_component_handles(self.handles.saturating_add(self.lent));
    }

    /// It has got one back.
    pub(super) fn lends_less(&mut self) {
        self.lent = self.lent.saturating_sub(1);
        self.store.set_max_component_handles(self.handles.saturating_add(self.lent));
    }

    /// Lays the call down. What it had asked for as an option is free again.
    pub(super) fn lay_down(&mut self) {
        let state = self.store.data_mut();
        state.call = None;
        state.holds.clear();
    }

    /// Lays the call down, with its outcome: an error says what it was.
    pub(super) fn concluded<R>(
        &mut self,
        outcome: Result<wasmtime::Result<R>, Late>,
        entered: Instant,
        queued: Duration,
    ) -> Result<R, Cause> {
        let cause = match outcome {
            Ok(Ok(answer)) => {
                self.lay_down();
                return Ok(answer);
            }
            Ok(Err(error)) => self.cause(&error, entered, queued),
            Err(late) => Cause::late(late, entered.elapsed(), queued),
        };
        self.last_words();
        self.lay_down();
        Err(cause)
    }

    fn cause(&mut self, error: &wasmtime::Error, entered: Instant, queued: Duration) -> Cause {
        match error.downcast_ref::<Interruption>() {
            Some(Interruption::Late(late)) => Cause::late(*late, entered.elapsed(), queued),
            Some(Interruption::Dependency(inner)) => Cause::Dependency(Box::new(inner.clone())),
            None => {
                let state = self.store.data();
                let (stderr, refused) = (self.stderr.last_lines(), state.refusals.of_this_call());
                Cause::Crashed(Arc::new(Crash::of(error, stderr, refused, state.memory.refused())))
            }
        }
    }

    /// Whatever it has begun to write goes to the log.
    pub(super) fn last_words(&self) {
        self.stdout.last_lines();
        self.stderr.last_lines();
    }

    /// An exported function, and its place among all.
    pub(super) fn function(&self, name: &FunctionName) -> Option<(Func, usize)> {
        let place = self.linked.exports.place(&name.interface, &name.function)?;
        Some((*self.functions.get(place)?, place))
    }

    /// What its code is executed with; `called` is the place of the export that is called with the form of its parameters.
    pub(super) fn crossing(&self, called: Option<usize>) -> Crossing {
        Crossing { plans: Arc::clone(&self.linked.plans), called, most: self.most, receiver: self.receiver.clone() }
    }

    /// Tells it from all others that there ever are.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn inspection(&self) -> &Arc<Inspection> {
        &self.inspection
    }

    /// The type of an exported function.
    pub(super) fn signature(&self, name: &FunctionName) -> Option<&inspect::Function> {
        match &name.interface {
            None => self.inspection.functions.get(&*name.function),
            Some(interface) => {
                let exports = self.inspection.exports.iter();
                let mut those = exports.filter(|(export, _)| export.to_string() == **interface);
                those.next()?.1.functions.get(&*name.function)
            }
        }
    }

    pub(super) fn store(&mut self) -> &mut Store<State> {
        &mut self.store
    }

    pub(crate) fn release(&self) -> u64 {
        self.release
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }
}

/// The export by which a Planet takes part in an interface of `kokoro:core`.
fn export_of(inspection: &Inspection, interface: &str) -> Option<Arc<str>> {
    let interface: InterfaceName = interface.parse().expect("a constant that is well-formed");
    inspection.exports.keys().find(|name| name.can_serve(&interface)).map(|name| name.to_string().into())
}
