//! What an engine shall be like.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use super::cache::Cache;
use super::{Engine, EngineError, Pool};

/// Says what an [`Engine`] shall be like.
///
/// ```no_run
/// use kokoro_host::{Engine, Primary};
///
/// # async fn example() -> Result<(), kokoro_host::Error> {
/// let engine = Engine::builder().cache_in_user_dir("my-editor").build()?;
/// let primary = Primary::builder().engine(&engine).build()?;
/// let report = primary.load_dir("plugins").await?; // The second time, nothing is compiled.
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct EngineBuilder {
    cache: Option<Place>,
    cache_size: u64,
    pool: Option<Pool>,
}

/// Where a cache is.
#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    User(PathBuf),
}

impl Default for EngineBuilder {
    fn default() -> Self {
        Self { cache: None, cache_size: 512 << 20, pool: None }
    }
}

impl EngineBuilder {
    /// Keeps compiled code in the folder `dir`, which is made if it is not there, so that a component is compiled once for all
    /// processes that use the folder, at the same time or later. Default: nothing is kept.
    ///
    /// Who can write code into this folder could have it run. So each file is sealed with a key that is made with the folder and
    /// that only its owner can read; what is damaged, or was not made by who has this key, is compiled anew and replaced. On Unix a
    /// folder that belongs to another user, or into which others may write, is not used at all. (Who runs as the same user has the
    /// key: the cache protects from others, not from oneself. And elsewhere than on Unix it is up to you to name a folder that
    /// is the user's alone.)
    ///
    /// The cache never makes a load fail. A folder that cannot be used, a full disk and the like are told once to `tracing`, and
    /// by [`Engine::cache_statistics`]; what is not in it is compiled.
    ///
    /// It holds code of the release of Wasmtime, of the settings and of the processor that it was compiled for, and is used for no
    /// others. It can be removed at any time.
    pub fn cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(Place::Folder(dir.into()));
        self
    }

    /// As [`cache`](EngineBuilder::cache), in the folder `application/compiled` of the place where the user's platform has caches:
    /// `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
    pub fn cache_in_user_dir(mut self, application: &str) -> Self {
        self.cache = Some(Place::User(PathBuf::from(application).join("compiled")));
        self
    }

    /// How many bytes the cache may have; the files that were not used for the longest time go first. What other processes write
    /// at the same time is counted late, so that it can be exceeded for a while. Default: 512 MiB.
    pub fn cache_size(mut self, bytes: u64) -> Self {
        self.cache_size = bytes;
        self
    }

    /// Sets memory aside for instances of Planets (plugins), to be used again when they end, instead of asking the operating system
    /// for it each time: for who starts and ends many, on many cores. Default: none.
    ///
    /// Nothing else is different: the limits are the same, and nobody finds what somebody else has left. An instance for which there is
    /// no room (any more) has memory of its own, as without a pool. Where there is not enough address space for a pool, there is
    /// none. [`Engine::pool_statistics`] tells of both.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Makes the engine.
    ///
    /// # Errors
    ///
    /// If Wasmtime cannot generate code for this machine, or no thread can be started. That a cache or a pool cannot
    /// be had is none.
    pub fn build(self) -> Result<Engine, EngineError> {
        let cache = self.cache.map(|place| {
            let opened = place.path().and_then(|folder| Cache::open(&folder, self.cache_size));
            opened.inspect_err(|problem| tracing::warn!(target: "kokoro", "{problem}"))
        });
        Engine::with(cache, self.pool.as_ref())
    }
}

impl Place {
    fn path(self) -> Result<PathBuf, String> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::User(below) => match etcetera::base_strategy::choose_native_strategy() {
                Ok(places) => Ok(places.cache_dir().join(below)),
                Err(_) => Err(
                    "compiled code is not cached: the user has no home directory\n  help: set `HOME`, or name a folder"
                        .to_owned(),
                ),
            },
        }
    }
}
