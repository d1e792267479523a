//! What a new version of a WIT package breaks for who was built for the old one.
//!
//! Judged by what compares types when Planets (plugins) are bound. Where the application provides an interface, a Planet of the old version
//! meets an application of the new one: what the Planet imports has to be there. Where Planets implement it, it is the other way
//! round: what the application calls has to be in the Planet.

mod report;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use kokoro_host::InterfaceName;
use kokoro_host::types::Interface;
use semver::Version;
use serde::Serialize;

use self::version::next_on_track;
use super::core::only;
use super::wit::{Direction, Sides, Wit};
use crate::failure::Failure;

/// Two versions of a WIT package, interface by interface.
#[derive(Debug)]
pub(super) struct Comparison {
    old: (String, Option<Version>),
    new: (String, Option<Version>),
    pub(super) interfaces: Vec<Compared>,
    notes: Vec<String>,
}

/// An interface in one direction, in both versions.
#[derive(Debug)]
pub(super) struct Compared {
    /// Its name without version.
    path: String,
    direction: Direction,
    old: Option<InterfaceName>,
    new: Option<InterfaceName>,
    changes: Vec<Change>,
    /// Whether somebody could be bound in the old version: not all that WIT can say is supported.
    worked: bool,
    /// Whether who was built for the old version is not bound any more.
    is_breaking: bool,
    /// Why not, by its types alone; with what helps on a second line.
    misfit: Option<String>,
    /// What the host does not support of the new version, whoever was built for it.
    unsupported: Option<String>,
}

/// What has become of a function or a resource.
#[derive(Debug, Serialize)]
struct Change {
    kind: Kind,
    item: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    breaking: bool,
    /// The sentence that keeps who was built for the old version from being bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Removed,
    Changed,
}

impl Comparison {
    pub(super) fn of(old: &Wit, new: &Wit) -> Result<Self, Failure> {
        let (before, after) = (old.sides()?, new.sides()?);
        let mut interfaces = Vec::new();
        for path in paths(&before.provided, &after.provided) {
            for (old, new) in pairs(&path, &before.provided, &after.provided) {
                let fit = |side: Side<'_>| side.map(|(_, types)| types.fits_application(types));
                // A Planet can import the rest of an interface that has something which is not supported.
                let usable = old.map(|(name, types)| (name, usable(types)));
                let usable = usable.as_ref().map(|(name, types)| (*name, types));
                let worked = usable.is_some_and(|(_, types)| !types.is_types_only());
                let old = Old { all: old, usable, worked };
                interfaces.push(Compared::of(&path, Direction::Provided, old, (new, fit(new))));
            }
        }
        for path in paths(&before.exported, &after.called) {
            for (old, new) in pairs(&path, &before.exported, &after.called) {
                // An interface that planets export has resources of theirs, which to the application are imported ones.
                let fit = |side: Side<'_>, of: &Sides| {
                    side.and_then(|(name, _)| Some(of.called.get(name)?.fits_planet(of.exported.get(name)?)))
                };
                let worked = fit(old, &before).is_none_or(|fit| fit.is_ok());
                let old = Old { all: old, usable: old, worked };
                interfaces.push(Compared::of(&path, Direction::Implemented, old, (new, fit(new, &after))));
            }
        }
        let mut notes: Vec<String> = old.notes.iter().chain(&new.notes).cloned().collect();
        let left = old.in_no_direction.iter().chain(&new.in_no_direction);
        // One that the other version has in a world is compared as what has come or gone.
        let left = left.filter(|name| !interfaces.iter().any(|compared| compared.path == name.path()));
        notes.extend(left.map(|name| format!("`{}` is in no world, and not looked at", name.path())));
        notes.sort();
        notes.dedup();
        Ok(Self { old: old.package(), new: new.package(), interfaces, notes })
    }

    /// How many interfaces break who was built for the old version, without a version that says so.
    pub(super) fn undeclared(&self) -> usize {
        self.interfaces.iter().filter(|compared| compared.is_breaking && !self.is_declared(compared)).count()
    }

    /// Whether the versions say that the one does not stand in for the other.
    fn is_declared(&self, compared: &Compared) -> bool {
        match (&compared.old, &compared.new) {
            (Some(old), Some(new)) => !new.can_serve(old),
            // One that is not there any more has no version. That of the package speaks for it.
            _ => match (&self.old.1, &self.new.1) {
                (Some(old), Some(new)) => !is_one_track(old, new),
                (old, new) => old.is_some() != new.is_some(),
            },
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if self.old.0 != self.new.0 {
            notes.push(format!(
                "the packages are `{}` and `{}`: different interfaces to all who import them",
                self.old.0, self.new.0
            ));
        }
        let is_changed = self.interfaces.iter().any(|compared| compared.verdict() != "unchanged");
        match (&self.old.1, &self.new.1) {
            _ if self.old.0 != self.new.0 => {}
            (Some(old), Some(new)) if old == new && is_changed => notes.push(match next_on_track(new) {
                Some(next) if self.undeclared() == 0 => {
                    format!("the version is still {new}: {next} tells planets of the one from planets of the other")
                }
                _ => format!("the version is still {new}"),
            }),
            (Some(old), Some(new)) if new < old => notes.push(format!("the version {new} is older than {old}")),
            (_, None) if is_changed => notes.push(
                "the package has no version: nobody can tell the old one from the new one, nor serve both".to_owned(),
            ),
            _ => {}
        }
        notes
    }
}

