//! Calls from a Planet (plugin) to its Satellite.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kokoro_bench_measure::{Case, Work, check};
use kokoro_host::{Admission, Candidate, Engine, Grants, Primary, SatelliteGrant};
use tokio::runtime::Runtime;

mod bindings {
    kokoro_host::bindings!({
        path: "guests/wit",
        interfaces: ["bench:calls/caller@0.1.0"],
    });
}
use bindings::caller;

/// A Primary with the Planet that calls.
pub(crate) struct Native {
    primary: Primary,
    caller: caller::Caller,
}

impl Native {
    pub(crate) async fn start(engine: &Engine, planet: &Path) -> Result<Self> {
        let grant =
            |_: Candidate| Admission::granted(Grants::none().satellite(SatelliteGrant::program("bench-satellite")));
        let primary = Primary::builder().engine(engine).allow_satellites().admit(grant).build()?;
        let report = primary.load(planet).await?;
        ensure!(report.running().count() == 1, "it does not run:\n{report}");
        // One call of the application stands for many here.
        let caller = primary.get::<caller::Caller>()?.within(Duration::from_secs(600));
        Ok(Self { primary, caller })
    }

    /// So many calls of the Satellite.
    pub(crate) fn run(&self, runtime: &Runtime, case: &Case, rounds: u32) -> Result<Duration> {
        let (caller, case) = (self.caller.clone(), *case);
        let calls = async move {
            let began = Instant::now();
            let elements = caller.run(work(case.work), case.length, rounds).await?;
            let took = began.elapsed();
            check(&case, rounds, elements)?;
            Ok(took)
        };
        // As a task of the runtime, as those of an application are.
        runtime.block_on(runtime.spawn(calls))?
    }

    pub(crate) async fn shutdown(self) {
        self.primary.shutdown().await;
    }
}

fn work(work: Work) -> caller::Work {
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
