//! What a call costs: from Planet (plugin) to Planet and from the application to a Planet, beside Wasmtime without Kokoro, components that are
//! fused into one, and native code. `cargo xtask bench calls` runs it; docs/benchmarks.md says how to read what it prints.
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

mod bars;
mod instructions;
mod kokoro;
mod native;
mod peak;
mod raw;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use kokoro_bench_measure::{CASES, Measure, Results, table};
use kokoro_host::{Engine, rt};
use tokio::runtime::{Builder, Runtime};

use self::kokoro::Planets;
use self::native::Native;
use self::raw::Instance;

/// Ways of doing the same: what results and tables call them.
pub(crate) const NATIVE: &str = "native";
pub(crate) const RAW: &str = "raw";
pub(crate) const HOST: &str = "host-planet";
pub(crate) const PLANET: &str = "planet-planet";
pub(crate) const VAL: &str = "val-links";
pub(crate) const FUSED: &str = "fused";

const WAYS: [(&str, &str); 6] = [
    (NATIVE, "native `dyn` trait"),
    (RAW, "Wasmtime, typed `call_async`"),
    (HOST, "**host -> Planet**"),
    (PLANET, "**Planet -> Planet**"),
    (VAL, "`Val` links"),
    (FUSED, "fused"),
];

/// Those who do the same, beside Kokoro.
const PEERS: [(&str, &str); 7] = [
    (NATIVE, "native `dyn` trait"),
    (PLANET, "**Kokoro: Planet -> Planet**"),
    ("wasm-link", "wasm-link: plugin -> plugin"),
    (VAL, "`Val` links"),
    (FUSED, "`wac`-fused"),
    (HOST, "**Kokoro: host -> Planet**"),
    ("extism", "Extism: host -> plugin"),
];

/// The components, as bytes.
pub(crate) struct Components {
    pub(crate) echo: Vec<u8>,
    pub(crate) caller: Vec<u8>,
    /// Both in one. Only there if somebody has made it.
    pub(crate) fused: Option<Vec<u8>>,
}

impl Components {
    /// From where `cargo xtask bench calls` has put them.
    fn read() -> Result<Self> {
        let folder = env::var_os("KOKORO_PLANETS")
            .context("KOKORO_PLANETS is not set\n  help: run it with `cargo xtask bench calls`")?;
        let folder = Path::new(&folder).join("bench");
        let read = |name: &str| {
            let file = folder.join(name);
            fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))
        };
        let fused =
            env::var_os("KOKORO_FUSED").map(fs::read).transpose().context("the fused component cannot be read")?;
        Ok(Self { echo: read("bench-echo.wasm")?, caller: read("bench-caller.wasm")?, fused })
    }
}

fn main() -> Result<()> {
    let components = Components::read()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure(&components),
        ["--instructions"] => instructions::show(),
        ["--table", files @ ..] => compare(files),
        // What the two above start as processes of their own.
        ["peak", case] => peak::of(&components, case),
        ["count", way, case, rounds] => instructions::run(&components, way, case, rounds.parse()?),
        _ => bail!("there is no such argument\n  help: none at all, or `--instructions`"),
    }
}

/// An application's runtime.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// Where results are put.
fn folder() -> Result<PathBuf> {
    let folder = env::var_os("KOKORO_RESULTS").map_or_else(|| "target/bench".into(), PathBuf::from);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

/// Prints one table of what several programs have measured.
fn compare(files: &[&str]) -> Result<()> {
    let mut results = Results::default();
    for file in files {
        results.merge(Results::read(Path::new(file))?);
    }
    println!("\n{}", table(&results, &PEERS));
    Ok(())
}

fn measure(components: &Components) -> Result<()> {
    let folder = folder()?;
    let runtime = runtime()?;
    let engine = Engine::new()?;
    let planets = runtime.block_on(Planets::start(&engine, components))?;
    // The very engine that Kokoro uses, so that all settings are the same.
    let wasmtime = rt::wasmtime_engine(&engine);
    let mut raw = runtime.block_on(Instance::echo(wasmtime, components))?;
    let mut linked = runtime.block_on(Instance::linked_by_values(wasmtime, components))?;
    let mut fused = runtime.block_on(Instance::fused(wasmtime, components)).transpose()?;
    let mut native: Box<dyn Native> = native::echo();

    let mut measure = Measure::new(&folder.join("criterion"));
    // Of each case all ways, one right after the other: what else the machine does then falls on all alike.
    for case in &CASES {
        let value = case.value();
        measure.routine(case, NATIVE, |rounds| native::rounds(&mut *native, &value, rounds))?;
        measure.routine(case, RAW, |rounds| runtime.block_on(raw.rounds(&value, rounds)))?;
        measure.routine(case, HOST, |rounds| runtime.block_on(planets.host(&value, rounds)))?;
        measure.routine(case, PLANET, |rounds| runtime.block_on(planets.between(case, rounds)))?;
        // More would take minutes.
        if case.length <= 1 << 20 {
            measure.routine(case, VAL, |rounds| runtime.block_on(linked.run(case, rounds)))?;
        }
        if linked.is_broken() {
            linked = runtime.block_on(Instance::linked_by_values(wasmtime, components))?;
        }
        if let Some(fused) = &mut fused {
            measure.routine(case, FUSED, |rounds| runtime.block_on(fused.run(case, rounds)))?;
        }
    }
    runtime.block_on(planets.shutdown());
    let peak = peak::in_child("bytes-64m")?;
    let results = measure.results();
    results.write(&folder.join("calls.json"))?;
    println!("\n{}\n{}", table(results, &WAYS), bars::report(results, &peak));
    Ok(())
}
