//! Circles of waiting: calls that hold Planets and wait for Planets that the others hold.
//!
//! A call by the application, with all calls between Planets that it leads to, is one *errand*. It does one thing at a time, so
//! it waits for one Planet at the most. (A call that the application makes while it answers a Planet is another errand: it may
//! make several. A circle through there is left to the deadline.) Only errands that have to wait come here.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Planet;

/// What one call by the application leads to, from Planet to Planet.
#[derive(Debug, Default)]
pub(super) struct Errand {
    waits_for: Mutex<Option<Weak<Planet>>>,
}

/// One errand begins to wait at a time. Whoever closes a circle is the last of it to begin, and sees all the others.
static BEGINNING: Mutex<()> = Mutex::new(());

/// An errand that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Wait {
    errand: Arc<Errand>,
}

impl Errand {
    /// Begins to wait for `target`, or gives the names of the Planets along the circle that this would close, `target` first.
    pub(super) fn wait_for(self: &Arc<Self>, target: &Arc<Planet>) -> Result<Wait, Vec<Arc<str>>> {
        let _one_at_a_time = BEGINNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut path = Vec::new();
        let mut next = Some(Arc::clone(target));
        while let Some(planet) = next {
            // A circle of others, which one of them is about to notice.
            if path.iter().any(|name| Arc::ptr_eq(name, planet.name())) {
                break;
            }
            path.push(Arc::clone(planet.name()));
            let Some(holder) = planet.holder() else { break };
            if Arc::ptr_eq(&holder, self) {
                return Err(path);
            }
            let waits_for = holder.waits_for.lock().unwrap_or_else(PoisonError::into_inner);
            next = waits_for.as_ref().and_then(Weak::upgrade);
        }
        *self.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(target));
        Ok(Wait { errand: Arc::clone(self) })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        *self.errand.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
