//! A folder for a program's copy that has to have a name. It is gone when who has made it ends, or at the next start of anybody who makes
//! one: who lives has it locked.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use tempfile::TempDir;

/// What the names of such folders begin with.
const PREFIX: &str = "kokoro-satellite-";

/// A new one may be swept away by somebody else before it is locked; so often it is tried anew.
const ATTEMPTS: usize = 16;

/// A folder that only this user has access to. It goes with this.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    /// Locked as long as it is open. The lock is of this opening, so that children do not keep it: they close it when they become
    /// a program.
    _lock: File,
}

impl Folder {
    /// A new one, in the folder for temporary ones; those that were left behind there are removed.
    pub(super) fn new() -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir())
    }

    fn new_in(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        for _ in 0..ATTEMPTS {
            // It is made with the mode 0700.
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let Some(lock) = lock(folder.path()) else { continue };
            // It may have been removed between the two.
            let is_same = |now: fs::Metadata| lock.metadata().is_ok_and(|locked| locked.ino() == now.ino());
            if fs::symlink_metadata(folder.path()).is_ok_and(is_same) {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(io::Error::other("what is made in the folder for temporary files is removed at once"))
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder, locked; none if somebody else has it locked, or it is none.
fn lock(folder: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(lock.into())
}

/// Removes what processes of this user have left behind that live no more.
fn sweep(parent: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for folder in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !folder.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path: PathBuf = folder.path();
        let Some(lock) = lock(&path) else { continue };
        if lock.metadata().is_ok_and(|metadata| metadata.uid() == own) {
            // Somebody else may be doing the same.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_is_gone_at_the_next_start_and_what_is_in_use_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(format!("{PREFIX}left"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("codec"), "program").unwrap();
        let other = parent.path().join("other");
        fs::create_dir(&other).unwrap();
        let first = Folder::new_in(parent.path()).unwrap();
        assert!(!left.exists() && other.exists());
        let second = Folder::new_in(parent.path()).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn many_at_once_are_in_nobodys_way() {
        let parent = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let folder = Folder::new_in(parent.path()).unwrap();
                        fs::write(folder.path().join("codec"), "program").unwrap();
                        assert!(folder.path().join("codec").is_file());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
