//! `cargo xtask bench`: what things cost, measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use clap::Subcommand;

use crate::planets;
use crate::process::{self, announce};
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Bench {
    /// What a tenant costs: a Primary with three Planets (plugins), on an engine that all tenants share
    Tenants,
    /// What it costs to plan and start 10, 100 and 1,000 Planets (plugins), and to resolve 10,000 manifests
    Lifecycle,
    /// What a call costs, from Planet (plugin) to Planet and from the application to a Planet, beside Wasmtime alone
    Calls {
        /// Count the instructions of a call with valgrind instead, and tell where they go
        #[arg(long)]
        instructions: bool,
    },
    /// What the same calls cost by others: wasm-link, Extism, components that are fused into one
    Peers,
    /// What a call from a Planet (plugin) to its Satellite costs, beside a bare socket between two processes
    Satellite {
        /// The same by others, too: gRPC, wRPC and iceoryx2
        #[arg(long)]
        peers: bool,
    },
    /// How many pages a second the site builder serves, for 1, 4 and 16 sites
    Serve,
    /// What a start costs with and without compiled code on disk, and of 100 Planets (plugins) beside Wasmtime alone
    Startup,
}

impl Bench {
    /// The folders of Planets (plugins) that it needs.
    fn planets(self) -> &'static [&'static str] {
        match self {
            Self::Tenants | Self::Startup => &["site-builder"],
            Self::Serve => &["site-builder", "site-builder-hostile"],
            Self::Lifecycle => &[],
            Self::Calls { .. } | Self::Peers | Self::Satellite { .. } => &["bench"],
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Lifecycle => "lifecycle",
            Self::Calls { .. } | Self::Peers => "calls",
            Self::Satellite { .. } => "satellite",
            Self::Serve => "serve",
            Self::Startup => "startup",
        }
    }
}

/// Builds the Planets and the benchmark, optimised, and runs it.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain, bench: Bench) -> Result<()> {
    for folder in bench.planets() {
        planets::build(workspace, toolchain, Some(folder))?;
    }
    let program = bench.program();
    announce(format_args!(
        "bench: {program} (the first time takes a quarter of an hour: Wasmtime is compiled for release)"
    ));
    match bench {
        Bench::Tenants | Bench::Lifecycle | Bench::Startup => process::run(&mut program_of(workspace, program)),
        Bench::Calls { instructions } => {
            let mut calls = calls(workspace, &Peers::new(workspace))?;
            if instructions {
                calls.arg("--instructions");
            }
            process::run(&mut calls)
        }
        Bench::Satellite { peers } => satellite(workspace, peers),
        Bench::Peers => peers(workspace, toolchain),
        Bench::Serve => {
            let mut cargo = workspace.cargo();
            cargo.args(["bench", "--package", "site-builder", "--bench", program]);
            process::run(cargo.env("KOKORO_PLANETS", planets::folder(workspace)))
        }
    }
}

/// One of the programs of `benches`, to be run.
fn program_of(workspace: &Workspace, program: &str) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--release", "--package", "kokoro-bench", "--bin", program]);
    cargo.env("KOKORO_PLANETS", planets::folder(workspace)).arg("--");
    cargo
}

/// The program that measures calls, to be run, with the fused component that it compares with.
fn calls(workspace: &Workspace, peers: &Peers<'_>) -> Result<Command> {
    let results = results(workspace);
    std::fs::create_dir_all(&results).with_context(|| format!("{} cannot be made", results.display()))?;
    let fused = results.join("fused.wasm");
    process::run(
        peers.program("peer-fuse").args([planet(workspace, "caller"), planet(workspace, "echo")]).arg(&fused),
    )?;
    let mut calls = program_of(workspace, "calls");
    calls.env("KOKORO_FUSED", fused).env("KOKORO_RESULTS", results);
    Ok(calls)
}

