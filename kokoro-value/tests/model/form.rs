//! What the form is, once more: slowly and obviously, and without any of the crate's own code.

#![allow(dead_code, reason = "each test that uses the model uses some of it")]

use kokoro_value::Type;

/// A value of WIT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A number, by its bytes: all of them are one.
    Number(Vec<u8>),
    Bool(bool),
    Char(char),
    String(String),
    /// The elements of a list, or the entries of a map.
    List(Vec<Value>),
    /// What is without a count: a tuple, a record, an entry of a map, a list of fixed length.
    Fields(Vec<Value>),
    /// One of so many cases.
    Case(usize, usize, Option<Box<Value>>),
    Flags(Vec<bool>),
}

/// The bytes of a value.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let all = |values: &[Value]| values.iter().flat_map(bytes).collect::<Vec<u8>>();
    match value {
        Value::Number(bytes) => bytes.clone(),
        Value::Bool(true) => vec![1],
        Value::Bool(false) => vec![0],
        Value::Char(c) => little_endian(*c as usize, 4),
        Value::String(text) => [little_endian(text.len(), 4), text.clone().into_bytes()].concat(),
        Value::List(values) => [little_endian(values.len(), 4), all(values)].concat(),
        Value::Fields(values) => all(values),
        Value::Case(index, cases, payload) => {
            [little_endian(*index, width_of_case(*cases)), payload.iter().flat_map(|payload| bytes(payload)).collect()]
                .concat()
        }
        Value::Flags(labels) => {
            let mut bits = labels.clone();
            bits.resize(8 * width_of_flags(labels.len()), false);
            bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| 2 * sum + u8::from(*bit))).collect()
        }
    }
}

/// The value of a type that bytes begin with, and the bytes after it.
pub(crate) fn read<'a>(ty: &Type, bytes: &'a [u8]) -> Option<(Value, &'a [u8])> {
    let number = |size| Some((Value::Number(bytes.get(..size)?.to_vec()), &bytes[size..]));
    match ty {
        Type::Bool => match bytes.split_first()? {
            (0, rest) => Some((Value::Bool(false), rest)),
            (1, rest) => Some((Value::Bool(true), rest)),
            _ => None,
        },
        Type::U8 | Type::S8 => number(1),
        Type::U16 | Type::S16 => number(2),
        Type::U32 | Type::S32 | Type::F32 => number(4),
        Type::U64 | Type::S64 | Type::F64 => number(8),
        Type::Char => {
            let (code, rest) = integer(bytes, 4)?;
            Some((Value::Char(char::from_u32(code as u32)?), rest))
        }
        Type::String => {
            let (size, rest) = integer(bytes, 4)?;
            let text = String::from_utf8(rest.get(..size)?.to_vec()).ok()?;
            Some((Value::String(text), &rest[size..]))
        }
        Type::List(element) => {
            let (count, rest) = integer(bytes, 4)?;
            let (values, rest) = read_each(std::iter::repeat_n(&**element, count), rest)?;
            Some((Value::List(values), rest))
        }
        Type::Map(key, entry) => {
            let (count, rest) = integer(bytes, 4)?;
            let pair = Type::Tuple(vec![(**key).clone(), (**entry).clone()]);
            let (values, rest) = read_each(std::iter::repeat_n(&pair, count), rest)?;
            Some((Value::List(values), rest))
        }
        Type::FixedList(element, length) => {
            let (values, rest) = read_each(std::iter::repeat_n(&**element, *length), bytes)?;
            Some((Value::Fields(values), rest))
        }
        Type::Tuple(fields) | Type::Record(fields) => {
            let (values, rest) = read_each(fields.iter(), bytes)?;
            Some((Value::Fields(values), rest))
        }
        Type::Variant(cases) => read_case(cases.len(), |index| cases[index].as_ref(), bytes),
        Type::Enum(cases) => read_case(*cases, |_| None, bytes),
        Type::Option(some) => read_case(2, |index| [None, Some(&**some)][index], bytes),
        Type::Result(ok, err) => read_case(2, |index| [ok.as_deref(), err.as_deref()][index], bytes),
        Type::Flags(labels) => {
            let size = width_of_flags(*labels);
            let mut bits = bytes
                .get(..size)?
                .iter()
                .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
                .collect::<Vec<_>>();
            let stray = bits.split_off(*labels);
            (!stray.contains(&true)).then(|| (Value::Flags(bits), &bytes[size..]))
        }
        other => panic!("the model does not know {other:?}"),
    }
}

/// Whether bytes are a value of a type and nothing more.
pub(crate) fn accepts(ty: &Type, bytes: &[u8]) -> bool {
    read(ty, bytes).is_some_and(|(_, rest)| rest.is_empty())
}

fn read_each<'a, 't>(types: impl Iterator<Item = &'t Type>, bytes: &'a [u8]) -> Option<(Vec<Value>, &'a [u8])> {
    let (mut values, mut rest) = (Vec::new(), bytes);
    for ty in types {
        let (value, after) = read(ty, rest)?;
        values.push(value);
        rest = after;
    }
    Some((values, rest))
}

fn read_case<'a, 't>(
    cases: usize,
    payload: impl Fn(usize) -> Option<&'t Type>,
    bytes: &'a [u8],
) -> Option<(Value, &'a [u8])> {
    let (index, rest) = integer(bytes, width_of_case(cases))?;
    if index >= cases {
        return None;
    }
    let (payload, rest) = match payload(index) {
        None => (None, rest),
        Some(ty) => {
            let (payload, rest) = read(ty, rest)?;
            (Some(Box::new(payload)), rest)
        }
    };
    Some((Value::Case(index, cases, payload), rest))
}

fn integer(bytes: &[u8], size: usize) -> Option<(usize, &[u8])> {
    let value = bytes.get(..size)?.iter().rev().fold(0, |sum, byte| 256 * sum + usize::from(*byte));
    Some((value, &bytes[size..]))
}

fn little_endian(value: usize, size: usize) -> Vec<u8> {
    value.to_le_bytes()[..size].to_vec()
}

fn width_of_case(cases: usize) -> usize {
    [1, 2, 4].into_iter().find(|size| cases <= 1 << (8 * size)).expect("so many cases nobody has")
}

fn width_of_flags(labels: usize) -> usize {
    if labels <= 16 { labels.div_ceil(8) } else { labels.div_ceil(32) * 4 }
}
