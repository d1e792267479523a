//! Nobody outlives the application.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::place::{Place, alone, granting, lives, native, python, until, worker};

/// What makes this program, started anew, the application that is killed.
const ROLE: &str = "KOKORO_TEST_APPLICATION";

/// An application with a Satellite in the middle of a call: this very program, with that role. Its Satellite's number as well.
fn application(role: &str) -> (Child, u32) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "orphans::an_application_of_its_own", "--nocapture"]).env(ROLE, role);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    let pid = lines.map_while(Result::ok).find_map(|line| line.split_once("satellite ")?.1.trim().parse().ok());
    (child, pid.expect("it says which its satellite is"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_of_its_own() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let grant = if role == "python" { python() } else { worker() };
    let (_primary, desk) = native(granting(grant)).await;
    let pid = desk.look().await.unwrap().unwrap().pid;
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsatellite {pid}").unwrap();
    out.flush().unwrap();
    drop(out);
    if role == "busy" {
        let _ = desk.compute().await;
    }
    if role == "exits" {
        std::process::exit(0);
    }
    std::future::pending::<()>().await;
}

async fn nobody_is_left(place: &Place, role: &str, kill: bool) {
    let (mut child, pid) = application(role);
    if kill {
        assert!(lives(pid));
        child.kill().unwrap();
    }
    let killed = Instant::now();
    child.wait().unwrap();
    until("the satellite is still there", || !lives(pid)).await;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{role}: no satellite is left after {:?}", killed.elapsed()).unwrap();
    drop(out);
    // The next start finds nothing of it.
    let (primary, desk) = native(granting(worker())).await;
    assert_eq!(desk.add(1, 2).await.unwrap(), 3);
    place.end(primary).await;
}

#[test]
fn no_satellite_outlives_an_application_that_is_killed() {
    alone(async |place| {
        nobody_is_left(place, "idle", true).await;
    });
}

#[test]
fn nor_does_one_that_computes() {
    alone(async |place| {
        nobody_is_left(place, "busy", true).await;
    });
}

#[test]
fn nor_one_that_is_not_written_with_our_crate() {
    alone(async |place| {
        nobody_is_left(place, "python", true).await;
    });
}

#[test]
fn nor_one_whose_application_exits_without_a_word() {
    alone(async |place| {
        nobody_is_left(place, "exits", false).await;
    });
}

#[test]
fn who_drops_the_primary_ends_its_satellites() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let pid = desk.look().await.unwrap().unwrap().pid;
        drop((primary, desk));
        until("the satellite is still there", || !lives(pid)).await;
        let (primary, _) = native(granting(worker())).await;
        place.end(primary).await;
    });
}
