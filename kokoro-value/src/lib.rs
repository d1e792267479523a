//! WIT values as bytes that stand for themselves: no pointers, no dependency, one layout.
//!
//! This is the form in which values cross from one Planet (plugin) to another, and between an application and its Satellites. It is
//! complete in itself: bytes from another process or another machine are as good as one's own. What type they are of, they do
//! not say; that is agreed on beforehand, in WIT. Plugin authors do not need this crate: `kokoro-guest`, `kokoro-satellite` and
//! `kokoro-host` use it. [A page with examples](https://github.com/BERADQ/kokoro-rs/blob/main/docs/values.md) is for who writes the other
//! side in another language.
//!
//! ```
//! use kokoro_value::{Decode, Encode, from_bytes, to_bytes};
//!
//! /// `record place { name: string, at: option<point> }`
//! #[derive(Debug, PartialEq, Encode, Decode)]
//! struct Place {
//!     name: String,
//!     at: Option<Point>,
//! }
//!
//! /// `record point { x: s16, y: s16 }`
//! #[derive(Debug, PartialEq, Encode, Decode)]
//! struct Point {
//!     x: i16,
//!     y: i16,
//! }
//!
//! let place = Place { name: "inn".to_owned(), at: Some(Point { x: 1, y: -1 }) };
//! let bytes = to_bytes(&place);
//! assert_eq!(bytes, [3, 0, 0, 0, b'i', b'n', b'n', 1, 1, 0, 0xff, 0xff]);
//! assert_eq!(from_bytes::<Place>(&bytes)?, place);
//! # Ok::<(), kokoro_value::DecodeError>(())
//! ```
//!
//! # The form
//!
//! Little-endian. Nothing is aligned, nothing is padded, everything comes in the order of the WIT.
//!
//! | type | bytes |
//! |---|---|
//! | `bool` | 1: 0 or 1 |
//! | `u8` `s8` | 1 |
//! | `u16` `s16` | 2, signed ones in two's complement |
//! | `u32` `s32` | 4 |
//! | `u64` `s64` | 8 |
//! | `f32` `f64` | 4 and 8: the bits of IEEE 754, those of a NaN too |
//! | `char` | 4: a Unicode scalar value as a `u32` |
//! | `string` | a `u32`, how many bytes follow; then the string in UTF-8 |
//! | `list<T>` | a `u32`, how many elements follow; then the elements |
//! | `list<T, n>` | the `n` elements |
//! | `map<K, V>` | as `list<tuple<K, V>>`. Of entries with the same key the last one counts |
//! | `tuple` `record` | the fields |
//! | `variant` `enum` | the discriminant, which is the case's index from 0: in 1 byte for up to 256 cases, 2 for up to 65,536, else 4; then the payload, if that case has one |
//! | `option<T>` | 0 for `none`; 1 and the value for `some` |
//! | `result<T, E>` | 0 and the value for `ok`; 1 and the value for `err`; no value where the type has none |
//! | `flags` | 1 byte for up to 8 labels, 2 for up to 16, else 4 for each 32 that are begun. Label `i` is bit `i % 8` of byte `i / 8`; bits that are no label are 0 |
//!
//! The parameters of a function are the tuple of their types. Its result is the bare value, or no bytes if it has none.
//!
//! Handles of resources (`own`, `borrow`) are no data. Where two sides can hand them to each other, a table of them goes beside the
//! bytes, and in the bytes is a `u32`, the index into that table. Where there is no such table, and that is everywhere in this
//! crate, types with handles have no form. `future`, `stream` and `error-context` have none.
//!
//! # What a decoder refuses
//!
//! Whoever sent the bytes may lie. [`from_bytes`] and [`check`] refuse bytes that end too early or go on after the value, a
//! `bool` that is neither 0 nor 1, a `char` that is no Unicode scalar value, a string that is not UTF-8, a discriminant of no case, a
//! flag that is no label, and counts of more elements than the bytes have room for. What they allocate is at no time more than the
//! bytes that are there justify: a constant times their number, which depends on the type, as an empty `Option` in Rust takes up the
//! room of a full one. So each value has one form, except for `NaN`s, which keep their bits, and for maps, whose entries
//! may come in any order and more than once; and what was decoded and is encoded again gives the same bytes.
//!
//! # Rust types
//!
//! | WIT | Rust |
//! |---|---|
//! | numbers, `bool`, `char` | the type of that name; `s32` is [`i32`] |
//! | `string` | [`String`]; to encode also [`str`]; [`Box`] and [`Cow`](std::borrow::Cow) of it |
//! | `list<T>` | [`Vec`]; to encode also slices; [`Box`] and [`Cow`](std::borrow::Cow) of these |
//! | `list<T, n>` | arrays |
//! | `map<K, V>` | [`BTreeMap`](std::collections::BTreeMap), [`HashMap`](std::collections::HashMap) |
//! | `tuple` | tuples of up to 16, and tuple structs with a derive |
//! | `record` | structs with a derive |
//! | `variant` `enum` | enums with a derive |
//! | `option` `result` | [`Option`], [`Result`], with `()` for an absent type |
//! | `flags` | what [`flags!`] makes |
//!
//! Derives come with the feature `derive`, which is on by default and brings the only dependency.

// Nothing in here needs it: what is copied whole goes through the standard library's slices.
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod flags;
mod forms;
mod layout;
#[doc(hidden)]
pub mod rt;
mod types;

pub use self::decode::{Decode, Decoder, from_bytes};
pub use self::encode::{Encode, Encoder, to_bytes};
pub use self::error::DecodeError;
pub use self::layout::{discriminant_size, flags_size};
pub use self::types::{Type, check};

/// Reads a struct (a record or a tuple) or an enum (a variant or an enum of WIT); see [`Encode`](macro@Encode).
#[cfg(feature = "derive")]
pub use kokoro_macros::Decode;

/// Writes a struct (a record or a tuple) or an enum (a variant or an enum of WIT).
///
/// ```
/// use kokoro_value::{Decode, Encode, to_bytes};
///
/// /// `record size { width: u16, height: u16 }`
/// #[derive(Encode, Decode)]
/// struct Size {
///     width: u16,
///     height: u16,
/// }
///
/// /// `variant shape { point, circle(u16), rectangle(size), label(tuple<size, string>) }`
/// #[derive(Encode, Decode)]
/// enum Shape {
///     Point,
///     Circle(u16),
///     Rectangle(Size),
///     Label((Size, String)),
/// }
///
/// /// `tuple<u8, u8>`. With one field it would have the form of that field.
/// #[derive(Encode, Decode)]
/// struct Version(u8, u8);
///
/// assert_eq!(to_bytes(&Shape::Rectangle(Size { width: 2, height: 3 })), [2, 2, 0, 3, 0]);
/// assert_eq!(to_bytes(&Version(1, 4)), [1, 4]);
/// ```
///
/// Fields and cases count in the order in which they are written. A case has no payload or one; several values in it are a tuple or a
/// struct of their own. Type parameters have to have the form themselves. A type cannot contain itself, as none of WIT can.
///
/// Where this crate goes by another path, `#[value(crate = other::path)]` on the type names it.
#[cfg(feature = "derive")]
pub use kokoro_macros::Encode;
