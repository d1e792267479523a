//! The states of all Planets, and the legal changes between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::admission::Grants;
use crate::engine::Code;
use crate::inspect::Inspection;
use crate::interface::InterfaceName;
use crate::link::Bindings;
use crate::planet::Planet;
use crate::resolve::{Pair, Provider};

/// Where a Planet (plugin) is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// A required dependency is missing.
    Waiting,
    /// It is being instantiated, or its `start` runs.
    Starting,
    /// It answers calls.
    Running,
    /// Its `stop` runs.
    Stopping,
    /// It has been stopped.
    Gone,
    /// It ended in an error, or could not be loaded or started.
    Failed,
    /// The application does not let it in.
    Refused,
}

impl State {
    /// Whether the life of a Planet can go on from here to `next`.
    fn may_become(self, next: State) -> bool {
        use State::*;
        matches!(
            (self, next),
            (Waiting, Starting)
                | (Waiting, Gone)
                | (Starting, Running)
                | (Running, Stopping)
                | (Stopping, Gone | Waiting)
                | (Failed, Starting | Waiting | Gone)
                | (_, Failed)
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Gone => "gone",
            Self::Failed => "failed",
            Self::Refused => "refused",
        })
    }
}

/// Why a Planet does not run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    /// One sentence.
    pub(crate) sentence: String,
    /// The same with everything that helps, on several lines.
    pub(crate) details: String,
}

impl<T: Into<String>> From<T> for Reason {
    /// The first line is the sentence.
    fn from(text: T) -> Self {
        let details = text.into();
        Self { sentence: details.lines().next().unwrap_or_default().to_owned(), details }
    }
}

/// All Planets by name, and what is known of their pairs.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The names of the Planets that were started, in this order.
    pub(crate) order: Vec<String>,
    /// Pairs whose types do not fit, of all Planets that were ever loaded.
    pub(crate) unfit: BTreeMap<Pair, String>,
}

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
    pub(crate) bindings: Arc<Bindings>,
    /// Who serves its imports, as the plan has it.
    pub(crate) providers: BTreeMap<InterfaceName, Provider>,
    pub(crate) planet: Option<Arc<Planet>>,
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
    ) -> Self {
        Self {
            inspection: Some(inspection),
            bytes: Some(bytes),
            bindings,
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
            bindings: Arc::default(),
            providers: BTreeMap::new(),
            planet: None,
            state,
            reason: Some(reason),
        }
    }

    /// Whether it is a Planet, and the name is its own: what could not be read, or was not let in, must not keep a name from
    /// others.
    pub(crate) fn is_planet(&self) -> bool {
        self.inspection.is_some() && self.state != State::Refused
    }

    /// The state, and the reason for it unless the Planet runs. An instance that ended meanwhile counts as failed.
    pub(crate) fn state(&self) -> (State, Option<Reason>) {
        if self.state == State::Running
            && let Some(end) = self.planet.as_ref().and_then(|planet| planet.ended())
        {
            return (State::Failed, Some((&*end.reason).into()));
        }
        (self.state, self.reason.clone())
    }

    /// Goes on to `next`.
    ///
    /// # Panics
    ///
    /// If the life of a Planet has no such change.
    pub(crate) fn become_(&mut self, next: State, reason: Option<Reason>) {
        let state = self.state;
        assert!(state == next || state.may_become(next), "a planet cannot go from {state} to {next}");
        self.state = next;
        self.reason = reason;
    }

    /// The state and the reason for it, as one sentence: `waiting: needs ..`.
    pub(crate) fn summary(&self) -> String {
        match self.state() {
            (state, Some(reason)) => format!("{state}: {}", reason.sentence),
            (state, None) => state.to_string(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state().0 == State::Running
    }
}

#[cfg(test)]
mod tests {
    use super::State::*;

    #[test]
    fn a_life_goes_forward_or_fails() {
        for (from, to, legal) in [
            (Waiting, Starting, true),
            (Starting, Running, true),
            (Starting, Failed, true),
            (Running, Stopping, true),
            (Stopping, Gone, true),
            (Stopping, Waiting, true),
            (Failed, Starting, true),
            (Waiting, Running, false),
            (Running, Waiting, false),
            (Gone, Starting, false),
        ] {
            assert_eq!(from.may_become(to), legal, "{from} -> {to}");
        }
    }
}
