//! What is packed: is it all there, and does it compile without the rest of the repository?
//!
//! `cargo package` could compile it as well, but each crate in a workspace of its own, with other features of Wasmtime's dependencies,
//! and so all of Wasmtime again. Here the unpacked crates take the place of the originals in a copy of the workspace, which shares its target
//! folder: only they are compiled anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::crates::{Crates, name};
use crate::process::{self, announce};
use crate::templates::files::{Files, read, write_just};
use crate::workspace::Workspace;

/// The licences' texts, which their licences ask for.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
/// A package that depends on all that is published.
const EVERYTHING: &str = "everything-packed";
/// Where the unpacked crates are in the copy of the workspace.
const PACKED: &str = "packed";

pub(super) fn check(workspace: &Workspace, crates: &Crates) -> Result<()> {
    let archives = pack(workspace, crates)?;
    let copy = workspace.target().join("packed");
    let unpacked = unpack(&archives, &copy.join("unpacked"))?;
    for package in &crates.packages {
        let folder = folder(package)?;
        let found = below(&unpacked, &folder);
        check_content(workspace, package, &found).with_context(|| format!("{} is not packed well", name(package)))?;
    }
    let files = as_workspace(workspace, crates, unpacked)?;
    let copy = copy.join("workspace");
    write_just(&copy, &files)?;
    announce("release: compiling what is packed");
    let mut cargo = workspace.cargo();
    // `--examples` (there are none) brings in the tests' features, so that clippy's dependencies serve here too.
    cargo.current_dir(&copy).env("CARGO_TARGET_DIR", &workspace.cargo_target).args([
        "check",
        "--offline",
        "--workspace",
        "--examples",
    ]);
    cargo.args(["--bin", EVERYTHING]);
    for program in crates.packages.iter().flat_map(|package| targets(package, "bin")) {
        cargo.args(["--bin", program]);
    }
    process::run(&mut cargo)
}

/// Packs all of them, as they are in the working directory.
fn pack(workspace: &Workspace, crates: &Crates) -> Result<Vec<PathBuf>> {
    let mut cargo = workspace.cargo();
    cargo.args(["package", "--quiet", "--offline", "--no-verify", "--allow-dirty"]);
    for package in crates.names() {
        cargo.args(["--package", package]);
    }
    process::run(&mut cargo)?;
    let mut archives = Vec::new();
    for package in &crates.packages {
        let archive = workspace.cargo_target.join("package").join(format!("{}.crate", folder(package)?));
        let size = fs::metadata(&archive).with_context(|| format!("{} is missing", archive.display()))?.len();
        announce(format_args!("release: packed {} ({} KiB)", name(package), size.div_ceil(1024)));
        archives.push(archive);
    }
    Ok(archives)
}

/// The files of all archives; each has them in a folder of its own.
fn unpack(archives: &[PathBuf], folder: &Path) -> Result<Files> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    for archive in archives {
        process::run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder))?;
    }
    read(folder)
}

/// Fails unless the licences are there, the README, and all of each folder of which anything is there.
fn check_content(workspace: &Workspace, package: &Value, found: &Files) -> Result<()> {
    let source = source(package)?;
    for licence in LICENCES {
        // In the source they are symbolic links, which become something else where the system has none.
        let text = fs::read(workspace.root.join(licence))?;
        ensure!(found.get(Path::new(licence)) == Some(&text), "its `{licence}` is not this workspace's");
    }
    ensure!(found.contains_key(Path::new("README.md")), "it has no README.md");
    if found.keys().any(|path| path.starts_with("tests")) {
        bail!(
            "it has tests, which need what is not packed\n  help: name what it needs under `include` in its Cargo.toml"
        );
    }
    let folders = found.keys().filter_map(|path| path.parent()?.components().next());
    for folder in folders.collect::<std::collections::BTreeSet<_>>() {
        for path in read(&source.join(folder))?.into_keys() {
            let path = Path::new(&folder).join(path);
            ensure!(found.contains_key(&path), "`{}` is left out", path.display());
        }
    }
    Ok(())
}

