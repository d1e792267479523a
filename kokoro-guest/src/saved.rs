//! What an instance hands to the one that takes its place.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A saved state: bytes in the form CBOR, and the version of what is in them.
///
/// `planet!` makes and reads it where the field [`saved`](crate::planet!#saved-state) is given; a function that migrates the
/// state of an older release gets it. It is also of use to tests of such a function, and to Planets that export
/// `kokoro:core/saved-state` themselves:
///
/// ```
/// use kokoro_guest::Saved;
/// use saved_state::Snapshot;
///
/// kokoro_guest::planet! {
///     state: Visits,
///     exports: ["kokoro:core/saved-state@0.1.0"],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Visits {
///     count: u64,
///     title: String, // from a file, read again by each instance
/// }
///
/// impl saved_state::Guest for Visits {
///     fn save(&mut self) -> Result<Snapshot, String> {
///         let saved = Saved::write(1, &self.count)?;
///         Ok(Snapshot { version: saved.version(), data: saved.into_data() })
///     }
///
///     fn restore(&mut self, snapshot: Snapshot) -> Result<(), String> {
///         if snapshot.version != 1 {
///             return Err(format!("the saved state has version {}, not 1", snapshot.version));
///         }
///         self.count = Saved::new(snapshot.version, snapshot.data).read()?;
///         Ok(())
///     }
/// }
/// # fn main() {
/// #     use saved_state::Guest as _;
/// #     let snapshot = Visits { count: 7, title: "old".to_owned() }.save().unwrap();
/// #     let mut new = Visits { count: 0, title: "new".to_owned() };
/// #     assert_eq!(new.restore(snapshot), Ok(()));
/// #     assert_eq!((new.count, &*new.title), (7, "new"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    version: u32,
    data: Vec<u8>,
}

impl Saved {
    /// What somebody else has saved.
    #[must_use]
    pub fn new(version: u32, data: Vec<u8>) -> Self {
        Self { version, data }
    }

    /// Saves a value, in a form that has this version.
    ///
    /// # Errors
    ///
    /// The value's `Serialize` fails.
    pub fn write<T: Serialize + ?Sized>(version: u32, value: &T) -> Result<Self, SavedError> {
        let mut data = Vec::new();
        match ciborium::into_writer(value, &mut data) {
            Ok(()) => Ok(Self { version, data }),
            Err(error) => Err(SavedError { task: Task::Write, reason: of_writing(error) }),
        }
    }

    /// The version of the form, as whoever saved it counts.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Reads what was saved as a `T`. The version is not looked at.
    ///
    /// # Errors
    ///
    /// The data is no CBOR, is nested more than 256 deep, or no `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SavedError> {
        let mut rest = self.data.as_slice();
        let read = ciborium::from_reader(&mut rest).map_err(of_reading);
        let read = read.and_then(|value| match rest.len() {
            0 => Ok(value),
            more => Err(format!("{more} bytes follow its end")),
        });
        read.map_err(|reason| SavedError { task: Task::Read, reason })
    }

    /// The bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, for good.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

/// Why a value cannot be saved, or what was saved cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedError {
    task: Task,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Write,
    Read,
}

impl SavedError {
    /// The reason without what failed over it.
    pub(crate) fn into_reason(self) -> String {
        self.reason
    }
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.task {
            Task::Write => "the state cannot be saved",
            Task::Read => "the saved data cannot be read",
        };
        write!(f, "{what}: {}", self.reason)
    }
}

impl std::error::Error for SavedError {}

impl From<SavedError> for String {
    fn from(error: SavedError) -> Self {
        error.to_string()
    }
}

/// ciborium's errors show themselves in the form of `Debug`.
fn of_reading(error: ciborium::de::Error<std::io::Error>) -> String {
    use ciborium::de::Error;
    match error {
        Error::Io(_) => "it ends too early".to_owned(),
        Error::Syntax(place) => format!("byte {place} is not CBOR"),
        Error::Semantic(_, reason) => reason,
        Error::RecursionLimitExceeded => "it is nested too deep".to_owned(),
    }
}

fn of_writing(error: ciborium::ser::Error<std::io::Error>) -> String {
    use ciborium::ser::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::Value(reason) => reason,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Polygon { points: Vec<(i32, i32)> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        count: u64,
        shapes: Vec<Shape>,
        names: BTreeMap<u32, Option<String>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct New {
        count: u32,
        names: BTreeMap<u32, Option<String>>,
        title: Option<String>,
        #[serde(default)]
        limit: u8,
    }

    fn old() -> Old {
        Old {
            count: 7,
            shapes: vec![Shape::Dot, Shape::Circle(0.1), Shape::Polygon { points: vec![(1, -1), (0, i32::MIN)] }],
            names: [(3, None), (5, Some("five".to_owned()))].into(),
        }
    }

    fn reason_of<T: DeserializeOwned + fmt::Debug>(data: &[u8]) -> String {
        Saved::new(1, data.to_owned()).read::<T>().expect_err("an error").to_string()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let saved = Saved::write(3, &old()).unwrap();
        assert_eq!(saved.version(), 3);
        assert_eq!(saved.read(), Ok(old()));
        assert_eq!(Saved::new(3, saved.data().to_owned()), saved);
    }

    #[test]
    fn fields_may_come_and_go() {
        let new = New { count: 7, names: old().names, title: None, limit: 0 };
        assert_eq!(Saved::write(1, &old()).unwrap().read(), Ok(new));
    }

    #[test]
    fn the_form_is_cbor() {
        // RFC 8949: a map of one pair, text of five bytes, 1000 in two bytes.
        let saved = Saved::write(1, &BTreeMap::from([("count", 1000)])).unwrap();
        assert_eq!(saved.into_data(), b"\xa1\x65count\x19\x03\xe8");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let data = Saved::write(1, &old()).unwrap().into_data();
        let cut = &data[..data.len() - 1];
        assert_eq!(reason_of::<Old>(cut), "the saved data cannot be read: it ends too early");
        assert_eq!(reason_of::<Old>(&[]), "the saved data cannot be read: it ends too early");
        assert_eq!(reason_of::<Old>(&[0x1c]), "the saved data cannot be read: byte 0 is not CBOR");
        let longer = [&data[..], &[0, 0]].concat();
        assert_eq!(reason_of::<Old>(&longer), "the saved data cannot be read: 2 bytes follow its end");
        assert_eq!(reason_of::<Old>(b"\xa0"), "the saved data cannot be read: missing field `count`");
        assert!(reason_of::<u8>(b"\x19\x03\xe8").contains("expected u8"));
    }

    #[test]
    fn no_data_makes_it_panic_or_ask_for_much_memory() {
        let deep = vec![0x81; 100_000];
        assert_eq!(reason_of::<serde::de::IgnoredAny>(&deep), "the saved data cannot be read: it is nested too deep");
        // An array that claims to have 2^62 elements.
        assert!(reason_of::<Vec<u64>>(b"\x9b\x40\0\0\0\0\0\0\0\0").ends_with("it ends too early"));
    }

    #[test]
    fn what_cannot_be_saved_says_why() {
        struct Locked;
        impl Serialize for Locked {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("it is locked"))
            }
        }
        let error = Saved::write(1, &Locked).unwrap_err();
        assert_eq!(String::from(error), "the state cannot be saved: it is locked");
    }
}
