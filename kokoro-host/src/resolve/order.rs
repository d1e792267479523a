//! The order in which Planets start and stop.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::choice::Choice;
use super::{Problem, Provider};

/// Those that have to, or had better, come before another.
#[derive(Debug)]
struct Before<K> {
    required: BTreeSet<K>,
    optional: BTreeSet<K>,
}

impl<K> Default for Before<K> {
    fn default() -> Self {
        Self { required: BTreeSet::new(), optional: BTreeSet::new() }
    }
}

impl<K> Before<K> {
    fn is_empty(&self) -> bool {
        self.required.is_empty() && self.optional.is_empty()
    }
}

/// The Planets that start: providers before those whom they serve, ties by name.
///
/// Who runs already and has lost a provider does not serve before it has another: whoever requires it starts after that.
pub(super) fn starts(problem: &Problem<'_>, choice: &Choice) -> Vec<String> {
    // Those that run need no start, so they come as early as they can.
    let key = |name| problem.members.get_key_value(name).map(|(name, member)| (member.bound.is_none(), *name));
    let running = problem.members.iter().filter(|(name, _)| choice.runs(name));
    let before = running.filter_map(|(name, member)| {
        let mut before = Before::default();
        for (import, provider) in &choice.bindings[*name] {
            let Provider::Planet { name: provider, .. } = provider else { continue };
            let Some(provider) = key(provider.as_str()) else { continue };
            if member.manifest.requires.contains(import) {
                before.required.insert(provider);
            } else if member.bound.is_none() {
                before.optional.insert(provider);
            }
        }
        Some((key(name)?, before))
    });
    let sorted = sort(before.collect());
    sorted.into_iter().filter(|(starts, _)| *starts).map(|(_, name)| name.to_owned()).collect()
}

/// The Planets that stop: those that are served before those that serve them, ties by name, the last first.
pub(super) fn stops(problem: &Problem<'_>, choice: &Choice) -> Vec<String> {
    let stopping = |name: &str| problem.members.get(name).filter(|_| !choice.runs(name))?.bound.as_ref();
    let mut before: BTreeMap<Reverse<&str>, Before<Reverse<&str>>> = BTreeMap::new();
    for (name, member) in &problem.members {
        let Some(bound) = stopping(name) else { continue };
        before.entry(Reverse(name)).or_default();
        for (import, provider) in bound {
            match provider {
                Provider::Planet { name: provider, .. } if stopping(provider).is_some() => {
                    let before = before.entry(Reverse(provider)).or_default();
                    let required = member.manifest.requires.contains(import);
                    let set = if required { &mut before.required } else { &mut before.optional };
                    set.insert(Reverse(name));
                }
                _ => {}
            }
        }
    }
    sort(before).into_iter().map(|Reverse(name)| name.to_owned()).collect()
}

/// Sorts so that everybody comes after those that have to come before, ties by key. Where optional imports lead round in a
/// circle, one of them is disregarded: required imports alone never do.
fn sort<K: Ord + Copy>(mut open: BTreeMap<K, Before<K>>) -> Vec<K> {
    let mut after: BTreeMap<K, Vec<K>> = BTreeMap::new();
    for (key, before) in &open {
        for other in before.required.union(&before.optional) {
            after.entry(*other).or_default().push(*key);
        }
    }
    let mut free: BTreeSet<K> = open.iter().filter(|(_, before)| before.is_empty()).map(|(key, _)| *key).collect();
    let mut sorted = Vec::new();
    while !open.is_empty() {
        let key = free.pop_first().unwrap_or_else(|| break_circle(&open));
        open.remove(&key);
        sorted.push(key);
        for later in after.get(&key).into_iter().flatten() {
            if let Some(before) = open.get_mut(later) {
                before.required.remove(&key);
                before.optional.remove(&key);
                if before.is_empty() {
                    free.insert(*later);
                }
            }
        }
    }
    sorted
}

/// Nobody is free, so everybody waits for a circle or is in one. The next is the first that is in a circle, that only
/// optional imports keep, and that waits for nothing outside of its circle.
fn break_circle<K: Ord + Copy>(open: &BTreeMap<K, Before<K>>) -> K {
    let reach = |from: K| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(key) = next.pop() {
            for &other in open[&key].required.union(&open[&key].optional) {
                if seen.insert(other) {
                    next.push(other);
                }
            }
        }
        seen
    };
    open.iter()
        .filter(|(_, before)| before.required.is_empty())
        .map(|(key, _)| *key)
        .find(|key| reach(*key).iter().all(|other| reach(*other).contains(key)))
        .expect("required imports form no cycle, so some circle can be entered through an optional one")
}
