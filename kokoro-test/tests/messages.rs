//! What a plugin author reads when a test fails. The tests that fail are ignored; each is run in a process of its own, and what it
//! shows is compared.

mod support;

use std::process::Command;

use kokoro_test::{Fake, Harness, Restarts, for_each_wit};
use support::{guest, wit::relay::Relay};

fn faults() -> Fake {
    Fake::of("test:guests/faults@0.1.0").answers("panic-text", |_: String| Ok::<(), String>(()))
}

fn host() -> Fake {
    Fake::of("test:guests/host").answers("chain", Vec::<String>::new)
}

#[test]
#[ignore = "fails, to show how"]
fn wrong_answer() {
    let faults = faults().answers_err("panic-text", "no such word");
    let test = guest("relay").dependency(&faults).application(&host()).start();
    let relay: Relay = test.get();
    assert_eq!(test.wait(relay.text("ada")), "Ok(())");
}

#[test]
#[ignore = "fails, to show how"]
fn wrong_answer_in_wave() {
    let test = guest("extra").start();
    test.assert_answer("double(4)", "9");
}

#[test]
#[ignore = "fails, to show how"]
fn called_wrongly() {
    let faults = faults().expects("panic-text", ["ada"]);
    let test = guest("relay").dependency(&faults).application(&host()).start();
    let relay: Relay = test.get();
    test.wait(relay.text("Ada"));
}

#[test]
#[ignore = "fails, to show how"]
fn called_once_more() {
    let faults = faults().expects("panic-text", ["ada"]);
    let test = guest("relay").dependency(&faults).application(&host()).start();
    let relay: Relay = test.get();
    test.wait(relay.text("ada"));
    test.wait(relay.text("ada"));
}

#[test]
#[ignore = "fails, to show how"]
fn not_called() {
    let faults = faults().expects("panic-text", ["ada"]);
    guest("relay").dependency(&faults).application(&host()).start().finish();
}

#[test]
#[ignore = "fails, to show how"]
fn without_an_answer() {
    let test = guest("relay").dependency(&faults()).application(&host()).start();
    test.wait(test.get::<Relay>().failure("ada"));
}

#[test]
#[ignore = "fails, to show how"]
fn a_closure_that_panics() {
    let faults = faults().answers("panic-text", |word: String| {
        assert!(word.is_empty(), "a word of {} letters", word.len());
        Ok::<(), String>(())
    });
    let test = guest("relay").dependency(&faults).application(&host()).start();
    test.wait(test.get::<Relay>().text("ada"));
}

