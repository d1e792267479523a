//! Who could serve an import, and what speaks for or against each.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;

use super::names::Names;
use super::offers::{Candidate, Id, Offer, Offers, use_of};
use super::waiting::path;
use super::{Plan, Problem, Provider};
use crate::interface::InterfaceName;
use crate::manifest::Manifest;

/// An import of a Planet (plugin): who serves it, who else could, and why not.
///
/// Shown, it has a line for itself and one or more for each of these.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Dependency {
    /// The import.
    pub interface: InterfaceName,
    /// Whether the Planet does not start without it.
    pub required: bool,
    /// Who exports the interface, in whatever version: first those whose version may serve, the best first.
    pub contenders: Vec<Contender>,
    /// If there are none: what is closest to the interface by name, and from whom (without a name from the application).
    pub closest: Vec<(InterfaceName, String)>,
}

/// Somebody who exports an interface that a Planet (plugin) imports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Contender {
    /// The Planet's name; none for the application, and for a Satellite.
    pub planet: Option<String>,
    /// The program of the Planet's own Satellite, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satellite: Option<String>,
    /// The interface as it exports it.
    pub interface: InterfaceName,
    /// Whether it serves the import.
    pub serves: bool,
    /// What speaks for or against it: `it runs, but ..`. The first line is a sentence, others help.
    pub reason: String,
}

/// Explains each import of a Planet, of which the plan may know nothing because it cannot run.
pub(crate) fn explain(problem: &Problem<'_>, plan: &Plan, name: &str, manifest: &Manifest) -> Vec<Dependency> {
    let offers = Offers::new(problem);
    let Some(id) = offers.names.iter().position(|other| *other == name) else { return Vec::new() };
    let mut names = Names::new(&offers);
    let imports = manifest.requires.iter().map(|import| (import, true));
    let imports = imports.chain(manifest.optional.iter().map(|import| (import, false)));
    let dependencies = imports.map(|(interface, required)| {
        let served = plan.bindings.get(name).and_then(|bound| bound.get(interface));
        let contenders = Import { offers: &offers, plan, id, name, interface, required, served }.contenders();
        let closest = if contenders.is_empty() { names.closest(name, interface) } else { Vec::new() };
        Dependency { interface: interface.clone(), required, contenders, closest }
    });
    dependencies.collect()
}

/// An import, and what there is to know about it.
struct Import<'o, 'a> {
    offers: &'o Offers<'a>,
    plan: &'a Plan,
    /// Of the Planet that imports.
    id: Id,
    name: &'a str,
    interface: &'a InterfaceName,
    required: bool,
    served: Option<&'a Provider>,
}

