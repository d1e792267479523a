//! How many instructions a call of two `u32` takes, and where they go: counted by callgrind, which does not care what else the machine does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use kokoro_bench_measure::{CASES, Case};
use kokoro_host::{Engine, rt};

use crate::kokoro::Planets;
use crate::raw::Instance;
use crate::{Components, FUSED, HOST, PLANET, RAW, VAL, folder};

const ROUNDS: u32 = 5_000;
/// How many functions are told of.
const SHOWN: usize = 24;

/// Does so many calls, for callgrind to count: in one thread.
pub(crate) fn run(components: &Components, way: &str, case: &str, rounds: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let case = CASES.iter().find(|one| one.name == case).with_context(|| format!("there is no case `{case}`"))?;
    runtime.block_on(calls(components, way, case, rounds))
}

async fn calls(components: &Components, way: &str, case: &Case, rounds: u32) -> Result<()> {
    let engine = Engine::new()?;
    let wasmtime = rt::wasmtime_engine(&engine);
    match way {
        HOST => Planets::start(&engine, components).await?.host(&case.value(), rounds).await,
        PLANET => Planets::start(&engine, components).await?.between(case, rounds).await,
        RAW => Instance::echo(wasmtime, components).await?.rounds(&case.value(), rounds).await,
        VAL => Instance::linked_by_values(wasmtime, components).await?.run(case, rounds).await,
        FUSED => match Instance::fused(wasmtime, components).await {
            Some(fused) => fused?.run(case, rounds).await,
            None => bail!("there is no fused component"),
        },
        _ => bail!("there is no way `{way}`"),
    }
}

/// Prints how many instructions one call takes each way.
pub(crate) fn show() -> Result<()> {
    let folder = folder()?.join("callgrind");
    std::fs::create_dir_all(&folder)?;
    for way in [RAW, HOST, PLANET, VAL] {
        // What is done before and after is in both, and so in neither's difference.
        let fewer = Profile::of(&folder, way, ROUNDS)?;
        let more = Profile::of(&folder, way, 2 * ROUNDS)?;
        println!("\n{way}: {} instructions per call\n", per_call(more.total.saturating_sub(fewer.total)));
        for (title, more, fewer) in
            [("in itself", &more.own, &fewer.own), ("with what it calls", &more.inclusive, &fewer.inclusive)]
        {
            println!("{title:>20}:");
            let mut functions: Vec<_> = more
                .iter()
                .map(|(name, count)| (count.saturating_sub(fewer.get(name).copied().unwrap_or(0)), name))
                .filter(|(count, _)| per_call(*count) > 0)
                .collect();
            functions.sort_by(|a, b| b.cmp(a));
            for (count, name) in functions.into_iter().take(SHOWN) {
                println!("{:>20}  {name}", per_call(count));
            }
        }
    }
    Ok(())
}

fn per_call(count: u64) -> u64 {
    (count + u64::from(ROUNDS) / 2) / u64::from(ROUNDS)
}

/// Instructions by function.
struct Profile {
    total: u64,
    own: BTreeMap<String, u64>,
    inclusive: BTreeMap<String, u64>,
}

impl Profile {
    fn of(folder: &Path, way: &str, rounds: u32) -> Result<Self> {
        let file = folder.join(format!("{way}-{rounds}.out"));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", file.display()));
        valgrind.arg(std::env::current_exe()?).args(["count", way, "add", &rounds.to_string()]);
        let status = valgrind.status().context("`valgrind` cannot be started\n  help: install it")?;
        ensure!(status.success(), "valgrind failed: {status}");
        let own = annotate(&file, "--inclusive=no")?;
        let inclusive = annotate(&file, "--inclusive=yes")?;
        Ok(Self { total: own.values().sum(), own, inclusive })
    }
}

/// What `callgrind_annotate` makes of a profile: lines of a count, a share in brackets, and `file:function [object]`.
fn annotate(file: &PathBuf, inclusive: &str) -> Result<BTreeMap<String, u64>> {
    let output = Command::new("callgrind_annotate")
        .args(["--threshold=100", "--show-percs=no", "--auto=no", inclusive])
        .arg(file)
        .output()
        .context("`callgrind_annotate` cannot be started\n  help: it comes with valgrind")?;
    ensure!(output.status.success(), "callgrind_annotate failed: {}", output.status);
    let mut counts = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some((count, place)) = line.trim().split_once("  ") else { continue };
        let Ok(count) = count.replace(',', "").parse::<u64>() else { continue };
        *counts.entry(function(place)).or_default() += count;
    }
    counts.remove("PROGRAM TOTALS");
    ensure!(!counts.is_empty(), "callgrind_annotate told of no functions");
    Ok(counts)
}

/// The function of `file:function [object]`, without hashes. Compiled Wasm has no name.
fn function(place: &str) -> String {
    let place = place.split(" [").next().unwrap_or(place).trim();
    let name = place.strip_prefix("???:").unwrap_or(place);
    match name.starts_with("0x") {
        true => "(the Planets' own code)".to_owned(),
        false => name.to_owned(),
    }
}
