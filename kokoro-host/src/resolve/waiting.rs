//! Why a Planet waits.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use serde::Serialize;

use super::choice::Choice;
use super::names::Names;
use super::offers::{Candidate, Id, Offers, Use, use_of};
use crate::interface::InterfaceName;

/// Why a Planet (plugin) waits: what it needs, who could have served it, and why not.
///
/// Shown as one sentence, or with `{:#}` as several lines with what is closest and what to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Waiting {
    /// The required imports that nobody serves.
    pub unmet: Vec<Unmet>,
    /// If the Planet waits for itself in the end: the way there and back, by name.
    pub cycle: Option<Vec<String>>,
}

/// A required import that nobody serves.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unmet {
    /// The import.
    pub interface: InterfaceName,
    /// Who could have served it, and why not. Empty if nobody provides it at all.
    pub obstacles: Vec<Obstacle>,
    /// If nobody provides it: what is closest to it, and from whom. (If hundreds of interfaces are missing, only other versions
    /// of it.)
    pub closest: Vec<(InterfaceName, String)>,
}

/// Somebody who could have served an import, and why not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Obstacle {
    /// The Planet's name; none for the application, and for a Satellite.
    pub planet: Option<String>,
    /// The program of the Planet's own Satellite, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satellite: Option<String>,
    /// A sentence about it: `it waits itself`, or how the types differ.
    pub reason: String,
}

pub(super) fn explain(offers: &Offers<'_>, choice: &Choice<'_>) -> BTreeMap<String, Waiting> {
    let waits: Vec<Id> = (0..offers.members.len()).filter(|id| !choice.runs(*id)).collect();
    let mut reasons = Reasons {
        offers,
        choice,
        withheld: withheld(offers),
        names: LazyCell::new(|| Names::new(offers)),
        providers: vec![Vec::new(); offers.members.len()],
    };
    let unmet: Vec<Vec<Unmet>> = waits.iter().map(|id| reasons.unmet(*id)).collect();
    let mut cycles = Cycles::new(reasons.providers);
    let waiting = waits.into_iter().zip(unmet).map(|(id, unmet)| {
        let cycle = cycles.through(id).map(|path| path.iter().map(|id| offers.names[*id].to_owned()).collect());
        (offers.names[id].to_owned(), Waiting { unmet, cycle })
    });
    waiting.collect()
}

/// The members that have an export that does not count, by what it could serve.
fn withheld<'a>(offers: &Offers<'a>) -> HashMap<Use<'a>, Vec<Id>> {
    let mut withheld: HashMap<Use<'_>, Vec<Id>> = HashMap::new();
    for (id, member) in offers.members.iter().enumerate() {
        for export in member.withheld {
            let members = withheld.entry(use_of(export)).or_default();
            if members.last() != Some(&id) {
                members.push(id);
            }
        }
    }
    withheld
}

/// What reasons are made of.
struct Reasons<'o, 'a, N> {
    offers: &'o Offers<'a>,
    choice: &'o Choice<'a>,
    withheld: HashMap<Use<'a>, Vec<Id>>,
    names: LazyCell<Names<'a>, N>,
    /// For each that waits: those that wait themselves and could serve an unserved import of it.
    providers: Vec<Vec<Id>>,
}

impl<'a, N: FnOnce() -> Names<'a>> Reasons<'_, 'a, N> {
    fn unmet(&mut self, consumer: Id) -> Vec<Unmet> {
        let manifest = self.offers.members[consumer].manifest;
        manifest.requires.iter().filter_map(|import| self.unmet_import(consumer, import)).collect()
    }

    fn unmet_import(&mut self, consumer: Id, import: &'a InterfaceName) -> Option<Unmet> {
        let Self { offers, choice, .. } = *self;
        let mut obstacles = Vec::new();
        let mut waiting = Vec::new();
        for (candidate, unfit) in offers.candidates(consumer, import) {
            let (planet, reason) = match (candidate.planet(), unfit) {
                (None, None) => return None,
                (planet, Some(reason)) => (planet, reason.to_owned()),
                (Some(id), None) if !offers.is_member(id) => {
                    (Some(id), offers.problem.outsiders[offers.names[id]].reason.clone())
                }
                (Some(id), None) if choice.runs(id) => return None,
                (Some(id), None) => {
                    waiting.push(id);
                    (Some(id), "it waits itself".to_owned())
                }
            };
            let planet = planet.map(|id| offers.names[id].to_owned());
            let satellite = match candidate {
                Candidate::Satellite(program) => Some(program.to_owned()),
                _ => None,
            };
            obstacles.push(Obstacle { planet, satellite, reason });
        }
        self.providers[consumer].append(&mut waiting);
        let own = obstacles.iter().any(|obstacle| obstacle.satellite.is_some());
        let withheld = self.withheld.get(&use_of(import)).filter(|_| !own).into_iter().flatten();
        for id in withheld.filter(|id| **id != consumer) {
            let reason = "the application does not let that export of it count".to_owned();
            obstacles.push(Obstacle { planet: Some(offers.names[*id].to_owned()), satellite: None, reason });
        }
        let closest = match obstacles.is_empty() {
            true => self.names.closest(offers.names[consumer], import),
            false => Vec::new(),
        };
        Some(Unmet { interface: import.clone(), obstacles, closest })
    }
}

