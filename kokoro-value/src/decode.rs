//! Bytes to Rust values.

use crate::error::{DecodeError, Problem};
use crate::layout::{discriminant_size, flags_size};

/// A type whose values can be read from the self-contained form.
///
/// Derive it for records, tuples, variants and enums ([`macro@crate::Decode`]); [`flags!`](crate::flags) makes flags. By hand:
///
/// ```
/// use kokoro_value::{Decode, DecodeError, Decoder};
///
/// /// A `u16` that is not 0.
/// #[derive(Debug)]
/// struct Port(u16);
///
/// impl Decode for Port {
///     const MIN_SIZE: usize = u16::MIN_SIZE;
///
///     fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
///         match u16::decode(from)? {
///             0 => Err(from.refuse("0 is no port")),
///             port => Ok(Self(port)),
///         }
///     }
/// }
///
/// assert!(kokoro_value::from_bytes::<Port>(&[0, 0]).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the self-contained form",
    note = "the types of WIT can: numbers with a width, `bool`, `char`, strings, lists, tuples, `Option`, `Result` and maps of these",
    note = "if `{Self}` is yours: `#[derive(kokoro_value::Decode)]`, or `kokoro_value::flags!`"
)]
pub trait Decode: Sized {
    /// How many bytes the shortest value takes. What is allocated for a list is justified by it.
    ///
    /// A type that contains itself cannot say this, and WIT has no such types: the compiler reports a cycle.
    ///
    /// ```compile_fail,E0391
    /// #[derive(kokoro_value::Decode)]
    /// struct Folder {
    ///     entries: Vec<Entry>,
    /// }
    ///
    /// #[derive(kokoro_value::Decode)]
    /// enum Entry {
    ///     File(String),
    ///     Folder(Folder),
    /// }
    /// ```
    ///
    /// Of elements of a list it is at least 1. A count of elements without bytes could not be told from a lie.
    ///
    /// ```compile_fail,E0080
    /// #[derive(kokoro_value::Decode)]
    /// struct Nothings {
    ///     all: Vec<()>,
    /// }
    /// ```
    const MIN_SIZE: usize;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// If the next bytes are no value of this type. Some of them may have been read.
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Reads `count` elements of a list, whose count has been read. Types whose elements can be copied whole do that here.
    ///
    /// # Errors
    ///
    /// If the next bytes are not that many elements.
    fn decode_list(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut list = Vec::with_capacity(from.room_for::<Self>(count)?);
        for _ in 0..count {
            list.push(Self::decode(from)?);
        }
        Ok(list)
    }

    /// Reads a list of fixed length. Types whose elements can be copied whole do that here.
    ///
    /// # Errors
    ///
    /// If the next bytes are not `N` elements.
    fn decode_array<const N: usize>(from: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
        let mut error = None;
        let elements: [Option<Self>; N] = std::array::from_fn(|_| match error {
            None => Self::decode(from).map_err(|found| error = Some(found)).ok(),
            Some(_) => None,
        });
        match error {
            None => Ok(elements.map(|element| element.expect("each is there where none has failed"))),
            Some(error) => Err(error),
        }
    }
}

/// Reads the value that the bytes are.
///
/// # Errors
///
/// If they are no value of this type, or go on after it.
pub fn from_bytes<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    // Makes the compiler look whether the type has an end.
    const { assert!(T::MIN_SIZE < usize::MAX) };
    let mut decoder = Decoder::new(bytes);
    let value = T::decode(&mut decoder)?;
    decoder.finish()?;
    Ok(value)
}

