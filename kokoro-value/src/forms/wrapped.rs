//! References and boxes: the form of what is in them.

use std::borrow::Cow;

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::DecodeError;

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        (**self).encode(to);
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        (**self).encode(to);
    }
}

impl<T: Decode> Decode for Box<T> {
    const MIN_SIZE: usize = T::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(from).map(Self::new)
    }
}

impl Decode for Box<str> {
    const MIN_SIZE: usize = String::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.str().map(Self::from)
    }
}

impl<T: Decode> Decode for Box<[T]> {
    const MIN_SIZE: usize = <Vec<T>>::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Vec::decode(from).map(Vec::into_boxed_slice)
    }
}

impl<T: Encode + ToOwned + ?Sized> Encode for Cow<'_, T> {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        (**self).encode(to);
    }
}

/// Always owned: a value that was decoded borrows nothing.
impl<T: ToOwned<Owned: Decode> + ?Sized> Decode for Cow<'_, T> {
    const MIN_SIZE: usize = <T::Owned>::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::Owned::decode(from).map(Self::Owned)
    }
}
