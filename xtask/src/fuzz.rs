//! `cargo xtask fuzz`: random values of random types, and a count of what was tried.

use anyhow::Result;

use crate::process::{self, announce};
use crate::workspace::Workspace;

/// The tests that send random values, each by what `cargo test` and the test program itself are to be told.
const PARTS: [(&str, &[&str], &[&str]); 2] = [
    ("the direct copy against dynamic values", &["--lib"], &["value::tests"]),
    ("through several planets", &["--test", "values"], &[]),
];

/// Runs these tests for about so many `values` each, beginning with `seed`.
///
/// They are built as they are for every test, with all assertions: most of the time goes to Wasmtime, which is optimised there too.
pub(crate) fn run(workspace: &Workspace, values: u64, seed: u64) -> Result<()> {
    for (what, which, filter) in PARTS {
        announce(format_args!("fuzz: {what}: {values} values, from seed {seed}"));
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--quiet", "--workspace"]).args(which).args(["--", "--nocapture"]).args(filter);
        cargo.env("KOKORO_FUZZ_VALUES", values.to_string()).env("KOKORO_FUZZ_SEED", seed.to_string());
        process::run(&mut cargo)?;
    }
    Ok(())
}
