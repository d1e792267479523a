//! A memory file as a part of this process's memory.
//!
//! Another process has the file open as well. What that one can do to who maps it, and why it does not matter:
//!
//! - **Take the memory away.** To touch a mapped file beyond its end is a `SIGBUS`. Only files that are sealed against shrinking are
//!   mapped, and only as much of them as was seen to be there: it stays there. Where the other one makes a hole, a touch fills it with
//!   zeroes. (That takes memory, and there is one system on which a touch can fail for want of it: a Linux that is told to keep strict
//!   account, `vm.overcommit_memory=2`, when all that it has is promised. There, whoever needs memory next is about to end anyway.)
//! - **Write while it is read.** So a [`Map`] only copies, through raw pointers, to and from memory of this process alone, and nothing is
//!   decided by bytes before they are there: behind each copy stands a [`compiler_fence`], so that nothing which is done with the copy
//!   later can be done by looking into the shared memory once more. What a copy has of bytes that change meanwhile is of no use to
//!   anybody, and does no harm. Only [`Trusted`] gives a reference, and who makes one promises that nobody writes.
#![expect(unsafe_code, reason = "the mapping of shared memory; all of it is here")]

use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{Ordering, compiler_fence};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::system;

/// What is mapped is a multiple of so much, so that not every value needs a larger map: 1 MiB. It is not much more than is needed,
/// because addresses can be bounded, too.
const STEP: usize = 1 << 20;

/// A mapped file.
#[derive(Debug)]
pub(super) struct Map {
    at: NonNull<u8>,
    mapped: usize,
    /// How much of the file was seen to be there; at most `mapped`.
    there: usize,
    access: Access,
}

/// What a file is mapped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

// SAFETY: a mapping belongs to the process, not to a thread; it is unmapped once, by its only owner.
unsafe impl Send for Map {}

impl Map {
    /// Nothing of a file, if it can be mapped: if nobody can shorten it.
    pub(super) fn of(file: &File, access: Access) -> Option<Self> {
        system::never_shrinks(file).then(|| Self { at: NonNull::dangling(), mapped: 0, there: 0, access })
    }

    /// Makes sure that so many bytes of the file, which has to be the same as ever, are mapped.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the file has fewer; another one if there are no addresses, and then nothing of it is mapped.
    pub(super) fn reach(&mut self, file: &File, end: usize) -> io::Result<()> {
        if end <= self.there {
            return Ok(());
        }
        let long = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if end > long {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if end > self.mapped {
            // The old one goes first: where addresses are bounded there may be none for both.
            *self = Self { at: NonNull::dangling(), mapped: 0, there: 0, access: self.access };
            let mapped = end.checked_next_multiple_of(STEP).unwrap_or(end);
            let allowed = match self.access {
                Access::Read => ProtFlags::READ,
                Access::Write => ProtFlags::READ | ProtFlags::WRITE,
            };
            // SAFETY: the system chooses addresses that nothing else is at.
            let at = unsafe { mmap(ptr::null_mut(), mapped, allowed, MapFlags::SHARED, file, 0) }?;
            let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            *self = Self { at, mapped, there: 0, access: self.access };
        }
        self.there = long.min(self.mapped);
        Ok(())
    }

    /// Writes bytes to where they are reached.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        assert!(self.access == Access::Write && self.has(offset, bytes.len()), "only what was reached is written");
        // SAFETY: `there` bytes are mapped for writing and stay there, as the file is sealed and was that long; `bytes` lie elsewhere,
        // since nothing gives a reference to a `Map` that is written.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr().add(offset), bytes.len()) }
    }

    /// Copies so many bytes from the beginning, which were reached, into an empty row.
    ///
    /// # Errors
    ///
    /// If there is no memory for the row.
    pub(super) fn read(&self, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        assert!(to.is_empty() && self.has(0, length), "only what was reached is read");
        to.try_reserve(length)?;
        // SAFETY: `there` bytes are mapped and stay there, as the file is sealed and was that long; the row's memory is its own, has
        // room for as many, and has got them when its length is set.
        unsafe {
            ptr::copy_nonoverlapping(self.at.as_ptr(), to.as_mut_ptr(), length);
            to.set_len(length);
        }
        compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    /// Copies bytes from where they are reached.
    pub(super) fn copy(&self, offset: usize, to: &mut [u8]) {
        assert!(self.has(offset, to.len()), "only what was reached is read");
        // SAFETY: `there` bytes are mapped and stay there, as the file is sealed and was that long; `to` lies elsewhere, since nothing
        // gives a reference to a `Map` that another process writes.
        unsafe { ptr::copy_nonoverlapping(self.at.as_ptr().add(offset), to.as_mut_ptr(), to.len()) }
        compiler_fence(Ordering::SeqCst);
    }

    fn has(&self, offset: usize, length: usize) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.there)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if self.mapped > 0 {
            // SAFETY: it was mapped so, and nothing refers to it: references borrow the `Trusted` that owns it.
            let _ = unsafe { munmap(self.at.as_ptr().cast(), self.mapped) };
        }
    }
}

/// A memory file that another process writes, but never while this one reads it.
#[derive(Debug)]
pub struct Trusted {
    file: File,
    map: Option<Map>,
    /// What was read, where the file cannot be mapped.
    read: Vec<u8>,
}

impl Trusted {
    /// One that another process has made.
    ///
    /// # Safety
    ///
    /// Nobody may write to the file while what [`bytes`](Self::bytes) has given is there. In a Satellite that holds for what the
    /// application passes, from its message to the answer: the application keeps to the protocol. (It may also do with the
    /// process whatever else it likes.)
    pub unsafe fn new(file: File) -> Self {
        let map = Map::of(&file, Access::Read);
        Self { file, map, read: Vec::new() }
    }

    /// Its first bytes, so many.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if it has fewer; another one if there is no memory.
    pub fn bytes(&mut self, length: usize) -> io::Result<&[u8]> {
        self.read.clear();
        self.read.shrink_to(super::KEPT);
        let reached = self.map.as_mut().map(|map| map.reach(&self.file, length));
        let map = match (&self.map, reached) {
            (Some(map), Some(Ok(()))) => map,
            (_, Some(Err(error))) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(error),
            _ => {
                system::read(&self.file, length, &mut self.read)?;
                return Ok(&self.read);
            }
        };
        // SAFETY: `length` bytes were reached: they are mapped and stay there (of none, the pointer dangles, as it may). Nobody writes to
        // them while the reference is there, as who has made this promised.
        Ok(unsafe { std::slice::from_raw_parts(map.at.as_ptr(), length) })
    }
}
