//! The Wasmtime engine, the clock that interrupts what runs too long, and the code that is compiled.

mod builder;
mod cache;
mod code;
mod pool;
mod trusted;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Config, EngineWeak, InstanceAllocationStrategy};

pub use self::builder::EngineBuilder;
use self::cache::Cache;
pub use self::cache::CacheStatistics;
pub(crate) use self::code::{Code, Place};
use self::code::{Compiled, Slot};
use self::pool::Room;
pub use self::pool::{Pool, PoolStatistics};
use self::trusted::Trusted;
use crate::limits::Limits;

/// How often running code is looked at: a busy loop is late by at most about this much.
const TICK: Duration = Duration::from_millis(5);

/// Compiles and runs components. Cheap to clone; many Primaries can share one, as those of a server's tenants do.
///
/// They share compiled code (a component that several of them load is compiled once, for as long as one of them has it), what
/// Wasmtime keeps for all, and the thread that ticks. Nothing else: Planets, names, grants, limits and bindings belong to
/// one Primary.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    /// Without a pool.
    plain: wasmtime::Engine,
    /// With one, if it was asked for; or why there is none. It compiles to the same code.
    pool: Option<Result<Pooled, String>>,
    ticking: Arc<AtomicBool>,
    /// By the component's SHA-256: what somebody has, or is compiling.
    codes: Mutex<HashMap<Arc<str>, Weak<Slot>>>,
    /// On disk, if it was asked for; or why it is not used.
    cache: Option<Result<Cache, String>>,
}

struct Pooled {
    engine: wasmtime::Engine,
    room: Arc<Room>,
}

impl Engine {
    /// An engine of its own, with a thread of its own that ticks until the last clone is dropped. It keeps nothing on disk.
    ///
    /// # Errors
    ///
    /// If Wasmtime cannot generate code for this machine, or no thread can be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::builder().build()
    }

    /// Begins to say what an engine shall be like.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// What the cache on disk has done so far, if one was asked for.
    pub fn cache_statistics(&self) -> Option<CacheStatistics> {
        match self.shared.cache.as_ref()? {
            Ok(cache) => Some(cache.statistics()),
            Err(problem) => Some(CacheStatistics { problem: Some(problem.clone()), ..CacheStatistics::default() }),
        }
    }

    /// What the pool is used for, if one was asked for.
    pub fn pool_statistics(&self) -> Option<PoolStatistics> {
        match self.shared.pool.as_ref()? {
            Ok(pooled) => Some(pooled.room.statistics()),
            Err(problem) => Some(PoolStatistics { problem: Some(problem.clone()), ..PoolStatistics::default() }),
        }
    }

    fn with(cache: Option<Result<Cache, String>>, pool: Option<&Pool>) -> Result<Self, EngineError> {
        let mut config = Config::new();
        // 64-bit memories are refused anyway, and 64-bit tables with them.
        config.wasm_memory64(false);
        // All of WIT that functions can carry which are not `async`.
        config.wasm_component_model_fixed_length_lists(true).wasm_component_model_map(true);
        // Support for `async` functions makes every call about three times as slow, and a feature of Wasmtime that some
        // other crate asks for would switch it on.
        config.wasm_component_model(true).epoch_interruption(true).concurrency_support(false);
        let plain = wasmtime::Engine::new(&config).map_err(|e| EngineError(format!("{e:#}")))?;
        let pool = pool.map(|pool| {
            let pooled = Pooled::new(config, pool);
            pooled.inspect_err(|problem| tracing::warn!(target: "kokoro", "{problem}"))
        });
        let ticking = Arc::new(AtomicBool::new(true));
        let engines = Self::of(&plain, pool.as_ref());
        tick(engines.map(wasmtime::Engine::weak).collect(), Arc::clone(&ticking))?;
        Ok(Self { shared: Arc::new(Shared { plain, pool, ticking, codes: Mutex::default(), cache }) })
    }

    /// Wasmtime's engines, the preferred first. They compile to the same code, but what is made for one does not fit the other.
    pub(crate) fn wasmtime(&self) -> impl Iterator<Item = &wasmtime::Engine> {
        Self::of(&self.shared.plain, self.shared.pool.as_ref())
    }

    fn of<'a>(
        plain: &'a wasmtime::Engine,
        pool: Option<&'a Result<Pooled, String>>,
    ) -> impl Iterator<Item = &'a wasmtime::Engine> {
        let pooled = pool.and_then(|pool| pool.as_ref().ok());
        pooled.map(|pooled| &pooled.engine).into_iter().chain([plain])
    }

    /// Compiles the component `bytes`, of which `sha256` is the hash, unless somebody has its code already or it is in the cache
    /// on disk. Takes the time of a blocking call: 20 ms to seconds, with the size of the code; from disk about a hundredth.
    pub(crate) fn compile(&self, sha256: &str, bytes: &[u8]) -> Result<Code, EngineError> {
        let slot = {
            let mut codes = self.shared.codes.lock().unwrap_or_else(PoisonError::into_inner);
            match codes.get(sha256).and_then(Weak::upgrade) {
                Some(slot) => slot,
                None => {
                    codes.retain(|_, slot| slot.strong_count() > 0);
                    let slot = Arc::default();
                    codes.insert(sha256.into(), Arc::downgrade(&slot));
                    slot
                }
            }
        };
        // Whoever comes second waits here.
        match slot.get_or_init(|| self.compiled(sha256, bytes)) {
            Ok(_) => Ok(Code(slot)),
            Err(error) => Err(EngineError(error.clone())),
        }
    }

    fn compiled(&self, sha256: &str, bytes: &[u8]) -> Result<Compiled, String> {
        let Shared { plain, pool, cache, .. } = &*self.shared;
        let compile = || Trusted::compiled(plain, bytes).map_err(|error| format!("{error:#}"));
        let load = |code: &Trusted<'_>| Compiled::load(code, self.wasmtime());
        match (cache, pool) {
            (Some(Ok(cache)), _) => cache.code(plain, sha256, compile, load),
            (_, Some(Ok(_))) => load(&compile()?),
            _ => Component::from_binary(plain, bytes).map(Compiled::new).map_err(|error| format!("{error:#}")),
        }
    }

    /// Where the next instance of this code is to live: in the pool, if there is one that has room for it.
    pub(crate) fn place(&self, code: &Code, limits: &Limits) -> Result<Place, EngineError> {
        let (compiled, plain) = (code.compiled(), &self.shared.plain);
        if let Some(Ok(Pooled { room, .. })) = &self.shared.pool {
            let component = compiled.component();
            if wasmtime::Engine::same(component.engine(), plain) {
                room.pass();
            } else if let Some(taken) = room.take(component, limits) {
                return Ok(Place::new(component, Some(taken)));
            }
        }
        Ok(Place::new(compiled.on(plain).map_err(EngineError)?, None))
    }
}

