//! Circles of waiting: calls that hold Planets and wait for Planets that the others hold.
//!
//! A call by the application, with all calls between Planets that it leads to, is one *errand*. It does one thing at a time, so
//! it waits for one Planet at the most. A call that the application makes while it answers a Planet is an errand inside of that
//! Planet's: there may be several at a time, and the outer one waits for them. Only errands that have to wait come here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Planet;

/// What one call by the application leads to, from Planet to Planet.
#[derive(Debug, Default)]
pub(super) struct Errand {
    waits_for: Mutex<Option<Weak<Planet>>>,
    outer: Option<Outer>,
    /// Whether nobody waits for it any more: the application has dropped the call.
    given_up: AtomicBool,
    /// The errands that are inside of this one.
    inner: Mutex<Vec<Weak<Errand>>>,
    /// The Planets that are kept as they are until the call is over that asked for it: by name, and since which change of them.
    holds: Mutex<Vec<(Arc<str>, u64)>>,
}

/// The errand around another one.
#[derive(Debug)]
struct Outer {
    errand: Arc<Errand>,
    /// Whether the function that the application serves is still executed in which the inner one was begun.
    serves: Arc<AtomicBool>,
}

/// One errand begins to wait at a time. Whoever closes a circle is the last of it to begin, and sees all the others.
static BEGINNING: Mutex<()> = Mutex::new(());

/// An errand that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Wait {
    errand: Arc<Errand>,
}

impl Errand {
    /// A new errand inside of another one, begun by a function that the application serves, as long as that is executed.
    pub(super) fn inside(outer: &Arc<Self>, serves: &Arc<AtomicBool>) -> Arc<Self> {
        let around = Outer { errand: Arc::clone(outer), serves: Arc::clone(serves) };
        let errand = Arc::new(Self { outer: Some(around), ..Self::default() });
        let mut inner = lock(&outer.inner);
        inner.retain(|errand| errand.upgrade().is_some_and(|errand| errand.outer().is_some()));
        inner.push(Arc::downgrade(&errand));
        errand
    }

    /// Nobody waits for it any more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// The errand that waits for this one, if there is one.
    fn outer(&self) -> Option<&Arc<Self>> {
        let outer = self.outer.as_ref().filter(|outer| outer.serves.load(Ordering::Relaxed))?;
        (!self.given_up.load(Ordering::Relaxed)).then_some(&outer.errand)
    }

    /// Begins to wait for `target`, or gives the names of the Planets along the circle that this would close, `target` first.
    pub(super) fn wait_for(self: &Arc<Self>, target: &Arc<Planet>) -> Result<Wait, Vec<Arc<str>>> {
        let _one_at_a_time = lock(&BEGINNING);
        let mut path = Vec::new();
        if self.is_waited_for_by(target, &mut path) {
            return Err(path);
        }
        *lock(&self.waits_for) = Some(Arc::downgrade(target));
        Ok(Wait { errand: Arc::clone(self) })
    }

    /// Whether whoever holds `planet` waits for this errand in the end; `path` is the way there.
    fn is_waited_for_by(&self, planet: &Arc<Planet>, path: &mut Vec<Arc<str>>) -> bool {
        // A circle of others, which one of them is about to notice.
        if path.iter().any(|name| Arc::ptr_eq(name, planet.name())) {
            return false;
        }
        path.push(Arc::clone(planet.name()));
        let found = planet.holder().is_some_and(|holder| self.is_part_of(&holder) || self.is_behind(&holder, path));
        if !found {
            path.pop();
        }
        found
    }

    /// Whether all that `holder` waits for leads to this errand.
    fn is_behind(&self, holder: &Self, path: &mut Vec<Arc<str>>) -> bool {
        let waits_for = lock(&holder.waits_for).as_ref().and_then(Weak::upgrade);
        if let Some(planet) = waits_for {
            return self.is_waited_for_by(&planet, path);
        }
        let inner: Vec<Arc<Self>> = lock(&holder.inner).iter().filter_map(Weak::upgrade).collect();
        let inner: Vec<Arc<Self>> = inner.into_iter().filter(|errand| errand.outer().is_some()).collect();
        let length = path.len();
        let mut ways = inner.iter().map(|errand| {
            path.truncate(length);
            self.is_behind(errand, path)
        });
        ways.next().is_some_and(|first| first && ways.all(|found| found))
    }

    /// Whether this errand is `other`, or inside of it.
    fn is_part_of(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.outer().is_some_and(|outer| outer.is_part_of(other))
    }

    /// Notes that a Planet stays as it is, from `change` on, for this errand.
    pub(super) fn hold(&self, planet: &Arc<str>, change: u64) {
        lock(&self.holds).push((Arc::clone(planet), change));
    }

    pub(super) fn let_go(&self, planet: &Arc<str>, change: u64) {
        let mut holds = lock(&self.holds);
        if let Some(place) = holds.iter().position(|(name, since)| Arc::ptr_eq(name, planet) && *since == change) {
            holds.swap_remove(place);
        }
    }

    /// Whether this errand, or one around it, has held a Planet since before `change`.
    pub(super) fn holds_from_before(&self, planet: &Arc<str>, change: u64) -> bool {
        lock(&self.holds).iter().any(|(name, since)| Arc::ptr_eq(name, planet) && *since < change)
            || self.outer().is_some_and(|outer| outer.holds_from_before(planet, change))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        *lock(&self.errand.waits_for) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
