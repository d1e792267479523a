//! Why bytes are no value of a type.

use std::error::Error;
use std::fmt;

/// Bytes that are no value of the type that was asked for.
///
/// It names the byte, counted from the start of the value, and what is wrong there. Nothing in it is a stranger's text, so it
/// can be shown as it is. Who gets one has been sent something damaged, or something that was written for another type:
/// the two sides have to agree on the type beforehand, because the bytes do not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    // Boxed, so that what succeeds does not carry the room for it.
    cause: Box<Cause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    at: usize,
    problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// None: elements that take more bytes than a number can say.
    Short {
        needed: Option<usize>,
        left: usize,
    },
    LeftOver {
        left: usize,
    },
    Bool {
        found: u8,
    },
    Char {
        found: u32,
    },
    Utf8,
    Discriminant {
        found: u32,
        cases: usize,
    },
    Flags {
        labels: usize,
    },
    Other(String),
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(at: usize, problem: Problem) -> Self {
        Self { cause: Box::new(Cause { at, problem }) }
    }

    /// The byte that is wrong, counted from 0, or where the bytes end too early or should have ended.
    pub fn at(&self) -> usize {
        self.cause.at
    }

    /// Whether the bytes end before the value does: what is there could be the beginning of one.
    pub fn is_short(&self) -> bool {
        matches!(self.cause.problem, Problem::Short { .. })
    }

    /// Whether there is a whole value, and bytes after it.
    pub fn is_left_over(&self) -> bool {
        matches!(self.cause.problem, Problem::LeftOver { .. })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a value of this type: at byte {}, ", self.cause.at)?;
        match &self.cause.problem {
            Problem::Short { needed: Some(needed), left } => write!(f, "{needed} more belong, and {left} are left"),
            Problem::Short { needed: None, left } => write!(f, "more belong than can be counted, and {left} are left"),
            Problem::LeftOver { left } => write!(f, "the value is complete, and {left} more follow"),
            Problem::Bool { found } => write!(f, "{found} is no bool, which is 0 or 1"),
            Problem::Char { found } => write!(f, "{found:#x} is no char, which is a Unicode scalar value"),
            Problem::Utf8 => f.write_str("the string is not UTF-8"),
            Problem::Discriminant { found, cases } => {
                write!(f, "{found} is the discriminant of no case, of which there are {cases}")
            }
            Problem::Flags { labels } => write!(f, "a bit is set that belongs to none of the {labels} labels"),
            Problem::Other(why) => f.write_str(why),
        }
    }
}

impl Error for DecodeError {}
