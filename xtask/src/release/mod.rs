//! `cargo xtask release`: whether every crate could be published as it is. Nothing is.

mod crates;
mod msrv;
mod packed;

use anyhow::Result;

use self::crates::Crates;
use crate::lint;
use crate::process::{self, announce};
use crate::workspace::Workspace;

/// Has features that an application may leave out.
const HOST: &str = "kokoro-host";

/// Checks what [`check`] does, the documentation and the dependencies, and says in which order the crates are published. With `all`, also
/// that each compiles alone, which takes minutes: Wasmtime's dependencies have other features then.
pub(crate) fn run(workspace: &Workspace, all: bool) -> Result<()> {
    let crates = check(workspace)?;
    lint::documentation(workspace)?;
    lint::dependencies(workspace)?;
    if all {
        check_alone(workspace, &crates)?;
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

/// Compiles each crate with no features of its dependencies but those that it asks for itself, as it is where it is used, and [`HOST`]
/// with fewer of its own.
fn check_alone(workspace: &Workspace, crates: &Crates) -> Result<()> {
    // In a folder of its own, or the next build of the workspace would find other features there than it left.
    let target = workspace.cargo_target.join("release-alone");
    let check = |package: &str, arguments: &[&str]| {
        announce(format_args!("release: {package} alone {}", arguments.join(" ")));
        let mut cargo = workspace.cargo();
        cargo.args(["check", "--package", package]).args(arguments);
        process::run(cargo.env("RUSTFLAGS", "-D warnings").env("CARGO_TARGET_DIR", &target))
    };
    for package in crates.names() {
        check(package, &[])?;
    }
    check(HOST, &["--no-default-features"])?;
    for feature in crates.features(HOST)? {
        check(HOST, &["--no-default-features", "--features", feature])?;
    }
    Ok(())
}
