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
        work::memory()
    }
}

/// What the provider answered.
fn answer<T>(value: T) -> T {
    value
}
