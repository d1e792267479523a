//! What a test is made of, before it starts.

use std::fmt;
use std::path::PathBuf;

use kokoro_host::{Grants, Limits, Restarts, Service};
use tempfile::TempDir;

use crate::component::Source;
use crate::fake::Fake;
use crate::running::Running;

/// Says what a test of a Planet (plugin) consists of: the Planet, what it depends on, and what it is granted. Nothing, unless told.
///
/// ```no_run
/// use kokoro_test::{Fake, Harness};
///
/// let glossary = Fake::of("site:content/glossary").answers("lookup", |word: String| Ok::<_, String>(word.to_uppercase()));
/// let test = Harness::built().dependency(&glossary).directory("/content").start();
/// assert_eq!(test.call(r#"greet("ada")"#), r#""HELLO, ADA""#);
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before `start`"]
pub struct Harness {
    pub(crate) source: Source,
    pub(crate) others: Vec<Source>,
    pub(crate) fakes: Vec<(Fake, Role)>,
    pub(crate) services: Vec<Service>,
    pub(crate) directories: Vec<Directory>,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) restarts: Restarts,
    pub(crate) wit: Option<PathBuf>,
    pub(crate) has_satellites: bool,
}

/// In whose place a fake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Dependency,
    Satellite,
    Application,
}

/// A temporary directory of a test, and where the Planet finds it.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) guest: String,
    pub(crate) host: TempDir,
}

impl Harness {
    /// A test of this package's own Planet, the component that it makes.
    ///
    /// It is `NAME.wasm` in the folder that the environment variable `KOKORO_PLANETS` names, or below it; `kokoro test` sets that. Without
    /// it the package's library is built for `wasm32-wasip2`, in release mode, into `target/kokoro-test`, once in a process. The variable
    /// `RUSTFLAGS` is for the tests and not for that; flags for Planets stand in cargo's configuration, `target.wasm32-wasip2.rustflags`.
    pub fn built() -> Self {
        Self::of(Source::Own)
    }

