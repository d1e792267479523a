//! A topological sort that gets out of circles.

use std::collections::BTreeSet;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::lists::Lists;

/// Sorts the numbers below `count`, ties by number. Of each pair the first has to come before the second (`required`), or had
/// better (`optional`): where optional pairs lead round in a circle one of them is disregarded; required ones alone never do.
pub(super) fn sort(count: usize, required: &[(usize, usize)], optional: &[(usize, usize)]) -> Vec<usize> {
    let mut open = Open::new(count, required, optional);
    let mut sorted = Vec::with_capacity(count);
    while let Some(next) = open.next() {
        open.take(next);
        sorted.push(next);
    }
    sorted
}

/// Those that are still to come.
struct Open {
    is_open: Vec<bool>,
    required: Pairs,
    optional: Pairs,
    /// Those that nothing has to come before.
    free: BTreeSet<usize>,
    /// Made when nobody is free for the first time.
    circles: Option<Circles>,
}

/// Who comes before whom.
struct Pairs {
    after: Lists,
    /// How many that are still to come have to be before each.
    left: Vec<usize>,
}

impl Pairs {
    fn new(count: usize, pairs: &[(usize, usize)]) -> Self {
        let mut left = vec![0; count];
        pairs.iter().for_each(|(_, then)| left[*then] += 1);
        Self { after: Lists::new(count, pairs.iter().copied()), left }
    }
}

/// The strongly connected components of what is open: within one, everybody comes before everybody.
struct Circles {
    circle_of: Vec<usize>,
    circles: Vec<Circle>,
    /// In circles that wait for nothing outside: those that only optional pairs keep.
    entrances: BTreeSet<usize>,
    /// Circles of which so many are taken that what is left may be none any more.
    loosened: Vec<usize>,
}

struct Circle {
    all: Vec<usize>,
    /// How many are open.
    open: usize,
    /// How many pairs have the second here, and the first in another circle.
    outside: usize,
}

impl Open {
    fn new(count: usize, required: &[(usize, usize)], optional: &[(usize, usize)]) -> Self {
        let (required, optional) = (Pairs::new(count, required), Pairs::new(count, optional));
        let is_free = |one: &usize| required.left[*one] == 0 && optional.left[*one] == 0;
        let free = (0..count).filter(is_free).collect();
        Self { is_open: vec![true; count], free, required, optional, circles: None }
    }

    fn next(&mut self) -> Option<usize> {
        self.free.pop_first().or_else(|| self.enter_circle())
    }

    fn take(&mut self, taken: usize) {
        let Self { is_open, required, optional, free, circles } = self;
        is_open[taken] = false;
        required.after.of(taken).iter().for_each(|then| required.left[*then] -= 1);
        optional.after.of(taken).iter().for_each(|then| optional.left[*then] -= 1);
        let after = required.after.of(taken).iter().chain(optional.after.of(taken));
        let after = after.copied().filter(|then| is_open[*then]);
        free.extend(after.clone().filter(|then| required.left[*then] == 0 && optional.left[*then] == 0));

        let Some(Circles { circle_of, circles, entrances, loosened }) = circles else { return };
        let own = circle_of[taken];
        circles[own].open -= 1;
        if circles[own].is_loose() {
            loosened.push(own);
        }
        for then in after {
            let circle = &mut circles[circle_of[then]];
            if circle_of[then] != own {
                circle.outside -= 1;
                if circle.outside == 0 {
                    entrances.extend(circle.all.iter().filter(|one| required.left[**one] == 0));
                }
            } else if required.left[then] == 0 {
                entrances.insert(then);
            }
        }
    }

    /// Nobody is free, so everybody waits for a circle or is in one. The next is the first that is in a circle, that only
    /// optional pairs keep, and that waits for nothing outside of its circle.
    fn enter_circle(&mut self) -> Option<usize> {
        let count = self.is_open.len();
        let mut circles = self.circles.take().unwrap_or_else(|| {
            let mut circles = Circles {
                circle_of: vec![usize::MAX; count],
                circles: Vec::new(),
                entrances: BTreeSet::new(),
                loosened: Vec::new(),
            };
            circles.add(self, (0..count).filter(|one| self.is_open[*one]).collect());
            circles
        });
        for loose in std::mem::take(&mut circles.loosened) {
            let all = std::mem::take(&mut circles.circles[loose].all);
            circles.add(self, all.into_iter().filter(|one| self.is_open[*one]).collect());
        }
        let next = loop {
            match circles.entrances.pop_first() {
                Some(one) if !self.is_open[one] || self.required.left[one] > 0 => {}
                Some(one) if circles.circles[circles.circle_of[one]].outside > 0 => {}
                // If even required pairs lead round in a circle, that is no reason to lose somebody.
                None => break self.is_open.iter().position(|is_open| *is_open),
                found => break found,
            }
        };
        self.circles = Some(circles);
        next
    }
}