impl Pooled {
    fn new(mut config: Config, pool: &Pool) -> Result<Self, String> {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool.config()));
        match wasmtime::Engine::new(&config) {
            Ok(engine) => Ok(Self { engine, room: Room::new(pool) }),
            Err(error) => Err(format!(
                "there is no pool, and every planet has memory of its own: {error:#}\n  help: where there is not that much \
                 address space (`ulimit -v`, a 32-bit system), ask for a smaller one"
            )),
        }
    }
}

/// Starts the thread that interrupts what runs, now and then, until it is told to stop.
fn tick(engines: Vec<EngineWeak>, go_on: Arc<AtomicBool>) -> Result<(), EngineError> {
    let work = move || {
        while go_on.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let mut living = engines.iter().filter_map(EngineWeak::upgrade).peekable();
            if living.peek().is_none() {
                break;
            }
            living.for_each(|engine| engine.increment_epoch());
        }
    };
    let thread = thread::Builder::new().name("kokoro-ticker".to_owned()).spawn(work);
    thread.map(drop).map_err(|e| EngineError(format!("the ticking thread cannot be started: {e}")))
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Relaxed);
    }
}

/// Why an engine cannot be made, or a component cannot be compiled: a sentence of Wasmtime's.
#[derive(Debug)]
pub struct EngineError(String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EngineError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_compiled_once_as_long_as_somebody_has_it() {
        let engine = Engine::new().unwrap();
        let bytes = wat::parse_str("(component)").unwrap();
        let one = engine.compile("hash", &bytes).unwrap();
        // Nobody looks at the bytes again.
        let other = engine.clone().compile("hash", b"something else").unwrap();
        assert!(Arc::ptr_eq(&one.0, &other.0));
        drop((one, other));
        assert!(engine.compile("hash", b"something else").is_err());
        assert!(engine.compile("hash", &bytes).is_ok());
    }
}
