//! `kokoro build`: the Planets (plugins) of a cargo workspace, made into a folder that can be loaded.

mod compile;
mod component;
mod folder;
mod inputs;
mod progress;
mod toolchain;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use self::compile::{Compile, Compiled};
pub(crate) use self::compile::{Profile, Stop};
use self::component::{Finished, World};
use self::folder::{Folder, Kind, Origin};
pub(crate) use self::progress::Progress;
pub(crate) use self::toolchain::Toolchain;
use self::toolchain::{TARGET, command_output};
use self::workspace::{Satellite, Source};
pub(crate) use self::workspace::{Workspace, is_project, list};
use crate::failure::Failure;
use crate::output;

/// What is built, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The Cargo.toml of the workspace or of a package in it, if it is not in the current folder or above it
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Where the planets go; target/planets of the workspace, or of the current folder if there is none, unless told otherwise
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Builds these planets and their satellites alone
    #[arg(short, long = "package", value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
    /// How it is compiled: one of cargo's profiles, or of the workspace's
    ///
    /// What `release` means for planets is best said in the workspace's Cargo.toml, as the templates do it: opt-level = "s",
    /// lto = true, codegen-units = 1. Debug information is removed from components in any case.
    #[arg(long, value_name = "PROFILE", default_value = Profile::RELEASE)]
    pub(crate) profile: String,
}

/// The options of `kokoro build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Core modules or components of other toolchains, of which planets are made instead
    ///
    /// A core module needs a world: it has one in it if it was made with wit-bindgen, and gets one with --wit otherwise. What was
    /// written for WASI 0.1 gets an adapter to WASI 0.2. They stay where they are put when the workspace is built.
    #[arg(value_name = "FILE.wasm", conflicts_with_all = ["packages", "profile"])]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    world: World,
    /// Each planet as a JSON object on a line, for programs
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if !self.files.is_empty() {
            return self.make();
        }
        let begun = Instant::now();
        let progress = Progress::new();
        let job = Job::of(&self.options)?;
        let done = job.run(&progress, None);
        progress.end();
        let outcome = done?;
        self.tell(&outcome)?;
        outcome.check()?;
        if !self.json {
            let count = match outcome.built.len() {
                1 => "1 planet".to_owned(),
                count => format!("{count} planets"),
            };
            progress.line(&format!("built {count} in {}", seconds(begun)));
        }
        Ok(())
    }

    /// Makes Planets of what others have compiled.
    fn make(&self) -> Result<(), Failure> {
        let root = workspace_root(self.options.manifest_path.as_deref())?;
        let told = self.options.out.as_deref();
        let out = match &root {
            Some(root) => out(told, root),
            None => out(told, &here()?),
        };
        let mut finished = BTreeMap::new();
        for file in &self.files {
            let bytes = fs::read(file)
                .map_err(|error| Failure::input(format!("the file `{}` cannot be read: {error}", file.display())))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let component = Finished::of(file, &bytes, Some(&self.world))?;
            if finished.insert(format!("{name}.wasm"), component).is_some() {
                return Err(Failure::Input(format!(
                    "two of the files are called `{name}.wasm`, and only one can be put there"
                )));
            }
        }
        let mut folder = Folder::open(&out, root.as_deref())?;
        let mut outcome = Outcome::default();
        for (name, component) in finished {
            outcome.built.push(put(&mut folder, Path::new(&name), component, None)?);
        }
        folder.close()?;
        self.tell(&outcome)
    }

    fn tell(&self, outcome: &Outcome) -> Result<(), Failure> {
        let mut text = String::new();
        for built in &outcome.built {
            text += &match self.json {
                true => format!("{}\n", built.object()),
                false => format!("{}\n", built.line()),
            };
        }
        for file in &outcome.removed {
            text += &match self.json {
                true => format!("{}\n", json!({ "event": "removed", "file": file })),
                false => format!("removed {}\n", relative(file).display()),
            };
        }
        if self.json {
            for package in &outcome.failed {
                text += &format!("{}\n", json!({ "event": "failed", "package": package }));
            }
        }
        output::print(&text)
    }
}

/// A workspace whose Planets are to be built.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) toolchain: Toolchain,
    pub(crate) workspace: Workspace,
    pub(crate) out: PathBuf,
    pub(crate) profile: Profile,
    /// Whether it is all of them.
    is_all: bool,
}

