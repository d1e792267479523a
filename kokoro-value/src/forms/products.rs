//! Tuples.

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::DecodeError;

/// Nothing, as the result of a function without one. No bytes, and so it can be no element of a list.
impl Encode for () {
    fn encode(&self, _: &mut Encoder) {}
}

/// Nothing, as the result of a function without one. No bytes, and so it can be no element of a list.
impl Decode for () {
    const MIN_SIZE: usize = 0;

    fn decode(_: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

macro_rules! tuples {
    ($(($($field:ident $index:tt)+))+) => { $(
        impl<$($field: Encode),+> Encode for ($($field,)+) {
            #[inline]
            fn encode(&self, to: &mut Encoder) {
                $(self.$index.encode(to);)+
            }
        }

        impl<$($field: Decode),+> Decode for ($($field,)+) {
            const MIN_SIZE: usize = 0 $(+ $field::MIN_SIZE)+;

            #[inline]
            fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(($($field::decode(from)?,)+))
            }
        }
    )+ };
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15)
}
