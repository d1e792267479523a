//! The same calls without any plugin system: of a trait object, which gives back a copy of what it gets.

use std::hint::black_box;

use anyhow::Result;
use kokoro_bench_measure::{Place, Point, Value};

/// `bench:calls/echo` as a trait.
pub(crate) trait Native {
    fn nop(&mut self);
    fn add(&mut self, a: u32, b: u32) -> u32;
    fn text(&mut self, value: &str) -> String;
    fn bytes(&mut self, value: &[u8]) -> Vec<u8>;
    fn floats(&mut self, value: &[f64]) -> Vec<f64>;
    fn numbers(&mut self, value: &[u32]) -> Vec<u32>;
    fn points(&mut self, value: &[Point]) -> Vec<Point>;
    fn places(&mut self, value: &[Place]) -> Vec<Place>;
}

struct Echo;

impl Native for Echo {
    fn nop(&mut self) {}

    fn add(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn text(&mut self, value: &str) -> String {
        value.to_owned()
    }

    fn bytes(&mut self, value: &[u8]) -> Vec<u8> {
        value.to_vec()
    }

    fn floats(&mut self, value: &[f64]) -> Vec<f64> {
        value.to_vec()
    }

    fn numbers(&mut self, value: &[u32]) -> Vec<u32> {
        value.to_vec()
    }

    fn points(&mut self, value: &[Point]) -> Vec<Point> {
        value.to_vec()
    }

    fn places(&mut self, value: &[Place]) -> Vec<Place> {
        value.to_vec()
    }
}

/// A trait object of which the compiler does not know what it is.
pub(crate) fn echo() -> Box<dyn Native> {
    black_box(Box::new(Echo))
}

#[expect(clippy::unnecessary_wraps, reason = "the other ways of doing the same can fail")]
pub(crate) fn rounds(echo: &mut dyn Native, value: &Value, rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        let echo = black_box(&mut *echo);
        match black_box(value) {
            Value::Nop => echo.nop(),
            Value::Add(a, b) => _ = black_box(echo.add(*a, *b)),
            Value::Text(text) => _ = black_box(echo.text(text)),
            Value::Bytes(bytes) => _ = black_box(echo.bytes(bytes)),
            Value::Floats(floats) => _ = black_box(echo.floats(floats)),
            Value::Numbers(numbers) => _ = black_box(echo.numbers(numbers)),
            Value::Points(points) => _ = black_box(echo.points(points)),
            Value::Places(places) => _ = black_box(echo.places(places)),
        }
    }
    Ok(())
}
