//! `cargo xtask languages`: the Planets (plugins) of `examples/languages` that are not written in Rust.
//!
//! Sources are copied below `target/languages`, where each language's own package manager installs its toolchain and its own
//! build script is run: what a person would do, but in a folder that nobody keeps in git. As long as the copies are what they
//! were, nothing is done again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use anyhow::{Context as _, Result, ensure};

use crate::planets::{Kind, write_if_changed};
use crate::process::{self, announce};
use crate::workspace::Workspace;

/// The oldest major version of Node.js that componentize-js is tried with.
const NODE: u32 = 20;

/// Names the environment variable that tells what to do: `skip` to leave these languages (and their tests) out, `require` to
/// fail where a toolchain cannot be had. Absent, what needs one is skipped then, and says so.
pub(crate) const VARIABLE: &str = "KOKORO_LANGUAGES";

/// The interfaces, which all of them are built from.
const WIT: [&str; 2] = ["wit/words.wit", "wit/deps/kokoro-core.wit"];
/// Written when a toolchain is complete: an installation can be broken off.
const INSTALLED: &str = ".installed";

/// One language with one Planet (plugin).
#[derive(Debug)]
struct Language {
    name: &'static str,
    /// Its folder in `examples/languages`.
    folder: &'static str,
    /// Its Planet's name: the component's, without `.wasm`.
    planet: &'static str,
    /// Its Planet's sources, and what its build script needs besides.
    sources: &'static [&'static str],
    /// Those files that say which toolchain it needs.
    pins: &'static [&'static str],
    /// The folder that the toolchain is installed in.
    toolchain: &'static str,
    install: fn(&Path) -> Result<()>,
    build: fn(&Path) -> Result<()>,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "JavaScript",
        folder: "javascript",
        planet: "anagrams",
        sources: &["anagrams.js"],
        pins: &["package.json"],
        toolchain: "node_modules",
        install: |folder| {
            process::run(npm()?.current_dir(folder).args(["install", "--no-audit", "--no-fund", "--loglevel=error"]))
        },
        build: |folder| process::run(npm()?.current_dir(folder).args(["run", "--silent", "build"])),
    },
    Language {
        name: "Python",
        folder: "python",
        planet: "score",
        sources: &["score.py", "build.sh"],
        pins: &["requirements.txt"],
        toolchain: ".venv",
        install: |folder| {
            let python = process::find(&["python3"]).context("there is no `python3` on PATH")?;
            process::run(Command::new(python).current_dir(folder).args(["-m", "venv", ".venv"]))?;
            let pip = folder.join(".venv/bin/pip");
            let quietly = ["install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
            process::run(Command::new(pip).current_dir(folder).args(quietly))
        },
        build: |folder| process::run(Command::new("sh").current_dir(folder).arg("build.sh")),
    },
];

fn npm() -> Result<Command> {
    let node = process::find(&["node"]).context("there is no `node` on PATH")?;
    let version = process::output(Command::new(node).arg("--version"))?;
    ensure!(is_new_enough(&version), "node is {}, and {NODE} or later is needed", version.trim());
    Ok(Command::new(process::find(&["npm"]).context("there is no `npm` on PATH")?))
}

/// Whether this version, as node prints it, is one that componentize-js runs on.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= NODE)
}

/// Where the finished components are.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("languages/planets")
}

/// Builds what has changed. Without a toolchain it says so, and takes away what an older source was built to.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let wish = env::var(VARIABLE).unwrap_or_default();
    if wish == "skip" {
        announce(format_args!("languages: skipped, as {VARIABLE} says"));
        return Ok(());
    }
    for language in &LANGUAGES {
        match language.make(workspace)? {
            Made::Already => announce(format_args!("languages: {} is as it was", language.name)),
            Made::Anew => announce(format_args!("languages: {} is built", language.name)),
            Made::Not(why) if wish == "require" => {
                return Err(why.context(format!(
                    "the Planet (plugin) in {} cannot be built, and {VARIABLE} requires it",
                    language.name
                )));
            }
            Made::Not(why) => announce(format_args!(
                "languages: {} is skipped: {why:#}
    help: examples/languages/{}/README.md says what it needs",
                language.name, language.folder
            )),
        }
    }
    Ok(())
}

enum Made {
    Already,
    Anew,
    /// There is no toolchain, and this is why.
    Not(anyhow::Error),
}

impl Language {
    fn make(&self, workspace: &Workspace) -> Result<Made> {
        let examples = workspace.root.join("examples/languages");
        // The languages do not share their copies of the interfaces: each finds out by itself that they have changed.
        let work = workspace.target().join("languages").join(self.folder);
        let project = work.join(self.folder);
        let component = folder(workspace).join(self.planet).with_extension("wasm");
        let installed = project.join(self.toolchain).join(INSTALLED);

        let own = |file: &&str| Path::new(self.folder).join(file);
        update(&examples, &work, self.pins.iter().map(own), &[&installed, &component])?;
        update(&examples, &work, self.sources.iter().map(own).chain(WIT.map(PathBuf::from)), &[&component])?;
        if component.exists() {
            return Ok(Made::Already);
        }
        if !installed.exists() {
            announce(format_args!("languages: installing what {} needs", self.name));
            if let Err(why) = (self.install)(&project) {
                return Ok(Made::Not(why));
            }
            fs::write(&installed, "").with_context(|| format!("{} cannot be written", installed.display()))?;
        }
        announce(format_args!("languages: building `{}` in {}", self.planet, self.name));
        (self.build)(&project)?;
        let built = project.join(self.planet).with_extension("wasm");
        let bytes = fs::read(&built).with_context(|| format!("{} cannot be read", built.display()))?;
        write_if_changed(&component, &bytes, Kind::Component)
            .with_context(|| format!("{} cannot be written", component.display()))?;
        Ok(Made::Anew)
    }
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", file.display()))
        }
        _ => Ok(()),
    }
}

/// Copies those of `files` that differ, after removing what was made from the older ones.
fn update(from: &Path, to: &Path, files: impl Iterator<Item = PathBuf>, made: &[&Path]) -> Result<()> {
    let mut changed = Vec::new();
    for file in files {
        let source = from.join(&file);
        let content = fs::read(&source).with_context(|| format!("{} cannot be read", source.display()))?;
        if !fs::read(to.join(&file)).is_ok_and(|old| old == content) {
            changed.push((to.join(file), content));
        }
    }
    if !changed.is_empty() {
        made.iter().try_for_each(|file| remove(file))?;
    }
    for (copy, content) in changed {
        write_if_changed(&copy, &content, Kind::Component)
            .with_context(|| format!("{} cannot be written", copy.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_told_from_a_new_one() {
        assert!(is_new_enough("v20.20.2\n") && is_new_enough("v100.0.0"));
        assert!(!is_new_enough("v18.19.0\n") && !is_new_enough(""));
    }

    #[test]
    fn the_files_that_are_copied_are_there() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/languages");
        for language in &LANGUAGES {
            for file in language.sources.iter().chain(language.pins) {
                assert!(examples.join(language.folder).join(file).is_file(), "{}/{file}", language.folder);
            }
        }
        assert!(WIT.iter().all(|file| examples.join(file).is_file()));
    }
}
