//! Doing what a chapter says.

use std::fmt;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, iter};

use anyhow::{Context as _, Result, bail, ensure};

use crate::block::{Block, Kind};
use crate::live::{self, Live};
use crate::{Programs, change, files, folder, pattern, read, workspace, write};

/// A reader who does one thing after another.
#[derive(Debug)]
pub struct Session<'a> {
    programs: &'a Programs,
    /// Below it are all folders of readers.
    work: PathBuf,
    /// The folder that was empty at first.
    root: PathBuf,
    /// The folder that the reader is in.
    current: PathBuf,
}

/// A command has not printed what the guide shows.
#[derive(Debug)]
pub struct Mismatch {
    /// What the block should be instead.
    pub instead: String,
    expected: String,
    command: String,
    printed: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` prints something else than the guide says", self.command)?;
        writeln!(f, "--- the guide\n{}\n--- printed\n{}", self.expected.trim_end(), self.printed.trim_end())
    }
}

impl std::error::Error for Mismatch {}

/// A command of a transcript, and what it prints.
#[derive(Debug)]
struct Entry {
    command: String,
    output: String,
}

impl<'a> Session<'a> {
    /// Begins in an empty folder of this name.
    ///
    /// # Errors
    ///
    /// It cannot be emptied.
    pub fn begin(programs: &'a Programs, at: &Path, name: &str) -> Result<Self> {
        let root = at.join(name);
        if root.exists() {
            fs::remove_dir_all(&root).with_context(|| format!("{} cannot be removed", root.display()))?;
        }
        fs::create_dir_all(&root)?;
        configure(at)?;
        Ok(Self { programs, work: at.to_owned(), current: root.clone(), root })
    }

    /// Copies a project of `docs/guide/projects` into the folder, but for its Cargo.toml, which belongs to a workspace there.
    ///
    /// # Errors
    ///
    /// There is no such project.
    pub fn give(&self, project: &str) -> Result<()> {
        let source = folder().join("projects").join(project);
        for file in files(&source)?.iter().filter(|file| **file != Path::new("Cargo.toml")) {
            write(&self.root.join(project).join(file), fs::read(source.join(file))?)?;
        }
        Ok(())
    }

    /// Puts a clone of this repository into the folder, named `kokoro`.
    ///
    /// # Errors
    ///
    /// There is one.
    pub fn clone_repository(&self) -> Result<()> {
        symlink(workspace(), self.root.join("kokoro")).context("the repository cannot be linked to")
    }

    /// Goes back to the folder that was empty at first, as the reader of another chapter.
    pub fn go_on(&mut self) {
        self.current.clone_from(&self.root);
    }

    /// Does what becomes of a block.
    ///
    /// # Errors
    ///
    /// It cannot be done, or the result is another one than the guide says: then there may be a [`Mismatch`] among the causes.
    pub fn run(&mut self, block: &Block) -> Result<()> {
        match &block.kind {
            Kind::File(path) => write(&self.root.join(path), &block.text),
            Kind::Change(path) => {
                let file = self.root.join(path);
                let changed = change::apply(&read(&file)?, &block.text).with_context(|| path.clone())?;
                write(&file, changed)
            }
            Kind::Shown(path) => {
                let file = read(&self.root.join(path))?;
                ensure!(pattern::shows(&file, &block.text), "{path} does not have these lines, but:\n{file}");
                Ok(())
            }
            Kind::Commands => {
                let (code, printed) = self.execute(&format!("set -e\n{}", block.text))?;
                ensure!(code == 0, "exit code {code}:\n{printed}");
                Ok(())
            }
            Kind::Transcript(code) => self.compare(&block.text, *code),
            Kind::Live => self.live(&block.text),
            Kind::Text => Ok(()),
        }
    }

    /// Executes the commands of a transcript and compares what they print.
    fn compare(&mut self, transcript: &str, last_code: i32) -> Result<()> {
        let entries = entries(transcript)?;
        let mut comparison = Comparison::default();
        for (at, entry) in entries.iter().enumerate() {
            let (code, printed) = self.execute(&entry.command)?;
            let expected = if at + 1 == entries.len() { last_code } else { 0 };
            ensure!(code == expected, "`{}` has exit code {code}, not {expected}:\n{printed}", entry.command);
            comparison.add(&format!("$ {}", entry.command.replace('\n', "\n> ")), &entry.output, &printed);
        }
        comparison.result()
    }

    /// Does what a transcript of a command that goes on says, one after another, and compares what it prints meanwhile.
    fn live(&mut self, transcript: &str) -> Result<()> {
        let acts = live::acts(transcript)?;
        let (first, acts) = acts.split_first().context("a transcript without a command")?;
        let live = Live::start(&mut self.shell(&format!("exec {}", first.line.trim_start_matches("$ ")))?)?;
        let printed = live.printed(&first.shows);
        let mut comparison = Comparison::default();
        comparison.add(&first.line, &first.shows, &printed);
        let mut live = Some(live);
        for act in acts {
            let running = live.as_mut().context("nothing comes after `^C`")?;
            if let Some(command) = act.line.strip_prefix("$ ") {
                let (code, printed) = self.execute(command)?;
                ensure!(code == 0, "`{command}` has exit code {code}:\n{printed}");
            } else if let Some(typed) = act.line.strip_prefix("> ") {
                running.enter(typed)?;
            }
            let printed = match live.take_if(|_| act.line == live::INTERRUPT) {
                Some(live) => live.interrupted()?,
                None => live.as_ref().map(|live| live.printed(&act.shows)).unwrap_or_default(),
            };
            comparison.add(&act.line, &act.shows, &printed);
        }
        ensure!(live.is_none(), "it has to end with `{}`", live::INTERRUPT);
        comparison.result()
    }

    /// Runs commands in a shell, and returns its exit code and what they have printed, on standard output and error alike.
    fn execute(&mut self, commands: &str) -> Result<(i32, String)> {
        // Where a command leaves the reader, the next one begins.
        let place = self.work.join("current-folder");
        let script = format!("trap 'pwd >\"$GUIDE_PLACE\"' EXIT\n{commands}");
        let output = self.shell(&script)?.env("GUIDE_PLACE", &place).stdin(Stdio::null()).output();
        let output = output.context("bash cannot be started")?;
        self.current = read(&place)?.trim_end().into();
        let code = output.status.code().with_context(|| format!("{} by a signal", output.status))?;
        Ok((code, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// A shell in the reader's folder, with the environment that a reader has.
    fn shell(&self, script: &str) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(iter::once(self.programs.path.clone()).chain(env::split_paths(&path)))?;
        let mut shell = Command::new("bash");
        for (name, _) in env::vars_os() {
            // What the cargo that runs the tests has told them is nothing that a reader would have.
            let text = name.to_string_lossy();
            let of_cargo = text.starts_with("CARGO") && !matches!(&*text, "CARGO_HOME" | "CARGO_INCREMENTAL");
            if of_cargo || text.starts_with("KOKORO_") || text.starts_with("RUST_") || text == "LD_LIBRARY_PATH" {
                shell.env_remove(&name);
            }
        }
        shell
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(&self.current)
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env("XDG_CACHE_HOME", self.work.with_file_name("cache"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("GUIDE_WORK", &self.work)
            .env("GUIDE_WORKSPACE", workspace())
            .env("GUIDE_PROJECTS", folder().join("projects"))
            .env("GUIDE_PROGRAMS", &self.programs.projects)
            .env("GUIDE_CARGO", &self.programs.cargo);
        Ok(shell)
    }
}

/// What was printed beside what the guide says, command by command.
#[derive(Debug, Default)]
struct Comparison {
    /// What the block should be.
    instead: String,
    /// The first that differs: command, what the guide says, what was printed.
    first: Option<[String; 3]>,
}

impl Comparison {
    fn add(&mut self, command: &str, expected: &str, printed: &str) {
        let fits = pattern::matches(expected, printed);
        self.instead.push_str(&format!("{command}\n{}", if fits { expected } else { printed }));
        if !fits && self.first.is_none() {
            self.first = Some([command, expected, printed].map(str::to_owned));
        }
    }

    fn result(self) -> Result<()> {
        match self.first {
            None => Ok(()),
            Some([command, expected, printed]) => {
                Err(Mismatch { instead: self.instead, expected, command, printed }.into())
            }
        }
    }
}

/// Has the projects take this repository's Kokoro for the released one, and compile what they have in common once.
fn configure(work: &Path) -> Result<()> {
    let crates = ["guest", "host", "macros", "satellite", "test", "value", "wit"];
    let patches = crates.map(|name| {
        let path = workspace().join(format!("kokoro-{name}"));
        format!("kokoro-{name} = {{ path = {:?} }}\n", path.display().to_string())
    });
    let builds = work.with_file_name("build").display().to_string();
    let text = format!("[build]\nbuild-dir = {builds:?}\n\n[patch.crates-io]\n{}", patches.concat());
    let file = work.join(".cargo/config.toml");
    if fs::read_to_string(&file).is_ok_and(|old| old == text) { Ok(()) } else { write(&file, text) }
}

/// Takes a transcript apart. A command begins behind `$ ` and goes on behind `> `.
fn entries(transcript: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            entries.push(Entry { command: command.to_owned(), output: String::new() });
            continue;
        }
        let Some(entry) = entries.last_mut() else { bail!("a transcript begins with `$ `") };
        match line.strip_prefix("> ") {
            Some(more) if entry.output.is_empty() => entry.command.push_str(&format!("\n{more}")),
            _ => entry.output.push_str(&format!("{line}\n")),
        }
    }
    ensure!(!entries.is_empty(), "a transcript begins with `$ `");
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_commands_and_what_they_print() {
        let entries = entries("$ a \\\n> b\nc\n\nd\n$ e\n").unwrap();
        let parts: Vec<_> = entries.iter().map(|entry| (&*entry.command, &*entry.output)).collect();
        assert_eq!(parts, [("a \\\nb", "c\n\nd\n"), ("e", "")]);
        assert!(super::entries("c\n").is_err());
        assert!(super::entries("").is_err());
    }
}
