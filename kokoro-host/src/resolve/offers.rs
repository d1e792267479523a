//! Who could serve an import, by name and version.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::lists::Lists;
use super::{Member, Problem, Provider};
use crate::interface::{InterfaceName, Track};
use crate::manifest::Manifest;

/// A Planet's number: the members have those from 0, by name, and the outsiders those after them.
pub(super) type Id = usize;

/// A problem put in order: Planets by number, exports by what they can serve.
#[derive(Debug)]
pub(super) struct Offers<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) members: Vec<&'a Member<'a>>,
    /// Of all Planets.
    pub(super) names: Vec<&'a str>,
    manifests: Vec<&'a Manifest>,
    ids: HashMap<&'a str, Id>,
    /// The exports of all Planets: those that can serve the same side by side, the best first.
    offers: Vec<Offer<'a>>,
    uses: HashMap<Use<'a>, usize>,
    /// Where the exports of each use are.
    by_use: Lists,
    /// What the application serves.
    served: HashSet<Use<'a>>,
    unfit: HashMap<(&'a str, &'a InterfaceName, ProviderKey<'a>), &'a str>,
}

/// An export of a Planet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) id: Id,
    pub(super) export: &'a InterfaceName,
}

/// Who could serve an import.
#[derive(Debug, Clone, Copy)]
pub(super) enum Candidate<'a> {
    Host,
    /// The Planet's own, of this program.
    Satellite(&'a str),
    Planet(Offer<'a>),
}

/// What an export can be used for.
pub(super) type Use<'a> = (&'a str, Option<Track<'a>>);

/// A [`Provider`], borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ProviderKey<'a> {
    Host,
    Satellite(&'a str),
    Planet(&'a str, &'a InterfaceName),
}

pub(super) fn use_of(name: &InterfaceName) -> Use<'_> {
    (name.path(), name.semver_track())
}

fn key(provider: &Provider) -> ProviderKey<'_> {
    match provider {
        Provider::Host => ProviderKey::Host,
        Provider::Satellite(program) => ProviderKey::Satellite(program),
        Provider::Planet { name, export } => ProviderKey::Planet(name, export),
    }
}

impl Candidate<'_> {
    /// The number of the Planet, if it is one.
    pub(super) fn planet(&self) -> Option<Id> {
        match self {
            Self::Host | Self::Satellite(_) => None,
            Self::Planet(offer) => Some(offer.id),
        }
    }
}

impl<'a> Offers<'a> {
    pub(super) fn new(problem: &'a Problem<'a>) -> Self {
        let names: Vec<&str> = problem.members.keys().chain(problem.outsiders.keys()).copied().collect();
        let members = problem.members.values().map(|member| member.provides);
        let provides = members.chain(problem.outsiders.values().map(|outsider| outsider.provides));
        let exports = provides.enumerate().flat_map(|(id, exports)| exports.iter().map(move |export| (id, export)));
        let exports: Vec<Offer<'_>> = exports.map(|(id, export)| Offer { id, export }).collect();
        let mut uses: HashMap<Use<'_>, usize> = HashMap::with_capacity(exports.len());
        let use_of_each = exports.iter().map(|offer| {
            let next = uses.len();
            *uses.entry(use_of(offer.export)).or_insert(next)
        });
        let use_of_each: Vec<usize> = use_of_each.collect();
        let by_use = Lists::new(uses.len(), use_of_each.into_iter().zip(0..));
        let mut offers: Vec<Offer<'_>> = by_use.all().iter().map(|place| exports[*place]).collect();
        for rivals in (0..uses.len()).map(|number| by_use.range(number)).filter(|rivals| rivals.len() > 1) {
            let rivals = &mut offers[rivals];
            let preferred = problem.preferred.get(rivals[0].export.path()).map(String::as_str);
            rivals.sort_by_key(|o| (preferred != Some(names[o.id]), Reverse(o.export.version()), names[o.id]));
        }
        let unfit = problem.unfit.iter();
        Self {
            problem,
            members: problem.members.values().collect(),
            manifests: problem
                .members
                .values()
                .map(|member| member.manifest)
                .chain(problem.outsiders.values().map(|outsider| outsider.manifest))
                .collect(),
            ids: problem.members.keys().copied().zip(0..).collect(),
            names,
            offers,
            uses,
            by_use,
            served: problem.host.iter().map(use_of).collect(),
            unfit: unfit.map(|((who, import, by), why)| ((who.as_str(), import, key(by)), why.as_str())).collect(),
        }
    }

