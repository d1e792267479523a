//! Planets that come, go and change while others use them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use kokoro_host::{Admission, Builder, Error, Event, Limits, Primary, Restarts, State};
use support::counter::Counter;
use support::holder::Holder;
use support::stubborn::{Mode, Stubborn};
use support::{Gate, LifeCycle, gate, guest, in_time, next, node, reason, wat, with_manifest};

fn builder(gate: &Arc<Gate>) -> Builder {
    Primary::builder().serve(gate::serve(Arc::clone(gate)))
}

async fn primary_of(builder: Builder, guests: &[&str]) -> Primary {
    let primary = builder.build().unwrap();
    for name in guests {
        primary.load_bytes(name, guest(name)).await.unwrap();
    }
    primary
}

async fn primary(guests: &[&str]) -> Primary {
    primary_of(builder(&Arc::default()), guests).await
}

/// A component that exports `t:t/NAME@VERSION` with `f: func() -> u32`, which answers a number or, if it imports something,
/// what that answers.
fn component(export: Option<&str>, import: Option<&str>, number: u32) -> Vec<u8> {
    let (imports, function) = match import {
        Some(import) => (
            format!(r#"(import "t:t/{import}" (instance $in (export "f" (func (result u32)))))"#),
            r#"(core func $inner (canon lower (func $in "f")))
               (core module $m (import "" "f" (func $f (result i32))) (func (export "f") (result i32) call $f))
               (core instance $i (instantiate $m (with "" (instance (export "f" (func $inner))))))"#
                .to_owned(),
        ),
        None => (
            String::new(),
            format!(
                r#"(core module $m (func (export "f") (result i32) i32.const {number}))
                   (core instance $i (instantiate $m))"#
            ),
        ),
    };
    let exports = match export {
        Some(export) => format!(
            r#"(func $f (result u32) (canon lift (core func $i "f")))
               (instance $out (export "f" (func $f)))
               (export "t:t/{export}" (instance $out))"#
        ),
        None => String::new(),
    };
    wat(&format!("(component {imports} {function} {exports})"))
}

async fn load(primary: &Primary, name: &str, export: Option<&str>, import: Option<&str>, number: u32) {
    primary.load_bytes(name, component(export, import, number)).await.unwrap();
}

async fn ask(primary: &Primary, path: &str) -> Result<String, Error> {
    let answer = primary.function(path, "f")?.call(&[]).await?;
    Ok(format!("{:?}", answer[0]))
}

fn states(primary: &Primary) -> String {
    let states: Vec<String> =
        primary.graph().planets.iter().map(|node| format!("{} {}", node.name, node.state)).collect();
    states.join(", ")
}

#[tokio::test]
async fn who_requires_what_goes_stops_first_and_waits_until_it_comes_back() {
    let primary = primary(&[]).await;
    load(&primary, "base", Some("a@1.0.0"), None, 7).await;
    load(&primary, "middle", Some("b@1.0.0"), Some("a@1.0.0"), 0).await;
    load(&primary, "top", Some("c@1.0.0"), Some("b@1.0.0"), 0).await;
    assert_eq!(ask(&primary, "t:t/c").await.unwrap(), "U32(7)");
    let mut events = primary.events();
    let report = primary.unload("base").await.unwrap();
    assert_eq!(report.planets.len(), 2);
    assert_eq!(states(&primary), "middle waiting, top waiting");
    assert!(reason(&primary, "middle").starts_with("needs `t:t/a@1.0.0`"));
    let mut told = Vec::new();
    loop {
        let event = next(&mut events).await;
        told.push(event.to_string());
        if matches!(&event, Event::State { planet, to: State::Gone, .. } if planet == "base") {
            break;
        }
    }
    let stopped: Vec<&str> =
        told.iter().filter(|line| line.contains("running -> stopping")).map(String::as_str).collect();
    assert_eq!(stopped.len(), 3, "{told:?}");
    assert!(stopped[0].starts_with("top") && stopped[1].starts_with("middle") && stopped[2].starts_with("base"));
    load(&primary, "other", Some("a@1.2.0"), None, 8).await;
    assert_eq!(states(&primary), "middle running, other running, top running");
    assert_eq!(ask(&primary, "t:t/c").await.unwrap(), "U32(8)");
    assert!(primary.unload("base").await.unwrap_err().to_string().contains("no planet `base`"));
}

#[tokio::test]
async fn who_has_another_provider_goes_there_without_a_restart() {
    let primary = primary(&[]).await;
    load(&primary, "new", Some("a@1.2.0"), None, 2).await;
    load(&primary, "old", Some("a@1.0.0"), None, 1).await;
    load(&primary, "user", Some("b@1.0.0"), Some("a@1.0.0"), 0).await;
    let user = primary.function("t:t/b", "f").unwrap();
    let a = primary.function("t:t/a", "f").unwrap();
    let mut events = primary.events();
    assert_eq!(format!("{:?}", user.call(&[]).await.unwrap()), "[U32(2)]");
    primary.unload("new").await.unwrap();
    assert_eq!(format!("{:?}", user.call(&[]).await.unwrap()), "[U32(1)]");
    assert_eq!(format!("{:?}", a.call(&[]).await.unwrap()), "[U32(1)]", "a function follows as well");
    let bound = next(&mut events).await;
    assert_eq!(bound.to_string(), "user: t:t/a@1.0.0 <- old");
    assert_eq!(primary.graph().order, ["old", "user"]);
    // A better one that comes later does not take the place, unless it is preferred.
    load(&primary, "newest", Some("a@1.3.0"), None, 3).await;
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(1)");
    primary.prefer("t:t/a@1.0.0", Some("newest")).await.unwrap();
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(3)");
    primary.prefer("t:t/a", Some("old")).await.unwrap();
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(1)");
    assert_eq!(states(&primary), "newest running, old running, user running");
}

#[tokio::test]
async fn options_are_filled_and_emptied_without_a_restart() {
    let primary = primary(&["holder"]).await;
    let holder = primary.get::<Holder>().unwrap();
    let mut events = primary.events();
    assert!(!holder.is_bound().await.unwrap());
    primary.load_bytes("counter", guest("counter")).await.unwrap();
    assert!(holder.is_bound().await.unwrap());
    primary.unload("counter").await.unwrap();
    assert!(!holder.is_bound().await.unwrap());
    primary.shutdown().await;
    let mut told = Vec::new();
    drop(primary);
    while let Some(event) = in_time(events.next()).await {
        told.push(event.to_string());
    }
    assert!(!told[..told.len() - 2].iter().any(|event| event.starts_with("holder: running")), "{told:?}");
}

/// Waits until new calls of `counter` are held up by a change of it.
async fn held_up<T>(primary: &Primary, change: &tokio::task::JoinHandle<T>) {
    let counter = primary.get::<Counter>().unwrap().within(Duration::from_millis(500));
    let error = loop {
        match in_time(counter.value()).await {
            Ok(_) => assert!(!change.is_finished(), "it did not wait for who holds it"),
            Err(error) => break error.to_string(),
        }
        tokio::task::yield_now().await;
    };
    assert!(error.contains("the deadline passed before `counter` was free"), "{error}");
}

#[tokio::test]
async fn what_is_held_stays_until_the_call_ends() {
    let gate = Arc::new(Gate::default());
    let primary = primary_of(builder(&gate), &["counter", "holder"]).await;
    let holder = primary.get::<Holder>().unwrap();
    let call = tokio::spawn(async move { holder.hold().await });
    gate.arrived().await;
    let mut events = primary.events();
    let (changing, component) = (primary.clone(), guest("counter-next"));
    let reload = tokio::spawn(async move { changing.reload("counter").bytes(component).await });
    held_up(&primary, &reload).await;
    // The one that holds it is answered all the same.
    gate.open();
    assert_eq!(in_time(call).await.unwrap().unwrap(), Some((1, 2)));
    in_time(reload).await.unwrap().unwrap();
    assert_eq!(node(&primary, "counter").version.unwrap().to_string(), "2.0.0");
    assert_eq!(primary.get::<Counter>().unwrap().next().await.unwrap(), 3);
    assert_eq!(next(&mut events).await.to_string(), "counter: reloaded, now 2.0.0");

    // An unload waits as well.
    let holder = primary.get::<Holder>().unwrap();
    let call = tokio::spawn(async move { holder.hold().await });
    gate.arrived().await;
    let changing = primary.clone();
    let unload = tokio::spawn(async move { changing.unload("counter").await });
    while node(&primary, "counter").state == State::Running {
        tokio::task::yield_now().await;
    }
    assert_eq!(node(&primary, "counter").state, State::Stopping);
    gate.open();
    assert_eq!(in_time(call).await.unwrap().unwrap(), Some((4, 5)));
    in_time(unload).await.unwrap().unwrap();
    assert!(primary.graph().planet("counter").is_none());
    assert!(!primary.get::<Holder>().unwrap().is_bound().await.unwrap());
}

#[tokio::test]
async fn who_is_held_for_too_long_is_not_reloaded() {
    let gate = Arc::new(Gate::default());
    let mut limits = Limits::default();
    limits.drain = Duration::from_millis(100);
    let primary = primary_of(builder(&gate).limits(limits), &["counter", "holder"]).await;
    let holder = primary.get::<Holder>().unwrap();
    let call = tokio::spawn(async move { holder.hold().await });
    gate.arrived().await;
    let error = primary.reload("counter").bytes(guest("counter-next")).await.unwrap_err();
    assert!(error.is_not_reloaded());
    expect_test::expect![[r#"
        planet `counter` was not reloaded, while the old one was to come to rest: `holder` went on using it in a call that did not end in time
          the old one goes on
          help: try again later, or raise `Limits::drain`"#]]
    .assert_eq(&error.to_string());
    assert_eq!(primary.get::<Counter>().unwrap().next().await.unwrap(), 2, "the old one answers others meanwhile");
    gate.open();
    assert_eq!(in_time(call).await.unwrap().unwrap(), Some((1, 3)));
}

#[tokio::test]
async fn state_is_carried_over_and_migrated() {
    let primary = primary(&["counter"]).await;
    let counter = primary.get::<Counter>().unwrap();
    for expected in 1..=41 {
        assert_eq!(counter.next().await.unwrap(), expected);
    }
    primary.reload("counter").bytes(guest("counter")).await.unwrap();
    assert_eq!(counter.value().await.unwrap(), 41);
    let report = primary.reload("counter").bytes(guest("counter-next")).await.unwrap();
    assert_eq!(report.planets[0].version.as_ref().unwrap().to_string(), "2.0.0");
    assert_eq!(counter.next().await.unwrap(), 42);
    // An older release does not know the newer one's form.
    let error = primary.reload("counter").bytes(guest("counter")).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("while it was given the old one's state") && message.contains("version 2"), "{message}");
    assert_eq!(counter.next().await.unwrap(), 43);
    // A restart begins anew.
    primary.restart("counter").await.unwrap();
    assert_eq!(counter.next().await.unwrap(), 1);
}

#[tokio::test]
async fn each_step_of_a_reload_that_fails_leaves_the_old_one() {
    let mut limits = Limits::default();
    (limits.stop, limits.start) = (Duration::from_secs(2), Duration::from_secs(2));
    let mut restarts = Restarts::default();
    restarts.pause = Duration::ZERO;
    let primary = primary_of(Primary::builder().limits(limits).restarts(restarts), &["stubborn"]).await;
    let stubborn = primary.get::<Stubborn>().unwrap();
    assert_eq!(stubborn.ping().await.unwrap(), 1);
    let mut pings = 1;
    for (mode, step, why, goes_on) in [
        (Mode::SaveErr, "while the old one saved its state", "it does not want to be saved", true),
        (Mode::SaveTrap, "while the old one saved its state", "panicked", false),
        (Mode::SaveForever, "while the old one saved its state", "was late", false),
        (Mode::RestoreErr, "while it was given the old one's state", "it does not want to be restored", true),
        (Mode::RestoreTrap, "while it was given the old one's state", "panicked", true),
        (Mode::RestoreForever, "while it was given the old one's state", "was late", true),
    ] {
        stubborn.set(mode).await.unwrap();
        let error = primary.reload("stubborn").bytes(guest("stubborn")).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("planet `stubborn` was not reloaded, {step}: ")), "{mode:?}: {error}");
        assert!(error.contains(why), "{mode:?}: {error}");
        // One that has trapped is started anew, and begins from the start.
        pings = if goes_on { pings + 1 } else { 1 };
        assert_eq!(stubborn.ping().await.unwrap(), pings, "{mode:?}");
    }
    stubborn.set(Mode::Fine).await.unwrap();
    primary.reload("stubborn").bytes(guest("stubborn")).await.unwrap();
    assert_eq!(stubborn.ping().await.unwrap(), pings + 1);
}

