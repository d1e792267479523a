//! What a Planet may use up; each limit has an error of its own, for that Planet alone.

mod support;

use std::time::Duration;

use kokoro_host::{Limits, Primary, State};
use support::{faults::Faults, node, primary_with, relay::Relay, wat};

async fn primary(limit: impl FnOnce(&mut Limits), guests: &[&str]) -> Primary {
    let mut limits = Limits::default();
    limit(&mut limits);
    primary_with(Primary::builder().limits(limits), guests).await
}

async fn failed(primary: &Primary, component: &str) -> String {
    let report = primary.load_bytes("greedy", wat(component)).await.unwrap();
    assert_eq!(report.planets[0].state, State::Failed);
    report.planets[0].reason.clone().unwrap()
}

#[tokio::test]
async fn out_of_memory_is_told_apart_from_a_plain_trap() {
    let primary = primary(|limits| limits.memory = 32 << 20, &["faulty", "extra"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let error = faults.allocate(64).await.unwrap_err();
    assert!(error.is_out_of_memory() && error.is_limit() && error.is_crash(), "{error}");
    let message = error.to_string();
    assert!(
        message.starts_with("planet `faulty` ran out of memory in `test:guests/faults@0.1.0.allocate`"),
        "{message}"
    );
    assert!(message.contains("it had reached its memory limit of 32 MiB"), "{message}");
    let error = faults.panic("on purpose").await.unwrap_err();
    assert!(error.is_crash() && !error.is_out_of_memory() && !error.is_limit(), "{error}");
    assert_eq!(primary.get::<support::extra::Extra>().unwrap().double(2).await.unwrap(), 4);
}

#[tokio::test]
async fn tables_are_limited() {
    let primary = primary(|limits| limits.table_elements = 1_000, &[]).await;
    let reason =
        failed(&primary, "(component (core module $m (table 1001 funcref)) (core instance (instantiate $m)))").await;
    assert!(reason.contains("exceeded a limit") && reason.contains("`Limits::table_elements`"), "{reason}");
}

#[tokio::test]
async fn instances_are_limited() {
    let primary = primary(|limits| limits.instances = 2, &[]).await;
    let component = "(component (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance (instantiate $m)))";
    let reason = failed(&primary, component).await;
    assert!(reason.contains("exceeded a limit") && reason.contains("`Limits::instances`"), "{reason}");
}

#[tokio::test]
async fn handles_are_limited() {
    let primary = primary(|limits| limits.handles = 100, &["extra"]).await;
    let component = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
          (import "" "new" (func $new (param i32) (result i32)))
          (func (export "collect") (param i32)
            (loop $again
              (drop (call $new (i32.const 1)))
              (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
              (br_if $again (local.get 0)))))
        (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
        (func (export "collect") (param "n" u32) (canon lift (core func $i "collect"))))"#;
    primary.load_bytes("greedy", wat(component)).await.unwrap();
    let collect = primary.function("greedy", "collect").unwrap();
    collect.call(&[kokoro_host::Val::U32(50)]).await.unwrap();
    let error = collect.call(&[kokoro_host::Val::U32(100)]).await.unwrap_err();
    assert!(error.is_limit() && error.to_string().contains("`Limits::handles`"), "{error}");
    assert_eq!(primary.get::<support::extra::Extra>().unwrap().double(2).await.unwrap(), 4);
}

#[tokio::test]
async fn what_one_call_passes_is_limited() {
    let primary = primary(|limits| limits.value = 10_000, &["faulty", "relay", "extra"]).await;
    let relay = primary.get::<Relay>().unwrap();
    assert!(relay.text(&"x".repeat(1_000)).await.unwrap().contains("panicked"));
    // Where there is room for a failure, nobody is lost.
    let told = relay.text(&"x".repeat(100_000)).await.unwrap();
    assert!(told.contains("`test:guests/faults@0.1.0.panic-text` is passed more than 10000 bytes"), "{told}");
    let error = relay.plain(&"x".repeat(100_000)).await.unwrap_err();
    assert!(error.is_limit() && error.to_string().contains("`Limits::value`"), "{error}");
    assert_eq!(error.planet(), Some("relay"), "who sends too much is to blame");
    assert_eq!(primary.get::<support::extra::Extra>().unwrap().double(2).await.unwrap(), 4);
}

#[tokio::test]
async fn waiting_calls_are_limited() {
    let primary = primary(|limits| limits.waiting_calls = 1, &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let (sleeps, waits, too_many) = tokio::join!(faults.sleep(200), faults.well(), faults.well());
    sleeps.unwrap();
    assert_eq!(waits.unwrap(), "well");
    let error = too_many.unwrap_err();
    assert!(error.is_limit() && error.to_string().contains("has 1 calls waiting already"), "{error}");
    assert_eq!(faults.within(Duration::from_secs(5)).well().await.unwrap(), "well");
    assert_eq!(node(&primary, "faulty").state, State::Running);
}

#[tokio::test]
async fn types_in_types_take_no_more_room_than_their_text() {
    // What each level would take twice as much of as the one in it.
    let mut types = "(type $t0 (tuple u32))".to_owned();
    for level in 1..45 {
        types += &format!("(type $o{level} (option $t{0})) (type $t{level} (tuple $o{level}))", level - 1);
    }
    let component = wat(&format!(
        r#"(component
          {types}
          (import "t:t/deep@1.0.0" (instance $deep (export "f" (func (param "a" $t44)))))
          (core module $memory (memory (export "memory") 1))
          (core instance $memory (instantiate $memory))
          (core func $f (canon lower (func $deep "f") (memory $memory "memory")))
          (core module $code (import "in" "f" (func $f (param i32))) (func (export "go") (call $f (i32.const 0))))
          (core instance $code (instantiate $code (with "in" (instance (export "f" (func $f))))))
          (func $go (canon lift (core func $code "go")))
          (instance $out (export "go" (func $go)))
          (export "t:t/go@1.0.0" (instance $out)))"#
    ));
    let component = support::with_manifest(component, r#"{"optional":["t:t/deep@1.0.0"]}"#);
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("deep", component).await.unwrap();
    let error = primary.function("t:t/go", "go").unwrap().call(&[]).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}
