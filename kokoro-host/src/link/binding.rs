//! A Planet's import, and who serves it today.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::interface::InterfaceName;
use crate::planet::Planet;

/// An import that is linked once and points at today's provider, or at none.
#[derive(Debug, Default)]
pub(crate) struct Binding {
    target: RwLock<Option<Target>>,
}

/// A provider: a Planet, and the export of it that serves (which may be of another version than the import).
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) planet: Arc<Planet>,
    pub(crate) export: Arc<str>,
}

impl Binding {
    pub(crate) fn target(&self) -> Option<Target> {
        self.target.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn point_at(&self, target: Option<Target>) {
        *self.target.write().unwrap_or_else(PoisonError::into_inner) = target;
    }
}

/// All imports of one Planet that somebody else than WASI serves.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// Those that other Planets serve, now or later.
    pub(crate) planets: BTreeMap<InterfaceName, Arc<Binding>>,
    /// Those that the application serves, and under which name (which may be of another version).
    pub(crate) served: BTreeMap<InterfaceName, InterfaceName>,
}

impl Bindings {
    /// Whether a call through `import` would find a provider that runs. Toolchains merge imports of one track, so that the
    /// Planet may know its import under another version.
    pub(crate) fn is_bound(&self, import: &InterfaceName) -> bool {
        let runs = |binding: &Arc<Binding>| binding.target().is_some_and(|target| target.planet.ended().is_none());
        match self.planets.get(import) {
            Some(binding) => runs(binding),
            None if self.served.contains_key(import) => true,
            None => {
                self.served.keys().any(|own| own.can_serve(import))
                    || self.planets.iter().any(|(own, binding)| own.can_serve(import) && runs(binding))
            }
        }
    }
}
