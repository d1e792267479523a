//! Memory for values on their way, used again: the pages of a fresh megabyte cost ten times as much as copying it.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Bytes of the form. Their memory is kept for the next value when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    rest: Option<Box<dyn Rest>>,
}

/// The end of a value that is somewhere else: the elements of a list of numbers, of which any bytes are some. They may be another
/// process's to change, so they are copied once, to where they are needed.
pub(crate) trait Rest: fmt::Debug + Send + Sync {
    /// How many bytes.
    fn length(&self) -> usize;

    /// Copies them all.
    fn copy(&self, to: &mut [u8]) -> io::Result<()>;
}

/// Kept for each thread: so many buffers, and so much in each. What is larger goes back to the system.
const MOST: usize = 4;
const LARGEST: usize = 2 << 20;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Buffer {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let kept = KEPT.try_with(|kept| kept.borrow_mut().pop());
        Self::from(kept.ok().flatten().unwrap_or_default())
    }

    /// The value that goes on with `rest`.
    pub(crate) fn followed_by(mut self, rest: Box<dyn Rest>) -> Self {
        self.rest = Some(rest);
        self
    }

    pub(super) fn rest(&self) -> Option<&dyn Rest> {
        self.rest.as_deref()
    }

    /// The value, all of it here.
    #[cfg(test)]
    pub(crate) fn whole(mut self) -> io::Result<Self> {
        if let Some(rest) = self.rest.take() {
            let has = self.bytes.len();
            self.bytes.resize(has + rest.length(), 0);
            rest.copy(&mut self.bytes[has..])?;
        }
        Ok(self)
    }
}

/// The form of arguments on their way. It is gone once they have arrived: its memory is warm, and the answer comes next.
#[derive(Debug)]
pub(crate) struct Parcel(Mutex<Buffer>);

impl Parcel {
    pub(crate) fn take(&self) -> Buffer {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<Buffer> for Parcel {
    fn from(bytes: Buffer) -> Self {
        Self(Mutex::new(bytes))
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, rest: None }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() == 0 || bytes.capacity() > LARGEST {
            return;
        }
        bytes.clear();
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < MOST {
                kept.push(bytes);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_no_more_of_it_than_is_to_be_kept() {
        let mut small = Buffer::new();
        small.extend_from_slice(&[7; 1000]);
        let address = small.as_ptr();
        drop(small);
        let again = Buffer::new();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        let mut large = Buffer::new();
        large.reserve(LARGEST + 1);
        drop(large);
        let many: Vec<Buffer> = (0..10).map(|_| Buffer::from(Vec::with_capacity(10))).collect();
        drop(many);
        let kept = KEPT.with(|kept| kept.borrow().iter().map(Vec::capacity).collect::<Vec<_>>());
        assert_eq!(kept, [10; MOST]);
    }
}
