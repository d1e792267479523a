//! The compiled code of a component, and where instances of it live.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::pool::Taken;
use super::trusted::Trusted;

/// What somebody has, or is compiling.
pub(super) type Slot = OnceLock<Result<Compiled, String>>;

/// The compiled code of a component: once for all Primaries of an engine, as long as one of them has it.
#[derive(Clone)]
pub(crate) struct Code(pub(super) Arc<Slot>);

pub(super) struct Compiled {
    /// Of the engine with the pool, if there is one and the component fits into it.
    component: Component,
    /// The same for the engine without, once an instance had to go there.
    plain: OnceLock<Result<Component, String>>,
}

impl Compiled {
    pub(super) fn new(component: Component) -> Self {
        Self { component, plain: OnceLock::new() }
    }

    /// Loads it into the first of these engines that takes it: a pool takes none that needs more than it has for one.
    pub(super) fn load<'a>(code: &Trusted<'_>, engines: impl IntoIterator<Item = &'a Engine>) -> Result<Self, String> {
        let mut refused = String::new();
        for engine in engines {
            match code.deserialize(engine) {
                Ok(component) => return Ok(Self::new(component)),
                Err(error) => refused = format!("{error:#}"),
            }
        }
        Err(refused)
    }

    pub(super) fn component(&self) -> &Component {
        &self.component
    }

    /// The component for an engine that compiles as its own does.
    pub(super) fn on(&self, engine: &Engine) -> Result<&Component, String> {
        if Engine::same(self.component.engine(), engine) {
            return Ok(&self.component);
        }
        let load = || Trusted::serialized(&self.component)?.deserialize(engine);
        let plain = self.plain.get_or_init(|| load().map_err(|error| format!("{error:#}")));
        plain.as_ref().map_err(String::clone)
    }
}

impl Code {
    pub(super) fn compiled(&self) -> &Compiled {
        match self.0.get() {
            Some(Ok(compiled)) => compiled,
            _ => unreachable!("there is no code without a component"),
        }
    }
}

impl Deref for Code {
    type Target = Component;

    fn deref(&self) -> &Component {
        self.compiled().component()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
}

/// Where one instance lives: in the pool, or in memory of its own. To be dropped after the instance's store.
pub(crate) struct Place {
    component: Component,
    /// What it has of the pool.
    _taken: Option<Taken>,
}

impl Place {
    pub(super) fn new(component: &Component, taken: Option<Taken>) -> Self {
        Self { component: component.clone(), _taken: taken }
    }

    /// The component, for the engine of this place.
    pub(crate) fn component(&self) -> &Component {
        &self.component
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.component.engine()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("taken", &self._taken).finish_non_exhaustive()
    }
}
