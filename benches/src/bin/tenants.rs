//! What a tenant costs: a Primary of its own with three Planets (plugins) that depend on each other, on an engine that all
//! tenants share. `cargo xtask bench tenants` runs it.
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kokoro_host::{Caller, Engine, Primary};

mod bindings {
    kokoro_host::bindings!({
        path: "../examples/site-builder/wit",
        interfaces: ["site:content/outline@0.1.0"],
        serves: ["site:build/pages@0.1.0"],
    });
}
use bindings::{outline::Outline, pages};

/// Each requires the one before it; `page` requires what the application serves as well.
const PLANETS: [&str; 3] = ["markdown", "outline", "page"];

/// A site without pages.
struct Site;

impl pages::Host for Site {
    async fn site(&self, _: &Caller) -> pages::SiteMap {
        pages::SiteMap { title: None, pages: Vec::new() }
    }

    async fn read(&self, _: &Caller, source: String) -> Result<String, String> {
        Err(format!("there is no `{source}`"))
    }

    async fn resolve(&self, _: &Caller, _: String, _: Vec<String>) -> Vec<pages::Destination> {
        Vec::new()
    }
}

/// Starts a tenant, and waits until it has answered once: by way of two of its Planets.
async fn start(engine: &Engine, folder: &Path) -> Result<Primary> {
    let primary = Primary::builder().engine(engine).serve(pages::serve(Site)).build()?;
    let report = primary.load_dir(folder).await?;
    anyhow::ensure!(report.running().count() == PLANETS.len(), "not all run:\n{report}");
    let outline = primary.get::<Outline>()?.outline("# One\n\n## Two\n\n## Three\n").await?;
    anyhow::ensure!(outline.is_ok_and(|entries| entries.len() == 2), "the outline is wrong");
    Ok(primary)
}

struct Row {
    /// Of one tenant, the median.
    start: Duration,
    drop: Duration,
    /// Bytes for each tenant.
    resident: usize,
}

/// Starts so many tenants one after another, each on an engine that `engine` gives, and drops them all.
async fn measure(tenants: usize, folder: &Path, engine: impl Fn() -> Result<Engine>) -> Result<Row> {
    let mut running = Vec::with_capacity(tenants);
    let mut starts = Vec::with_capacity(tenants);
    let mut drops = Vec::with_capacity(tenants);
    let before = resident()?;
    for _ in 0..tenants {
        let began = Instant::now();
        running.push(start(&engine()?, folder).await?);
        starts.push(began.elapsed());
    }
    let resident = resident()?.saturating_sub(before) / tenants;
    for primary in running {
        let began = Instant::now();
        primary.shutdown().await;
        drop(primary);
        drops.push(began.elapsed());
    }
    Ok(Row { start: median(starts), drop: median(drops), resident })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The memory of this process that is in RAM, in bytes.
fn resident() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status").context("resident memory is read from Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("there is no VmRSS")?;
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}

/// A folder with just those Planets.
fn planets(folder: &Path) -> Result<()> {
    let built = std::env::var_os("KOKORO_PLANETS").map_or_else(|| "target/planets".into(), PathBuf::from);
    let built = built.join("site-builder");
    for name in PLANETS {
        let file = format!("{name}.wasm");
        fs::copy(built.join(&file), folder.join(&file))
            .with_context(|| format!("{file} is not there; run `cargo xtask bench tenants`"))?;
    }
    Ok(())
}

/// One row is measured in a process of its own: what an earlier one has freed would hide what it needs.
async fn row(tenants: usize, engine: &str, folder: &Path) -> Result<()> {
    let shared = Engine::new()?;
    // Keeps the code, which is compiled here and not again.
    let first = start(&shared, folder).await?;
    let row = match engine {
        "shared" => measure(tenants, folder, || Ok(shared.clone())).await?,
        _ => measure(tenants, folder, || Ok(Engine::new()?)).await?,
    };
    drop(first);
    let Row { start, drop, resident } = row;
    let (start, drop, kibibytes) = (millis(start), millis(drop), resident >> 10);
    println!("{tenants:>7}   {engine:<6}   {start:>8.2} ms  {drop:>8.2} ms  {kibibytes:>15} KiB");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [tenants, engine, folder] = &arguments[..] {
        return row(tenants.parse()?, engine, folder.as_ref()).await;
    }
    let folder = tempfile::tempdir()?;
    planets(folder.path())?;
    println!("tenants   engine   start one     drop one   resident per tenant");
    for (tenants, engine) in [("1", "shared"), ("100", "shared"), ("1000", "shared"), ("10", "own")] {
        let mut row = Command::new(std::env::current_exe()?);
        let status = row.args([tenants, engine]).arg(folder.path()).status()?;
        anyhow::ensure!(status.success(), "the row of {tenants} failed: {status}");
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
