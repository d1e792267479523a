//! What a README shows of the command line, compared with what the command line does.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A command of a README, and what it shows below.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) command: String,
    pub(super) output: String,
}

/// What a README shows in blocks of the kind `console`.
pub(super) fn shown(readme: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => all.push(Shown { command: command.to_owned(), output: String::new() }),
                None => {
                    if let Some(shown) = all.last_mut() {
                        shown.output += line;
                        shown.output.push('\n');
                    }
                }
            }
        }
    }
    all
}

/// Runs the commands of `kokoro` that the README in `folder` shows, and fails if one does not print what is below it.
pub(super) fn check(folder: &Path, kokoro: &Path) -> Result<usize> {
    let readme = folder.join("README.md");
    let readme = std::fs::read_to_string(&readme).with_context(|| format!("{} cannot be read", readme.display()))?;
    let shown = shown(&readme);
    for Shown { command, output } in &shown {
        let words = words(command);
        let (program, arguments) = words.split_first().context("a command without a program")?;
        ensure!(program == "kokoro", "{} shows `{command}`, and only `kokoro` is known here", folder.display());
        let (_, printed) = run(Command::new(kokoro).args(arguments).current_dir(folder))?;
        ensure!(
            printed == *output,
            "the README of {} does not show what `{command}` prints:\n{printed}",
            folder.display()
        );
    }
    ensure!(!shown.is_empty(), "the README of {} shows no command", folder.display());
    Ok(shown.len())
}

/// Whether it succeeded, and what it wrote: to standard output first, and then to standard error.
pub(super) fn run(command: &mut Command) -> Result<(bool, String)> {
    let output = command.output();
    let output = output.with_context(|| format!("{:?} could not be started", command.get_program()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// The words of a command line, of which those in single quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("there is one from the start").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_with_what_they_print() {
        let readme = "text\n```console\n$ one 'a b'\n1\n2\n$ two\n```\n```sh\n$ three\n```\n";
        let commands = shown(readme);
        assert_eq!(commands.len(), 2);
        assert_eq!((&*commands[0].command, &*commands[0].output), ("one 'a b'", "1\n2\n"));
        assert_eq!(commands[1].output, "");
        assert_eq!(words(&commands[0].command), ["one", "a b"]);
    }
}
