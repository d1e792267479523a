//! Starts that are made by hand, without a Satellite.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Child;

use tokio::sync::oneshot;

use super::*;
use crate::satellite::failure::Whose;
use crate::satellite::process::{Order, run};
use crate::satellite::program::Image;
use crate::satellite::spawn::{Start, Unstarted, spawn};

/// Files as a child gets them; nobody reads or writes them.
fn files() -> [OwnedFd; 4] {
    let (socket, _) = UnixStream::pair().unwrap();
    let (cancelled, _) = io::pipe().unwrap();
    let memory = || tempfile::tempfile().unwrap().into();
    [socket.into(), memory(), memory(), cancelled.into()]
}

/// Starts it, with where its standard output goes.
fn start(grant: &SatelliteGrant, image: &Image) -> Result<(Child, io::PipeReader), Unstarted> {
    let (stdout, to_stdout) = io::pipe().unwrap();
    let (_, to_stderr) = io::pipe().unwrap();
    let output = [to_stdout.into(), to_stderr.into()];
    spawn(Start { grant, image, token: "", output, files: &files() }).map(|child| (child, stdout))
}

fn program(folder: &TempDir, text: &str) -> std::path::PathBuf {
    let file = folder.path().join("worker");
    write_program(&file, text);
    file
}

#[test]
fn many_starts_at_once_are_told_apart_though_numbers_of_files_come_and_go() {
    let (good, bad) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let good = program(&good, "#!/bin/sh\nexit 7\n");
    let bad = program(&bad, "#!/nowhere/python\n");
    let grant = SatelliteGrant::program("worker");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let image = Image::of(&bad, &grant).unwrap();
                    let unstarted = start(&grant, &image).map(drop).unwrap_err();
                    assert!(unstarted.why.contains("what executes it is not there"), "{}", unstarted.why);
                    let image = Image::of(&good, &grant).unwrap();
                    let (mut child, _) = start(&grant, &image).unwrap();
                    assert_eq!(child.wait().unwrap().code(), Some(7));
                }
            });
        }
    });
}

#[test]
fn what_is_copied_is_copied_once_and_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = program(&folder, "#!/bin/sh\necho first\n");
    let grant = SatelliteGrant::program("worker");
    let image = Image::of(&file, &grant).unwrap();
    write_program(&file, "#!/bin/sh\necho second\n");
    if let Some(copy) = &image.file {
        let copy = std::fs::File::from(copy.try_clone().unwrap());
        assert!(std::os::unix::fs::FileExt::write_at(&copy, b"!", 0).is_err());
        assert!(copy.set_len(0).is_err());
    }
    let (mut child, mut stdout) = start(&grant, &image).unwrap();
    let mut told = String::new();
    stdout.read_to_string(&mut told).unwrap();
    assert_eq!((told.as_str(), child.wait().unwrap().code()), ("first\n", Some(0)));
}

/// Where memory files cannot be executed. In a process of its own: what another test forks while the copy is written has it open, and
/// then it is not executed.
#[cfg(target_os = "linux")]
#[test]
fn a_copy_with_a_name_runs_without_files_of_the_applications() {
    const ALONE: &str = "KOKORO_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "satellite::tests::starts::a_copy_with_a_name_runs_without_files_of_the_applications";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", name]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = program(&folder, "#!/bin/sh\necho \"$0\"; ls /proc/$$/fd\n");
    let grant = SatelliteGrant::program("worker").env("PATH", "/usr/bin:/bin");
    // One that was opened without care, with the number that the program has where it is in memory. If it is somebody's already, that
    // is as good.
    let careless = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), crate::satellite::PROGRAM).unwrap();
    rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).unwrap();
    let image = Image::named(&file, &grant).unwrap();
    let path = std::path::PathBuf::from(image.path.to_str().unwrap());
    assert!(path.is_file());
    let (mut child, mut stdout) = start(&grant, &image).unwrap();
    let mut told = String::new();
    stdout.read_to_string(&mut told).unwrap();
    child.wait().unwrap();
    let mut lines = told.lines();
    assert_eq!(lines.next(), path.to_str());
    let numbers: Vec<i32> = lines.map(|line| line.parse().unwrap()).collect();
    assert!(!numbers.contains(&crate::satellite::PROGRAM) && numbers.contains(&6), "{numbers:?}");
    drop(image);
    assert!(!path.exists());
}

#[test]
fn what_nobody_waits_for_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let file = program(&folder, &format!("#!/bin/sh\necho ran > '{}'\n", mark.display()));
    let whose = Whose { planet: "native".into(), program: "worker".into() };
    let grant = SatelliteGrant::program("worker");
    let (tell, started) = oneshot::channel();
    drop(started);
    run(Order { whose, file, grant, token: String::new(), files: files() }, tell);
    assert!(!mark.exists());
}
