//! Where a Satellite would have its memory.

use std::any::Any;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::{Claim, Delivered, Receiver};

/// Takes what is more than a few bytes, unless it is somebody else's turn, which it is each third time.
#[derive(Debug, Default)]
pub(super) struct Desk {
    memory: Arc<Mutex<Vec<u8>>>,
    asked: AtomicUsize,
}

struct Turn(Arc<Mutex<Vec<u8>>>);

/// What is there only after a flush.
struct Pen<'t> {
    turn: &'t Turn,
    written: Vec<u8>,
}

impl Receiver for Desk {
    fn claim(&self) -> Option<Box<dyn Claim>> {
        let is_free = !self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
        is_free.then(|| Box::new(Turn(Arc::clone(&self.memory))) as _)
    }

    fn inline(&self) -> usize {
        40
    }
}

impl Claim for Turn {
    fn outlet(&mut self) -> Box<dyn Write + '_> {
        self.0.lock().unwrap().clear();
        Box::new(Pen { turn: self, written: Vec::new() })
    }
}

impl Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.turn.0.lock().unwrap().append(&mut self.written);
        Ok(())
    }
}

/// What has been delivered.
pub(super) fn bytes(delivered: Delivered) -> Vec<u8> {
    let claim: Box<dyn Any> = delivered.claim;
    let turn = claim.downcast::<Turn>().unwrap();
    let bytes = turn.0.lock().unwrap().clone();
    assert!(bytes.len() == delivered.length && bytes.len() > 40);
    bytes
}

/// Has no memory for anybody.
#[derive(Debug)]
pub(super) struct Full;

impl Receiver for Full {
    fn claim(&self) -> Option<Box<dyn Claim>> {
        Some(Box::new(Self))
    }

    fn inline(&self) -> usize {
        40
    }
}

impl Claim for Full {
    fn outlet(&mut self) -> Box<dyn Write + '_> {
        Box::new(Self)
    }
}

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::OutOfMemory.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