impl Job {
    pub(crate) fn of(options: &Options) -> Result<Self, Failure> {
        let profile = Profile::Named(options.profile.clone());
        Self::new(options.manifest_path.as_deref(), options.out.as_deref(), &options.packages, profile)
    }

    /// The workspace that has this Cargo.toml, or that the current folder is in.
    pub(crate) fn new(
        manifest: Option<&Path>,
        out: Option<&Path>,
        packages: &[String],
        profile: Profile,
    ) -> Result<Self, Failure> {
        let manifest =
            match manifest {
                None => None,
                Some(file) => Some(file.canonicalize().map_err(|error| {
                    Failure::input(format!("the file `{}` cannot be read: {error}", file.display()))
                })?),
            };
        let folder = match manifest.as_ref().and_then(|file| file.parent()) {
            Some(folder) => folder.to_owned(),
            None => here()?,
        };
        let toolchain = Toolchain::of(&folder);
        let workspace = Workspace::read(&toolchain, manifest.as_deref(), packages)?;
        let out = match (&profile, out) {
            // What is quick to compile is not to lie where people look for what they can hand out.
            (Profile::Quick, None) => self::out(None, &workspace.root).with_file_name("planets-watch"),
            _ => self::out(out, &workspace.root),
        };
        Ok(Self { toolchain, workspace, out, profile, is_all: packages.is_empty() })
    }

    /// The packages of which something is built, if it is not all of them: Planets and their Satellites.
    pub(crate) fn named(&self) -> BTreeSet<&str> {
        if self.is_all {
            return BTreeSet::new();
        }
        let programs = self.workspace.satellites.iter().filter_map(|satellite| match &satellite.source {
            Source::Package { package, .. } => Some(package.as_str()),
            Source::Script(_) => None,
        });
        self.workspace.planets.iter().map(|planet| planet.package.as_str()).chain(programs).collect()
    }

    /// The folders below the one where all are put, by name; none is that one itself.
    pub(crate) fn sets(&self) -> BTreeSet<Option<&str>> {
        self.workspace.planets.iter().map(|planet| planet.set.as_deref()).collect()
    }

    /// Builds all, and puts it where it belongs.
    pub(crate) fn run(&self, progress: &Progress, stop: Option<&Stop>) -> Result<Outcome, Failure> {
        let Self { toolchain, workspace, .. } = self;
        for remark in &workspace.remarks {
            progress.line(&format!("note: {remark}"));
        }
        if !cfg!(unix) && !workspace.satellites.is_empty() {
            let programs = list(workspace.satellites.iter().map(|satellite| satellite.program.as_str()));
            progress.line(&format!(
                "note: satellites are not supported on this system yet, so that {programs} is left out"
            ));
        }
        toolchain.check_target()?;
        let mut compile = Compile { toolchain, workspace, profile: &self.profile, progress, stop };
        let mut arguments = vec!["--lib"];
        let names: Vec<&str> = workspace.planets.iter().map(|planet| planet.package.as_str()).collect();
        arguments.extend(names.iter().flat_map(|name| ["--package", name]));
        let components = compile.run(&arguments, TARGET, &format!("building {}", names.join(", ")))?;
        let release = Profile::Named(Profile::RELEASE.to_owned());
        if self.profile == Profile::Quick {
            // They are not changed as often, and what they compute is what they are for.
            compile.profile = &release;
        }
        let host = if workspace.satellites.is_empty() { String::new() } else { toolchain.host()? };
        let programs = self.satellites(&compile, &host)?;
        self.put(&components, &programs, &host, progress)
    }

    /// Compiles the Satellites.
    fn satellites(&self, compile: &Compile<'_>, host: &str) -> Result<Compiled, Failure> {
        let mut arguments = Vec::new();
        let mut names = Vec::new();
        for satellite in &self.workspace.satellites {
            if let Source::Package { package, binary, .. } = &satellite.source {
                arguments.extend(["--package", package, "--bin", binary]);
                names.push(satellite.program.as_str());
            }
        }
        match names.is_empty() || !cfg!(unix) {
            true => Ok(Compiled::default()),
            false => compile.run(&arguments, host, &format!("building {}", names.join(", "))),
        }
    }

