//! What a Satellite does, and when it comes and goes.

use std::io::Write as _;
use std::time::{Duration, Instant};

use kokoro_host::{CancellationToken, Limits, Restarts};

use crate::desk::{Desk, Ending, Size};
use crate::place::{
    alone, children, granting, limits, lives, logged, native, native_with, python, until, with_native, worker,
};
use crate::support::{guest, in_time, node};

async fn pid(desk: &Desk) -> u32 {
    desk.look().await.unwrap().unwrap().pid
}

#[test]
fn functions_are_answered_small_and_large() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        for length in [0, 1, 1000, (32 << 10) - 10, (32 << 10) + 10, 1 << 20, 20 << 20, 1000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            assert!(desk.echo(&bytes).await.unwrap().unwrap() == bytes, "{length} bytes");
        }
        assert_eq!(desk.halve(&Some(Size { width: 8, height: 6 })).await.unwrap(), Ok(Size { width: 4, height: 3 }));
        assert_eq!(desk.halve(&None).await.unwrap(), Err("there is no size".to_owned()), "an `err` is an answer");
        place.end(primary).await;
    });
}

#[test]
fn one_that_is_written_in_python_answers() {
    alone(async |place| {
        let (primary, desk) = native(granting(python())).await;
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        for length in [10, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            assert!(desk.echo(&bytes).await.unwrap().unwrap() == bytes, "{length} bytes");
        }
        assert_eq!(desk.halve(&Some(Size { width: 8, height: 6 })).await.unwrap(), Ok(Size { width: 4, height: 3 }));
        assert_eq!(desk.halve(&None).await.unwrap(), Err("there is no size".to_owned()));
        let failure = desk.panic("of its own").await.unwrap().unwrap_err();
        assert!(failure.contains("RuntimeError: of its own"), "{failure}");
        assert_eq!(desk.add(3, 4).await.unwrap(), 7);
        place.end(primary).await;
    });
}

#[test]
fn it_is_started_with_what_was_granted_and_nothing_else() {
    alone(async |place| {
        let directory = std::fs::canonicalize(place.path("")).unwrap();
        let grant = worker().args(["--fast", "two words"]).env("LANG", "C").directory(&directory);
        let (primary, desk) = native(granting(grant)).await;
        let it = desk.look().await.unwrap().unwrap();
        assert_eq!(it.arguments, ["worker", "--fast", "two words"]);
        assert_eq!(it.variables, [("LANG".to_owned(), "C".to_owned())]);
        assert_eq!(it.directory, directory.display().to_string());
        assert!(it.files.iter().all(|file| *file <= 8), "{:?}", it.files);
        place.end(primary).await;

        let (primary, desk) = native(granting(worker())).await;
        let it = desk.look().await.unwrap().unwrap();
        assert_eq!((it.arguments.len(), it.variables.len(), &*it.directory), (1, 0, "/"));
        place.end(primary).await;
    });
}

#[test]
fn it_is_started_at_the_first_call_or_with_its_planet() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        assert_eq!(children(std::process::id()).len(), 0);
        desk.add(1, 2).await.unwrap();
        assert_eq!(children(std::process::id()).len(), 1);
        place.end(primary).await;

        let (primary, desk) = with_native(granting(worker()), r#","start":"planet""#).await;
        let begun = children(std::process::id());
        assert_eq!(begun.len(), 1);
        assert_eq!(begun.first(), Some(&pid(&desk).await));
        place.end(primary).await;
    });
}

#[test]
fn a_panic_is_an_error_for_the_caller_and_the_process_goes_on() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let before = pid(&desk).await;
        let failure = desk.panic("on purpose").await.unwrap().unwrap_err();
        assert!(failure.contains("panicked at") && failure.contains("on purpose"), "{failure}");
        assert_eq!(pid(&desk).await, before);
        place.end(primary).await;
    });
}

#[test]
fn one_that_ends_is_told_of_and_started_anew() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let before = pid(&desk).await;
        let failure = desk.end(Ending::Exits).await.unwrap().unwrap_err();
        assert!(failure.contains("status 7"), "{failure}");
        let failure = desk.end(Ending::Aborts).await.unwrap().unwrap_err();
        assert!(failure.contains("SIGABRT"), "{failure}");
        assert_ne!(pid(&desk).await, before);
        assert_eq!(node(&primary, "native").state.to_string(), "running");
        place.end(primary).await;
    });
}

#[test]
fn where_there_is_no_room_for_the_failure_the_error_has_it_with_the_last_lines() {
    alone(async |place| {
        let failing = place.program("worker", b"#!/bin/sh\necho 'no such luck' >&2\nexit 9\n");
        let (primary, desk) = native(granting(worker().file(failing))).await;
        let error = desk.add(1, 2).await.unwrap_err();
        assert!(error.is_of_satellite(), "{error}");
        assert_eq!(error.planet(), Some("native"));
        let text = error.to_string();
        assert!(text.contains("status 9") && text.contains("no such luck"), "{text}");
        place.end(primary).await;
    });
}

