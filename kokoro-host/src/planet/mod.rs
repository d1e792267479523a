//! One running Planet (plugin): a Wasmtime store of its own, its exports, and whether it is well.

mod call;
mod circle;
mod failure;
mod handles;
mod memory;
mod output;
mod refusals;
mod wasi;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;
use wasmtime::component::{Func, InstancePre};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi_config::WasiConfig;

pub(crate) use self::call::{Attached, Call, FunctionName};
use self::circle::Errand;
pub(crate) use self::failure::{CallError, Cause, End, Interruption, span};
pub use self::handles::Handles;
use self::memory::MemoryLimit;
use self::output::{Channel, Output};
pub(crate) use self::refusals::{Refusals, beginning};
use self::wasi::Wasi;
use crate::admission::Grants;
use crate::engine::Engine;
use crate::inspect::Inspection;
use crate::interface::{InterfaceName, in_one_line};
use crate::limits::{Budget, Limits};

/// One running Planet. It answers one call at a time.
#[derive(Debug)]
pub(crate) struct Planet {
    name: Arc<str>,
    running: Arc<Mutex<Option<Running>>>,
    /// What the call that it executes belongs to.
    holder: std::sync::Mutex<Option<Arc<Errand>>>,
    /// How it ended, if it did.
    ended: OnceLock<End>,
    stdout: Output,
    stderr: Output,
    refusals: Arc<Refusals>,
}

/// What a Planet is started with.
pub(crate) struct Start<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) name: Arc<str>,
    pub(crate) linked: &'a InstancePre<State>,
    pub(crate) inspection: &'a Inspection,
    pub(crate) grants: &'a Grants,
    pub(crate) limits: &'a Limits,
    /// What is left of the Primary's memory.
    pub(crate) budget: &'a Arc<Budget>,
}

struct Running {
    store: Store<State>,
    functions: HashMap<FunctionKey, Func>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("functions", &self.functions.len()).finish_non_exhaustive()
    }
}

/// An export's interface (if it is in one) and name.
type FunctionKey = (Option<Arc<str>>, Arc<str>);

/// What a Planet's store holds beside the instance.
pub(crate) struct State {
    call: Option<Call>,
    name: Arc<str>,
    wasi: Wasi,
    memory: MemoryLimit,
    refusals: Arc<Refusals>,
    /// The environment variables that its manifest asks for.
    variables: Vec<String>,
    may_look_up_names: bool,
    handles: Handles,
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
}

impl Planet {
    /// Instantiates a linked component and, if it wants to be told, calls its `start`.
    pub(crate) async fn start(start: Start<'_>) -> Result<Arc<Self>, CallError> {
        let Start { engine, name, linked, inspection, grants, limits, budget } = start;
        let call = Call::of_life_cycle(limits.start);
        let lifecycle = lifecycle_export(inspection);
        let start = match lifecycle {
            Some(_) => FunctionName { interface: lifecycle.clone(), function: "start".into() },
            None => FunctionName { interface: None, function: "(instantiation)".into() },
        };
        let error = |cause| CallError {
            planet: Some(Arc::clone(&name)),
            function: start.clone(),
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
            memory: MemoryLimit::new(limits.memory, budget),
            refusals: Arc::clone(&refusals),
            variables: inspection.manifest.permissions.env.clone(),
            may_look_up_names: grants.name_lookup,
            handles: Handles::default(),
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.memory);
        store.epoch_deadline_callback(|store| match &store.data().call {
            Some(call) if call.is_overdue() => Err(wasmtime::Error::new(Interruption::Overdue)),
            _ => Ok(UpdateDeadline::Yield(1)),
        });
        let planet = Arc::new(Self {
            name: Arc::clone(&name),
            running: Arc::new(Mutex::new(Some(Running { store, functions: HashMap::new() }))),
            holder: std::sync::Mutex::default(),
            ended: OnceLock::new(),
            stdout,
            stderr,
            refusals,
        });
        let mut entry = planet.enter(&call, start.clone()).await?;
        let Running { store, functions } = entry.running();
        let outcome = timeout_at(call.deadline().into(), async {
            let instance = linked.instantiate_async(&mut *store).await?;
            for (name, interface) in &inspection.exports {
                let full: Arc<str> = name.to_string().into();
                let Some(index) = instance.get_export_index(&mut *store, None, &full) else { continue };
                for function in interface.functions.keys() {
                    let found = instance.get_export_index(&mut *store, Some(&index), function);
                    if let Some(found) = found.and_then(|found| instance.get_func(&mut *store, found)) {
                        functions.insert((Some(Arc::clone(&full)), function.as_str().into()), found);
                    }
                }
            }
            for function in inspection.functions.keys() {
                if let Some(found) = instance.get_func(&mut *store, function) {
                    functions.insert((None, function.as_str().into()), found);
                }
            }
            match functions.get(&(lifecycle.clone(), "start".into())) {
                Some(start) if lifecycle.is_some() => {
                    let start = start.typed::<(), (Result<(), String>,)>(&*store)?;
                    Ok(start.call_async(&mut *store, ()).await?.0)
                }
                _ => Ok(Ok(())),
            }
        })
        .await;
        match entry.finish(outcome)? {
            Ok(()) => Ok(planet),
            Err(reason) => {
                let error = error(Cause::Refused(in_one_line(beginning(&reason)).into()));
                planet.end(&mut *planet.running.lock().await, error.sentence(), false);
                Err(error)
            }
        }
    }

