//! WIT packages on disk: read, resolved together with `kokoro:core`, and looked up by interface name.
//!
//! Nothing here knows of tokens. Errors are data ([`WitError`]) that say what to do; whoever has the token that is to
//! blame attaches them to it.

use std::fmt;
use std::path::{Path, PathBuf};

use wit_parser::{InterfaceId, Resolve, SourceMap, UnresolvedPackageGroup, WorldId};

/// The namespace of the packages that worlds are put together in; never suggested to anyone.
const SYNTHESISED: &str = "kokoro-synthesised";

/// WIT packages that were resolved together, `kokoro:core` among them.
#[derive(Debug)]
pub(crate) struct Wit {
    /// All packages.
    pub(crate) resolve: Resolve,
    /// The directory or file, as the person who named it wrote it.
    shown: String,
    /// All files that were read, for rebuilding when one changes.
    pub(crate) files: Vec<PathBuf>,
}

impl Wit {
    /// Reads the WIT directory (or single file) `path` and its `deps`. Errors call it `shown`.
    ///
    /// The directory's own `.wit` files may be missing if everything is in `deps`. A copy of `kokoro:core` of our own
    /// version is left aside, since ours is already there.
    pub(crate) fn load(path: &Path, shown: &str) -> Result<Self, WitError> {
        let mut wit = Self { resolve: Resolve::default(), shown: shown.to_owned(), files: Vec::new() };
        let core = wit.resolve.push_source("kokoro:core", kokoro_wit::PACKAGE);
        let core = core.map_err(|error| WitError::Parse { message: format!("{error:#}") })?;
        let core = wit.resolve.packages[core].name.clone();

        let mut deps = Vec::new();
        let main = if path.is_dir() {
            let main = wit.read(&wit_files(path)?, shown)?;
            let deps_dir = path.join("deps");
            if deps_dir.is_dir() {
                let shown = format!("{shown}/deps");
                for entry in entries(&deps_dir)? {
                    let shown = format!("{shown}/{}", name_of(&entry));
                    if entry.is_dir() {
                        deps.extend(wit.read(&wit_files(&entry)?, &shown)?);
                    } else if entry.extension().is_some_and(|extension| extension == "wit") {
                        deps.extend(wit.read(std::slice::from_ref(&entry), &format!("{}/deps", wit.shown))?);
                    } else if entry.extension().is_some_and(|extension| extension == "wasm" || extension == "wat") {
                        let pushed = wit.resolve.push_file(&entry);
                        pushed.map_err(|error| WitError::Parse { message: format!("{shown}: {error:#}") })?;
                        wit.files.push(entry);
                    }
                }
            }
            main
        } else {
            let parent = shown.rsplit_once('/').map_or(".", |(parent, _)| parent);
            wit.read(std::slice::from_ref(&path.to_owned()), parent)?
        };
        deps.retain(|group| group.main.name != core);
        let main = match main.filter(|group| group.main.name != core) {
            Some(main) => main,
            None if deps.is_empty() => return Err(WitError::Empty { shown: shown.to_owned() }),
            None => parse(SourceMap::new(), |map| map.push_str("", format!("package {SYNTHESISED}:empty;")))?,
        };
        let pushed = wit.resolve.push_groups(main, deps);
        pushed.map_err(|error| {
            let place = wit.resolve.render_location(error.kind().span());
            WitError::Parse { message: format!("{} (at {place})", error.kind()) }
        })?;
        Ok(wit)
    }

    /// `kokoro:core` alone.
    pub(crate) fn core() -> Self {
        let mut resolve = Resolve::default();
        resolve.push_source("kokoro:core", kokoro_wit::PACKAGE).expect("the package `kokoro:core` is well-formed");
        Self { resolve, shown: String::new(), files: Vec::new() }
    }

