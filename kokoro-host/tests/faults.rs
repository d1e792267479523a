//! What happens when a Planet (plugin) fails, and what is said about it.

mod support;

use std::time::Duration;

use expect_test::expect_file;
use kokoro_host::{Limits, Primary, State};
use support::{LifeCycle, faults::Faults, guest, node, primary, primary_with, relay::Relay};

/// Paths and function hashes differ between machines and toolchains; the rest of a message does not.
fn stable(message: &str) -> String {
    message
        .lines()
        .filter(|line| !line.trim_start().starts_with("note: run with"))
        .map(|line| {
            // Where rustc was built is part of the frames of std only; frames of `faulty` are the point here.
            let thread = line.find("' (").zip(line.find(") panicked"));
            match thread {
                Some((start, end)) => format!("{}{}", &line[..start + 1], &line[end + 1..]),
                None => line.to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn a_panic_shows_its_message_place_output_and_frames() {
    let primary = primary(&["faulty"]).await;
    let error = primary.get::<Faults>().unwrap().panic("the disk is full").await.unwrap_err();
    assert!(error.is_crash());
    assert_eq!(error.planet(), Some("faulty"));
    let message = stable(&error.to_string());
    let frames = message.lines().skip_while(|line| !line.contains("innermost first")).skip(1);
    let frames: Vec<&str> = frames.take_while(|line| line.starts_with("    ")).collect();
    assert!(frames.iter().any(|frame| frame.contains("faults") && frame.contains("panic")), "{message}");
    // The frames below the panicking function belong to generated code, and change with the compiler.
    let without_frames = message.lines().filter(|line| !frames.contains(line));
    // An older wasi-libc asks for its directories, of which there are none, when it panics.
    let without_frames: Vec<&str> = without_frames.filter(|line| !line.contains("not granted `read`")).collect();
    expect_file!["golden/panic.txt"].assert_eq(&without_frames.join("\n"));
    assert_eq!(node(&primary, "faulty").state, State::Starting);
}

#[tokio::test]
async fn the_caller_of_what_panics_gets_an_err_if_there_is_room_for_it() {
    let mut restarts = kokoro_host::Restarts::default();
    (restarts.pause, restarts.longest_pause) = (Duration::MAX, Duration::MAX);
    restarts.calls_wait = false;
    let primary = support::primary_with(Primary::builder().restarts(restarts), &["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    let text = relay.text("on purpose").await.unwrap();
    expect_file!["golden/failure_as_text.txt"].assert_eq(&text);
    assert_eq!(node(&primary, "relay").state, State::Running);
    assert_eq!(node(&primary, "faulty").state, State::Starting);
    let again = relay.failure("again").await.unwrap();
    expect_file!["golden/failure_after_the_end.txt"].assert_eq(&again);
}

#[tokio::test]
async fn the_failure_type_holds_kind_chain_and_message() {
    let primary = primary(&["faulty", "relay"]).await;
    let failure = primary.get::<Relay>().unwrap().failure("on purpose").await.unwrap();
    expect_file!["golden/failure_of_core.txt"].assert_eq(&failure);
}

#[tokio::test]
async fn the_caller_of_what_panics_is_lost_if_there_is_no_room() {
    let primary = primary(&["faulty", "relay", "extra"]).await;
    let error = primary.get::<Relay>().unwrap().plain("on purpose").await.unwrap_err();
    assert!(error.is_crash());
    assert_eq!(error.planet(), Some("faulty"));
    let message = error.to_string();
    assert!(message.contains("planet `relay` was lost in `test:guests/relay@0.1.0.plain`"), "{message}");
    assert!(message.contains("called along: the application -> `relay` -> `faulty`"), "{message}");
    // Everybody else goes on working.
    assert_eq!(node(&primary, "extra").state, State::Running);
    assert_eq!(primary.get::<support::extra::Extra>().unwrap().double(2).await.unwrap(), 4);
}

async fn fault(call: impl AsyncFnOnce(Faults) -> kokoro_host::Error) -> String {
    let primary = support::primary_with(support::without_restarts(), &["faulty", "extra"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let error = call(faults).await;
    assert_eq!(node(&primary, "faulty").state, State::Failed);
    assert_eq!(primary.get::<support::extra::Extra>().unwrap().double(2).await.unwrap(), 4);
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_endless_loop_is_interrupted() {
    let message = fault(async |faults| {
        let error = faults.within(Duration::from_secs(1)).spin().await.unwrap_err();
        assert!(error.is_timeout());
        error
    });
    let message = message.await;
    assert!(
        message.starts_with("planet `faulty` was late: `test:guests/faults@0.1.0.spin` did not answer"),
        "{message}"
    );
}

#[tokio::test]
async fn a_sleep_beyond_the_deadline_is_interrupted() {
    let message = fault(async |faults| {
        let error = faults.within(Duration::from_secs(1)).sleep(60_000).await.unwrap_err();
        assert!(error.is_timeout());
        error
    });
    assert!(message.await.starts_with("planet `faulty` was late: `test:guests/faults@0.1.0.sleep`"));
}

#[tokio::test]
async fn an_exit_is_named() {
    let message = fault(async |faults| faults.exit().await.unwrap_err()).await;
    assert_eq!(message, "planet `faulty` failed in `test:guests/faults@0.1.0.exit`: it exited with status 1");
}

#[tokio::test]
async fn an_overflow_of_the_stack_is_named() {
    let message = fault(async |faults| faults.recurse(0).await.unwrap_err()).await;
    assert!(message.contains("call stack exhausted"), "{message}");
}

#[tokio::test]
async fn a_call_back_into_the_caller_is_refused_with_the_chain() {
    let primary = primary(&["faulty", "relay"]).await;
    let answer = primary.get::<Relay>().unwrap().back().await.unwrap();
    expect_file!["golden/reentry.txt"].assert_eq(&answer.unwrap_err());
    assert_eq!(node(&primary, "relay").state, State::Running);
}

#[tokio::test]
async fn the_innermost_planet_is_the_one_that_is_late() {
    let primary = primary(&["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    let error = relay.within(Duration::from_secs(2)).spin().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.planet(), Some("faulty"));
}

#[tokio::test]
async fn a_start_that_fails_is_the_reason() {
    let primary = primary(&[]).await;
    let report = primary.load_bytes("unready", guest("unready")).await.unwrap();
    assert_eq!(report.planets[0].state, State::Failed);
    let reason = report.planets[0].details.clone().unwrap();
    assert!(reason.starts_with("planet `unready` did not start: "), "{reason}");
    expect_file!["golden/start_err.txt"].assert_eq(&reason);
}

#[tokio::test]
async fn a_start_that_traps_or_never_returns_is_the_reason() {
    let mut limits = Limits::default();
    limits.start = Duration::from_secs(1);
    let primary = primary_with(Primary::builder().limits(limits), &[]).await;
    let cases = [
        ("traps", "unreachable", expect_file!["golden/start_traps.txt"]),
        ("spins", "(loop (br 0)) unreachable", expect_file!["golden/start_never_returns.txt"]),
    ];
    for (name, body, golden) in cases {
        let report =
            primary.load_bytes(name, LifeCycle { start: body, ..LifeCycle::default() }.component()).await.unwrap();
        let reason = report.planets[0].details.clone().unwrap();
        // How late it was differs from run to run.
        let reason = match reason.split_once(" within ") {
            Some((before, _)) => format!("{before} within SOME TIME"),
            None => reason,
        };
        golden.assert_eq(&reason);
    }
}

#[tokio::test]
async fn who_requires_what_fails_to_start_waits_and_the_reason_says_so() {
    let primary = primary(&[]).await;
    primary.load_bytes("unready", guest("unready")).await.unwrap();
    primary.load_bytes("user", support::wat(include_str!("wat/user.wat"))).await.unwrap();
    let reason = support::reason(&primary, "user");
    assert!(
        reason.starts_with("needs `test:guests/extra@0.1.0`, which `unready` provides, but it is failed: planet `unready` did not start"),
        "{reason}"
    );
}
