//! The decoder: any bytes, for Rust types of all shapes. It never panics, what it reads is written again as it was, and it
//! agrees with `check`.

#![no_main]

use std::collections::{BTreeMap, HashMap};

use kokoro_value::{Decode, Encode, Type, check, from_bytes, to_bytes};
use libfuzzer_sys::fuzz_target;

#[derive(Encode, Decode)]
struct Record {
    name: String,
    sizes: Vec<u16>,
    shape: Option<Shape>,
}

#[derive(Encode, Decode)]
enum Shape {
    Point,
    Circle(f64),
    Line(Box<[(f64, f64)]>),
    Named(Result<String, char>),
}

kokoro_value::flags! {
    struct Labels {
        A0, A1, A2, A3, A4, A5, A6, A7, B0, B1, B2, B3, B4, B5, B6, B7, C0, C1, C2, C3, C4, C5, C6, C7, D0, D1, D2, D3, D4,
        D5, D6, D7, E0,
    }
}

fn shape() -> Type {
    Type::Variant(vec![
        None,
        Some(Type::F64),
        Some(Type::list(Type::Tuple(vec![Type::F64, Type::F64]))),
        Some(Type::result(Type::String, Type::Char)),
    ])
}

fn record() -> Type {
    Type::Record(vec![Type::String, Type::list(Type::U16), Type::option(shape())])
}

fn holds<T: Encode + Decode>(bytes: &[u8], ty: &Type) {
    match from_bytes::<T>(bytes) {
        Ok(value) => {
            assert_eq!(check(bytes, ty), Ok(()));
            assert_eq!(to_bytes(&value), bytes);
        }
        Err(error) => {
            assert!(error.at() <= bytes.len(), "{error}");
            assert!(check(bytes, ty).is_err(), "{error}");
        }
    }
}

/// Maps may change the order of their entries and drop some, so only what comes out of one is what comes out again.
fn map_holds<T: Encode + Decode + PartialEq>(bytes: &[u8], ty: &Type) {
    let value = from_bytes::<T>(bytes);
    assert_eq!(value.is_ok(), check(bytes, ty).is_ok());
    if let Ok(value) = value {
        let again = to_bytes(&value);
        assert!(again.len() <= bytes.len());
        assert!(from_bytes(&again).is_ok_and(|again: T| again == value));
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    match choice % 16 {
        0 => holds::<String>(bytes, &Type::String),
        1 => holds::<Vec<u8>>(bytes, &Type::list(Type::U8)),
        2 => holds::<Vec<bool>>(bytes, &Type::list(Type::Bool)),
        3 => holds::<Vec<char>>(bytes, &Type::list(Type::Char)),
        4 => holds::<Vec<f64>>(bytes, &Type::list(Type::F64)),
        5 => holds::<Vec<Vec<String>>>(bytes, &Type::list(Type::list(Type::String))),
        6 => holds::<[Option<i64>; 3]>(bytes, &Type::fixed_list(Type::option(Type::S64), 3)),
        7 => holds::<Labels>(bytes, &Type::Flags(33)),
        8 => holds::<Vec<Labels>>(bytes, &Type::list(Type::Flags(33))),
        9 => holds::<Shape>(bytes, &shape()),
        10 => holds::<Record>(bytes, &record()),
        11 => holds::<Vec<Record>>(bytes, &Type::list(record())),
        12 => holds::<(u8, Record, Shape)>(bytes, &Type::Tuple(vec![Type::U8, record(), shape()])),
        13 => {
            holds::<Result<Vec<[u32; 2]>, ()>>(bytes, &Type::result(Type::list(Type::fixed_list(Type::U32, 2)), None))
        }
        14 => map_holds::<BTreeMap<u8, String>>(bytes, &Type::map(Type::U8, Type::String)),
        _ => map_holds::<HashMap<String, u16>>(bytes, &Type::map(Type::String, Type::U16)),
    }
});
