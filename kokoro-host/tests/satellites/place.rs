//! Where a test takes place: alone, and with nothing left behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use kokoro_host::{Admission, Builder, Grants, Limits, Primary, SatelliteGrant};
use tempfile::TempDir;
use tokio::runtime;

use crate::desk::Desk;
use crate::support::{Kept, first_manifest, guest, in_time, planets};

/// Whoever counts processes and files has to be alone.
static ALONE: Mutex<()> = Mutex::new(());

/// A folder of its own for one test.
pub(crate) struct Place {
    folder: TempDir,
    /// How much had been logged before.
    log_begins: usize,
}

/// What is logged, by all tests.
static LOG: LazyLock<Kept> = LazyLock::new(|| {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(kept.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("nobody else of this program does it");
    kept
});

/// The lines that this test has logged so far.
pub(crate) fn logged(place: &Place) -> String {
    LOG.text().split_off(place.log_begins)
}

fn new_runtime() -> runtime::Runtime {
    runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Runs a test while no other does, and finds out whether it leaves anything behind.
pub(crate) fn alone(test: impl AsyncFnOnce(&Place)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // What a runtime opens once and for all is open from here on.
    drop(new_runtime());
    let before = Things::now();
    let runtime = new_runtime();
    let place = Place { folder: tempfile::tempdir().expect("a folder"), log_begins: LOG.text().len() };
    runtime.block_on(test(&place));
    drop(runtime);
    drop(place);
    // What waits for the end of its own thread is not left behind.
    for _ in 0..1000 {
        if Things::now().without(&before).is_none() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("this is left: {:?}", Things::now().without(&before));
}

/// What could be left behind.
#[derive(Debug)]
struct Things {
    children: BTreeSet<u32>,
    /// The threads that look after Satellites.
    threads: Vec<String>,
    /// What files of this process are open.
    files: Vec<String>,
    /// What lies where shared memory and temporary files have names.
    names: BTreeSet<PathBuf>,
}

impl Things {
    /// What was not there before, if anything: of files that look alike, those that are more.
    fn without(mut self, before: &Self) -> Option<Self> {
        self.children.retain(|child| !before.children.contains(child));
        self.names.retain(|name| !before.names.contains(name));
        for old in &before.files {
            if let Some(place) = self.files.iter().position(|file| file == old) {
                self.files.remove(place);
            }
        }
        let is_nothing =
            self.children.is_empty() && self.threads.is_empty() && self.files.is_empty() && self.names.is_empty();
        (!is_nothing).then_some(self)
    }

    fn now() -> Self {
        let entries = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.map(|entry| entry.expect("an entry").path()).collect::<BTreeSet<_>>()
        };
        let open = entries(Path::new("/proc/self/fd"));
        let mut files: Vec<String> = open
            .iter()
            .filter_map(|file| fs::read_link(file).ok())
            .map(|to| to.display().to_string())
            // Of sockets and pipes there is only a number to see.
            .map(|to| to.split(':').next().unwrap_or_default().to_owned())
            .collect();
        files.sort();
        let mut names = entries(Path::new("/dev/shm"));
        names.extend(entries(&std::env::temp_dir()));
        // Other programs of this machine go on with their work.
        names.retain(|name| name.to_string_lossy().contains("kokoro"));
        let threads = entries(Path::new("/proc/self/task"));
        let threads = threads.iter().filter_map(|thread| fs::read_to_string(thread.join("comm")).ok());
        let threads = threads.filter(|name| name.starts_with("satellite ") || name.starts_with("satellite-")).collect();
        Self { children: children(std::process::id()), threads, files, names }
    }
}

/// The processes whose parent this is, dead ones that nobody has asked about included.
pub(crate) fn children(parent: u32) -> BTreeSet<u32> {
    let processes = fs::read_dir("/proc").expect("there is /proc").filter_map(|entry| entry.ok());
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|process| parent_of(*process) == Some(parent)).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process is there and not dead.
pub(crate) fn lives(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), wait).await.is_ok(), "{what}");
}

impl Place {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Shuts the Primary down. Its processes are gone by then.
    pub(crate) async fn end(&self, primary: Primary) {
        in_time(primary.shutdown()).await;
        assert_eq!(children(std::process::id()), BTreeSet::new(), "a process is left when it has been shut down");
    }

    /// A program in the place's folder, made of these bytes.
    pub(crate) fn program(&self, name: &str, bytes: &[u8]) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.path(name);
        fs::write(&file, bytes).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        file
    }
}

/// A program that the build has put beside the Planet `native`.
pub(crate) fn program(name: &str) -> PathBuf {
    let file = planets().join("tests/native.satellites").join(SatelliteGrant::TARGET).join(name);
    assert!(file.is_file(), "{} is not there; run `cargo xtask planets`", file.display());
    file
}

/// The grant of a program that does everything right.
pub(crate) fn worker() -> SatelliteGrant {
    SatelliteGrant::program("worker").file(program("worker"))
}

/// The same in Python.
pub(crate) fn python() -> SatelliteGrant {
    SatelliteGrant::program("worker").file(program("worker.py")).env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// Times that suit tests: failures are to come soon, and slow machines to be fast enough.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(300);
    limits
}

/// A Primary that grants this to every Planet.
pub(crate) fn granting(grant: SatelliteGrant) -> Builder {
    Primary::builder()
        .limits(limits())
        .allow_satellites()
        .admit(move |_| Admission::granted(Grants::none().satellite(grant.clone())))
}

/// What the manifest of `native` says of its Satellite, beside the interface and the program.
pub(crate) fn native_with(more: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"name":"native","satellites":[{{"interface":"test:guests/work@0.1.0","program":"worker"{more}}}]}}"#
    );
    first_manifest(guest("native"), &json)
}

/// A Primary with the Planet `native`, and a handle to that.
pub(crate) async fn native(builder: Builder) -> (Primary, Desk) {
    with_native(builder, "").await
}

pub(crate) async fn with_native(builder: Builder, more: &str) -> (Primary, Desk) {
    let primary = builder.build().expect("a primary");
    let report = primary.load_bytes("native", native_with(more)).await.expect("a component");
    assert_eq!(report.not_running().count(), 0, "{report}");
    let desk = primary.get().expect("it runs");
    (primary, desk)
}
