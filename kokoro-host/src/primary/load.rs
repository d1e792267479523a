//! From files and bytes to entries of the registry.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::satellites::Programs;
use super::settle::Anew;
use super::{Primary, lock};
use crate::admission::{Candidate, Grants};
use crate::error::{Error, Kind, name_taken};
use crate::graph::Node;
use crate::inspect::{InspectError, Inspection, inspect, is_core};
use crate::interface::InterfaceName;
use crate::link::{Bindings, Service, fit, fit_served, passes_nothing_served};
use crate::planet::Call;
use crate::registry::{Entry, Registry, State};
use crate::resolve::{Pair, Provider};

/// Where a component comes from.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Bytes { name: String, bytes: Arc<[u8]> },
}

/// A source that was read, or why it could not be.
pub(super) struct Found {
    stem: String,
    pub(super) file: Option<PathBuf>,
    pub(super) read: Result<(Arc<[u8]>, Inspection), Unreadable>,
}

/// What was found in a directory.
#[derive(Default)]
pub(super) struct Set {
    components: Vec<Judged>,
    /// Stem and file of what cannot be used, and why.
    unreadable: Vec<(String, Option<PathBuf>, Unreadable)>,
}

/// A component about which the application has decided.
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) file: Option<PathBuf>,
    /// With the name, and without the exports, that the application has decided on.
    pub(super) inspection: Inspection,
    /// Why it is refused, if it is.
    pub(super) admitted: Result<Admission, String>,
}

/// What is left of a decision, once name and exports are those of the inspection.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) bytes: Arc<[u8]>,
    pub(super) grants: Grants,
    pub(super) withheld: BTreeSet<InterfaceName>,
    pub(super) programs: Programs,
}

pub(super) enum Unreadable {
    Io(std::io::Error),
    Component(InspectError),
}

/// What has become of the Planets (plugins) of one load, or of another change. Shown, it lists them with their states and reasons.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The Planets of this load, or those that the change concerned, by name.
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

    pub(super) async fn read_off_the_async_threads(self) -> Found {
        off_the_async_threads(|| self.read()).await
    }

    fn read(self) -> Found {
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
        Found { stem, file, read }
    }
}

/// Reading a pipe would wait for whoever writes to it.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path)?.is_file() {
        true => fs::read(path),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// A place as messages name it.
fn origin(file: Option<&Path>) -> String {
    file.map_or("memory".to_owned(), |file| format!("`{}`", file.display()))
}

impl Primary {
    pub(super) async fn load_directory(&self, path: PathBuf) -> Result<Report, Error> {
        let set = self.look_at_directory(path).await?;
        let (primary, around) = (self.clone(), Call::around());
        self.to_the_end(async move {
            let _life = primary.open(around.as_ref()).await?;
            let names = primary.register_set(set);
            primary.settle(&Anew::default()).await;
            Ok(primary.report(names))
        })
        .await
    }

    /// Reads what is in a directory, and has the application decide about it.
    pub(super) async fn look_at_directory(&self, path: PathBuf) -> Result<Set, Error> {
        let sources = off_the_async_threads(move || Source::directory(&path)).await?;
        let found = on_all_cores(sources, Source::read).await;
        let mut set = Set::default();
        for Found { stem, file, read } in found {
            match read {
                Ok((bytes, inspection)) => set.components.push(self.decide(file, bytes, inspection).await),
                Err(error) => set.unreadable.push((stem, file, error)),
            }
        }
        Ok(set)
    }

    /// Makes entries of a set, and returns the names that they go by.
    pub(super) fn register_set(&self, set: Set) -> Vec<String> {
        let Set { mut components, unreadable } = set;
        // What is not let in or cannot be used must not take the name of what can.
        components.sort_by_key(|judged| judged.admitted.is_err());
        let mut names: Vec<String> = components.into_iter().map(|judged| self.register(judged)).collect();
        names.extend(unreadable.into_iter().map(|(stem, file, error)| {
            let reason = match error {
                Unreadable::Io(error) => format!("the file {} cannot be read: {error}", origin(file.as_deref())),
                Unreadable::Component(error) => error.to_string(),
            };
            self.enter(stem, Entry::unusable(file, reason))
        }));
        names
    }

    /// As [`load_directory`](Primary::load_directory) for one source, whose problems are errors.
    pub(super) async fn load_one(&self, source: Source) -> Result<Report, Error> {
        let Found { stem, file, read } = source.read_off_the_async_threads().await;
        let (bytes, inspection) = match read {
            Ok(read) => read,
            Err(Unreadable::Io(error)) => return Err(Kind::File { path: file.unwrap_or_default(), error }.into()),
            Err(Unreadable::Component(error)) => {
                let what = file.map_or(stem, |file| file.display().to_string());
                return Err(Kind::Component { what, error }.into());
            }
        };
        let judged = self.decide(file, bytes, inspection).await;
        let (primary, around) = (self.clone(), Call::around());
        self.to_the_end(async move {
            let _life = primary.open(around.as_ref()).await?;
            let name = &judged.inspection.manifest.name;
            if let (Ok(_), Some(by)) = (&judged.admitted, primary.holder(name)) {
                return Err(Kind::NameTaken { name: name.clone(), by }.into());
            }
            let name = primary.register(judged);
            primary.settle(&Anew::default()).await;
            Ok(primary.report(vec![name]))
        })
        .await
    }

