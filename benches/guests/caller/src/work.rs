//! What is done, by every caller: also those that are linked by others than Kokoro.

use crate::echo::{self, Place, Point};
use crate::{Work, answer};

/// What is sent, made once for many runs.
#[derive(Default)]
pub(crate) struct Values {
    text: String,
    bytes: Vec<u8>,
    floats: Vec<f64>,
    numbers: Vec<u32>,
    points: Vec<Point>,
    places: Vec<Place>,
}

impl Values {
    pub(crate) fn run(&mut self, work: Work, length: u32, rounds: u32) -> u64 {
        match work {
            Work::Nop => repeat(rounds, || {
                #[allow(clippy::unit_arg, reason = "others give a result")]
                answer(echo::nop());
                1
            }),
            Work::Add => {
                let mut sum = 0;
                repeat(rounds, || {
                    let last = sum;
                    sum = answer(echo::add(last, 3));
                    (sum == last.wrapping_add(3)).into()
                })
            }
            Work::Text => {
                if self.text.len() != length as usize {
                    self.text = "k".repeat(length as usize);
                }
                repeat(rounds, || answer(echo::text(&self.text)).len())
            }
            Work::Bytes => {
                fill(&mut self.bytes, length, |i| i as u8);
                repeat(rounds, || answer(echo::bytes(&self.bytes)).len())
            }
            Work::Floats => {
                fill(&mut self.floats, length, f64::from);
                repeat(rounds, || answer(echo::floats(&self.floats)).len())
            }
            Work::Numbers => {
                fill(&mut self.numbers, length, |i| i);
                repeat(rounds, || answer(echo::numbers(&self.numbers)).len())
            }
            Work::Points => {
                fill(&mut self.points, length, |i| Point { x: f64::from(i), y: 0.5 });
                repeat(rounds, || answer(echo::points(&self.points)).len())
            }
            Work::Places => {
                fill(&mut self.places, length, |i| Place { x: f64::from(i), y: 0.5, name: format!("place {i}") });
                repeat(rounds, || answer(echo::places(&self.places)).len())
            }
        }
    }
}

fn fill<T>(values: &mut Vec<T>, length: u32, value: impl Fn(u32) -> T) {
    if values.len() != length as usize {
        // What was there goes first.
        *values = Vec::new();
        *values = (0..length).map(value).collect();
    }
}

fn repeat(rounds: u32, mut once: impl FnMut() -> usize) -> u64 {
    let mut elements = 0;
    for _ in 0..rounds {
        elements += once() as u64;
    }
    elements
}
