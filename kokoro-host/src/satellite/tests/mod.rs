#![expect(clippy::print_stderr, reason = "what a peer writes there is what tests read")]

mod bad;
mod given_up;
mod good;
mod peer;
mod programs;
mod starts;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kokoro_value::{from_bytes, to_bytes};
use tempfile::TempDir;

use super::{Census, Failure, Lease, Progress, Satellite, Terms};
use crate::admission::SatelliteGrant;
use crate::inspect::interfaces_of_text;
use crate::interface::InterfaceName;
use crate::limits::Limits;
use crate::restarts::Restarts;

/// A Satellite, and what it needs.
struct Case {
    satellite: Arc<Satellite>,
    lease: Option<Lease>,
    folder: TempDir,
}

/// Times that are short, for what takes them in full.
fn limits() -> Limits {
    Limits { grace: Duration::from_millis(200), start: Duration::from_secs(20), ..Limits::default() }
}

fn restarts() -> Restarts {
    Restarts { pause: Duration::from_millis(1), ..Restarts::default() }
}

fn write_program(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

impl Case {
    /// This test program as a Satellite, which does as it is told.
    fn of(what: &str) -> Self {
        Self::with(|grant| grant.env(peer::PEER, what), limits(), restarts())
    }

    fn with(grant: impl FnOnce(SatelliteGrant) -> SatelliteGrant, limits: Limits, restarts: Restarts) -> Self {
        Self::running(&peer::script(), grant, limits, restarts)
    }

    fn running(
        script: &str,
        grant: impl FnOnce(SatelliteGrant) -> SatelliteGrant,
        limits: Limits,
        restarts: Restarts,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("worker");
        write_program(&file, script);
        let terms = Terms {
            planet: "native".into(),
            program: "worker".into(),
            file,
            sha256: String::new(),
            grant: grant(SatelliteGrant::program("worker")),
            interfaces: interfaces_of_text(peer::WIT),
            limits,
            restarts,
            runtime: tokio::runtime::Handle::current(),
            census: Census::default(),
        };
        let satellite = Satellite::new(terms);
        let lease = Some(satellite.lease());
        Self { satellite, lease, folder }
    }

    async fn call(&self, function: &str, arguments: &[u8]) -> Result<Vec<u8>, Failure> {
        let interface: InterfaceName = "test:native/work@0.1.0".parse().unwrap();
        let result = self.satellite.call(&interface, function, arguments, &patient()).await?;
        Ok(result.whole().unwrap().to_vec())
    }

    async fn add(&self, a: u32, b: u32) -> Result<u32, Failure> {
        self.call("add", &to_bytes(&(a, b))).await.map(|sum| from_bytes(&sum).unwrap())
    }

    /// What the process says about itself.
    async fn ask(&self, what: &str) -> String {
        from_bytes(&self.call("ask", &to_bytes(what)).await.unwrap()).unwrap()
    }

    async fn pid(&self) -> u32 {
        self.ask("pid").await.parse().unwrap()
    }

    /// Ends it, and makes sure that nothing of it is left.
    async fn end(mut self) {
        self.lease = None;
        self.satellite.ended().await;
    }
}

/// A call that has all the time.
fn patient() -> Arc<Progress> {
    Progress::new(Instant::now() + Duration::from_secs(1000))
}

/// Whether a process of that number runs.
#[cfg(not(target_os = "linux"))]
fn lives(pid: u32) -> bool {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

/// Whether a process of that number runs.
#[cfg(target_os = "linux")]
fn lives(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    // One that has ended may still wait for its parent to hear of it.
    state.is_some_and(|state| !state.trim().starts_with(['Z', 'X']))
}

/// Waits until a process that nobody here waits for is gone.
async fn gone(pid: u32) {
    while lives(pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
