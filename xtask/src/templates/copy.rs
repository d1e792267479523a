//! A copy of this workspace that has the projects for members.
//!
//! As workspaces of their own they would have other features of Wasmtime's dependencies, and compile all of it again. The copy
//! shares the target folder with this workspace: of it, only what is in this repository is compiled anew.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::files::{Files, read};
use crate::workspace::Workspace;

/// The test program that is `src/lib.rs` of a project once more, with the tests in it. `cargo test --lib` would run those of all
/// packages of the copy.
pub(super) const UNITS: &str = "units";

/// The packages of this workspace, with `members` more.
pub(super) fn copy(workspace: &Workspace, members: &[String]) -> Result<Files> {
    let mut files = Files::new();
    for package in &workspace.packages {
        let manifest = Path::new(package["manifest_path"].as_str().context("a package without a manifest")?);
        let folder = manifest.parent().context("a manifest outside every folder")?;
        let place = workspace.relative(folder);
        files.extend(read(folder)?.into_iter().map(|(path, content)| (place.join(path), content)));
    }
    let manifest = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
    let manifest = of_another_version(&add_members(&manifest, members)?)?;
    files.insert("Cargo.toml".into(), manifest.into_bytes());
    files.insert("Cargo.lock".into(), fs::read(workspace.root.join("Cargo.lock"))?);
    Ok(files)
}

/// Makes a package of a project a member of the copy.
pub(super) fn as_member(mut files: Files) -> Result<Files> {
    let manifest = files.get_mut(Path::new("Cargo.toml")).context("a package without a Cargo.toml")?;
    let mut text = String::from_utf8(std::mem::take(manifest))?;
    // Only a workspace has profiles, and the copy has those of this one.
    cut(&mut text, "\n[profile.");
    files.insert("Cargo.toml".into(), text.into_bytes());
    if let Some(library) = files.get(Path::new("src/lib.rs")).cloned() {
        files.insert(format!("tests/{UNITS}.rs").into(), library);
    }
    Ok(files)
}

/// Ends `text` where `end`, or a comment right above it, begins.
fn cut(text: &mut String, end: &str) {
    let Some(mut at) = text.find(end) else { return };
    while let Some(line) = text[..at].rfind('\n').filter(|line| text[line + 1..].starts_with('#')) {
        at = line;
    }
    text.truncate(at);
}

/// The text of a workspace's Cargo.toml, with more members.
fn add_members(manifest: &str, members: &[String]) -> Result<String> {
    let (before, after) = manifest.split_once("\nmembers = [").context("Cargo.toml has no list of members")?;
    let members: String = members.iter().map(|member| format!("\n    \"{member}\",")).collect();
    Ok(format!("{before}\nmembers = [{members}{after}"))
}

/// The text of a workspace's Cargo.toml, with another version of its packages. In one target folder, cargo would take those of
/// the copy for those of this workspace otherwise: it knows them by name, version and place in their workspace.
fn of_another_version(manifest: &str) -> Result<String> {
    let place = manifest.find("[workspace.package]\nversion = \"").context("Cargo.toml has no version")?;
    let (before, version) = manifest.split_at(place);
    Ok(format!("{before}{}", version.replacen("\"\n", "+copy\"\n", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_leaves_whole_lines() {
        let mut text = "a\n\n# Why.\n# And how.\n[profile.dev]\nb\n".to_owned();
        cut(&mut text, "\n[profile.");
        assert_eq!(text, "a\n");
        cut(&mut text, "c");
        assert_eq!(text, "a\n");
    }

    #[test]
    fn members_are_added_to_the_others() {
        let manifest =
            add_members("[workspace]\nmembers = [\n    \"a\",\n]\n", &["b".to_owned(), "c".to_owned()]).unwrap();
        assert_eq!(manifest, "[workspace]\nmembers = [\n    \"b\",\n    \"c\",\n    \"a\",\n]\n");
        assert!(add_members("[package]\n", &[]).is_err());
    }

    #[test]
    fn the_packages_of_the_copy_are_of_another_version() {
        let manifest = of_another_version("[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n").unwrap();
        assert_eq!(manifest, "[workspace.package]\nversion = \"0.1.0+copy\"\nedition = \"2024\"\n");
        assert!(of_another_version("[package]\n").is_err());
    }

    #[test]
    fn a_member_has_no_profiles_and_its_own_tests_in_a_program_of_their_own() {
        let files = [
            ("Cargo.toml", "[package]\n\n# Small.\n[profile.release]\nlto = true\n"),
            ("src/lib.rs", "// Its tests.\n"),
        ];
        let files = files.into_iter().map(|(path, text)| (path.into(), text.as_bytes().to_owned())).collect();
        let member = as_member(files).unwrap();
        assert_eq!(member[Path::new("Cargo.toml")], b"[package]\n");
        assert_eq!(member[Path::new("tests/units.rs")], b"// Its tests.\n");
    }
}