#[test]
#[ignore = "fails, to show how"]
fn the_planet_panics() {
    let test = guest("faulty").restarts(Restarts::none()).start();
    test.call(r#"panic("it is broken")"#);
}

#[test]
#[ignore = "fails, to show how"]
fn another_version() {
    const REST: &str = "attached: func() -> option<string>; back: func() -> result<string, string>; new: func();";
    let folder = tempfile::tempdir().unwrap();
    let versions = [("1.0", "list<string>"), ("2.0", "list<u8>"), ("3.0", "list<string>")].map(|(version, chain)| {
        let folder = folder.path().join(format!("wit-{version}"));
        std::fs::create_dir(&folder).unwrap();
        let text = format!("package test:guests@0.1.9; interface host {{ chain: func() -> {chain}; {REST} }}");
        std::fs::write(folder.join("host.wit"), text).unwrap();
        folder
    });
    for_each_wit(versions, |harness: Harness| {
        let test = harness.dependency(&faults()).start();
        // The application itself is there, and has no answers.
        assert_eq!(test.call(r#"text("ada")"#), r#""Ok(())""#);
    });
}

#[test]
#[ignore = "fails, to show how"]
fn an_application_that_goes() {
    let host = host();
    let _test = guest("relay").dependency(&faults()).application(&host).start();
    host.goes();
}

#[test]
#[ignore = "fails, to show how"]
fn an_application_that_crashes() {
    let host = host();
    let _test = guest("relay").dependency(&faults()).application(&host).start();
    host.crashes();
}

#[test]
#[ignore = "fails, to show how"]
fn of_this_package() {
    Harness::built().start();
}

#[test]
#[ignore = "fails, to show how"]
fn of_this_workspace() {
    Harness::new("gretter").start();
}

/// What an ignored test shows. `with` are variables of its process.
fn shown(test: &str, with: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", test, "--test-threads=1"]).env("RUST_BACKTRACE", "0");
    child.env("KOKORO_PLANETS", support::file("x").parent().unwrap().parent().unwrap());
    let output = child.envs(with.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{text}");
    let text = text.split("stdout ----\n").nth(1).unwrap_or(&text).split("\nfailures:").next().unwrap_or_default();
    normal(text)
}

/// Without what differs from run to run: the numbers of threads and lines, temporary folders.
fn normal(text: &str) -> String {
    let mut normal = String::new();
    for line in text.trim().lines() {
        let line = match line.strip_prefix("thread '").and_then(|line| line.split_once("' (")) {
            Some((thread, rest)) => format!("thread '{thread}'{}", rest.split_once(')').unwrap_or_default().1),
            None => line.to_owned(),
        };
        let mut pieces = line.split(".rs:");
        normal += pieces.next().unwrap_or_default();
        for piece in pieces {
            normal += ".rs:_";
            normal += piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        }
        normal += "\n";
    }
    let temporary = std::env::temp_dir().display().to_string();
    let mut pieces = normal.split(temporary.as_str());
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain += "TEMPORARY";
        plain += piece.trim_start_matches('/').trim_start_matches(|c: char| c == '.' || c.is_ascii_alphanumeric());
    }
    plain
}

#[test]
fn a_wrong_answer_shows_what_led_to_it() {
    expect_test::expect![[r#"
        thread 'wrong_answer' panicked at kokoro-test/tests/messages.rs:_
        assertion `left == right` failed
          left: "Err(\"no such word\")"
         right: "Ok(())"
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

        planet `relay` is running
          what the fakes were asked:
            faults.panic-text("ada") -> err("no such word")
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody
    "#]]
    .assert_eq(&shown("wrong_answer", &[]));
    expect_test::expect![[r#"
        thread 'wrong_answer_in_wave' panicked at kokoro-test/tests/messages.rs:_
        `double(4)` gave another answer
          expected: 9
          got:      8

        planet `extra` is running

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("wrong_answer_in_wave", &[]));
}

#[test]
fn a_fake_that_is_called_wrongly_says_how_and_by_whom() {
    expect_test::expect![[r#"
        thread 'called_wrongly' panicked at kokoro-test/tests/messages.rs:_
        the fake `faults` was called otherwise than expected
          by:       `relay`
          expected: panic-text("ada") (at kokoro-test/tests/messages.rs:_)
          got:      panic-text("Ada")

        planet `relay` is running
          what the fakes were asked:
            faults.panic-text("Ada") -> no answer
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("called_wrongly", &[]));
    expect_test::expect![[r#"
        thread 'called_once_more' panicked at kokoro-test/tests/messages.rs:_
        the fake `faults` was called otherwise than expected
          by:       `relay`
          expected: no further call of `panic-text`
          got:      panic-text("ada")

        planet `relay` is running
          what the fakes were asked:
            faults.panic-text("ada") -> ok
            faults.panic-text("ada") -> no answer
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("called_once_more", &[]));
    expect_test::expect![[r#"
        thread 'not_called' panicked at kokoro-test/tests/messages.rs:_
        the fake `faults` was not called as expected
          expected: panic-text("ada") (at kokoro-test/tests/messages.rs:_)
          got:      nothing

        planet `relay` is running
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("not_called", &[]));
    expect_test::expect![[r#"
        thread 'without_an_answer' panicked at kokoro-test/tests/messages.rs:_
        the fake `faults` was called, and has no answer
          by:   `relay`
          got:  panic-failure("ada")
          help: say what it answers: `.answers("panic-failure", ..)`

        planet `relay` is running
          what the fakes were asked:
            faults.panic-failure("ada") -> no answer
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("without_an_answer", &[]));
    expect_test::expect![[r#"
        thread 'kokoro-test' panicked at kokoro-test/tests/messages.rs:_
        a word of 3 letters
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

        thread 'a_closure_that_panics' panicked at kokoro-test/tests/messages.rs:_
        the fake `faults` did not answer panic-text("ada") (as said at kokoro-test/tests/messages.rs:_): it panicked: a word of 3 letters

        planet `relay` is running
          what the fakes were asked:
            faults.panic-text("ada") -> no answer
          what it depends on:
            test:guests/faults@0.1.0 <- planet `faults`
            test:guests/host@0.1.0 <- the application
            test:guests/extra@0.1.0 (optional) <- nobody
    "#]].assert_eq(&shown("a_closure_that_panics", &[]));
}

#[test]
fn what_the_application_serves_does_not_come_and_go() {
    for test in ["an_application_that_goes", "an_application_that_crashes"] {
        let message = shown(test, &[]);
        assert!(message.contains("is served by the application, which does not"), "{message}");
        assert!(message.contains("help: make it a `.dependency(..)`"), "{message}");
    }
}

#[test]
fn a_planet_that_panics_shows_where() {
    expect_test::expect![[r#"
        thread 'the_planet_panics' panicked at kokoro-test/tests/messages.rs:_
        `panic("it is broken")` was not answered: planet `faulty` failed in `test:guests/faults@0.1.0.panic`: panicked at kokoro-host/tests/guests/faulty/src/lib.rs:_ it is broken
          executing, innermost first:
            test:guests/faults@0.1.0#panic
          last lines of its standard error:
            thread '<unnamed>' (1) panicked at kokoro-host/tests/guests/faulty/src/lib.rs:_
            it is broken

        planet `faulty` has failed: planet `faulty` failed in `test:guests/faults@0.1.0.panic`: panicked at kokoro-host/tests/guests/faulty/src/lib.rs:_ it is broken
          what was logged:
            WARN  faulty: [stderr]
            WARN  faulty: [stderr] thread '<unnamed>' (1) panicked at kokoro-host/tests/guests/faulty/src/lib.rs:_
            WARN  faulty: [stderr] it is broken
            WARN  faulty: [stderr] note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]].assert_eq(&shown("the_planet_panics", &[]));
}

#[test]
fn versions_of_the_application_that_do_not_fit_are_named() {
    expect_test::expect![[r#"
        thread 'another_version' panicked at kokoro-test/tests/messages.rs:_
        planet `relay` does not run (waiting): needs `test:guests/host@0.1.0`, which the application provides, but its types differ: the function `chain` differs: an element of the result is `string` in the import and `u8` in the export
          help: build both against the same WIT
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

        the test failed with the WIT in `TEMPORARY/wit-2.0`: see above


        thread 'another_version' panicked at kokoro-test/tests/messages.rs:_
        the test failed with the WIT in `TEMPORARY/wit-2.0`, of 3 versions
    "#]].assert_eq(&shown("another_version", &[("CARGO_PKG_NAME", "relay")]));
}

#[test]
fn a_planet_that_is_not_where_it_is_looked_for_is_an_error_that_says_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/other.wasm"), "").unwrap();
    let with = [("KOKORO_PLANETS", folder.path().to_str().unwrap())];
    expect_test::expect![[r#"
        thread 'of_this_package' panicked at kokoro-test/tests/messages.rs:_
        there is no `kokoro-test.wasm` in `TEMPORARY`, where the variable KOKORO_PLANETS says that planets (plugins) are; there is `other`
          help: build them (`kokoro build`), or unset the variable, and the test builds what it needs itself
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    "#]]
    .assert_eq(&shown("of_this_package", &with));
    // Which there are changes with the workspace.
    let message = shown("of_this_workspace", &[("KOKORO_PLANETS", "")]);
    assert!(message.contains("this workspace has no package `gretter`; its planets (plugins) are: "), "{message}");
    assert!(message.contains("`relay`"), "{message}");
}

#[test]
fn a_test_that_cannot_be_made_says_why() {
    let fails = |harness: Harness| harness.try_start().unwrap_err().to_string();
    let relay = || guest("relay").application(&host());
    let message = fails(guest("relay"));
    expect_test::expect![[r#"
        planet `relay` does not run (waiting): needs `test:guests/faults@0.1.0`, and no loaded planet provides it
          help: load a provider of 0.1.x, or declare the dependency optional
        needs `test:guests/host@0.1.0`, and no loaded planet provides it
          help: load a provider of 0.1.x, or declare the dependency optional"#]]
    .assert_eq(&message);
    let message = fails(guest("unready"));
    expect_test::expect![
        "planet `unready` does not run (failed): planet `unready` did not start: invalid digit found in string"
    ]
    .assert_eq(&message);
    let message = fails(relay().dependency(&Fake::of("test:guests/faluts@0.1.0")));
    expect_test::expect![[r#"
        `test:guests/faluts@0.1.0` cannot be faked: `relay` does not import it; it imports `test:guests/extra@0.1.0`, `test:guests/faults@0.1.0`, `test:guests/host@0.1.0`
          help: take its types from a folder: `.from_wit("wit")`"#]].assert_eq(&message);
    let message = normal(&fails(relay().dependency(&faults().answers("panic-txt", || 1_u32))));
    expect_test::expect![[r#"
        the fake `faults` has no function `panic-txt` (at kokoro-test/tests/messages.rs:_); it has: `panic`, `panic-failure`, `panic-text`, `spin`, `spin-text`
          help: it has what the planet under test calls, since compilers leave out the rest; or take its WIT: `.from_wit(..)`
    "#]].assert_eq(&message);
    let message = normal(&fails(relay().dependency(&faults().answers("panic-text", |_: u8| "x"))));
    expect_test::expect![[r#"
        the fake `faults` cannot answer `panic-text` like that (at kokoro-test/tests/messages.rs:_)
          given:   func(u8) -> string
          the WIT: func(message: string) -> result<_, string>
    "#]]
    .assert_eq(&message);
    let message = normal(&fails(relay().dependency(&faults().answers_err("spin", "x"))));
    expect_test::expect![[r#"
        the fake `faults` cannot answer `spin` like that (at kokoro-test/tests/messages.rs:_)
          given:   func(..) -> result<.., string>
          the WIT: func()
    "#]]
    .assert_eq(&message);
    let message = normal(&fails(relay().dependency(&faults().expects("panic-text", [1_u8, 2]))));
    expect_test::expect![[r#"
        the fake `faults` cannot be called like that (at kokoro-test/tests/messages.rs:_)
          expected: panic-text(u8, u8)
          the WIT:  func(message: string) -> result<_, string>
    "#]]
    .assert_eq(&message);
    let message = fails(guest("keeper").dependency(&Fake::of("test:guests/store")));
    expect_test::expect![[r#"`test:guests/store@0.1.0` cannot be faked: it defines the resource `cursor`"#]]
        .assert_eq(&message);
    let message = fails(guest("extra").satellite(&Fake::of("test:guests/work@0.1.0")));
    expect_test::expect![[
        r#"`extra` asks for no satellite that serves `test:guests/work@0.1.0`; its satellites serve: nothing"#
    ]]
    .assert_eq(&message);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let message = runtime.block_on(async { fails(guest("extra")) });
    expect_test::expect![[r#"
        this waits, and must not do so inside an async runtime
          help: write an ordinary `#[test]`, and await what is async in it by `test.wait(async { .. })`"#]]
    .assert_eq(&message);
    for host in [host().crashes(), host().hangs()] {
        let message = fails(guest("relay").dependency(&faults()).application(&host));
        expect_test::expect![[r#"
            `host` is served by the application, which does not end like a planet (plugin)
              help: make it a `.dependency(..)`"#]]
        .assert_eq(&message);
    }
    let (one, other) = (faults(), host());
    let _test = guest("relay").dependency(&one).application(&other).start();
    let message = fails(guest("relay").dependency(&one).application(&host()));
    expect_test::expect![[r#"
        the fake `faults` is in another test already
          help: make one for each"#]]
    .assert_eq(&message);
    let message = fails(guest("relay").dependency(&faults()).application(&other).application(&other));
    expect_test::expect!["the fake `host` is given twice"].assert_eq(&message);
    let message = fails(Harness::file("nowhere.wasm"));
    expect_test::expect![[r#"`nowhere.wasm` cannot be read: No such file or directory (os error 2)"#]]
        .assert_eq(&message);
}