    /// The interface whose full name is `name`, as in `site:content/outline@0.1.0`.
    pub(crate) fn interface(&self, name: &str) -> Result<InterfaceId, WitError> {
        let declared = || {
            self.resolve.interfaces.iter().filter_map(|(id, _)| {
                let full = self.resolve.id_of(id)?;
                (!full.starts_with(SYNTHESISED)).then_some((id, full))
            })
        };
        if let Some((id, _)) = declared().find(|(_, full)| full == name) {
            return Ok(id);
        }
        let wanted = name.split('@').next().unwrap_or_default();
        let other_versions: Vec<String> =
            declared().map(|(_, full)| full).filter(|full| full.split('@').next() == Some(wanted)).collect();
        if !other_versions.is_empty() {
            return Err(WitError::Version {
                name: name.to_owned(),
                missing: !name.contains('@'),
                shown: self.shown.clone(),
                others: other_versions,
            });
        }
        let declared: Vec<String> = declared().map(|(_, full)| full).collect();
        let nearest = nearest(name, &declared);
        let Some((package, _)) = wanted.split_once('/').filter(|(package, _)| package.contains(':')) else {
            return Err(WitError::Malformed { name: name.to_owned(), nearest });
        };
        let shown = self.shown.clone();
        let is_there = declared.iter().any(|full| full.split('/').next() == Some(package));
        Err(if is_there {
            WitError::Interface { name: name.to_owned(), shown, nearest }
        } else {
            WitError::Package { name: name.to_owned(), package: package.to_owned(), shown, nearest }
        })
    }

    /// A world that imports and exports these interfaces, and imports whatever they take types from.
    ///
    /// `name` is a WIT name that no other world made from this `Wit` has; it ends up in the names of custom sections.
    pub(crate) fn world(
        &mut self,
        name: &str,
        imports: &[InterfaceId],
        exports: &[InterfaceId],
    ) -> Result<WorldId, WitError> {
        let mut text = format!("package {SYNTHESISED}:{name};\nworld {name} {{\n");
        for (word, interfaces) in [("import", imports), ("export", exports)] {
            for interface in interfaces {
                text += &format!("    {word} {};\n", self.escaped(*interface));
            }
        }
        text += "}\n";
        let package = self.resolve.push_source("the declarations of the macro", &text);
        let package = package.map_err(|error| WitError::Parse { message: format!("{error:#}") })?;
        Ok(self.resolve.packages[package].worlds[0])
    }

    /// The full name of an interface.
    pub(crate) fn name(&self, interface: InterfaceId) -> String {
        self.resolve.id_of(interface).expect("interfaces that are looked up by name have one")
    }

    /// An interface's full name as WIT text takes it, whatever keywords are in it.
    fn escaped(&self, interface: InterfaceId) -> String {
        let interface = &self.resolve.interfaces[interface];
        let package = &self.resolve.packages[interface.package.expect("named interfaces are in a package")].name;
        let name = interface.name.as_deref().unwrap_or_default();
        let version = package.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
        format!("%{}:%{}/%{name}{version}", package.namespace, package.name)
    }

    /// Reads and parses one package's files; `None` if there are none.
    fn read(&mut self, files: &[PathBuf], shown: &str) -> Result<Option<UnresolvedPackageGroup>, WitError> {
        let mut texts = Vec::new();
        for file in files {
            let shown = format!("{shown}/{}", name_of(file));
            let text = std::fs::read_to_string(file)
                .map_err(|error| WitError::Unreadable { shown: shown.clone(), reason: error.to_string() })?;
            texts.push((shown, text));
            self.files.push(file.clone());
        }
        if texts.is_empty() {
            return Ok(None);
        }
        parse(SourceMap::new(), |map| texts.iter().for_each(|(shown, text)| map.push_str(shown, text))).map(Some)
    }
}

fn parse(mut map: SourceMap, fill: impl FnOnce(&mut SourceMap)) -> Result<UnresolvedPackageGroup, WitError> {
    fill(&mut map);
    map.parse().map_err(|(map, error)| WitError::Parse { message: error.render(&map) })
}

