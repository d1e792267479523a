//! Maps: lists of pairs of a key and a value.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::DecodeError;

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self, to: &mut Encoder) {
        to.count(self.len());
        for entry in self {
            entry.encode(to);
        }
    }
}

/// Of entries with the same key the last one counts.
impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    const MIN_SIZE: usize = <Vec<(K, V)>>::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = from.count()?;
        from.room_for::<(K, V)>(count)?;
        let mut map = Self::new();
        for _ in 0..count {
            let (key, value) = Decode::decode(from)?;
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// In no particular order: two that are equal may have different bytes.
impl<K: Encode, V: Encode, S> Encode for HashMap<K, V, S> {
    fn encode(&self, to: &mut Encoder) {
        to.count(self.len());
        for entry in self {
            entry.encode(to);
        }
    }
}

/// Of entries with the same key the last one counts.
impl<K: Decode + Eq + Hash, V: Decode, S: BuildHasher + Default> Decode for HashMap<K, V, S> {
    const MIN_SIZE: usize = <Vec<(K, V)>>::MIN_SIZE;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = from.count()?;
        let mut map = Self::with_capacity_and_hasher(from.room_for::<(K, V)>(count)?, S::default());
        for _ in 0..count {
            let (key, value) = Decode::decode(from)?;
            map.insert(key, value);
        }
        Ok(map)
    }
}
