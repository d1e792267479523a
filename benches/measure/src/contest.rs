//! Ways that have several processes, measured in turn. What counts is the time that passes: who waits for another process does not work.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{Case, Results};

/// Does a case so many times over, and tells how long that took.
type Run<'w> = dyn FnMut(&Case, u32) -> Result<Duration> + 'w;

/// One way of doing cases.
pub struct Way<'w> {
    name: &'static str,
    run: Box<Run<'w>>,
}

impl std::fmt::Debug for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Way").field(&self.name).finish()
    }
}

impl<'w> Way<'w> {
    /// One that does a case so many times over, and tells how long that took.
    pub fn new(name: &'static str, run: impl FnMut(&Case, u32) -> Result<Duration> + 'w) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// The same in a process of its own, which [`serve`]s.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn process(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut process = Process::start(command).with_context(|| format!("{name} cannot be started"))?;
        Ok(Self::new(name, move |case, rounds| process.run(case, rounds)))
    }
}

/// Has each way do each case again and again, in random order, and gives the medians of all rounds but the first ones.
pub fn contest(cases: &[Case], ways: &mut [Way<'_>]) -> Results {
    const BATCHES: usize = 60;
    const FIRST: usize = 4;
    let mut results = Results::default();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for case in cases {
        let rounds = rounds(case);
        let mut took: Vec<Result<Vec<f64>>> = ways.iter().map(|_| Ok(Vec::new())).collect();
        let mut order: Vec<usize> = (0..ways.len()).collect();
        for batch in 0..BATCHES + FIRST {
            for index in (1..order.len()).rev() {
                // Knuth's MMIX generator, which is good enough to shuffle.
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                order.swap(index, (random >> 33) as usize % (index + 1));
            }
            for &way in &order {
                let Ok(all) = &mut took[way] else { continue };
                match (ways[way].run)(case, rounds) {
                    Ok(one) if batch >= FIRST => all.push(one.as_nanos() as f64 / f64::from(rounds)),
                    Ok(_) => {}
                    Err(error) => took[way] = Err(error),
                }
            }
        }
        for (way, took) in ways.iter().zip(took) {
            match took {
                Ok(mut all) => {
                    all.sort_by(f64::total_cmp);
                    results.took(case.name, way.name, all[all.len() / 2]);
                }
                Err(error) => results.failed(case.name, way.name, format!("{error:#}")),
            }
        }
    }
    results
}

/// How often a case is done at a time: so that it takes some milliseconds.
fn rounds(case: &Case) -> u32 {
    let rounds = (16 << 20) / case.bytes();
    u32::try_from(rounds).unwrap_or(u32::MAX).clamp(2, 200)
}

/// A process that does what it is told, line by line.
struct Process {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (to, from) = child.stdin.take().zip(child.stdout.take()).context("it has no pipes")?;
        Ok(Self { child, to: Some(to), from: BufReader::new(from) })
    }

    fn run(&mut self, case: &Case, rounds: u32) -> Result<Duration> {
        let to = self.to.as_mut().context("its process has ended")?;
        writeln!(to, "{} {rounds}", case.name)?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        match line.trim_end().split_once(' ') {
            Some(("took", nanoseconds)) => Ok(Duration::from_nanos(nanoseconds.parse()?)),
            Some(("failed", why)) => bail!("{why}"),
            _ => bail!("its process has ended"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At the end of its input it ends, with those that it has started.
        self.to = None;
        let _ = self.child.wait();
    }
}

/// Does what the process that measures asks for, until that is done.
///
/// # Errors
///
/// If the other side cannot be understood.
#[expect(clippy::print_stdout, reason = "the answers go there")]
pub fn serve(cases: &[Case], mut run: impl FnMut(&Case, u32) -> Result<()>) -> Result<()> {
    for line in std::io::stdin().lines() {
        let line = line?;
        let (name, rounds) = line.split_once(' ').context("a line is a case and how often")?;
        let case = cases.iter().find(|case| case.name == name).context("there is no such case")?;
        let rounds = rounds.parse()?;
        let began = Instant::now();
        match run(case, rounds) {
            Ok(()) => println!("took {}", began.elapsed().as_nanos()),
            Err(error) => println!("failed {}", format!("{error:#}").replace('\n', " ")),
        }
    }
    Ok(())
}
