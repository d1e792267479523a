//! `cargo xtask templates`: projects of all kinds, made by `kokoro new`, and put to use as their authors would.
//!
//! Each project is there twice. Where it stands alone, as an author has it, its components are built, and called. Its tests, whose
//! harness is the host, run in a [`copy`] of this workspace that has it for a member.

mod copy;
pub(crate) mod files;
mod readme;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

pub(crate) use self::files::{Files, read, write_just};
use crate::planets;
use crate::process::{self, announce};
use crate::toolchain::{FLAGS, Toolchain};
use crate::workspace::Workspace;

/// A project to be made.
#[derive(Debug)]
struct Project {
    kind: &'static str,
    /// What the READMEs of the templates call it, where they name one.
    name: &'static str,
    /// The WIT that it is for, from the folder of all projects.
    wit: Option<&'static str>,
    /// The folders of its packages.
    packages: &'static [&'static str],
}

const PLANET: Project = Project { kind: "planet", name: "my-planet", wit: None, packages: &[""] };
const PRIMARY: Project = Project { kind: "primary", name: "my-app", wit: None, packages: &[""] };
const INTERFACE: Project = Project { kind: "interface", name: "my-interface", wit: None, packages: &[""] };
const WITH_SATELLITE: Project =
    Project { kind: "planet-with-satellite", name: "my-primes", wit: None, packages: &["planet", "satellite"] };
/// For the application whose interfaces are those of [`INTERFACE`].
const PLUGIN: Project = Project { kind: "planet", name: "my-plugin", wit: Some("my-interface/wit"), packages: &[""] };

/// In an order in which each finds what it needs.
const PROJECTS: [Project; 7] = [
    PLANET,
    PRIMARY,
    INTERFACE,
    WITH_SATELLITE,
    PLUGIN,
    // Of stubs for all that interfaces can have, only that they can be compiled and started.
    Project { kind: "planet", name: "my-stubs", wit: Some("../../kokoro-host/tests/guests/wit"), packages: &[""] },
    Project {
        kind: "planet-with-satellite",
        name: "my-site-stubs",
        wit: Some("../../examples/site-builder/wit"),
        packages: &["planet", "satellite"],
    },
];

/// The copy of this workspace, which has the projects in it.
const COPY: &str = "checkout";
/// Where the README of the Primary's template has a hash that depends on the compiler.
const HASH: &str = "<SHA-256>";

/// The projects that were made.
#[derive(Debug)]
struct Projects<'a> {
    workspace: &'a Workspace,
    /// The folder of all of them.
    folder: PathBuf,
    /// The command line's program.
    kokoro: PathBuf,
}

/// Makes the projects, builds and tests them, and compares what they do with what their READMEs say.
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    let projects = Projects::make(workspace)?;
    for project in PROJECTS.iter().filter(|project| project.kind != PRIMARY.kind) {
        projects.build(project, toolchain)?;
    }
    for project in [PLANET, INTERFACE, WITH_SATELLITE] {
        let shown = readme::check(&projects.folder.join(project.name), &projects.kokoro)?;
        announce(format_args!("templates: {} does what its README says ({shown} commands)", project.name));
    }
    projects.try_plugin()?;
    projects.try_primary()?;
    projects.test()
}

/// Checks the formatting of the projects, which is rustfmt's own, and what clippy says to them.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let projects = Projects::make(workspace)?;
    let sources = read(&projects.folder)?.into_keys();
    let sources = sources.filter(|path| !path.starts_with(COPY) && path.extension().is_some_and(|end| end == "rs"));
    process::run(
        Command::new("rustfmt")
            .current_dir(&projects.folder)
            // Else this repository's own configuration would be found, which authors do not have.
            .args(["--check", "--edition=2024", "--config=max_width=100,use_small_heuristics=Default"])
            .args(sources),
    )?;
    let deny = ["--", "--deny=warnings"];
    let mut cargo = projects.cargo("clippy");
    process::run(cargo.args(projects.programs()).arg("--examples").args(deny))?;
    let mut cargo = projects.cargo("clippy");
    process::run(cargo.args(projects.programs()).args(projects.tests()?).arg("--profile=test").args(deny))
}

impl<'a> Projects<'a> {
    /// Makes all projects as they stand alone, and the copy of this workspace with them.
    fn make(workspace: &'a Workspace) -> Result<Self> {
        let folder = workspace.target().join("templates");
        let kokoro = build_command_line(workspace)?;
        let projects = Self { workspace, folder, kokoro };
        let scratch = projects.folder.with_file_name("templates-new");
        let files = projects.scaffold(&scratch);
        fs::remove_dir_all(&scratch).with_context(|| format!("{} cannot be removed", scratch.display()))?;
        write_just(&projects.folder, &files?)?;
        Ok(projects)
    }

