//! Rust types, against the model: what is decoded, what is refused, and that it comes out as it went in.

mod model;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use kokoro_value::{Decode, Encode, Encoder, Type, check, from_bytes, to_bytes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Debug, Encode, Decode)]
struct Record {
    name: String,
    sizes: Vec<u16>,
    at: Option<Point>,
}

#[derive(Debug, Encode, Decode)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Debug, Encode, Decode)]
struct Tuple(u8, char, Point);

#[derive(Debug, Encode, Decode)]
struct Newtype(Vec<bool>);

#[derive(Debug, Encode, Decode)]
enum Variant {
    Nothing,
    Text(String),
    Both((u64, Point)),
    Boxed(Box<[Record]>),
}

#[derive(Debug, Encode, Decode)]
enum Enum {
    One,
    Two,
    Three,
}

#[derive(Debug, Encode, Decode)]
struct Generic<T, const N: usize> {
    all: [T; N],
    first: Option<T>,
}

macro_rules! many {
    ($($name:ident)*) => {
        /// More cases than a byte can tell apart.
        #[derive(Debug, Encode, Decode)]
        enum Many {
            $($name,)*
            Last(u16),
        }

        const MANY: usize = [$(stringify!($name)),*].len() + 1;
    };
}

#[rustfmt::skip]
many! {
    C0 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C20 C21 C22 C23 C24 C25 C26 C27 C28 C29 C30
    C31 C32 C33 C34 C35 C36 C37 C38 C39 C40 C41 C42 C43 C44 C45 C46 C47 C48 C49 C50 C51 C52 C53 C54 C55 C56 C57 C58
    C59 C60 C61 C62 C63 C64 C65 C66 C67 C68 C69 C70 C71 C72 C73 C74 C75 C76 C77 C78 C79 C80 C81 C82 C83 C84 C85 C86
    C87 C88 C89 C90 C91 C92 C93 C94 C95 C96 C97 C98 C99 C100 C101 C102 C103 C104 C105 C106 C107 C108 C109 C110 C111
    C112 C113 C114 C115 C116 C117 C118 C119 C120 C121 C122 C123 C124 C125 C126 C127 C128 C129 C130 C131 C132 C133 C134
    C135 C136 C137 C138 C139 C140 C141 C142 C143 C144 C145 C146 C147 C148 C149 C150 C151 C152 C153 C154 C155 C156 C157
    C158 C159 C160 C161 C162 C163 C164 C165 C166 C167 C168 C169 C170 C171 C172 C173 C174 C175 C176 C177 C178 C179 C180
    C181 C182 C183 C184 C185 C186 C187 C188 C189 C190 C191 C192 C193 C194 C195 C196 C197 C198 C199 C200 C201 C202 C203
    C204 C205 C206 C207 C208 C209 C210 C211 C212 C213 C214 C215 C216 C217 C218 C219 C220 C221 C222 C223 C224 C225 C226
    C227 C228 C229 C230 C231 C232 C233 C234 C235 C236 C237 C238 C239 C240 C241 C242 C243 C244 C245 C246 C247 C248 C249
    C250 C251 C252 C253 C254 C255 C256 C257 C258 C259 C260 C261 C262 C263 C264 C265 C266 C267 C268 C269 C270 C271 C272
    C273 C274 C275 C276 C277 C278 C279 C280 C281 C282 C283 C284 C285 C286 C287 C288 C289 C290 C291 C292 C293 C294 C295
    C296 C297 C298
}

kokoro_value::flags! {
    struct Few { A, B, C }
}

kokoro_value::flags! {
    struct Some9 { A, B, C, D, E, F, G, H, I }
}

kokoro_value::flags! {
    struct Lots {
        A0, A1, A2, A3, A4, A5, A6, A7, B0, B1, B2, B3, B4, B5, B6, B7, C0, C1, C2, C3, C4, C5, C6, C7, D0, D1, D2, D3, D4,
        D5, D6, D7, E0,
    }
}

fn point() -> Type {
    Type::Record(vec![Type::F64, Type::F64])
}

fn record() -> Type {
    Type::Record(vec![Type::String, Type::list(Type::U16), Type::option(point())])
}

