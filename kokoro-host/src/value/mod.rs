//! Values between a component's memory and the self-contained form of [`kokoro_value`], without anything in between.
//!
//! A call from Planet to Planet is four copies of what it passes: arguments out of the caller's memory into a buffer and out of that
//! into the callee's memory, and the answer back in the same way. Bytes that are the same on both sides (numbers, lists of them,
//! records of them without padding) are copied whole.
//!
//! Wasmtime reads and writes values by the Rust type that a function is called with. [`bridge`] has types that carry the form,
//! for components' types of every kind; how values of a component's type lie in its memory is a [`plan`], worked out once.

mod bridge;
mod buffer;
mod lift;
mod lower;
mod outlet;
mod plan;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::{fmt, io};

use rustc_hash::FxHashMap;
use wasmtime::component::__internal::ComponentTypes;
use wasmtime::component::__internal::wasmtime_environ::component::TypeTupleIndex;
use wasmtime::component::ResourceAny;
use wasmtime::{Error, Result};

pub(crate) use self::bridge::{Answer, Asked, Given, Sent};
pub(crate) use self::buffer::{Buffer, Parcel, Rest};
use self::lift::Fault;
pub(crate) use self::outlet::{Claim, Delivered, Receiver};
use self::plan::{Nodes, Plan};

/// A value out of a component.
#[derive(Debug)]
pub(crate) struct Lifted {
    pub(crate) bytes: Buffer,
    /// The handles in it: where one stands, the form has its place here.
    pub(crate) handles: Vec<Passed>,
    /// How large values may be, if it is larger. Then it is not all there.
    pub(crate) too_large: Option<usize>,
    /// Why there was no memory for it where it was to go, if so. Then it is not all there either.
    pub(crate) no_memory: Option<io::Error>,
}

/// A handle out of a component.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Passed {
    /// Of a resource of somebody else, by the number that the component's store knows it by; it has been given away.
    Number(u32),
    /// The same, but only lent until the call ends.
    Lent(u32),
    /// Of a resource of the component's own, given away.
    Resource(ResourceAny),
}

/// The parameters of an export, to be lowered.
pub(crate) struct Arguments<'a> {
    pub(crate) parcel: &'a Parcel,
    /// For each place in the form that stands for a handle.
    pub(crate) resources: &'a [ResourceAny],
}

/// On which side of an interface a component is.
#[derive(Clone, Copy)]
enum Side {
    Importer,
    Exporter,
}

/// Why values of a type do not cross.
#[derive(Debug)]
enum Unplanned {
    /// They are more than data: futures, streams, error contexts.
    Asynchronous,
    /// They are larger than a component's memory.
    TooLarge,
}

impl fmt::Display for Unplanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asynchronous => "futures and streams do not cross between planets",
            Self::TooLarge => "values of its type are larger than a component's memory",
        })
    }
}

impl std::error::Error for Unplanned {}

/// How one component has all that crosses its borders, as far as anybody has asked.
#[derive(Debug)]
pub(crate) struct Plans {
    /// Parameters and results by the number that their type has in the component. Wasmtime lifts an import's parameters before it
    /// says which import is called; and where components are nested, each has numbers of its own for one import.
    tuples: RwLock<FxHashMap<u32, Arc<Plan>>>,
    /// The same for exports, by their places.
    exports: Box<[Exported]>,
    nodes: Mutex<Nodes>,
}

/// The parameters and the result of an exported function.
#[derive(Debug, Default)]
struct Exported {
    params: OnceLock<Arc<Plan>>,
    results: OnceLock<Arc<Plan>>,
}

impl Plans {
    /// For a component with so many exported functions.
    pub(crate) fn new(exports: usize) -> Self {
        let exports = (0..exports).map(|_| Exported::default()).collect();
        Self { tuples: RwLock::default(), exports, nodes: Mutex::default() }
    }

