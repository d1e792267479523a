//! The Wasmtime engine, the clock that interrupts what runs too long, and the code that is compiled.

mod builder;
mod cache;
mod trusted;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::component::Component;

pub use self::builder::EngineBuilder;
use self::cache::Cache;
pub use self::cache::CacheStatistics;

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
    wasmtime: wasmtime::Engine,
    ticking: Arc<AtomicBool>,
    /// By the component's SHA-256: what somebody has, or is compiling.
    codes: Mutex<HashMap<Arc<str>, Weak<Slot>>>,
    /// On disk, if it was asked for; or why it is not used.
    cache: Option<Result<Cache, String>>,
}

type Slot = OnceLock<Result<Component, String>>;

/// The compiled code of a component: once for all Primaries of an engine, as long as one of them has it.
#[derive(Clone)]
pub(crate) struct Code(Arc<Slot>);

impl Deref for Code {
    type Target = Component;

    fn deref(&self) -> &Component {
        match self.0.get() {
            Some(Ok(component)) => component,
            _ => unreachable!("there is no code without a component"),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
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

    fn with_cache(cache: Option<Result<Cache, String>>) -> Result<Self, EngineError> {
        let mut config = wasmtime::Config::new();
        // 64-bit memories are refused anyway, and 64-bit tables with them.
        config.wasm_memory64(false);
        // All of WIT that functions can carry which are not `async`.
        config.wasm_component_model_fixed_length_lists(true).wasm_component_model_map(true);
        // Support for `async` functions makes every call about three times as slow, and a feature of Wasmtime that some
        // other crate asks for would switch it on.
        config.wasm_component_model(true).epoch_interruption(true).concurrency_support(false);
        let wasmtime = wasmtime::Engine::new(&config).map_err(|e| EngineError(format!("{e:#}")))?;
        let ticking = Arc::new(AtomicBool::new(true));
        let (ticker, go_on) = (wasmtime.weak(), Arc::clone(&ticking));
        thread::Builder::new()
            .name("kokoro-ticker".to_owned())
            .spawn(move || {
                while go_on.load(Ordering::Relaxed) {
                    thread::sleep(TICK);
                    match ticker.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })
            .map_err(|e| EngineError(format!("the ticking thread cannot be started: {e}")))?;
        Ok(Self { shared: Arc::new(Shared { wasmtime, ticking, codes: Mutex::default(), cache }) })
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.shared.wasmtime
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
        let engine = &self.shared.wasmtime;
        let compile = || Component::from_binary(engine, bytes).map_err(|error| format!("{error:#}"));
        let code = || match &self.shared.cache {
            Some(Ok(cache)) => cache.code(engine, sha256, compile),
            _ => compile(),
        };
        match slot.get_or_init(code) {
            Ok(_) => Ok(Code(slot)),
            Err(error) => Err(EngineError(error.clone())),
        }
    }
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
