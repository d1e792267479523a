//! Calls that are given up, each in another phase, and what that costs the Satellite.

use super::*;
use crate::value::{Buffer, Receiver as _};

/// A program of the shell, and how often it has been started.
fn counting(script: &str, restarts: Restarts) -> Case {
    let script = format!("#!/bin/sh\necho once >> \"$COUNT\"\n{script}\n");
    let mut case = Case::running(&script, |grant| grant, limits(), restarts);
    let count = case.folder.path().join("count").display().to_string();
    case.renewed(|terms| terms.grant = SatelliteGrant::program("worker").env("COUNT", count));
    case
}

impl Case {
    fn renewed(&mut self, change: impl FnOnce(&mut Terms)) {
        let mut terms = self.terms();
        change(&mut terms);
        self.lease = None;
        self.satellite = Satellite::new(terms);
        self.lease = Some(self.satellite.lease());
    }

    fn terms(&self) -> Terms {
        let Terms { planet, program, file, sha256, grant, interfaces, limits, restarts, runtime, census } =
            &self.satellite.shared.terms;
        Terms {
            planet: Arc::clone(planet),
            program: Arc::clone(program),
            file: file.clone(),
            sha256: sha256.clone(),
            grant: grant.clone(),
            interfaces: interfaces.clone(),
            limits: limits.clone(),
            restarts: restarts.clone(),
            runtime: runtime.clone(),
            census: census.clone(),
        }
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("count")).unwrap_or_default().lines().count()
    }

    /// A call of `add` that has so much time, as the caller of a Planet's function hears of it.
    async fn within(&self, time: Duration) -> Result<(), Failure> {
        let progress = Progress::new(Instant::now() + time);
        let interface: InterfaceName = "test:native/work@0.1.0".parse().unwrap();
        let arguments = to_bytes(&(1u32, 2u32));
        let call = self.satellite.call(&interface, "add", &arguments, &progress);
        match tokio::time::timeout(time, call).await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(self.satellite.late("add", false, &progress)),
        }
    }

    /// Waits until a call is executed.
    async fn is_executed(progress: &Progress) {
        while progress.executed().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Begins a call of `add`, which is executed when this returns.
    async fn begun(&self, progress: &Arc<Progress>) -> tokio::task::JoinHandle<Result<Buffer, Failure>> {
        let (satellite, shared) = (Arc::clone(&self.satellite), Arc::clone(progress));
        let call = tokio::spawn(async move {
            let interface: InterfaceName = "test:native/work@0.1.0".parse().unwrap();
            satellite.call(&interface, "add", &to_bytes(&(1u32, 2u32)), &shared).await
        });
        Self::is_executed(progress).await;
        call
    }
}

