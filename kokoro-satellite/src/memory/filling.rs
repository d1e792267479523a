//! A value on its way into a memory file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::MutexGuard;

use super::{KEPT, State, system};

/// How much is gathered before it is written, where the file is not mapped.
const GATHERED: usize = 64 << 10;

/// Memory is taken in no smaller steps.
const STEP: usize = 64 << 10;

/// Memory is taken for at most so much more than is needed so far.
const AHEAD: usize = 1 << 20;

/// A value that is being written, from the beginning of the file. Nobody else writes to it meanwhile.
#[derive(Debug)]
pub struct Filling<'m> {
    file: &'m File,
    state: MutexGuard<'m, State>,
    length: usize,
    /// Whether it is written through the map. If there are no addresses for that it is written as to any file.
    is_mapped: bool,
}

impl<'m> Filling<'m> {
    pub(super) fn new(file: &'m File, mut state: MutexGuard<'m, State>) -> Self {
        // Who has read the value before may have given back what is behind.
        state.reserved = state.reserved.min(KEPT);
        state.gathered.clear();
        let is_mapped = state.map.is_some();
        Self { file, state, length: 0, is_mapped }
    }

    /// How many bytes it has so far.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// If there is no memory for them.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.length.checked_add(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        if self.is_mapped && end > self.state.reserved {
            self.reserve(end)?;
        }
        let state = &mut *self.state;
        if let Some(map) = state.map.as_mut().filter(|_| self.is_mapped) {
            map.write(self.length, bytes);
        } else {
            if state.gathered.len() + bytes.len() > GATHERED {
                self.write_gathered()?;
            }
            match bytes.len() < GATHERED {
                true => self.state.gathered.extend_from_slice(bytes),
                false => self.file.write_all_at(bytes, self.length as u64)?,
            }
        }
        self.length = end;
        Ok(())
    }

    /// Makes sure that so many bytes have memory, and are mapped, if they can be.
    fn reserve(&mut self, end: usize) -> io::Result<()> {
        let state = &mut *self.state;
        let ahead = state.reserved + state.reserved.clamp(STEP, AHEAD);
        let reserved = end.max(ahead);
        if let Err(error) = system::reserve(self.file, state.reserved, reserved) {
            // What there was of it is for who needs it next.
            let _ = system::keep(self.file, state.reserved as u64);
            return Err(error);
        }
        state.reserved = reserved;
        self.is_mapped = state.map.as_mut().is_some_and(|map| map.reach(self.file, reserved).is_ok());
        if !self.is_mapped {
            // Nothing of it is reached any more by who comes next.
            state.reserved = 0;
        }
        Ok(())
    }

    /// Puts bytes in place of what it has at `offset`.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    ///
    /// # Panics
    ///
    /// If it has not got that far.
    pub fn replace(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let has = offset.checked_add(bytes.len()).is_some_and(|end| end <= self.length);
        assert!(has, "only what is there is replaced");
        if let Some(map) = self.state.map.as_mut().filter(|_| self.is_mapped) {
            map.write(offset, bytes);
            return Ok(());
        }
        self.write_gathered()?;
        self.file.write_all_at(bytes, offset as u64)
    }

    /// Ends it, and tells how many bytes it has.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn finish(mut self) -> io::Result<usize> {
        self.write_gathered()?;
        Ok(self.length)
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        let gathered = &mut self.state.gathered;
        self.file.write_all_at(gathered, (self.length - gathered.len()) as u64)?;
        gathered.clear();
        Ok(())
    }
}

/// So that an [`Encoder`](kokoro_value::Encoder) can write to it.
impl io::Write for Filling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_gathered()
    }
}
