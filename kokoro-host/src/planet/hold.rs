//! Who is kept as it is for a while: a Planet that another one has asked for as an option.
//!
//! A Planet that asks whether an import is bound holds its provider from then on, until its exported call ends. Changes of the
//! provider (`changes` are counted) wait until those are over who held it before the change was announced.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Planet;
use super::circle::Errand;

/// Who provides an import: a Planet, and the export of it that serves (which may be of another version than the import).
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) planet: Arc<Planet>,
    pub(crate) export: Arc<str>,
    /// Of which release the types are that were compared.
    pub(crate) release: u64,
}

impl Target {
    /// Whether it is the same one, down to its release.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.planet, &other.planet) && self.export == other.export && self.release == other.release
    }
}

/// A provider that stays until this is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    target: Target,
    errand: Arc<Errand>,
    change: u64,
    number: u64,
}

/// Who holds one Planet.
#[derive(Debug, Default)]
pub(super) struct Holders {
    state: Mutex<State>,
    let_go: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How many changes of the Planet have been announced.
    changes: u64,
    next: u64,
    holders: Vec<Holder>,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    change: u64,
    planet: Arc<str>,
}

impl Hold {
    /// Holds `target` for the Planet `holder`, in a call that belongs to `errand`.
    pub(super) fn new(target: Target, holder: &Arc<str>, errand: &Arc<Errand>) -> Self {
        let (change, number) = {
            let mut state = target.planet.holders().lock();
            let (change, number) = (state.changes, state.next);
            state.next += 1;
            state.holders.push(Holder { number, change, planet: Arc::clone(holder) });
            (change, number)
        };
        errand.hold(target.planet.name(), change);
        Self { target, errand: Arc::clone(errand), change, number }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.errand.let_go(self.target.planet.name(), self.change);
        let holders = self.target.planet.holders();
        holders.lock().holders.retain(|holder| holder.number != self.number);
        holders.let_go.notify_waiters();
    }
}

impl Holders {
    /// Announces a change, and gives its number.
    pub(super) fn announce(&self) -> u64 {
        let mut state = self.lock();
        state.changes += 1;
        state.changes
    }

    /// Waits until nobody holds the Planet any more from before `change`.
    pub(super) async fn gone(&self, change: u64) {
        loop {
            let mut let_go = std::pin::pin!(self.let_go.notified());
            let_go.as_mut().enable();
            if self.names(change).is_empty() {
                return;
            }
            let_go.await;
        }
    }

    /// The names of those who hold the Planet from before `change`.
    pub(super) fn names(&self, change: u64) -> Vec<Arc<str>> {
        let state = self.lock();
        state.holders.iter().filter(|holder| holder.change < change).map(|holder| Arc::clone(&holder.planet)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
