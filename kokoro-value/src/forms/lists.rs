//! Strings, lists and lists of fixed length.

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::DecodeError;

impl Encode for str {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        to.count(self.len());
        to.put(self.as_bytes());
    }
}

impl Encode for String {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        self.as_str().encode(to);
    }
}

impl Decode for String {
    const MIN_SIZE: usize = 4;

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.str().map(str::to_owned)
    }
}

impl<T: Encode> Encode for [T] {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        to.count(self.len());
        T::encode_list(self, to);
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        self.as_slice().encode(to);
    }
}

impl<T: Decode> Decode for Vec<T> {
    const MIN_SIZE: usize = {
        assert!(T::MIN_SIZE > 0, "elements of a list take up bytes; a list of nothing could not be told from a lie");
        4
    };

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        const { assert!(Self::MIN_SIZE > 0) };
        let count = from.count()?;
        T::decode_list(count, from)
    }
}

/// A list of fixed length: no count.
impl<T: Encode, const N: usize> Encode for [T; N] {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        T::encode_list(self, to);
    }
}

/// A list of fixed length: no count.
impl<T: Decode, const N: usize> Decode for [T; N] {
    const MIN_SIZE: usize = N * T::MIN_SIZE;

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode_array(from)
    }
}
