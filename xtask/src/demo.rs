//! `cargo xtask demo`: a real application made of plugins, at work on this repository.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::planets;
use crate::process::{self, announce};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

const PLANETS: &str = "target/planets/site-builder";
const SITE: &str = "target/site";

/// Builds the website example and its Planets (plugins), runs it, and shows the dependency graph.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    planets::build(workspace, toolchain, Some("site-builder"))?;
    announce("demo: compiling site-builder (the first time takes minutes: Wasmtime is large)");
    let site_builder = build(workspace)?;

    announce(format_args!("demo: site-builder build --planets {PLANETS} --input . --output {SITE} --graph"));
    process::run(Command::new(site_builder).current_dir(&workspace.root).args([
        "build",
        "--planets",
        PLANETS,
        "--input",
        ".",
        "--output",
        SITE,
        "--graph",
    ]))?;
    announce(format_args!("demo: the pages are in {SITE}, open {SITE}/index.html"));
    Ok(())
}

/// Compiles the program and returns where it is.
///
/// Dependencies are compiled as the tests will want them: in their profile, and with the features
/// that the whole workspace and its tests ask for, which is what `--workspace` and `--examples` (of
/// which there are none) bring about. Else `cargo xtask test` would compile Wasmtime a second time.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let messages = process::output(workspace.cargo().args([
        "build",
        "--workspace",
        "--examples",
        "--bin=site-builder",
        "--message-format=json-render-diagnostics",
    ]))?;
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = messages.find_map(|message| {
        let is_it = message["target"]["name"] == "site-builder";
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    path.context("cargo has built no program `site-builder`")
}
