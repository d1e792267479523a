//! Counts the memories and tables of one Planet, and how large they are.

use std::fmt;
use std::sync::Arc;

use crate::limits::{Budget, Limits};

#[derive(Debug)]
pub(super) struct MemoryLimit {
    limit: usize,
    most_elements: usize,
    most_instances: usize,
    /// What is left to all Planets of the Primary.
    budget: Arc<Budget>,
    used: usize,
    elements: usize,
    /// What the growth that is under way has added, to be taken back if it fails: bytes, and elements.
    growing: (usize, usize),
    /// Whether the call that is executed ran into a limit, and which that was.
    refused: Option<Limit>,
}

/// A limit that was run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Of bytes, of one Planet.
    Memory(usize),
    /// Of bytes, of all Planets.
    AllMemory(usize),
    /// Of elements of tables.
    TableElements(usize),
    /// Of core instances, memories and tables.
    Instances,
    Handles,
    /// Of what crosses in one call.
    Value,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => write!(f, "it had reached its memory limit of {} MiB", limit >> 20),
            Self::AllMemory(limit) => {
                write!(f, "the planets together had reached their memory limit of {} MiB", limit >> 20)
            }
            Self::TableElements(limit) => write!(f, "its tables may have {limit} elements: `Limits::table_elements`"),
            Self::Instances => {
                f.write_str("it consists of more instances, memories or tables than a planet may: `Limits::instances`")
            }
            Self::Handles => f.write_str("it has as many handles as a planet may: `Limits::handles`"),
            Self::Value => f.write_str("what one call passes may not be larger: `Limits::value`"),
        }
    }
}

impl MemoryLimit {
    pub(super) fn new(limits: &Limits, budget: &Arc<Budget>) -> Self {
        Self {
            limit: limits.memory,
            most_elements: limits.table_elements,
            most_instances: limits.instances,
            budget: Arc::clone(budget),
            used: 0,
            elements: 0,
            growing: (0, 0),
            refused: None,
        }
    }

    /// Which limit was run into since the last [`forget`](MemoryLimit::forget).
    pub(super) fn refused(&self) -> Option<Limit> {
        self.refused
    }

    pub(super) fn forget(&mut self) {
        self.refused = None;
    }

    /// Takes `more` bytes, which hold so many `elements` of tables. A growth that `fails` anyway, since it goes beyond a memory's
    /// own maximum, does not count.
    fn grow(&mut self, fails: bool, more: usize, elements: usize) -> bool {
        self.growing = (0, 0);
        if fails {
            return true;
        }
        self.refused = if self.elements.saturating_add(elements) > self.most_elements {
            Some(Limit::TableElements(self.most_elements))
        } else if self.used.saturating_add(more) > self.limit {
            Some(Limit::Memory(self.limit))
        } else if !self.budget.take(more) {
            Some(Limit::AllMemory(self.budget.limit()))
        } else {
            self.growing = (more, elements);
            self.used += more;
            self.elements += elements;
            return true;
        };
        false
    }

    fn take_back(&mut self) {
        let (bytes, elements) = std::mem::take(&mut self.growing);
        self.used -= bytes;
        self.elements -= elements;
        self.budget.give_back(bytes);
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.budget.give_back(self.used);
    }
}

/// The size of a table's element in this process.
const ELEMENT: usize = size_of::<usize>();

impl wasmtime::ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fails = maximum.is_some_and(|maximum| desired > maximum);
        Ok(self.grow(fails, desired.saturating_sub(current), 0))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fails = maximum.is_some_and(|maximum| desired > maximum);
        let more = desired.saturating_sub(current);
        Ok(self.grow(fails, more.saturating_mul(ELEMENT), more))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.most_instances
    }

    fn tables(&self) -> usize {
        self.most_instances
    }

    fn memories(&self) -> usize {
        self.most_instances
    }
}
