//! Numbers, `bool` and `char`.

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{DecodeError, Problem};

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Encode for $number {
            #[inline]
            fn encode(&self, to: &mut Encoder) {
                to.put(&self.to_le_bytes());
            }

            fn encode_list(list: &[Self], to: &mut Encoder) {
                to.elements(list, |number| number.to_le_bytes());
            }
        }

        impl Decode for $number {
            const MIN_SIZE: usize = size_of::<Self>();

            #[inline]
            fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_le_bytes(from.array()?))
            }

            fn decode_list(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
                let (elements, _) = from.take_elements(count, size_of::<Self>())?.as_chunks();
                Ok(elements.iter().map(|bytes| Self::from_le_bytes(*bytes)).collect())
            }

            fn decode_array<const N: usize>(from: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
                let (elements, _) = from.take_elements(N, size_of::<Self>())?.as_chunks();
                Ok(std::array::from_fn(|index| Self::from_le_bytes(elements[index])))
            }
        }
    )* };
}

numbers!(i8 u16 i16 u32 i32 u64 i64 f32 f64);

impl Encode for u8 {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        to.put(&[*self]);
    }

    fn encode_list(list: &[Self], to: &mut Encoder) {
        to.put(list);
    }
}

impl Decode for u8 {
    const MIN_SIZE: usize = 1;

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let [byte] = from.array()?;
        Ok(byte)
    }

    fn decode_list(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(from.take(count)?.to_vec())
    }

    fn decode_array<const N: usize>(from: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
        from.array()
    }
}

impl Encode for bool {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        to.put(&[u8::from(*self)]);
    }

    fn encode_list(list: &[Self], to: &mut Encoder) {
        to.elements(list, |value| [u8::from(*value)]);
    }
}

impl Decode for bool {
    const MIN_SIZE: usize = 1;

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        match u8::decode(from)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(DecodeError::new(at, Problem::Bool { found })),
        }
    }

    fn decode_list(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(bools(count, from)?.iter().map(|byte| *byte != 0).collect())
    }
}

/// Takes `count` bools, as the bytes that they are.
pub(crate) fn bools<'a>(count: usize, from: &mut Decoder<'a>) -> Result<&'a [u8], DecodeError> {
    let start = from.at();
    let bytes = from.take(count)?;
    // All together first: without a way out on each byte this is many bytes at once.
    if bytes.iter().fold(0, |all, byte| all | byte) <= 1 {
        return Ok(bytes);
    }
    match bytes.iter().enumerate().find(|(_, byte)| **byte > 1) {
        None => Ok(bytes),
        Some((index, found)) => Err(DecodeError::new(start + index, Problem::Bool { found: *found })),
    }
}

impl Encode for char {
    #[inline]
    fn encode(&self, to: &mut Encoder) {
        u32::from(*self).encode(to);
    }

    fn encode_list(list: &[Self], to: &mut Encoder) {
        to.elements(list, |value| u32::from(*value).to_le_bytes());
    }
}

impl Decode for char {
    const MIN_SIZE: usize = 4;

    #[inline]
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        let found = u32::decode(from)?;
        Self::from_u32(found).ok_or_else(|| DecodeError::new(at, Problem::Char { found }))
    }
}
