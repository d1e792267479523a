//! Tasks that call through a chain of Planets without pause, while one of them is reloaded and another one crashes.
#![expect(clippy::print_stderr, reason = "the counts are worth knowing")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kokoro_host::{Event, Limits, Primary, Restarts, State};
use support::{first::First, guest, middle::Middle, renamed};
use tokio::task::JoinHandle;

const TASKS: u64 = 8;
const RELOADS: u32 = 200;
const CRASHES: u64 = 50;
/// How often each of those changes something that change all kinds of things.
const ROUNDS: usize = 16;

/// What became of the calls of one task, or of all.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    calls: u64,
    answers: u64,
    /// Errors, by kind.
    errors: BTreeMap<String, u64>,
    /// How long the slowest call took.
    slowest: Duration,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.calls += other.calls;
        self.answers += other.answers;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.slowest = self.slowest.max(other.slowest);
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
        let began = Instant::now();
        let answer = first.pass(number).await;
        counts.slowest = counts.slowest.max(began.elapsed());
        match answer {
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

/// Tasks that call until they are told to stop.
struct Callers {
    stop: Arc<AtomicBool>,
    /// How many crashes are yet to come.
    left: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<Counts>>,
}

impl Callers {
    fn begin(primary: &Primary, crashes: u64) -> Self {
        let (stop, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(crashes)));
        let begin = |task| {
            let first = primary.get::<First>().unwrap();
            let (stop, left) = (Arc::clone(&stop), Arc::clone(&left));
            let crash = move || {
                // One task crashes `last` now and then, until it has done so often enough.
                let due = task == 0 && rand().is_multiple_of(8);
                let take = |left: u64| left.checked_sub(1);
                due && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            };
            tokio::spawn(calls(first, task, stop, crash))
        };
        let tasks = (0..TASKS).map(begin).collect();
        Self { stop, left, tasks }
    }

    /// Waits for the crashes that are yet to come, and has all come to their end.
    async fn end(self) -> Counts {
        // Who has come to an end already has failed, and no crash will come of it.
        while self.left.load(Ordering::Relaxed) > 0 && !self.tasks.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        self.stop.store(true, Ordering::Relaxed);
        let mut counts = Counts::default();
        for task in self.tasks {
            counts.add(support::in_time(task).await.unwrap());
        }
        assert!(counts.slowest <= Limits::default().call, "late by more than its deadline: {counts:?}");
        counts
    }
}

async fn storm(crashes: u64) {
    let primary = primary().await;
    let mut events = primary.events();
    let callers = Callers::begin(&primary, crashes);
    let counted = tokio::spawn(async move {
        let (mut reloads, mut crashes) = (0, 0);
        loop {
            match support::next(&mut events).await {
                Event::Reloaded { .. } => reloads += 1,
                Event::State { from: Some(State::Running), to: State::Starting, planet, .. } => {
                    assert_eq!(planet, "last");
                    crashes += 1;
                }
                Event::State { planet, to: State::Stopping, .. } if planet == "first" => return (reloads, crashes),
                Event::Missed { events } => panic!("{events} events were missed"),
                _ => {}
            }
        }
    });
    let component = guest("middle");
    for _ in 0..RELOADS {
        primary.reload("middle").bytes(component.clone()).await.unwrap();
    }
    let counts = callers.end().await;
    let passed = primary.get::<Middle>().unwrap().passed().await.unwrap();
    primary.shutdown().await;
    let (reloads, crashed) = counted.await.unwrap();
    eprintln!(
        "{} calls, {} answers, errors by kind {:?}, {reloads} reloads, {crashed} crashes; {passed} came by the middle; the slowest took {:?}",
        counts.calls, counts.answers, counts.errors, counts.slowest
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

/// All changes that leave somebody to answer, from a task each.
fn changes(primary: &Primary) -> Vec<JoinHandle<()>> {
    const LAST: &str = "test:guests/last";
    let mut tasks = Vec::new();
    // Two others that answer come and go.
    for name in ["one1", "two2"] {
        let (primary, component) = (primary.clone(), renamed(guest("last"), "last", name));
        tasks.push(tokio::spawn(async move {
            for _ in 0..ROUNDS {
                primary.load_bytes(name, component.clone()).await.unwrap();
                primary.unload(name).await.unwrap();
            }
        }));
    }
    // Now one of the three is preferred, now another one, whether it is there or not.
    let changing = primary.clone();
    tasks.push(tokio::spawn(async move {
        for preferred in [Some("one1"), Some("last"), Some("two2"), None].iter().cycle().take(ROUNDS * 4) {
            changing.prefer(LAST, *preferred).await.unwrap();
        }
    }));
    for name in ["last", "middle"] {
        let changing = primary.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..ROUNDS {
                changing.restart(name).await.unwrap();
            }
        }));
    }
    for name in ["first", "middle"] {
        let (changing, component) = (primary.clone(), guest(name));
        tasks.push(tokio::spawn(async move {
            for _ in 0..ROUNDS {
                changing.reload(name).bytes(component.clone()).await.unwrap();
            }
        }));
    }
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn with_changes_from_many_tasks_at_once_no_call_fails() {
    let primary = primary().await;
    let callers = Callers::begin(&primary, 0);
    for task in changes(&primary) {
        task.await.unwrap();
    }
    let counts = callers.end().await;
    eprintln!("{} calls, {} answers; the slowest took {:?}", counts.calls, counts.answers, counts.slowest);
    assert_eq!((counts.answers, counts.errors), (counts.calls, BTreeMap::new()));
    assert!(primary.graph().planets.iter().all(|node| node.state == State::Running), "{}", primary.graph());
    assert_eq!(primary.graph().planets.len(), 3);
}
