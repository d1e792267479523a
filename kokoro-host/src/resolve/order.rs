//! The order in which Planets start.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Choice;
use super::{Problem, Provider};

/// For each Planet that is yet to start: those that have to, or had better, start before it.
struct Before<'a> {
    required: BTreeSet<&'a str>,
    optional: BTreeSet<&'a str>,
}

/// Providers before those whom they serve, ties by name. Where optional imports lead round in a circle, one of them is
/// disregarded: required imports alone never do.
pub(super) fn order(problem: &Problem<'_>, choice: &Choice) -> Vec<String> {
    let starts = |name: &str| choice.runs(name) && problem.members.get(name).is_some_and(|m| m.bound.is_none());
    let mut open: BTreeMap<&str, Before<'_>> = BTreeMap::new();
    for (name, member) in problem.members.iter().filter(|(name, _)| starts(name)) {
        let mut before = Before { required: BTreeSet::new(), optional: BTreeSet::new() };
        for (import, provider) in &choice.bindings[*name] {
            match provider {
                Provider::Planet { name: provider, .. } if starts(provider) => {
                    let required = member.manifest.requires.contains(import);
                    let set = if required { &mut before.required } else { &mut before.optional };
                    set.insert(provider);
                }
                _ => {}
            }
        }
        open.insert(name, before);
    }
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, before) in &open {
        for provider in before.required.union(&before.optional) {
            dependents.entry(provider).or_default().push(name);
        }
    }
    let is_free = |before: &Before<'_>| before.required.is_empty() && before.optional.is_empty();
    let mut free: BTreeSet<&str> = open.iter().filter(|(_, before)| is_free(before)).map(|(name, _)| *name).collect();
    let mut order = Vec::new();
    while !open.is_empty() {
        let name = free.pop_first().unwrap_or_else(|| break_circle(&open));
        open.remove(name);
        order.push(name.to_owned());
        for dependent in dependents.get(name).into_iter().flatten() {
            if let Some(before) = open.get_mut(dependent) {
                before.required.remove(name);
                before.optional.remove(name);
                if is_free(before) {
                    free.insert(dependent);
                }
            }
        }
    }
    order
}

/// Nobody is free, so everybody waits for a circle or is in one. The next to start is the first by name that is in a
/// circle, that only optional imports keep from starting, and that waits for nothing outside of its circle.
fn break_circle<'a>(open: &BTreeMap<&'a str, Before<'a>>) -> &'a str {
    let reach = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(name) = next.pop() {
            for &provider in open[name].required.union(&open[name].optional) {
                if seen.insert(provider) {
                    next.push(provider);
                }
            }
        }
        seen
    };
    open.iter()
        .filter(|(_, before)| before.required.is_empty())
        .map(|(name, _)| *name)
        .find(|name| reach(name).iter().all(|other| reach(other).contains(name)))
        .expect("required imports form no cycle, so some circle can be entered through an optional one")
}
