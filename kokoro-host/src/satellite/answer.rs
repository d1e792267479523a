//! Answers that go out of a Satellite's memory file into a component's memory at once: long lists of numbers, which cannot be wrong.
//!
//! What comes before the numbers is copied once, looked at there, and must say that there are exactly as many as the answer has
//! room for. All other answers are copied before they are looked at.

use std::fmt;
use std::io;
use std::sync::Arc;

use kokoro_satellite::protocol::MOST_INLINE;
use kokoro_value::{Decode as _, Decoder, Type as Form};
use tokio::sync::OwnedMutexGuard;

use super::running::Running;
use super::seat::Seat;
use crate::value::{Buffer, Rest};

/// How much is looked at before the numbers.
const HEAD: usize = 32;

/// An answer that ends in numbers.
#[derive(Debug)]
pub(super) struct Numbers {
    head: Buffer,
    length: usize,
}

impl Numbers {
    /// What the Satellite has answered with, so many bytes of its memory file, if it is that.
    pub(super) fn of(running: &Running, length: usize, ty: &Form) -> Option<Self> {
        if length <= MOST_INLINE || !may_be(ty) || !running.connection.has_answered(length) {
            return None;
        }
        let mut head = [0; HEAD];
        running.connection.answer(0, &mut head).ok()?;
        let begin = begin(&head, length, ty)?;
        let mut bytes = Buffer::new();
        bytes.extend_from_slice(&head[..begin]);
        Some(Self { head: bytes, length: length - begin })
    }

    /// The value. Whoever has it has the turn, so that the Satellite has nothing to answer.
    pub(super) fn value(self, running: &Arc<Running>, turn: Option<OwnedMutexGuard<Seat>>) -> Buffer {
        let Self { head, length } = self;
        let rest = Behind { begin: head.len(), length, running: Arc::clone(running), _turn: turn };
        head.followed_by(Box::new(rest))
    }
}

/// The numbers, in the Satellite's memory file.
struct Behind {
    begin: usize,
    length: usize,
    running: Arc<Running>,
    _turn: Option<OwnedMutexGuard<Seat>>,
}

impl Rest for Behind {
    fn length(&self) -> usize {
        self.length
    }

    fn copy(&self, to: &mut [u8]) -> io::Result<()> {
        self.running.connection.answer(self.begin, to)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.running.connection.leave((self.begin + self.length) as u64);
    }
}

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behind").field("begin", &self.begin).field("length", &self.length).finish_non_exhaustive()
    }
}

/// Whether values of the type may end in numbers.
fn may_be(ty: &Form) -> bool {
    match ty {
        Form::List(element) => size(element).is_some(),
        Form::Option(some) => may_be(some),
        Form::Result(ok, err) => [ok, err].into_iter().flatten().any(|payload| may_be(payload)),
        _ => false,
    }
}

/// Where the numbers begin in a value of so many bytes that begins with `head`, if all that follows are numbers.
fn begin(head: &[u8], length: usize, ty: &Form) -> Option<usize> {
    let mut from = Decoder::new(head);
    let mut ty = ty;
    let element = loop {
        ty = match ty {
            Form::List(element) => break element,
            Form::Option(some) if from.discriminant(2).ok()? == 1 => some,
            Form::Result(ok, err) => match from.discriminant(2).ok()? {
                0 => ok.as_deref()?,
                _ => err.as_deref()?,
            },
            _ => return None,
        };
    };
    let count = usize::try_from(u32::decode(&mut from).ok()?).ok()?;
    let begin = head.len() - from.left();
    let end = count.checked_mul(size(element)?)?.checked_add(begin)?;
    (end == length).then_some(begin)
}

/// How many bytes a number has.
fn size(ty: &Form) -> Option<usize> {
    match ty {
        Form::U8 | Form::S8 => Some(1),
        Form::U16 | Form::S16 => Some(2),
        Form::U32 | Form::S32 | Form::F32 => Some(4),
        Form::U64 | Form::S64 | Form::F64 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kokoro_value::{Encode, check, to_bytes};

    use super::*;

    fn begins(value: &impl Encode, ty: &Form) -> Option<usize> {
        let bytes = to_bytes(value);
        check(&bytes, ty).unwrap();
        begin(&bytes[..bytes.len().min(HEAD)], bytes.len(), ty)
    }

    #[test]
    fn values_that_end_in_numbers_are_known_by_their_beginning() {
        let list = Form::list(Form::U16);
        let nested = Form::option(Form::result(list.clone(), Form::String));
        let numbers = vec![7_u16; 100];
        assert_eq!(begins(&numbers, &list), Some(4));
        assert_eq!(begins(&Some(Ok::<_, String>(numbers.clone())), &nested), Some(6));
        assert_eq!(begins(&Some(Err::<Vec<u16>, _>("no".to_owned())), &nested), None);
        assert_eq!(begins(&None::<Result<Vec<u16>, String>>, &nested), None);
        assert_eq!(begins(&Err::<(), _>(numbers), &Form::result(None, list)), Some(5));
    }

    #[test]
    fn values_in_which_something_can_be_wrong_are_not() {
        for element in [Form::Bool, Form::Char, Form::String, Form::Enum(2), Form::Tuple(vec![Form::U8])] {
            assert!(!may_be(&Form::list(element.clone())));
            assert_eq!(begin(&[0; HEAD], 4, &Form::list(element)), None);
        }
    }

    #[test]
    fn counts_that_lie_are_left_to_the_check() {
        let list = Form::list(Form::U64);
        for (count, length) in [(10_u32, 83), (10, 85), (0, 84), (u32::MAX, 84), (1 << 29, 4)] {
            let mut head = [0; HEAD];
            head[..4].copy_from_slice(&count.to_le_bytes());
            assert_eq!(begin(&head, length, &list), None, "{count} {length}");
        }
        assert_eq!(begin(&[2; HEAD], 100, &Form::option(list.clone())), None);
        assert_eq!(begin(&[1, 0, 0], 3, &list), None);
    }
}
