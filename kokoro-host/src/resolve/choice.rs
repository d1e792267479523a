//! Who runs, and who serves whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ByPath, Problem, Provider};
use crate::interface::InterfaceName;

/// The Planets that run or can, and their providers.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) bindings: BTreeMap<String, BTreeMap<InterfaceName, Provider>>,
    pub(super) by_path: ByPath,
}

impl Choice {
    pub(super) fn runs(&self, name: &str) -> bool {
        self.bindings.contains_key(name)
    }
}

/// A required import of a Planet that is yet to start, and who can serve it, the best first.
struct Edge<'a> {
    consumer: &'a str,
    import: &'a InterfaceName,
    candidates: Vec<Provider>,
}

pub(super) fn choose(problem: &Problem<'_>) -> Choice {
    let by_path = problem.by_path();
    let fitting = |consumer: &str, import: &InterfaceName| -> Vec<Provider> {
        let mut candidates = problem.candidates(consumer, import, &by_path);
        candidates.retain(|provider| {
            let available = match provider {
                Provider::Host => true,
                Provider::Planet { name, .. } => problem.members.contains_key(name.as_str()),
            };
            available && problem.fits(consumer, import, provider).is_none()
        });
        candidates
    };
    let mut edges: Vec<Edge<'_>> = Vec::new();
    for (consumer, member) in problem.members.iter().filter(|(_, member)| member.bound.is_none()) {
        for import in &member.manifest.requires {
            edges.push(Edge { consumer, import, candidates: fitting(consumer, import) });
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
        let mut bound = member.bound.clone().unwrap_or_default();
        for import in &member.manifest.optional {
            if !bound.contains_key(import) {
                let running = |p: &Provider| planet(p).is_none_or(|name| rank.contains_key(name));
                if let Some(provider) = fitting(name, import).into_iter().find(running) {
                    bound.insert(import.clone(), provider);
                }
            }
        }
        bindings.insert((*name).to_owned(), bound);
    }
    for (edge, chosen) in edges.iter().zip(chosen) {
        let bound = bindings.get_mut(edge.consumer).expect("a Planet that can run has an entry");
        bound.insert(edge.import.clone(), edge.candidates[chosen].clone());
    }
    fill_gaps(problem, &fitting, &mut bindings);
    Choice { bindings, by_path }
}

/// Gives another provider to those who run and whose required one has ended, if there is one without a cycle.
fn fill_gaps(
    problem: &Problem<'_>,
    fitting: &impl Fn(&str, &InterfaceName) -> Vec<Provider>,
    bindings: &mut BTreeMap<String, BTreeMap<InterfaceName, Provider>>,
) {
    for (consumer, member) in problem.members.iter().filter(|(_, member)| member.bound.is_some()) {
        for import in &member.manifest.requires {
            if bindings[*consumer].contains_key(import) {
                continue;
            }
            let serves = |provider: &Provider| match planet(provider) {
                Some(name) => bindings.contains_key(name) && !requires(problem, bindings, name, consumer),
                None => true,
            };
            if let Some(provider) = fitting(consumer, import).into_iter().find(serves) {
                let bound = bindings.get_mut(*consumer).expect("a Planet that runs has an entry");
                bound.insert(import.clone(), provider);
            }
        }
    }
}

/// Whether bound required imports lead from one Planet to another.
fn requires(
    problem: &Problem<'_>,
    bindings: &BTreeMap<String, BTreeMap<InterfaceName, Provider>>,
    from: &str,
    to: &str,
) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if let (Some(bound), Some(member), true) = (bindings.get(name), problem.members.get(name), seen.insert(name)) {
            let required = bound.iter().filter(|(import, _)| member.manifest.requires.contains(*import));
            open.extend(required.filter_map(|(_, provider)| planet(provider)));
        }
    }
    false
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
/// choice without a cycle is taken in the end, by induction along that choice.
fn can_run<'a>(problem: &Problem<'a>, edges: &[Edge<'a>]) -> HashMap<&'a str, usize> {
    let mut unmet: HashMap<&str, usize> = HashMap::new();
    let mut waiters: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut met = vec![false; edges.len()];
    for (i, edge) in edges.iter().enumerate() {
        met[i] = edge.candidates.iter().any(|provider| planet(provider).is_none());
        *unmet.entry(edge.consumer).or_default() += usize::from(!met[i]);
        for name in edge.candidates.iter().filter_map(planet).collect::<HashSet<_>>() {
            waiters.entry(name).or_default().push(i);
        }
    }
    let ready = |name: &str| unmet.get(name).is_none_or(|unmet| *unmet == 0);
    let mut next: BTreeSet<&'a str> = problem.members.keys().copied().filter(|name| ready(name)).collect();
    let mut rank = HashMap::new();
    while let Some(name) = next.pop_first() {
        rank.insert(name, rank.len());
        for &i in waiters.get(name).into_iter().flatten() {
            if !std::mem::replace(&mut met[i], true) {
                let consumer = edges[i].consumer;
                let unmet = unmet.get_mut(consumer).expect("every consumer was counted");
                *unmet -= 1;
                if *unmet == 0 {
                    next.insert(consumer);
                }
            }
        }
    }
    rank
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