    /// Calls `stop`, if the Planet wants to be told, and ends the instance whatever comes of it. Takes `within` at the most.
    pub(crate) async fn stop(self: &Arc<Self>, inspection: &Inspection, within: Duration) -> Result<(), CallError> {
        let call = Call::of_life_cycle(within);
        let told = match lifecycle_export(inspection) {
            Some(lifecycle) if self.ended().is_none() => self.tell_to_stop(&call, lifecycle).await,
            _ => Ok(()),
        };
        match timeout_at(call.deadline().into(), self.running.lock()).await {
            Ok(mut running) => self.end(&mut running, "it has been stopped".to_owned(), true),
            // A call is still in there. It runs on to its own deadline, and is the last one.
            Err(_) => self.close("it has been stopped".to_owned(), true),
        }
        told
    }

    async fn tell_to_stop(self: &Arc<Self>, call: &Call, lifecycle: Arc<str>) -> Result<(), CallError> {
        let function = FunctionName { interface: Some(lifecycle), function: "stop".into() };
        let mut entry = self.enter(call, function).await?;
        let Some(stop) = entry.function() else { return entry.finish(Ok(Ok(()))) };
        let (store, deadline) = entry.store();
        let outcome =
            timeout_at(deadline.into(), async { stop.typed::<(), ()>(&*store)?.call_async(&mut *store, ()).await });
        let outcome = outcome.await;
        entry.finish(outcome)
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn holder(&self) -> Option<Arc<Errand>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the Planet ended, if it did.
    pub(crate) fn ended(&self) -> Option<End> {
        self.ended.get().cloned()
    }

    /// Ends the instance at once, unless a call is in there: then that is the last one.
    pub(crate) fn abandon(&self, reason: &str) {
        match self.running.try_lock() {
            Ok(mut running) => self.end(&mut running, reason.to_owned(), true),
            Err(_) => self.close(reason.to_owned(), true),
        }
    }

    fn end(&self, running: &mut Option<Running>, reason: String, stopped: bool) {
        *running = None;
        self.stdout.last_lines();
        self.stderr.last_lines();
        self.close(reason, stopped);
    }

    /// Lets no call in any more.
    fn close(&self, reason: String, stopped: bool) {
        // The first reason is the one that counts.
        let _ = self.ended.set(End { reason: reason.into(), stopped });
    }

    /// Waits until the Planet is free, and takes it for one call of `function`.
    pub(crate) async fn enter(self: &Arc<Self>, call: &Call, function: FunctionName) -> Result<Entry, CallError> {
        let error = |cause| CallError {
            planet: Some(Arc::clone(&self.name)),
            function: function.clone(),
            chain: Arc::clone(call.chain()),
            cause,
        };
        if call.came_through(&self.name) {
            return Err(error(Cause::Reentered));
        }
        if let Some(end) = self.ended() {
            return Err(error(Cause::Gone(end)));
        }
        let mut guard = match Arc::clone(&self.running).try_lock_owned() {
            Ok(guard) => guard,
            Err(_) => {
                let _wait = call.errand().wait_for(self).map_err(|path| error(Cause::Circle(path)))?;
                match timeout_at(call.deadline().into(), Arc::clone(&self.running).lock_owned()).await {
                    Ok(guard) => guard,
                    Err(_) => return Err(error(Cause::OverdueInQueue)),
                }
            }
        };
        if let Some(end) = self.ended() {
            *guard = None;
            return Err(error(Cause::Gone(end)));
        }
        // The time is up, and it was spent outside of this Planet.
        if call.is_overdue() {
            return Err(error(Cause::OverdueInQueue));
        }
        let running = guard.as_mut().expect("a planet that has not ended runs");
        running.store.data_mut().memory.forget();
        self.stderr.forget();
        self.refusals.forget();
        running.store.data_mut().call = Some(call.entered(&self.name));
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(call.errand()));
        running.store.set_epoch_deadline(1);
        Ok(Entry {
            planet: Arc::clone(self),
            chain: Arc::clone(call.chain()),
            entered: Instant::now(),
            deadline: call.deadline(),
            guard,
            function,
            finished: false,
        })
    }
}

