//! What it costs to plan and start many Planets (plugins), and whether that grows with their number. `cargo xtask bench lifecycle`
//! runs it.
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use kokoro_host::{Engine, Manifest, Primary};
use wasm_encoder::{CustomSection, Encode as _, Section as _};

/// How Planets depend on each other.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Each requires the one before it.
    Chain,
    /// All require the first.
    Star,
    /// Each requires up to three earlier ones, and has two of all as options: in circles.
    Random,
}

const SHAPES: [(&str, Shape); 3] = [("chain", Shape::Chain), ("star", Shape::Star), ("random", Shape::Random)];

/// Whom one Planet requires and has as options, by number.
struct Planet {
    requires: BTreeSet<usize>,
    optional: BTreeSet<usize>,
}

/// Numbers without a pattern, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}

impl Shape {
    fn planets(self, count: usize) -> Vec<Planet> {
        let mut random = Random(4);
        let planet = |number: usize| {
            let (mut requires, mut optional) = (BTreeSet::new(), BTreeSet::new());
            match self {
                Self::Chain => requires.extend(number.checked_sub(1)),
                Self::Star => requires.extend((number > 0).then_some(0)),
                Self::Random => {
                    for _ in 0..random.below(4).min(number) {
                        requires.insert(random.below(number));
                    }
                    for _ in 0..2 {
                        optional.insert(random.below(count));
                    }
                    optional.retain(|other| *other != number && !requires.contains(other));
                }
            }
            Planet { requires, optional }
        };
        (0..count).map(planet).collect()
    }
}

impl Planet {
    /// A component that exports one function, which answers its number.
    fn component(&self, number: usize) -> Result<Vec<u8>> {
        let mut text = "(component ".to_owned();
        for import in self.requires.iter().chain(&self.optional) {
            write!(text, r#"(import "t:p{import}/i@1.0.0" (instance (export "f" (func (result u32)))))"#)?;
        }
        write!(
            text,
            r#"(core module $m (func (export "f") (result i32) i32.const {number}))
               (core instance $i (instantiate $m))
               (func $f (result u32) (canon lift (core func $i "f")))
               (instance $out (export "f" (func $f)))
               (export "t:p{number}/i@1.0.0" (instance $out)))"#
        )?;
        let mut component = wat::parse_str(&text)?;
        let optional: Vec<String> = self.optional.iter().map(|import| format!("\"t:p{import}/i@1.0.0\"")).collect();
        let manifest = format!(r#"{{"name":"p{number}","optional":[{}]}}"#, optional.join(","));
        let section = CustomSection { name: "kokoro:planet".into(), data: manifest.as_bytes().into() };
        component.push(section.id());
        section.encode(&mut component);
        Ok(component)
    }
}

/// What one row tells: how long it took for all Planets together.
struct Row {
    /// To read, inspect, compile, plan and start them.
    first: Duration,
    /// The same with code that is compiled already.
    again: Duration,
    stop: Duration,
}

async fn load(engine: &Engine, folder: &Path, count: usize) -> Result<(Primary, Duration)> {
    let primary = Primary::builder().engine(engine).build()?;
    let began = Instant::now();
    let report = primary.load_dir(folder).await?;
    let took = began.elapsed();
    anyhow::ensure!(report.running().count() == count, "not all run:\n{report}");
    Ok((primary, took))
}

async fn measure(shape: Shape, count: usize) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    for (number, planet) in shape.planets(count).iter().enumerate() {
        fs::write(folder.path().join(format!("p{number:05}.wasm")), planet.component(number)?)?;
    }
    let engine = Engine::new()?;
    let (keeper, first) = load(&engine, folder.path(), count).await?;
    let (mut again, mut stop) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (primary, took) = load(&engine, folder.path(), count).await?;
        again.push(took);
        let began = Instant::now();
        primary.shutdown().await;
        stop.push(began.elapsed());
    }
    keeper.shutdown().await;
    Ok(Row { first, again: shortest(again), stop: shortest(stop) })
}

/// How long the resolver takes for so many manifests, alone, with cold caches: a plan is made once in a while, and a thousand
/// manifests that are still in the cache from the last time would tell little.
fn measure_resolver(shape: Shape, count: usize) -> Result<Duration> {
    let planets = shape.planets(count);
    let inspect = |(number, planet): (usize, &Planet)| -> Result<Manifest> {
        Ok(kokoro_host::inspect(&format!("p{number}"), &planet.component(number)?)?.manifest)
    };
    let manifests = planets.iter().enumerate().map(inspect).collect::<Result<Vec<_>>>()?;
    let mut others = vec![0u64; (256 << 20) / size_of::<u64>()];
    let mut times = Vec::new();
    for round in 0..15 {
        others.iter_mut().for_each(|other| *other = other.wrapping_add(round));
        std::hint::black_box(&others);
        let began = Instant::now();
        let (starts, waits) = kokoro_host::rt::resolve(&manifests);
        times.push(began.elapsed());
        anyhow::ensure!((starts, waits) == (count, 0), "{starts} start, {waits} wait");
    }
    Ok(shortest(times))
}

/// The shortest: what the others took longer, somebody else took.
fn shortest(times: Vec<Duration>) -> Duration {
    times.into_iter().min().unwrap_or_default()
}

/// Microseconds for each Planet, of one row. It is measured in a process of its own.
async fn row(name: &str, count: usize, part: &str) -> Result<Vec<f64>> {
    let shape = SHAPES.iter().find(|(known, _)| *known == name).expect("a shape of the table").1;
    let times = match part {
        "resolve" => vec![measure_resolver(shape, count)?],
        _ => {
            let Row { first, again, stop } = measure(shape, count).await?;
            vec![first, again, stop]
        }
    };
    Ok(times.into_iter().map(|time| time.as_secs_f64() * 1e6 / count as f64).collect())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [shape, count, part] = &arguments[..] {
        let row = row(shape, count.parse()?, part).await?;
        println!("{}", row.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
        return Ok(());
    }
    println!("Microseconds for each Planet; in brackets, times the row above.\n");
    println!("load: read, compile, plan, start; again: the same with compiled code");
    table("life", &["load", "again", "stop"], &[10, 100, 1_000])?;
    println!("\nresolve: plan alone, with cold caches");
    table("resolve", &["resolve"], &[100, 1_000, 10_000])
}

fn table(part: &str, columns: &[&str], counts: &[usize]) -> Result<()> {
    print!("{:<8}{:>8}", "shape", "planets");
    columns.iter().for_each(|column| print!("{column:>20}"));
    println!();
    for (name, _) in SHAPES {
        let mut above: Option<Vec<f64>> = None;
        for count in counts {
            let output = Command::new(std::env::current_exe()?).args([name, &count.to_string(), part]).output()?;
            anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let numbers = String::from_utf8(output.stdout)?;
            let row = numbers.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            print!("{name:<8}{count:>8}");
            for (i, time) in row.iter().enumerate() {
                match &above {
                    Some(above) => print!("{time:>12.1} ({:>4.2})", time / above[i]),
                    None => print!("{time:>12.1}       "),
                }
            }
            println!();
            above = Some(row);
        }
    }
    Ok(())
}
