//! Tasks that call through a chain of Planets without pause, while one of them is reloaded and another one crashes.
#![expect(clippy::print_stderr, reason = "the counts are worth knowing")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kokoro_host::{Event, Primary, Restarts, State};
use support::guest;

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: ["test:guests/first@0.1.0", "test:guests/middle@0.1.0"],
});

use first::First;
use middle::Middle;

const TASKS: u64 = 8;
const RELOADS: u32 = 200;
const CRASHES: u64 = 50;

/// What became of the calls of one task, or of all.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    calls: u64,
    answers: u64,
    /// Errors, by kind.
    errors: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.calls += other.calls;
        self.answers += other.answers;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
    }
}

async fn primary() -> Primary {
    let mut restarts = Restarts::default();
    (restarts.limit, restarts.pause) = (u32::MAX, Duration::from_millis(1));
    restarts.longest_pause = restarts.pause;
    let primary = Primary::builder().restarts(restarts).build().unwrap();
    for name in ["last", "middle", "first"] {
        primary.load_bytes(name, guest(name)).await.unwrap();
    }
    primary
}

/// Calls with numbers of its own until it is told to stop. `crash` says which of them the last Planet cannot double.
async fn calls(first: First, task: u64, stop: Arc<AtomicBool>, crash: impl Fn() -> bool) -> Counts {
    let mut counts = Counts::default();
    while !stop.load(Ordering::Relaxed) {
        let number = if crash() { u64::MAX } else { task << 32 | counts.calls };
        counts.calls += 1;
        match first.pass(number).await {
            Ok(Ok(answer)) => {
                assert_eq!(answer, 2 * number, "an answer to another call");
                counts.answers += 1;
            }
            Ok(Err(failure)) => {
                assert!(failure.message.contains("a number that can be doubled") && number == u64::MAX, "{failure:?}");
                assert_eq!(failure.chain, ["first", "middle", "last"]);
                *counts.errors.entry(format!("{:?}", failure.kind)).or_default() += 1;
            }
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
    counts
}

async fn storm(crashes: u64) {
    let primary = primary().await;
    let (stop, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(crashes)));
    let mut events = primary.events();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let first = primary.get::<First>().unwrap();
            let (stop, left) = (Arc::clone(&stop), Arc::clone(&left));
            let crash = move || {
                // One task crashes `last` now and then, until it has done so often enough.
                let due = task == 0 && rand().is_multiple_of(8);
                let take = |left: u64| left.checked_sub(1);
                due && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            };
            tokio::spawn(calls(first, task, stop, crash))
        })
        .collect();
    let counted = tokio::spawn(async move {
        let (mut reloads, mut crashes) = (0, 0);
        while let Some(event) = events.next().await {
            match event {
                Event::Reloaded { .. } => reloads += 1,
                Event::State { from: Some(State::Running), to: State::Starting, planet, .. } => {
                    assert_eq!(planet, "last");
                    crashes += 1;
                }
                Event::State { planet, to: State::Stopping, .. } if planet == "first" => break,
                Event::Missed { events } => panic!("{events} events were missed"),
                _ => {}
            }
        }
        (reloads, crashes)
    });
    let component = guest("middle");
    for _ in 0..RELOADS {
        primary.reload("middle").bytes(component.clone()).await.unwrap();
    }
    while left.load(Ordering::Relaxed) > 0 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut counts = Counts::default();
    for task in tasks {
        counts.add(task.await.unwrap());
    }
    let passed = primary.get::<Middle>().unwrap().passed().await.unwrap();
    primary.shutdown().await;
    let (reloads, crashed) = counted.await.unwrap();
    eprintln!(
        "{} calls, {} answers, errors by kind {:?}, {reloads} reloads, {crashed} crashes; {passed} came by the middle",
        counts.calls, counts.answers, counts.errors
    );
    assert_eq!((reloads, crashed), (RELOADS, crashes));
    // None is lost and none is doubled: the count was carried over all reloads.
    assert_eq!(passed, counts.calls);
    assert_eq!(counts.answers + crashes, counts.calls);
    let expected = (crashes > 0).then(|| ("Crashed".to_owned(), crashes));
    assert_eq!(counts.errors, BTreeMap::from_iter(expected));
}

/// Numbers without a pattern, which need not be good ones.
fn rand() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_reloads_alone_no_call_fails() {
    storm(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_crashes_only_those_calls_fail_that_crash() {
    storm(CRASHES).await;
}
