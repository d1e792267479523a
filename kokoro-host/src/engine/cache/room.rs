//! How large the folder of a cache may be: what was not used for the longest time goes first.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{ENDING, UNFINISHED};

/// After this time whoever has begun a file will not finish it.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Room {
    limit: u64,
    /// How much there was when it was last counted, and how much this process has written since. What others write is seen
    /// when it is counted again.
    used: Option<u64>,
    since: u64,
}

struct Entry {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

impl Room {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: None, since: 0 }
    }

    /// Takes room for `size` bytes that have just been written, and says how many files had to go for them.
    pub(super) fn take(&mut self, folder: &Path, size: u64) -> io::Result<u64> {
        self.since += size;
        let counted_lately = self.since <= self.limit / 8;
        if counted_lately && self.used.is_some_and(|used| used + self.since <= self.limit) {
            return Ok(0);
        }
        let mut entries = Vec::new();
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            // Another process may have removed it in the meantime.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_file() && is_code(&path) {
                let used = metadata.modified()?;
                entries.push(Entry { path, size: metadata.len(), used });
            } else if is_abandoned(&path, &metadata) {
                let _ = fs::remove_file(path);
            }
        }
        let mut used: u64 = entries.iter().map(|entry| entry.size).sum();
        let mut removed = 0;
        if used > self.limit {
            entries.sort_by(|one, other| (one.used, &one.path).cmp(&(other.used, &other.path)));
            // A little more than needed: otherwise every further file would have to be made room for.
            let goal = self.limit - self.limit / 8;
            // What has just been written stays, whatever its size.
            entries.pop();
            for entry in entries {
                if used <= goal {
                    break;
                }
                match fs::remove_file(&entry.path) {
                    Ok(()) => removed += 1,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                used -= entry.size;
            }
        }
        (self.used, self.since) = (Some(used), 0);
        Ok(removed)
    }
}

/// Only what has a name as the cache gives them is removed: somebody may keep other things in the folder.
fn is_code(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_suffix(ENDING));
    name.is_some_and(|name| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_abandoned(path: &Path, metadata: &Metadata) -> bool {
    let is_unfinished = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(UNFINISHED));
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    metadata.is_file() && is_unfinished && age.is_some_and(|age| age > ABANDONED)
}
