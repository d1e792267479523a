//! Runs cargo, and finds out what it has made.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use cargo_metadata::{Artifact, Message, MetadataCommand, PackageId};

use super::progress::Progress;
use super::toolchain::{TARGET, Toolchain, command_output, not_started};
use super::workspace::Workspace;
use crate::failure::Failure;
use crate::output;

/// How it is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Profile {
    /// One of cargo's profiles, or of the workspace's.
    Named(String),
    /// Like `release`, but a small change is compiled quickly, and the component is larger.
    Quick,
}

impl Profile {
    /// What is to be handed out, unless told otherwise.
    pub(crate) const RELEASE: &str = "release";

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Named(name) => vec!["--profile", name],
            // Measured, for a changed line of a small Planet: 0.6 s until there is a component, 1.6 s with link-time optimisation.
            // With `dev` it is 0.6 s as well, but then that takes twice as long to load, and nothing is what is handed out.
            Self::Quick => vec![
                "--profile",
                Self::RELEASE,
                "--config",
                "profile.release.lto=false",
                "--config",
                "profile.release.incremental=true",
                "--config",
                "profile.release.codegen-units=1",
            ],
        }
    }
}

/// Ends a cargo that runs, with all that it has started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_asked: bool,
    /// The leader of its process group, as long as nobody has waited for it.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there, what ends this ends it as well"))]
    running: Option<u32>,
}

impl Stop {
    /// Ends it, and each one that would be started later.
    pub(crate) fn stop(&self) {
        let mut state = self.state();
        state.is_asked = true;
        #[cfg(unix)]
        if let Some(group) = state.running.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            // It may just have ended by itself.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, command: &mut Command) -> io::Result<Child> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut state = self.state();
        if state.is_asked {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        state.running = Some(child.id());
        Ok(child)
    }

    /// Nobody may be told to end by a number that is not theirs any more.
    fn wait(&self, child: &mut Child) -> io::Result<bool> {
        let mut state = self.state();
        state.running = None;
        child.wait().map(|status| status.success())
    }
}

/// One call of cargo.
#[derive(Debug)]
pub(crate) struct Compile<'a> {
    pub(crate) toolchain: &'a Toolchain,
    pub(crate) workspace: &'a Workspace,
    pub(crate) profile: &'a Profile,
    pub(crate) progress: &'a Progress,
    pub(crate) stop: Option<&'a Stop>,
}

/// What cargo has made of the packages that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// The libraries that can be components.
    pub(crate) components: BTreeMap<PackageId, PathBuf>,
    /// The programs, by package and name.
    pub(crate) programs: BTreeMap<(PackageId, String), PathBuf>,
}

impl Compile<'_> {
    /// Compiles what `packages` says for `target`. What fails is not among what it gives, and cargo has said why.
    pub(crate) fn run(&self, packages: &[&str], target: &str, title: &str) -> Result<Compiled, Failure> {
        let mut cargo = self.toolchain.cargo();
        cargo.args(["build", "--keep-going", "--message-format=json-render-diagnostics", "--target", target]);
        cargo.arg("--manifest-path").arg(self.workspace.root.join("Cargo.toml"));
        cargo.args(self.profile.arguments()).args(packages);
        cargo.args(["--color", if output::colours(&io::stderr()) { "always" } else { "never" }]);
        cargo.stdin(Stdio::null()).stdout(Stdio::piped());
        if self.progress.is_quiet() {
            cargo.arg("--quiet").stderr(Stdio::piped());
        }
        self.progress.begin(title);
        let total = if self.progress.counts() { self.total(packages, target) } else { None };
        let child = match self.stop {
            Some(stop) => stop.start(&mut cargo),
            None => cargo.spawn(),
        };
        let mut child = child.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Failure::failed("the build was broken off"),
            _ => not_started(&cargo, &error),
        })?;
        let errors = child.stderr.take().map(|errors| {
            let progress = self.progress.clone();
            thread::spawn(move || {
                for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
                    progress.line(&String::from_utf8_lossy(&line));
                }
            })
        });
        let mut compiled = Compiled::default();
        let mut done = BTreeSet::new();
        let messages = child.stdout.take().map(BufReader::new).map(Message::parse_stream);
        for message in messages.into_iter().flatten().map_while(Result::ok) {
            if let Message::CompilerArtifact(artifact) = message {
                let name = artifact.target.name.clone();
                done.insert(artifact.package_id.clone());
                compiled.take(artifact);
                let of = total.map(|total| format!("/{}", total.max(done.len()))).unwrap_or_default();
                self.progress.step(&format!("{title}: {name} ({}{of})", done.len()));
            }
        }
        if let Some(errors) = errors {
            // It ends with the pipe.
            let _ = errors.join();
        }
        let waited = match self.stop {
            Some(stop) => stop.wait(&mut child),
            None => child.wait().map(|status| status.success()),
        };
        waited.map_err(|error| Failure::failed(format!("cargo cannot be waited for: {error}")))?;
        Ok(compiled)
    }

    /// How many packages that is with all that they need, as far as is known without asking anybody else.
    fn total(&self, packages: &[&str], target: &str) -> Option<usize> {
        let mut cargo = self.toolchain.cargo();
        cargo.args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", target]);
        if target == TARGET {
            cargo.args(["--filter-platform", &self.toolchain.host().ok()?]);
        }
        cargo.arg("--manifest-path").arg(self.workspace.root.join("Cargo.toml"));
        let output = command_output(&mut cargo).ok()?;
        let metadata = MetadataCommand::parse(String::from_utf8(output.stdout).ok()?).ok()?;
        let nodes: BTreeMap<&PackageId, _> =
            metadata.resolve.as_ref()?.nodes.iter().map(|node| (&node.id, node)).collect();
        let is_wanted = |name: &str| packages.contains(&name);
        let wanted = metadata.packages.iter().filter(|package| is_wanted(&package.name));
        let mut open: Vec<&PackageId> = wanted.map(|package| &package.id).collect();
        let mut known: BTreeSet<&PackageId> = BTreeSet::new();
        while let Some(id) = open.pop() {
            if known.insert(id) {
                let dependencies = nodes.get(id).into_iter().flat_map(|node| &node.deps);
                let is_needed =
                    |kind: &cargo_metadata::DepKindInfo| kind.kind != cargo_metadata::DependencyKind::Development;
                open.extend(dependencies.filter(|it| it.dep_kinds.iter().any(is_needed)).map(|it| &it.pkg));
            }
        }
        Some(known.len())
    }
}

impl Compiled {
    fn take(&mut self, artifact: Artifact) {
        let Artifact { package_id, target, filenames, executable, .. } = artifact;
        if target.is_cdylib() {
            let component = filenames.into_iter().find(|file| file.extension() == Some("wasm"));
            self.components.extend(component.map(|file| (package_id, file.into())));
        } else if target.is_bin() {
            self.programs.extend(executable.map(|file| ((package_id, target.name), file.into())));
        }
    }
}
