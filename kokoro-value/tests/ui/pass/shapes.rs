#![deny(warnings)]

use std::borrow::Cow;

use kokoro_value::{Decode, Encode, from_bytes, to_bytes};

#[derive(Encode, Decode)]
struct Pair<A, B = A>
where
    B: Clone,
{
    first: A,
    r#type: B,
}

#[derive(Encode, Decode)]
struct Newtype(f64);

#[derive(Encode, Decode)]
struct Grid<const N: usize>([[u8; N]; N]);

#[derive(Encode, Decode)]
struct Borrowed<'a> {
    text: Cow<'a, str>,
    bytes: Cow<'a, [u8]>,
}

#[derive(Encode)]
struct Written<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

#[derive(Encode, Decode)]
enum Only {
    One,
}

/// Names that the expansion uses itself.
#[allow(non_camel_case_types)]
#[derive(Encode, Decode)]
struct Names {
    to: u8,
    from: u8,
    payload: Payload,
}

#[derive(Encode, Decode)]
enum Payload {
    Nothing,
    Something(Box<Pair<u8, String>>),
}

mod elsewhere {
    pub mod value {
        pub use kokoro_value::*;
    }
}

#[derive(elsewhere::value::Encode, elsewhere::value::Decode)]
#[value(crate = crate::elsewhere::value)]
enum Renamed {
    A(u8),
    B,
}

kokoro_value::flags! {
    pub(crate) struct Mode { READ, WRITE }
}

fn main() {
    assert_eq!(to_bytes(&Pair { first: 1u8, r#type: 2u16 }), [1, 2, 0]);
    assert_eq!(to_bytes(&Newtype(1.0)).len(), 8);
    assert_eq!(to_bytes(&Grid([[1, 2], [3, 4]])), [1, 2, 3, 4]);
    let borrowed = Borrowed { text: "a".into(), bytes: (&[1u8]).into() };
    assert_eq!(to_bytes(&borrowed), to_bytes(&Written { text: "a", bytes: &[1] }));
    assert!(from_bytes::<Borrowed>(&to_bytes(&borrowed)).is_ok());
    assert_eq!(to_bytes(&Only::One), [0]);
    let names = Names { to: 1, from: 2, payload: Payload::Nothing };
    assert_eq!(to_bytes(&names), [1, 2, 0]);
    let something = Payload::Something(Box::new(Pair { first: 7, r#type: String::new() }));
    assert_eq!(to_bytes(&something), [1, 7, 0, 0, 0, 0]);
    assert_eq!(to_bytes(&[Renamed::A(3), Renamed::B]), [0, 3, 1]);
    assert_eq!(to_bytes(&(Mode::READ | Mode::WRITE)), [3]);
}
