use super::*;

/// What a failure says, without what differs from run to run.
fn told(failure: &Failure) -> String {
    failure.to_string()
}

/// A first call fails, with this told.
async fn fails(what: &str, kind: &str, expected: expect_test::Expect) {
    let case = Case::of(what);
    let failure = case.add(1, 2).await.unwrap_err();
    expected.assert_eq(&told(&failure));
    assert_eq!(failure.kind(), kind);
    // The next one is answered by another process, or told the same again.
    match case.call("ask", &to_bytes("pid")).await {
        Ok(_) => {}
        Err(again) => assert_eq!(told(&again), told(&failure)),
    }
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_before_the_greeting_is_told_with_its_last_words() {
    fails(
        "exits",
        "crashed",
        expect_test::expect![[r#"
        satellite `worker` of planet `native` ended with status 3 before it had said what it serves
          last lines of its standard error:
            no licence"#]],
    )
    .await;
    fails(
        "leaves",
        "crashed",
        expect_test::expect![[r#"
        satellite `worker` of planet `native` ended with status 0 before it had said what it serves
          help: it has to be a program that speaks Kokoro's protocol: `kokoro-satellite` makes it one"#]],
    )
    .await;
    fails(
        "half",
        "crashed",
        expect_test::expect!["satellite `worker` of planet `native` ended with status 0 in the middle of a message before it had said what it serves"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_greet_as_it_should_is_ended() {
    fails("garbage", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol before it had said what it serves, and was ended: a frame says that it has 1819043144 bytes; it may have 1 to 1048576"]).await;
    fails("huge", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol before it had said what it serves, and was ended: a frame says that it has 4294967295 bytes; it may have 1 to 1048576"]).await;
    fails("hasty", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol before it had said what it serves, and was ended: its first message is not a greeting"]).await;
    fails("version", "absent", expect_test::expect![[r#"
        satellite `worker` of planet `native` speaks version 7 of the protocol, and the application version 1: the application is older
          help: build the application anew, with the version of Kokoro that the satellite has"#]]).await;
    fails("token", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol before it had said what it serves, and was ended: it does not give the token that it was started with"]).await;
    fails("misfit", "absent", expect_test::expect![[r#"
        satellite `worker` of planet `native` does not serve what the planet imports
          `add` of `test:native/work@0.1.0` is `func(u32, u32) -> u32` for the planet, and `func(u32, u64) -> u32` for the satellite
          help: build the planet and the satellite anew, from the same WIT"#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_greets_is_ended() {
    let limits = Limits { start: Duration::from_millis(300), ..limits() };
    let case = Case::with(|grant| grant.env(peer::PEER, "silent"), limits, restarts());
    let failure = case.add(1, 2).await.unwrap_err();
    expect_test::expect![
        "satellite `worker` of planet `native` did not say what it serves within 300 ms, and was ended"
    ]
    .assert_eq(&told(&failure));
    assert_eq!(failure.kind(), "overdue");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_in_a_call_is_told_with_its_last_words() {
    fails(
        "crash",
        "crashed",
        expect_test::expect![[r#"
        satellite `worker` of planet `native` ended with status 7 while it executed `add`
          last lines of its standard error:
            about to crash"#]],
    )
    .await;
    fails(
        "abort",
        "crashed",
        expect_test::expect!["satellite `worker` of planet `native` was ended by SIGABRT while it executed `add`"],
    )
    .await;
    fails(
        "amid",
        "crashed",
        expect_test::expect!["satellite `worker` of planet `native` ended with status 0 in the middle of a message while it executed `add`"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_the_protocol_in_a_call_is_ended() {
    fails("stranger", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol while it executed `add`, and was ended: it answers the call 2, which does not wait for an answer"]).await;
    fails("type", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol, and was ended: what `add` answers with is not a value of this type: at byte 0, 4 more belong, and 1 are left"]).await;
    fails("memory", "crashed", expect_test::expect!["satellite `worker` of planet `native` broke the protocol, and was ended: it answers with 1048576 bytes in its memory file, which cannot be read: unexpected end of file"]).await;
    fails("closes", "crashed", expect_test::expect!["satellite `worker` of planet `native` closed its channel while it executed `add`, and lived on; it was ended"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_in_a_call_goes_on() {
    for (what, kind, expected) in [
        (
            "panics",
            "crashed",
            expect_test::expect![
                "satellite `worker` of planet `native` failed in `add`: panicked at src/main.rs:1:2: no news"
            ],
        ),
        (
            "large",
            "limited",
            expect_test::expect![
                "satellite `worker` of planet `native` answered `add` with more than 1073741824 bytes, the most that may cross: `Limits::value`"
            ],
        ),
    ] {
        let case = Case::of(what);
        let pid = case.pid().await;
        let failure = case.add(1, 2).await.unwrap_err();
        expected.assert_eq(&told(&failure));
        assert_eq!((failure.kind(), case.pid().await), (kind, pid));
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_is_the_end() {
    let case = Case::of("twice");
    let pid = case.pid().await;
    assert_eq!(case.add(1, 2).await.unwrap(), 1);
    // The next one may come before that is seen.
    while case.call("ask", &to_bytes("pid")).await.is_ok_and(|now| from_bytes::<String>(&now) == Ok(pid.to_string())) {}
    gone(pid).await;
    assert_ne!(case.pid().await, pid);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_while_nobody_calls_is_started_anew() {
    let case = Case::of("");
    let pid = case.pid().await;
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    gone(pid).await;
    while case.call("ask", &to_bytes("pid")).await.is_err() {}
    assert_ne!(case.pid().await, pid);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_in_a_call_that_was_given_up_is_ended_with_its_group() {
    let case = Case::of("hangs");
    let (pid, child) = (case.pid().await, case.ask("child").await.parse().unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(30), case.add(1, 2)).await.is_err());
    assert_ne!(case.pid().await, pid);
    assert!(!lives(pid));
    gone(child).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_is_ended() {
    use rustix::process::{Pid, Signal, kill_process};
    let case = Case::of("");
    let pid = case.pid().await;
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::STOP).unwrap();
    let bytes = to_bytes(&vec![1u8; 64 << 20]);
    assert!(tokio::time::timeout(Duration::from_millis(30), case.call("echo", &bytes)).await.is_err());
    assert_ne!(case.pid().await, pid);
    assert!(!lives(pid));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_it_leaves_behind_hold_nothing_up() {
    fails(
        "child-then-exit",
        "crashed",
        expect_test::expect![
            "satellite `worker` of planet `native` ended with status 5 before it had said what it serves"
        ],
    )
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn its_end_is_seen_though_somebody_else_has_its_files() {
    fails(
        "leaves-one-behind",
        "crashed",
        expect_test::expect!["satellite `worker` of planet `native` ended with status 9 while it executed `add`"],
    )
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn its_end_is_seen_before_the_greeting_though_somebody_else_has_its_files() {
    use rustix::process::{Pid, Signal, kill_process};
    // Longer than anybody would wait.
    let limits = Limits { start: Duration::from_secs(3600), ..limits() };
    let case = Case::with(|grant| grant.env(peer::PEER, "leaves-one-behind-early"), limits, restarts());
    let failure = case.add(1, 2).await.unwrap_err();
    let left = failure.stderr()[0].parse().unwrap();
    kill_process(Pid::from_raw(left).unwrap(), Signal::KILL).unwrap();
    let told = told(&failure);
    assert!(
        told.starts_with("satellite `worker` of planet `native` ended with status 0 before it had said what it serves"),
        "{told}"
    );
    case.end().await;
}

const APPLICATION: &str = "KOKORO_TEST_APPLICATION";

/// No test: the application that is killed in the next one.
#[test]
fn application() {
    if std::env::var_os(APPLICATION).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (_case, pid) = runtime.block_on(async {
            let case = Case::of("stays");
            let pid = case.pid().await;
            (case, pid)
        });
        eprintln!("pid {pid}.");
        loop {
            std::thread::park();
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_application_is_killed() {
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "satellite::tests::bad::application", "--nocapture"]).env(APPLICATION, "1");
    let mut application = command.stderr(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(application.stderr.take().unwrap()).lines();
    let told =
        lines.map(Result::unwrap).find_map(|line| line.strip_prefix("pid ")?.strip_suffix('.').map(str::to_owned));
    let pid: u32 = told.unwrap().parse().unwrap();
    assert!(lives(pid));
    application.kill().unwrap();
    application.wait().unwrap();
    gone(pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processor_time_is_bounded() {
    let grant = |grant: SatelliteGrant| grant.env(peer::PEER, "processor").cpu_time(Duration::from_secs(1));
    let case = Case::with(grant, limits(), restarts());
    let failure = case.add(1, 2).await.unwrap_err();
    expect_test::expect!["satellite `worker` of planet `native` has used up the processor time that it is granted, 1 s, and was ended while it executed `add`"].assert_eq(&told(&failure));
    assert_eq!(failure.kind(), "limited");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_taken_in() {
    for what in ["flood", "logs"] {
        let case = Case::of(what);
        assert_eq!(case.add(1, 2).await.unwrap(), 1);
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_too_often_is_given_up_for_a_while() {
    let mut restarts = restarts();
    restarts.limit = 2;
    restarts.healthy = Duration::from_millis(300);
    let case = Case::with(|grant| grant.env(peer::PEER, "crash"), limits(), restarts);
    for _ in 0..3 {
        assert_eq!(case.add(1, 2).await.unwrap_err().kind(), "crashed");
    }
    let failure = case.add(1, 2).await.unwrap_err();
    assert_eq!(failure.kind(), "absent");
    let told = told(&failure);
    assert!(
        told.starts_with(
            "satellite `worker` of planet `native` has ended too often, and is not started anew within the next "
        ),
        "{told}"
    );
    assert_eq!(told.matches("ended with status 7 while it executed `add`").count(), 3, "{told}");
    while case.call("ask", &to_bytes("pid")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_wait_for_a_pause_where_they_are_not_to() {
    let mut restarts = restarts();
    (restarts.pause, restarts.longest_pause) = (Duration::from_secs(3600), Duration::from_secs(3600));
    restarts.calls_wait = false;
    let case = Case::with(|grant| grant.env(peer::PEER, "crash"), limits(), restarts);
    assert_eq!(case.add(1, 2).await.unwrap_err().kind(), "crashed");
    let failure = case.add(1, 2).await.unwrap_err();
    assert_eq!(failure.kind(), "absent");
    assert!(failure.sentence().contains("has ended, and is not started anew within the next 3"), "{failure}");
    case.end().await;
}

#[test]
fn a_runtime_that_cannot_do_it_is_told_of() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let failure = runtime.block_on(async { Case::of("").add(1, 2).await.unwrap_err() });
    expect_test::expect![
        "satellite `worker` of planet `native` cannot be used: the application's async runtime has no I/O: build it with `enable_all`"
    ]
    .assert_eq(&failure.to_string());
}
