//! How calls are measured: the same values, the same settings and the same form of results for Kokoro and for its peers, whose
//! programs are in a workspace of their own.

mod case;
mod contest;
mod results;
mod show;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use criterion::Criterion;
use rustix::time::{ClockId, clock_gettime};

pub use crate::case::{CASES, Case, PROCESSES, Place, Point, Value, Work};
pub use crate::contest::{Way, contest, serve};
pub use crate::results::Results;
pub use crate::show::{factor, table, table_of, time};

/// Measures one routine after another with criterion, and remembers the medians.
pub struct Measure {
    criterion: Criterion,
    folder: PathBuf,
    results: Results,
}

impl std::fmt::Debug for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measure").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Measure {
    /// Has criterion keep what it measures in `folder`.
    ///
    /// The settings are fast ones: half a second for each routine, 15 samples. Ratios of medians were the same within the noise
    /// with the ten times longer ones that criterion begins with.
    pub fn new(folder: &Path) -> Self {
        let criterion = Criterion::default()
            .without_plots()
            .with_output_color(false)
            .sample_size(15)
            .nresamples(2_000)
            .warm_up_time(Duration::from_millis(100))
            .measurement_time(Duration::from_millis(400))
            .output_directory(folder);
        Self { criterion, folder: folder.to_owned(), results: Results::default() }
    }

    /// Measures how long one round of `routine`, which does as many as it is told, takes as `way` of doing `case`. One that fails
    /// is in the results with its reason.
    ///
    /// # Errors
    ///
    /// If what criterion measured cannot be read.
    pub fn routine(&mut self, case: &Case, way: &str, mut routine: impl FnMut(u32) -> Result<()>) -> Result<()> {
        // One round before, so that one that cannot work says so.
        if let Err(error) = routine(1) {
            self.results.failed(case.name, way, format!("{error:#}"));
            return Ok(());
        }
        let mut failure = None;
        let mut group = self.criterion.benchmark_group(case.name);
        group.bench_function(way, |bencher| {
            bencher.iter_custom(|rounds| {
                let began = worked();
                let mut left = rounds;
                while left > 0 && failure.is_none() {
                    let part = u32::try_from(left).unwrap_or(u32::MAX);
                    failure = routine(part).err();
                    left -= u64::from(part);
                }
                // Criterion takes no time at all for an error of its own.
                worked().saturating_sub(began).max(Duration::from_nanos(1))
            });
        });
        group.finish();
        match failure {
            Some(error) => self.results.failed(case.name, way, format!("{error:#}")),
            None => self.results.took(case.name, way, self.median(case.name, way)?),
        }
        Ok(())
    }

    /// What criterion has written about the routine: nanoseconds of one round.
    fn median(&self, case: &str, way: &str) -> Result<f64> {
        let file = self.folder.join(case).join(way).join("new").join("estimates.json");
        let text = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let estimates: serde_json::Value = serde_json::from_slice(&text)?;
        let median = estimates["median"]["point_estimate"].as_f64();
        median.with_context(|| format!("{} has no median", file.display()))
    }

    /// What has been measured.
    pub fn results(&self) -> &Results {
        &self.results
    }
}

/// How long the processors have worked for this process. Nothing that is measured waits for anything, so in a machine that does nothing else
/// it is the time that passes; in one that does, it is that all the same.
fn worked() -> Duration {
    // A process's time is never negative.
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

/// An error unless as many elements came back as were sent.
///
/// # Errors
///
/// That.
pub fn check(case: &Case, rounds: u32, elements: u64) -> Result<()> {
    let sent = u64::from(case.length) * u64::from(rounds);
    if elements != sent {
        bail!("{elements} elements came back instead of {sent}");
    }
    Ok(())
}