    /// The number of a member.
    pub(super) fn id(&self, member: &str) -> Option<Id> {
        self.ids.get(member).copied()
    }

    pub(super) fn is_member(&self, id: Id) -> bool {
        id < self.members.len()
    }

    /// Who could serve `import` of `consumer` by name and version, the best first, running or not; and how the types
    /// differ, if they do.
    ///
    /// Of several versions that one Planet exports, the newest stands for it, unless its types do not fit.
    pub(super) fn candidates(
        &self,
        consumer: Id,
        import: &'a InterfaceName,
    ) -> impl Iterator<Item = (Candidate<'a>, Option<&'a str>)> {
        let served = self.served.contains(&use_of(import));
        let satellite = self.satellite(consumer, import).map(Candidate::Satellite).filter(|_| !served);
        let only = served.then_some(Candidate::Host).or(satellite);
        let planets = if only.is_some() { &[] } else { self.rivals(import) };
        let planets = planets.iter().filter(move |offer| offer.id != consumer);
        let candidates = only.into_iter().chain(planets.copied().map(Candidate::Planet));
        candidates.map(move |candidate| {
            let unfit = match self.unfit.is_empty() {
                true => None,
                false => self.unfit.get(&(self.names[consumer], import, self.key(candidate))).copied(),
            };
            (candidate, unfit)
        })
    }

    /// The program that is asked for to serve `import`, if one is.
    fn satellite(&self, consumer: Id, import: &InterfaceName) -> Option<&'a str> {
        self.manifests[consumer].satellite(import).map(|satellite| satellite.program.as_str())
    }

    /// The exports that could serve `import` by name and version, the best first, if nobody else has to.
    pub(super) fn rivals(&self, import: &InterfaceName) -> &[Offer<'a>] {
        let number = self.uses.get(&use_of(import));
        &self.offers[number.map_or(0..0, |number| self.by_use.range(*number))]
    }

    pub(super) fn provider(&self, candidate: Candidate<'_>) -> Provider {
        match self.key(candidate) {
            ProviderKey::Host => Provider::Host,
            ProviderKey::Satellite(program) => Provider::Satellite(program.to_owned()),
            ProviderKey::Planet(name, export) => Provider::Planet { name: name.to_owned(), export: export.clone() },
        }
    }

    pub(super) fn is(&self, candidate: Candidate<'_>, provider: &Provider) -> bool {
        self.key(candidate) == key(provider)
    }

    /// Whether it is the same Planet (or the application too), by whatever export.
    pub(super) fn is_by(&self, candidate: Candidate<'_>, provider: &Provider) -> bool {
        match (self.key(candidate), key(provider)) {
            (ProviderKey::Planet(one, _), ProviderKey::Planet(other, _)) => one == other,
            (one, other) => one == other,
        }
    }

    fn key<'b>(&'b self, candidate: Candidate<'b>) -> ProviderKey<'b> {
        match candidate {
            Candidate::Host => ProviderKey::Host,
            Candidate::Satellite(program) => ProviderKey::Satellite(program),
            Candidate::Planet(offer) => ProviderKey::Planet(self.names[offer.id], offer.export),
        }
    }

    /// All exports of all Planets, in no order.
    pub(super) fn exports(&self) -> &[Offer<'a>] {
        &self.offers
    }
}