/// Runs everybody's program, one right after the other, and prints one table.
fn peers(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    let peers = Peers::new(workspace);
    announce("bench: peers (the first time takes long as well: each has a Wasmtime of its own)");
    let wasm_link = peers.plugin(toolchain, "peer-wasm-link-caller", TARGET)?;
    let extism = peers.plugin(toolchain, "peer-extism-plugin", "wasm32-unknown-unknown").context(
        "the plugin for Extism cannot be compiled\n  help: `rustup target add wasm32-unknown-unknown`, which Extism's plugins are for",
    )?;
    for program in ["peer-wasm-link", "peer-extism"] {
        process::run(peers.cargo().args(["build", "--release", "--package", program]))?;
    }
    process::run(&mut calls(workspace, &peers)?)?;
    let results = results(workspace);
    let echo = planet(workspace, "echo");
    process::run(peers.program("peer-wasm-link").args([&wasm_link, &echo, &results.join("wasm-link.json")]))?;
    process::run(peers.program("peer-extism").args([&extism, &results.join("extism.json")]))?;
    let files = ["calls.json", "wasm-link.json", "extism.json"].map(|file| results.join(file));
    process::run(calls(workspace, &peers)?.arg("--table").args(files))
}

/// Runs the program that measures calls to another process: as it is, and then with all processes on one processor.
fn satellite(workspace: &Workspace, with_peers: bool) -> Result<()> {
    let mut programs = Vec::new();
    if with_peers {
        let peers = Peers::new(workspace);
        announce("bench: the same by others");
        for name in ["peer-tonic", "peer-wrpc", "peer-iceoryx2"] {
            process::run(peers.cargo().args(["build", "--release", "--package", name]))?;
            programs.push(peers.target.join("release").join(name));
        }
    }
    process::run(program_of(workspace, "satellite").args(&programs))?;
    let measure = workspace.cargo_target.join("release").join("satellite");
    if Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        announce("bench: the same with all processes on one processor");
        let mut pinned = Command::new("taskset");
        pinned.args(["--cpu-list", "0"]).arg(measure).args(&programs);
        process::run(pinned.env("KOKORO_PLANETS", planets::folder(workspace)))?;
    }
    Ok(())
}

fn results(workspace: &Workspace) -> PathBuf {
    workspace.target().join("bench")
}

fn planet(workspace: &Workspace, name: &str) -> PathBuf {
    planets::folder(workspace).join("bench").join(format!("bench-{name}.wasm"))
}

/// The workspace of those who do the same. It is built here and nowhere else.
struct Peers<'a> {
    workspace: &'a Workspace,
    manifest: PathBuf,
    /// Where what is built for it goes.
    target: PathBuf,
}

impl<'a> Peers<'a> {
    fn new(workspace: &'a Workspace) -> Self {
        let manifest = workspace.root.join("benches").join("peers").join("Cargo.toml");
        Self { workspace, manifest, target: workspace.cargo_target.join("peers") }
    }

    fn at_home(&self, mut cargo: Command) -> Command {
        cargo.env("CARGO_TARGET_DIR", &self.target);
        // The manifest is looked for from here on upwards.
        cargo.current_dir(self.manifest.parent().unwrap_or(Path::new(".")));
        cargo
    }

    fn cargo(&self) -> Command {
        self.at_home(self.workspace.cargo())
    }

    /// One of its programs, to be run.
    fn program(&self, name: &str) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["run", "--release", "--package", name, "--"]);
        cargo
    }

    /// Compiles one of its plugins, as Planets are compiled.
    fn plugin(&self, toolchain: &Toolchain, package: &str, target: &str) -> Result<PathBuf> {
        let mut cargo = self.at_home(toolchain.cargo(self.workspace)?);
        process::run(cargo.args(["build", "--profile", "planet", "--package", package, "--target", target]))?;
        let file = format!("{}.wasm", package.replace('-', "_"));
        Ok(self.target.join(target).join("planet").join(file))
    }
}
