//! Measures all ways in turn, and says what calls have to keep to.

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use kokoro_bench_measure::{Case, PROCESSES, Results, Way, contest, factor, table_of};
use kokoro_host::Engine;
use tokio::runtime::{Builder, Runtime};

use crate::bare;
use crate::kokoro::Native;

const SATELLITE: &str = "satellite";
const BARE: &str = "bare";
const BLOCKING: &str = "bare-blocking";

/// Others who do the same, as programs that [`kokoro_bench_measure::serve`]: their names, and what they are in the table.
const PEERS: [(&str, &str); 3] =
    [("tonic", "gRPC: tonic"), ("wrpc", "wRPC"), ("iceoryx2", "iceoryx2, a socket to wake")];

/// Does what the arguments say: measures, or is the other end of a bare socket.
pub(crate) fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", child, size] => bare::child(child, size.parse()?),
        // For a profiler.
        ["only", case] => measure(&[], |known| known.name == *case),
        peers => measure(peers, |_| true),
    }
}

/// The runtime of an application, and of whoever is at the other end.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// Measures all ways in turn; `peers` are the others' programs.
fn measure(peers: &[&str], wanted: impl Fn(&Case) -> bool) -> Result<()> {
    let cases: Vec<Case> = PROCESSES.into_iter().filter(wanted).collect();
    let runtime = runtime()?;
    let engine = Engine::new()?;
    let native = runtime.block_on(Native::start(&engine, &planet()?))?;
    let mut bare = bare::Echo::new(&runtime, "tokio");
    let mut blocking = bare::Echo::new(&runtime, "blocking");
    let mut ways = vec![
        Way::new(SATELLITE, |case, rounds| native.run(&runtime, case, rounds)),
        Way::new(BARE, |case, rounds| bare.run(case, rounds)),
        Way::new(BLOCKING, |case, rounds| blocking.run(case, rounds)),
    ];
    let mut titles = vec![
        (SATELLITE, "**Planet -> Satellite**"),
        (BARE, "bare socket, tokio at both ends"),
        (BLOCKING, "bare socket, a child that blocks"),
    ];
    for program in peers {
        let name = Path::new(program).file_stem().unwrap_or_default().to_string_lossy();
        let name = name.trim_start_matches("peer-");
        let Some((name, title)) = PEERS.iter().find(|(known, _)| *known == name) else {
            bail!("{program} is nobody that is known")
        };
        ways.push(Way::process(name, &mut Command::new(program))?);
        titles.push((name, title));
    }
    let results = contest(&cases, &mut ways);
    drop(ways);
    runtime.block_on(native.shutdown());
    println!("\n{}\n{}", table_of(&cases, &results, &titles), bars(&results));
    Ok(())
}

fn planet() -> Result<std::path::PathBuf> {
    let folder = env::var_os("KOKORO_PLANETS")
        .context("KOKORO_PLANETS is not set\n  help: run it with `cargo xtask bench satellite`")?;
    Ok(Path::new(&folder).join("bench").join("bench-native.wasm"))
}

/// What calls have to keep to, and whether they do.
fn bars(results: &Results) -> String {
    let mut text = "| what | bar | here | |\n|---|--:|--:|---|\n".to_owned();
    let mut line = |what: &str, limit: String, ratio: Option<f64>, keeps: fn(f64, f64) -> bool, bar: f64| {
        if let Some(ratio) = ratio {
            let verdict = if keeps(ratio, bar) { "kept" } else { "**not kept**" };
            // Writing into a string cannot fail.
            let _ = writeln!(text, "| {what} | {limit} | {} x | {verdict} |", factor(ratio));
        }
    };
    let ratio = |case: &str, of: &str, with: &str| Some(results.get(case, of)? / results.get(case, with)?);
    for (case, title, bar) in [("add", "two `u32`", 1.5), ("bytes-1m", "1 MiB of bytes", 0.6)] {
        let what = format!("{title}: of the bare socket");
        line(&what, format!("at most {bar} x"), ratio(case, SATELLITE, BARE), |here, bar| here <= bar, bar);
    }
    for (peer, name) in [("tonic", "tonic"), ("wrpc", "wRPC")] {
        for (case, title, bar) in [("add", "two `u32`", 1.5), ("bytes-1m", "1 MiB of bytes", 3.0)] {
            let what = format!("{title}: than {name}");
            let limit = format!("at least {bar} x faster");
            line(&what, limit, ratio(case, peer, SATELLITE), |here, bar| here >= bar, bar);
        }
    }
    text
}
