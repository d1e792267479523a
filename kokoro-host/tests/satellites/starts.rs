//! Starts that fail, and what they cost.

use std::time::Duration;

use kokoro_host::{Limits, Restarts};

use crate::choosy::Choosy;
use crate::place::{Place, alone, granting, native, worker};
use crate::support::{first_manifest, guest, in_time, node};

/// A program that notes its starts before it does as the script says; and how often it has been started.
fn noting(place: &Place, script: &str) -> (std::path::PathBuf, impl Fn() -> usize) {
    let notes = place.path("notes");
    let script = format!("#!/bin/sh\necho once >> '{}'\n{script}\n", notes.display());
    let program = place.program("worker", script.as_bytes());
    (program, move || std::fs::read_to_string(&notes).unwrap_or_default().lines().count())
}

#[test]
fn a_planet_that_is_lost_with_its_satellite_does_not_start_that_for_ever() {
    alone(async |place| {
        let (program, starts) = noting(place, "kill -ABRT $$");
        let mut restarts = Restarts::default();
        (restarts.limit, restarts.pause) = (2, Duration::from_millis(1));
        let (primary, desk) = native(granting(worker().file(&program)).restarts(restarts)).await;
        for _ in 0..10 {
            // There is no room for the failure: the instance goes with it, and another one comes.
            assert!(in_time(desk.add(1, 2)).await.unwrap_err().is_of_satellite());
        }
        assert_eq!(starts(), 3);
        in_time(primary.restart("native")).await.unwrap();
        assert!(in_time(desk.add(1, 2)).await.unwrap_err().is_of_satellite());
        assert_eq!(starts(), 4, "who restarts it wants it to be tried again");
        place.end(primary).await;
    });
}

#[test]
fn an_optional_one_that_does_not_start_stops_nobody() {
    alone(async |place| {
        let (program, starts) = noting(place, "exec sleep 1000");
        let mut limits = Limits::default();
        limits.start = Duration::from_millis(300);
        let primary = granting(worker().file(&program)).limits(limits).build().unwrap();
        let json = r#"{"name":"choosy","optional":["test:guests/work@0.1.0"],
            "satellites":[{"interface":"test:guests/work@0.1.0","program":"worker","start":"planet"}]}"#;
        in_time(primary.load_bytes("choosy", first_manifest(guest("choosy"), json))).await.unwrap();
        assert_eq!(node(&primary, "choosy").state.to_string(), "running");
        assert_eq!(starts(), 1);
        primary.get::<Choosy>().unwrap();
        place.end(primary).await;
    });
}
