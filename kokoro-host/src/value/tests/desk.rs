//! Where a Satellite would have its memory.

use std::any::Any;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::{Claim, Delivered, Receiver, Rest};
use super::types::Type;

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

/// Numbers that are somewhere else.
#[derive(Debug)]
pub(super) struct Behind(pub(super) Vec<u8>);

impl Rest for Behind {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn copy(&self, to: &mut [u8]) -> io::Result<()> {
        to.copy_from_slice(&self.0);
        Ok(())
    }
}

/// Where the numbers begin that a value ends in, if it is a list of them, perhaps within an option or a result.
pub(super) fn numbers(ty: &Type, form: &[u8]) -> Option<usize> {
    match ty {
        Type::List(element) => match **element {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => Some(4),
            Type::S8 | Type::S16 | Type::S32 | Type::S64 => Some(4),
            Type::F32 | Type::F64 => Some(4),
            _ => None,
        },
        Type::Option(some) if form[0] == 1 => Some(1 + numbers(some, &form[1..])?),
        Type::Result(Some(ok), _) if form[0] == 0 => Some(1 + numbers(ok, &form[1..])?),
        Type::Result(_, Some(err)) if form[0] == 1 => Some(1 + numbers(err, &form[1..])?),
        _ => None,
    }
}