fn variant() -> Type {
    Type::Variant(vec![
        None,
        Some(Type::String),
        Some(Type::Tuple(vec![Type::U64, point()])),
        Some(Type::list(record())),
    ])
}

/// Holds that a Rust type does with values of a type, damaged or not, and with any bytes, what the model does.
fn agree<T: Encode + Decode>(ty: &Type) {
    let config = ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 400 },
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let any_bytes = vec(prop_oneof![0..3u8, any::<u8>()], 0..40);
    let strategy = (model::values(ty), model::damage(), any_bytes);
    let ran = TestRunner::new(config).run(&strategy, |(value, damage, any_bytes)| {
        let whole = model::bytes(&value);
        prop_assert!(from_bytes::<T>(&whole).is_ok(), "a value is refused: {:?}", whole);
        prop_assert!(whole.len() >= T::MIN_SIZE);
        let mut damaged = whole.clone();
        damage.iter().for_each(|damage| damage.to(&mut damaged));
        for bytes in [whole, damaged, any_bytes] {
            let decoded = from_bytes::<T>(&bytes);
            prop_assert_eq!(decoded.is_ok(), model::accepts(ty, &bytes), "{:?}", &bytes);
            prop_assert_eq!(decoded.is_ok(), check(&bytes, ty).is_ok());
            if let Ok(decoded) = decoded {
                // The same bytes, which also says that each value has one form.
                prop_assert_eq!(to_bytes(&decoded), bytes);
            }
        }
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{}: {failure}", std::any::type_name::<T>());
    }
}

#[test]
fn scalars_agree_with_the_model() {
    agree::<bool>(&Type::Bool);
    agree::<u8>(&Type::U8);
    agree::<i8>(&Type::S8);
    agree::<u16>(&Type::U16);
    agree::<i16>(&Type::S16);
    agree::<u32>(&Type::U32);
    agree::<i32>(&Type::S32);
    agree::<u64>(&Type::U64);
    agree::<i64>(&Type::S64);
    agree::<f32>(&Type::F32);
    agree::<f64>(&Type::F64);
    agree::<char>(&Type::Char);
    agree::<String>(&Type::String);
    agree::<()>(&Type::Tuple(vec![]));
}

#[test]
fn lists_agree_with_the_model() {
    agree::<Vec<bool>>(&Type::list(Type::Bool));
    agree::<Vec<u8>>(&Type::list(Type::U8));
    agree::<Vec<i8>>(&Type::list(Type::S8));
    agree::<Vec<u16>>(&Type::list(Type::U16));
    agree::<Vec<i32>>(&Type::list(Type::S32));
    agree::<Vec<u64>>(&Type::list(Type::U64));
    agree::<Vec<f32>>(&Type::list(Type::F32));
    agree::<Vec<f64>>(&Type::list(Type::F64));
    agree::<Vec<char>>(&Type::list(Type::Char));
    agree::<Vec<String>>(&Type::list(Type::String));
    agree::<Vec<Vec<u8>>>(&Type::list(Type::list(Type::U8)));
    agree::<Vec<Point>>(&Type::list(point()));
    agree::<Vec<Variant>>(&Type::list(variant()));
    agree::<[u8; 5]>(&Type::fixed_list(Type::U8, 5));
    agree::<[f64; 2]>(&Type::fixed_list(Type::F64, 2));
    agree::<[Record; 2]>(&Type::fixed_list(record(), 2));
    agree::<Vec<[bool; 3]>>(&Type::list(Type::fixed_list(Type::Bool, 3)));
}

#[test]
fn wrapped_values_agree_with_the_model() {
    agree::<Box<str>>(&Type::String);
    agree::<Box<[u32]>>(&Type::list(Type::U32));
    agree::<Box<Point>>(&point());
    agree::<Cow<'static, str>>(&Type::String);
    agree::<Cow<'static, [u16]>>(&Type::list(Type::U16));
}

#[test]
fn tuples_agree_with_the_model() {
    agree::<(u32,)>(&Type::Tuple(vec![Type::U32]));
    agree::<(u8, String, bool)>(&Type::Tuple(vec![Type::U8, Type::String, Type::Bool]));
    type T = u8;
    agree::<(T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T)>(&Type::Tuple(vec![Type::U8; 16]));
}

