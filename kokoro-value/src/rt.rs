//! What the macros' output calls. Not for direct use; no stability is promised.

use std::fmt;

use crate::decode::Decoder;
use crate::encode::Encoder;
use crate::error::DecodeError;

/// The smallest of some numbers, of which there is one.
pub const fn min(numbers: &[usize]) -> usize {
    let mut smallest = numbers[0];
    let mut index = 1;
    while index < numbers.len() {
        if numbers[index] < smallest {
            smallest = numbers[index];
        }
        index += 1;
    }
    smallest
}

/// The set of flags whose labels are at the places of `N` bytes' bits: label `i` is bit `i % 8` of byte `i / 8`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits<const N: usize>([u8; N]);

impl<const N: usize> Bits<N> {
    /// No label.
    pub const EMPTY: Self = Self([0; N]);

    /// The one label that is called `name`.
    pub const fn named(name: &str, labels: &[&str]) -> Self {
        let mut index = 0;
        while !same(name.as_bytes(), labels[index].as_bytes()) {
            index += 1;
        }
        let mut bits = [0; N];
        bits[index / 8] = 1 << (index % 8);
        Self(bits)
    }

    /// The first `labels` labels.
    pub const fn first(labels: usize) -> Self {
        let mut bits = [0; N];
        let mut index = 0;
        while index < labels {
            bits[index / 8] |= 1 << (index % 8);
            index += 1;
        }
        Self(bits)
    }

    /// Those in one or the other.
    pub const fn or(mut self, other: Self) -> Self {
        let mut byte = 0;
        while byte < N {
            self.0[byte] |= other.0[byte];
            byte += 1;
        }
        self
    }

    /// Those in both.
    pub const fn and(mut self, other: Self) -> Self {
        let mut byte = 0;
        while byte < N {
            self.0[byte] &= other.0[byte];
            byte += 1;
        }
        self
    }

    /// Those in this and not in the other.
    pub const fn without(mut self, other: Self) -> Self {
        let mut byte = 0;
        while byte < N {
            self.0[byte] &= !other.0[byte];
            byte += 1;
        }
        self
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        let mut byte = 0;
        while byte < N {
            if self.0[byte] != 0 {
                return false;
            }
            byte += 1;
        }
        true
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; N] {
        self.0
    }

    /// Appends them.
    pub fn encode(&self, labels: usize, to: &mut Encoder) {
        to.flags(&self.0, labels);
    }

    /// Reads them.
    ///
    /// # Errors
    ///
    /// If the bytes end, or a bit is set that is no label.
    pub fn decode(labels: usize, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut bits = [0; N];
        bits.copy_from_slice(from.flags(labels)?);
        Ok(Self(bits))
    }

    /// Writes the names of those that are set: `READ | WRITE`.
    ///
    /// # Errors
    ///
    /// As the formatter's.
    pub fn names(&self, labels: &[&str], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = labels.iter().enumerate().filter(|(index, _)| self.0[index / 8] & (1 << (index % 8)) != 0);
        for (place, (_, name)) in set.enumerate() {
            let between = if place == 0 { "" } else { " | " };
            write!(f, "{between}{name}")?;
        }
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Bits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
