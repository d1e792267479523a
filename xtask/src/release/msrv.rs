//! The oldest compiler that does: what is said, and what is known.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{self, announce};
use crate::workspace::Workspace;

/// Checks that no dependency needs a newer compiler than this workspace asks for, and says whether the compiler that checks all this is
/// exactly that one.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let ours = workspace.packages.iter().find_map(|package| package["rust_version"].as_str());
    let ours = ours.context("no package has a `rust-version`")?;
    let rustc = process::output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"))?;
    let line = |key: &str| rustc.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let host = line("host:").context("rustc does not say what it compiles for")?;
    let release = line("release:").context("rustc does not say its version")?;

    let metadata =
        workspace.cargo().args(["metadata", "--offline", "--format-version=1", "--filter-platform", host]).output()?;
    let metadata: Value = serde_json::from_slice(&metadata.stdout).context("cargo's metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    let mut newer = Vec::new();
    for package in packages {
        if let Some(theirs) = package["rust_version"].as_str()
            && minor(theirs)? > minor(ours)?
        {
            newer.push(format!("{} {} needs {theirs}", super::crates::name(package), package["version"]));
        }
    }
    if !newer.is_empty() {
        bail!("`rust-version` is {ours}, and that does not do\n  {}", newer.join("\n  "));
    }
    let tested = match minor(release)? == minor(ours)? {
        true => format!("with which all this is compiled ({release})"),
        false => format!("and not tested here: this is {release}"),
    };
    announce(format_args!(
        "release: the oldest compiler is {ours}, which {} packages agree with, {tested}",
        packages.len()
    ));
    Ok(())
}

/// The numbers of a version up to the minor one; what comes after it changes no language.
fn minor(version: &str) -> Result<(u32, u32)> {
    let mut numbers = version.split(['.', '-']);
    let mut next = || numbers.next().and_then(|number| number.parse().ok());
    let major = next().with_context(|| format!("`{version}` is no version of Rust"))?;
    Ok((major, next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(minor("1.95").unwrap(), minor("1.95.3-nightly").unwrap());
        assert!(minor("1.100").unwrap() > minor("1.95").unwrap());
        assert!(minor("1").unwrap() < minor("1.1").unwrap());
        assert!(minor("new").is_err());
    }
}
