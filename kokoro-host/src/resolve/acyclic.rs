//! Choices that never lead round in a circle.

use super::offers::Id;

/// For each consumer its providers, of which it chooses one after another; and a place for each Planet, above the places
/// of all whom it has chosen.
///
/// As long as a provider has a lower place than its consumer, nothing has to be looked at to know that choosing it closes
/// no cycle. Otherwise only what lies between the two can be concerned, and changes places. (The idea is Pearce's and
/// Kelly's: A Dynamic Topological Sort Algorithm for Directed Acyclic Graphs, 2006.)
#[derive(Debug)]
pub(super) struct Places {
    place: Vec<usize>,
    seen: Vec<bool>,
}

impl Places {
    /// `place` has a different one for each Planet, of which some can be missing in the choices.
    pub(super) fn new(place: Vec<usize>) -> Self {
        let seen = vec![false; place.len()];
        Self { place, seen }
    }

    /// Makes room for `consumer` to choose `provider`, if that closes no cycle; says whether it does not.
    ///
    /// `providers` and `consumers` add to a list whom a Planet has chosen, and who has chosen it.
    pub(super) fn admit(
        &mut self,
        consumer: Id,
        provider: Id,
        providers: impl Fn(Id, &mut Vec<Id>),
        consumers: impl Fn(Id, &mut Vec<Id>),
    ) -> bool {
        let (low, high) = (self.place[consumer], self.place[provider]);
        if high < low {
            return true;
        }
        let mut below = self.reach(provider, |place| place >= low, providers);
        if below.contains(&consumer) {
            return false;
        }
        let mut above = self.reach(consumer, |place| place <= high, consumers);
        // The same places as before, for what the provider needs first.
        below.sort_unstable_by_key(|id| self.place[*id]);
        above.sort_unstable_by_key(|id| self.place[*id]);
        below.append(&mut above);
        let mut places: Vec<usize> = below.iter().map(|id| self.place[*id]).collect();
        places.sort_unstable();
        for (id, place) in below.into_iter().zip(places) {
            self.place[id] = place;
        }
        true
    }

    /// All that can be reached by `next` in some places.
    fn reach(&mut self, from: Id, within: impl Fn(usize) -> bool, next: impl Fn(Id, &mut Vec<Id>)) -> Vec<Id> {
        let mut reached = Vec::new();
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            if within(self.place[id]) && !std::mem::replace(&mut self.seen[id], true) {
                reached.push(id);
                next(id, &mut open);
            }
        }
        for id in &reached {
            self.seen[*id] = false;
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Id, Places};

    const COUNT: usize = 12;

    fn reaches(chosen: &BTreeSet<(Id, Id)>, from: Id, to: Id) -> bool {
        let next = chosen.iter().filter(|(consumer, _)| *consumer == from);
        from == to || next.into_iter().any(|(_, provider)| reaches(chosen, *provider, to))
    }

    proptest! {
        #[test]
        fn exactly_what_would_close_a_cycle_is_not_admitted(
            choices in prop::collection::vec((0..COUNT, 0..COUNT, any::<bool>()), 0..80),
        ) {
            let mut places = Places::new((0..COUNT).rev().collect());
            let mut chosen: BTreeSet<(Id, Id)> = BTreeSet::new();
            for (consumer, provider, drops) in choices.into_iter().filter(|(consumer, provider, _)| consumer != provider) {
                if drops && chosen.remove(&(consumer, provider)) {
                    continue;
                }
                let providers = |id: Id, to: &mut Vec<Id>| to.extend(chosen.iter().filter(|c| c.0 == id).map(|c| c.1));
                let consumers = |id: Id, to: &mut Vec<Id>| to.extend(chosen.iter().filter(|c| c.1 == id).map(|c| c.0));
                let admitted = places.admit(consumer, provider, providers, consumers);
                prop_assert_eq!(admitted, !reaches(&chosen, provider, consumer));
                if admitted {
                    chosen.insert((consumer, provider));
                }
            }
        }
    }
}
