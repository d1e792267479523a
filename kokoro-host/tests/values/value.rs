//! Random values, and their self-contained form, written slowly and obviously.

use wasmtime::component::Val;

use super::random::Random;
use super::types::{Type, discriminant_size, flags_size};

/// A random value of a type. `room` is how many parts it may still have, about.
pub fn value(ty: &Type, random: &mut Random, room: &mut usize) -> Val {
    *room = room.saturating_sub(1);
    let bits = integer(random);
    let boxed = |ty: &Type, random: &mut Random, room: &mut usize| Some(Box::new(value(ty, random, room)));
    match ty {
        Type::Bool => Val::Bool(bits & 1 == 1),
        Type::U8 => Val::U8(bits as u8),
        Type::U16 => Val::U16(bits as u16),
        Type::U32 => Val::U32(bits as u32),
        Type::U64 => Val::U64(bits),
        Type::S8 => Val::S8(bits as i8),
        Type::S16 => Val::S16(bits as i16),
        Type::S32 => Val::S32(bits as i32),
        Type::S64 => Val::S64(bits as i64),
        Type::F32 => Val::Float32(f32::from_bits(float(random, 8, 23) as u32)),
        Type::F64 => Val::Float64(f64::from_bits(float(random, 11, 52))),
        Type::Char => Val::Char(char(random)),
        Type::String => Val::String(string(random, room)),
        Type::List(ty) => {
            let count = count(ty, random, room);
            Val::List((0..count).map(|_| value(ty, random, room)).collect())
        }
        Type::FixedList(ty, count) => Val::FixedLengthList((0..*count).map(|_| value(ty, random, room)).collect()),
        Type::Map(key, ty) => {
            let count = count(ty, random, room);
            Val::Map((0..count).map(|_| (value(key, random, room), value(ty, random, room))).collect())
        }
        Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| value(ty, random, room)).collect()),
        Type::Record(types) => {
            let field = |(n, ty): (usize, &Type)| (format!("x{n}"), value(ty, random, room));
            Val::Record(types.iter().enumerate().map(field).collect())
        }
        Type::Variant(cases) => {
            // Of many cases, the ones with payload are few: pick these more often.
            let case = match random.once(2) {
                true => cases.iter().position(Option::is_some).unwrap_or(0),
                false => random.below(cases.len()),
            };
            Val::Variant(format!("x{case}"), cases[case].as_ref().and_then(|ty| boxed(ty, random, room)))
        }
        Type::Enum(count) => {
            let case = if random.once(4) { *count as usize - 1 } else { random.below(*count as usize) };
            Val::Enum(format!("x{case}"))
        }
        Type::Flags(count) => {
            let set = random.one_of(&[0, !0, bits]);
            Val::Flags((0..*count).filter(|bit| set >> bit & 1 == 1).map(|bit| format!("x{bit}")).collect())
        }
        Type::Option(ty) => Val::Option(if random.once(3) { None } else { boxed(ty, random, room) }),
        Type::Result(ok, err) => Val::Result(match random.once(2) {
            true => Ok(ok.as_ref().and_then(|ty| boxed(ty, random, room))),
            false => Err(err.as_ref().and_then(|ty| boxed(ty, random, room))),
        }),
    }
}

/// How long a list is: mostly short, sometimes as long as there is room for.
fn count(ty: &Type, random: &mut Random, room: &usize) -> usize {
    let wished = match random.below(20) {
        0 => 0,
        1 => 1,
        2 if ty.size_and_align().0 <= 8 => 1_000 + random.below(4_000),
        3 => random.below(100),
        _ => random.below(6),
    };
    wished.min(*room)
}

/// All bits of an integer; the edges of all widths come often.
fn integer(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => random.one_of(&[0, 1, !0, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fff_ffff, 0x8000_0000, 1 << 63, (1 << 63) - 1]),
        _ => random.bits(),
    }
}

/// The bits of a float: zeros, infinities, numbers near the edges, and quiet and signalling NaNs of any payload.
fn float(random: &mut Random, exponent_bits: u32, fraction_bits: u32) -> u64 {
    let bits = random.bits() >> (63 - exponent_bits - fraction_bits);
    let exponent = ((1 << exponent_bits) - 1) << fraction_bits;
    let fraction = (1 << fraction_bits) - 1;
    match random.below(8) {
        0 => bits & !(exponent | fraction),
        1 => bits & !fraction | exponent,
        2 => bits | exponent,
        3 => (bits | exponent | 1) & !(1 << (fraction_bits - 1)),
        4 => bits & !exponent,
        _ => bits,
    }
}

fn char(random: &mut Random) -> char {
    let of = |random: &mut Random, from: u32, to: u32| char::from_u32(random.within(from.into()..to.into()) as u32);
    let char = match random.below(6) {
        0 => Some(random.one_of(&['\0', '\x7f', '\u{80}', '\u{7ff}', '\u{800}', '\u{d7ff}', '\u{e000}', '\u{fffd}'])),
        1 => Some(random.one_of(&['\u{ffff}', '\u{10000}', '\u{10ffff}', '\u{feff}', '\u{ff}', '\u{100}'])),
        2 => of(random, 0, 0x80),
        3 => of(random, 0x80, 0x100),
        4 => of(random, 0x100, 0xd800),
        _ => of(random, 0x1_0000, 0x11_0000),
    };
    char.expect("no surrogates")
}