    /// What `kokoro new` makes in the folder `scratch`, from where other folders are where they are from the final one; and the copy.
    fn scaffold(&self, scratch: &Path) -> Result<Files> {
        if scratch.exists() {
            fs::remove_dir_all(scratch)?;
        }
        fs::create_dir_all(scratch)?;
        // The versions that this workspace has, so that nothing else has to be downloaded.
        let lock = fs::read(self.workspace.root.join("Cargo.lock"))?;
        let (mut all, mut members, mut copied) = (Files::new(), Vec::new(), Files::new());
        for project in &PROJECTS {
            let mut new = Command::new(&self.kokoro);
            new.current_dir(scratch).args(["new", project.kind, project.name, "--kokoro=../..", "--json"]);
            if let Some(wit) = project.wit {
                new.args(["--for", wit]);
            }
            process::output(&mut new)?;
            let files = read(&scratch.join(project.name))?;
            for package in project.packages {
                let place = Path::new(project.name).join(package);
                let own = files.iter().filter_map(|(path, text)| Some((path.strip_prefix(package).ok()?, text)));
                let member = copy::as_member(own.map(|(path, text)| (path.to_owned(), text.clone())).collect())?;
                copied.extend(member.iter().map(|(path, text)| (place.join(path), in_copy(path, text))));
                members.push(place.to_string_lossy().trim_end_matches('/').to_owned());
            }
            // What its packages have in common.
            let common = files.iter().filter(|(path, _)| path.starts_with("wit"));
            copied.extend(common.map(|(path, text)| (Path::new(project.name).join(path), text.clone())));
            all.extend(files.into_iter().map(|(path, text)| (Path::new(project.name).join(path), text)));
            all.insert(Path::new(project.name).join("Cargo.lock"), lock.clone());
        }
        copied.extend(copy::copy(self.workspace, &members)?);
        all.extend(copied.into_iter().map(|(path, text)| (Path::new(COPY).join(path), text)));
        Ok(all)
    }

