//! Rust values to bytes.

use std::fmt;
use std::io::{self, Write};

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
    fn encode(&self, to: &mut Encoder<'_>);

    /// Appends elements of a list, without the count. Types whose elements can be copied whole do that here.
    fn encode_list(list: &[Self], to: &mut Encoder<'_>)
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
#[derive(Debug, Default)]
pub struct Encoder<'o> {
    bytes: Vec<u8>,
    outlet: Option<Outlet<'o>>,
}

/// Where what is large goes.
struct Outlet<'o> {
    to: &'o mut dyn Write,
    most: usize,
    /// Whether anything has gone there.
    flows: bool,
    error: Option<io::Error>,
}

/// Strings and lists of so many bytes are worth a way of their own: 4 KiB.
const LARGE: usize = 4 << 10;

impl<'o> Encoder<'o> {
    /// One without bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has a value of more than `most` bytes go to `to`, so that what is large in it is copied there at once.
    ///
    /// What is small is gathered first, and what an encoder has so far belongs to the value. After the value comes
    /// [`finish`](Self::finish).
    ///
    /// ```
    /// use kokoro_value::{Encode, Encoder};
    ///
    /// let mut file = Vec::new();
    /// let mut encoder = Encoder::new().with_outlet(&mut file, 1_000);
    /// ("large", vec![7_u8; 100_000]).encode(&mut encoder);
    /// assert!(encoder.finish()?);
    /// assert_eq!(file.len(), 4 + 5 + 4 + 100_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_outlet(self, to: &'o mut dyn Write, most: usize) -> Self {
        Self { bytes: self.bytes, outlet: Some(Outlet { to, most, flows: false, error: None }) }
    }

    /// Ends a value, and tells whether it is where the outlet leads, or else, as at most `most` bytes, here. Without an outlet it is
    /// always here.
    ///
    /// # Errors
    ///
    /// The first one of the outlet. What has come out of it then is no value.
    pub fn finish(&mut self) -> io::Result<bool> {
        let Some(outlet) = &mut self.outlet else { return Ok(false) };
        if outlet.flows || self.bytes.len() > outlet.most {
            outlet.write(&self.bytes);
            self.bytes.clear();
        }
        let flows = std::mem::take(&mut outlet.flows);
        outlet.error.take().map_or(Ok(flows), Err)
    }

    /// What has been written, and has not gone to the outlet.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What has been written, and has not gone to the outlet, to keep.
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
        if bytes.len() >= LARGE && self.flows(bytes.len()) {
            self.flow(bytes);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Whether so many more bytes go to the outlet.
    fn flows(&self, more: usize) -> bool {
        self.outlet.as_ref().is_some_and(|outlet| outlet.flows || more > outlet.most.saturating_sub(self.bytes.len()))
    }

    /// Has bytes go to the outlet, after what has been gathered.
    fn flow(&mut self, bytes: &[u8]) {
        let Some(outlet) = &mut self.outlet else { return };
        outlet.write(&self.bytes);
        self.bytes.clear();
        outlet.write(bytes);
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
        let size = N * list.len();
        let flows = size >= LARGE && self.flows(size);
        if !flows {
            self.bytes.reserve(size);
        }
        let mut block = [[0; N]; BLOCK];
        for elements in list.chunks(BLOCK) {
            for (place, element) in block.iter_mut().zip(elements) {
                *place = bytes(element);
            }
            let bytes = block[..elements.len()].as_flattened();
            if flows { self.flow(bytes) } else { self.bytes.extend_from_slice(bytes) }
        }
    }
}

impl Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.flows = true;
        if self.error.is_none() {
            self.error = self.to.write_all(bytes).err();
        }
    }
}

impl fmt::Debug for Outlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("most", &self.most).field("flows", &self.flows).finish_non_exhaustive()
    }
}

/// Appends to bytes that are there already.
impl From<Vec<u8>> for Encoder<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, outlet: None }
    }
}
