//! `cargo xtask lint`: what can be said about the code without running it.

use anyhow::Result;

use crate::process::{self, announce};
use crate::workspace::Workspace;
use crate::{release, templates};

/// Checks the formatting, clippy's lints, the documentation, the dependencies if `cargo-deny` is there, and whether all that is published
/// could be.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    announce("lint: formatting");
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    announce("lint: clippy");
    process::run(workspace.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    announce("lint: templates");
    templates::lint(workspace)?;
    documentation(workspace)?;
    dependencies(workspace)?;
    release::check(workspace).map(drop)
}

/// The documentation, which says so if it refers to what is not there.
pub(crate) fn documentation(workspace: &Workspace) -> Result<()> {
    announce("lint: documentation");
    let mut cargo = workspace.cargo();
    // `--examples` (there are none) brings in the tests' features, so that clippy's dependencies serve here too.
    cargo.args(["doc", "--workspace", "--no-deps", "--lib", "--examples"]).env("RUSTDOCFLAGS", "-D warnings");
    // Not `--bins`: that takes those as well that are not to be documented.
    let targets = workspace.packages.iter().flat_map(|package| package["targets"].as_array().into_iter().flatten());
    for program in targets.filter(|target| target["kind"][0] == "bin" && target["doc"] == true) {
        cargo.args(["--bin", program["name"].as_str().unwrap_or_default()]);
    }
    process::run(&mut cargo)
}

/// What may come into the dependency tree, if `cargo-deny` is there.
pub(crate) fn dependencies(workspace: &Workspace) -> Result<()> {
    if process::find(&["cargo-deny"]).is_none() {
        announce("lint: dependencies not checked, for want of `cargo-deny`");
        return Ok(());
    }
    announce("lint: dependencies");
    // Advisories come from the network, and a new one is no fault of a change.
    process::run(workspace.cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]))
}