async fn not_reloaded(primary: &Primary, name: &str, component: Vec<u8>, expected: expect_test::Expect) {
    let error = primary.reload(name).bytes(component).await.unwrap_err();
    assert!(error.is_not_reloaded());
    expected.assert_eq(&error.to_string());
}

#[tokio::test]
async fn what_cannot_take_the_place_is_said_with_the_step() {
    let primary = primary(&[]).await;
    load(&primary, "base", Some("a@1.0.0"), None, 1).await;
    load(&primary, "user", Some("b@1.0.0"), Some("a@1.0.0"), 0).await;
    not_reloaded(
        &primary,
        "base",
        b"no component".to_vec(),
        expect_test::expect![[r#"
            planet `base` was not reloaded, while the new component was looked at: this is not WebAssembly
              help: a Planet (plugin) is a component; build it for `wasm32-wasip2`
              the old one goes on"#]],
    )
    .await;
    not_reloaded(
        &primary,
        "base",
        with_manifest(component(Some("a@1.0.0"), None, 1), r#"{"name":"other"}"#),
        expect_test::expect![[r#"
            planet `base` was not reloaded, while the new component was looked at: it is called `other`
              help: unload `base` and load the new one, or have it called `base` as well
              the old one goes on"#]],
    )
    .await;
    not_reloaded(&primary, "base", component(Some("a@2.0.0"), None, 1), expect_test::expect![[r#"
        planet `base` was not reloaded, since it does not fit those who use the old one: `user` uses `t:t/a@1.0.0`: the new release does not export it
          help: have those who use it go elsewhere or wait, by `Reload::cascading`
          the old one goes on"#]]).await;
    not_reloaded(&primary, "base", component(Some("a@1.0.0"), Some("missing@1.0.0"), 1), expect_test::expect![[r#"
        planet `base` was not reloaded, while its dependencies were looked for: needs `t:t/missing@1.0.0`, and no loaded planet provides it
          help: load a provider of 1.x, or declare the dependency optional
          the old one goes on"#]]).await;
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(1)");

    // Asked to, it goes all the same, and who cannot use it waits.
    primary.reload("base").bytes(component(Some("a@2.0.0"), None, 2)).cascading().await.unwrap();
    assert_eq!(states(&primary), "base running, user waiting");
    primary.reload("base").bytes(component(Some("a@1.7.0"), None, 3)).await.unwrap();
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(3)");
    // One that does not run is replaced.
    primary.reload("user").bytes(component(Some("b@1.0.0"), Some("missing@1.0.0"), 0)).await.unwrap_err();
    primary.unload("base").await.unwrap();
    primary.reload("user").bytes(component(Some("b@1.0.0"), None, 9)).await.unwrap();
    assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(9)");
}

/// A component that exports `t:t/a`, which answers a number, and whose `start` and `stop` are these.
fn with_life_cycle(number: u32, start: &str, stop: &str) -> Vec<u8> {
    let around = format!(
        r#"(core module $answers (func (export "f") (result i32) i32.const {number}))
           (core instance $answers (instantiate $answers))
           (func $f (result u32) (canon lift (core func $answers "f")))
           (instance $out (export "f" (func $f)))
           (export "t:t/a@1.0.0" (instance $out))
           (core instance $in)"#
    );
    LifeCycle { around: &around, start, stop, ..LifeCycle::default() }.component()
}

/// An `err` with the text `no!`.
const NO: &str = "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const 96))
    (i32.store (i32.const 72) (i32.const 3)) (i32.store (i32.const 96) (i32.const 0x216f6e)) i32.const 64";
const ENDLESS: &str = "(loop (br 0))";

#[tokio::test]
async fn a_reload_fails_at_any_step_with_a_reason_and_the_old_one_answers() {
    let mut limits = Limits::default();
    limits.start = Duration::from_secs(1);
    let admit = |candidate: kokoro_host::Candidate| match candidate.manifest().app["refused"].is_null() {
        true => Admission::admitted(),
        false => Admission::refused("it is not wanted"),
    };
    let primary = primary_of(Primary::builder().limits(limits).admit(admit), &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base.wasm");
    std::fs::write(&file, with_life_cycle(1, "i32.const 0", "")).unwrap();
    primary.load(&file).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    let no_file = std::fs::read(&file).unwrap_err().to_string();
    let invalid = {
        let mut bytes = with_life_cycle(2, "i32.const 77", "");
        let place = bytes.windows(4).position(|bytes| bytes == [0x41, 0xcd, 0x00, 0x0b]).unwrap();
        bytes[place..place + 3].copy_from_slice(&[0x01, 0x01, 0x45]);
        bytes
    };
    // WASI has no such function.
    let not_to_be_linked = wat(r#"(component
        (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result string)))))
        (core module $m (func (export "f") (result i32) i32.const 2))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i "f")))
        (instance $out (export "f" (func $f)))
        (export "t:t/a@1.0.0" (instance $out)))"#);
    let refused = with_manifest(with_life_cycle(2, "i32.const 0", ""), r#"{"app":{"refused":true}}"#);
    let cases = [
        ("file", None),
        ("admission", Some(refused)),
        ("compiler", Some(invalid)),
        ("linker", Some(not_to_be_linked)),
        ("start: err", Some(with_life_cycle(2, NO, ""))),
        ("start: trap", Some(with_life_cycle(2, "unreachable", ""))),
        ("start: late", Some(with_life_cycle(2, "(loop (br 0)) unreachable", ""))),
    ];
    let mut events = primary.events();
    let mut told = String::new();
    for (what, component) in cases {
        let reload = primary.reload("base");
        let outcome = match component {
            Some(component) => reload.bytes(component).await,
            None => reload.await,
        };
        let error = outcome.unwrap_err();
        assert!(error.is_not_reloaded(), "{what}: {error}");
        assert!(matches!(next(&mut events).await, Event::NotReloaded { planet, .. } if planet == "base"), "{what}");
        // These differ from system to system and from run to run.
        let error = error.to_string().replace(&no_file, "SOME ERROR");
        let error = match error.split_once(" within ") {
            Some((before, after)) => {
                let (_, rest) = after.split_once('\n').unwrap_or_default();
                format!("{before} within SOME TIME\n{rest}")
            }
            None => error,
        };
        told += &format!("{what}: {error}\n");
        assert_eq!(ask(&primary, "t:t/a").await.unwrap(), "U32(1)", "{what}");
    }
    expect_test::expect![[r#"
        file: planet `base` was not reloaded, while its file was read: SOME ERROR
          the old one goes on
        admission: planet `base` was not reloaded, when the application was asked: it is not wanted
          the old one goes on
        compiler: planet `base` was not reloaded, while it was compiled: failed to compile: wasm[2]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 316: type mismatch: expected i32 but nothing on stack
          the old one goes on
        linker: planet `base` was not reloaded, while it was linked: it cannot be linked: component imports instance `wasi:random/random@0.2.0`, but a matching implementation was not found in the linker: instance export `get-random-u64` has the wrong type: type mismatch with results: expected `u64` found `string`
          the old one goes on
        start: err: planet `base` was not reloaded, while it was started: planet `base` did not start: no!
          the old one goes on
        start: trap: planet `base` was not reloaded, while it was started: planet `base` failed in `kokoro:core/lifecycle@0.1.0.start`: wasm trap: wasm `unreachable` instruction executed
          executing, innermost first:
            function 0
          the old one goes on
        start: late: planet `base` was not reloaded, while it was started: planet `base` was late: `kokoro:core/lifecycle@0.1.0.start` did not answer within SOME TIME
          the old one goes on
    "#]].assert_eq(&told);
}

#[tokio::test]
async fn who_answers_for_too_long_is_not_reloaded() {
    let gate = Arc::new(Gate::default());
    let mut limits = Limits::default();
    limits.drain = Duration::from_millis(100);
    let primary = primary_of(builder(&gate).limits(limits), &["counter", "holder"]).await;
    let holder = primary.get::<Holder>().unwrap();
    let call = tokio::spawn(async move { holder.hold().await });
    gate.arrived().await;
    not_reloaded(&primary, "holder", guest("holder"), expect_test::expect![[r#"
        planet `holder` was not reloaded, while the old one was to come to rest: calls that were being answered did not end in time
          the old one goes on
          help: try again later, or raise `Limits::drain`"#]]).await;
    gate.open();
    assert_eq!(in_time(call).await.unwrap().unwrap(), Some((1, 2)));
}

#[tokio::test]
async fn a_stop_that_fails_or_does_not_end_keeps_nobody_waiting() {
    let kept = support::Kept::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(kept.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    for stop in ["unreachable", ENDLESS] {
        let mut limits = Limits::default();
        limits.stop = Duration::from_millis(500);
        let primary = primary_of(Primary::builder().limits(limits), &[]).await;
        let component = with_life_cycle(1, "i32.const 0", stop);
        primary.load_bytes("base", component.clone()).await.unwrap();
        load(&primary, "user", Some("b@1.0.0"), Some("a@1.0.0"), 0).await;
        primary.restart("base").await.unwrap();
        assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(1)");
        primary.reload("base").bytes(with_life_cycle(2, "i32.const 0", stop)).await.unwrap();
        assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(2)");
        primary.unload("base").await.unwrap();
        assert_eq!(states(&primary), "user waiting");
        primary.load_bytes("base", component).await.unwrap();
        assert_eq!(ask(&primary, "t:t/b").await.unwrap(), "U32(1)");
        primary.shutdown().await;
        assert_eq!(states(&primary), "base gone, user gone");
    }
    let text = kept.text();
    // In which spans a line is depends on the tests beside this one, how late it was on the machine.
    let told = text.lines().filter_map(|line| line.split_once("kokoro: ")).map(|(_, told)| told);
    let told: Vec<&str> = told.map(|told| told.split(" within ").next().unwrap_or_default()).collect();
    expect_test::expect![[r#"
        while it stopped: planet `base` failed in `kokoro:core/lifecycle@0.1.0.stop`: wasm trap: wasm `unreachable` instruction executed
        while it stopped: planet `base` failed in `kokoro:core/lifecycle@0.1.0.stop`: wasm trap: wasm `unreachable` instruction executed
        while it stopped: planet `base` failed in `kokoro:core/lifecycle@0.1.0.stop`: wasm trap: wasm `unreachable` instruction executed
        while it stopped: planet `base` failed in `kokoro:core/lifecycle@0.1.0.stop`: wasm trap: wasm `unreachable` instruction executed
        while it stopped: planet `base` was late: `kokoro:core/lifecycle@0.1.0.stop` did not answer
        while it stopped: planet `base` was late: `kokoro:core/lifecycle@0.1.0.stop` did not answer
        while it stopped: planet `base` was late: `kokoro:core/lifecycle@0.1.0.stop` did not answer
        while it stopped: planet `base` was late: `kokoro:core/lifecycle@0.1.0.stop` did not answer"#]].assert_eq(&told.join("\n"));
}