    /// Builds the components of a project, and the Satellites, with `kokoro build`. A warning is an error.
    fn build(&self, project: &Project, toolchain: &Toolchain) -> Result<()> {
        announce(format_args!("templates: building {}", project.name));
        let key = toolchain.key()?;
        let target = self.workspace.cargo_target.join("templates-build");
        planets::remove_old_builds(&target, &key)?;
        let folder = self.folder.join(project.name);
        let mut build = Command::new(&self.kokoro);
        toolchain.lead(&mut build)?;
        build.current_dir(&folder).env("CARGO_TARGET_DIR", target.join(key)).env(FLAGS, "-Dwarnings");
        process::run(build.args(["build", "--out", "target/planets"]))?;
        // Where the tests look for them.
        let all = self.planets();
        fs::create_dir_all(&all)?;
        for entry in folder.join("target/planets").read_dir()? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "wasm") {
                fs::copy(&file, all.join(file.file_name().unwrap_or_default()))?;
            }
        }
        Ok(())
    }

    /// The components of all projects.
    fn planets(&self) -> PathBuf {
        self.folder.with_file_name("templates-planets")
    }

    /// Runs the tests of all projects.
    fn test(&self) -> Result<()> {
        announce("templates: cargo test");
        let mut cargo = self.cargo("test");
        process::run(cargo.args(self.programs()).args(self.tests()?).env("KOKORO_PLANETS", self.planets()))
    }

    /// A cargo that takes features into account as if it did something to the whole copy.
    fn cargo(&self, command: &str) -> Command {
        let mut cargo = self.workspace.cargo();
        cargo.current_dir(self.folder.join(COPY)).env("CARGO_TARGET_DIR", &self.workspace.cargo_target);
        cargo.args([command, "--workspace"]);
        cargo
    }

    /// The programs in the copy that are of the projects.
    fn programs(&self) -> Vec<String> {
        let packages =
            PROJECTS.iter().flat_map(|project| project.packages.iter().map(move |package| (project, package)));
        let programs = packages.filter_map(|(project, package)| match *package {
            "satellite" => Some(format!("--bin={}-satellite", project.name)),
            _ => (project.kind == "primary").then(|| format!("--bin={}", project.name)),
        });
        programs.collect()
    }

    /// The test programs in the copy that are of the projects.
    fn tests(&self) -> Result<Vec<String>> {
        let mut tests = vec![format!("--test={}", copy::UNITS)];
        for project in &PROJECTS {
            for package in project.packages {
                let folder = self.folder.join(project.name).join(package).join("tests");
                for file in folder.read_dir().into_iter().flatten() {
                    let file = file?.path();
                    let test = format!("--test={}", file.file_stem().unwrap_or_default().to_string_lossy());
                    if !tests.contains(&test) {
                        tests.push(test);
                    }
                }
            }
        }
        Ok(tests)
    }

    /// Calls a planet for an application's interfaces beside the application's stand-in.
    fn try_plugin(&self) -> Result<()> {
        let planets = self.folder.join(PLUGIN.name).join("target/planets");
        let stand_in = format!("{}-stand-in.wasm", INTERFACE.name);
        let built = self.folder.join(INTERFACE.name).join("target/planets").join(&stand_in);
        fs::copy(&built, planets.join(&stand_in)).with_context(|| format!("{} cannot be copied", built.display()))?;
        let call = ["call", "target/planets", "example:app/greeting.greet(\"Ada\")"];
        let mut kokoro = Command::new(&self.kokoro);
        let (succeeded, printed) = readme::run(kokoro.args(call).current_dir(self.folder.join(PLUGIN.name)))?;
        ensure!(
            !succeeded && printed.contains("not written yet: `greeting.greet`"),
            "a stub of {} does not say that it is one:\n{printed}",
            PLUGIN.name
        );
        announce(format_args!("templates: {} beside the stand-in says: {}", PLUGIN.name, printed.trim_end()));
        Ok(())
    }

    /// Runs the Primary with a Planet (plugin) that it does not know, and then with one that it knows.
    fn try_primary(&self) -> Result<()> {
        let program = self.build_primary()?;
        let folder = self.folder.join(COPY).join(PRIMARY.name);
        let component = format!("{}.wasm", PLANET.name);
        let planet = self.folder.join(PLANET.name).join("target/planets").join(&component);
        fs::copy(&planet, folder.join("plugins").join(&component))
            .with_context(|| format!("{} cannot be copied", planet.display()))?;
        let readme = folder.join("README.md");
        let readme = fs::read_to_string(&readme).with_context(|| format!("{} cannot be read", readme.display()))?;
        let run = || readme::run(Command::new(&program).current_dir(&folder));

        let (succeeded, stranger) = run()?;
        let name = PRIMARY.name;
        let hash = hash(&stranger).with_context(|| format!("`{name}` has not named the hash:\n{stranger}"))?;
        check(&readme, &stranger.replace(hash, HASH))?;
        ensure!(!succeeded, "`{name}` has not failed with a plugin that it does not know");

        let list = folder.join("plugins.sha256");
        let known = fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
        fs::write(&list, format!("{known}{hash}  {}\n", PLANET.name))?;
        let (succeeded, acquaintance) = run()?;
        check(&readme, &acquaintance)?;
        ensure!(succeeded, "`{name}` has failed with a plugin that it knows");
        announce(format_args!("templates: {name} with {} does what its README says", PLANET.name));
        Ok(())
    }

    /// Builds the Primary, and returns the program.
    fn build_primary(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo("build");
        // `--examples` (there are none) brings in the tests' features, as in `cargo xtask demo`.
        cargo.arg(format!("--bin={}", PRIMARY.name)).args(["--examples", "--message-format=json-render-diagnostics"]);
        executable(&mut cargo, PRIMARY.name)
    }
}

/// Builds the command line's program, with the features that the tests have.
fn build_command_line(workspace: &Workspace) -> Result<PathBuf> {
    announce("templates: building kokoro");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--workspace", "--bin=kokoro", "--examples", "--message-format=json-render-diagnostics"]);
    executable(&mut cargo, "kokoro")
}

/// Runs a `cargo build`, and returns the program that it has built.
fn executable(cargo: &mut Command, name: &str) -> Result<PathBuf> {
    let messages = process::output(cargo)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == name);
    let path = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    path.with_context(|| format!("cargo has built no program `{name}`"))
}

/// A file of a project as it is in the copy of this workspace, whose packages it depends on.
fn in_copy(path: &Path, text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) if path.ends_with("Cargo.toml") => text.replace("'../../../kokoro-", "'../kokoro-").into_bytes(),
        _ => text.to_owned(),
    }
}

/// The first SHA-256 in `text`.
fn hash(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == 64)
}

/// Fails if the README does not show these very lines.
fn check(readme: &str, printed: &str) -> Result<()> {
    if !readme.contains(&format!("$ cargo run\n{printed}")) {
        bail!("the README of templates/primary does not show what `{}` prints:\n{printed}", PRIMARY.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_in_a_sentence() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(hash(&format!("add 77, or {digits}: to the list")), Some(&*digits));
        assert_eq!(hash("nothing to be added"), None);
    }
}