/// The `.wit` files directly in a directory, by name.
fn wit_files(dir: &Path) -> Result<Vec<PathBuf>, WitError> {
    let mut files = entries(dir)?;
    files.retain(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "wit"));
    Ok(files)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, WitError> {
    let unreadable = |error: std::io::Error| WitError::Unreadable { shown: name_of(dir), reason: error.to_string() };
    let entries = std::fs::read_dir(dir).map_err(unreadable)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    if let Ok(paths) = &mut paths {
        paths.sort();
    }
    paths.map_err(unreadable)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Up to three of `known` that look like `wanted`, the likeliest first.
pub(crate) fn nearest(wanted: &str, known: &[String]) -> Vec<String> {
    let mut scored: Vec<(f64, &String)> = known
        .iter()
        .map(|name| {
            let short = name.split('@').next().unwrap_or(name);
            let last = short.rsplit('/').next().unwrap_or(short);
            let alike = [name.as_str(), short, last].map(|part| strsim::normalized_damerau_levenshtein(wanted, part));
            (alike.into_iter().fold(0.0, f64::max), name)
        })
        .collect();
    scored.sort_by(|(a, a_name), (b, b_name)| b.total_cmp(a).then_with(|| a_name.cmp(b_name)));
    let best = scored.first().map_or(0.0, |(alike, _)| *alike);
    // What is much less alike than the best is noise, and so is a best that is hardly alike.
    let worth_saying = (best - 0.1).max(0.4);
    scored.into_iter().filter(|(alike, _)| *alike >= worth_saying).take(3).map(|(_, name)| name.clone()).collect()
}

/// What is wrong with WIT on disk, or with a name that should be in it.
#[derive(Debug)]
pub(crate) enum WitError {
    /// A path that leads nowhere, and the places where it was tried.
    Missing { path: String, places: Vec<&'static str> },
    /// A directory without any WIT.
    Empty { shown: String },
    /// A file or directory that cannot be read.
    Unreadable { shown: String, reason: String },
    /// WIT that does not parse or resolve, with the rendered message.
    Parse { message: String },
    /// Not of the form `namespace:package/interface@version`.
    Malformed { name: String, nearest: Vec<String> },
    /// The interface exists with other versions only.
    Version { name: String, missing: bool, shown: String, others: Vec<String> },
    /// The package exists, the interface does not.
    Interface { name: String, shown: String, nearest: Vec<String> },
    /// Not even the package exists.
    Package { name: String, package: String, shown: String, nearest: Vec<String> },
}

impl fmt::Display for WitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path, places } => {
                write!(f, "there is no `{path}` with WIT files; looked {}", places.join(" and "))?;
                write!(f, "\n  help: create it, or give another path, relative to Cargo.toml")
            }
            Self::Empty { shown } => {
                write!(f, "`{shown}` holds no WIT: no `.wit` file in it, and nothing in `{shown}/deps`")
            }
            Self::Unreadable { shown, reason } => write!(f, "cannot read `{shown}`: {reason}"),
            Self::Parse { message } => write!(f, "the WIT cannot be understood\n{}", message.trim_end()),
            Self::Malformed { name, nearest } => {
                write!(f, "`{name}` is not the full name of an interface (as in `acme:log/sink@1.2.0`)")?;
                closest(f, nearest)
            }
            Self::Version { name, missing: true, others, .. } => {
                write!(f, "`{name}` lacks its version\n  help: write `{}`", others.join("` or `"))
            }
            Self::Version { name, shown, others, .. } => {
                let (wanted, _) = name.split_once('@').unwrap_or((name, ""));
                let there: Vec<String> = others
                    .iter()
                    .map(|other| {
                        other.split_once('@').map_or("no version".to_owned(), |(_, version)| format!("`@{version}`"))
                    })
                    .collect();
                write!(f, "`{shown}` declares `{wanted}` as {} only", there.join(" and "))?;
                write!(f, "\n  help: write `{}`", others.join("` or `"))
            }
            Self::Interface { name, shown, nearest } => {
                write!(f, "no WIT file declares `{name}`; looked in `{shown}` and `{shown}/deps`")?;
                closest(f, nearest)
            }
            Self::Package { name, package, shown, nearest } => {
                write!(f, "no WIT file declares `{name}`: the package `{package}` is missing")?;
                closest(f, nearest)?;
                write!(f, "\n  help: put its WIT into `{shown}/deps` (looked in `{shown}` and `{shown}/deps`)")
            }
        }
    }
}

