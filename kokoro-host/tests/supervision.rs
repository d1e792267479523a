//! Planets that end in an error are started anew, or have failed.

mod support;

use std::time::Duration;

use kokoro_host::{Error, Event, Primary, Restarts, State};
use support::{faults::Faults, guest, node, primary_with, relay::Relay};

fn restarts(limit: u32) -> Restarts {
    let mut restarts = Restarts::default();
    (restarts.limit, restarts.pause, restarts.healthy) = (limit, Duration::ZERO, Duration::MAX);
    restarts
}

async fn primary(restarts: Restarts, guests: &[&str]) -> Primary {
    primary_with(Primary::builder().restarts(restarts), guests).await
}

async fn crash(primary: &Primary) -> Error {
    primary.get::<Faults>().unwrap().panic("on purpose").await.unwrap_err()
}

/// Waits until a Planet is in a state.
async fn until(events: &mut kokoro_host::Events, name: &str, state: State) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let event = support::next(events).await;
        told.push(event.to_string());
        if matches!(&event, Event::State { planet, to, .. } if planet == name && *to == state) {
            return told;
        }
    }
}

#[tokio::test]
async fn who_ends_in_an_error_is_started_anew_and_dependents_stay() {
    let primary = primary(restarts(5), &["faulty", "relay"]).await;
    let mut events = primary.events();
    assert!(crash(&primary).await.is_crash());
    // Calls wait until it is back.
    assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
    assert_eq!(node(&primary, "relay").state, State::Running);
    let told = until(&mut events, "faulty", State::Running).await;
    assert!(
        told[0].starts_with("faulty: running -> starting: it is started anew: planet `faulty` failed in"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[tokio::test]
async fn who_has_used_up_its_restarts_has_failed_with_its_history() {
    let primary = primary(restarts(2), &["faulty", "relay"]).await;
    let mut events = primary.events();
    for _ in 0..3 {
        assert!(crash(&primary).await.is_crash());
    }
    until(&mut events, "relay", State::Waiting).await;
    let faulty = node(&primary, "faulty");
    assert_eq!(faulty.state, State::Failed);
    let details = faulty.details.unwrap();
    assert!(details.contains("it ended 3 times, and is not started anew:"), "{details}");
    assert_eq!(details.matches("ago: planet `faulty` failed in").count(), 3, "{details}");
    assert!(support::reason(&primary, "relay").contains("`faulty` provides, but it is failed"));
    assert!(primary.get::<Faults>().unwrap_err().is_unavailable());
    // It is tried again when somebody asks for that.
    let report = primary.restart("faulty").await.unwrap();
    assert_eq!(report.running().count(), 2, "{report}");
    assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
}

#[tokio::test]
async fn whoever_was_healthy_has_all_its_restarts_again() {
    let mut restarts = restarts(1);
    restarts.healthy = Duration::ZERO;
    let primary = primary(restarts, &["faulty"]).await;
    for _ in 0..5 {
        assert!(crash(&primary).await.is_crash());
    }
    assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
}

#[tokio::test]
async fn who_is_lost_with_its_callee_does_not_pay() {
    let primary = primary(restarts(2), &["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    let mut events = primary.events();
    for _ in 0..3 {
        let error = relay.plain("on purpose").await.unwrap_err();
        assert_eq!((error.is_crash(), error.planet()), (true, Some("faulty")), "{error}");
    }
    // `faulty` has failed; `relay`, whose instance was lost as often, waits for another provider.
    until(&mut events, "relay", State::Waiting).await;
    assert_eq!(node(&primary, "faulty").state, State::Failed);
    primary.load_bytes("second", support::renamed(guest("faulty"), "faulty", "second")).await.unwrap();
    assert_eq!(node(&primary, "relay").state, State::Running);
}

#[tokio::test]
async fn where_calls_do_not_wait_they_fail_at_once_with_the_reason() {
    let mut restarts = restarts(5);
    (restarts.pause, restarts.longest_pause, restarts.calls_wait) = (Duration::MAX, Duration::MAX, false);
    let primary = primary(restarts, &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    crash(&primary).await;
    let error = faults.well().await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("panicked at"), "{error}");
    // Nobody has to wait for the pause to end.
    primary.restart("faulty").await.unwrap();
    assert_eq!(faults.well().await.unwrap(), "well");
}

#[tokio::test]
async fn calls_wait_no_longer_than_they_may() {
    let mut restarts = restarts(5);
    (restarts.pause, restarts.longest_pause) = (Duration::MAX, Duration::MAX);
    let primary = primary(restarts, &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap().within(Duration::from_millis(100));
    crash(&primary).await;
    let error = faults.well().await.unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("before `faulty` was started anew"), "{error}");
}

#[tokio::test]
async fn who_has_failed_gives_way_to_another_provider_without_a_gap() {
    let primary = primary(restarts(0), &["faulty", "relay"]).await;
    primary.load_bytes("second", support::renamed(guest("faulty"), "faulty", "second")).await.unwrap();
    let relay = primary.get::<Relay>().unwrap();
    let first = relay.text("first").await.unwrap();
    let second = relay.text("second").await.unwrap();
    assert!(first.contains("planet `faulty` failed") && second.contains("planet `second` failed"), "{first}\n{second}");
}

#[tokio::test]
async fn a_planet_that_is_started_anew_can_be_unloaded_and_shut_down() {
    for unload in [true, false] {
        let mut restarts = restarts(5);
        (restarts.pause, restarts.longest_pause) = (Duration::MAX, Duration::MAX);
        let primary = primary(restarts, &["faulty", "relay"]).await;
        let faults = primary.get::<Faults>().unwrap();
        crash(&primary).await;
        let waiting = tokio::spawn(async move { faults.well().await });
        tokio::task::yield_now().await;
        match unload {
            true => {
                primary.unload("faulty").await.unwrap();
                assert_eq!(node(&primary, "relay").state, State::Waiting);
            }
            false => primary.shutdown().await,
        }
        assert!(waiting.await.unwrap().unwrap_err().is_unavailable());
    }
}

#[tokio::test]
async fn who_is_started_anew_over_and_over_is_replaced_by_a_reload() {
    let mut restarts = restarts(5);
    (restarts.pause, restarts.longest_pause) = (Duration::MAX, Duration::MAX);
    let primary = primary(restarts, &["faulty", "relay"]).await;
    crash(&primary).await;
    let faults = primary.get::<Faults>().unwrap();
    let waiting = tokio::spawn(async move { faults.well().await });
    let report = primary.reload("faulty").bytes(guest("faulty")).await.unwrap();
    assert_eq!(report.to_string(), "faulty: running");
    assert_eq!(waiting.await.unwrap().unwrap(), "well");
    assert_eq!(node(&primary, "relay").state, State::Running);
}

/// The types of a newcomer are compared, although a file that is no Planet had its name.
#[tokio::test]
async fn a_name_that_was_refused_before_hides_no_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user.wasm");
    std::fs::write(&file, b"no component").unwrap();
    let primary = primary(restarts(0), &["extra"]).await;
    primary.load_dir(folder.path()).await.unwrap();
    let user = r#"(component (import "test:guests/extra@0.1.0" (instance (export "double" (func (param "number" string) (result u32))))))"#;
    primary.load_bytes("user", support::wat(user)).await.unwrap();
    assert_eq!(node(&primary, "user").state, State::Waiting);
    assert!(support::reason(&primary, "user").contains("its types differ"));
}
