//! Satellites that misbehave: each way is an error for the call, with what happened in it; the next call is answered; and nothing is
//! left.

use std::fs;
use std::time::Duration;

use expect_test::expect_file;

use crate::place::{Place, alone, children, granting, limits, lives, logged, program, python, until, with_native};
use crate::support::in_time;

/// `worker.py`, with what misbehaves in place of its last line.
fn rogue() -> Vec<u8> {
    let worker = fs::read_to_string(program("worker.py")).unwrap();
    let worker = worker.strip_suffix("main()\n").expect("its last line");
    (worker.to_owned() + include_str!("rogue.py")).into_bytes()
}

/// What comes of it when the Satellite misbehaves once: the error of that call, and the answer to the next.
async fn misbehaving(place: &Place, behaviour: &str, more: &str) -> (String, u32) {
    let file = place.program("rogue", &rogue());
    let before = logged(place).lines().count();
    let (marker, pid) = (place.path("marker").display().to_string(), place.path("child").display().to_string());
    let grant = python().file(file).args([behaviour, &*marker, &*pid]);
    let mut limits = limits();
    limits.start = Duration::from_secs(3);
    let (primary, desk) = with_native(granting(grant).limits(limits), more).await;
    // Long enough for Python to start; those who never answer are waited for that long. Who says nothing is late before its caller.
    let patient = desk.clone().within(Duration::from_secs(if behaviour == "says-nothing" { 30 } else { 3 }));
    let large = vec![7; 64 << 20];
    let bytes = if behaviour == "is-killed" { &large[..] } else { b"hello" };
    let mut failure = match in_time(patient.echo(bytes)).await.unwrap() {
        Ok(answer) => {
            assert_eq!(answer, bytes);
            "it was answered".to_owned()
        }
        Err(failure) => failure,
    };
    if let Ok(child) = fs::read_to_string(&pid) {
        let child = child.parse().unwrap();
        until("the child of the satellite is still there", || !lives(child)).await;
    }
    if ["answers-twice", "answers-nobody", "ends-while-idle"].contains(&behaviour) {
        until("it has not been noticed", || children(std::process::id()).is_empty()).await;
        // Not what another one before it has left.
        let told = || {
            logged(place).lines().skip(before).find_map(|line| {
                let (_, told) = line.split_once("WARN kokoro::satellite: ")?;
                told.starts_with("satellite `worker`").then(|| told.to_owned())
            })
        };
        until("nobody has been told", || told().is_some()).await;
        failure += &format!("; then it was logged: {}", told().unwrap_or_default());
    }
    let next = in_time(patient.add(2, 3)).await;
    let next = next.unwrap_or_else(|error| panic!("after `{behaviour}` ({failure}): {error}"));
    place.end(primary).await;
    for file in [&marker, &pid] {
        let _ = fs::remove_file(file);
    }
    (failure.replace(&marker, "MARKER"), next)
}

#[test]
fn each_misbehaviour_is_an_error_for_its_call_and_no_more() {
    alone(async |place| {
        let behaviours = [
            "ends",
            "garbage-first",
            "other-magic",
            "other-token",
            "newer-protocol",
            "other-interface",
            "other-type",
            "lacks-a-function",
            "hello-of-4-gib",
            "says-nothing",
            "garbage",
            "half-a-frame",
            "half-a-frame-and-waits",
            "frame-of-4-gib",
            "never-answers",
            "answers-a-stranger",
            "answers-twice",
            "answers-nobody",
            "other-value",
            "no-such-case",
            "memory-that-is-not-there",
            "more-than-may-cross",
            "closes",
            "leaves-a-child",
            "floods",
            "floods-without-end-of-line",
            "stops",
            "is-killed",
            "logs-too-much",
            "says-hello-again",
            "ends-while-idle",
        ];
        let mut told = String::new();
        for behaviour in behaviours {
            let (failure, next) = misbehaving(place, behaviour, "").await;
            assert_eq!(next, 5, "{behaviour}");
            told += &format!("{behaviour}: {failure}\n");
        }
        expect_file!["../golden/satellites.txt"].assert_eq(&without_chance(&told));
    });
}

/// Without what differs from one run to the next: how long it took.
fn without_chance(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']).collect::<Vec<_>>();
    let is_number = |word: &str| word.trim().parse::<f64>().is_ok();
    let is_unit = |word: &str| word.trim_end() == "ms" || word.trim_end() == "s";
    let mut plain = String::new();
    for (place, word) in words.iter().enumerate() {
        match is_number(word) && words.get(place + 1).is_some_and(|unit| is_unit(unit)) {
            true => plain += "SOME ",
            false => plain += word,
        }
    }
    plain
}

#[test]
fn one_that_fails_before_its_planet_starts_is_the_reason_why_that_does_not() {
    alone(async |place| {
        let grant = python().file(place.program("rogue", &rogue())).args(["other-type", "-"]);
        let primary = granting(grant).build().unwrap();
        let planet = crate::place::native_with(r#","start":"planet""#);
        primary.load_bytes("native", planet).await.unwrap();
        let why = crate::support::node(&primary, "native").details.expect("it has failed");
        assert!(why.contains("func(u64, u64) -> u64") && why.contains("func(u32, u32) -> u32"), "{why}");
        place.end(primary).await;
    });
}

#[test]
fn one_that_does_not_end_when_it_is_asked_is_ended() {
    alone(async |place| {
        let grant = python().file(place.program("rogue", &rogue())).args(["ignores-the-end", "-"]);
        let (primary, desk) = with_native(granting(grant), "").await;
        assert_eq!(desk.add(2, 3).await.unwrap(), 5);
        place.end(primary).await;
    });
}
