//! Rust values to bytes.

use crate::layout::{discriminant_size, flags_size};

/// A type whose values have the self-contained form.
///
/// Derive it for records, tuples, variants and enums ([`macro@crate::Encode`]); [`flags!`](crate::flags) makes flags. By hand, a
/// type does what the type of WIT that it stands for does:
///
/// ```
/// use kokoro_value::{Encode, Encoder};
///
/// /// `record { host: string, port: u16 }`
/// struct Address(std::net::SocketAddr);
///
/// impl Encode for Address {
///     fn encode(&self, to: &mut Encoder) {
///         self.0.ip().to_string().encode(to);
///         self.0.port().encode(to);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no self-contained form",
    note = "the types of WIT have it: numbers with a width, `bool`, `char`, strings, lists, tuples, `Option`, `Result` and maps of these",
    note = "if `{Self}` is yours: `#[derive(kokoro_value::Encode)]`, or `kokoro_value::flags!`"
)]
pub trait Encode {
    /// Appends the value.
    fn encode(&self, to: &mut Encoder);

    /// Appends elements of a list, without the count. Types whose elements can be copied whole do that here.
    fn encode_list(list: &[Self], to: &mut Encoder)
    where
        Self: Sized,
    {
        for element in list {
            element.encode(to);
        }
    }
}

/// The self-contained form of a value, in bytes of its own.
///
/// # Panics
///
/// If the value has a string, list or map of more than `u32::MAX` bytes or elements, which has no form.
pub fn to_bytes<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::new();
    value.encode(&mut encoder);
    encoder.into_bytes()
}

/// Where values are written to: a growing row of bytes.
///
/// Who encodes often uses one again, because a buffer that is warm costs a tenth of a new one:
///
/// ```
/// use kokoro_value::{Encode, Encoder};
///
/// let mut encoder = Encoder::new();
/// for word in ["one", "two"] {
///     encoder.clear();
///     word.encode(&mut encoder);
///     assert_eq!(encoder.bytes()[..4], [3, 0, 0, 0]);
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// One without bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What has been written, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Forgets what has been written, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Appends bytes as they are: part of a value whose form is known otherwise.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends the count that a string, list or map begins with: of bytes, elements or entries.
    ///
    /// # Panics
    ///
    /// If it is more than `u32::MAX`.
    #[inline]
    pub fn count(&mut self, count: usize) {
        let Ok(count) = u32::try_from(count) else {
            panic!("{count} bytes or elements are too many for a value: a count has 32 bits")
        };
        self.put(&count.to_le_bytes());
    }

    /// Appends the discriminant of the case `index`, counted from 0, of a type with `cases` cases. The payload, if it has one,
    /// comes after it.
    #[inline]
    pub fn discriminant(&mut self, index: u32, cases: usize) {
        let bytes = index.to_le_bytes();
        self.put(&bytes[..discriminant_size(cases)]);
    }

    /// Appends flags with `labels` labels. Bit `i % 8` of byte `i / 8` of `bits` is label `i`; bytes that are not there
    /// are 0, and those that belong to no label are left out.
    pub fn flags(&mut self, bits: &[u8], labels: usize) {
        let size = flags_size(labels);
        let end = self.bytes.len() + size;
        self.put(&bits[..bits.len().min(size)]);
        self.bytes.resize(end, 0);
    }

    /// Appends elements of `N` bytes each. By blocks, because that becomes copies of whole registers, and a block stays
    /// in the nearest cache.
    pub(crate) fn elements<T, const N: usize>(&mut self, list: &[T], bytes: impl Fn(&T) -> [u8; N]) {
        const BLOCK: usize = 128;
        self.bytes.reserve(N * list.len());
        let mut block = [[0; N]; BLOCK];
        for elements in list.chunks(BLOCK) {
            for (place, element) in block.iter_mut().zip(elements) {
                *place = bytes(element);
            }
            self.bytes.extend_from_slice(block[..elements.len()].as_flattened());
        }
    }
}

/// Appends to bytes that are there already.
impl From<Vec<u8>> for Encoder {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}
