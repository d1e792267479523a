//! Programs that cannot be run, or may not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kokoro_host::SatelliteGrant;
use sha2::{Digest as _, Sha256};

use crate::desk::Ending;
use crate::place::{alone, granting, native, native_with, program, worker};
use crate::support::reason;

/// Why the Planet waits whose program this is.
async fn refusal(grant: SatelliteGrant) -> String {
    let primary = granting(grant).build().unwrap();
    primary.load_bytes("native", native_with("")).await.unwrap();
    reason(&primary, "native")
}

fn sha256(file: &Path) -> String {
    Sha256::digest(fs::read(file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_no_program_is_refused_before_anything_starts() {
    alone(async |place| {
        let at = |name: &str| SatelliteGrant::program("worker").file(place.path(name));
        fs::create_dir(place.path("folder")).unwrap();
        fs::write(place.path("plain"), fs::read(program("worker")).unwrap()).unwrap();
        fs::set_permissions(place.path("plain"), fs::Permissions::from_mode(0o644)).unwrap();
        // The header of this very program, with another machine in it.
        let mut foreign = fs::read(program("worker")).unwrap();
        foreign[18] ^= 0xff;
        place.program("foreign", &foreign);
        place.program("text", b"echo hello\n");
        place.program("empty", b"");
        for (name, problem) in [
            ("none", "is not there"),
            ("folder", "folder"),
            ("plain", "not executable"),
            ("foreign", "another machine"),
            ("text", "neither"),
            ("empty", "neither"),
        ] {
            let refusal = refusal(at(name)).await;
            assert!(refusal.contains(problem) && refusal.contains("worker"), "{name}: {refusal}");
        }
        let primary = granting(worker()).build().unwrap();
        place.end(primary).await;
    });
}

#[test]
fn only_the_bytes_that_are_meant_are_run() {
    alone(async |place| {
        let file = program("worker");
        let pinned = worker().sha256(SatelliteGrant::TARGET, sha256(&file));
        let (primary, desk) = native(granting(pinned)).await;
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        place.end(primary).await;

        let other = "0".repeat(64);
        let refusal = refusal(worker().sha256(SatelliteGrant::TARGET, &other)).await;
        assert!(refusal.contains(&other[..8]) && refusal.contains(&sha256(&file)[..8]), "{refusal}");
        let refused = self::refusal(worker().sha256("riscv64gc-unknown-linux-gnu", sha256(&file))).await;
        assert!(refused.contains(SatelliteGrant::TARGET), "{refused}");
        let primary = granting(worker()).build().unwrap();
        place.end(primary).await;
    });
}

#[test]
fn a_program_that_changes_between_two_starts_is_not_started_again() {
    alone(async |place| {
        let file = place.program("worker", &fs::read(program("worker")).unwrap());
        let pinned = worker().file(&file).sha256(SatelliteGrant::TARGET, sha256(&file));
        let (primary, desk) = native(granting(pinned)).await;
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        // While it runs that does no harm: what runs is a copy.
        let good = fs::read(&file).unwrap();
        fs::write(&file, b"#!/bin/sh\ntouch /tmp/kokoro-was-run\n").unwrap();
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        desk.end(Ending::Exits).await.unwrap().unwrap_err();
        let failure = desk.halve(&None).await.unwrap().unwrap_err();
        assert!(failure.contains("SHA-256"), "{failure}");
        fs::write(&file, good).unwrap();
        assert_eq!(desk.halve(&None).await.unwrap(), Err("there is no size".to_owned()));
        place.end(primary).await;
    });
}

#[test]
fn a_working_directory_that_is_not_there_is_named() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker().directory(place.path("nowhere")))).await;
        let failure = desk.halve(&None).await.unwrap().unwrap_err();
        assert!(failure.contains("nowhere"), "{failure}");
        place.end(primary).await;
    });
}
