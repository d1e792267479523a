//! Counts the bytes of all memories and tables of one Planet.

use std::sync::Arc;

use crate::limits::Budget;

#[derive(Debug)]
pub(super) struct MemoryLimit {
    limit: usize,
    /// What is left to all Planets of the Primary.
    budget: Arc<Budget>,
    used: usize,
    /// What the growth that is under way has added, to be taken back if it fails.
    growing: usize,
    /// Whether the call that is executed ran into a limit, and which that was.
    refused: Option<Refused>,
}

/// The limit that an allocation would have exceeded, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refused {
    Planet(usize),
    Primary(usize),
}

impl MemoryLimit {
    pub(super) fn new(limit: usize, budget: &Arc<Budget>) -> Self {
        Self { limit, budget: Arc::clone(budget), used: 0, growing: 0, refused: None }
    }

    /// Which limit was run into since the last [`forget`](MemoryLimit::forget).
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    pub(super) fn forget(&mut self) {
        self.refused = None;
    }

    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        self.growing = 0;
        // A growth beyond the memory's own maximum fails whatever we say, and must not count.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return true;
        }
        let more = desired.saturating_sub(current);
        self.refused = if self.used.saturating_add(more) > self.limit {
            Some(Refused::Planet(self.limit))
        } else if !self.budget.take(more) {
            Some(Refused::Primary(self.budget.limit()))
        } else {
            self.growing = more;
            self.used += more;
            return true;
        };
        false
    }

    fn take_back(&mut self) {
        let bytes = std::mem::take(&mut self.growing);
        self.used -= bytes;
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
        Ok(self.grow(current, desired, maximum))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(ELEMENT);
        Ok(self.grow(bytes(current), bytes(desired), maximum.map(bytes)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }
}
