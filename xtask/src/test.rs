//! `cargo xtask test`: every test, with what they need before them.

use anyhow::Result;

use crate::process::{self, announce};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;
use crate::{browser, languages, planets, python, templates};

/// Builds the Planets (plugins), tries the templates unless there are `arguments`, and runs `cargo test` with them, on the whole
/// workspace unless they name packages.
///
/// The templates come before the tests, so that the test runner's own closing lines come last.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain, arguments: &[String]) -> Result<()> {
    let browser = browser::prepare()?;
    python::prepare()?;
    planets::build(workspace, toolchain, None)?;
    languages::build(workspace)?;
    if arguments.is_empty() {
        templates::run(workspace, toolchain)?;
    }
    let mut cargo = workspace.cargo();
    cargo.arg("test");
    if !names_packages(arguments) {
        cargo.arg("--workspace");
    }
    cargo.args(arguments).env("KOKORO_PLANETS", planets::folder(workspace));
    if !browser {
        cargo.env(browser::VARIABLE, "skip");
    }
    announce("test: cargo test");
    process::run(&mut cargo)
}

fn names_packages(arguments: &[String]) -> bool {
    let of_cargo = arguments.iter().take_while(|argument| *argument != "--");
    of_cargo.into_iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_before_the_test_programs_own_arguments() {
        let check = |line: &str| names_packages(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(check("-p kokoro-host"));
        assert!(check("deadlines --package=kokoro-host"));
        assert!(!check("deadlines"));
        assert!(!check("deadlines -- -p"));
    }
}
