//! Compiled code on disk, for the processes to come.
//!
//! A folder with a `key`, and one file for each component that was compiled under one release and one set of settings of Wasmtime.
//! Its name says which (a hash of all of these); in it is, behind a checksum under the key, the code. So nothing in the folder
//! needs to be trusted but the key, which only its owner can read: what is damaged, cut off, of another folder, or put there under
//! a name that is not its own, is compiled anew and replaced.
//!
//! Nothing here is ever an error of a load. Files are written beside their place and renamed, so that other processes, of which
//! any number may use the folder, see all of a file or nothing.

mod folder;
mod room;

use std::fmt;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use wasmtime::Engine;

use self::room::Room;
use super::trusted::{Checksum, Key, Trusted};

/// Changes when what is in a file, or what its name is made of, changes.
const FORMAT: &str = "kokoro compiled code 1";
/// Every file begins with this.
const MAGIC: &[u8; 16] = b"kokoro-code-1\r\n\0";
const HEADER: usize = MAGIC.len() + size_of::<Checksum>();
/// The end of the names of files with code, and the beginning of those that are not finished.
const ENDING: &str = ".code";
const UNFINISHED: &str = ".unfinished-";

/// Which code it is: of which component, by which Wasmtime, with which settings.
type Name = [u8; 32];

pub(super) struct Cache {
    folder: PathBuf,
    key: Key,
    limit: u64,
    room: Mutex<Room>,
    counts: Counts,
    /// The first thing that went wrong.
    problem: OnceLock<String>,
}

#[derive(Default)]
struct Counts {
    loaded: AtomicU64,
    compiled: AtomicU64,
    rejected: AtomicU64,
    written: AtomicU64,
    removed: AtomicU64,
}

/// What the cache of an [`Engine`](super::Engine) has done since the engine was made, in this process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Components whose code was found and loaded.
    pub loaded: u64,
    /// Components that were compiled, since their code was not there or was rejected.
    pub compiled: u64,
    /// Files that were not trusted: damaged, or not made with the key of this folder for this component.
    pub rejected: u64,
    /// Components whose code was written.
    pub written: u64,
    /// Files that were removed to stay within the size.
    pub removed: u64,
    /// Why the cache is not used, or the first reason why something could not be written. It was told to `tracing` as well.
    pub problem: Option<String>,
}

impl Cache {
    /// Opens a folder, which is made if need be. `Err` is the sentence that says why it is not used.
    pub(super) fn open(folder: &Path, limit: u64) -> Result<Self, String> {
        let not_used = |why: String| format!("compiled code is not cached in `{}`: {why}", folder.display());
        // The process may change its directory.
        let absolute = std::path::absolute(folder).map_err(|error| not_used(error.to_string()))?;
        folder::make_private(&absolute).map_err(not_used)?;
        let key = folder::key(&absolute).map_err(not_used)?;
        let room = Mutex::new(Room::new(limit));
        Ok(Self { folder: absolute, key, limit, room, counts: Counts::default(), problem: OnceLock::new() })
    }

    pub(super) fn statistics(&self) -> CacheStatistics {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { loaded, compiled, rejected, written, removed } = &self.counts;
        CacheStatistics {
            loaded: count(loaded),
            compiled: count(compiled),
            rejected: count(rejected),
            written: count(written),
            removed: count(removed),
            problem: self.problem.get().cloned(),
        }
    }

    /// What `load` makes of the code of the component with this SHA-256: from the folder or, where that has none that can be trusted,
    /// from `compile`, and from then on in the folder.
    pub(super) fn code<T>(
        &self,
        engine: &Engine,
        sha256: &str,
        compile: impl FnOnce() -> Result<Trusted<'static>, String>,
        load: impl Fn(&Trusted<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let name = name(engine, sha256);
        let path = self.path(&name);
        match self.read(&name, &path, &load) {
            Ok(loaded) => {
                count(&self.counts.loaded, 1);
                tracing::debug!(target: "kokoro", sha256, "its compiled code comes from the cache");
                return Ok(loaded);
            }
            Err(Unusable::Absent) => {}
            Err(Unusable::Rejected(why)) => {
                count(&self.counts.rejected, 1);
                tracing::warn!(
                    target: "kokoro", sha256,
                    "`{}` is not used and is written anew: {why}", path.display()
                );
            }
        }
        let code = compile()?;
        let loaded = load(&code)?;
        count(&self.counts.compiled, 1);
        tracing::debug!(target: "kokoro", sha256, "it was compiled, and was not in the cache");
        if let Err(error) = self.write(&name, &path, &code) {
            self.tell(format!("compiled code cannot be cached as `{}`: {error}", path.display()));
        }
        Ok(loaded)
    }

    fn read<T>(
        &self,
        name: &Name,
        path: &Path,
        load: impl Fn(&Trusted<'_>) -> Result<T, String>,
    ) -> Result<T, Unusable> {
        // To open a pipe would wait for whoever writes to it.
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() {
            return Err(Unusable::Rejected("it is no regular file".to_owned()));
        }
        if metadata.len() > self.limit {
            return Err(Unusable::Rejected("it is larger than the whole cache may be".to_owned()));
        }
        let file = File::open(path)?;
        let mut entry = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        (&file).take(self.limit).read_to_end(&mut entry)?;
        let damaged = || Unusable::Rejected("it is damaged, or was not made with the key of this folder".to_owned());
        let (header, code) = entry.split_at_checked(HEADER).ok_or_else(damaged)?;
        let checksum = header.strip_prefix(MAGIC).and_then(|checksum| checksum.try_into().ok()).ok_or_else(damaged)?;
        let code = Trusted::verified(&self.key, name, checksum, code).ok_or_else(damaged)?;
        let loaded = load(&code).map_err(Unusable::Rejected)?;
        // Where that is not allowed, it will be removed earlier than others, and that is all.
        let _ = file.set_modified(SystemTime::now());
        Ok(loaded)
    }

    fn write(&self, name: &Name, path: &Path, code: &Trusted<'_>) -> io::Result<()> {
        let size = (HEADER + code.bytes().len()) as u64;
        if size > self.limit {
            return Err(io::Error::other(format!("{size} bytes are more than the whole cache may have")));
        }
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&code.checksum(&self.key, name))?;
        file.write_all(code.bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        count(&self.counts.written, 1);
        let removed = self.room.lock().unwrap_or_else(PoisonError::into_inner).take(&self.folder, size)?;
        count(&self.counts.removed, removed);
        Ok(())
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(format!("{}{ENDING}", blake3::Hash::from_bytes(*name).to_hex()))
    }

    /// Tells of the first problem. The next ones will be the same.
    fn tell(&self, problem: String) {
        let mut is_first = false;
        let problem = self.problem.get_or_init(|| {
            is_first = true;
            problem
        });
        if is_first {
            tracing::warn!(target: "kokoro", "{problem}");
        }
    }
}

/// Why there is no code in a file.
enum Unusable {
    Absent,
    Rejected(String),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Neither is it there when the folder has gone.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Absent,
            _ => Self::Rejected(error.to_string()),
        }
    }
}

/// What decides whether code can be used: the component, and all that Wasmtime takes into account when it compiles.
fn name(engine: &Engine, sha256: &str) -> Name {
    let mut hasher = NameHasher(blake3::Hasher::new());
    (FORMAT, sha256).hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}

/// Takes what implements `Hash` into a hash that is long enough to be a name.
struct NameHasher(blake3::Hasher);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("folder", &self.folder).finish_non_exhaustive()
    }
}
