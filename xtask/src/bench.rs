//! `cargo xtask bench`: what things cost, measured.

use anyhow::Result;
use clap::ValueEnum;

use crate::planets;
use crate::process::{self, announce};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Bench {
    /// What a tenant costs: a Primary with three Planets (plugins), on an engine that all tenants share
    Tenants,
    /// What it costs to plan and start 10, 100 and 1,000 Planets (plugins), and to resolve 10,000 manifests
    Lifecycle,
}

impl Bench {
    fn program(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Lifecycle => "lifecycle",
        }
    }
}

/// Builds the Planets and the benchmark, optimised, and runs it.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain, bench: Bench) -> Result<()> {
    if matches!(bench, Bench::Tenants) {
        planets::build(workspace, toolchain, Some("site-builder"))?;
    }
    let program = bench.program();
    announce(format_args!(
        "bench: {program} (the first time takes a quarter of an hour: Wasmtime is compiled for release)"
    ));
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--release", "--package", "kokoro-bench", "--bin", program]);
    process::run(cargo.env("KOKORO_PLANETS", planets::folder(workspace)))
}