fn is_one_track(one: &Version, other: &Version) -> bool {
    let name = |version: &Version| format!("a:b/c@{version}").parse::<InterfaceName>().ok();
    matches!((name(one), name(other)), (Some(one), Some(other)) if one.can_serve(&other))
}

type Interfaces = BTreeMap<InterfaceName, Interface>;

fn paths(old: &Interfaces, new: &Interfaces) -> BTreeSet<String> {
    old.keys().chain(new.keys()).map(|name| name.path().to_owned()).collect()
}

type Side<'i> = Option<(&'i InterfaceName, &'i Interface)>;

/// Which old one goes with which new one: a package can have another one in several versions. Those of one track belong together; what
/// is left of each goes by order.
fn pairs<'i>(path: &str, old: &'i Interfaces, new: &'i Interfaces) -> Vec<(Side<'i>, Side<'i>)> {
    let of = |interfaces: &'i Interfaces| -> Vec<(&'i InterfaceName, &'i Interface)> {
        interfaces.iter().filter(|(name, _)| name.path() == path).collect()
    };
    let (mut old, mut new) = (of(old), of(new));
    let mut pairs = Vec::new();
    old.retain(|before| match new.iter().position(|after| after.0.can_serve(before.0)) {
        Some(place) => {
            pairs.push((Some(*before), Some(new.remove(place))));
            false
        }
        None => true,
    });
    let (mut old, mut new) = (old.into_iter(), new.into_iter());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return pairs,
            pair => pairs.push(pair),
        }
    }
}

/// The old version of an interface.
struct Old<'i> {
    all: Side<'i>,
    /// What of it could be bound.
    usable: Side<'i>,
    /// Whether that is anything.
    worked: bool,
}

/// The part of an interface that the host supports where the application provides it.
fn usable(interface: &Interface) -> Interface {
    let mut usable = interface.clone();
    usable.functions.retain(|name, _| {
        let only = only(interface, name);
        only.fits_application(&only).is_ok()
    });
    usable
}

impl Compared {
    /// The new version comes with whether it fits itself.
    fn of(
        path: &str,
        direction: Direction,
        old: Old<'_>,
        (new, new_fit): (Side<'_>, Option<Result<(), String>>),
    ) -> Self {
        let Old { all: old, usable, worked } = old;
        let misfit = match (usable, new) {
            (Some((_, old)), Some((_, new))) => misfit(direction, old, new),
            _ => None,
        };
        let breaks = match (old, new) {
            (Some((old, _)), Some((new, _))) => misfit.is_some() || !new.can_serve(old),
            // Nobody provides it any more. One that planets implement is only not called any more.
            (Some(_), None) => direction == Direction::Provided,
            (None, _) => false,
        };
        Self {
            path: path.to_owned(),
            direction,
            changes: changes(direction, old, usable, new),
            worked,
            // What never was bound is not broken.
            is_breaking: breaks && worked,
            misfit,
            unsupported: new_fit.and_then(Result::err),
            old: old.map(|(name, _)| name.clone()),
            new: new.map(|(name, _)| name.clone()),
        }
    }

    fn verdict(&self) -> &'static str {
        match (&self.old, &self.new) {
            _ if self.is_breaking => "breaking",
            (Some(_), Some(_)) if self.changes.is_empty() => "unchanged",
            _ => "harmless",
        }
    }
}

/// Why a Planet of the old version is not bound to an application of the new one, or the application to it.
fn misfit(direction: Direction, old: &Interface, new: &Interface) -> Option<String> {
    match direction {
        Direction::Provided => old.fits_application(new).err(),
        Direction::Implemented => new.fits_planet(old).err(),
    }
}

/// What has become of each item of an interface that is in both versions.
fn changes(direction: Direction, old: Side<'_>, usable: Side<'_>, new: Side<'_>) -> Vec<Change> {
    let (Some((_, old)), Some((_, usable)), Some((_, new))) = (old, usable, new) else { return Vec::new() };
    let mut changes = Vec::new();
    let mut add = |item: &str, was: Option<String>, is: Option<String>, before: &Interface, after: &Interface| {
        let kind = match (&was, &is) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let reason = misfit(direction, before, after);
        changes.push(Change { kind, item: item.to_owned(), was, is, breaking: reason.is_some(), reason });
    };
    for name in old.resources.symmetric_difference(&new.resources) {
        let shown = |interface: &Interface| interface.resources.contains(name).then(|| "resource".to_owned());
        let resource = |interface: &Interface| {
            let mut only = Interface::default();
            only.resources.extend(interface.resources.get(name).cloned());
            only
        };
        add(name, shown(old), shown(new), &resource(old), &resource(new));
    }
    let names: BTreeSet<&String> = old.functions.keys().chain(new.functions.keys()).collect();
    for name in names.into_iter().filter(|name| !is_same(old, new, name)) {
        let shown = |interface: &Interface| interface.functions.get(name).map(ToString::to_string);
        add(name, shown(old), shown(new), &only(usable, name), &only(new, name));
    }
    changes
}

/// Whether a function has the same type in both. The names of parameters are not part of it.
fn is_same(one: &Interface, other: &Interface, name: &str) -> bool {
    let (Some(one), Some(other)) = (one.functions.get(name), other.functions.get(name)) else { return false };
    let types =
        |function: &kokoro_host::types::Function| function.params.iter().map(|(_, ty)| ty.clone()).collect::<Vec<_>>();
    types(one) == types(other) && one.result == other.result && one.is_async == other.is_async
}
