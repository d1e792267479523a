//! Who runs, and who serves whom.

use std::collections::BTreeSet;
use std::ops::Range;

use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use super::acyclic::Places;
use super::lists::Lists;
use super::offers::{Candidate, Id, Offers};
use crate::interface::InterfaceName;

/// The Planets that run or can, and their providers.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    runs: Vec<bool>,
    bound: Vec<(&'a InterfaceName, Candidate<'a>)>,
    /// For each member where its required imports are in `bound`, and its optional ones.
    places: Vec<[Range<usize>; 2]>,
}

impl<'a> Choice<'a> {
    /// Whether a member runs or can.
    pub(super) fn runs(&self, id: Id) -> bool {
        self.runs[id]
    }

    /// Who serves the required imports of a member that runs.
    pub(super) fn required(&self, id: Id) -> &[(&'a InterfaceName, Candidate<'a>)] {
        &self.bound[self.places[id][0].clone()]
    }

    /// Who serves its optional imports, as far as somebody does.
    pub(super) fn optional(&self, id: Id) -> &[(&'a InterfaceName, Candidate<'a>)] {
        &self.bound[self.places[id][1].clone()]
    }
}

/// Required imports, consumer by consumer.
#[derive(Debug, Default)]
struct Edges<'a> {
    edges: Vec<Edge<'a>>,
    candidates: Vec<Candidate<'a>>,
}

/// A required import.
#[derive(Debug)]
struct Edge<'a> {
    consumer: Id,
    import: &'a InterfaceName,
    /// Whether the best candidate is the one that serves it today.
    bound: bool,
    /// Where those are who can serve it, the best first.
    candidates: Range<usize>,
}

impl<'a> Edges<'a> {
    fn push(
        &mut self,
        consumer: Id,
        import: &'a InterfaceName,
        bound: bool,
        candidates: impl IntoIterator<Item = Candidate<'a>>,
    ) {
        let start = self.candidates.len();
        self.candidates.extend(candidates);
        self.edges.push(Edge { consumer, import, bound, candidates: start..self.candidates.len() });
    }

    fn len(&self) -> usize {
        self.edges.len()
    }

    fn candidates(&self, edge: usize) -> &[Candidate<'a>] {
        &self.candidates[self.edges[edge].candidates.clone()]
    }

    /// The candidates that are Planets, and the edges that they are for.
    fn planets(&self) -> impl Iterator<Item = (Id, usize)> + Clone {
        let edges = self.edges.iter().zip(0..);
        edges.flat_map(|(edge, i)| {
            self.candidates[edge.candidates.clone()].iter().filter_map(move |candidate| Some((candidate.planet()?, i)))
        })
    }
}

pub(super) fn choose<'a>(offers: &Offers<'a>) -> Choice<'a> {
    let mut edges = Edges::default();
    let mut found = Vec::new();
    for (consumer, member) in offers.members.iter().enumerate() {
        for import in &member.manifest.requires {
            let bound = find_candidates(offers, consumer, import, &mut found);
            edges.push(consumer, import, bound, found.drain(..));
        }
    }
    let rank = can_run(offers, &edges);
    let runs = |candidate: &Candidate<'_>| candidate.planet().is_none_or(|id| rank[id].is_some());
    let mut running = Edges::default();
    for (i, edge) in edges.edges.iter().enumerate().filter(|(_, edge)| rank[edge.consumer].is_some()) {
        let candidates = edges.candidates(i).iter().copied();
        running.push(edge.consumer, edge.import, edge.bound, candidates.filter(runs));
    }
    drop(edges);

    let mut chosen = running.edges.iter().zip(choose_providers(&running, &rank)).peekable();
    let mut choice = Choice { runs: Vec::new(), bound: Vec::new(), places: Vec::new() };
    for (id, member) in offers.members.iter().enumerate() {
        let start = choice.bound.len();
        while let Some((edge, provider)) = chosen.next_if(|(edge, _)| edge.consumer == id) {
            choice.bound.push((edge.import, provider));
        }
        let middle = choice.bound.len();
        for import in member.manifest.optional.iter().filter(|_| rank[id].is_some()) {
            find_candidates(offers, id, import, &mut found);
            choice.bound.extend(found.drain(..).find(runs).map(|best| (import, best)));
        }
        choice.runs.push(rank[id].is_some());
        choice.places.push([start..middle, middle..choice.bound.len()]);
    }
    choice
}

/// Finds those who may be bound to an import, the best first. Says whether that is the one that serves it today: as long as it
/// can, it is the best.
fn find_candidates<'a>(
    offers: &Offers<'a>,
    consumer: Id,
    import: &'a InterfaceName,
    found: &mut Vec<Candidate<'a>>,
) -> bool {
    found.clear();
    for (candidate, unfit) in offers.candidates(consumer, import) {
        if unfit.is_none() && candidate.planet().is_none_or(|id| offers.is_member(id)) {
            found.push(candidate);
        }
    }
    let today = offers.members[consumer].bound.as_ref().and_then(|bound| bound.get(import));
    let place = today.and_then(|today| {
        let same = found.iter().position(|candidate| offers.is(*candidate, today));
        // A new release of it may export another version.
        same.or_else(|| found.iter().position(|candidate| offers.is_by(*candidate, today)))
    });
    if let Some(place) = place {
        found[..=place].rotate_right(1);
    }
    place.is_some()
}