#[test]
fn who_fails_again_and_again_is_given_up_and_comes_back_with_its_planet() {
    alone(async |place| {
        let failing = place.program("worker", b"#!/bin/sh\nexit 9\n");
        let mut restarts = Restarts::default();
        (restarts.limit, restarts.pause) = (2, Duration::from_millis(1));
        let (primary, desk) = native(granting(worker().file(&failing)).restarts(restarts)).await;
        let mut failures = Vec::new();
        for _ in 0..5 {
            failures.push(desk.halve(&None).await.unwrap().unwrap_err());
        }
        assert!(failures[0].contains("status 9"), "{failures:#?}");
        assert!(failures[4].contains("not started"), "{failures:#?}");
        std::fs::copy(crate::place::program("worker"), &failing).unwrap();
        assert!(desk.halve(&None).await.unwrap().unwrap_err().contains("not started"));
        in_time(primary.reload("native").bytes(native_with(""))).await.unwrap();
        assert_eq!(desk.halve(&None).await.unwrap(), Err("there is no size".to_owned()));
        place.end(primary).await;
    });
}

#[test]
fn what_it_prints_and_logs_reaches_the_applications_log() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        desk.say("hello").await.unwrap().unwrap();
        for (level, part) in
            [("INFO", "printed hello"), ("WARN", "complained hello"), ("WARN", "logged hello"), ("INFO", "traced")]
        {
            until(&format!("no `{part}` is logged"), || logged(place).contains(part)).await;
            let text = logged(place);
            let line = text.lines().find(|line| line.contains(part)).unwrap();
            assert!(line.trim_start().starts_with(level), "{line}");
            assert!(line.contains("planet=\"native\"") && line.contains("satellite=\"worker\""), "{line}");
        }
        assert_eq!(desk.add(1, 2).await.unwrap(), 3, "what is printed is no part of the protocol");
        place.end(primary).await;
    });
}

/// Enough time for whoever listens to give a call up.
fn patience() -> Limits {
    let mut limits = limits();
    limits.grace = Duration::from_secs(60);
    limits
}

#[test]
fn a_call_that_is_cancelled_is_cancelled_in_the_satellite() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker()).limits(patience())).await;
        let before = pid(&desk).await;
        let token = CancellationToken::new();
        let call = tokio::spawn({
            let desk = desk.clone().cancelled_by(&token);
            async move { desk.sleep(600_000).await }
        });
        until("it has not begun", || logged(place).contains("it sleeps")).await;
        token.cancel();
        match in_time(call).await.unwrap() {
            // It said so itself, in time; or the call was over before.
            Ok(answer) => assert!(answer.as_ref().is_ok_and(|noticed| *noticed) || answer.is_err(), "{answer:?}"),
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
        assert_eq!(desk.cancelled().await.unwrap(), Ok(1), "it noticed");
        assert_eq!(pid(&desk).await, before, "and went on");
        place.end(primary).await;
    });
}

#[test]
fn a_call_that_is_late_is_given_up_and_the_satellite_goes_on_if_it_listens() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker()).limits(patience())).await;
        let before = pid(&desk).await;
        let late = desk.clone().within(Duration::from_millis(500));
        let failure = late.sleep(600_000).await.unwrap().unwrap_err();
        assert!(failure.contains("was late"), "{failure}");
        assert_eq!(desk.cancelled().await.unwrap(), Ok(1));
        assert_eq!(pid(&desk).await, before);
        place.end(primary).await;
    });
}

#[test]
fn one_that_does_not_listen_is_ended() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let before = pid(&desk).await;
        let late = desk.clone().within(Duration::from_millis(500));
        let failure = late.compute().await.unwrap().unwrap_err();
        assert!(failure.contains("was late"), "{failure}");
        assert_ne!(pid(&desk).await, before);
        place.end(primary).await;
    });
}

#[test]
fn it_ends_with_its_planet_and_takes_along_what_it_started() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let left = desk.leave().await.unwrap().unwrap();
        let own = pid(&desk).await;
        assert!(lives(left) && lives(own));
        in_time(primary.unload("native")).await.unwrap();
        assert!(!lives(own));
        until("what it started is still there", || !lives(left)).await;
        place.end(primary).await;
    });
}

#[test]
fn a_planet_that_is_started_anew_gets_a_new_one() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let before = pid(&desk).await;
        desk.crash().await.unwrap_err();
        assert_ne!(pid(&desk).await, before);
        until("the old one is still there", || !lives(before)).await;
        place.end(primary).await;
    });
}

