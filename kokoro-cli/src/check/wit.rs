//! The interfaces of an application's WIT, and who provides them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kokoro_host::InterfaceName;
use kokoro_host::types::{Interface, Worlds, worlds_of_package};
use wit_parser::{InterfaceId, PackageId, Resolve, WorldId, WorldItem, WorldKey};

use super::core::is_core;
use crate::failure::Failure;

/// Who provides an interface. A world is a Planet (plugin) as the application sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// The application: Planets import it.
    Provided,
    /// Planets: the application calls it.
    Implemented,
}

/// A WIT package, with who provides its interfaces.
#[derive(Debug)]
pub(super) struct Wit {
    /// As the person who named it wrote it.
    shown: String,
    resolve: Resolve,
    main: PackageId,
    provided: Vec<InterfaceId>,
    implemented: Vec<InterfaceId>,
    /// What is not looked at, and why.
    pub(super) notes: Vec<String>,
    /// The interfaces of which nobody says who provides them.
    pub(super) in_no_direction: Vec<InterfaceName>,
}

/// The interfaces with their types, as each side has them.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// What the application provides. Both sides have the same types.
    pub(super) provided: BTreeMap<InterfaceName, Interface>,
    /// What Planets implement, as they export it.
    pub(super) exported: BTreeMap<InterfaceName, Interface>,
    /// The same as the application calls it.
    pub(super) called: BTreeMap<InterfaceName, Interface>,
}

impl Wit {
    /// Reads a WIT package. Interfaces that are in no world go in the directions `without_world`.
    pub(super) fn load(path: &Path, world: Option<&str>, without_world: &[Direction]) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        if !path.exists() {
            return Err(Failure::input(format!("there is no WIT package at `{shown}`")));
        }
        let (resolve, main) =
            read(path).map_err(|problem| Failure::input(format!("the WIT in `{shown}`: {problem}")))?;
        let mut wit = Self {
            shown,
            resolve,
            main,
            provided: Vec::new(),
            implemented: Vec::new(),
            notes: Vec::new(),
            in_no_direction: Vec::new(),
        };
        let worlds = wit.worlds(world)?;
        for world in &worlds {
            wit.add_world(*world);
        }
        for id in wit.in_no_world() {
            for direction in without_world {
                wit.add(*direction, id);
            }
            if without_world.is_empty() {
                wit.in_no_direction.extend(wit.resolve.id_of(id).and_then(|name| name.parse().ok()));
            }
        }
        Ok(wit)
    }

    /// The package's own interfaces, but for those that are in a world: these are between Planets, unless somebody says otherwise.
    fn in_no_world(&self) -> Vec<InterfaceId> {
        let package = &self.resolve.packages[self.main];
        let worlds = package.worlds.values().flat_map(|world| interfaces(&self.resolve, *world));
        let in_worlds: Vec<InterfaceId> = worlds.filter_map(|(_, id)| id).collect();
        let own = package.interfaces.values().copied();
        own.filter(|id| !in_worlds.contains(id) && !self.resolve.interfaces[*id].functions.is_empty()).collect()
    }

    /// The worlds that count.
    fn worlds(&self, wanted: Option<&str>) -> Result<Vec<WorldId>, Failure> {
        let worlds = &self.resolve.packages[self.main].worlds;
        match wanted {
            None => Ok(match worlds.get("plugin") {
                Some(plugin) => vec![*plugin],
                None => worlds.values().copied().collect(),
            }),
            Some(wanted) => match worlds.get(wanted) {
                Some(world) => Ok(vec![*world]),
                None => {
                    let all: Vec<String> = worlds.keys().map(|name| format!("`{name}`")).collect();
                    let there =
                        if all.is_empty() { "it has none".to_owned() } else { format!("it has {}", all.join(", ")) };
                    Err(Failure::input(format!("there is no world `{wanted}` in `{}`; {there}", self.shown)))
                }
            },
        }
    }

    fn add_world(&mut self, world: WorldId) {
        let items: Vec<_> = interfaces(&self.resolve, world).collect();
        for (direction, id) in items {
            match id.filter(|id| self.resolve.id_of(*id).is_some()) {
                Some(id) => self.add(direction, id),
                None => {
                    let note = format!(
                        "the world `{}` has functions or interfaces of its own, which have no version and are not looked at",
                        self.resolve.worlds[world].name
                    );
                    if !self.notes.contains(&note) {
                        self.notes.push(note);
                    }
                }
            }
        }
    }

    fn add(&mut self, direction: Direction, id: InterfaceId) {
        let name = self.resolve.id_of(id).and_then(|name| name.parse::<InterfaceName>().ok());
        let is_the_application_s = |name: &InterfaceName| {
            !is_core(name) && !name.package().is_some_and(|package| package.starts_with("wasi:"))
        };
        let ids = match direction {
            Direction::Provided => &mut self.provided,
            Direction::Implemented => &mut self.implemented,
        };
        if name.as_ref().is_some_and(is_the_application_s) && !ids.contains(&id) {
            ids.push(id);
        }
    }

    /// The name of the package, as in `acme:app`, and its version.
    pub(super) fn package(&self) -> (String, Option<semver::Version>) {
        let name = &self.resolve.packages[self.main].name;
        (format!("{}:{}", name.namespace, name.name), name.version.clone())
    }

    /// What an application of this WIT serves and calls: what its worlds import and export. If there is no world, it serves all.
    pub(super) fn application(mut self) -> Result<Sides, Failure> {
        if self.resolve.packages[self.main].worlds.is_empty() {
            self.in_no_world().into_iter().for_each(|id| self.add(Direction::Provided, id));
        }
        self.sides()
    }

    /// The interfaces with their types; those that have nothing but types are none.
    pub(super) fn sides(&self) -> Result<Sides, Failure> {
        let planet = self.types(&self.provided, &self.implemented)?;
        let application = self.types(&self.implemented, &[])?;
        let of = |ids: &[InterfaceId], types: &BTreeMap<InterfaceName, Interface>| {
            let names = ids.iter().filter_map(|id| self.resolve.id_of(*id)?.parse().ok());
            let types = names.filter_map(|name: InterfaceName| Some((name.clone(), types.get(&name)?.clone())));
            types.filter(|(_, types)| !types.is_types_only()).collect()
        };
        Ok(Sides {
            provided: of(&self.provided, &planet.imports),
            exported: of(&self.implemented, &planet.exports),
            called: of(&self.implemented, &application.imports),
        })
    }

    /// The types in a world with these imports and exports.
    fn types(&self, imports: &[InterfaceId], exports: &[InterfaceId]) -> Result<Worlds, Failure> {
        let mut world = "package kokoro-check:interfaces; world all {".to_owned();
        for (word, ids) in [("import", imports), ("export", exports)] {
            for name in ids.iter().filter_map(|id| self.resolve.id_of(*id)) {
                let _ = write!(world, " {word} {};", escaped(&name));
            }
        }
        world.push('}');
        let mut resolve = self.resolve.clone();
        let problem =
            |problem: &dyn std::fmt::Display| Failure::input(format!("the WIT in `{}`: {problem}", self.shown));
        let package = resolve.push_source("check.wit", &world).map_err(|error| problem(&format!("{error:#}")))?;
        let package = wit_component::encode(&resolve, package).map_err(|error| problem(&format!("{error:#}")))?;
        worlds_of_package(&package).map_err(|error| problem(&error))
    }
}

