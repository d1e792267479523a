//! `cargo xtask`: what it takes to build, try and test this workspace.
//!
//! Progress goes to standard error as lines that begin with `==>`; what the commands that are run
//! have to say goes where they send it.

mod bench;
mod browser;
mod demo;
mod from_source;
mod fuzz;
mod languages;
mod lint;
mod planets;
mod process;
mod python;
mod release;
mod satellites;
mod setup;
mod templates;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::setup::Way;
use crate::workspace::Workspace;

/// Builds, tries and tests Kokoro.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Makes building for wasm32-wasip2 possible
    ///
    /// Takes the active toolchain's own target if it is there, asks rustup for it if it is not, and
    /// builds the standard library from Debian's packages where rustup cannot help.
    Setup {
        /// Build the standard library from Debian's packages even if rustup could help, and go on
        /// using it until `cargo xtask setup` is run without this
        #[arg(long)]
        from_source: bool,
    },
    /// Builds every Planet (plugin) of the workspace into target/planets
    Planets {
        /// Use the standard library built from Debian's packages, as `setup --from-source` does
        #[arg(long)]
        from_source: bool,
    },
    /// Builds the website example and lets it turn this repository's Markdown, and an album of large pictures, into pages
    Demo {
        /// Use the standard library built from Debian's packages, as `setup --from-source` does
        #[arg(long)]
        from_source: bool,
    },
    /// Builds the Planets (plugins) of examples/languages that are not in Rust, where their toolchains can be had
    Languages,
    /// Makes projects of all templates, builds and tests them, and compares what they do with their READMEs
    Templates {
        /// Use the standard library built from Debian's packages, as `setup --from-source` does
        #[arg(long)]
        from_source: bool,
    },
    /// Runs every test, after building the Planets (plugins) that they load
    Test {
        /// Use the standard library built from Debian's packages, as `setup --from-source` does
        #[arg(long)]
        from_source: bool,
        /// Handed to `cargo test`, for example: -- -p kokoro-host deadlines -- --nocapture
        #[arg(last = true, value_name = "ARGUMENTS")]
        cargo_test: Vec<String>,
    },
    /// Measures what things cost, optimised; not part of the tests
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Sends random values of random types through components, far more of them than the tests do
    Fuzz {
        /// About how many values each of its parts sends
        #[arg(long, default_value_t = 1_000_000)]
        values: u64,
        /// Which types and values come first; a failure names the seed that repeats it
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Checks the formatting, clippy's lints, the documentation, the dependencies, and whether all that is published could be
    Lint,
    /// Packs every crate that is published, and checks that it could be published as it is; publishes nothing
    Release {
        /// Also compile each crate alone, and kokoro-host with fewer features: this checks Wasmtime anew, several times
        #[arg(long)]
        all: bool,
    },
    /// Everything a change has to pass: lint, test and demo
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::read()?;
    match task {
        Task::Setup { from_source } => {
            let way = if from_source { Way::FromSource } else { Way::Normal };
            setup::run(&workspace, way).map(drop)
        }
        Task::Planets { from_source } => planets::build(&workspace, &toolchain(&workspace, from_source)?, None),
        Task::Demo { from_source } => demo::run(&workspace, &toolchain(&workspace, from_source)?),
        Task::Languages => languages::build(&workspace),
        Task::Templates { from_source } => templates::run(&workspace, &toolchain(&workspace, from_source)?),
        Task::Test { from_source, cargo_test } => {
            test::run(&workspace, &toolchain(&workspace, from_source)?, &cargo_test)
        }
        Task::Bench { bench } => bench::run(&workspace, &toolchain(&workspace, false)?, bench),
        Task::Fuzz { values, seed } => fuzz::run(&workspace, values, seed),
        Task::Lint => lint::run(&workspace),
        Task::Release { all } => release::run(&workspace, all),
        Task::Ci => {
            lint::run(&workspace)?;
            let toolchain = toolchain(&workspace, false)?;
            test::run(&workspace, &toolchain, &[])?;
            demo::run(&workspace, &toolchain)
        }
    }
}

fn toolchain(workspace: &Workspace, from_source: bool) -> Result<toolchain::Toolchain> {
    setup::run(workspace, if from_source { Way::FromSource } else { Way::AsBefore })
}
