//! The same calls through Kokoro.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use kokoro_bench_measure::{Case, Value, Work, check};
use kokoro_host::{Engine, Primary};

use crate::Components;

mod bindings {
    kokoro_host::bindings!({
        path: "guests/wit",
        interfaces: ["bench:calls/echo@0.1.0", "bench:calls/caller@0.1.0"],
    });
}
pub(crate) use bindings::{caller, echo};

/// A Primary with both Planets (plugins), as an application has it: nothing is set.
pub(crate) struct Planets {
    primary: Primary,
    echo: echo::Echo,
    caller: caller::Caller,
}

impl Planets {
    pub(crate) async fn start(engine: &Engine, components: &Components) -> Result<Self> {
        let primary = Primary::builder().engine(engine).build()?;
        primary.load_bytes("echo", components.echo.clone()).await?;
        let report = primary.load_bytes("caller", components.caller.clone()).await?;
        ensure!(report.running().count() == 1, "not all run:\n{report}");
        let echo = primary.get::<echo::Echo>()?;
        // One call of the application stands for many here.
        let caller = primary.get::<caller::Caller>()?.within(Duration::from_secs(600));
        Ok(Self { primary, echo, caller })
    }

    /// So many calls from the application to a Planet.
    pub(crate) async fn host(&self, value: &Value, rounds: u32) -> Result<()> {
        let echo = &self.echo;
        match value {
            Value::Nop => {
                for _ in 0..rounds {
                    echo.nop().await?;
                }
            }
            Value::Add(a, b) => {
                for _ in 0..rounds {
                    black_box(echo.add(black_box(*a), black_box(*b)).await?);
                }
            }
            Value::Text(text) => {
                for _ in 0..rounds {
                    black_box(echo.text(text).await?);
                }
            }
            Value::Bytes(bytes) => {
                for _ in 0..rounds {
                    black_box(echo.bytes(bytes).await?);
                }
            }
            Value::Floats(floats) => {
                for _ in 0..rounds {
                    black_box(echo.floats(floats).await?);
                }
            }
            Value::Numbers(numbers) => {
                for _ in 0..rounds {
                    black_box(echo.numbers(numbers).await?);
                }
            }
            Value::Points(points) => {
                let points: Vec<_> = points.iter().map(point).collect();
                for _ in 0..rounds {
                    black_box(echo.points(&points).await?);
                }
            }
            Value::Places(places) => {
                let places: Vec<_> = places.iter().map(place).collect();
                for _ in 0..rounds {
                    black_box(echo.places(&places).await?);
                }
            }
        }
        Ok(())
    }

    /// So many calls from one Planet to the other.
    pub(crate) async fn between(&self, case: &Case, rounds: u32) -> Result<()> {
        let elements = self.caller.run(work(case.work), case.length, rounds).await?;
        check(case, rounds, elements)
    }

    /// Bytes of memory that both Planets have, together.
    pub(crate) async fn memory(&self) -> Result<u64> {
        Ok(self.echo.memory().await? + self.caller.memory().await?)
    }

    pub(crate) async fn shutdown(self) {
        self.primary.shutdown().await;
    }
}

pub(crate) fn work(work: Work) -> caller::Work {
    match work {
        Work::Nop => caller::Work::Nop,
        Work::Add => caller::Work::Add,
        Work::Text => caller::Work::Text,
        Work::Bytes => caller::Work::Bytes,
        Work::Floats => caller::Work::Floats,
        Work::Numbers => caller::Work::Numbers,
        Work::Points => caller::Work::Points,
        Work::Places => caller::Work::Places,
    }
}

pub(crate) fn point(point: &kokoro_bench_measure::Point) -> echo::Point {
    echo::Point { x: point.x, y: point.y }
}

pub(crate) fn place(place: &kokoro_bench_measure::Place) -> echo::Place {
    echo::Place { x: place.x, y: place.y, name: place.name.clone() }
}