/// An interface's full name as WIT text takes it, whatever keywords are in it.
fn escaped(name: &str) -> String {
    format!("%{}", name.replacen(':', ":%", 1).replacen('/', "/%", 1))
}

/// Reads the package and what it depends on. `kokoro:core` need not lie beside it.
fn read(path: &Path) -> Result<(Resolve, PackageId), String> {
    let read = |mut resolve: Resolve| match resolve.push_path(path) {
        Ok((package, _)) => Ok((resolve, package)),
        Err(error) => Err(resolve.render_error(&error)),
    };
    read(Resolve::default()).or_else(|problem| {
        let mut with_core = Resolve::default();
        match with_core.push_source("kokoro:core", kokoro_wit::PACKAGE) {
            Ok(_) => read(with_core).map_err(|_: String| problem),
            Err(_) => Err(problem),
        }
    })
}

/// The interfaces of a world, none for one of its own functions.
fn interfaces(resolve: &Resolve, world: WorldId) -> impl Iterator<Item = (Direction, Option<InterfaceId>)> {
    let world = &resolve.worlds[world];
    let imports = world.imports.iter().map(|item| (Direction::Provided, item));
    let items = imports.chain(world.exports.iter().map(|item| (Direction::Implemented, item)));
    items.filter_map(|(direction, (key, item))| match (key, item) {
        (WorldKey::Interface(id), _) => Some((direction, Some(*id))),
        (WorldKey::Name(_), WorldItem::Interface { .. } | WorldItem::Function(_)) => Some((direction, None)),
        (WorldKey::Name(_), WorldItem::Type { .. }) => None,
    })
}
