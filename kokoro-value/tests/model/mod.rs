//! The model of the form, and types, values and bytes to hold it and the crate against each other.

#![allow(dead_code, reason = "each test that uses the model uses some of it")]

mod form;

use kokoro_value::Type;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[allow(unused_imports, reason = "each test that uses the model uses some of it")]
pub(crate) use self::form::{Value, accepts, bytes, read};

/// Types, nested a few times.
pub(crate) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec![
            Type::Bool, Type::U8, Type::S8, Type::U16, Type::S16, Type::U32, Type::S32, Type::U64, Type::S64, Type::F32,
            Type::F64, Type::Char, Type::String,
        ]),
        1 => prop_oneof![1..5usize, 255..259usize, 65535..65539usize].prop_map(Type::Enum),
        1 => (1..70usize).prop_map(Type::Flags),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(Type::list),
            1 => (inner.clone(), 1..4usize).prop_map(|(element, length)| Type::fixed_list(element, length)),
            1 => (inner.clone(), inner.clone()).prop_map(|(key, entry)| Type::map(key, entry)),
            1 => vec(inner.clone(), 1..5).prop_map(Type::Tuple),
            1 => vec(inner.clone(), 1..5).prop_map(Type::Record),
            1 => vec(prop::option::of(inner.clone()), 1..5).prop_map(Type::Variant),
            1 => (inner.clone(), 250..260usize).prop_map(|(payload, cases)| {
                let mut cases = vec![None; cases];
                cases[1] = Some(payload);
                Type::Variant(cases)
            }),
            1 => inner.clone().prop_map(Type::option),
            1 => (prop::option::of(inner.clone()), prop::option::of(inner)).prop_map(|(ok, err)| Type::result(ok, err)),
        ]
    })
}

/// Values of a type.
pub(crate) fn values(ty: &Type) -> BoxedStrategy<Value> {
    let number = |size| vec(any::<u8>(), size).prop_map(Value::Number).boxed();
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::U8 | Type::S8 => number(1),
        Type::U16 | Type::S16 => number(2),
        Type::U32 | Type::S32 | Type::F32 => number(4),
        Type::U64 | Type::S64 | Type::F64 => number(8),
        Type::Char => any::<char>().prop_map(Value::Char).boxed(),
        Type::String => vec(any::<char>(), 0..6).prop_map(|text| Value::String(text.into_iter().collect())).boxed(),
        Type::List(element) => vec(values(element), 0..5).prop_map(Value::List).boxed(),
        Type::Map(key, entry) => {
            let pair = (values(key), values(entry)).prop_map(|(key, entry)| Value::Fields(vec![key, entry]));
            vec(pair, 0..5).prop_map(Value::List).boxed()
        }
        Type::FixedList(element, length) => vec(values(element), *length).prop_map(Value::Fields).boxed(),
        Type::Tuple(fields) | Type::Record(fields) => {
            fields.iter().map(values).collect::<Vec<_>>().prop_map(Value::Fields).boxed()
        }
        Type::Variant(cases) => one_of(cases.clone()),
        Type::Enum(cases) => one_of(vec![None; *cases]),
        Type::Option(some) => one_of(vec![None, Some((**some).clone())]),
        Type::Result(ok, err) => one_of(vec![ok.as_deref().cloned(), err.as_deref().cloned()]),
        Type::Flags(labels) => vec(any::<bool>(), *labels).prop_map(Value::Flags).boxed(),
        other => panic!("the model does not know {other:?}"),
    }
}

fn one_of(cases: Vec<Option<Type>>) -> BoxedStrategy<Value> {
    let count = cases.len();
    (0..count)
        .prop_flat_map(move |index| match &cases[index] {
            None => Just(Value::Case(index, count, None)).boxed(),
            Some(ty) => values(ty).prop_map(move |value| Value::Case(index, count, Some(Box::new(value)))).boxed(),
        })
        .boxed()
}

/// What a stranger does to bytes.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Set(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    End(Index),
}

impl Damage {
    pub(crate) fn to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
            _ if bytes.is_empty() => {}
            Self::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::End(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
}

/// Some damage, often none. Small bytes are tried more often, as counts and discriminants are.
pub(crate) fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let byte = prop_oneof![0..4u8, any::<u8>()].boxed();
    let one = prop_oneof![
        6 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        2 => any::<Index>().prop_map(Damage::Remove),
        2 => (any::<Index>(), byte).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        1 => any::<Index>().prop_map(Damage::End),
    ];
    vec(one, 0..4)
}
