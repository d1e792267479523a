//! A Planet (plugin) that calls its Satellite, over and over again, so that the application's own call does not count. What it does is what
//! `caller` does with another Planet.

#[path = "../../caller/src/work.rs"]
mod work;

use self::caller::Work;

kokoro_guest::planet! {
    state: Caller,
    exports: ["bench:calls/caller@0.1.0"],
    satellites: ["bench:calls/echo@0.1.0" in "bench-satellite"],
    wit: "../wit",
}

#[derive(Default)]
struct Caller {
    values: work::Values,
}

impl caller::Guest for Caller {
    fn run(&mut self, work: Work, length: u32, rounds: u32) -> u64 {
        self.values.run(work, length, rounds)
    }

    fn memory(&mut self) -> u64 {
        memory()
    }
}

/// What the Satellite answered.
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