/// The Planets that can run without a cycle, each with a rank above the rank of some provider of each of its required
/// imports.
///
/// A Planet is taken as soon as each of its imports has a provider that was taken before. Whoever can run under some
/// choice without a cycle is taken in the end, by induction along that choice. What is bound counts as long as it can:
/// only when nobody else can be taken, the first Planet that needs another provider than today's gets one. So the bound
/// provider has the lower rank wherever it can be kept.
fn can_run(offers: &Offers<'_>, edges: &Edges<'_>) -> Vec<Option<usize>> {
    let members = offers.members.len();
    let mut keeping = Unmet::new(members, edges);
    let mut at_all = Unmet::new(members, edges);
    for (i, edge) in edges.edges.iter().enumerate() {
        if edges.candidates(i).iter().any(|candidate| candidate.planet().is_none()) {
            keeping.meet(i, edge.consumer);
            at_all.meet(i, edge.consumer);
        }
    }
    let waiters = Lists::new(members, edges.planets());
    let mut next: BTreeSet<Id> = (0..members).filter(|id| keeping.left[*id] == 0).collect();
    let mut else_next: BTreeSet<Id> = BTreeSet::new();
    let mut rank = vec![None; members];
    let mut ranks = 0..;
    while let Some(id) = next.pop_first().or_else(|| else_next.pop_first()) {
        if rank[id].is_some() {
            continue;
        }
        rank[id] = ranks.next();
        for &i in waiters.of(id) {
            let Edge { consumer, bound, .. } = edges.edges[i];
            if at_all.meet(i, consumer) {
                else_next.insert(consumer);
            }
            if (!bound || edges.candidates(i)[0].planet() == Some(id)) && keeping.meet(i, consumer) {
                next.insert(consumer);
            }
        }
    }
    rank
}

/// Which imports have no provider yet.
struct Unmet {
    is_met: Vec<bool>,
    /// How many of each Planet have none.
    left: Vec<usize>,
}

impl Unmet {
    fn new(members: usize, edges: &Edges<'_>) -> Self {
        let mut left = vec![0; members];
        for edge in &edges.edges {
            left[edge.consumer] += 1;
        }
        Self { is_met: vec![false; edges.len()], left }
    }

    /// An import has a provider now; says whether it was the last of its consumer.
    fn meet(&mut self, edge: usize, consumer: Id) -> bool {
        if std::mem::replace(&mut self.is_met[edge], true) {
            return false;
        }
        self.left[consumer] -= 1;
        self.left[consumer] == 0
    }
}

/// Picks one candidate for each edge, so that there is no cycle and no better candidate can be had without one.
///
/// Everybody's best comes first. Where that goes round in a circle, everybody starts from the best of lower rank (in
/// which there is no cycle), and edge by edge a better candidate is taken as long as one can be.
fn choose_providers<'a>(edges: &Edges<'a>, rank: &[Option<usize>]) -> Vec<Candidate<'a>> {
    let is_below = |i: usize, candidate: Candidate<'_>| {
        candidate.planet().is_none_or(|id| rank[id] < rank[edges.edges[i].consumer])
    };
    let all = 0..edges.len();
    if !all.clone().all(|i| is_below(i, edges.candidates(i)[0])) && has_cycle(edges) {
        let below = |i: usize| edges.candidates(i).iter().position(|candidate| is_below(i, *candidate));
        let mut chosen: Vec<usize> = all.map(|i| below(i).expect("some provider has a lower rank")).collect();
        improve(edges, rank, &mut chosen);
        return chosen.into_iter().enumerate().map(|(i, chosen)| edges.candidates(i)[chosen]).collect();
    }
    all.map(|i| edges.candidates(i)[0]).collect()
}

/// Whether everybody's best lead round in a circle.
fn has_cycle(edges: &Edges<'_>) -> bool {
    let best = edges.edges.iter().enumerate().filter_map(|(i, edge)| {
        let provider = edges.candidates(i)[0].planet()?;
        Some((edge.consumer as u32, provider as u32))
    });
    toposort(&DiGraph::<(), ()>::from_edges(best), None).is_err()
}

/// Chooses better candidates as long as there are some that close no cycle.
fn improve(edges: &Edges<'_>, rank: &[Option<usize>], chosen: &mut [usize]) {
    let edges_of = Lists::new(rank.len(), edges.edges.iter().map(|edge| edge.consumer).zip(0..));
    let edges_to = Lists::new(rank.len(), edges.planets());
    let mut places = Places::new(rank.iter().map(|rank| rank.unwrap_or(usize::MAX)).collect());
    let mut open: Vec<usize> = (0..edges.len()).filter(|i| chosen[*i] > 0).collect();
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for &i in &open {
            let chosen_of = |i: usize| edges.candidates(i)[chosen[i]].planet();
            let providers = |id: Id, to: &mut Vec<Id>| {
                to.extend(edges_of.of(id).iter().filter_map(|i| chosen_of(*i)));
            };
            let consumers = |id: Id, to: &mut Vec<Id>| {
                let edges_to = edges_to.of(id).iter().filter(|i| chosen_of(**i) == Some(id));
                to.extend(edges_to.map(|i| edges.edges[*i].consumer));
            };
            let better = (0..chosen[i]).find(|better| match edges.candidates(i)[*better].planet() {
                Some(provider) => places.admit(edges.edges[i].consumer, provider, providers, consumers),
                None => true,
            });
            if let Some(better) = better {
                chosen[i] = better;
                changed = true;
            }
        }
        open.retain(|i| chosen[*i] > 0);
    }
}
