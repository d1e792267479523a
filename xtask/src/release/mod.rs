//! `cargo xtask release`: whether every crate could be published as it is. Nothing is.

mod crates;
mod msrv;
mod packed;

use anyhow::Result;

use self::crates::Crates;
use crate::lint;
use crate::process::{self, announce};
use crate::workspace::Workspace;

/// The features of `kokoro-host`, each of which an application may leave out.
const HOST: &str = "kokoro-host";

/// Checks what [`check`] does, the documentation and the dependencies, and says in which order the crates are published. With `all`, also
/// that `kokoro-host` compiles with each of its features alone, which takes minutes: Wasmtime's own features are others then.
pub(crate) fn run(workspace: &Workspace, all: bool) -> Result<()> {
    let crates = check(workspace)?;
    lint::documentation(workspace)?;
    lint::dependencies(workspace)?;
    if all {
        check_features(workspace, &crates)?;
    }
    announce(format_args!("release: fit to be published, in this order: {}", crates.names().join(", ")));
    Ok(())
}

/// Packs every crate that is published, and checks that it says what it is, that the packed one has what it needs, that it compiles with
/// nothing else of this repository, and which compiler that takes.
pub(crate) fn check(workspace: &Workspace) -> Result<Crates> {
    let crates = Crates::in_order(&workspace.packages)?;
    crates.check()?;
    msrv::check(workspace)?;
    packed::check(workspace, &crates)?;
    Ok(crates)
}

fn check_features(workspace: &Workspace, crates: &Crates) -> Result<()> {
    // In a folder of its own, or the next build of the workspace would find other features there than it left.
    let target = workspace.cargo_target.join("release-features");
    let features = crates.features(HOST)?;
    for features in std::iter::once("").chain(features) {
        announce(format_args!("release: {HOST} with {}", if features.is_empty() { "no features" } else { features }));
        process::run(
            workspace
                .cargo()
                .args(["check", "--package", HOST, "--no-default-features", "--features", features])
                .env("RUSTFLAGS", "-D warnings")
                .env("CARGO_TARGET_DIR", &target),
        )?;
    }
    Ok(())
}
