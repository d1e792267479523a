//! `kokoro test`: builds the Planets (plugins), and runs the tests that load them.

use std::ffi::OsString;

use clap::Args;

use crate::build::{self, Job, Progress};
use crate::failure::Failure;

/// The options of `kokoro test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    options: build::Options,
    /// Handed to `cargo test`, for example: kokoro test -- --test greeting -- --nocapture
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let progress = Progress::new();
        let job = Job::of(&self.options)?;
        let done = job.run(&progress, None);
        progress.end();
        done?.check()?;
        let out = job.out.canonicalize().map_err(Failure::failed)?;
        let mut cargo = job.toolchain.cargo();
        cargo.arg("test").args(job.named().iter().flat_map(|package| ["--package", package]));
        cargo.args(&self.arguments).env("KOKORO_PLANETS", out);
        let status = cargo.status().map_err(|error| Failure::failed(format!("cargo cannot be started: {error}")))?;
        match status.success() {
            true => Ok(()),
            // It has said which.
            false => Err(Failure::failed("tests have failed")),
        }
    }
}
