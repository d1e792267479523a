//! A Planet (plugin) that gives back what it gets: nothing but the way there and back is measured. It knows nothing of Kokoro, so that
//! others can link the very same component.

mod bindings;

use self::bindings::exports::bench::calls::echo::{Guest, Place, Point};

struct Echo;

impl Guest for Echo {
    fn nop() {}

    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn text(value: String) -> String {
        value
    }

    fn bytes(value: Vec<u8>) -> Vec<u8> {
        value
    }

    fn floats(value: Vec<f64>) -> Vec<f64> {
        value
    }

    fn numbers(value: Vec<u32>) -> Vec<u32> {
        value
    }

    fn points(value: Vec<Point>) -> Vec<Point> {
        value
    }

    fn places(value: Vec<Place>) -> Vec<Place> {
        value
    }

    fn memory() -> u64 {
        memory()
    }
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
