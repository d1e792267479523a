//! The states of all Planets, and the legal changes between them.

mod event;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};

use self::event::Listeners;
pub use self::event::{Event, Events};
pub(crate) use self::state::Reason;
pub use self::state::State;
use crate::admission::Grants;
use crate::engine::Code;
use crate::inspect::Inspection;
use crate::interface::InterfaceName;
use crate::link::Bindings;
use crate::planet::{Linked, Planet, Target};
use crate::resolve::{Pair, Provider};
use crate::restarts::History;

/// All Planets by name, and what is known of their pairs.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// Pairs whose types do not fit.
    pub(crate) unfit: BTreeMap<Pair, String>,
    /// Which Planet the application prefers for the interfaces of a path.
    pub(crate) preferred: BTreeMap<String, String>,
    importers: ByPath,
    exporters: ByPath,
    releases: u64,
    starts: u64,
    listeners: Listeners,
    /// What is to be logged when nobody has the registry any more.
    unlogged: Vec<Logged>,
}

/// A change of a state, for the log.
#[derive(Debug)]
struct Logged {
    planet: String,
    state: State,
    details: String,
}

/// The registry, for one who has it alone. What is logged is logged when this is dropped and the registry is free: whoever takes
/// the application's log may look into the Primary, or take his time.
#[derive(Debug)]
pub(crate) struct Locked<'a>(Option<MutexGuard<'a, Registry>>);

impl<'a> Locked<'a> {
    pub(crate) fn new(guard: MutexGuard<'a, Registry>) -> Self {
        Self(Some(guard))
    }
}

impl Deref for Locked<'_> {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        self.0.as_deref().expect("there until it is dropped")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Registry {
        self.0.as_deref_mut().expect("there until it is dropped")
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let unlogged = std::mem::take(&mut self.unlogged);
        self.0 = None;
        for Logged { planet, state, details } in unlogged {
            match state {
                State::Failed => tracing::warn!(target: "kokoro::life", planet, "failed: {details}"),
                _ => tracing::debug!(target: "kokoro::life", planet, details, "{state}"),
            }
        }
    }
}

impl Registry {
    pub(crate) fn preferring(preferred: BTreeMap<String, String>) -> Self {
        Self { preferred, ..Self::default() }
    }

