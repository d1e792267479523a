//! A Planet's import, and who serves it today.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::interface::InterfaceName;
use crate::planet::{Planet, Target};
use crate::satellite::Satellite;
use crate::value::Receiver;

/// An import that is linked once and points at today's provider, or at none.
#[derive(Debug, Default)]
pub(crate) struct Binding {
    target: RwLock<Option<Target>>,
}

impl Binding {
    pub(crate) fn target(&self) -> Option<Target> {
        self.target.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another provider than `tried`, if the binding points at one now.
    pub(crate) fn other_than(&self, tried: &Target) -> Option<Target> {
        self.target().filter(|today| !today.is(tried))
    }

    /// Points at somebody else from now on, or at nobody; says whether that is a change.
    pub(crate) fn point_at(&self, target: Option<Target>) -> bool {
        let mut today = self.target.write().unwrap_or_else(PoisonError::into_inner);
        let same = match (&*today, &target) {
            (Some(today), Some(target)) => today.is(target),
            (today, target) => today.is_none() && target.is_none(),
        };
        *today = target;
        !same
    }

    /// Whether it points at an instance of this Planet.
    pub(crate) fn points_at(&self, planet: &Arc<Planet>) -> bool {
        let target = self.target.read().unwrap_or_else(PoisonError::into_inner);
        target.as_ref().is_some_and(|target| Arc::ptr_eq(&target.planet, planet))
    }
}

/// All imports of one Planet that somebody else than WASI serves.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// Those that other Planets serve, now or later.
    pub(crate) planets: BTreeMap<InterfaceName, Arc<Binding>>,
    /// Those that the application serves, and under which name (which may be of another version).
    pub(crate) served: BTreeMap<InterfaceName, InterfaceName>,
    /// Those that Satellites of the Planet's own serve.
    pub(crate) satellites: BTreeMap<InterfaceName, Arc<Satellite>>,
}

/// Who serves an import at present.
#[derive(Debug)]
pub(super) enum Bound<'a> {
    Application,
    /// A Satellite of its own.
    Satellite,
    /// A Planet; and the name that the import has in the component.
    Planet(&'a InterfaceName, Target),
}

impl Bindings {
    /// Who would answer a call through `import`. Toolchains merge imports of one track, so that the Planet may know its import
    /// under another version.
    pub(super) fn bound(&self, import: &InterfaceName) -> Option<Bound<'_>> {
        let target = |binding: &Arc<Binding>| binding.target().filter(|target| target.planet.ended().is_none());
        if let Some((own, binding)) = self.planets.get_key_value(import) {
            return Some(Bound::Planet(own, target(binding)?));
        }
        if self.served.keys().any(|own| own == import || own.can_serve(import)) {
            return Some(Bound::Application);
        }
        if self.satellites.keys().any(|own| own == import || own.can_serve(import)) {
            return Some(Bound::Satellite);
        }
        let mut merged = self.planets.iter().filter(|(own, _)| own.can_serve(import));
        merged.find_map(|(own, binding)| Some(Bound::Planet(own, target(binding)?)))
    }

    /// Its Satellites, each once.
    pub(crate) fn satellites(&self) -> impl Iterator<Item = &Arc<Satellite>> {
        let satellites: Vec<&Arc<Satellite>> = self.satellites.values().collect();
        let is_first = move |(place, satellite): &(usize, &Arc<Satellite>)| {
            !satellites[..*place].iter().any(|other| Arc::ptr_eq(other, satellite))
        };
        self.satellites.values().enumerate().filter(is_first).map(|(_, satellite)| satellite)
    }

    /// The Satellite to which everything goes that is passed to any, if there is exactly one.
    pub(crate) fn receiver(&self) -> Option<Arc<dyn Receiver>> {
        let mut satellites = self.satellites();
        let one = Arc::clone(satellites.next()?);
        satellites.next().is_none().then_some(one as Arc<dyn Receiver>)
    }

    pub(crate) fn is_bound(&self, import: &InterfaceName) -> bool {
        self.bound(import).is_some()
    }
}
