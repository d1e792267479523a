//! What a settled set of Planets (plugins) has to satisfy, told slowly and obviously, with nothing of the resolver's own
//! code. Used on plans (by the unit tests) and on running Primaries (by `settled.rs`).
#![allow(dead_code, unreachable_pub, reason = "unit tests and integration tests use different parts")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use proptest::prelude::*;

/// An interface of version `major.minor.0`. `ty` says which types it has: only equal ones fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    pub name: char,
    pub major: u64,
    pub minor: u64,
    pub ty: u8,
}

impl Interface {
    /// As in `t:a/i@1.2.0`.
    pub fn full(&self) -> String {
        format!("t:{}/i@{}.{}.0", self.name, self.major, self.minor)
    }

    /// Whether an export serves an import: one semver track, and the same types.
    pub fn serves(&self, import: &Interface) -> bool {
        (self.name, self.major, self.ty) == (import.name, import.major, import.ty)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Planet {
    pub requires: Vec<Interface>,
    pub optional: Vec<Interface>,
    pub provides: Vec<Interface>,
}

pub type Set = BTreeMap<String, Planet>;

/// What has become of a set.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    pub running: BTreeSet<String>,
    /// Those that run, in the order in which they started.
    pub order: Vec<String>,
    /// For a Planet and an import: the Planet that serves it.
    pub bound: BTreeMap<(String, String), String>,
}

/// Random sets of up to `most` Planets over few interfaces, so that cycles, rivals and gaps are common.
pub fn sets(most: usize) -> impl Strategy<Value = Set> {
    let interface = (0..5u8, 1..3u64, 0..3u64, 0..8u8).prop_map(|(name, major, minor, ty)| Interface {
        name: char::from(b'a' + name),
        major: if major == 2 && name > 1 { 1 } else { major },
        minor,
        ty: u8::from(ty == 7),
    });
    sets_of(1..=most, interface, 2, 0)
}

/// As [`sets`], over fewer interfaces that all fit, so that long chains run.
pub fn dense_sets(most: usize) -> impl Strategy<Value = Set> {
    let interface =
        (0..4u8, 0..2u64).prop_map(|(name, minor)| Interface { name: char::from(b'a' + name), major: 1, minor, ty: 0 });
    sets_of(4..=most.max(4), interface, 1, 2)
}

fn sets_of(
    size: RangeInclusive<usize>,
    interface: impl Strategy<Value = Interface> + Clone,
    most_optional: usize,
    least_provided: usize,
) -> impl Strategy<Value = Set> {
    let list = |length| prop::collection::vec(interface.clone(), length);
    let planet =
        (list(0..=2), list(0..=most_optional), list(least_provided..=3)).prop_map(|(requires, optional, provides)| {
            // One import a track, one export a version, and nothing both required and optional.
            let track = |i: &Interface| (i.name, i.major, i.minor);
            let mut seen = BTreeSet::new();
            let mut once =
                |list: Vec<Interface>| list.into_iter().filter(|i| seen.insert(track(i))).collect::<Vec<_>>();
            let (requires, optional) = (once(requires), once(optional));
            let mut seen = BTreeSet::new();
            let provides = provides.into_iter().filter(|i| seen.insert(track(i))).collect();
            Planet { requires, optional, provides }
        });
    prop::collection::vec(planet, size)
        .prop_map(|planets| planets.into_iter().enumerate().map(|(i, planet)| (format!("p{i}"), planet)).collect())
}

/// Checks every property; the error says which one does not hold.
pub fn check(set: &Set, outcome: &Outcome) -> Result<(), String> {
    let can_run: BTreeSet<String> = set.keys().filter(|name| can_run(set, name, &[])).cloned().collect();
    if outcome.running != can_run {
        return Err(format!("{:?} run, and {can_run:?} could", outcome.running));
    }
    let ordered: BTreeSet<String> = outcome.order.iter().cloned().collect();
    if ordered != outcome.running || ordered.len() != outcome.order.len() {
        return Err(format!("{:?} run, and {:?} were started", outcome.running, outcome.order));
    }
    for name in &outcome.running {
        if reaches(set, outcome, Edges::Required, name, name) {
            return Err(format!("`{name}` requires itself in the end"));
        }
        for import in &set[name].requires {
            check_required(set, outcome, name, import)?;
        }
        for import in &set[name].optional {
            let best = rivals(set, outcome, name, import).into_iter().next();
            let bound = outcome.bound.get(&(name.clone(), import.full()));
            if bound != best.as_ref() {
                return Err(format!("`{name}` has {bound:?} for its option {}, not {best:?}", import.full()));
            }
        }
    }
    check_order(set, outcome)
}

fn check_required(set: &Set, outcome: &Outcome, name: &str, import: &Interface) -> Result<(), String> {
    let full = import.full();
    let Some(bound) = outcome.bound.get(&(name.to_owned(), full.clone())) else {
        return Err(format!("`{name}` runs without {full}"));
    };
    let rivals = rivals(set, outcome, name, import);
    let Some(place) = rivals.iter().position(|rival| rival == bound) else {
        return Err(format!("`{name}` has {full} from `{bound}`, which does not run or fit"));
    };
    for better in &rivals[..place] {
        if !reaches(set, outcome, Edges::Required, better, name) {
            return Err(format!("`{name}` has {full} from `{bound}`, and nothing speaks against `{better}`"));
        }
    }
    Ok(())
}

fn check_order(set: &Set, outcome: &Outcome) -> Result<(), String> {
    let place = |name: &String| outcome.order.iter().position(|other| other == name);
    for ((name, import), provider) in &outcome.bound {
        let required = set[name].requires.iter().any(|i| i.full() == *import);
        let late = place(provider) > place(name);
        if late && (required || !reaches(set, outcome, Edges::All, provider, name)) {
            return Err(format!("`{provider}` starts after `{name}`, whom it serves {import}"));
        }
    }
    Ok(())
}

/// Whether a Planet can run: each required import has a provider that can run, on a way that never comes back.
pub fn can_run(set: &Set, name: &str, path: &[&str]) -> bool {
    let path = [path, &[name]].concat();
    set[name].requires.iter().all(|import| {
        set.iter().any(|(other, planet)| {
            !path.contains(&other.as_str())
                && planet.provides.iter().any(|export| export.serves(import))
                && can_run(set, other, &path)
        })
    })
}

/// The running Planets that could serve an import, the best first: the newest, else the first by name.
pub fn rivals(set: &Set, outcome: &Outcome, name: &str, import: &Interface) -> Vec<String> {
    let mut rivals: Vec<(std::cmp::Reverse<u64>, &String)> = Vec::new();
    for other in outcome.running.iter().filter(|other| *other != name) {
        let exports = set[other].provides.iter().filter(|export| export.serves(import));
        if let Some(newest) = exports.map(|export| export.minor).max() {
            rivals.push((std::cmp::Reverse(newest), other));
        }
    }
    rivals.sort();
    rivals.into_iter().map(|(_, name)| name.clone()).collect()
}

#[derive(Clone, Copy, PartialEq)]
pub enum Edges {
    Required,
    All,
}

/// Whether bound imports lead from one Planet to another, in one step or more.
pub fn reaches(set: &Set, outcome: &Outcome, edges: Edges, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        let imports = set[&name].requires.iter().chain(set[&name].optional.iter().filter(|_| edges == Edges::All));
        for import in imports {
            if let Some(provider) = outcome.bound.get(&(name.clone(), import.full())) {
                if provider == to {
                    return true;
                }
                if seen.insert(provider.clone()) {
                    open.push(provider.clone());
                }
            }
        }
    }
    false
}
