//! Resources that a Planet exports, held by others.
//!
//! A handle never leaves the store that its resource is in. What others hold is a [`Resource`]: it knows the instance that it
//! belongs to, and when nobody holds it any more, that instance is told so. It answers to nobody after the end of that instance,
//! whatever has come in its place.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wasmtime::component::ResourceAny;

use super::Planet;
use super::hold::Target;
use super::instance::Instance;
use crate::inspect::{Inspection, Interface};
use crate::interface::InterfaceName;

/// A resource of a Planet, as all who are outside of that Planet share it.
pub(crate) struct Resource {
    owner: Arc<Planet>,
    release: u64,
    inspection: Arc<Inspection>,
    instance: u64,
    any: ResourceAny,
    /// Whether it has gone back to its owner for good.
    given_back: AtomicBool,
}

impl Resource {
    /// A resource of an instance, to be held by somebody else.
    pub(super) fn new(owner: &Arc<Planet>, instance: &Instance, any: ResourceAny) -> Arc<Self> {
        Arc::new(Self {
            owner: Arc::clone(owner),
            release: instance.release(),
            inspection: Arc::clone(instance.inspection()),
            instance: instance.number(),
            any,
            given_back: AtomicBool::new(false),
        })
    }

    /// Whom to call for a method of the interface `import`: the owner, by the newest of its exports that can serve the import and
    /// `fits`. There need not be one: the handle may have come by another interface.
    pub(crate) fn target(&self, import: &InterfaceName, fits: impl Fn(&Interface) -> bool) -> Option<Target> {
        let mut exports = self.inspection.exports.iter().rev();
        let (export, _) = exports.find(|(export, offered)| export.can_serve(import) && fits(offered))?;
        Some(Target { planet: Arc::clone(&self.owner), export: export.to_string().into(), release: self.release })
    }

    pub(crate) fn owner(&self) -> &Arc<Planet> {
        &self.owner
    }

    /// The resource in the store of an instance, or why it is not there.
    pub(super) fn within(&self, instance: u64, use_of_it: Use) -> Result<ResourceAny, Stale> {
        if self.instance != instance {
            return Err(Stale::Instance);
        }
        let given_back = match use_of_it {
            Use::Give => self.given_back.swap(true, Ordering::Relaxed),
            Use::Lend => self.given_back.load(Ordering::Relaxed),
        };
        if given_back { Err(Stale::GivenBack) } else { Ok(self.any) }
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("owner", self.owner.name()).finish_non_exhaustive()
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        if !*self.given_back.get_mut() {
            self.owner.release(Released { instance: self.instance, any: self.any });
        }
    }
}

/// What a call does with a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Lend,
    Give,
}

/// Why a resource cannot be had any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    /// The instance that it belonged to has ended.
    Instance,
    /// It has been given back to its owner.
    GivenBack,
}

impl Stale {
    /// A sentence about a handle whose owner is called `planet`.
    pub(crate) fn sentence(self, planet: &str) -> String {
        match self {
            Self::Instance => {
                format!("it is passed a handle of an instance of planet `{planet}` that has ended; get another one")
            }
            Self::GivenBack => format!("it is passed a handle that has been given back to planet `{planet}` before"),
        }
    }
}

/// A resource that nobody holds any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Released {
    pub(super) instance: u64,
    pub(super) any: ResourceAny,
}

/// What a Planet has to drop, before it answers the next call.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// Whether there is anything, or is being dropped.
    any: AtomicBool,
    waiting: Mutex<Vec<Released>>,
    done: Notify,
}

impl Releases {
    /// Says whether somebody has to begin to drop.
    pub(super) fn add(&self, released: Released) -> bool {
        let mut waiting = self.lock();
        waiting.push(released);
        !self.any.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> Vec<Released> {
        std::mem::take(&mut *self.lock())
    }

    /// Whether whoever drops has come to an end: nothing is left, or nothing `can_be` done any more.
    pub(super) fn is_done(&self, can_be: bool) -> bool {
        let mut waiting = self.lock();
        if can_be && !waiting.is_empty() {
            return false;
        }
        waiting.clear();
        self.any.store(false, Ordering::Relaxed);
        self.done.notify_waiters();
        true
    }

    /// Waits until there is nothing to be dropped.
    pub(super) async fn done(&self) {
        let mut done = std::pin::pin!(self.done.notified());
        done.as_mut().enable();
        if !self.is_empty() {
            done.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Released>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The resources of other Planets that one Planet holds, by the numbers that stand for them in its store.
#[derive(Debug)]
pub(crate) struct Holdings {
    next: u32,
    held: HashMap<u32, Arc<Resource>>,
}

/// Numbers begin here, so that none is that of a resource of the application.
const FIRST: u32 = 1 << 31;

impl Default for Holdings {
    fn default() -> Self {
        Self { next: FIRST, held: HashMap::new() }
    }
}

impl Holdings {
    /// Takes a resource up, and gives its number.
    pub(crate) fn add(&mut self, resource: Arc<Resource>) -> u32 {
        while self.held.contains_key(&self.next) {
            self.skip();
        }
        let number = self.next;
        self.skip();
        self.held.insert(number, resource);
        number
    }

    fn skip(&mut self) {
        self.next = self.next.wrapping_add(1).max(FIRST);
    }

    pub(crate) fn get(&self, number: u32) -> Option<Arc<Resource>> {
        self.held.get(&number).cloned()
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<Arc<Resource>> {
        self.held.remove(&number)
    }
}
