//! The WIT that a Planet (plugin) is to be written for: read, and looked up in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kokoro_templates::Files;
use wit_parser::{InterfaceId, Resolve, SourceMap, TypeDefKind, UnresolvedPackageGroup, WorldId, WorldItem};

use crate::failure::Failure;

/// The packages of a folder, or of a single file, and of its `deps`.
#[derive(Debug)]
pub(super) struct Interfaces {
    pub(super) resolve: Resolve,
    /// All files, by their paths in the folder.
    pub(super) files: Files,
    /// The full names of all interfaces that have functions or resources, in the order of their declaration.
    named: Vec<(String, InterfaceId)>,
    /// What is suggested to be exported.
    suggested: Vec<InterfaceId>,
    /// What the world imports, if there is one.
    imported: Option<Vec<InterfaceId>>,
}

impl Interfaces {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let mut files = Files::new();
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        if path.is_dir() {
            collect(path, Path::new(""), &mut files)?;
        } else {
            let text = fs::read(path).map_err(|error| {
                Failure::input(format!(
                    "there is no WIT at `{shown}`: {error}\n  help: --for takes the folder with the application's .wit files"
                ))
            })?;
            files.insert(path.file_name().unwrap_or_default().into(), text);
        }
        // As in a project's own `wit`: files of the main package at the top, in `deps` one folder or file for each other.
        let mut packages = BTreeMap::<PathBuf, SourceMap>::new();
        let mut encoded = Vec::new();
        for (file, text) in &files {
            let package = match file.strip_prefix("deps") {
                Ok(rest) => Path::new("deps").join(rest.iter().next().unwrap_or_default()),
                Err(_) => PathBuf::new(),
            };
            if file.extension().is_none_or(|extension| extension != "wit") {
                encoded.push(folder.join(file));
                continue;
            }
            let shown = folder.join(file).display().to_string();
            let text = std::str::from_utf8(text).map_err(|_| Failure::input(format!("`{shown}` is no text")))?;
            packages.entry(package).or_default().push_str(&shown, text);
        }
        if packages.is_empty() && encoded.is_empty() {
            return Err(Failure::input(format!(
                "`{shown}` holds no WIT: no `.wit` file in it, and nothing in its `deps`\n  \
                 help: --for takes the folder with the application's .wit files"
            )));
        }
        Self::resolve(packages, &encoded, files, &shown.to_string())
    }

    fn resolve(
        packages: BTreeMap<PathBuf, SourceMap>,
        encoded: &[PathBuf],
        files: Files,
        shown: &str,
    ) -> Result<Self, Failure> {
        let wrong = |message: &str| Failure::input(format!("the WIT cannot be understood\n{}", message.trim_end()));
        let mut resolve = Resolve::default();
        let core =
            resolve.push_source("kokoro:core", kokoro_wit::PACKAGE).map_err(|error| wrong(&error.to_string()))?;
        for file in encoded {
            resolve.push_file(file).map_err(|error| wrong(&format!("{}: {error:#}", file.display())))?;
        }
        let core = resolve.packages[core].name.clone();
        let (mut main, mut deps) = (None, Vec::new());
        for (package, map) in packages {
            let group = map.parse().map_err(|(map, error)| wrong(&error.render(&map)))?;
            // A copy of it is the same as ours.
            if group.main.name == core {
                continue;
            }
            match package.as_os_str().is_empty() {
                true => main = Some(group),
                false => deps.push(group),
            }
        }
        let main = match main {
            Some(main) => main,
            None => nothing().map_err(|error| wrong(&error))?,
        };
        let pushed = resolve.push_groups(main, deps);
        let main = pushed.map_err(|error| {
            let place = resolve.render_location(error.kind().span());
            wrong(&format!("{} (at {place})", error.kind()))
        })?;
        let mut named = Vec::new();
        for (id, interface) in resolve.interfaces.iter() {
            let is_core = interface.package.is_some_and(|package| resolve.packages[package].name == core);
            if !is_core
                && can_be_served(&resolve, id)
                && let Some(name) = resolve.id_of(id)
            {
                named.push((name, id));
            }
        }
        let world = world(&resolve.packages[main].worlds.values().copied().collect::<Vec<_>>(), &resolve);
        let of_world = |items: Vec<&WorldItem>| -> Vec<InterfaceId> {
            let ids = items.into_iter().filter_map(|item| match item {
                WorldItem::Interface { id, .. } => Some(*id),
                _ => None,
            });
            ids.filter(|id| named.iter().any(|(_, named)| named == id)).collect()
        };
        let (suggested, imported) = match world.map(|world| &resolve.worlds[world]) {
            Some(world) => {
                (of_world(world.exports.values().collect()), Some(of_world(world.imports.values().collect())))
            }
            None => {
                let own = named.iter().filter(|(_, id)| resolve.interfaces[*id].package == Some(main));
                (own.map(|(_, id)| *id).collect(), None)
            }
        };
        if named.is_empty() {
            return Err(Failure::input(format!(
                "`{shown}` declares no interface with functions that a planet could export\n  \
                 help: --for takes the folder with the application's .wit files"
            )));
        }
        Ok(Self { resolve, files, named, suggested, imported })
    }

    /// An interface's full name.
    pub(super) fn name(&self, id: InterfaceId) -> &str {
        self.named.iter().find(|(_, named)| *named == id).map_or("", |(name, _)| name)
    }

    /// All that can be exported.
    pub(super) fn all(&self) -> impl Iterator<Item = InterfaceId> {
        self.named.iter().map(|(_, id)| *id)
    }

    /// Whether a world says what a planet exports and imports.
    pub(super) fn has_world(&self) -> bool {
        self.imported.is_some()
    }

    /// What is to be exported if nobody says otherwise: what the world exports, or the interfaces of the main package.
    pub(super) fn suggested(&self) -> &[InterfaceId] {
        &self.suggested
    }

    /// What a Planet that exports `exports` may depend on: what the world imports, or, without a world, all others.
    pub(super) fn others(&self, exports: &[InterfaceId]) -> Vec<&str> {
        let others = self.named.iter().filter(|(name, id)| {
            !exports.contains(id)
                && !name.starts_with("wasi:")
                && self.imported.as_ref().is_none_or(|imported| imported.contains(id))
        });
        others.map(|(name, _)| name.as_str()).collect()
    }

    /// The interface that somebody means by its full name, that name without the version, or its own name alone.
    pub(super) fn find(&self, wanted: &str) -> Result<InterfaceId, Failure> {
        let forms = |name: &str| {
            let without_version = name.split('@').next().unwrap_or_default().to_owned();
            let own = without_version.rsplit('/').next().unwrap_or_default().to_owned();
            [name.to_owned(), without_version, own]
        };
        let meant: Vec<_> =
            self.named.iter().filter(|(name, _)| forms(name).iter().any(|form| form == wanted)).collect();
        match meant[..] {
            [(_, id)] => Ok(*id),
            [] => {
                let names = self.named.iter().map(|(name, _)| name);
                let likeness = |name: &str| {
                    let all = forms(name).map(|form| strsim::normalized_damerau_levenshtein(&form, wanted));
                    all.into_iter().fold(0.0, f64::max)
                };
                let closest =
                    names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) > 0.4);
                let closest = closest.map(|name| format!("\n  closest: `{name}`")).unwrap_or_default();
                let all: Vec<_> = self.named.iter().map(|(name, _)| format!("`{name}`")).collect();
                Err(Failure::input(format!(
                    "the WIT declares no interface `{}` with functions{closest}\n  help: there are {}",
                    wanted.escape_debug(),
                    all.join(", ")
                )))
            }
            _ => {
                let all: Vec<_> = meant.iter().map(|(name, _)| format!("`{name}`")).collect();
                Err(Failure::input(format!("`{wanted}` may be {}\n  help: write it in full", all.join(" or "))))
            }
        }
    }
}

