//! `cargo xtask demo`: a real application made of plugins, at work on this repository.

use std::fs;
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
/// Markdown and large pictures, which a program makes.
const ALBUM: &str = "target/album";
const ALBUM_SITE: &str = "target/album-site";
const ALBUM_SITE_AS_IT_IS: &str = "target/album-site-as-it-is";

/// Builds the website example and its Planets (plugins), runs it on this repository and shows the dependency graph; then runs it on an album
/// of pictures, with and without permission for the native program that makes small ones of them.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    planets::build(workspace, toolchain, Some("site-builder"))?;
    announce("demo: compiling site-builder (the first time takes minutes: Wasmtime is large)");
    let [site_builder, album] = build(workspace)?;
    let build_site = |input: &str, output: &str, options: &[&str]| {
        let arguments = [&["build", "--planets", PLANETS, "--input", input, "--output", output], options].concat();
        announce(format_args!("demo: site-builder {}", arguments.join(" ")));
        process::run(Command::new(&site_builder).current_dir(&workspace.root).args(arguments))
    };
    build_site(".", SITE, &["--allow-satellite", "images", "--graph"])?;

    announce(format_args!("demo: {ALBUM_PROGRAM} {ALBUM} (the first time takes a while: it draws large pictures)"));
    process::run(Command::new(album).current_dir(&workspace.root).arg(ALBUM))?;
    // What is there already would not be made again, and there would be nothing to see.
    for site in [ALBUM_SITE, ALBUM_SITE_AS_IT_IS] {
        let site = workspace.root.join(site);
        if site.exists() {
            fs::remove_dir_all(&site).with_context(|| format!("{} cannot be removed", site.display()))?;
        }
    }
    build_site(ALBUM, ALBUM_SITE, &["--allow-satellite", "images"])?;
    announce("demo: and without permission for the native program");
    build_site(ALBUM, ALBUM_SITE_AS_IT_IS, &[])?;

    announce(format_args!("demo: the pages are in {SITE}, open {SITE}/index.html"));
    announce(format_args!(
        "demo: the album is in {ALBUM_SITE}, and as it is without permission in {ALBUM_SITE_AS_IT_IS}"
    ));
    Ok(())
}

const PROGRAM: &str = "site-builder";
const ALBUM_PROGRAM: &str = "site-builder-album";

/// Compiles the programs and returns where they are.
///
/// Dependencies are compiled as the tests will want them: in their profile, and with the features
/// that the whole workspace and its tests ask for, which is what `--workspace` and `--examples` (of
/// which there are none) bring about. Else `cargo xtask test` would compile Wasmtime a second time.
fn build(workspace: &Workspace) -> Result<[PathBuf; 2]> {
    let messages = process::output(workspace.cargo().args([
        "build",
        "--workspace",
        "--examples",
        "--bin",
        PROGRAM,
        "--bin",
        ALBUM_PROGRAM,
        "--message-format=json-render-diagnostics",
    ]))?;
    let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let program = |name: &str| {
        let path = messages.iter().find_map(|message| {
            let is_it = message["target"]["name"] == name;
            message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
        });
        path.with_context(|| format!("cargo has built no program `{name}`"))
    };
    Ok([program(PROGRAM)?, program(ALBUM_PROGRAM)?])
}
