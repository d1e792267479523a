//! Files in memory, in which large values cross.
//!
//! They are read and written as files are, and not mapped: the other side could change what is looked at, or take the memory away
//! from under it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// A file in memory without a name. Who writes it is the only one who does.
#[derive(Debug)]
pub struct Memory(File);

/// How much stays when a value has been read: 8 MiB. Memory that is there costs nothing the next time.
const KEPT: u64 = 8 << 20;

impl Memory {
    /// A new one, empty.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub fn new() -> io::Result<Self> {
        nameless().map(Self)
    }

    /// One that another process has made.
    pub fn of(file: File) -> Self {
        Self(file)
    }

    /// The file, to be handed on.
    pub fn file(&self) -> &File {
        &self.0
    }

    /// Writes a value from the beginning.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn write(&self, value: &[u8]) -> io::Result<()> {
        self.0.write_all_at(value, 0)
    }

    /// Reads a value of so many bytes, in place of what is in `to`.
    ///
    /// # Errors
    ///
    /// If it has fewer.
    pub fn read(&self, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        // Before memory is taken for it: the other side may claim anything.
        if self.0.metadata()?.len() < length as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.resize(length, 0);
        self.0.read_exact_at(to, 0)
    }

    /// Gives memory back after a value of so many bytes, which is not needed any more.
    pub fn give_back(&self, length: u64) {
        if length > KEPT {
            // It costs memory if it fails, and nothing else.
            let _ = self.0.set_len(KEPT);
        }
    }
}

#[cfg(target_os = "linux")]
fn nameless() -> io::Result<File> {
    let file = rustix::fs::memfd_create("kokoro-values", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(file.into())
}

/// A file of the folder for temporary ones, that has no name as soon as it is there.
#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<File> {
    tempfile::tempfile()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_no_more_than_is_there() {
        let memory = Memory::new().unwrap();
        memory.write(b"hello").unwrap();
        let mut read = vec![9; 100];
        memory.read(5, &mut read).unwrap();
        assert_eq!(read, b"hello");
        assert!(memory.read(6, &mut read).is_err());
    }

    #[test]
    fn much_memory_is_given_back() {
        let memory = Memory::new().unwrap();
        memory.write(&vec![1; 20 << 20]).unwrap();
        memory.give_back(20 << 20);
        assert_eq!(memory.file().metadata().unwrap().len(), KEPT);
    }
}
