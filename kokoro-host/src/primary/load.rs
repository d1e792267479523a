//! From files and bytes to entries of the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Life, Primary};
use crate::error::{Error, Kind, name_taken};
use crate::graph::Node;
use crate::inspect::{InspectError, Inspection, inspect, is_core, is_wasi};
use crate::interface::InterfaceName;
use crate::link::{Bindings, Mismatch, fit};
use crate::registry::{Entry, Registry, State};
use crate::resolve::{Pair, Provider};

/// Where a component comes from.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Bytes { name: String, bytes: Arc<[u8]> },
}

/// A source that was read, or why it could not be.
struct Candidate {
    stem: String,
    file: Option<PathBuf>,
    read: Result<(Arc<[u8]>, Inspection), Unreadable>,
}

enum Unreadable {
    Io(std::io::Error),
    Component(InspectError),
}

/// What has become of the Planets (plugins) of one load. Shown, it lists them with their states and reasons.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The Planets of this load, by name.
    pub planets: Vec<Node>,
}

impl Report {
    /// The Planets that run.
    pub fn running(&self) -> impl Iterator<Item = &Node> {
        self.planets.iter().filter(|node| node.state == State::Running)
    }

    /// The Planets that do not run; each has a reason.
    pub fn not_running(&self) -> impl Iterator<Item = &Node> {
        self.planets.iter().filter(|node| node.state != State::Running)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, node) in self.planets.iter().enumerate() {
            write!(f, "{}{}: {}", if i == 0 { "" } else { "\n" }, node.name, node.state)?;
            if let Some(details) = &node.details {
                write!(f, ": {}", details.replace('\n', "\n  "))?;
            }
        }
        Ok(())
    }
}

impl Source {
    /// The files `*.wasm` of a directory.
    pub(super) fn directory(path: &Path) -> Result<Vec<Self>, Error> {
        let error = |error| Kind::Directory { path: path.to_owned(), error };
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(error)? {
            let file = entry.map_err(error)?.path();
            if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm")) {
                files.push(file);
            }
        }
        files.sort();
        Ok(files.into_iter().map(Self::File).collect())
    }

    fn read(self) -> Candidate {
        let (stem, file, bytes) = match self {
            Self::Bytes { name, bytes } => (name, None, Ok(bytes)),
            Self::File(path) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let bytes = read_file(&path).map(Arc::from);
                (stem, Some(path), bytes)
            }
        };
        let read = bytes.map_err(Unreadable::Io).and_then(|bytes| {
            let inspection = inspect(&stem, &bytes).map_err(Unreadable::Component)?;
            Ok((bytes, inspection))
        });
        Candidate { stem, file, read }
    }
}

/// Reading a pipe would wait for whoever writes to it.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path)?.is_file() {
        true => fs::read(path),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

impl Candidate {
    fn origin(&self) -> String {
        match &self.file {
            Some(file) => format!("`{}`", file.display()),
            None => "memory".to_owned(),
        }
    }
}

impl Primary {
    pub(super) async fn load_directory(&self, path: PathBuf) -> Result<Report, Error> {
        let life = self.shared.changing.lock().await;
        if *life == Life::ShutDown {
            return Err(Kind::ShutDown.into());
        }
        let mut candidates: Vec<Candidate> = off_the_async_threads(move || {
            Ok::<_, Error>(Source::directory(&path)?.into_iter().map(Source::read).collect())
        })
        .await?;
        // What cannot be used must not take the name of what can.
        candidates.sort_by_key(|candidate| candidate.read.is_err());
        let names = candidates.into_iter().map(|candidate| self.register(candidate)).collect();
        self.settle().await;
        Ok(self.report(names))
    }

    /// As [`load_directory`](Primary::load_directory) for one source, whose problems are errors.
    pub(super) async fn load_one(&self, source: Source) -> Result<Report, Error> {
        let life = self.shared.changing.lock().await;
        if *life == Life::ShutDown {
            return Err(Kind::ShutDown.into());
        }
        let candidate = off_the_async_threads(|| source.read()).await;
        let inspection = match candidate.read {
            Ok((_, ref inspection)) => inspection,
            Err(Unreadable::Io(error)) => {
                return Err(Kind::File { path: candidate.file.unwrap_or_default(), error }.into());
            }
            Err(Unreadable::Component(error)) => {
                let what = candidate.file.map_or(candidate.stem, |file| file.display().to_string());
                return Err(Kind::Component { what, error }.into());
            }
        };
        if let Some(by) = self.holder(&inspection.manifest.name) {
            return Err(Kind::NameTaken { name: inspection.manifest.name.clone(), by }.into());
        }
        let name = self.register(candidate);
        self.settle().await;
        Ok(self.report(vec![name]))
    }

    fn report(&self, names: Vec<String>) -> Report {
        let graph = self.graph();
        Report { planets: graph.planets.into_iter().filter(|node| names.contains(&node.name)).collect() }
    }