fn closest(f: &mut fmt::Formatter<'_>, nearest: &[String]) -> fmt::Result {
    if nearest.is_empty() {
        return Ok(());
    }
    write!(f, "\n  closest: `{}`", nearest.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files (path and text), loaded as `wit`.
    fn load(files: &[(&str, &str)]) -> Result<Wit, WitError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Wit::load(folder.path(), "wit")
    }

    const SINK: &str = "package acme:log@1.2.0; interface sink { write: func(line: string); }";
    const USER: &str = "package acme:user@0.1.0; interface names { use kokoro:core/types@0.1.0.{failure}; get: func() -> result<string, failure>; }";

    fn message(wit: &Wit, name: &str) -> String {
        wit.interface(name).expect_err("an error").to_string()
    }

    #[test]
    fn packages_are_found_in_the_folder_and_in_deps_as_files_and_folders() {
        let files = [("names.wit", USER), ("deps/log.wit", SINK), ("deps/x/x.wit", "package x:x; interface x {}")];
        let wit = load(&files).expect("good WIT");
        for name in ["acme:user/names@0.1.0", "acme:log/sink@1.2.0", "x:x/x", kokoro_wit::LIFECYCLE] {
            assert_eq!(wit.name(wit.interface(name).expect("an interface")), name);
        }
        assert_eq!(wit.files.len(), 3);
    }

    #[test]
    fn a_folder_with_deps_alone_is_enough() {
        assert!(load(&[("deps/log.wit", SINK)]).expect("good WIT").interface("acme:log/sink@1.2.0").is_ok());
    }

    #[test]
    fn a_copy_of_kokoro_core_in_deps_does_no_harm() {
        for place in ["deps/core.wit", "deps/core/core.wit"] {
            let wit = load(&[("names.wit", USER), (place, kokoro_wit::PACKAGE)]).expect("good WIT");
            assert!(wit.interface(kokoro_wit::TYPES).is_ok());
        }
    }

    #[test]
    fn a_package_that_deps_lack_is_an_error_with_the_place() {
        let error =
            load(&[("a.wit", "package a:a; interface a { use b:b/c.{d}; }")]).expect_err("an error").to_string();
        assert!(error.contains("package 'b:b' not found") && error.contains("wit/a.wit:1"), "{error}");
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        assert!(load(&[("notes.txt", "")]).expect_err("an error").to_string().contains("`wit` holds no WIT"));
    }

    #[test]
    fn names_that_do_not_fit_are_told_what_is_near() {
        let wit = load(&[("log.wit", SINK)]).expect("good WIT");
        assert!(message(&wit, "sink").contains("closest: `acme:log/sink@1.2.0`"));
        assert!(message(&wit, "acme:log/sink").contains("lacks its version"));
        assert!(message(&wit, "acme:log/sink@2.0.0").contains("declares `acme:log/sink` as `@1.2.0` only"));
        assert!(message(&wit, "acme:log/sinks@1.2.0").contains("closest: `acme:log/sink@1.2.0`"));
        assert!(message(&wit, "other:thing/it@1.0.0").contains("the package `other:thing` is missing"));
    }

    #[test]
    fn a_world_imports_what_its_interfaces_take_types_from() {
        let mut wit = load(&[("names.wit", USER)]).expect("good WIT");
        let names = wit.interface("acme:user/names@0.1.0").expect("an interface");
        let world = wit.world("test", &[], &[names]).expect("a world");
        let world = &wit.resolve.worlds[world];
        let imports: Vec<_> = world.imports.keys().map(|key| wit.resolve.name_world_key(key)).collect();
        assert_eq!(imports, [kokoro_wit::TYPES]);
        assert_eq!(world.exports.len(), 1);
    }
}