/// The world that says what a plugin is: the one, or the one that is called so.
fn world(worlds: &[WorldId], resolve: &Resolve) -> Option<WorldId> {
    match worlds {
        [only] => Some(*only),
        several => several.iter().copied().find(|world| resolve.worlds[*world].name == "plugin"),
    }
}

/// Whether there is anything in it to be called.
fn can_be_served(resolve: &Resolve, id: InterfaceId) -> bool {
    let interface = &resolve.interfaces[id];
    let mut types = interface.types.values();
    !interface.functions.is_empty() || types.any(|ty| matches!(resolve.types[*ty].kind, TypeDefKind::Resource))
}

/// The main package of a folder where everything is in `deps`.
fn nothing() -> Result<UnresolvedPackageGroup, String> {
    let mut map = SourceMap::new();
    map.push_str("", "package kokoro-synthesised:empty;");
    map.parse().map_err(|(map, error)| error.render(&map))
}

/// The files of a WIT folder, without whatever else lies around.
fn collect(folder: &Path, inside: &Path, files: &mut Files) -> Result<(), Failure> {
    let unreadable = |error| Failure::input(format!("`{}` cannot be read: {error}", folder.join(inside).display()));
    for entry in folder.join(inside).read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, place) = (entry.path(), inside.join(entry.file_name()));
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_dep = place.starts_with("deps") && place.iter().count() == 2;
        if path.is_dir() {
            if place == Path::new("deps") || is_dep {
                collect(folder, &place, files)?;
            }
        } else if extension == "wit" || (is_dep && matches!(extension, "wasm" | "wat")) {
            let text = fs::read(&path);
            files.insert(
                place,
                text.map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", path.display())))?,
            );
        }
    }
    Ok(())
}