/// A string of one kind, which may change at its end: encodings are guessed from how strings begin.
fn string(random: &mut Random, room: &mut usize) -> String {
    let length = match random.below(12) {
        0 => 0,
        1 => 100 + random.below(2_000),
        2 => 20 + random.below(100),
        _ => random.below(12),
    };
    let length = length.min(*room * 8);
    *room = room.saturating_sub(length / 8);
    let (from, to) = random.one_of(&[(0x20, 0x7f), (0x20, 0x7f), (0, 0x100), (0xa0, 0x800), (0x1_f300, 0x1_f600)]);
    let mut text: String =
        (0..length).map(|_| char::from_u32(random.within(from..to) as u32).expect("no surrogates")).collect();
    if random.once(3) {
        text.push(char(random));
    }
    text
}

/// Appends the self-contained form of a value.
pub fn encode(ty: &Type, value: &Val, to: &mut Vec<u8>) {
    let number = |name: &str| name[1..].parse::<u32>().expect("a name of ours");
    let tag = |cases: usize, case: u32, to: &mut Vec<u8>| {
        to.extend_from_slice(&case.to_le_bytes()[..discriminant_size(cases) as usize]);
    };
    match (ty, value) {
        (Type::Bool, Val::Bool(value)) => to.push(u8::from(*value)),
        (Type::U8, Val::U8(value)) => to.push(*value),
        (Type::U16, Val::U16(value)) => to.extend(value.to_le_bytes()),
        (Type::U32, Val::U32(value)) => to.extend(value.to_le_bytes()),
        (Type::U64, Val::U64(value)) => to.extend(value.to_le_bytes()),
        (Type::S8, Val::S8(value)) => to.extend(value.to_le_bytes()),
        (Type::S16, Val::S16(value)) => to.extend(value.to_le_bytes()),
        (Type::S32, Val::S32(value)) => to.extend(value.to_le_bytes()),
        (Type::S64, Val::S64(value)) => to.extend(value.to_le_bytes()),
        (Type::F32, Val::Float32(value)) => to.extend(value.to_bits().to_le_bytes()),
        (Type::F64, Val::Float64(value)) => to.extend(value.to_bits().to_le_bytes()),
        (Type::Char, Val::Char(value)) => to.extend(u32::from(*value).to_le_bytes()),
        (Type::String, Val::String(value)) => {
            to.extend((value.len() as u32).to_le_bytes());
            to.extend(value.as_bytes());
        }
        (Type::List(ty), Val::List(values)) => {
            to.extend((values.len() as u32).to_le_bytes());
            values.iter().for_each(|value| encode(ty, value, to));
        }
        (Type::FixedList(ty, count), Val::FixedLengthList(values)) => {
            assert_eq!(values.len(), *count as usize);
            values.iter().for_each(|value| encode(ty, value, to));
        }
        (Type::Map(key, ty), Val::Map(pairs)) => {
            to.extend((pairs.len() as u32).to_le_bytes());
            for (one, other) in pairs {
                encode(key, one, to);
                encode(ty, other, to);
            }
        }
        (Type::Tuple(types), Val::Tuple(values)) => {
            assert_eq!(types.len(), values.len());
            types.iter().zip(values).for_each(|(ty, value)| encode(ty, value, to));
        }
        (Type::Record(types), Val::Record(values)) => {
            assert_eq!(types.len(), values.len());
            for (n, (ty, (name, value))) in types.iter().zip(values).enumerate() {
                assert_eq!(number(name) as usize, n);
                encode(ty, value, to);
            }
        }
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            let case = number(name);
            tag(cases.len(), case, to);
            encode_payload(cases[case as usize].as_ref(), payload.as_deref(), to);
        }
        (Type::Enum(count), Val::Enum(name)) => tag(*count as usize, number(name), to),
        (Type::Flags(count), Val::Flags(names)) => {
            let mut bytes = vec![0; flags_size(*count) as usize];
            for bit in names.iter().map(|name| number(name)) {
                assert!(bit < *count);
                bytes[bit as usize / 8] |= 1 << (bit % 8);
            }
            to.extend(bytes);
        }
        (Type::Option(ty), Val::Option(payload)) => {
            tag(2, payload.is_some().into(), to);
            encode_payload(payload.is_some().then_some(&**ty), payload.as_deref(), to);
        }
        (Type::Result(ok, err), Val::Result(value)) => {
            tag(2, value.is_err().into(), to);
            let ty = if value.is_ok() { ok } else { err };
            let payload = match value {
                Ok(payload) | Err(payload) => payload,
            };
            encode_payload(ty.as_deref(), payload.as_deref(), to);
        }
        _ => panic!("{value:?} is not of the type {ty:?}"),
    }
}

fn encode_payload(ty: Option<&Type>, payload: Option<&Val>, to: &mut Vec<u8>) {
    match (ty, payload) {
        (Some(ty), Some(payload)) => encode(ty, payload, to),
        (None, None) => {}
        _ => panic!("{payload:?} is no payload of the type {ty:?}"),
    }
}

/// The form of several values, one after the other, as of a tuple.
pub fn encode_all<'a>(types: impl IntoIterator<Item = &'a Type>, values: &[Val]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut types = types.into_iter();
    for value in values {
        encode(types.next().expect("a type for each value"), value, &mut bytes);
    }
    assert!(types.next().is_none(), "a value for each type");
    bytes
}