/// This workspace, in which the unpacked crates take the place of those that they were packed from.
fn as_workspace(workspace: &Workspace, crates: &Crates, unpacked: Files) -> Result<Files> {
    let mut files: Files =
        unpacked.into_iter().map(|(path, content)| (Path::new(PACKED).join(path), content)).collect();
    let published = crates.names();
    for package in workspace.packages.iter().filter(|package| !published.contains(&name(package))) {
        let folder = source(package)?;
        let place = workspace.relative(&folder);
        files.extend(read(&folder)?.into_iter().map(|(path, content)| (place.join(path), content)));
    }
    let mut places = Vec::new();
    for package in &crates.packages {
        let source = source(package)?;
        let place = format!("{PACKED}/{}", folder(package)?);
        places.push((name(package), workspace.relative(&source).to_string_lossy().into_owned(), place));
    }
    let manifest = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
    files.insert("Cargo.toml".into(), in_other_places(&manifest, &places)?.into_bytes());
    files.insert("Cargo.lock".into(), fs::read(workspace.root.join("Cargo.lock"))?);

    let libraries = crates.packages.iter().filter(|package| targets(package, "bin").next().is_none());
    let dependencies: String =
        libraries.map(|package| format!("{} = {}\n", name(package), package["version"])).collect();
    let everything =
        format!("[package]\nname = \"{EVERYTHING}\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}");
    files.insert(Path::new(EVERYTHING).join("Cargo.toml"), everything.into_bytes());
    files.insert(
        Path::new(EVERYTHING).join("src/main.rs"),
        b"//! Depends on all that is published.\n\nfn main() {}\n".to_vec(),
    );
    Ok(files)
}

/// The text of a workspace's Cargo.toml, with other folders for some members (each has a name, its folder and the other one), and with
/// [`EVERYTHING`] as one more. What is packed names the others by version; they are found in these folders as well.
fn in_other_places(manifest: &str, places: &[(&str, String, String)]) -> Result<String> {
    let mut manifest = manifest.replacen("\nmembers = [\n", &format!("\nmembers = [\n    \"{EVERYTHING}\",\n"), 1);
    let mut patch = String::from("\n[patch.crates-io]\n");
    for (name, from, to) in places {
        let member = (format!("\n    \"{from}\",\n"), format!("\n    \"{to}\",\n"));
        let path = (format!("{name} = {{ path = \"{from}\""), format!("{name} = {{ path = \"{to}\""));
        ensure!(manifest.contains(&member.0), "Cargo.toml does not list `{from}` among its members");
        manifest = manifest.replacen(&member.0, &member.1, 1).replacen(&path.0, &path.1, 1);
        patch += &format!("{name} = {{ path = \"{to}\" }}\n");
    }
    Ok(manifest + &patch)
}

/// What its archive and the folder in that are called.
fn folder(package: &Value) -> Result<String> {
    let version = package["version"].as_str().context("a package without a version")?;
    Ok(format!("{}-{version}", name(package)))
}

/// Where a package is.
fn source(package: &Value) -> Result<PathBuf> {
    let manifest = Path::new(package["manifest_path"].as_str().context("a package without a manifest")?);
    Ok(manifest.parent().context("a manifest outside every folder")?.to_owned())
}

/// Those of `files` that are in `folder`, by their paths in it.
fn below(files: &Files, folder: &str) -> Files {
    let inside = files.iter().filter_map(|(path, content)| Some((path.strip_prefix(folder).ok()?, content)));
    inside.map(|(path, content)| (path.to_owned(), content.clone())).collect()
}

/// The names of a package's targets of one kind.
fn targets<'a>(package: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a str> {
    let targets = package["targets"].as_array().into_iter().flatten();
    let of_kind =
        targets.filter(move |target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind)));
    of_kind.filter_map(|target| target["name"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_published_are_found_where_they_are_unpacked() {
        let manifest = "[workspace]\nmembers = [\n    \"wit\",\n    \"app\",\n]\n\n[workspace.dependencies]\n\
                        acme-wit = { path = \"wit\", version = \"0.1.0\" }\n";
        let places = [("acme-wit", "wit".to_owned(), "packed/acme-wit-0.1.0".to_owned())];
        let expected = "[workspace]\nmembers = [\n    \"everything-packed\",\n    \"packed/acme-wit-0.1.0\",\n    \"app\",\n]\n\n\
                        [workspace.dependencies]\nacme-wit = { path = \"packed/acme-wit-0.1.0\", version = \"0.1.0\" }\n\n\
                        [patch.crates-io]\nacme-wit = { path = \"packed/acme-wit-0.1.0\" }\n";
        assert_eq!(in_other_places(manifest, &places).unwrap(), expected);
        let missing = [("acme-wit", "elsewhere".to_owned(), "packed/acme-wit-0.1.0".to_owned())];
        assert!(in_other_places(manifest, &missing).is_err());
    }

    #[test]
    fn a_programs_name_is_that_of_its_target() {
        let package =
            serde_json::json!({"targets": [{"name": "acme", "kind": ["bin"]}, {"name": "lib", "kind": ["lib"]}]});
        assert_eq!(targets(&package, "bin").collect::<Vec<_>>(), ["acme"]);
    }
}