impl Circles {
    /// Finds the circles among some who were in one circle or in none.
    fn add(&mut self, open: &Open, all: Vec<usize>) {
        let first = self.circles.len();
        let mut graph = DiGraph::<usize, ()>::with_capacity(all.len(), 0);
        for (i, one) in all.iter().enumerate() {
            graph.add_node(*one);
            // For the time being everybody is a circle.
            self.circle_of[*one] = first + i;
        }
        let after = |one: usize| {
            let after = open.required.after.of(one).iter().chain(open.optional.after.of(one));
            after.copied().filter(|then| open.is_open[*then])
        };
        for (i, one) in all.iter().enumerate() {
            let among = after(*one).filter_map(|then| self.circle_of[then].checked_sub(first));
            for then in among.filter(|then| *then < all.len()) {
                graph.add_edge(NodeIndex::new(i), NodeIndex::new(then), ());
            }
        }
        for circle in kosaraju_scc(&graph) {
            let all: Vec<usize> = circle.into_iter().map(|i| graph[i]).collect();
            all.iter().for_each(|one| self.circle_of[*one] = self.circles.len());
            self.circles.push(Circle { open: all.len(), all, outside: 0 });
        }
        // Nobody outside of `all` comes before one of them: they were in one circle that waits for nothing outside, or are
        // all that are open.
        for one in all {
            for circle in after(one).map(|then| self.circle_of[then]) {
                if circle >= first && circle != self.circle_of[one] {
                    self.circles[circle].outside += 1;
                }
            }
        }
        for circle in self.circles[first..].iter().filter(|circle| circle.outside == 0) {
            self.entrances.extend(circle.all.iter().filter(|one| open.required.left[**one] == 0));
        }
    }
}

impl Circle {
    /// Whether it is time to look again what is left of it. Once for each that is taken would be best and too much for
    /// large circles: in those somebody who only waits for a circle may then pass for one who is in it.
    fn is_loose(&self) -> bool {
        self.open > 0 && (self.open <= 32 || self.open <= self.all.len() / 2)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::sort;

    /// What can be reached along pairs.
    fn reach(pairs: &[(usize, usize)], from: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(one) = open.pop() {
            let next = pairs.iter().filter(|(first, _)| *first == one).map(|(_, then)| *then);
            open.extend(next.filter(|then| seen.insert(*then)));
        }
        seen
    }

    proptest! {
        // More than are looked at one by one.
        #[test]
        fn only_pairs_in_circles_are_disregarded(
            required in prop::collection::vec((0..70usize, 1..70usize), 0..60),
            optional in prop::collection::vec((0..70usize, 0..70usize), 0..200),
        ) {
            let required: Vec<_> = required.into_iter().map(|(first, more)| (first, first + more)).collect();
            let optional: Vec<_> = optional.into_iter().filter(|(first, then)| first != then).collect();
            let count = 140;
            let sorted = sort(count, &required, &optional);
            let mut place = vec![None; count];
            sorted.iter().enumerate().for_each(|(at, one)| place[*one] = Some(at));
            prop_assert_eq!(sorted.len(), count);
            prop_assert!(place.iter().all(Option::is_some));
            prop_assert!(required.iter().all(|(first, then)| place[*first] < place[*then]));
            let all = [&required[..], &optional[..]].concat();
            for (first, then) in optional.iter().filter(|(first, then)| place[*first] > place[*then]) {
                prop_assert!(reach(&all, *then).contains(first), "{} comes before {} and is in no circle", then, first);
            }
        }
    }

    #[test]
    fn not_even_those_who_require_each_other_are_lost() {
        assert_eq!(sort(3, &[(0, 1), (1, 0), (1, 2)], &[]), [0, 1, 2]);
    }
}
