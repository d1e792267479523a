//! Who runs, and who serves whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ByPath, Member, Problem, Provider};
use crate::interface::InterfaceName;

/// The Planets that run or can, and their providers.
#[derive(Debug)]
pub(super) struct Choice {
    /// For every Planet that runs or can.
    pub(super) bindings: BTreeMap<String, BTreeMap<InterfaceName, Provider>>,
    pub(super) by_path: ByPath,
}

impl Choice {
    pub(super) fn runs(&self, name: &str) -> bool {
        self.bindings.contains_key(name)
    }
}

/// A required import, and who can serve it, the best first.
struct Edge<'a> {
    consumer: &'a str,
    import: &'a InterfaceName,
    candidates: Vec<Provider>,
    /// Whether the first candidate is the one that serves it today.
    bound: bool,
}

pub(super) fn choose(problem: &Problem<'_>) -> Choice {
    let by_path = problem.by_path();
    // The one that serves an import today is the best, as long as it can.
    let candidates = |consumer: &str, member: &Member<'_>, import: &InterfaceName| -> (Vec<Provider>, bool) {
        let mut candidates = problem.candidates(consumer, import, &by_path);
        candidates.retain(|provider| {
            let available = planet(provider).is_none_or(|name| problem.members.contains_key(name));
            available && problem.fits(consumer, import, provider).is_none()
        });
        let today = member.bound.as_ref().and_then(|bound| bound.get(import));
        let place = today.and_then(|today| {
            let same = candidates.iter().position(|provider| provider == today);
            // A new release of it may export another version.
            same.or_else(|| candidates.iter().position(|provider| planet(provider) == planet(today)))
        });
        if let Some(place) = place {
            candidates[..=place].rotate_right(1);
        }
        (candidates, place.is_some())
    };
    let mut edges: Vec<Edge<'_>> = Vec::new();
    for (consumer, member) in &problem.members {
        for import in &member.manifest.requires {
            let (candidates, bound) = candidates(consumer, member, import);
            edges.push(Edge { consumer, import, candidates, bound });
        }
    }
    let rank = can_run(problem, &edges);
    edges.retain(|edge| rank.contains_key(edge.consumer));
    for edge in &mut edges {
        edge.candidates.retain(|provider| planet(provider).is_none_or(|name| rank.contains_key(name)));
    }

    let chosen = choose_providers(problem, &edges, &rank);
    let mut bindings: BTreeMap<String, BTreeMap<InterfaceName, Provider>> = BTreeMap::new();
    for (name, member) in problem.members.iter().filter(|(name, _)| rank.contains_key(**name)) {
        let mut bound = BTreeMap::new();
        for import in &member.manifest.optional {
            let runs = |provider: &Provider| planet(provider).is_none_or(|name| rank.contains_key(name));
            if let Some(provider) = candidates(name, member, import).0.into_iter().find(runs) {
                bound.insert(import.clone(), provider);
            }
        }
        bindings.insert((*name).to_owned(), bound);
    }
    for (edge, chosen) in edges.iter().zip(chosen) {
        let bound = bindings.get_mut(edge.consumer).expect("a Planet that can run has an entry");
        bound.insert(edge.import.clone(), edge.candidates[chosen].clone());
    }
    Choice { bindings, by_path }
}

fn planet(provider: &Provider) -> Option<&str> {
    match provider {
        Provider::Host => None,
        Provider::Planet { name, .. } => Some(name),
    }
}

/// The Planets that can run without a cycle, each with a rank above the rank of some provider of each of its required
/// imports.
///
/// A Planet is taken as soon as each of its imports has a provider that was taken before. Whoever can run under some
/// choice without a cycle is taken in the end, by induction along that choice. What is bound counts as long as it can:
/// only when nobody else can be taken, the first Planet that needs another provider than today's gets one. So the bound
/// provider has the lower rank wherever it can be kept.
fn can_run<'a>(problem: &Problem<'a>, edges: &[Edge<'a>]) -> HashMap<&'a str, usize> {
    let mut keeping = Unmet::new(edges);
    let mut at_all = Unmet::new(edges);
    let mut waiters: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, edge) in edges.iter().enumerate() {
        if edge.candidates.iter().any(|provider| planet(provider).is_none()) {
            keeping.meet(i, edge.consumer);
            at_all.meet(i, edge.consumer);
        }
        for name in edge.candidates.iter().filter_map(planet).collect::<HashSet<_>>() {
            waiters.entry(name).or_default().push(i);
        }
    }
    let members = || problem.members.keys().copied();
    let mut next: BTreeSet<&'a str> = members().filter(|name| keeping.is_met(name)).collect();
    let mut else_next: BTreeSet<&'a str> = members().filter(|name| at_all.is_met(name)).collect();
    let mut rank = HashMap::new();
    while let Some(name) = next.pop_first().or_else(|| else_next.pop_first()) {
        if rank.contains_key(name) {
            continue;
        }
        rank.insert(name, rank.len());
        for &i in waiters.get(name).into_iter().flatten() {
            let edge = &edges[i];
            if at_all.meet(i, edge.consumer) {
                else_next.insert(edge.consumer);
            }
            if (!edge.bound || planet(&edge.candidates[0]) == Some(name)) && keeping.meet(i, edge.consumer) {
                next.insert(edge.consumer);
            }
        }
    }
    rank
}