    /// Has the application decide about a component.
    pub(super) async fn decide(&self, file: Option<PathBuf>, bytes: Arc<[u8]>, mut inspection: Inspection) -> Judged {
        let (imports, exports) = (inspection.imports.keys().cloned(), inspection.exports.keys().cloned());
        let candidate = Candidate::new(
            file.clone(),
            Arc::clone(&bytes),
            &inspection.sha256,
            &inspection.manifest,
            imports,
            exports,
        );
        let decision = match self.judge(candidate).await {
            Ok(admitted) => {
                let programs = self.look_for_programs(file.as_deref(), &inspection.manifest, &admitted.grants).await;
                Ok((admitted, programs))
            }
            Err(reason) => Err(reason),
        };
        let admitted = decision.map(|(admitted, programs)| {
            let withheld: BTreeSet<InterfaceName> = inspection
                .exports
                .keys()
                .filter(|export| !is_core(export) && !admitted.counts(export))
                .cloned()
                .collect();
            inspection.exports.retain(|export, _| !withheld.contains(export));
            if admitted.exports.is_some() {
                // The graph has only interfaces, so that these are told of here.
                for function in std::mem::take(&mut inspection.functions).keys() {
                    inspection
                        .notes
                        .push(format!("its function `{function}` does not count, because the application has it so"));
                }
            }
            inspection.manifest.provides.retain(|export| !withheld.contains(export));
            if let Some(name) = admitted.name {
                inspection.manifest.name = name;
            }
            Admission { bytes, grants: admitted.grants, withheld, programs }
        });
        Judged { file, inspection, admitted }
    }

    fn report(&self, names: Vec<String>) -> Report {
        let graph = self.graph();
        Report { planets: graph.planets.into_iter().filter(|node| names.contains(&node.name)).collect() }
    }

    /// Where the Planet of this name came from, if there is one.
    fn holder(&self, name: &str) -> Option<String> {
        let registry = self.registry();
        let entry = registry.entries.get(name).filter(|entry| entry.is_planet())?;
        Some(origin(entry.file.as_deref()))
    }

    /// Makes an entry of a component and returns the name that it goes by.
    pub(super) fn register(&self, judged: Judged) -> String {
        let Judged { file, inspection, admitted } = judged;
        let inspection = Arc::new(inspection);
        let name = inspection.manifest.name.clone();
        let mut misfits = Vec::new();
        let entry = match admitted {
            Err(reason) => Entry::refused(file, Arc::clone(&inspection), reason),
            Ok(admission) => match self.holder(&name) {
                Some(by) => Entry::unusable(file, name_taken(&name, &by)),
                None => {
                    let mut registry = self.registry();
                    let (bindings, unfit) = self.compare_types(&registry, &name, &inspection, &admission);
                    misfits = unfit;
                    let Admission { bytes, grants, withheld, .. } = admission;
                    let release = registry.next_release();
                    let mut entry = Entry::waiting(file, Arc::clone(&inspection), bytes, bindings, release);
                    (entry.grants, entry.withheld) = (grants, withheld);
                    entry
                }
            },
        };
        for note in &inspection.notes {
            tracing::warn!(target: "kokoro", planet = name, "{note}");
        }
        let is_served = |export: &&InterfaceName| self.shared.services.iter().any(|s| export.can_serve(&s.name));
        if entry.is_planet() {
            for export in inspection.exports.keys().filter(is_served) {
                tracing::warn!(
                    target: "kokoro", planet = name,
                    "it exports `{export}`, which the application serves; no planet is bound to it"
                );
            }
        }
        let name = self.enter(name, entry);
        self.registry().unfit.extend(misfits);
        name
    }

