//! Lists by number, all in one piece.

use std::ops::Range;

/// A list for each of the numbers from 0.
#[derive(Debug)]
pub(super) struct Lists {
    /// Where each list ends; it begins where the one before it ends.
    ends: Vec<usize>,
    items: Vec<usize>,
}

impl Lists {
    /// `pairs` are the lists' numbers and items. The items of one list stay in this order.
    pub(super) fn new(lists: usize, pairs: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let mut ends = vec![0; lists];
        pairs.clone().for_each(|(list, _)| ends[list] += 1);
        let mut items = 0;
        for end in &mut ends {
            // For the time being where it begins.
            items += std::mem::replace(end, items);
        }
        let mut items = vec![0; items];
        for (list, item) in pairs {
            items[ends[list]] = item;
            ends[list] += 1;
        }
        Self { ends, items }
    }

    pub(super) fn of(&self, list: usize) -> &[usize] {
        &self.items[self.range(list)]
    }

    /// Where a list is in what all lists together are.
    pub(super) fn range(&self, list: usize) -> Range<usize> {
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[list]
    }

    /// All lists, one after another.
    pub(super) fn all(&self) -> &[usize] {
        &self.items
    }
}