    /// Where the Planet of this name came from, if there is one. A file that could not be used holds no name.
    fn holder(&self, name: &str) -> Option<String> {
        let registry = self.registry();
        let entry = registry.entries.get(name).filter(|entry| entry.inspection.is_some())?;
        Some(entry.file.as_ref().map_or("memory".to_owned(), |file| format!("`{}`", file.display())))
    }

    /// Makes an entry of a candidate and returns the name that it goes by.
    fn register(&self, candidate: Candidate) -> String {
        let origin = candidate.origin();
        let Candidate { stem, file, read } = candidate;
        let (name, entry) = match read {
            Err(Unreadable::Io(error)) => {
                (stem, Entry::unusable(file, format!("the file {origin} cannot be read: {error}")))
            }
            Err(Unreadable::Component(error)) => (stem, Entry::unusable(file, error.to_string())),
            Ok((bytes, inspection)) => {
                let name = inspection.manifest.name.clone();
                let inspection = Arc::new(inspection);
                match self.holder(&name) {
                    Some(by) => (name.clone(), Entry::unusable(file, name_taken(&name, &by))),
                    None => {
                        let bindings = self.compare_types(&name, &inspection);
                        (name, Entry::waiting(file, inspection, bytes, bindings))
                    }
                }
            }
        };
        for note in entry.inspection.iter().flat_map(|inspection| &inspection.notes) {
            tracing::warn!(target: "kokoro", planet = name, "{note}");
        }
        let mut registry = self.registry();
        let entries = &mut registry.entries;
        // What was said of the same file before is out of date.
        entries.retain(|_, old| old.inspection.is_some() || old.file.is_none() || old.file != entry.file);
        let is_free = |entries: &BTreeMap<String, Entry>, name: &str| !entries.contains_key(name);
        if entry.inspection.is_none() {
            let name = free_name(&name, |name| is_free(entries, name));
            entries.insert(name.clone(), entry);
            return name;
        }
        if let Some(unusable) = entries.insert(name.clone(), entry) {
            let other = free_name(&name, |name| is_free(entries, name));
            entries.insert(other, unusable);
        }
        name
    }

    /// Finds out which providers do not fit the newcomer and whom the newcomer does not fit, and prepares its bindings.
    fn compare_types(&self, name: &str, newcomer: &Inspection) -> Arc<Bindings> {
        let mut registry = self.registry();
        let Registry { entries, unfit, .. } = &mut *registry;
        let mut bindings = Bindings::default();
        let manifest = &newcomer.manifest;
        let wanted: BTreeSet<&InterfaceName> = manifest.requires.iter().chain(&manifest.optional).collect();
        for import in &wanted {
            let service = self.shared.services.iter().find(|service| service.name.can_serve(import));
            let types = newcomer.imports.get(import);
            let mismatch = service.zip(types).and_then(|(service, types)| fit(types, &service.interface).err());
            match (service, mismatch) {
                (Some(_), None) => {
                    bindings.served.insert((*import).clone());
                }
                (_, mismatch) => {
                    bindings.planets.insert((*import).clone(), Arc::default());
                    if let Some(mismatch) = mismatch {
                        unfit.insert((name.to_owned(), (*import).clone(), Provider::Host), unfit_reason(&mismatch));
                    }
                }
            }
        }
        // What is left are imports for Satellites, which nobody serves yet.
        for (import, interface) in &newcomer.imports {
            if !wanted.contains(import) && !interface.is_types_only() && !is_wasi(import) && !is_core(import) {
                bindings.planets.insert(import.clone(), Arc::default());
            }
        }
        let others = entries.iter().filter_map(|(name, entry)| Some((name.as_str(), entry.inspection.as_deref()?)));
        for (other, inspection) in others {
            unfit.extend(misfits((name, newcomer), (other, inspection)));
            unfit.extend(misfits((other, inspection), (name, newcomer)));
        }
        Arc::new(bindings)
    }
}

/// The imports of one Planet that exports of another could serve by name and version, but not by type.
fn misfits<'a>(
    (consumer, importing): (&'a str, &'a Inspection),
    (provider, exporting): (&'a str, &'a Inspection),
) -> impl Iterator<Item = (Pair, String)> + 'a {
    importing.imports.iter().flat_map(move |(import, wanted)| {
        let exports = exporting.exports.iter().filter(|(export, _)| export.can_serve(import));
        exports.filter_map(move |(export, offered)| {
            let mismatch = fit(wanted, offered).err()?;
            let pair = Provider::Planet { name: provider.to_owned(), export: export.clone() };
            Some(((consumer.to_owned(), import.clone(), pair), unfit_reason(&mismatch)))
        })
    })
}

fn unfit_reason(mismatch: &Mismatch) -> String {
    format!("{mismatch}\n  help: {}", mismatch.help())
}

/// Entries of unusable files need names too, and two of them may have one stem.
fn free_name(name: &str, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|i| format!("{name} ({i})"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| is_free(name)).expect("there is no end of numbers")
}

/// Runs what takes a while, or waits for a disk.
pub(super) async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is being shut down, and whoever waits here with it.
        Err(Err(_)) => std::future::pending().await,
    }
}
