//! Files in memory, in which large values cross.
//!
//! Where a file can be sealed against shrinking (Linux), it is mapped, and a value is copied once to get in and once to get out.
//! Elsewhere it is read and written as files are.

mod filling;
mod map;
mod system;

use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::filling::Filling;
pub use self::map::Trusted;
use self::map::{Access, Map};

/// A file in memory without a name. One process writes it, another one reads it.
#[derive(Debug)]
pub struct Memory {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    map: Option<Map>,
    /// So many bytes from the beginning have memory, and are reached by `map`.
    reserved: usize,
    /// What is yet to be written, where it cannot be mapped.
    gathered: Vec<u8>,
}

/// How much stays when a value has been read: 8 MiB. Memory that is there costs nothing the next time.
const KEPT: usize = 8 << 20;

impl Memory {
    /// A new one, empty.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub fn new() -> io::Result<Self> {
        system::nameless().map(Self::of)
    }

    /// One that another process has made.
    pub fn of(file: File) -> Self {
        let map = Map::of(&file, Access::Write);
        Self { file, state: Mutex::new(State { map, reserved: 0, gathered: Vec::new() }) }
    }

    /// The file, to be handed on.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes a value from the beginning.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn write(&self, value: &[u8]) -> io::Result<()> {
        let mut filling = self.fill();
        filling.put(value)?;
        filling.finish().map(drop)
    }

    /// Begins to write a value, from the beginning.
    pub fn fill(&self) -> Filling<'_> {
        Filling::new(&self.file, self.state())
    }

    /// Reads a value of so many bytes, in place of what is in `to`. Who writes the file may be a stranger.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if it has fewer; another one if there is no memory.
    pub fn read(&self, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        let mut state = self.state();
        let Some(map) = &mut state.map else { return system::read(&self.file, length, to) };
        match map.reach(&self.file, length) {
            Ok(()) => {
                to.clear();
                map.read(length, to)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(error),
            Err(_) => {
                state.reserved = 0;
                system::read(&self.file, length, to)
            }
        }
    }

    /// Whether its first bytes, so many, are mapped: whatever the other side does, [`copy`](Self::copy) has them.
    pub fn reaches(&self, length: usize) -> bool {
        self.state().map.as_mut().is_some_and(|map| map.reach(&self.file, length).is_ok())
    }

    /// Copies bytes that it [reaches](Self::reaches), from `offset` on, into memory that nobody else has. Who writes the file may be a
    /// stranger, and may write meanwhile: then they are any bytes.
    ///
    /// # Errors
    ///
    /// If it does not reach them.
    pub fn copy(&self, offset: usize, to: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        let end = offset.checked_add(to.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let map = state.map.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        map.reach(&self.file, end)?;
        map.copy(offset, to);
        Ok(())
    }

    /// Gives memory back after a value of so many bytes, which is not needed any more.
    pub fn give_back(&self, length: u64) {
        if length > KEPT as u64 {
            // It costs memory if it fails, and nothing else.
            let _ = system::keep(&self.file, KEPT as u64);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