const SOON: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn who_is_late_has_executed_the_call() {
    let case = Case::of("hangs");
    case.pid().await;
    let failure = case.within(SOON).await.unwrap_err();
    assert_eq!(failure.kind(), "overdue");
    let told = failure.to_string();
    assert!(
        told.starts_with("satellite `worker` of planet `native` was late: `add` did not answer within ")
            && told.ends_with(" ms"),
        "{told}"
    );
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_its_turn_is_told_so() {
    let case = Case::of("hangs");
    let first = patient();
    let call = case.begun(&first).await;
    let failure = case.within(SOON).await.unwrap_err();
    let told = "the deadline passed before satellite `worker` of planet `native` was free to answer `add`";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("overdue", told));
    let failure = case.satellite.late("add", true, &patient());
    let told = "the call of `add` was cancelled before satellite `worker` of planet `native` began to answer it";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("cancelled", told));
    call.abort();
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_a_restart_is_told_so_and_what_was_before() {
    let mut restarts = restarts();
    restarts.pause = Duration::from_secs(30);
    let case = Case::with(|grant| grant.env(peer::PEER, "crash"), limits(), restarts);
    case.add(1, 2).await.unwrap_err();
    let failure = case.within(SOON).await.unwrap_err();
    let told = "the deadline passed before satellite `worker` of planet `native` was started anew to answer `add`; before that: \
                satellite `worker` of planet `native` ended with status 7 while it executed `add`";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("overdue", told));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_a_start_is_told_so_and_what_was_before() {
    let case = counting("if [ $(wc -l < \"$COUNT\") = 1 ]; then exit 3; fi; exec sleep 1000", restarts());
    case.add(1, 2).await.unwrap_err();
    let failure = case.within(Duration::from_millis(500)).await.unwrap_err();
    let told = "the deadline passed while satellite `worker` of planet `native` was started anew to answer `add`; before that: \
                satellite `worker` of planet `native` ended with status 3 before it had said what it serves";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("overdue", told));
    assert_eq!(
        case.satellite.late_to_start().to_string(),
        "the deadline passed while satellite `worker` of planet `native` was started; before that: \
         satellite `worker` of planet `native` ended with status 3 before it had said what it serves"
    );
    case.end().await;

    let case = counting("exec sleep 1000", restarts());
    let failure = case.within(Duration::from_millis(500)).await.unwrap_err();
    let told = "the deadline passed while satellite `worker` of planet `native` was started to answer `add`";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("overdue", told));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_time_starts_nothing() {
    let case = counting("exit 3", restarts());
    let failure = case.within(Duration::ZERO).await.unwrap_err();
    assert_eq!(failure.kind(), "overdue");
    assert_eq!(case.within(SOON).await.unwrap_err().kind(), "crashed");
    assert_eq!(case.starts(), 1);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_again_and_again_is_given_up_though_its_planet_is_started_anew() {
    let mut restarts = restarts();
    restarts.limit = 2;
    let mut case = counting("kill -ABRT $$", restarts);
    let mut kinds = Vec::new();
    for _ in 0..10 {
        kinds.push(case.add(1, 2).await.unwrap_err().kind());
        // As a Planet's instance does that is lost with the call.
        case.lease = None;
        case.lease = Some(case.satellite.lease());
    }
    assert_eq!(case.starts(), 3);
    assert_eq!((&kinds[..3], &kinds[3..]), (&["crashed"; 3][..], &["absent"; 7][..]));
    case.satellite.renew();
    assert_eq!(case.add(1, 2).await.unwrap_err().kind(), "crashed");
    assert_eq!(case.starts(), 4);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_may_end_in_order_while_somebody_waits() {
    let case = Case::of("never");
    let pid = case.pid().await;
    let progress = patient();
    assert!(!progress.cancel(), "nobody has been told of it");
    let call = case.begun(&progress).await;
    assert!(progress.cancel());
    let failure = call.await.unwrap().unwrap_err();
    let told = "the call of `add` was cancelled, and satellite `worker` of planet `native` gave it up: given up";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("cancelled", told));
    assert_eq!(case.pid().await, pid);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_give_up_cancelled_calls_is_started_anew_and_pays_nothing() {
    let mut restarts = restarts();
    restarts.limit = 1;
    let case = Case::with(|grant| grant.env(peer::PEER, "hangs"), limits(), restarts);
    let mut pids = Vec::new();
    for _ in 0..4 {
        pids.push(case.pid().await);
        let progress = patient();
        let call = case.begun(&progress).await;
        assert!(progress.cancel());
        call.abort();
    }
    pids.push(case.pid().await);
    pids.dedup();
    assert_eq!(pids.len(), 5, "each was ended");
    // Who has the time and hangs does pay.
    for _ in 0..2 {
        case.pid().await;
        assert_eq!(case.within(SOON).await.unwrap_err().kind(), "overdue");
    }
    let failure = case.add(1, 2).await.unwrap_err();
    assert_eq!(failure.kind(), "absent", "{failure}");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_with_its_leases_though_there_are_new_ones_at_once() {
    let mut case = Case::of("");
    for _ in 0..20 {
        let pid = case.pid().await;
        case.lease = None;
        case.lease = Some(case.satellite.lease());
        assert_ne!(case.pid().await, pid);
    }
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_given_back_by_calls_that_are_given_up_and_claims_that_are_not_used() {
    /// More than is kept for the next value.
    const MUCH: usize = 64 << 20;
    let case = Case::of("waits");
    case.pid().await;
    let kilobytes = || async { case.ask("memory-of-arguments").await.parse::<u64>().unwrap() };
    let mut claim = case.satellite.claim().unwrap();
    claim.outlet().write_all(&vec![1; MUCH]).unwrap();
    drop(claim);
    assert!(kilobytes().await < MUCH as u64 / 2048, "{}", kilobytes().await);
    let bytes = to_bytes(&vec![1u8; MUCH]);
    assert!(tokio::time::timeout(Duration::from_millis(1), case.call("echo", &bytes)).await.is_err());
    assert!(kilobytes().await < MUCH as u64 / 2048, "{}", kilobytes().await);
    case.end().await;
}

#[test]
fn a_runtime_without_io_is_told_from_one_that_is_shut_down() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let failure = runtime.block_on(async { Case::of("").add(1, 2).await.unwrap_err() });
    let told = "satellite `worker` of planet `native` cannot be used: the application's async runtime has no I/O: build it with \
                `enable_all`";
    assert_eq!((failure.kind(), failure.to_string().as_str()), ("absent", told));
    let error = runtime.block_on(async { tokio::spawn(async { panic!("on\npurpose") }).await.unwrap_err() });
    let failure = runtime.block_on(async { Case::of("").satellite.shared.unworkable(Some(error)) });
    let told =
        "satellite `worker` of planet `native` cannot be used: what starts and ends it has panicked: on\\npurpose";
    assert_eq!(failure.to_string(), told);
}

#[tokio::test]
async fn one_with_another_program_is_not_like_it() {
    let case = Case::of("");
    let mut terms = case.terms();
    assert!(case.satellite.is_like(&terms));
    terms.sha256 = "another".to_owned();
    assert!(!case.satellite.is_like(&terms));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_counted_until_it_has_ended_whoever_has_gone() {
    let case = Case::of("stays");
    let (census, pid) = (case.terms().census, case.pid().await);
    drop(case);
    assert!(lives(pid), "it gets a grace");
    census.none().await;
    assert!(!lives(pid));
}