    /// Puts an entry into the registry under `name`, or under a similar name if it is no Planet and that is taken.
    fn enter(&self, name: String, entry: Entry) -> String {
        let mut registry = self.registry();
        // What was said of the same file before is out of date, and so is, from memory, what was said of the same component.
        let what = |entry: &Entry| entry.inspection.as_ref().map(|i| (i.sha256.clone(), i.manifest.name.clone()));
        let same = |old: &Entry| old.file == entry.file && (entry.file.is_some() || what(old) == what(&entry));
        let outdated = registry.entries.iter().filter(|(_, old)| !old.is_planet() && same(old));
        let outdated: Vec<String> = outdated.map(|(name, _)| name.clone()).collect();
        for name in outdated {
            registry.forget(&name, "it was loaded again");
        }
        if !entry.is_planet() {
            let name = free_name(&name, |name| !registry.entries.contains_key(name));
            registry.insert(name.clone(), entry);
            return name;
        }
        if let Some(other) = registry.remove(&name) {
            let free = free_name(&name, |free| free != name && !registry.entries.contains_key(free));
            registry.insert(free, other);
        }
        registry.insert(name.clone(), entry);
        name
    }

    /// Finds out which providers do not fit the newcomer and whom the newcomer does not fit, and prepares its bindings.
    pub(super) fn compare_types(
        &self,
        registry: &Registry,
        name: &str,
        newcomer: &Inspection,
        admission: &Admission,
    ) -> (Arc<Bindings>, Vec<(Pair, String)>) {
        let mut unfit = Vec::new();
        let mut bindings = Bindings::default();
        let manifest = &newcomer.manifest;
        let wanted: BTreeSet<&InterfaceName> = manifest.requires.iter().chain(&manifest.optional).collect();
        for import in &wanted {
            let types = newcomer.imports.get(import);
            let mut served: Vec<&Service> =
                self.shared.services.iter().filter(|service| service.name.can_serve(import)).collect();
            served.sort_by_key(|service| std::cmp::Reverse(service.name.version().cloned()));
            let misfit = |service: &Service| types.and_then(|types| fit_served(types, &service.interface).err());
            match served.iter().find(|service| misfit(service).is_none()) {
                Some(service) => {
                    bindings.served.insert((*import).clone(), service.name.clone());
                }
                None => {
                    bindings.planets.insert((*import).clone(), Arc::default());
                    if let Some(mismatch) = served.first().and_then(|service| misfit(service)) {
                        unfit.push(((name.to_owned(), (*import).clone(), Provider::Host), mismatch.reason()));
                    }
                }
            }
        }
        unfit.extend(self.bind_satellites(registry, name, newcomer, admission, &mut bindings));
        bindings.planets.retain(|import, _| !bindings.satellites.contains_key(import));
        for other in registry.concerned(newcomer).into_iter().filter(|other| *other != name) {
            let Some(inspection) = registry.entries[other].inspection.as_deref() else { continue };
            unfit.extend(misfits((name, newcomer, &bindings), (other, inspection)));
            unfit.extend(misfits((other, inspection, &registry.entries[other].bindings), (name, newcomer)));
        }
        (Arc::new(bindings), unfit)
    }
}

/// The imports of one Planet that exports of another could serve by name and version, but not by type.
fn misfits<'a>(
    (consumer, importing, bindings): (&'a str, &'a Inspection, &'a Bindings),
    (provider, exporting): (&'a str, &'a Inspection),
) -> impl Iterator<Item = (Pair, String)> + 'a {
    importing.imports.iter().flat_map(move |(import, wanted)| {
        let exports = exporting.exports.iter().filter(|(export, _)| export.can_serve(import));
        exports.filter_map(move |(export, offered)| {
            let is_served =
                |path: &str| path.starts_with("wasi:") || bindings.served.keys().any(|own| own.path() == path);
            let mismatch = fit(wanted, offered).and_then(|()| passes_nothing_served(wanted, is_served)).err()?;
            let pair = Provider::Planet { name: provider.to_owned(), export: export.clone() };
            Some(((consumer.to_owned(), import.clone(), pair), mismatch.reason()))
        })
    })
}

/// Entries of unusable files need names too, and two of them may have one stem.
fn free_name(name: &str, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|i| format!("{name} ({i})"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| is_free(name)).expect("there is no end of numbers")
}

/// Does the same work for each of these on as many threads as there are cores. What comes of them has the order of the items.
async fn on_all_cores<I, T>(items: Vec<I>, work: fn(I) -> T) -> Vec<T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let items = Arc::new(Mutex::new(items.into_iter().enumerate()));
    let share = || {
        let items = Arc::clone(&items);
        // Nobody holds the lock while it works.
        let next = move || lock(&items).next();
        spawn_blocking(move || iter::from_fn(next).map(|(i, item)| (i, work(item))).collect::<Vec<_>>())
    };
    let shares: Vec<_> = (0..threads).map(|_| share()).collect();
    let mut done = Vec::new();
    for share in shares {
        done.extend(joined(share).await);
    }
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Runs what takes a while, or waits for a disk.
pub(super) async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(spawn_blocking(work)).await
}

/// What comes of work that goes on elsewhere. A panic there is one here.
async fn joined<T>(work: JoinHandle<T>) -> T {
    match work.await.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is being shut down, and whoever waits here with it.
        Err(Err(_)) => std::future::pending().await,
    }
}
