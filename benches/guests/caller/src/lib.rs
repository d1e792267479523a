//! A Planet (plugin) that calls another one, over and over again, so that the application's own call does not count. It knows nothing of
//! Kokoro, so that others can link the very same component.

mod bindings;
mod work;

use std::cell::RefCell;

use self::bindings::bench::calls::echo;
use self::bindings::exports::bench::calls::caller::{Guest, Work};

struct Caller;

thread_local! {
    static VALUES: RefCell<work::Values> = RefCell::default();
}

impl Guest for Caller {
    fn run(work: Work, length: u32, rounds: u32) -> u64 {
        VALUES.with_borrow_mut(|values| values.run(work, length, rounds))
    }

    fn memory() -> u64 {
        memory()
    }
}

/// What the provider answered.
fn answer<T>(value: T) -> T {
    value
}

#[cfg(target_family = "wasm")]
fn memory() -> u64 {
    core::arch::wasm32::memory_size(0) as u64 * 65_536
}

/// Only compiled, with the rest of the workspace.
#[cfg(not(target_family = "wasm"))]
fn memory() -> u64 {
    0
}