/// The ways along required imports and waiting providers that come back.
struct Cycles {
    providers: Vec<Vec<Id>>,
    /// The strongly connected component of each: who is alone in its own is in no cycle.
    component: Vec<usize>,
    sizes: Vec<usize>,
    /// From where each was reached last, and on which search.
    came_from: Vec<(Id, Id)>,
}

impl Cycles {
    fn new(providers: Vec<Vec<Id>>) -> Self {
        let edges = providers.iter().enumerate().flat_map(|(id, providers)| providers.iter().map(move |p| (id, *p)));
        let graph = DiGraph::<(), ()>::from_edges(edges.map(|(id, provider)| (id as u32, provider as u32)));
        let mut component = vec![usize::MAX; providers.len()];
        let mut sizes = Vec::new();
        for members in kosaraju_scc(&graph) {
            for id in &members {
                component[id.index()] = sizes.len();
            }
            sizes.push(members.len());
        }
        let came_from = vec![(Id::MAX, Id::MAX); providers.len()];
        Self { providers, component, sizes, came_from }
    }

    /// The shortest way from `start` back to `start`.
    fn through(&mut self, start: Id) -> Option<Vec<Id>> {
        let own = self.component[start];
        if self.sizes.get(own).is_none_or(|size| *size < 2) {
            return None;
        }
        let mut next = VecDeque::from([start]);
        while let Some(id) = next.pop_front() {
            for &provider in self.providers[id].iter().filter(|provider| self.component[**provider] == own) {
                if provider == start {
                    let mut path = vec![start, id];
                    while *path.last()? != start {
                        path.push(self.came_from[*path.last()?].0);
                    }
                    path.reverse();
                    return Some(path);
                }
                if self.came_from[provider].1 != start {
                    self.came_from[provider] = (id, start);
                    next.push_back(provider);
                }
            }
        }
        None
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if f.alternate() { "\n" } else { "; " };
        let mut separate = "";
        // What the next Planet of the cycle would serve is part of the cycle.
        let next = self.cycle.as_ref().and_then(|cycle| cycle.get(1));
        if let Some(cycle) = &self.cycle {
            write!(f, "it waits for itself, along required imports: {}", path(cycle))?;
            if f.alternate() {
                f.write_str("\n  help: make one of these imports optional, or load another provider")?;
            }
            separate = separator;
        }
        for unmet in &self.unmet {
            if next.is_some() && unmet.obstacles.iter().any(|obstacle| obstacle.planet.as_ref() == next) {
                continue;
            }
            write!(f, "{separate}needs {unmet}")?;
            if f.alternate() {
                unmet.write_details(f)?;
            }
            separate = separator;
        }
        Ok(())
    }
}

impl Waiting {
    /// The first thing that the Planet waits for, as one sentence.
    pub(super) fn first(&self) -> String {
        let unmet = if self.cycle.is_some() { 0 } else { 1 };
        Self { unmet: self.unmet.iter().take(unmet).cloned().collect(), cycle: self.cycle.clone() }.to_string()
    }
}

/// As `` `a` -> `b` ``.
pub(super) fn path(names: &[impl fmt::Display]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" -> ")
}

/// Whom a reason speaks of.
fn who(planet: Option<&str>) -> String {
    planet.filter(|name| !name.is_empty()).map_or("the application".to_owned(), |name| format!("`{name}`"))
}

impl Obstacle {
    fn who(&self) -> String {
        match &self.satellite {
            Some(program) => format!("its satellite `{program}`"),
            None => who(self.planet.as_deref()),
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`, ", self.interface)?;
        match &self.obstacles[..] {
            [] => f.write_str("and no loaded planet provides it"),
            [one] => {
                let who = one.who();
                // An obstacle's reason can have several lines; a sentence takes the first.
                write!(f, "which {who} provides, but {}", one.reason.lines().next().unwrap_or_default())
            }
            many => {
                f.write_str("and none of its providers can serve it")?;
                for (i, one) in many.iter().enumerate() {
                    let who = one.who();
                    let first = one.reason.lines().next().unwrap_or_default();
                    write!(f, "{} {who}: {first}", if i == 0 { ":" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl Unmet {
    fn write_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for obstacle in &self.obstacles {
            for line in obstacle.reason.lines().skip(1) {
                write!(f, "\n  {}", line.trim_start())?;
            }
        }
        if !self.obstacles.is_empty() {
            return Ok(());
        }
        for (export, name) in &self.closest {
            write!(f, "\n  closest: `{export}` from {}", who(Some(name)))?;
        }
        match self.interface.track() {
            Some(track) => {
                write!(f, "\n  help: load a provider of {track}, or declare the dependency optional")
            }
            None => f.write_str("\n  help: load a provider of it, or declare the dependency optional"),
        }
    }
}
