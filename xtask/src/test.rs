//! `cargo xtask test`: every test, with what they need before them.

use anyhow::Result;

use crate::process::{self, announce};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;
use crate::{browser, planets};

/// Builds the Planets (plugins) and runs `cargo test` with `arguments`, on the whole workspace unless they name packages.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain, arguments: &[String]) -> Result<()> {
    let browser = browser::prepare()?;
    planets::build(workspace, toolchain, None)?;
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
