//! Memory for instances that is set aside beforehand, and who is in it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::PoolingAllocationConfig;
use wasmtime::component::Component;

use crate::limits::Limits;

/// How many Planets (plugins) an engine's pool has room for: see [`EngineBuilder::pool`](super::EngineBuilder::pool).
///
/// What is set aside is address space: 4 GiB for each memory, and as much again for each Planet, for the case that it needs a heap of
/// managed objects. It takes up RAM only while it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    instances: u32,
    memories: u32,
    tables: u32,
    table_elements: usize,
}

impl Pool {
    /// Room for so many Planets at a time, over all Primaries of the engine, as most toolchains make them: with one linear memory
    /// and three tables each.
    pub fn new(planets: u32) -> Self {
        Self {
            instances: planets,
            memories: planets,
            tables: planets.saturating_mul(3),
            table_elements: Limits::default().table_elements,
        }
    }

    /// Linear memories of all Planets together, if they are not one for each.
    #[must_use]
    pub fn memories(mut self, memories: u32) -> Self {
        self.memories = memories;
        self
    }

    /// Tables of all Planets together, if they are not three for each.
    #[must_use]
    pub fn tables(mut self, tables: u32) -> Self {
        self.tables = tables;
        self
    }

    /// The limits of the Primaries that use it, if they are not the default: what they allow has to have room. A Primary that
    /// allows more does not use the pool.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.table_elements = limits.table_elements;
        self
    }

    /// The same in Wasmtime's words.
    pub(super) fn config(&self) -> PoolingAllocationConfig {
        let mut config = PoolingAllocationConfig::new();
        // Instances and what belongs to them are on the heap anyway; `Limits::instances` limits them, with or without a pool.
        config.total_component_instances(u32::MAX).total_core_instances(u32::MAX);
        config.max_component_instance_size(usize::MAX / 2).max_core_instance_size(usize::MAX / 2);
        config.max_memories_per_module(self.memories).max_tables_per_module(self.tables);
        // A heap of managed objects is in a memory too.
        config.total_memories(self.memories.saturating_add(self.instances)).total_gc_heaps(self.instances);
        config.total_tables(self.tables).table_elements(self.table_elements);
        config.total_stacks(self.instances);
        config
    }
}

/// What the pool of an [`Engine`](super::Engine) has been used for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolStatistics {
    /// Instances of Planets that are in the pool now.
    pub pooled: u32,
    /// How many instances have been given memory of their own instead, since the engine was made: the pool was used up, or they
    /// need more than it has for one, or their Primary allows more.
    pub plain: u64,
    /// Why there is no pool although one was asked for. It was told to `tracing` as well.
    pub problem: Option<String>,
}

/// What of a pool is free.
pub(super) struct Room {
    table_elements: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: Slots,
    pooled: u32,
    plain: u64,
}

/// What one instance needs, or what there is for all.
#[derive(Debug, Clone, Copy, Default)]
struct Slots {
    instances: u32,
    memories: u32,
    tables: u32,
}

impl Room {
    pub(super) fn new(pool: &Pool) -> Arc<Self> {
        let free = Slots { instances: pool.instances, memories: pool.memories, tables: pool.tables };
        let state = Mutex::new(State { free, ..State::default() });
        Arc::new(Self { table_elements: pool.table_elements, state })
    }

    /// Takes what an instance of `component` needs, if all of it is free: Wasmtime would find out in the middle of an instantiation
    /// that something is not, when a part of the component has run already.
    pub(super) fn take(self: &Arc<Self>, component: &Component, limits: &Limits) -> Option<Taken> {
        let mut state = self.state();
        let taken = component
            .resources_required()
            .filter(|_| limits.table_elements <= self.table_elements)
            .map(|needs| Slots { instances: 1, memories: needs.num_memories, tables: needs.num_tables })
            .and_then(|slots| Some((slots, state.free.without(slots)?)));
        match taken {
            Some((slots, rest)) => {
                state.free = rest;
                state.pooled += 1;
                Some(Taken { room: Arc::clone(self), slots })
            }
            None => {
                state.plain += 1;
                None
            }
        }
    }

    /// Counts one that cannot be in it at all.
    pub(super) fn pass(&self) {
        self.state().plain += 1;
    }

    pub(super) fn statistics(&self) -> PoolStatistics {
        let State { pooled, plain, .. } = *self.state();
        PoolStatistics { pooled, plain, problem: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn without(self, other: Self) -> Option<Self> {
        Some(Self {
            instances: self.instances.checked_sub(other.instances)?,
            memories: self.memories.checked_sub(other.memories)?,
            tables: self.tables.checked_sub(other.tables)?,
        })
    }
}

/// What one instance has of the pool. It is free again when this is dropped, which must be after its store.
pub(super) struct Taken {
    room: Arc<Room>,
    slots: Slots,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut state = self.room.state();
        state.free.instances += self.slots.instances;
        state.free.memories += self.slots.memories;
        state.free.tables += self.slots.tables;
        state.pooled -= 1;
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").field("slots", &self.slots).finish_non_exhaustive()
    }
}
