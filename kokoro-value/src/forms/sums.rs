//! Options and results.

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::DecodeError;

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        match self {
            None => to.discriminant(0, 2),
            Some(value) => {
                to.discriminant(1, 2);
                value.encode(to);
            }
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    const MIN_SIZE: usize = {
        // Only asked for, so that a type that contains itself is found out here as well.
        let _ = T::MIN_SIZE;
        1
    };

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.discriminant(2)? {
            0 => Ok(None),
            _ => T::decode(from).map(Some),
        }
    }
}

impl<T: Encode, E: Encode> Encode for Result<T, E> {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        match self {
            Ok(value) => {
                to.discriminant(0, 2);
                value.encode(to);
            }
            Err(error) => {
                to.discriminant(1, 2);
                error.encode(to);
            }
        }
    }
}

impl<T: Decode, E: Decode> Decode for Result<T, E> {
    const MIN_SIZE: usize = 1 + crate::rt::min(&[T::MIN_SIZE, E::MIN_SIZE]);

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.discriminant(2)? {
            0 => T::decode(from).map(Ok),
            _ => E::decode(from).map(Err),
        }
    }
}
