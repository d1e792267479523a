//! A Satellite (a native child process of a Planet) that gives back what it gets: nothing but the way there and back is measured.

use std::process::ExitCode;

use self::echo::{Place, Point};

kokoro_satellite::satellite! { state: Echo, exports: ["bench:calls/echo@0.1.0"], wit: "../guests/wit" }

#[derive(Default)]
struct Echo;

impl echo::Guest for Echo {
    fn nop(&mut self) {}

    fn add(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn text(&mut self, value: String) -> String {
        value
    }

    fn bytes(&mut self, value: Vec<u8>) -> Vec<u8> {
        value
    }

    fn floats(&mut self, value: Vec<f64>) -> Vec<f64> {
        value
    }

    fn numbers(&mut self, value: Vec<u32>) -> Vec<u32> {
        value
    }

    fn points(&mut self, value: Vec<Point>) -> Vec<Point> {
        value
    }

    fn places(&mut self, value: Vec<Place>) -> Vec<Place> {
        value
    }

    /// The memory of a process is not measured.
    fn memory(&mut self) -> u64 {
        0
    }
}

fn main() -> ExitCode {
    kokoro_satellite::run::<Echo>()
}
