//! Planets that behave as badly as they can, and what the others notice of it: nothing.

mod support;

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use kokoro_host::{Error, Limits, Primary, Restarts, State};
use support::{LifeCycle, extra::Extra, faults::Faults, node, primary_with};

/// The first line of what happened, without what differs from run to run.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.split_once(" within ") {
        Some((before, _)) => format!("{before} within SOME TIME"),
        None => line.to_owned(),
    }
}

async fn told(primary: &Primary, what: &str, error: Result<impl Sized, Error>) -> String {
    let error = error.err().expect("it cannot end well");
    let (extra, faults) = (primary.get::<Extra>().unwrap(), primary.get::<Faults>().unwrap());
    let mut text = format!("{what}:\n  {}\n", first_line(&error.to_string()));
    let answers = (extra.double(2).await.unwrap(), extra.name().await.unwrap());
    let _ = writeln!(text, "  right after: extra.double(2) = {}, extra.name() = {:?}", answers.0, answers.1);
    let _ = writeln!(text, "  started anew: faulty.well() = {:?}", faults.well().await.unwrap());
    text
}

#[tokio::test]
async fn each_is_stopped_with_a_message_and_the_others_answer() {
    let mut limits = Limits::default();
    limits.memory = 32 << 20;
    let mut restarts = Restarts::default();
    (restarts.pause, restarts.limit) = (Duration::ZERO, 10);
    let builder = Primary::builder().limits(limits).restarts(restarts);
    let primary = primary_with(builder, &["extra", "faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let mut text = String::new();
    let second = Duration::from_secs(1);
    text += &told(&primary, "an endless loop", faults.within(second).spin().await).await;
    text += &told(&primary, "eating memory", faults.allocate(64).await).await;
    text += &told(&primary, "overflowing the stack", faults.recurse(0).await).await;
    text += &told(&primary, "exiting", faults.exit().await).await;
    let traps = LifeCycle { start: "unreachable", ..LifeCycle::default() }.component();
    primary.load_bytes("traps", traps).await.unwrap();
    let traps = node(&primary, "traps");
    assert_eq!(traps.state, State::Failed);
    let _ = writeln!(text, "trapping in `start`:\n  {}", traps.reason.unwrap());
    let extra = primary.get::<Extra>().unwrap();
    let _ = writeln!(text, "  right after: extra.double(2) = {}", extra.double(2).await.unwrap());
    expect_file!["golden/hostile.txt"].assert_eq(&text);
}
