//! What a start costs: of ten Planets (plugins) without and with compiled code on disk, and of a hundred beside what Wasmtime alone
//! takes for the same components. `cargo xtask bench startup` runs it. `startup repeat ROW PLANETS TIMES` does one row over and
//! over, for profilers.
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

#[path = "startup/raw.rs"]
mod raw;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kokoro_host::{Engine, Pool, Primary};
use tempfile::TempDir;
use wasm_encoder::{CustomSection, Encode as _, Section as _};

use self::raw::Raw;

/// What the Planets are copies of: a small one, one that requires the third, and one of some size.
const KINDS: [&str; 3] = ["greeter/greeter", "site-builder/outline", "site-builder/markdown"];

/// How often each row is measured, in turns with the others: the medians of these are compared.
const ROUNDS: usize = 15;

/// A folder with so many components, no two of them the same, and a place for their code.
struct Folder {
    planets: TempDir,
    cache: TempDir,
    count: usize,
}

impl Folder {
    fn new(count: usize) -> Result<Self> {
        let built = std::env::var_os("KOKORO_PLANETS").map_or_else(|| "target/planets".into(), PathBuf::from);
        let planets = tempfile::tempdir()?;
        for number in 0..count {
            let file = built.join(KINDS[number % KINDS.len()]).with_extension("wasm");
            let component = fs::read(&file)
                .with_context(|| format!("{} cannot be read; run `cargo xtask planets`", file.display()))?;
            let name = format!("p{number:03}");
            fs::write(planets.path().join(&name).with_extension("wasm"), named(&component, &name))?;
        }
        Ok(Self { planets, cache: tempfile::tempdir()?, count })
    }

    fn path(&self) -> &Path {
        self.planets.path()
    }

    /// From the first look into the folder until all run, on an engine that has nothing yet.
    async fn load(&self, engine: &Engine) -> Result<Duration> {
        let began = Instant::now();
        let primary = Primary::builder().engine(engine).build()?;
        let report = primary.load_dir(self.path()).await?;
        let took = began.elapsed();
        anyhow::ensure!(report.running().count() == self.count, "not all run:\n{report}");
        primary.shutdown().await;
        Ok(took)
    }

    async fn cold(&self) -> Result<Duration> {
        self.load(&Engine::new()?).await
    }

    async fn warm(&self, pool: bool) -> Result<Duration> {
        let mut builder = Engine::builder().cache(self.cache.path());
        if pool {
            builder = builder.pool(Pool::new(u32::try_from(self.count)?));
        }
        let engine = builder.build()?;
        let took = self.load(&engine).await?;
        let statistics = engine.cache_statistics().context("there is a cache")?;
        anyhow::ensure!(statistics.problem.is_none() && statistics.rejected == 0, "{statistics:?}");
        let outside = engine.pool_statistics().map_or(0, |statistics| statistics.plain);
        anyhow::ensure!(outside == 0, "{outside} were not in the pool");
        Ok(took)
    }
}

/// The component with a name of its own. Of several manifests the first counts.
fn named(component: &[u8], name: &str) -> Vec<u8> {
    let (header, rest) = component.split_at(8);
    let manifest = format!(r#"{{"name":"{name}"}}"#);
    let section = CustomSection { name: "kokoro:planet".into(), data: manifest.as_bytes().into() };
    let mut named = header.to_vec();
    named.push(section.id());
    section.encode(&mut named);
    named.extend(rest);
    named
}

/// The rows, for a folder.
#[derive(Debug, Clone, Copy)]
enum Row {
    Cold,
    Warm,
    Pooled,
    Raw,
    RawOnAllCores,
}

impl Row {
    async fn measure(self, folder: &Folder, raw: &Raw) -> Result<Duration> {
        match self {
            Self::Cold => folder.cold().await,
            Self::Warm => folder.warm(false).await,
            Self::Pooled => folder.warm(true).await,
            Self::Raw => raw.start(1).await.map_err(anyhow::Error::msg),
            Self::RawOnAllCores => {
                let threads = std::thread::available_parallelism()?.get();
                raw.start(threads).await.map_err(anyhow::Error::msg)
            }
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Cold => "Kokoro, everything compiled",
            Self::Warm => "Kokoro, code from the cache",
            Self::Pooled => "the same, with a pool",
            Self::Raw => "Wasmtime alone, code from files",
            Self::RawOnAllCores => "the same, on all cores",
        }
    }
}

/// Measures the rows in turns, so that what else the machine does meets all of them.
async fn table(count: usize, rows: &[Row], rounds: usize) -> Result<()> {
    let folder = Folder::new(count)?;
    let raw = Raw::new(folder.path()).map_err(anyhow::Error::msg)?;
    folder.warm(false).await?;
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for (row, times) in rows.iter().zip(&mut times) {
            times.push(row.measure(&folder, &raw).await?);
        }
    }
    println!("{count} Planets, {} KiB of components, {} KiB of code", raw.components() >> 10, raw.code() >> 10);
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    let base = rows.iter().position(|row| matches!(row, Row::Raw)).map(|raw| medians[raw]);
    for (row, median) in rows.iter().zip(&medians) {
        print!("  {:<34}{:>9.1} ms", row.title(), median.as_secs_f64() * 1e3);
        match base {
            Some(base) => println!("{:>8.2} x", median.as_secs_f64() / base.as_secs_f64()),
            None => println!(),
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [_repeat, row, count, times] = &arguments[..] {
        let row = match &**row {
            "cold" => Row::Cold,
            "warm" => Row::Warm,
            "pooled" => Row::Pooled,
            "raw" => Row::Raw,
            other => anyhow::bail!("there is no row `{other}`; there are `cold`, `warm`, `pooled` and `raw`"),
        };
        return table(count.parse()?, &[row], times.parse()?).await;
    }
    println!("Read, hashed, compiled or deserialised, linked and started, until all run; medians of {ROUNDS}.\n");
    table(10, &[Row::Cold, Row::Warm, Row::Pooled, Row::Raw, Row::RawOnAllCores], ROUNDS).await?;
    table(100, &[Row::Warm, Row::Pooled, Row::Raw, Row::RawOnAllCores], ROUNDS).await
}
