//! What is sent there and back.

/// A function of `bench:calls/echo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    Nop,
    /// Two `u32` there, one back.
    Add,
    /// `string`.
    Text,
    /// `list<u8>`.
    Bytes,
    /// `list<f64>`.
    Floats,
    /// `list<u32>`.
    Numbers,
    /// `list<record of two f64>`.
    Points,
    /// `list<record of two f64 and a string>`.
    Places,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// As files and results name it.
    pub name: &'static str,
    /// As people read it.
    pub title: &'static str,
    /// What is called.
    pub work: Work,
    /// With how many elements; 1 where there are none to count.
    pub length: u32,
}

const fn case(name: &'static str, title: &'static str, work: Work, length: u32) -> Case {
    Case { name, title, work, length }
}

/// All rows, in the order of the table.
pub const CASES: [Case; 11] = [
    case("nop", "nothing", Work::Nop, 1),
    case("add", "two `u32`", Work::Add, 1),
    case("text-16", "`string`, 16 bytes", Work::Text, 16),
    case("text-1k", "`string`, 1 KiB", Work::Text, 1 << 10),
    case("bytes-4k", "`list<u8>`, 4 KiB", Work::Bytes, 4 << 10),
    case("bytes-1m", "`list<u8>`, 1 MiB", Work::Bytes, 1 << 20),
    case("floats-1m", "`list<f64>`, 1 MiB", Work::Floats, 1 << 17),
    case("numbers-1m", "`list<u32>`, 1 MiB", Work::Numbers, 1 << 18),
    case("points-1m", "`list<record { f64, f64 }>`, 1 MiB", Work::Points, 1 << 16),
    case("places-1000", "1,000 `record { f64, f64, string }`", Work::Places, 1_000),
    case("bytes-64m", "`list<u8>`, 64 MiB", Work::Bytes, 64 << 20),
];

/// The rows for what goes to another process.
pub const PROCESSES: [Case; 7] = [
    case("add", "two `u32`", Work::Add, 1),
    case("text-64", "`string`, 64 bytes", Work::Text, 64),
    case("bytes-4k", "`list<u8>`, 4 KiB", Work::Bytes, 4 << 10),
    case("bytes-64k", "`list<u8>`, 64 KiB", Work::Bytes, 64 << 10),
    case("bytes-1m", "`list<u8>`, 1 MiB", Work::Bytes, 1 << 20),
    case("bytes-16m", "`list<u8>`, 16 MiB", Work::Bytes, 16 << 20),
    case("places-1000", "1,000 `record { f64, f64, string }`", Work::Places, 1_000),
];

/// `record point`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// `x`.
    pub x: f64,
    /// `y`.
    pub y: f64,
}

/// `record place`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// `x`.
    pub x: f64,
    /// `y`.
    pub y: f64,
    /// `name`.
    pub name: String,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing.
    Nop,
    /// Two numbers.
    Add(u32, u32),
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Numbers.
    Floats(Vec<f64>),
    /// Numbers.
    Numbers(Vec<u32>),
    /// Records that are plain.
    Points(Vec<Point>),
    /// Records that are not.
    Places(Vec<Place>),
}

impl Case {
    /// How many bytes somebody sends who knows nothing of values: those of the value, and at least 64.
    pub fn bytes(&self) -> usize {
        let bytes = match self.value() {
            Value::Nop | Value::Add(..) => 0,
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Floats(floats) => 8 * floats.len(),
            Value::Numbers(numbers) => 4 * numbers.len(),
            Value::Points(points) => 16 * points.len(),
            Value::Places(places) => places.iter().map(|place| 20 + place.name.len()).sum(),
        };
        bytes.max(64)
    }

    /// The value that is sent, the same one that Planets (plugins) send.
    pub fn value(&self) -> Value {
        let numbers = 0..self.length;
        match self.work {
            Work::Nop => Value::Nop,
            Work::Add => Value::Add(0, 3),
            Work::Text => Value::Text("k".repeat(self.length as usize)),
            Work::Bytes => Value::Bytes(numbers.map(|i| i.to_le_bytes()[0]).collect()),
            Work::Floats => Value::Floats(numbers.map(f64::from).collect()),
            Work::Numbers => Value::Numbers(numbers.collect()),
            Work::Points => Value::Points(numbers.map(|i| Point { x: f64::from(i), y: 0.5 }).collect()),
            Work::Places => {
                let place = |i| Place { x: f64::from(i), y: 0.5, name: format!("place {i}") };
                Value::Places(numbers.map(place).collect())
            }
        }
    }
}
