//! What a call from a Planet (plugin) to its Satellite costs, beside a bare socket between two processes. `cargo xtask bench satellite` runs
//! it; docs/benchmarks.md says how to read what it prints.
#![cfg_attr(unix, expect(clippy::print_stdout, reason = "a table is what it is for"))]

#[cfg(unix)]
mod bare;
#[cfg(unix)]
mod kokoro;
#[cfg(unix)]
mod run;

fn main() -> anyhow::Result<()> {
    #[cfg(unix)]
    return run::run();
    #[cfg(not(unix))]
    anyhow::bail!("satellites are not supported on this system yet");
}