/// The export under which a Planet wants to be told of its start and stop.
fn lifecycle_export(inspection: &Inspection) -> Option<Arc<str>> {
    let lifecycle: InterfaceName = kokoro_wit::LIFECYCLE.parse().expect("a constant that is well-formed");
    inspection.exports.keys().find(|name| name.can_serve(&lifecycle)).map(|name| name.to_string().into())
}

/// A Planet, taken for one call. Dropped without [`Entry::finish`], the call was cut off half-way, and the instance with
/// it.
pub(crate) struct Entry {
    planet: Arc<Planet>,
    chain: Arc<[Arc<str>]>,
    entered: Instant,
    deadline: Instant,
    guard: OwnedMutexGuard<Option<Running>>,
    function: FunctionName,
    finished: bool,
}

impl Entry {
    /// The called function, if the Planet has it.
    pub(crate) fn function(&mut self) -> Option<Func> {
        let key = (self.function.interface.clone(), Arc::clone(&self.function.function));
        self.running().functions.get(&key).copied()
    }

    /// The store to call into, and until when.
    pub(crate) fn store(&mut self) -> (&mut Store<State>, Instant) {
        let deadline = self.deadline;
        (&mut self.running().store, deadline)
    }

    fn running(&mut self) -> &mut Running {
        self.guard.as_mut().expect("a planet that was entered runs until the entry is finished")
    }

    /// Gives the Planet back, with the outcome of the call. Any error ends the instance.
    pub(crate) fn finish<R>(mut self, outcome: Result<wasmtime::Result<R>, Elapsed>) -> Result<R, CallError> {
        self.finished = true;
        let cause = match outcome {
            Ok(Ok(answer)) => {
                self.running().store.data_mut().call = None;
                return Ok(answer);
            }
            Ok(Err(error)) => self.cause(error),
            Err(Elapsed { .. }) => Cause::Overdue { after: self.entered.elapsed() },
        };
        let error = self.error(cause);
        let planet = Arc::clone(&self.planet);
        planet.end(&mut self.guard, error.sentence(), false);
        Err(error)
    }

    /// Gives the Planet back untouched, because it has no such function or one of another type.
    pub(crate) fn no_function(mut self, problem: String) -> CallError {
        self.finished = true;
        self.running().store.data_mut().call = None;
        self.error(Cause::NoFunction(problem.into()))
    }

    fn error(&self, cause: Cause) -> CallError {
        CallError {
            planet: Some(Arc::clone(&self.planet.name)),
            function: self.function.clone(),
            chain: Arc::clone(&self.chain),
            cause,
        }
    }

    fn cause(&mut self, error: wasmtime::Error) -> Cause {
        let after = self.entered.elapsed();
        match error.downcast_ref::<Interruption>() {
            Some(Interruption::Overdue) => Cause::Overdue { after },
            Some(Interruption::Dependency(inner)) => Cause::Dependency(Box::new(inner.clone())),
            None => {
                let out_of_memory = self.running().store.data().memory.refused();
                let (stderr, refused) = (self.planet.stderr.last_lines(), self.planet.refusals.of_this_call());
                Cause::Crashed(Arc::new(failure::Crash::of(&error, stderr, refused, out_of_memory)))
            }
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        *self.planet.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if !self.finished {
            let planet = Arc::clone(&self.planet);
            planet.end(&mut self.guard, "a call into it was cut off half-way".to_owned(), false);
        }
        // It may have been stopped meanwhile, and this was the last call.
        if self.planet.ended().is_some() {
            *self.guard = None;
        }
    }
}