/// Which imports have no provider yet.
struct Unmet<'a> {
    is_met: Vec<bool>,
    left: HashMap<&'a str, usize>,
}

impl<'a> Unmet<'a> {
    fn new(edges: &[Edge<'a>]) -> Self {
        let mut left = HashMap::new();
        for edge in edges {
            *left.entry(edge.consumer).or_default() += 1;
        }
        Self { is_met: vec![false; edges.len()], left }
    }

    /// An import has a provider now; says whether it was the last of its consumer.
    fn meet(&mut self, edge: usize, consumer: &str) -> bool {
        if std::mem::replace(&mut self.is_met[edge], true) {
            return false;
        }
        let left = self.left.get_mut(consumer).expect("every consumer was counted");
        *left -= 1;
        *left == 0
    }

    /// Whether each import of the Planet has a provider.
    fn is_met(&self, consumer: &str) -> bool {
        self.left.get(consumer).is_none_or(|left| *left == 0)
    }
}

/// Picks one candidate for each edge (as an index), so that there is no cycle and no better candidate can be had
/// without one.
///
/// Everybody's best comes first. Where that goes round in a circle, everybody starts from the best of lower rank (in
/// which there is no cycle), and edge by edge a better candidate is taken as long as one can be.
fn choose_providers(problem: &Problem<'_>, edges: &[Edge<'_>], rank: &HashMap<&str, usize>) -> Vec<usize> {
    let best = vec![0; edges.len()];
    if !has_cycle(problem, edges, &best) {
        return best;
    }
    let mut chosen: Vec<usize> = edges
        .iter()
        .map(|edge| {
            let below = |provider: &Provider| planet(provider).is_none_or(|name| rank[name] < rank[edge.consumer]);
            edge.candidates.iter().position(below).expect("some provider has a lower rank")
        })
        .collect();
    loop {
        let mut changed = false;
        for (i, edge) in edges.iter().enumerate() {
            for better in 0..chosen[i] {
                let target = planet(&edge.candidates[better]);
                if target.is_none_or(|target| !reaches(edges, &chosen, target, edge.consumer)) {
                    chosen[i] = better;
                    changed = true;
                    break;
                }
            }
        }
        if !changed {
            return chosen;
        }
    }
}

/// The edges of each consumer, as a range: they were made consumer by consumer.
fn edges_of<'e, 'a>(edges: &'e [Edge<'a>], consumer: &str) -> impl Iterator<Item = (usize, &'e Edge<'a>)> {
    let start = edges.partition_point(|edge| edge.consumer < consumer);
    let consumer = consumer.to_owned();
    (start..).zip(&edges[start..]).take_while(move |(_, edge)| edge.consumer == consumer)
}

fn reaches(edges: &[Edge<'_>], chosen: &[usize], from: &str, to: &str) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(edges_of(edges, name).filter_map(|(i, edge)| planet(&edge.candidates[chosen[i]])));
        }
    }
    false
}

/// Whether the chosen edges lead round in a circle: Planets without unserved imports are taken away until none is left.
fn has_cycle(problem: &Problem<'_>, edges: &[Edge<'_>], chosen: &[usize]) -> bool {
    let mut open: HashMap<&str, usize> = HashMap::new();
    let mut dependents: HashMap<&str, Vec<&str>> = HashMap::new();
    for (edge, &chosen) in edges.iter().zip(chosen) {
        if let Some(provider) = planet(&edge.candidates[chosen]) {
            *open.entry(edge.consumer).or_default() += 1;
            dependents.entry(provider).or_default().push(edge.consumer);
        }
    }
    let mut free: Vec<&str> = problem.members.keys().copied().filter(|name| !open.contains_key(name)).collect();
    while let Some(name) = free.pop() {
        for dependent in dependents.get(name).into_iter().flatten() {
            let left = open.get_mut(dependent).expect("a dependent has open edges");
            *left -= 1;
            if *left == 0 {
                open.remove(dependent);
                free.push(dependent);
            }
        }
    }
    !open.is_empty()
}