    fn plan(&self, types: &ComponentTypes, tuple: TypeTupleIndex) -> Result<Arc<Plan>> {
        let known = self.tuples.read().unwrap_or_else(PoisonError::into_inner).get(&tuple.as_u32()).cloned();
        if let Some(plan) = known {
            return Ok(plan);
        }
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = Arc::new(Plan::new(types, tuple, &mut nodes).map_err(Error::new)?);
        let mut tuples = self.tuples.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(tuples.entry(tuple.as_u32()).or_insert(plan)))
    }

    fn once<'p>(
        &self,
        slot: &'p OnceLock<Arc<Plan>>,
        types: &ComponentTypes,
        tuple: TypeTupleIndex,
    ) -> Result<&'p Plan> {
        match slot.get() {
            Some(plan) => Ok(plan),
            None => {
                let plan = self.plan(types, tuple)?;
                Ok(slot.get_or_init(|| plan))
            }
        }
    }
}

/// What a component is executed with, so that values cross.
#[derive(Debug, Clone)]
pub(crate) struct Crossing {
    pub(crate) plans: Arc<Plans>,
    /// Which export is called, if it is called with [`Arguments`].
    pub(crate) called: Option<usize>,
    /// How many bytes a value may have.
    pub(crate) most: usize,
    /// Who takes what is large of [`Sent`] parameters: the Planet's Satellite, if there is one alone. Parameters are lifted before it is
    /// known which import they are for.
    pub(crate) receiver: Option<Arc<dyn Receiver>>,
}

tokio::task_local! {
    /// Of the component that is executed: Wasmtime's traits for values have no other place for it.
    static CROSSING: Crossing;
}

impl Crossing {
    /// Executes a component.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CROSSING.scope(self, work)
    }

    /// That of the component that is executed. Nothing is borrowed from its task, which is put aside while the component's own code
    /// runs.
    fn current() -> Result<Self> {
        Self::with(|crossing| Ok(crossing.clone()))
    }

    fn with<R>(work: impl FnOnce(&Self) -> Result<R>) -> Result<R> {
        let outside = |_| Err(Error::msg("a component is executed outside of Kokoro"));
        CROSSING.try_with(work).unwrap_or_else(outside)
    }

    /// The export that is called.
    fn called(&self) -> Result<&Exported> {
        let called = self.called.and_then(|place| self.plans.exports.get(place));
        called.ok_or_else(|| Error::msg("no export is called by what it is passed"))
    }

    /// The parameters of the export that is called.
    fn params(&self, types: &ComponentTypes, tuple: TypeTupleIndex) -> Result<&Plan> {
        self.plans.once(&self.called()?.params, types, tuple)
    }

    /// The result of the export that is called.
    fn results(&self, types: &ComponentTypes, tuple: TypeTupleIndex) -> Result<&Plan> {
        self.plans.once(&self.called()?.results, types, tuple)
    }

    fn lifted(&self, plan: &Plan, lift: impl FnOnce(&mut Lifted) -> std::result::Result<(), Fault>) -> Result<Lifted> {
        let mut value = Lifted { bytes: Buffer::new(), handles: Vec::new(), too_large: None, no_memory: None };
        match lift(&mut value) {
            Ok(()) => Ok(value),
            // Handles behind the end would belong to nobody.
            Err(Fault::TooLarge) if plan.gives => {
                Err(Error::msg("it gives handles away in a value that is larger than may cross: `Limits::value`"))
            }
            // Not an error of the lift: that would end the component's instance.
            Err(Fault::TooLarge) => Ok(Lifted { too_large: Some(self.most), ..value }),
            Err(Fault::NoMemory(error)) if plan.gives => Err(Error::new(error)),
            Err(Fault::NoMemory(error)) => Ok(Lifted { no_memory: Some(error), ..value }),
            Err(Fault::Lie(error)) => Err(error),
        }
    }
}
#[cfg(test)]
mod tests;
