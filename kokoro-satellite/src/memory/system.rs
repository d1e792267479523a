//! What memory files are, on each system.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

#[cfg(target_os = "linux")]
pub(super) use self::sealed::{keep, nameless, never_shrinks, reserve};
#[cfg(not(target_os = "linux"))]
pub(super) use self::temporary::{keep, nameless, never_shrinks, reserve};

/// Reads so many bytes from the beginning, in place of what is in `to`.
pub(super) fn read(file: &File, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
    // Before memory is taken for it: the other side may claim anything.
    if file.metadata()?.len() < length as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    to.clear();
    to.try_reserve(length)?;
    to.resize(length, 0);
    file.read_exact_at(to, 0)
}

/// Files in memory alone, sealed.
#[cfg(target_os = "linux")]
mod sealed {
    use rustix::fs::{
        FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, memfd_create,
    };
    use rustix::io::{Errno, retry_on_intr};

    use super::*;

    pub(in super::super) fn nameless() -> io::Result<File> {
        let create = |more| memfd_create("kokoro-values", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | more);
        // Since Linux 6.3 a system may refuse memory files that could be executed.
        let file: File = match create(MemfdFlags::NOEXEC_SEAL) {
            Err(Errno::INVAL) => create(MemfdFlags::empty()),
            created => created,
        }?
        .into();
        // The other side is to add no seals of its own.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(file)
    }

    pub(in super::super) fn never_shrinks(file: &File) -> bool {
        fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SealFlags::SHRINK))
    }

    /// Takes memory for the bytes from `from` to `to`. What is written after that does not fail for want of it.
    ///
    /// In steps: a signal that comes meanwhile has the system undo a whole one, and signals can come all the time.
    pub(in super::super) fn reserve(file: &File, from: usize, to: usize) -> io::Result<()> {
        const STEP: usize = 16 << 20;
        for begin in (from..to).step_by(STEP) {
            let length = (to - begin).min(STEP);
            retry_on_intr(|| fallocate(file, FallocateFlags::empty(), begin as u64, length as u64))?;
        }
        Ok(())
    }

    /// Gives all memory back but that of the first bytes.
    pub(in super::super) fn keep(file: &File, first: u64) -> io::Result<()> {
        if !never_shrinks(file) {
            return file.set_len(first);
        }
        let more = file.metadata()?.len().saturating_sub(first);
        if more == 0 {
            return Ok(());
        }
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(retry_on_intr(|| fallocate(file, hole, first, more))?)
    }
}

/// Files of the folder for temporary ones, that have no name as soon as they are there.
#[cfg(not(target_os = "linux"))]
mod temporary {
    use super::*;

    pub(in super::super) fn nameless() -> io::Result<File> {
        tempfile::tempfile()
    }

    pub(in super::super) fn never_shrinks(_: &File) -> bool {
        false
    }

    /// Only of files that never shrink.
    pub(in super::super) fn reserve(_: &File, _: usize, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn keep(file: &File, first: u64) -> io::Result<()> {
        file.set_len(first)
    }
}