    /// A test of the Planet of another package: of one in this workspace, or of a component `NAME.wasm` in `KOKORO_PLANETS`.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of(Source::Named(name.into()))
    }

    /// A test of a component in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Source::File(path.into()))
    }

    /// A test of a component in memory. `name` is the Planet's name unless its manifest gives another.
    pub fn bytes(name: impl Into<String>, component: impl Into<Vec<u8>>) -> Self {
        Self::of(Source::Bytes(name.into(), component.into().into()))
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            others: Vec::new(),
            fakes: Vec::new(),
            services: Vec::new(),
            directories: Vec::new(),
            grants: Grants::none(),
            limits: Limits::default(),
            restarts: Restarts::default(),
            wit: None,
            has_satellites: false,
        }
    }

    /// Gives it a fake of another Planet.
    pub fn dependency(self, fake: &Fake) -> Self {
        self.with_fake(fake, Role::Dependency)
    }

    /// Gives it a fake of what the application serves.
    pub fn application(self, fake: &Fake) -> Self {
        self.with_fake(fake, Role::Application)
    }

    /// Gives it a fake in place of its Satellite (a native process) that serves the fake's interface. No process runs. To the
    /// Planet it makes no difference who answers. To the test it does where the fake [crashes](Fake::crashes) or [hangs](Fake::hangs): the
    /// error names a Planet instead of a Satellite, and [`Error::is_of_satellite`](crate::Error::is_of_satellite) does not hold.
    pub fn satellite(self, fake: &Fake) -> Self {
        self.with_fake(fake, Role::Satellite)
    }

    fn with_fake(mut self, fake: &Fake, role: Role) -> Self {
        self.fakes.push((fake.clone(), role));
        self
    }

    /// Lets it have the Satellites that it asks for: the programs beside its component. They run as the tests do, not sandboxed.
    pub fn real_satellites(mut self) -> Self {
        self.has_satellites = true;
        self
    }

    /// Serves an interface as the application would, by the trait that [`bindings!`](crate::bindings) makes of it.
    pub fn serve(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Loads another real Planet, found as by [`new`](Harness::new). It is granted nothing.
    pub fn planet(mut self, name: impl Into<String>) -> Self {
        self.others.push(Source::Named(name.into()));
        self
    }

    /// Loads another real Planet from a file. It is granted nothing.
    pub fn planet_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.others.push(Source::File(path.into()));
        self
    }

    /// Grants it a new, empty directory under this path, to read and write. It is gone when the test has ended.
    /// [`Running::directory`](crate::Running::directory) says where it is.
    ///
    /// # Panics
    ///
    /// If the system gives no temporary directory.
    #[track_caller]
    pub fn directory(mut self, guest: impl Into<String>) -> Self {
        let (guest, host) = (guest.into(), tempfile::tempdir());
        let host = match host {
            Ok(host) => host,
            Err(error) => panic!("there is no temporary directory for `{guest}`: {error}"),
        };
        self.grants = self.grants.write(host.path(), guest.as_str());
        self.directories.push(Directory { guest, host });
        self
    }

    /// Puts a file into a [`directory`](Harness::directory) that was given before: `.with_file("/content/a.md", "# A")`.
    ///
    /// # Panics
    ///
    /// If no directory was given that it is in, or if it cannot be written.
    #[track_caller]
    pub fn with_file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let Some(file) = place(&self.directories, path) else {
            panic!("`{path}` is in no directory of the test\n  help: give it one before: `.directory(\"/content\")`");
        };
        let folder = file.parent().unwrap_or(&file);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, content));
        if let Err(error) = written {
            panic!("`{path}` cannot be written: {error}");
        }
        self
    }

    /// Grants it more: `.grants(|grants| grants.env("LANG", "C").read("tests/content", "/content"))`.
    pub fn grants(mut self, more: impl FnOnce(Grants) -> Grants) -> Self {
        self.grants = more(self.grants);
        self
    }

    /// Sets what Planets may use up, and how long things may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how Planets that end in an error are started anew, fakes included.
    pub fn restarts(mut self, restarts: Restarts) -> Self {
        self.restarts = restarts;
        self
    }

    /// Tests it against an application of this WIT: a folder, relative to the package. Fakes of what the
    /// [application](Harness::application) serves get their types from there. What the Planet imports of it besides is served as well,
    /// without answers.
    pub fn wit(mut self, folder: impl Into<PathBuf>) -> Self {
        self.wit = Some(folder.into());
        self
    }

    /// Starts the test. The Planet runs then.
    ///
    /// # Panics
    ///
    /// If it does not: the message has the reason.
    #[track_caller]
    pub fn start(self) -> Running {
        match self.try_start() {
            Ok(running) => running,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`start`](Harness::start), for tests of what keeps a Planet from starting.
    ///
    /// # Errors
    ///
    /// If the Planet does not run, or the test cannot be made like that. The error has the reason.
    pub fn try_start(self) -> Result<Running, StartError> {
        let running = self.try_load()?;
        match running.failed_start() {
            Some(reason) => Err(StartError(reason)),
            None => Ok(running),
        }
    }

    /// Starts the test with a Planet that need not run: it may wait for a dependency that comes later.
    ///
    /// # Panics
    ///
    /// If the test cannot be made like that.
    #[track_caller]
    pub fn load(self) -> Running {
        match self.try_load() {
            Ok(running) => running,
            Err(error) => panic!("{error}"),
        }
    }

    fn try_load(self) -> Result<Running, StartError> {
        self.begin().map_err(StartError)
    }
}

/// Where a file of the Planet's is.
pub(crate) fn place(directories: &[Directory], path: &str) -> Option<PathBuf> {
    let inside = |directory: &Directory| {
        let rest = path.strip_prefix(directory.guest.trim_end_matches('/'))?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
        Some(directory.host.path().join(rest))
    };
    directories.iter().find_map(inside)
}

/// Why a test has not started.
pub struct StartError(String);

impl StartError {
    /// The whole message.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StartError {
    /// The same as for people, since this is what `unwrap` shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
