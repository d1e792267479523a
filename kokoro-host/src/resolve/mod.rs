//! Which Planets (plugins) run, in which order, and who serves whom: manifests in, plan out.
//!
//! Pure: no Wasmtime, no input or output, no clock. The same manifests give the same plan, in whatever order they come.
//!
//! What a plan promises:
//!
//! - bound required imports form no cycle;
//! - a Planet that starts has every required import bound to a Planet that runs by then, or to the application;
//! - no Planet waits or stops that could run under some choice of providers without a cycle;
//! - of several providers the preferred one is taken, else the newest of the track, else the first by name, and one is
//!   passed over only where taking it would close a cycle;
//! - what is bound already stays as it is, unless its provider can run no more or somebody could not run otherwise;
//! - Planets stop before those that serve them, as far as there is no circle of optional imports.

mod acyclic;
mod choice;
mod explain;
mod lists;
mod names;
mod offers;
mod order;
mod sort;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use crate::interface::InterfaceName;
use crate::manifest::Manifest;

pub(crate) use self::explain::explain;
pub use self::explain::{Contender, Dependency};
use self::offers::Offers;
pub use self::waiting::{Obstacle, Unmet, Waiting};

/// Who serves an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub(crate) enum Provider {
    /// The application itself.
    Host,
    /// A Satellite of the importing Planet's own: its program.
    Satellite(String),
    /// The Planet of this name, by its export of this name (of the import's track, but perhaps of another version).
    Planet {
        /// The Planet's name.
        name: String,
        /// The export.
        export: InterfaceName,
    },
}

impl Provider {
    /// Whether it is the Planet of this name.
    pub(crate) fn is(&self, planet: &str) -> bool {
        matches!(self, Self::Planet { name, .. } if name == planet)
    }
}

/// A Planet that may run.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) manifest: &'a Manifest,
    /// The exports that count.
    pub(crate) provides: &'a BTreeSet<InterfaceName>,
    /// The exports that do not count.
    pub(crate) withheld: &'a BTreeSet<InterfaceName>,
    /// If it runs: what is bound and still serves. A required import that is not in it needs another provider.
    pub(crate) bound: Option<BTreeMap<InterfaceName, Provider>>,
}

/// A Planet that cannot run, whatever happens to others: only there to be named in reasons.
#[derive(Debug, Clone)]
pub(crate) struct Outsider<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) provides: &'a BTreeSet<InterfaceName>,
    /// A sentence about it: `it has failed: ...`.
    pub(crate) reason: String,
}

/// A pair that does not fit together: the importing Planet, its import, and who cannot serve it.
pub(crate) type Pair = (String, InterfaceName, Provider);

/// All that decides who runs.
#[derive(Debug, Clone)]
pub(crate) struct Problem<'a> {
    pub(crate) members: BTreeMap<&'a str, Member<'a>>,
    pub(crate) outsiders: BTreeMap<&'a str, Outsider<'a>>,
    /// The interfaces that the application serves. No Planet takes their place.
    pub(crate) host: BTreeSet<InterfaceName>,
    /// Pairs whose types do not fit, with the reason.
    pub(crate) unfit: &'a BTreeMap<Pair, String>,
    /// Which Planet the application prefers for the interfaces of a path (`acme:log/sink`).
    pub(crate) preferred: &'a BTreeMap<String, String>,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// The Planets that run and cannot any more, in the order in which they have to stop. They are among those that wait.
    pub(crate) stops: Vec<String>,
    /// The Planets to start, in this order.
    pub(crate) order: Vec<String>,
    /// For every Planet that runs or is to start: its imports, and who serves them. An optional import that nobody serves
    /// is not in it.
    pub(crate) bindings: BTreeMap<String, BTreeMap<InterfaceName, Provider>>,
    /// The Planets that wait, and for what.
    pub(crate) waiting: BTreeMap<String, Waiting>,
}

/// Works out the plan.
pub(crate) fn resolve(problem: &Problem<'_>) -> Plan {
    let offers = Offers::new(problem);
    let choice = choice::choose(&offers);
    let running = (0..offers.members.len()).filter(|id| choice.runs(*id));
    let bindings = running.map(|id| {
        let bound = choice.required(id).iter().chain(choice.optional(id));
        let bound = bound.map(|(import, by)| ((*import).clone(), offers.provider(*by)));
        (offers.names[id].to_owned(), bound.collect())
    });
    Plan {
        stops: order::stops(&offers, |id| !choice.runs(id)),
        order: order::starts(&offers, &choice),
        bindings: bindings.collect(),
        waiting: waiting::explain(&offers, &choice),
    }
}

/// In which order all stop who run: those that are served before those that serve them.
pub(crate) fn stop_order(problem: &Problem<'_>) -> Vec<String> {
    order::stops(&Offers::new(problem), |_| true)
}

#[cfg(test)]
mod tests;