    /// Those who could serve this component, or be served by it, as far as paths tell, by name.
    pub(crate) fn concerned<'a>(&'a self, inspection: &Inspection) -> BTreeSet<&'a str> {
        let providers = inspection.imports.keys().flat_map(|import| self.exporters.of(import));
        let consumers = inspection.exports.keys().flat_map(|export| self.importers.of(export));
        providers.chain(consumers).collect()
    }

    /// Puts an entry under a free name.
    pub(crate) fn insert(&mut self, name: String, entry: Entry) {
        if let Some(inspection) = entry.inspection.as_ref().filter(|_| entry.is_planet()) {
            self.importers.add(&name, inspection.imports.keys());
            self.exporters.add(&name, inspection.exports.keys());
        }
        let (to, reason) = entry.state();
        let reason = reason.map(|reason| reason.sentence);
        self.listeners.tell(|| Event::State { planet: name.clone(), from: None, to, reason });
        self.entries.insert(name, entry);
    }

    /// Takes an entry out, and all that is known of it.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        self.forget_types(name, entry.inspection.as_deref());
        Some(entry)
    }

    /// Takes out what is no Planet and will never be one: listeners hear that it is gone.
    pub(crate) fn forget(&mut self, name: &str, reason: &str) {
        if let Some(entry) = self.remove(name) {
            let (planet, reason) = (name.to_owned(), Some(reason.to_owned()));
            self.listeners.tell(|| Event::State { planet, from: Some(entry.state), to: State::Gone, reason });
        }
    }

    /// Forgets what is known of the imports and exports of `name`.
    pub(crate) fn forget_types(&mut self, name: &str, inspection: Option<&Inspection>) {
        self.unfit.retain(|pair, _| !is_of(pair, name));
        if let Some(inspection) = inspection {
            self.importers.remove(name, inspection.imports.keys());
            self.exporters.remove(name, inspection.exports.keys());
        }
    }

    /// The pairs that do not fit, with those of one Planet replaced.
    pub(crate) fn unfit_with(&self, name: &str, pairs: &[(Pair, String)]) -> BTreeMap<Pair, String> {
        let others = self.unfit.iter().filter(|(pair, _)| !is_of(pair, name));
        let others = others.map(|(pair, reason)| (pair.clone(), reason.clone()));
        others.chain(pairs.iter().cloned()).collect()
    }

    /// Gives the entry of a Planet other imports and exports.
    pub(crate) fn replace_types(&mut self, name: &str, inspection: &Arc<Inspection>, unfit: Vec<(Pair, String)>) {
        let old = self.entries.get_mut(name).and_then(|entry| entry.inspection.replace(Arc::clone(inspection)));
        self.forget_types(name, old.as_deref());
        self.unfit.extend(unfit);
        self.importers.add(name, inspection.imports.keys());
        self.exporters.add(name, inspection.exports.keys());
    }

    /// Notes that a Planet has been started after all others.
    pub(crate) fn has_started(&mut self, name: &str) {
        self.starts += 1;
        if let Some(entry) = self.entries.get_mut(name) {
            (entry.started, entry.tried_again) = (self.starts, false);
        }
    }

    /// A number for a release that is loaded: no other has it.
    pub(crate) fn next_release(&mut self) -> u64 {
        self.releases += 1;
        self.releases
    }

    /// Has a Planet go on to `next`.
    ///
    /// # Panics
    ///
    /// If there is no such Planet, or its life has no such change.
    pub(crate) fn change(&mut self, name: &str, next: State, reason: Option<Reason>) {
        let entry = self.entries.get_mut(name).expect("only what is in the registry changes");
        let state = entry.state;
        let same = state == next && entry.reason == reason;
        assert!(state == next || state.may_become(next), "a planet cannot go from {state} to {next}");
        entry.state = next;
        entry.reason = reason;
        if same {
            return;
        }
        let (sentence, details) = match &entry.reason {
            Some(reason) => (Some(reason.sentence.clone()), reason.details.clone()),
            None => (None, String::new()),
        };
        self.unlogged.push(Logged { planet: name.to_owned(), state: next, details });
        self.listeners.tell(|| Event::State { planet: name.to_owned(), from: Some(state), to: next, reason: sentence });
    }

    /// Has a Planet that had failed wait, as if it were new.
    pub(crate) fn wait_again(&mut self, name: &str) {
        self.change(name, State::Waiting, Some("it is tried again".into()));
        let entry = self.entries.get_mut(name).expect("it has just been changed");
        entry.failed_among = None;
        entry.failed_through = None;
        entry.try_again = false;
        entry.history = History::default();
    }

    /// Tells an event to those who listen.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        self.listeners.tell(event);
    }

    pub(crate) fn listen(&mut self) -> Events {
        self.listeners.listen()
    }

    /// Whom a provider of the plan stands for, if it answers calls or will again.
    pub(crate) fn target(&self, provider: &Provider) -> Option<Target> {
        match provider {
            Provider::Host | Provider::Satellite(_) => None,
            Provider::Planet { name, export } => {
                let entry = self.entries.get(name).filter(|entry| entry.lives())?;
                let planet = entry.planet.clone()?;
                Some(Target { planet, export: export.to_string().into(), release: entry.release })
            }
        }
    }

    /// The rank of a provider among others: the smallest is the best.
    pub(crate) fn preference(&self, planet: &str, export: &InterfaceName) -> impl Ord + use<> {
        let preferred = self.preferred.get(export.path()).is_some_and(|name| name == planet);
        (!preferred, std::cmp::Reverse(export.version().cloned()), planet.to_owned())
    }

    /// The providers that a Planet could have: whenever these change, so may its luck.
    pub(crate) fn surroundings(&self, name: &str) -> Surroundings {
        let Some(inspection) = self.entries.get(name).and_then(|entry| entry.inspection.as_deref()) else {
            return Surroundings::default();
        };
        let manifest = &inspection.manifest;
        let imports = || manifest.requires.iter().chain(&manifest.optional);
        let others = imports().flat_map(|import| self.exporters.of(import));
        let serves = |entry: &Entry| {
            entry.inspection.iter().flat_map(|i| i.exports.keys()).any(|e| imports().any(|import| e.can_serve(import)))
        };
        let others = others.filter(|other| *other != name).filter_map(|other| {
            let entry = self.entries.get(other).filter(|entry| serves(entry))?;
            Some((other.to_owned(), entry.release))
        });
        Surroundings(others.collect())
    }
}

/// Whether a Planet is one of a pair.
fn is_of((consumer, _, provider): &Pair, name: &str) -> bool {
    consumer == name || provider.is(name)
}

/// The names of Planets by the paths of interfaces, in whatever version.
#[derive(Debug, Default)]
struct ByPath(HashMap<String, BTreeSet<String>>);