    fn put(
        &self,
        components: &Compiled,
        programs: &Compiled,
        host: &str,
        progress: &Progress,
    ) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut folder = Folder::open(&self.out, Some(&self.workspace.root))?;
        let mut stay = Vec::new();
        for planet in &self.workspace.planets {
            let file = planet.file();
            let its_programs = file.with_extension("satellites").join(host);
            let its_satellites: Vec<&Satellite> =
                self.workspace.satellites.iter().filter(|satellite| satellite.planet == planet.package).collect();
            stay.push(file.clone());
            stay.extend(its_satellites.iter().map(|satellite| its_programs.join(&satellite.program)));
            let Some(compiled) = components.components.get(&planet.id) else {
                outcome.failed.push(planet.package.clone());
                continue;
            };
            outcome.inputs.extend(inputs::of(compiled));
            let bytes = fs::read(compiled)
                .map_err(|error| Failure::failed(format!("`{}` cannot be read: {error}", compiled.display())))?;
            let component = match Finished::of(&file, &bytes, None) {
                Ok(component) => component,
                Err(problem) => {
                    progress.line(&format!("error: {problem}"));
                    outcome.failed.push(planet.package.clone());
                    continue;
                }
            };
            // Before the Planet, which may want to start them at once.
            let mut satellites = Vec::new();
            let mut has_new_programs = false;
            for satellite in its_satellites {
                if !cfg!(unix) {
                    // It has been said.
                    continue;
                }
                let Some(source) = source(satellite, programs) else {
                    outcome.failed.push(satellite.program.clone());
                    continue;
                };
                outcome.inputs.extend(inputs::of(&source));
                let content = fs::read(&source)
                    .map_err(|error| Failure::failed(format!("`{}` cannot be read: {error}", source.display())))?;
                let place = its_programs.join(&satellite.program);
                has_new_programs |= folder.put(&place, &content, Kind::Program, Origin::Package)?;
                satellites.push(folder.path().join(place));
            }
            remark_on_satellites(&component, &satellites, &folder.path().join(its_programs), progress);
            let mut built = put(&mut folder, &file, component, Some(planet.package.clone()))?;
            built.satellites = satellites;
            built.is_changed |= has_new_programs;
            built.has_new_programs = has_new_programs;
            outcome.built.push(built);
        }
        remark_on_names(&outcome.built, progress);
        if self.is_all {
            outcome.removed = folder.remove_all_but(|file| stay.iter().any(|stays| stays == file))?;
        }
        folder.close()?;
        Ok(outcome)
    }
}

/// What was built.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) built: Vec<Built>,
    /// The packages of which nothing was made; why, has been said.
    pub(crate) failed: Vec<String>,
    /// Files of Planets that there are no more.
    pub(crate) removed: Vec<PathBuf>,
    /// The sources that it was made of.
    pub(crate) inputs: BTreeSet<PathBuf>,
}

impl Outcome {
    /// An error if something is missing.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.failed.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed(format!("{} could not be built; why is said above", self.failed()))),
        }
    }

    /// Their names, as in a sentence.
    pub(crate) fn failed(&self) -> String {
        list(self.failed.iter().map(String::as_str))
    }
}

/// A Planet that was put where it belongs.
#[derive(Debug)]
pub(crate) struct Built {
    /// What it calls itself.
    pub(crate) planet: String,
    package: Option<String>,
    pub(crate) file: PathBuf,
    bytes: usize,
    sha256: String,
    satellites: Vec<PathBuf>,
    /// Whether something else was there before.
    pub(crate) is_changed: bool,
    /// Whether that is so of its Satellites' programs.
    pub(crate) has_new_programs: bool,
}

impl Built {
    /// For programs. Stable; only ever added to.
    pub(crate) fn object(&self) -> Value {
        json!({
            "event": "built",
            "planet": self.planet,
            "package": self.package,
            "file": self.file,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "changed": self.is_changed,
            "satellites": self.satellites,
        })
    }

    fn line(&self) -> String {
        let kib = self.bytes.div_ceil(1024);
        let unchanged = if self.is_changed { "" } else { ", as it was" };
        let mut line = format!("{}: {} ({kib} KiB{unchanged})", self.planet, relative(&self.file).display());
        for satellite in &self.satellites {
            line += &format!("\n  with {}", relative(satellite).display());
        }
        line
    }
}