/// Where values are read from: bytes, and how far they have been read.
///
/// After an error it stands somewhere in the middle of a value; there is nothing sensible to go on with.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Decoder<'a> {
    /// At the start of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, total: bytes.len() }
    }

    /// How many bytes have been read.
    #[inline]
    pub fn at(&self) -> usize {
        self.total - self.rest.len()
    }

    /// How many bytes are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// If bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::new(self.at(), Problem::LeftOver { left })),
        }
    }

    /// Takes the next bytes as they are.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    #[inline]
    pub fn take(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(size) else { return Err(self.short(Some(size))) };
        self.rest = rest;
        Ok(taken)
    }

    /// Takes the next `N` bytes as they are.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else { return Err(self.short(Some(N))) };
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes the bytes of `count` elements of `size` bytes each.
    pub(crate) fn take_elements(&mut self, count: usize, size: usize) -> Result<&'a [u8], DecodeError> {
        match count.checked_mul(size) {
            Some(size) => self.take(size),
            None => Err(self.short(None)),
        }
    }

    /// Reads the count that a string, list or map begins with.
    ///
    /// # Errors
    ///
    /// If the bytes end.
    #[inline]
    pub fn count(&mut self) -> Result<usize, DecodeError> {
        // No more than can be counted here can be there.
        Ok(usize::try_from(u32::from_le_bytes(self.array()?)).unwrap_or(usize::MAX))
    }

    /// Reads a string, without copying it.
    ///
    /// # Errors
    ///
    /// If the bytes end, or the string is not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, DecodeError> {
        let size = self.count()?;
        let start = self.at();
        let bytes = self.take(size)?;
        std::str::from_utf8(bytes).map_err(|error| DecodeError::new(start + error.valid_up_to(), Problem::Utf8))
    }

    /// Reads the discriminant of a type with this many cases: the index of the case, less than `cases`.
    ///
    /// # Errors
    ///
    /// If the bytes end, or there is no such case.
    #[inline]
    pub fn discriminant(&mut self, cases: usize) -> Result<u32, DecodeError> {
        let at = self.at();
        let found = match discriminant_size(cases) {
            1 => u32::from(u8::from_le_bytes(self.array()?)),
            2 => u32::from(u16::from_le_bytes(self.array()?)),
            _ => u32::from_le_bytes(self.array()?),
        };
        if usize::try_from(found).is_ok_and(|index| index < cases) {
            Ok(found)
        } else {
            Err(DecodeError::new(at, Problem::Discriminant { found, cases }))
        }
    }

    /// Reads flags with this many labels, [`flags_size`] bytes: bit `i % 8` of byte `i / 8` is label `i`.
    ///
    /// # Errors
    ///
    /// If the bytes end, or a bit is set that is no label.
    pub fn flags(&mut self, labels: usize) -> Result<&'a [u8], DecodeError> {
        let start = self.at();
        let bits = self.take(flags_size(labels))?;
        // Bits after the last label, in the byte that it ends in and in those after it.
        let first = labels / 8;
        let stray = bits.iter().enumerate().skip(first).find(|(index, byte)| {
            let no_labels = if *index == first { 0xff << (labels % 8) } else { 0xff };
            **byte & no_labels != 0
        });
        match stray {
            None => Ok(bits),
            Some((index, _)) => Err(DecodeError::new(start + index, Problem::Flags { labels })),
        }
    }

    /// For how many of `count` elements room can be made at once, so that no more memory is taken than there are bytes left,
    /// whatever a stranger's count says.
    ///
    /// # Errors
    ///
    /// If fewer bytes are left than that many elements take at the least.
    pub fn room_for<T: Decode>(&self, count: usize) -> Result<usize, DecodeError> {
        const {
            assert!(
                T::MIN_SIZE > 0,
                "elements of a list take up bytes; a list of nothing could not be told from a lie"
            );
        }
        match count.checked_mul(T::MIN_SIZE) {
            Some(size) if size <= self.left() => Ok(count.min(self.left() / size_of::<T>().max(1))),
            size => Err(self.short(size)),
        }
    }

    /// An error about what has just been read, for implementations of [`Decode`] that know more than the form: lower case, no
    /// full stop.
    #[cold]
    pub fn refuse(&self, why: impl Into<String>) -> DecodeError {
        DecodeError::new(self.at(), Problem::Other(why.into()))
    }

    #[cold]
    fn short(&self, needed: Option<usize>) -> DecodeError {
        DecodeError::new(self.at(), Problem::Short { needed, left: self.left() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_room_is_made_than_there_are_bytes() {
        // Larger in memory than in bytes: 24 and at least 4; 8,008 and at least 1.
        assert_eq!(Decoder::new(&[0; 4000]).room_for::<String>(1000), Ok(4000 / size_of::<String>()));
        assert_eq!(Decoder::new(&[0; 4000]).room_for::<Option<[u64; 1000]>>(4000), Ok(0));
        // A count that may be true.
        assert_eq!(Decoder::new(&[0; 4000]).room_for::<u64>(500), Ok(500));
        // Counts that cannot be.
        assert!(Decoder::new(&[0; 4000]).room_for::<u64>(501).is_err_and(|error| error.is_short()));
        assert!(Decoder::new(&[0; 4000]).room_for::<u64>(usize::MAX).is_err_and(|error| error.is_short()));
    }
}
