//! Whether bytes are a value of a type.

use super::Type;
use crate::decode::{Decode, Decoder};
use crate::error::{DecodeError, Problem};
use crate::forms::bools;

/// Whether the bytes are a value of this type and nothing more.
///
/// It accepts the bytes that [`from_bytes`](crate::from_bytes) accepts for a Rust type of the same shape. It allocates nothing,
/// and takes no longer than it takes to look at each byte; lists of numbers, and of records of numbers, are skipped whole.
///
/// # Errors
///
/// If they are not: where the first byte is that does not fit, and why.
pub fn check(bytes: &[u8], ty: &Type) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    value(ty, &mut decoder)?;
    decoder.finish()
}

fn value(ty: &Type, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
    match ty {
        Type::Bool => bool::decode(from).map(drop),
        Type::U8 | Type::S8 => from.take(1).map(drop),
        Type::U16 | Type::S16 => from.take(2).map(drop),
        Type::U32 | Type::S32 | Type::F32 => from.take(4).map(drop),
        Type::U64 | Type::S64 | Type::F64 => from.take(8).map(drop),
        Type::Char => char::decode(from).map(drop),
        Type::String => from.str().map(drop),
        Type::List(element) => {
            let count = from.count()?;
            elements(Elements::One(element), count, from)
        }
        Type::FixedList(element, length) => elements(Elements::One(element), *length, from),
        Type::Map(key, entry) => {
            let count = from.count()?;
            elements(Elements::Pair(key, entry), count, from)
        }
        Type::Tuple(fields) | Type::Record(fields) => fields.iter().try_for_each(|field| value(field, from)),
        Type::Variant(cases) => {
            let at = from.at();
            let found = from.discriminant(cases.len())?;
            let case = usize::try_from(found).ok().and_then(|index| cases.get(index));
            match case {
                Some(Some(payload)) => value(payload, from),
                Some(None) => Ok(()),
                None => Err(DecodeError::new(at, Problem::Discriminant { found, cases: cases.len() })),
            }
        }
        Type::Enum(cases) => from.discriminant(*cases).map(drop),
        Type::Option(some) => match from.discriminant(2)? {
            0 => Ok(()),
            _ => value(some, from),
        },
        Type::Result(ok, err) => {
            let payload = if from.discriminant(2)? == 0 { ok } else { err };
            payload.as_deref().map_or(Ok(()), |payload| value(payload, from))
        }
        Type::Flags(labels) => from.flags(*labels).map(drop),
    }
}

/// What a list or a map consists of.
#[derive(Clone, Copy)]
enum Elements<'a> {
    One(&'a Type),
    Pair(&'a Type, &'a Type),
}

impl Elements<'_> {
    fn value(self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        match self {
            Self::One(element) => value(element, from),
            Self::Pair(key, entry) => value(key, from).and_then(|()| value(entry, from)),
        }
    }

    fn plain_size(self) -> Option<usize> {
        match self {
            Self::One(element) => plain_size(element),
            Self::Pair(key, entry) => plain_size(key)?.checked_add(plain_size(entry)?),
        }
    }
}

fn elements(each: Elements<'_>, count: usize, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
    if count == 0 {
        return Ok(());
    }
    if let Elements::One(Type::Bool) = each {
        return bools(count, from).map(drop);
    }
    // What is not plain takes up a byte at least, so a count that lies comes to the end of the bytes. And to find out that it
    // is plain takes no more steps than it has bytes.
    match each.plain_size() {
        Some(size) => from.take_elements(count, size).map(drop),
        None => (0..count).try_for_each(|_| each.value(from)),
    }
}

/// How many bytes a value takes, if it always takes as many and all bytes are a value. (Also none if that is more than can be
/// counted; the bytes for it cannot be there.)
fn plain_size(ty: &Type) -> Option<usize> {
    match ty {
        Type::U8 | Type::S8 => Some(1),
        Type::U16 | Type::S16 => Some(2),
        Type::U32 | Type::S32 | Type::F32 => Some(4),
        Type::U64 | Type::S64 | Type::F64 => Some(8),
        Type::FixedList(_, 0) | Type::Flags(0) => Some(0),
        Type::FixedList(element, length) => plain_size(element)?.checked_mul(*length),
        Type::Tuple(fields) | Type::Record(fields) => {
            fields.iter().try_fold(0usize, |sum, field| sum.checked_add(plain_size(field)?))
        }
        Type::Bool
        | Type::Char
        | Type::String
        | Type::List(_)
        | Type::Map(..)
        | Type::Variant(_)
        | Type::Enum(_)
        | Type::Option(_)
        | Type::Result(..)
        | Type::Flags(_) => None,
    }
}
