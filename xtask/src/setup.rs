//! `cargo xtask setup`: a toolchain that builds for [`TARGET`], whatever the machine has.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;
use std::{fs, io};

use anyhow::{Context as _, Result, bail};

use crate::from_source;
use crate::process::{self, announce};
use crate::toolchain::{Active, TARGET, Toolchain};
use crate::workspace::Workspace;

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The active toolchain's own target, from rustup if need be; from source where neither can be had.
    Normal,
    /// From source.
    FromSource,
    /// The way that the last `setup` chose.
    AsBefore,
}

/// Why Planets (plugins) are built with a library from source: the content of a file under `target`,
/// which is absent when they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selection {
    /// Somebody asked for it.
    Asked,
    /// Nothing else could be had. Remembered so that a machine without a network does not try one each time.
    Fallback,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    UseActive,
    AskRustup,
    Build(Selection),
}

/// Makes building for [`TARGET`] possible and says how.
pub(crate) fn run(workspace: &Workspace, way: Way) -> Result<Toolchain> {
    let active = Active::read()?;
    match next_step(way, Selection::read(workspace)?, active.has_target()) {
        Step::UseActive => use_active(workspace, &active),
        Step::Build(selection) => build(workspace, &active, selection),
        Step::AskRustup => {
            let Err(rustup) = ask_rustup(&active) else {
                return use_active(workspace, &active);
            };
            announce(format_args!("rustup cannot help ({rustup:#}), trying to build it from source"));
            build(workspace, &active, Selection::Fallback).map_err(|source| explain(&rustup, &source))
        }
    }
}

fn next_step(way: Way, selection: Option<Selection>, has_target: bool) -> Step {
    match (way, selection) {
        (Way::FromSource, _) | (Way::AsBefore, Some(Selection::Asked)) => Step::Build(Selection::Asked),
        _ if has_target => Step::UseActive,
        (_, Some(Selection::Fallback)) => Step::Build(Selection::Fallback),
        _ => Step::AskRustup,
    }
}

fn use_active(workspace: &Workspace, active: &Active) -> Result<Toolchain> {
    Selection::forget(workspace)?;
    announce(format_args!("setup: {TARGET} is ready, from toolchain {}", active.name()));
    Ok(Toolchain::Active)
}

fn build(workspace: &Workspace, active: &Active, selection: Selection) -> Result<Toolchain> {
    let linkers = active.linkers()?;
    let sysroot = from_source::prepare(workspace, &linkers)?;
    selection.write(workspace)?;
    let why = match selection {
        Selection::Asked => "`cargo xtask setup` goes back to the normal way",
        Selection::Fallback => "because rustup had none",
    };
    announce(format_args!("setup: {TARGET} is ready, built from source ({why})"));
    Ok(Toolchain::FromSource { sysroot, linkers })
}

fn ask_rustup(active: &Active) -> Result<()> {
    if process::find(&["rustup"]).is_none() {
        bail!("`rustup` is not on PATH");
    }
    announce(format_args!("setup: rustup target add {TARGET}"));
    process::run(Command::new("rustup").args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0"))?;
    if !active.has_target() {
        bail!("rustup has added {TARGET} to another toolchain than {}", active.name());
    }
    Ok(())
}

fn explain(rustup: &anyhow::Error, source: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "Planets (plugins) are built for {TARGET}, and this machine has no standard library for it
  from rustup: {rustup:#}
  from source: {source:#}
  help: run `rustup target add {TARGET}` where rustup can download it, or, on Debian 12 as root,
        `apt-get install --no-install-recommends rustc-web cargo-web rust-web-src wasi-libc`
        and then `cargo xtask setup --from-source`"
    )
}

impl Selection {
    fn file(workspace: &Workspace) -> PathBuf {
        workspace.target().join("wasm-toolchain")
    }

    fn read(workspace: &Workspace) -> Result<Option<Self>> {
        let file = Self::file(workspace);
        match fs::read_to_string(&file) {
            Ok(text) if text == Self::Fallback.text() => Ok(Some(Self::Fallback)),
            Ok(_) => Ok(Some(Self::Asked)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    fn write(self, workspace: &Workspace) -> io::Result<()> {
        fs::create_dir_all(workspace.target())?;
        fs::write(Self::file(workspace), self.text())
    }

    fn forget(workspace: &Workspace) -> Result<()> {
        let file = Self::file(workspace);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", file.display()))
            }
            _ => Ok(()),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Asked => "from source, asked for\n",
            Self::Fallback => "from source, nothing else could be had\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_there_is_used() {
        for selection in [None, Some(Selection::Fallback)] {
            assert_eq!(next_step(Way::AsBefore, selection, true), Step::UseActive);
        }
    }

    #[test]
    fn what_was_asked_for_stays_until_setup_is_run_without_it() {
        let asked = Some(Selection::Asked);
        assert_eq!(next_step(Way::FromSource, None, true), Step::Build(Selection::Asked));
        assert_eq!(next_step(Way::AsBefore, asked, true), Step::Build(Selection::Asked));
        assert_eq!(next_step(Way::Normal, asked, true), Step::UseActive);
        assert_eq!(next_step(Way::Normal, asked, false), Step::AskRustup);
    }

    #[test]
    fn a_machine_that_rustup_could_not_help_does_not_ask_again() {
        let fallback = Some(Selection::Fallback);
        for way in [Way::Normal, Way::AsBefore] {
            assert_eq!(next_step(way, None, false), Step::AskRustup);
            assert_eq!(next_step(way, fallback, false), Step::Build(Selection::Fallback));
        }
    }
}
