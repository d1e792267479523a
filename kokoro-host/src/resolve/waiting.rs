//! Why a Planet waits.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;

use super::choice::Choice;
use super::{Problem, Provider};
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
    /// If nobody provides it: what is closest to it, and from whom.
    pub closest: Vec<(InterfaceName, String)>,
}

/// Somebody who could have served an import, and why not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Obstacle {
    /// The Planet's name; none for the application.
    pub planet: Option<String>,
    /// A sentence about it: `it waits itself`, or how the types differ.
    pub reason: String,
}

pub(super) fn explain(problem: &Problem<'_>, choice: &Choice) -> BTreeMap<String, Waiting> {
    let waits = |name: &str| !choice.runs(name);
    let members = problem.members.iter().filter(|(name, _)| waits(name));
    members
        .map(|(name, member)| {
            let unmet = member.manifest.requires.iter().filter_map(|import| unmet(problem, choice, name, import));
            let waiting = Waiting { unmet: unmet.collect(), cycle: cycle(problem, choice, name) };
            ((*name).to_owned(), waiting)
        })
        .collect()
}

fn unmet(problem: &Problem<'_>, choice: &Choice, consumer: &str, import: &InterfaceName) -> Option<Unmet> {
    let mut obstacles = Vec::new();
    for provider in problem.candidates(consumer, import, &choice.by_path) {
        let unfit = problem.fits(consumer, import, &provider);
        let (planet, reason) = match (provider, unfit) {
            (Provider::Host, None) => return None,
            (Provider::Host, Some(reason)) => (None, reason.to_owned()),
            (Provider::Planet { name, .. }, Some(reason)) => (Some(name), reason.to_owned()),
            (Provider::Planet { name, .. }, None) => match problem.outsiders.get(name.as_str()) {
                Some(outsider) => (Some(name), outsider.reason.clone()),
                None if choice.runs(&name) => return None,
                None => (Some(name), "it waits itself".to_owned()),
            },
        };
        obstacles.push(Obstacle { planet, reason });
    }
    for (name, member) in &problem.members {
        if *name != consumer && member.withheld.iter().any(|export| export.can_serve(import)) {
            let reason = "the application does not let that export of it count".to_owned();
            obstacles.push(Obstacle { planet: Some((*name).to_owned()), reason });
        }
    }
    let closest = if obstacles.is_empty() { closest(problem, choice, consumer, import) } else { Vec::new() };
    Some(Unmet { interface: import.clone(), obstacles, closest })
}

/// What looks most like `import`: the same interface in other versions, else the most similar paths.
fn closest(
    problem: &Problem<'_>,
    choice: &Choice,
    consumer: &str,
    import: &InterfaceName,
) -> Vec<(InterfaceName, String)> {
    let others = choice.by_path.values().flatten().filter(|(name, _)| name != consumer);
    let host = problem.host.iter().map(|export| (export.clone(), String::new()));
    let mut scored: Vec<(usize, InterfaceName, String)> = others
        .map(|(name, export)| (export.clone(), name.clone()))
        .chain(host)
        .map(|(export, name)| (strsim::levenshtein(export.path(), import.path()), export, name))
        .filter(|(distance, ..)| *distance <= import.path().len() / 4)
        .collect();
    scored.sort();
    let best = scored.first().map(|(distance, ..)| *distance);
    scored
        .into_iter()
        .filter(|(distance, ..)| Some(*distance) == best)
        .take(3)
        .map(|(_, export, name)| (export, name))
        .collect()
}

/// The shortest way from `start` along required imports and waiting providers back to `start`.
fn cycle(problem: &Problem<'_>, choice: &Choice, start: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<String, String> = BTreeMap::new();
    let mut next = VecDeque::from([start.to_owned()]);
    while let Some(name) = next.pop_front() {
        for provider in waiting_providers(problem, choice, &name) {
            if provider == start {
                let mut path = vec![start.to_owned(), name.clone()];
                while let Some(previous) = came_from.get(path.last().expect("the path has a start")) {
                    path.push(previous.clone());
                }
                path.reverse();
                return Some(path);
            }
            if !came_from.contains_key(&provider) {
                came_from.insert(provider.clone(), name.clone());
                next.push_back(provider);
            }
        }
    }
    None
}

/// The Planets that wait themselves and could serve an unserved import of `consumer`.
fn waiting_providers(problem: &Problem<'_>, choice: &Choice, consumer: &str) -> Vec<String> {
    let mut waiting = Vec::new();
    for import in problem.members.get(consumer).into_iter().flat_map(|member| &member.manifest.requires) {
        let candidates = problem.candidates(consumer, import, &choice.by_path);
        let fitting: Vec<Provider> =
            candidates.into_iter().filter(|provider| problem.fits(consumer, import, provider).is_none()).collect();
        let serves = |provider: &Provider| match provider {
            Provider::Host => true,
            Provider::Planet { name, .. } => choice.runs(name),
        };
        if !fitting.iter().any(serves) {
            waiting.extend(fitting.into_iter().filter_map(|provider| match provider {
                Provider::Planet { name, .. } if problem.members.contains_key(name.as_str()) => Some(name),
                _ => None,
            }));
        }
    }
    waiting
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if f.alternate() { "\n" } else { "; " };
        let mut separate = "";
        // What the next Planet of the cycle would serve is part of the cycle.
        let next = self.cycle.as_ref().and_then(|cycle| cycle.get(1));
        if let Some(cycle) = &self.cycle {
            let path: Vec<String> = cycle.iter().map(|name| format!("`{name}`")).collect();
            write!(f, "it waits for itself, along required imports: {}", path.join(" -> "))?;
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

/// Whom a reason speaks of.
fn who(planet: Option<&str>) -> String {
    planet.filter(|name| !name.is_empty()).map_or("the application".to_owned(), |name| format!("`{name}`"))
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`, ", self.interface)?;
        match &self.obstacles[..] {
            [] => f.write_str("and no loaded planet provides it"),
            [one] => {
                let who = who(one.planet.as_deref());
                // An obstacle's reason can have several lines; a sentence takes the first.
                write!(f, "which {who} provides, but {}", one.reason.lines().next().unwrap_or_default())
            }
            many => {
                f.write_str("and none of its providers can serve it")?;
                for (i, one) in many.iter().enumerate() {
                    let who = who(one.planet.as_deref());
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
