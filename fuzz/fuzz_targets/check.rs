//! `check`: any type and any bytes. It never panics, and it agrees with the model that the crate's own tests use.

#![no_main]

#[allow(dead_code, reason = "the model writes as well")]
#[path = "../../kokoro-value/tests/model/form.rs"]
mod form;

use kokoro_value::{Type, check};
use libfuzzer_sys::fuzz_target;

/// Takes a type off the front of the input. An input that ends is as good as one that goes on with zeros.
fn ty(input: &mut &[u8], depth: usize) -> Type {
    // The last cases contain others.
    let kinds = if depth == 0 { 15 } else { 23 };
    let some = |input: &mut &[u8]| (byte(input) % 2 == 1).then(|| ty(input, depth - 1));
    match byte(input) % kinds {
        0 => Type::Bool,
        1 => Type::U8,
        2 => Type::S8,
        3 => Type::U16,
        4 => Type::S16,
        5 => Type::U32,
        6 => Type::S32,
        7 => Type::U64,
        8 => Type::S64,
        9 => Type::F32,
        10 => Type::F64,
        11 => Type::Char,
        12 => Type::String,
        13 => Type::Enum([1, 3, 256, 257, 65536, 65537][byte(input) % 6]),
        14 => Type::Flags(1 + byte(input) % 80),
        15 => Type::list(ty(input, depth - 1)),
        16 => Type::fixed_list(ty(input, depth - 1), 1 + byte(input) % 5),
        17 => Type::map(ty(input, depth - 1), ty(input, depth - 1)),
        18 => Type::Tuple(several(input, |input| ty(input, depth - 1))),
        19 => Type::Record(several(input, |input| ty(input, depth - 1))),
        20 => Type::Variant(several(input, some)),
        21 => Type::option(ty(input, depth - 1)),
        _ => Type::result(some(input), some(input)),
    }
}

fn several<T>(input: &mut &[u8], one: impl Fn(&mut &[u8]) -> T) -> Vec<T> {
    (0..1 + byte(input) % 4).map(|_| one(input)).collect()
}

fn byte(input: &mut &[u8]) -> usize {
    let Some((first, rest)) = input.split_first() else { return 0 };
    *input = rest;
    usize::from(*first)
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = input;
    let ty = ty(&mut bytes, 4);
    let checked = check(bytes, &ty);
    assert_eq!(checked.is_ok(), form::accepts(&ty, bytes), "{ty:?}: {checked:?}");
    if let Some((value, rest)) = form::read(&ty, bytes) {
        assert_eq!([&form::bytes(&value), rest].concat(), bytes);
    }
});
