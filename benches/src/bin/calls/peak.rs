//! How much memory a large value takes on its way, over that of the Planets (plugins) themselves.

use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use kokoro_bench_measure::{CASES, Case};
use kokoro_host::Engine;

use crate::kokoro::Planets;
use crate::{Components, runtime};

/// What a process of its own has found out, in bytes, or why it could not.
pub(crate) type Peak = Result<f64, String>;

/// Starts this program as a process of its own, which has had no other values, and asks it for multiples of the value.
pub(crate) fn in_child(case: &str) -> Result<Peak> {
    let output = Command::new(env::current_exe()?).args(["peak", case]).output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Ok(Err(text.lines().next().unwrap_or_default().to_owned()));
    }
    Ok(Ok(String::from_utf8(output.stdout)?.trim().parse()?))
}

/// Prints how many times the value's size the process has taken at its peak, over what it had before and what its Planets have
/// taken since.
pub(crate) fn of(components: &Components, name: &str) -> Result<()> {
    let case = CASES.iter().find(|case| case.name == name).with_context(|| format!("there is no case `{name}`"))?;
    let multiple = runtime()?.block_on(measure(components, case))?;
    println!("{multiple}");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory is not measured to the last byte")]
async fn measure(components: &Components, case: &Case) -> Result<f64> {
    let planets = Planets::start(&Engine::new()?, components).await?;
    let small = Case { length: 1, ..*case };
    planets.between(&small, 2).await?;
    let (before, own_before) = (peak()?, planets.memory().await?);
    // Twice: memory that is kept for the next call counts as well.
    planets.between(case, 2).await?;
    let (after, own_after) = (peak()?, planets.memory().await?);
    ensure!(own_after - own_before >= u64::from(case.length), "the planets have not kept the value");
    let taken = after.saturating_sub(before).saturating_sub(own_after - own_before);
    Ok(taken as f64 / f64::from(case.length))
}

/// The most memory that this process has had in RAM, in bytes.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("the peak is read from Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("there is no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
