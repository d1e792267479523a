//! `cargo xtask lint`: what can be said about the code without running it.

use anyhow::Result;

use crate::process::{self, announce};
use crate::workspace::Workspace;

/// Checks the formatting, clippy's lints and the documentation.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    announce("lint: formatting");
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    announce("lint: clippy");
    process::run(workspace.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    announce("lint: documentation");
    // `--examples` (there are none) brings in the tests' features, so that clippy's dependencies serve here too.
    process::run(
        workspace
            .cargo()
            .args(["doc", "--workspace", "--no-deps", "--lib", "--bins", "--examples"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
