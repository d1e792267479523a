//! Where what is large goes at once, out of a component's memory: to where a Satellite reads it.

use std::any::Any;
use std::fmt;
use std::io::{self, Write};

use super::Buffer;

/// A Satellite, as far as values know it.
pub(crate) trait Receiver: fmt::Debug + Send + Sync {
    /// The turn to call it, if nobody has it and it could be called at once.
    fn claim(&self) -> Option<Box<dyn Claim>>;

    /// Values of up to so many bytes are passed otherwise.
    fn inline(&self) -> usize;
}

/// The turn to call a Satellite.
pub(crate) trait Claim: Any + Send + Sync {
    /// Where it reads what it is passed, from the beginning. What is written is there after a `flush`.
    fn outlet(&mut self) -> Box<dyn Write + '_>;
}

/// A value that is in a Satellite's memory.
pub(crate) struct Delivered {
    pub(crate) claim: Box<dyn Claim>,
    pub(crate) length: usize,
}

/// Strings and lists of so many bytes are worth a way of their own. Tests have small ones.
pub(super) const LARGE: usize = if cfg!(test) { 16 } else { 4 << 10 };

/// The way of a value that is being lifted.
pub(super) struct Outlet<'c> {
    receiver: &'c dyn Receiver,
    /// Where the claim goes, until there is one.
    place: Option<&'c mut Option<Box<dyn Claim>>>,
    to: Option<Box<dyn Write + 'c>>,
    length: usize,
}

impl<'c> Outlet<'c> {
    pub(super) fn new(receiver: &'c dyn Receiver, place: &'c mut Option<Box<dyn Claim>>) -> Self {
        Self { receiver, place: Some(place), to: None, length: 0 }
    }

    /// Whether so many bytes, after so many that were gathered, go here.
    pub(super) fn takes(&mut self, gathered: usize, more: usize) -> bool {
        if self.to.is_none()
            && gathered.saturating_add(more) > self.receiver.inline()
            // Asked once in a value.
            && let Some(place) = self.place.take()
        {
            self.to = self.receiver.claim().map(|claim| place.insert(claim).outlet());
        }
        self.to.is_some()
    }

    /// Takes bytes, after those that were gathered.
    pub(super) fn put(&mut self, gathered: &mut Buffer, bytes: &[u8]) -> io::Result<()> {
        let Some(to) = &mut self.to else { return Ok(()) };
        to.write_all(gathered)?;
        to.write_all(bytes)?;
        self.length += gathered.len() + bytes.len();
        gathered.clear();
        Ok(())
    }

    /// Ends the value, and says how many bytes of it are here: all or none.
    pub(super) fn finish(mut self, gathered: &mut Buffer) -> io::Result<usize> {
        self.put(gathered, &[])?;
        match self.to {
            Some(mut to) => to.flush().map(|()| self.length),
            None => Ok(0),
        }
    }
}

impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivered").field("length", &self.length).finish_non_exhaustive()
    }
}