fn put(folder: &mut Folder, file: &Path, component: Finished, package: Option<String>) -> Result<Built, Failure> {
    let Finished { bytes, inspection } = component;
    let origin = if package.is_some() { Origin::Package } else { Origin::File };
    let is_changed = folder.put(file, &bytes, Kind::Component, origin)?;
    Ok(Built {
        planet: inspection.manifest.name,
        package,
        file: folder.path().join(file),
        bytes: bytes.len(),
        sha256: inspection.sha256,
        satellites: Vec::new(),
        is_changed,
        has_new_programs: false,
    })
}

/// The file that a Satellite is, if there is one.
fn source(satellite: &Satellite, programs: &Compiled) -> Option<PathBuf> {
    match &satellite.source {
        Source::Script(file) => Some(file.clone()),
        Source::Package { id, binary, .. } => programs.programs.get(&(id.clone(), binary.clone())).cloned(),
    }
}

/// Says which programs a Planet asks for that are not there, and which are there that it does not ask for.
fn remark_on_satellites(component: &Finished, there: &[PathBuf], folder: &Path, progress: &Progress) {
    let manifest = &component.inspection.manifest;
    let asked = |file: &Path| manifest.satellites.iter().any(|asked| file.file_name() == Some(asked.program.as_ref()));
    for file in there.iter().filter(|file| !asked(file)) {
        let program = file.file_name().unwrap_or_default().to_string_lossy();
        progress.line(&format!(
            "note: `{}` does not ask for its satellite `{program}`\n  \
             help: list an interface with `in \"{program}\"` under `satellites` in its `planet!`, or remove `satellite-of`",
            manifest.name
        ));
    }
    let mut missing: Vec<&str> = manifest.satellites.iter().map(|asked| asked.program.as_str()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|program| cfg!(unix) && !folder.join(program).exists());
    for program in missing {
        progress.line(&format!(
            "note: `{}` asks for a satellite `{program}`, and no package of the workspace makes one\n  \
             help: a package does that says so in its Cargo.toml: [package.metadata.kokoro] satellite-of = \"..\"",
            manifest.name
        ));
    }
}

/// Says which Planets of a folder cannot be loaded together.
fn remark_on_names(built: &[Built], progress: &Progress) {
    for (place, one) in built.iter().enumerate() {
        let is_same = |other: &&Built| other.planet == one.planet && other.file.parent() == one.file.parent();
        if let Some(other) = built[..place].iter().find(is_same) {
            progress.line(&format!(
                "note: `{}` and `{}` both call themselves `{}`, so that only one of them can be loaded",
                relative(&other.file).display(),
                relative(&one.file).display(),
                one.planet
            ));
        }
    }
}

/// The folder that planets are put into.
fn out(told: Option<&Path>, root: &Path) -> PathBuf {
    // Wherever cargo puts its own: what a document calls target/planets is always there.
    told.map_or_else(|| root.join("target").join("planets"), Path::to_owned)
}

/// The current folder.
fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::failed(format!("the current folder cannot be found: {error}")))
}

/// Where the workspace begins that has this Cargo.toml, or that the current folder is in, if it is in one.
fn workspace_root(manifest: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let mut cargo = Toolchain::of(&here()?).cargo();
    cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
    if let Some(manifest) = manifest {
        cargo.arg("--manifest-path").arg(manifest);
    }
    let output = match command_output(&mut cargo) {
        // Only who says where a workspace is needs cargo for it.
        Err(_) if manifest.is_none() => return Ok(None),
        output => output?,
    };
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        let problem = problem.trim_end();
        return match manifest {
            None => Ok(None),
            Some(_) => Err(Failure::input(problem.strip_prefix("error: ").unwrap_or(problem))),
        };
    }
    let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    Ok(manifest.parent().map(Path::to_owned))
}

/// A path as a person in the current folder would write it.
pub(crate) fn relative(path: &Path) -> &Path {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    here.ok().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

/// How long ago that was, as people say it.
pub(crate) fn seconds(begun: Instant) -> String {
    format!("{:.1} s", begun.elapsed().as_secs_f64())
}