impl ByPath {
    fn add<'a>(&mut self, name: &str, interfaces: impl Iterator<Item = &'a InterfaceName>) {
        for interface in interfaces {
            self.0.entry(interface.path().to_owned()).or_default().insert(name.to_owned());
        }
    }

    fn remove<'a>(&mut self, name: &str, interfaces: impl Iterator<Item = &'a InterfaceName>) {
        for interface in interfaces {
            if let Some(names) = self.0.get_mut(interface.path()) {
                names.remove(name);
                if names.is_empty() {
                    self.0.remove(interface.path());
                }
            }
        }
    }

    fn of(&self, interface: &InterfaceName) -> impl Iterator<Item = &str> {
        self.0.get(interface.path()).into_iter().flatten().map(String::as_str)
    }
}

/// Whom a Planet could have as providers: their names and releases. Whether they run is left out: one that fails because of
/// another, which fails because of it, would be tried again and again.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Surroundings(BTreeSet<(String, u64)>);

/// What is known of one Planet.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) file: Option<PathBuf>,
    pub(crate) grants: Grants,
    /// Its exports that do not count, because the application has it so.
    pub(crate) withheld: BTreeSet<InterfaceName>,
    /// What the component is; none if it could not be read.
    pub(crate) inspection: Option<Arc<Inspection>>,
    /// The component itself, until it is compiled.
    pub(crate) bytes: Option<Arc<[u8]>>,
    pub(crate) component: Option<Code>,
    /// The component with its imports linked, once it has been started.
    pub(crate) linked: Option<Linked>,
    pub(crate) bindings: Arc<Bindings>,
    /// Who serves its imports, as the plan has it.
    pub(crate) providers: BTreeMap<InterfaceName, Provider>,
    /// The same name for all its instances: chains of calls tell Planets apart by it.
    pub(crate) id: Arc<str>,
    /// Counts the releases of all Planets.
    pub(crate) release: u64,
    /// Counts the starts of all Planets: the later the larger.
    pub(crate) started: u64,
    pub(crate) planet: Option<Arc<Planet>>,
    /// Whether it is about to be unloaded.
    pub(crate) leaves: bool,
    pub(crate) history: History,
    /// Whom it could have had as providers when it failed.
    pub(crate) failed_among: Option<Surroundings>,
    /// Whose failure it was that kept it from starting, if it was another's.
    pub(crate) failed_through: Option<Arc<str>>,
    /// Whether it has failed, and may try again at once.
    pub(crate) try_again: bool,
    /// Whether it has done so.
    pub(crate) tried_again: bool,
    state: State,
    reason: Option<Reason>,
}

impl Entry {
    /// A Planet that has been let in and is yet to start.
    pub(crate) fn waiting(
        file: Option<PathBuf>,
        inspection: Arc<Inspection>,
        bytes: Arc<[u8]>,
        bindings: Arc<Bindings>,
        release: u64,
    ) -> Self {
        Self {
            id: inspection.manifest.name.as_str().into(),
            inspection: Some(inspection),
            bytes: Some(bytes),
            bindings,
            release,
            ..Self::new(file, State::Waiting, "it has just been loaded".into())
        }
    }

    /// A Planet that the application does not let in.
    pub(crate) fn refused(file: Option<PathBuf>, inspection: Arc<Inspection>, reason: String) -> Self {
        Self { inspection: Some(inspection), ..Self::new(file, State::Refused, reason.into()) }
    }

    /// A file of which no Planet can be made.
    pub(crate) fn unusable(file: Option<PathBuf>, reason: String) -> Self {
        Self::new(file, State::Failed, reason.into())
    }

    fn new(file: Option<PathBuf>, state: State, reason: Reason) -> Self {
        Self {
            file,
            grants: Grants::none(),
            withheld: BTreeSet::new(),
            inspection: None,
            bytes: None,
            component: None,
            linked: None,
            bindings: Arc::default(),
            providers: BTreeMap::new(),
            id: "".into(),
            release: 0,
            started: 0,
            planet: None,
            leaves: false,
            history: History::default(),
            failed_among: None,
            failed_through: None,
            try_again: false,
            tried_again: false,
            state,
            reason: Some(reason),
        }
    }

    /// Whether it is a Planet, and the name is its own: what could not be read, or was not let in, must not keep a name from
    /// others.
    pub(crate) fn is_planet(&self) -> bool {
        self.inspection.is_some() && self.state != State::Refused
    }

    /// The state, and the reason for it unless the Planet runs.
    pub(crate) fn state(&self) -> (State, Option<Reason>) {
        (self.state, self.reason.clone())
    }

    /// The state and the reason for it, as one sentence: `waiting: needs ..`.
    pub(crate) fn summary(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {}", self.state, reason.sentence),
            None => self.state.to_string(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// Whether it has been started and answers calls, or will again as soon as it has been started anew.
    pub(crate) fn lives(&self) -> bool {
        self.planet.is_some() && !self.leaves && matches!(self.state, State::Running | State::Starting)
    }
}