impl Import<'_, '_> {
    fn contenders(&self) -> Vec<Contender> {
        let offers = self.offers;
        let planet = |name: &str, interface: &InterfaceName, serves, reason: String| Contender {
            planet: Some(name.to_owned()),
            satellite: None,
            interface: interface.clone(),
            serves,
            reason,
        };
        let mut contenders = Vec::new();
        let mut host = offers.problem.host.iter().filter(|served| served.can_serve(self.interface));
        let candidates: Vec<(Candidate<'_>, Option<&str>)> = offers.candidates(self.id, self.interface).collect();
        if let Some((Candidate::Host, unfit)) = candidates.first() {
            // Of several versions it serves the newest.
            contenders.extend(host.next_back().map(|interface| Contender {
                planet: None,
                satellite: None,
                interface: interface.clone(),
                serves: unfit.is_none(),
                reason: unfit.map_or("it serves it".to_owned(), str::to_owned),
            }));
            let rivals = offers.rivals(self.interface).iter().filter(|offer| offer.id != self.id);
            let reason = "the application serves that interface, and no planet takes its place";
            contenders.extend(rivals.map(|o| planet(offers.names[o.id], o.export, false, reason.to_owned())));
        }
        if let Some((Candidate::Satellite(program), unfit)) = candidates.first() {
            contenders.push(Contender {
                planet: None,
                satellite: Some((*program).to_owned()),
                interface: self.interface.clone(),
                serves: unfit.is_none(),
                reason: unfit.map_or("it serves it".to_owned(), str::to_owned),
            });
            return contenders;
        }
        let able: Vec<&Offer<'_>> = candidates
            .iter()
            .filter_map(|(candidate, unfit)| match candidate {
                Candidate::Planet(offer) if unfit.is_none() && self.runs(offer.id) => Some(offer),
                _ => None,
            })
            .collect();
        let served =
            able.iter().position(|offer| self.served.is_some_and(|by| offers.is(Candidate::Planet(**offer), by)));
        for (candidate, unfit) in &candidates {
            let Candidate::Planet(offer) = candidate else { continue };
            let place = able.iter().position(|able| std::ptr::eq(*able, offer));
            let reason = match (unfit, place) {
                (Some(unfit), _) => (*unfit).to_owned(),
                (None, Some(place)) => self.among_able(&able, place, served),
                (None, None) => self.unable(offers.names[offer.id]),
            };
            let serves = place.is_some() && place == served;
            contenders.push(planet(offers.names[offer.id], offer.export, serves, reason));
        }
        for (id, member) in offers.members.iter().enumerate().filter(|(id, _)| *id != self.id) {
            for export in member.withheld.iter().filter(|export| export.path() == self.interface.path()) {
                let reason = "the application does not let that export of it count".to_owned();
                contenders.push(planet(offers.names[id], export, false, reason));
            }
        }
        contenders.extend(self.others());
        contenders
    }

    /// Who exports the interface and could not serve it in any case: in other versions, or to itself.
    fn others(&self) -> Vec<Contender> {
        let own = use_of(self.interface);
        let planets = self.offers.exports().iter().map(|offer| (Some(offer.id), offer.export));
        let host = self.offers.problem.host.iter().map(|served| (None, served));
        let mut others: Vec<Contender> = Vec::new();
        for (id, export) in planets.chain(host).filter(|(_, export)| export.path() == self.interface.path()) {
            let reason = match (use_of(export) == own, id == Some(self.id)) {
                (true, true) => "no planet is its own provider".to_owned(),
                (true, false) => continue,
                (false, _) => match (self.interface.track(), export.track()) {
                    (Some(wanted), Some(_)) => format!("it is not of the track {wanted}, so it cannot stand in"),
                    (Some(_), None) => "it has no version, so it cannot stand in".to_owned(),
                    (None, _) => "it has a version, and the import has none".to_owned(),
                },
            };
            let planet = id.map(|id| self.offers.names[id].to_owned());
            others.push(Contender { planet, satellite: None, interface: export.clone(), serves: false, reason });
        }
        others.sort_by(|a, b| (&a.planet, &a.interface).cmp(&(&b.planet, &b.interface)));
        others
    }

    fn runs(&self, id: Id) -> bool {
        self.plan.bindings.contains_key(self.offers.names[id])
    }

    /// Why a Planet that runs and whose types fit serves the import, or does not. Of those who can, the best come first;
    /// one of them serves it, unless the importing Planet does not run.
    fn among_able(&self, able: &[&Offer<'_>], place: usize, served: Option<usize>) -> String {
        let name = |place: usize| self.offers.names[able[place].id];
        match served {
            Some(served) if place == served => match place {
                0 if self.is_preferred(name(0)) && able.len() > 1 => {
                    "it serves it: the application prefers it".to_owned()
                }
                _ => "it serves it".to_owned(),
            },
            Some(served) if place < served => {
                let by = name(served);
                if let Some(cycle) = self.cycle(name(place)) {
                    return format!("it would close the cycle {cycle}");
                }
                if name(place) == by {
                    return "it serves it by another version".to_owned();
                }
                format!("it runs, but `{by}` was there first, and what is bound stays")
            }
            None if place == 0 => "it runs, and could serve it".to_owned(),
            _ => {
                let best = served.unwrap_or(0);
                match name(best) {
                    by if by == name(place) => "it has a newer version that can serve it".to_owned(),
                    by if self.is_preferred(by) => format!("it runs, but the application prefers `{by}`"),
                    by if able[best].export.version() > able[place].export.version() => {
                        format!("it runs, but `{by}` is newer")
                    }
                    by => format!("it runs, but `{by}` comes first by name"),
                }
            }
        }
    }

    fn is_preferred(&self, name: &str) -> bool {
        self.offers.problem.preferred.get(self.interface.path()).is_some_and(|preferred| preferred == name)
    }

    /// Why somebody who could serve the import by name, version and types does not run.
    fn unable(&self, name: &str) -> String {
        match (self.offers.problem.outsiders.get(name), self.plan.waiting.get(name)) {
            (Some(outsider), _) => outsider.reason.clone(),
            (None, Some(waiting)) => format!("it waits itself: {}", waiting.first()),
            (None, None) => "it does not run".to_owned(),
        }
    }

    /// If a required import would be served by `provider`: the way along required imports from the importing Planet through
    /// it and back.
    fn cycle(&self, provider: &str) -> Option<String> {
        if !self.required {
            return None;
        }
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::from([(provider, self.name)]);
        let mut open = VecDeque::from([provider]);
        while let Some(name) = open.pop_front() {
            if name == self.name {
                let mut way = vec![name];
                while way.len() == 1 || way.last() != Some(&self.name) {
                    way.push(came_from[way[way.len() - 1]]);
                }
                way.reverse();
                return Some(path(&way));
            }
            let id = self.offers.id(name)?;
            for (import, by) in self.plan.bindings.get(name).into_iter().flatten() {
                if let Provider::Planet { name: next, .. } = by
                    && self.offers.members[id].manifest.requires.contains(import)
                    && !came_from.contains_key(next.as_str())
                {
                    came_from.insert(next, name);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.contenders.iter().find(|contender| contender.serves);
        let provider = provider.map_or("nobody".to_owned(), Contender::who);
        let kind = if self.required { "requires" } else { "optional" };
        write!(f, "{kind}  {} <- {provider}", self.interface)?;
        for contender in &self.contenders {
            write!(f, "\n  {}", contender.who())?;
            if let Some(version) = contender.interface.version() {
                write!(f, " ({version})")?;
            }
            let mut lines = contender.reason.lines();
            write!(f, ": {}", lines.next().unwrap_or_default())?;
            for line in lines {
                write!(f, "\n    {}", line.trim_start())?;
            }
        }
        if self.contenders.is_empty() {
            f.write_str("\n  no loaded planet provides it")?;
        }
        for (export, name) in &self.closest {
            let who = if name.is_empty() { "the application" } else { name };
            write!(f, "\n  closest: {export} from {who}")?;
        }
        Ok(())
    }
}

impl Contender {
    fn who(&self) -> String {
        match (&self.planet, &self.satellite) {
            (Some(planet), _) => planet.clone(),
            (None, Some(program)) => format!("its satellite {program}"),
            (None, None) => "the application".to_owned(),
        }
    }
}
