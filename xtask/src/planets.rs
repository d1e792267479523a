//! `cargo xtask planets`: every Planet (plugin) of the workspace, compiled and put where it is loaded from.
//!
//! A package is a Planet if its Cargo.toml says which folder it belongs to:
//!
//! ```toml
//! [package.metadata.kokoro]
//! planets = "site-builder"
//! ```
//!
//! [`crate::satellites`] puts the native programs of Planets beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{self, announce};
use crate::satellites::{self, Satellite};
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// The folder of Planets (plugins) that exist for tests only.
pub(crate) const TESTS: &str = "tests";
/// Where tests may mention them.
const TEST_FOLDERS: [&str; 2] = ["kokoro-host/tests", "kokoro-cli/tests"];

/// One Planet (plugin) of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Planet {
    /// Its package's name, which is also its file's.
    pub(crate) package: String,
    /// The folder that it belongs to.
    pub(crate) folder: String,
    /// What the compiler names the file.
    pub(crate) library: String,
}

/// Where finished Planets (plugins) are: one folder for each set that is loaded together.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("planets")
}

/// Builds all Planets (plugins), or those of one folder, in one call of cargo.
pub(crate) fn build(workspace: &Workspace, toolchain: &Toolchain, only: Option<&str>) -> Result<()> {
    let all = discover(&workspace.packages)?;
    let mut planets = all.clone();
    planets.retain(|planet| only.is_none_or(|folder| planet.folder == folder));
    let satellites = satellites::discover(&workspace.packages, &planets, &all)?;
    check_tests(workspace, &planets, &satellites)?;
    if planets.is_empty() {
        announce("planets: there are none in this workspace yet");
    } else {
        compile(workspace, toolchain, &planets)?;
    }

    let mut folders: BTreeMap<&str, Vec<&Planet>> = BTreeMap::new();
    for planet in &planets {
        folders.entry(&planet.folder).or_default().push(planet);
    }
    let root = folder(workspace);
    for (name, planets) in &folders {
        let names: Vec<_> = planets.iter().map(|planet| planet.package.as_str()).collect();
        let folder = root.join(name);
        remove_others(&folder, &names)?;
        announce(format_args!("planets: {} has {}", workspace.relative(&folder).display(), names.join(", ")));
    }
    satellites::build(workspace, &planets, &satellites)?;
    if only.is_none() {
        remove_other_folders(&root, &folders.into_keys().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The Planets (plugins) among the workspace's packages, by name.
fn discover(packages: &[Value]) -> Result<Vec<Planet>> {
    let mut planets = Vec::new();
    for package in packages {
        let Some(folder) = package["metadata"]["kokoro"].get("planets") else {
            continue;
        };
        let name = package["name"].as_str().context("a package without a name")?;
        let folder = folder.as_str().filter(|folder| !folder.is_empty() && !folder.contains(['/', '\\', '.']));
        let folder = folder.with_context(|| {
            format!("package `{name}`: `planets` under [package.metadata.kokoro] must be the name of a folder")
        })?;
        let mut targets = package["targets"].as_array().into_iter().flatten();
        let library = targets.find(|target| {
            target["crate_types"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
        });
        let library = library.and_then(|target| target["name"].as_str()).with_context(|| {
            format!("package `{name}` is a Planet (plugin) and needs `crate-type = [\"cdylib\"]` under [lib]")
        })?;
        planets.push(Planet {
            package: name.to_owned(),
            folder: folder.to_owned(),
            library: library.replace('-', "_"),
        });
    }
    planets.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(planets)
}

fn compile(workspace: &Workspace, toolchain: &Toolchain, planets: &[Planet]) -> Result<()> {
    let builds = workspace.cargo_target.join("planets-build");
    let key = toolchain.key()?;
    remove_old_builds(&builds, &key)?;
    let build = builds.join(key);
    let mut cargo = toolchain.cargo(workspace)?;
    cargo.args(["build", "--profile", "planet", "--target", TARGET, "--target-dir"]).arg(&build);
    for planet in planets {
        cargo.args(["--package", &planet.package]);
    }
    announce(format_args!("planets: compiling {} for {TARGET}", planets.len()));
    process::run(&mut cargo)?;
    for planet in planets {
        let built = build.join(TARGET).join("planet").join(&planet.library).with_extension("wasm");
        let component = fs::read(&built).with_context(|| format!("{} cannot be read", built.display()))?;
        let file = folder(workspace).join(&planet.folder).join(format!("{}.wasm", planet.package));
        write_if_changed(&file, &component, Kind::Component)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Component,
    /// It may be executed.
    Program,
}

/// Whoever watches the folder sees whole files, and only those that have changed.
pub(crate) fn write_if_changed(file: &Path, content: &[u8], kind: Kind) -> std::io::Result<()> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return set_mode(file, kind);
    }
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    let partial = file.with_extension(format!("partial-{}", std::process::id()));
    fs::write(&partial, content)?;
    set_mode(&partial, kind)?;
    fs::rename(partial, file)
}

#[cfg(unix)]
fn set_mode(file: &Path, kind: Kind) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    match kind {
        Kind::Component => Ok(()),
        Kind::Program => fs::set_permissions(file, fs::Permissions::from_mode(0o755)),
    }
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: Kind) -> std::io::Result<()> {
    Ok(())
}

/// Removes components from `folder` that no package claims any more, and the programs beside them.
fn remove_others(folder: &Path, packages: &[&str]) -> Result<()> {
    for entry in folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))? {
        let file = entry?.path();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if file.extension().is_some_and(|extension| extension == "wasm") && !packages.contains(&stem.as_ref()) {
            fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        }
        if file.extension().is_some_and(|extension| extension == "satellites") && !packages.contains(&stem.as_ref()) {
            fs::remove_dir_all(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        }
    }
    Ok(())
}

/// Empties and removes the folders under `root` that no package claims any more.
fn remove_other_folders(root: &Path, folders: &[&str]) -> Result<()> {
    for entry in root.read_dir().into_iter().flatten() {
        let entry = entry?;
        if entry.file_type()?.is_dir() && !folders.contains(&entry.file_name().to_string_lossy().as_ref()) {
            remove_others(&entry.path(), &[])?;
            // Something of somebody else's may be in it; then it stays.
            let _ = fs::remove_dir(entry.path());
        }
    }
    Ok(())
}

/// Removes what standard libraries compiled that were built anew since.
pub(crate) fn remove_old_builds(builds: &Path, key: &str) -> Result<()> {
    for entry in builds.read_dir().into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if key.starts_with("from-source-") && name.starts_with("from-source-") && name != key {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Fails if a Planet (plugin) of the tests' folder, or a program of one, is in no test.
fn check_tests(workspace: &Workspace, planets: &[Planet], satellites: &[Satellite]) -> Result<()> {
    let guests = planets.iter().filter(|planet| planet.folder == TESTS).map(|planet| &*planet.package);
    let programs = satellites.iter().filter(|satellite| satellite.is_for_tests());
    let guests: Vec<_> = guests.chain(programs.map(|satellite| &*satellite.program)).collect();
    if guests.is_empty() {
        return Ok(());
    }
    let mut sources = Vec::new();
    for folder in TEST_FOLDERS {
        read_sources(&workspace.root.join(folder), &mut sources)?;
    }
    let orphans = orphans(&guests, &sources);
    if !orphans.is_empty() {
        bail!(
            "no test loads {}
  looked for their names, in double quotes, in {}
  help: write the test, or remove the package",
            orphans.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            TEST_FOLDERS.map(|folder| format!("{folder}/**.rs")).join(" and "),
        );
    }
    Ok(())
}

/// Reads the Rust files of a folder and of those in it, but not those of packages: guests do not test themselves.
fn read_sources(folder: &Path, sources: &mut Vec<String>) -> Result<()> {
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            if !path.join("Cargo.toml").exists() {
                read_sources(&path, sources)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?);
        }
    }
    Ok(())
}

/// Those of `guests` whose name no source has in double quotes.
fn orphans<'a>(guests: &[&'a str], sources: &[String]) -> Vec<&'a str> {
    let is_orphan = |guest: &&str| {
        let name = format!("\"{guest}\"");
        !sources.iter().any(|source| source.contains(&name))
    };
    guests.iter().copied().filter(is_orphan).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_guest_that_no_test_names_is_an_orphan() {
        let sources = [r#"load("trap"); // and loop-forever"#.to_owned(), r#"["echo", "echo-two"]"#.to_owned()];
        assert_eq!(orphans(&["trap", "echo", "loop-forever", "two"], &sources), ["loop-forever", "two"]);
    }

    #[test]
    fn only_packages_that_name_a_folder_are_planets() {
        let library = json!([{"name": "my_outline", "crate_types": ["cdylib", "rlib"]}]);
        let planets = discover(&[
            json!({"name": "tool", "metadata": null, "targets": []}),
            json!({"name": "outline", "metadata": {"kokoro": {"planets": "site"}}, "targets": library}),
            json!({"name": "other", "metadata": {"kokoro": {}}, "targets": []}),
        ])
        .unwrap();
        assert_eq!(planets.len(), 1);
        assert_eq!(
            (&*planets[0].package, &*planets[0].folder, &*planets[0].library),
            ("outline", "site", "my_outline")
        );
    }

    #[test]
    fn a_planet_that_is_no_cdylib_is_an_error_that_says_so() {
        let metadata = json!({"kokoro": {"planets": "site"}});
        let package =
            json!({"name": "outline", "metadata": metadata, "targets": [{"name": "outline", "crate_types": ["lib"]}]});
        let error = discover(&[package]).unwrap_err().to_string();
        assert_eq!(error, "package `outline` is a Planet (plugin) and needs `crate-type = [\"cdylib\"]` under [lib]");
    }

    #[test]
    fn a_folder_is_a_plain_name() {
        for folder in [json!("../up"), json!(""), json!(7)] {
            let package = json!({"name": "outline", "metadata": {"kokoro": {"planets": folder}}, "targets": []});
            let error = discover(&[package]).unwrap_err().to_string();
            assert!(error.contains("must be the name of a folder"), "{error}");
        }
    }
}