#[test]
fn a_reload_renews_it_or_keeps_it_as_the_new_manifest_says() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let first = pid(&desk).await;
        in_time(primary.reload("native").bytes(native_with(""))).await.unwrap();
        let second = pid(&desk).await;
        assert_ne!(first, second);
        until("the old one is still there", || !lives(first)).await;
        in_time(primary.reload("native").bytes(native_with(r#","reload":"keep""#))).await.unwrap();
        assert_eq!(pid(&desk).await, second);
        in_time(primary.reload("native").bytes(native_with(r#","reload":"keep","start":"planet""#))).await.unwrap();
        assert_eq!(pid(&desk).await, second);
        in_time(primary.reload("native").bytes(native_with(""))).await.unwrap();
        assert_ne!(pid(&desk).await, second);
        place.end(primary).await;
    });
}

#[test]
fn satellites_of_several_planets_work_at_the_same_time() {
    alone(async |place| {
        let primary = granting(worker()).build().unwrap();
        let names = ["one", "two", "six", "ten"];
        for name in names {
            let json = format!(
                r#"{{"name":"{name}","satellites":[{{"interface":"test:guests/work@0.1.0","program":"worker","start":"planet"}}]}}"#
            );
            let component = crate::support::first_manifest(guest("native"), &json);
            primary.load_bytes(name, component).await.unwrap();
        }
        let desks = primary.all::<Desk>();
        assert_eq!(desks.len(), names.len());
        // Each waits until all four do: one after the other, none would ever be answered.
        let rendezvous = place.path("rendezvous");
        std::fs::create_dir(&rendezvous).unwrap();
        let calls = desks.iter().map(|desk| {
            let (desk, rendezvous) = (desk.clone(), rendezvous.display().to_string());
            tokio::spawn(async move { desk.meet(&rendezvous, 4).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(in_time(call).await.unwrap().unwrap(), Ok(()));
        }
        let begun = Instant::now();
        let calls = desks.iter().map(|desk| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.sleep(100).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(in_time(call).await.unwrap().unwrap(), Ok(false));
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "four satellites that sleep 100 ms each, called at once: {:?}", begun.elapsed()).unwrap();
        drop(out);
        place.end(primary).await;
    });
}

#[test]
fn limits_hold() {
    alone(async |place| {
        let grant = worker().address_space(1 << 30).open_files(32).cpu_time(Duration::from_secs(1));
        let (primary, desk) = native(granting(grant).limits({
            let mut limits = limits();
            limits.call = Duration::from_secs(100);
            limits
        }))
        .await;
        assert_eq!(desk.allocate(100 << 20).await.unwrap(), Ok(true));
        assert_eq!(desk.allocate(2 << 30).await.unwrap(), Ok(false));
        assert_eq!(desk.open(10).await.unwrap(), Ok(true));
        assert_eq!(desk.open(40).await.unwrap(), Ok(false));
        let failure = desk.compute().await.unwrap().unwrap_err();
        assert!(failure.contains("processor time"), "{failure}");
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        place.end(primary).await;
    });
}

#[test]
fn values_that_are_too_large_are_refused_and_the_satellite_goes_on() {
    alone(async |place| {
        let mut limits = limits();
        limits.value = 100_000;
        let (primary, desk) = native(granting(worker()).limits(limits)).await;
        let before = pid(&desk).await;
        assert!(desk.echo(&vec![1; 90_000]).await.unwrap().is_ok());
        // An answer with its length and whether it is an `err` before it.
        assert_eq!(desk.fill(100_000 - 5).await.unwrap().unwrap().len(), 100_000 - 5);
        for length in [100_000 - 4, 10_000_000] {
            let failure = desk.fill(length).await.unwrap().unwrap_err();
            assert!(failure.contains("100000 bytes") || failure.contains("more than 100000"), "{failure}");
        }
        assert_eq!((desk.add(1, 2).await.unwrap(), pid(&desk).await), (3, before));
        place.end(primary).await;
    });
}

#[test]
fn one_that_is_killed_while_it_is_passed_much_is_told_of() {
    alone(async |place| {
        let (primary, desk) = native(granting(worker())).await;
        let own = pid(&desk).await;
        signal(own, "STOP");
        let call = tokio::spawn({
            let desk = desk.clone();
            async move { desk.echo(&vec![7; 64 << 20]).await }
        });
        // The call may be on its way already, or not yet: it is an error, or a new one answers it.
        tokio::task::yield_now().await;
        signal(own, "KILL");
        match in_time(call).await.unwrap().unwrap() {
            Ok(answer) => assert_eq!(answer.len(), 64 << 20),
            Err(failure) => assert!(failure.contains("SIGKILL"), "{failure}"),
        }
        assert_eq!(desk.add(1, 2).await.unwrap(), 3);
        place.end(primary).await;
    });
}

fn signal(process: u32, name: &str) {
    let sent = std::process::Command::new("/bin/sh").arg("-c").arg(format!("kill -{name} {process}")).status();
    assert!(sent.expect("a shell").success());
}