#[test]
fn options_and_results_agree_with_the_model() {
    agree::<Option<u32>>(&Type::option(Type::U32));
    agree::<Option<Option<bool>>>(&Type::option(Type::option(Type::Bool)));
    agree::<Result<u32, String>>(&Type::result(Type::U32, Type::String));
    agree::<Result<(), Enum>>(&Type::result(None, Type::Enum(3)));
    agree::<Result<Vec<f64>, ()>>(&Type::result(Type::list(Type::F64), None));
    agree::<Result<(), ()>>(&Type::result(None, None));
}

#[test]
fn derived_types_agree_with_the_model() {
    agree::<Record>(&record());
    agree::<Tuple>(&Type::Tuple(vec![Type::U8, Type::Char, point()]));
    agree::<Newtype>(&Type::list(Type::Bool));
    agree::<Variant>(&variant());
    agree::<Enum>(&Type::Enum(3));
    agree::<Generic<i16, 3>>(&Type::Record(vec![Type::fixed_list(Type::S16, 3), Type::option(Type::S16)]));
    let mut many = vec![None; MANY - 1];
    many.push(Some(Type::U16));
    agree::<Many>(&Type::Variant(many));
}

#[test]
fn flags_agree_with_the_model() {
    agree::<Few>(&Type::Flags(3));
    agree::<Some9>(&Type::Flags(9));
    agree::<Lots>(&Type::Flags(33));
    agree::<Vec<Lots>>(&Type::list(Type::Flags(33)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 400 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn maps_agree_with_lists_of_pairs(entries in vec((any::<u8>(), ".{0,3}"), 0..40)) {
        let bytes = to_bytes(&entries);
        // Of entries with the same key the last one counts, as it does where a map is collected.
        let tree = entries.iter().cloned().collect::<BTreeMap<_, _>>();
        let table = entries.iter().cloned().collect::<HashMap<_, _>>();
        prop_assert_eq!(to_bytes(&tree), to_bytes(&tree.iter().collect::<Vec<_>>()));
        prop_assert_eq!(from_bytes(&bytes), Ok(tree));
        prop_assert_eq!(from_bytes(&bytes), Ok(table.clone()));
        prop_assert_eq!(from_bytes(&to_bytes(&table)), Ok(table));
    }

    #[test]
    fn long_lists_come_out_as_they_went_in(numbers in vec(any::<i32>(), 0..600), flags in vec(any::<bool>(), 0..600)) {
        prop_assert_eq!(from_bytes::<Vec<i32>>(&to_bytes(&numbers)), Ok(numbers.clone()));
        prop_assert_eq!(from_bytes::<Vec<bool>>(&to_bytes(&flags)), Ok(flags));
        let one_by_one = numbers.iter().flat_map(to_bytes).collect::<Vec<u8>>();
        prop_assert_eq!(&to_bytes(&numbers)[4..], one_by_one);
    }
}

#[test]
fn floats_keep_their_bits() {
    let nan = f64::from_bits(0x7ff4_0000_dead_beef);
    assert_eq!(to_bytes(&[nan]), nan.to_bits().to_le_bytes());
    assert_eq!(from_bytes(&to_bytes(&nan)).map(f64::to_bits), Ok(nan.to_bits()));
    assert_eq!(from_bytes(&to_bytes(&-0.0f32)).map(f32::to_bits), Ok((-0.0f32).to_bits()));
}

#[test]
fn errors_name_the_byte_and_what_is_wrong() {
    let message = |result: Result<(), kokoro_value::DecodeError>| result.expect_err("no value").to_string();
    let of = |bytes: &[u8], ty: Type| message(check(bytes, &ty));
    let start = "not a value of this type: at byte ";
    assert_eq!(of(&[1, 0, 0], Type::U32), format!("{start}0, 4 more belong, and 3 are left"));
    assert_eq!(of(&[1, 0, 0], Type::U16), format!("{start}2, the value is complete, and 1 more follow"));
    assert_eq!(of(&[2, 0, 0, 0, 1, 7], Type::list(Type::Bool)), format!("{start}5, 7 is no bool, which is 0 or 1"));
    let surrogate = 0xd800u32.to_le_bytes();
    assert_eq!(of(&surrogate, Type::Char), format!("{start}0, 0xd800 is no char, which is a Unicode scalar value"));
    assert_eq!(of(&[2, 0, 0, 0, b'a', 0xff], Type::String), format!("{start}5, the string is not UTF-8"));
    assert_eq!(of(&[3], Type::Enum(3)), format!("{start}0, 3 is the discriminant of no case, of which there are 3"));
    assert_eq!(of(&[0, 2], Type::Flags(9)), format!("{start}1, a bit is set that belongs to none of the 9 labels"));
    assert_eq!(
        message(from_bytes::<Vec<u64>>(&u32::MAX.to_le_bytes()).map(drop)),
        format!("{start}4, {} more belong, and 0 are left", 8 * u64::from(u32::MAX))
    );
}

#[test]
fn sets_of_labels_are_sets() {
    let mut set = Lots::A0 | Lots::E0;
    assert!(set.contains(Lots::E0) && set.intersects(Lots::A0 | Lots::B1) && !set.contains(Lots::A0 | Lots::B1));
    assert_eq!(format!("{set:?}"), "Lots(A0 | E0)");
    set.set(Lots::C3, true);
    set.set(Lots::A0, false);
    assert_eq!(set, Lots::C3 | Lots::E0);
    assert_eq!(!!set, set);
    assert_eq!((!set) & set, Lots::default());
    assert_eq!(to_bytes(&Lots::all()), [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    assert!(Lots::empty().is_empty() && (set - set).is_empty());
}

#[test]
fn an_encoder_is_used_again() {
    let mut encoder = Encoder::from(vec![9]);
    7u8.encode(&mut encoder);
    assert_eq!(encoder.bytes(), [9, 7]);
    encoder.clear();
    "a".encode(&mut encoder);
    assert_eq!(encoder.into_bytes(), [1, 0, 0, 0, b'a']);
}

#[test]
fn what_is_large_goes_to_the_outlet_and_the_form_stays_the_same() {
    let bytes = vec![7_u8; 5_000];
    let numbers: Vec<u64> = (0..3_000).collect();
    let words: Vec<String> = (0..2_000).map(|i| format!("word {i}")).collect();
    let value = ((1_u8, bytes, "text"), numbers, words, vec![true; 4_096], "k".repeat(10_000), 9_u16);
    let expected = to_bytes(&value);
    for most in [0, 10, 5_000, 40_000, expected.len() - 1] {
        let mut out = Vec::new();
        let mut encoder = Encoder::new().with_outlet(&mut out, most);
        // Used again, it begins again.
        value.encode(&mut encoder);
        assert!(encoder.finish().unwrap());
        3_u8.encode(&mut encoder);
        assert_eq!(encoder.finish().unwrap(), most == 0);
        assert_eq!(encoder.into_bytes(), if most == 0 { &[][..] } else { &[3] });
        let rest = out.split_off(expected.len());
        assert!(out == expected, "most {most}");
        assert_eq!(rest, if most == 0 { &[3][..] } else { &[] });
    }
    let mut out = Vec::new();
    let mut encoder = Encoder::new().with_outlet(&mut out, expected.len());
    value.encode(&mut encoder);
    assert!(!encoder.finish().unwrap());
    assert!(encoder.bytes() == expected);
    assert!(out.is_empty());
}

#[test]
fn an_outlet_that_fails_is_told_at_the_end() {
    let mut room = [0_u8; 6_000];
    let mut outlet = &mut room[..];
    let mut encoder = Encoder::new().with_outlet(&mut outlet, 0);
    (vec![1_u8; 5_000], vec![2_u8; 5_000], vec![3_u8; 5_000]).encode(&mut encoder);
    assert_eq!(encoder.finish().unwrap_err().kind(), std::io::ErrorKind::WriteZero);
    "a".encode(&mut encoder);
    assert!(encoder.finish().is_err());
}
