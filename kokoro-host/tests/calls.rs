//! Typed calls by the application, and what it serves.

mod support;

use std::sync::Arc;
use std::time::Duration;

use kokoro_host::{Limits, Primary, State};
use support::shapes::{Colour, Everything, Point, Rights, Shape, Shapes};
use support::{extra::Extra, faults::Faults, guest, node, primary, primary_with, relay::Relay};

fn everything() -> Everything {
    let point = |x, label: Option<&str>| Point { x, y: -x, label: label.map(str::to_owned) };
    Everything {
        a: true,
        b: 200,
        c: -3,
        d: u64::MAX,
        e: 0.5,
        f: 'ß',
        g: "grüße".to_owned(),
        h: vec![0, 255, 7],
        i: (9, "nine".to_owned()),
        j: Colour::Green,
        k: Rights::READ | Rights::RUN,
        l: Shape::Polygon(vec![point(1, None), point(2, Some("two"))]),
        m: Err("no point".to_owned()),
        n: Some(11),
    }
}

#[tokio::test]
async fn values_of_all_types_come_back_as_they_went() {
    let primary = primary(&["shapes"]).await;
    let shapes = primary.get::<Shapes>().unwrap();
    assert_eq!(shapes.echo(&everything()).await.unwrap(), everything());
    let points = [Point { x: 1, y: 2, label: None }, Point { x: 3, y: 4, label: Some("end".to_owned()) }];
    let reversed: Vec<Point> = points.iter().rev().cloned().collect();
    assert_eq!(shapes.points(&points).await.unwrap(), reversed);
    shapes.nothing().await.unwrap();
}

#[tokio::test]
async fn all_planets_that_export_an_interface_can_be_called_each() {
    let primary = primary(&["extra"]).await;
    primary.load_bytes("wat", support::wat(include_str!("wat/extra.wat"))).await.unwrap();
    let mut names = Vec::new();
    for extra in primary.all::<Extra>() {
        names.push((extra.planet().unwrap(), extra.name().await.unwrap()));
    }
    let expected = [("extra", "extra, in Rust"), ("wat", "extra, in WAT")];
    assert_eq!(names, expected.map(|(planet, name)| (planet.to_owned(), name.to_owned())));
}

#[tokio::test]
async fn a_handle_follows_its_provider() {
    let primary = primary_with(support::without_restarts(), &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    assert_eq!(faults.planet().as_deref(), Some("faulty"));
    faults.panic("on purpose").await.unwrap_err();
    assert_eq!(faults.planet(), None);
    assert!(faults.well().await.unwrap_err().is_unavailable());
    let other = support::wat(include_str!("wat/faults.wat"));
    primary.load_bytes("successor", other).await.unwrap();
    // The successor has only some of the functions, so it does not fit, and says which one it lacks.
    assert_eq!(faults.planet(), None);
    let error = primary.get::<Faults>().unwrap_err();
    assert!(error.is_mismatch() && error.to_string().contains("it lacks the function `allocate`"), "{error}");
    let renamed = support::renamed(guest("faulty"), "faulty", "second");
    primary.load_bytes("second", renamed).await.unwrap();
    assert_eq!(faults.planet().as_deref(), Some("second"));
    assert_eq!(faults.well().await.unwrap(), "well");
}

#[tokio::test]
async fn the_application_learns_who_calls() {
    let primary = primary(&["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    assert_eq!(relay.ask().await.unwrap(), ["relay"]);
}

#[tokio::test]
async fn optional_imports_are_filled_when_a_provider_comes() {
    let primary = primary(&["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    assert_eq!(relay.extra().await.unwrap(), None);
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    assert_eq!(relay.extra().await.unwrap().as_deref(), Some("extra, in Rust"));
    assert_eq!(relay.double(21).await.unwrap(), Some(42));
}

#[tokio::test]
async fn a_planet_starts_when_what_it_waits_for_comes() {
    let primary = primary(&["relay"]).await;
    let waiting = node(&primary, "relay");
    assert_eq!(waiting.state, State::Waiting);
    assert!(waiting.reason.unwrap().starts_with("needs `test:guests/faults@0.1.0`, and no loaded planet provides it"));
    let unavailable = primary.get::<Relay>().unwrap_err();
    assert!(unavailable.is_unavailable() && unavailable.to_string().contains("planet `relay` is waiting"));
    primary.load_bytes("faulty", guest("faulty")).await.unwrap();
    assert_eq!(node(&primary, "relay").state, State::Running);
}

#[tokio::test]
async fn nothing_is_granted() {
    let primary = primary(&["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    assert_eq!(faults.surroundings().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_dropped_call_runs_on_and_hurts_nobody() {
    let primary = primary(&["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(50), faults.sleep(2_000)).await;
    assert!(given_up.is_err());
    assert_eq!(faults.well().await.unwrap(), "well");
}

#[tokio::test]
async fn calls_wait_for_each_other_and_not_beyond_their_deadline() {
    let primary = primary(&["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let (slow, late) = tokio::join!(faults.sleep(2_000), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        faults.within(Duration::from_millis(100)).well().await
    });
    slow.unwrap();
    let late = late.unwrap_err();
    assert!(late.is_timeout(), "{late}");
    assert!(late.to_string().contains("before `faulty` was free"), "{late}");
    assert_eq!(faults.well().await.unwrap(), "well");
}

#[tokio::test]
async fn shutdown_stops_dependents_first_and_ends_the_primary() {
    let primary = primary(&["faulty", "relay"]).await;
    let faults = primary.get::<Faults>().unwrap();
    primary.shutdown().await;
    assert!(primary.graph().planets.iter().all(|node| node.state == State::Gone));
    assert!(faults.well().await.unwrap_err().is_unavailable());
    let refused = primary.load_bytes("extra", guest("extra")).await.unwrap_err();
    assert!(refused.to_string().contains("has been shut down"));
}

#[tokio::test]
async fn many_primaries_share_an_engine() {
    let engine = kokoro_host::Engine::new().unwrap();
    let one = primary_with(Primary::builder().engine(&engine), &["extra"]).await;
    let two = primary_with(Primary::builder().engine(&engine), &["extra"]).await;
    one.shutdown().await;
    assert_eq!(two.get::<Extra>().unwrap().double(4).await.unwrap(), 8);
}

#[tokio::test]
async fn a_function_can_be_called_by_name() {
    let primary = primary(&["extra"]).await;
    let double = primary.function("test:guests/extra", "double").unwrap();
    assert_eq!(double.signature(), "func(number: u32) -> u32");
    assert_eq!(double.call(&[kokoro_host::dynamic::Val::U32(4)]).await.unwrap(), [kokoro_host::dynamic::Val::U32(8)]);
    let wrong = double.call(&[kokoro_host::dynamic::Val::Bool(true)]).await.unwrap_err();
    assert!(wrong.is_mismatch(), "{wrong}");
    assert_eq!(double.call(&[kokoro_host::dynamic::Val::U32(5)]).await.unwrap(), [kokoro_host::dynamic::Val::U32(10)]);
}

#[test]
fn a_primary_needs_a_runtime_and_says_so() {
    let error = Primary::builder().build().unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[tokio::test]
async fn memory_is_limited() {
    let mut limits = Limits::default();
    limits.memory = 32 << 20;
    let primary = primary_with(Primary::builder().limits(limits), &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    assert_eq!(faults.allocate(8).await.unwrap(), 8);
    let error = faults.allocate(64).await.unwrap_err();
    assert!(error.is_crash(), "{error}");
    assert!(error.to_string().contains("it had reached its memory limit of 32 MiB"), "{error}");
}

#[tokio::test]
async fn a_deadline_is_inherited_by_the_calls_below() {
    let primary = primary(&["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    // If the time were not handed on, `relay` itself would be late, and there would be no answer.
    let answer = relay.within(Duration::from_secs(2)).spin_text().await.unwrap();
    assert!(answer.contains("planet `faulty` was late"), "{answer}");
    assert_eq!(node(&primary, "relay").state, State::Running);
    assert_eq!(node(&primary, "faulty").state, State::Starting);
}

#[tokio::test]
async fn who_lost_its_required_provider_gets_the_next_that_comes() {
    let primary = primary_with(support::without_restarts(), &["faulty", "relay"]).await;
    let relay = primary.get::<Relay>().unwrap();
    let error = relay.text("on purpose").await.unwrap();
    assert!(error.contains("on purpose"), "{error}");
    assert_eq!(node(&primary, "faulty").state, State::Failed);
    primary.load_bytes("second", support::renamed(guest("faulty"), "faulty", "second")).await.unwrap();
    let error = relay.text("again").await.unwrap();
    assert!(error.contains("planet `second` failed"), "{error}");
}

#[tokio::test]
async fn a_load_that_is_given_up_goes_on() {
    let primary = primary(&[]).await;
    let begun = async {
        while primary.graph().planets.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    // Not even the compiler gets that far in no time.
    tokio::select! {
        _ = primary.load_bytes("faulty", guest("faulty")) => panic!("it was not given up"),
        () = begun => {}
    }
    let report = primary.load_bytes("extra", guest("extra")).await.unwrap();
    assert_eq!(report.running().count(), 1);
    assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
}

#[tokio::test]
async fn shutdown_lets_the_last_call_end_and_no_other_in() {
    let mut limits = Limits::default();
    limits.stop = Duration::from_millis(100);
    let primary = primary_with(Primary::builder().limits(limits), &["faulty"]).await;
    let faults = primary.get::<Faults>().unwrap();
    let (slept, refused) = tokio::join!(faults.sleep(2_000), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        primary.shutdown().await;
        faults.well().await
    });
    slept.unwrap();
    assert!(refused.unwrap_err().is_unavailable());
    assert_eq!(node(&primary, "faulty").state, State::Gone);
}

#[tokio::test]
async fn planets_end_with_the_last_primary_though_handles_are_left() {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    let extra = primary.get::<Extra>().unwrap();
    drop(primary);
    let error = extra.double(1).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("has been dropped"), "{error}");
}

#[tokio::test]
async fn planets_of_two_primaries_may_have_one_name() {
    let outer = primary(&["faulty", "relay"]).await;
    let inner = primary(&["faulty", "relay"]).await;
    // `back` calls the Planet `relay` of whatever Primary it was given; the other's is another Planet.
    let served = Arc::new(support::Host::default());
    served.primary.set(inner.clone()).unwrap();
    let caller = Primary::builder().serve(support::serve(&served)).build().unwrap();
    caller.load_bytes("faulty", guest("faulty")).await.unwrap();
    caller.load_bytes("relay", guest("relay")).await.unwrap();
    let answer = caller.get::<Relay>().unwrap().back().await.unwrap().unwrap_err();
    assert!(answer.contains("was lost in") && !answer.contains("re-enter"), "{answer}");
    outer.shutdown().await;
}

#[tokio::test]
async fn megabytes_cross_within_the_memory_limit() {
    let primary = primary(&["shapes"]).await;
    let shapes = primary.get::<Shapes>().unwrap();
    let large = Everything { h: vec![7; 8 << 20], ..everything() };
    assert_eq!(shapes.echo(&large).await.unwrap(), large);
}

#[tokio::test]
async fn a_time_without_end_is_no_problem() {
    let primary = primary(&["extra"]).await;
    let extra = primary.get::<Extra>().unwrap().within(Duration::MAX);
    assert_eq!(extra.double(1).await.unwrap(), 2);
    let error = extra.within(Duration::ZERO).double(1).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(node(&primary, "extra").state, State::Running);
}

#[tokio::test]
async fn nobody_but_kokoro_calls_a_life_cycle() {
    let primary = primary(&["extra"]).await;
    let error = primary.function("kokoro:core/lifecycle", "stop").unwrap_err();
    assert!(error.to_string().contains("cannot be called"), "{error}");
}

/// Two errands, each of which holds one Planet and wants the other: `left` requires `right`, which has `left` as an option.
#[tokio::test]
async fn a_circle_of_waiting_is_an_error_and_no_wait() {
    /// Lets both go on when both are there.
    struct Meeting(tokio::sync::Barrier);

    impl support::Application for Meeting {
        async fn dawdle(&self, caller: &kokoro_host::Caller) {
            if caller.chain().len() == 1 {
                self.0.wait().await;
            }
        }
    }

    let side = |own: &str, other: &str| {
        support::wat(&format!(
            r#"(component
              (import "test:guests/host@0.1.0" (instance $host (export "dawdle" (func))))
              (import "test:circle/{other}@1.0.0" (instance $other (export "go" (func))))
              (core func $dawdle (canon lower (func $host "dawdle")))
              (core func $next (canon lower (func $other "go")))
              (core module $code
                (import "x" "dawdle" (func $dawdle))
                (import "x" "next" (func $next))
                (func (export "go") call $dawdle call $next))
              (core instance $x (export "dawdle" (func $dawdle)) (export "next" (func $next)))
              (core instance $code (instantiate $code (with "x" (instance $x))))
              (func $go (canon lift (core func $code "go")))
              (instance $own (export "go" (func $go)))
              (export "test:circle/{own}@1.0.0" (instance $own)))"#
        ))
    };
    let meeting = support::serve(&Arc::new(Meeting(tokio::sync::Barrier::new(2))));
    let primary = Primary::builder().serve(meeting).build().unwrap();
    let right = support::with_manifest(side("right", "left"), r#"{"optional":["test:circle/left@1.0.0"]}"#);
    primary.load_bytes("right", right).await.unwrap();
    primary.load_bytes("left", side("left", "right")).await.unwrap();
    let left = primary.function("test:circle/left", "go").unwrap();
    let right = primary.function("test:circle/right", "go").unwrap();
    let (one, other) = tokio::join!(left.call(&[]), right.call(&[]));
    let errors = [one.unwrap_err(), other.unwrap_err()];
    let texts = errors.each_ref().map(ToString::to_string);
    // Whoever notices gives way, and is told for whom it would wait, and for whom that one waits.
    let place = texts.iter().position(|text| text.contains("would wait in a circle"));
    let place = place.unwrap_or_else(|| panic!("{errors:?}"));
    let (own, other) = [("left", "right"), ("right", "left")][place];
    let circle = format!("`test:circle/{other}@1.0.0.go` would wait in a circle: `{other}`, which waits for `{own}`");
    assert!(texts[place].contains(&circle), "{errors:?}");
    assert!(texts[place].ends_with(&format!("called along: the application -> `{own}` -> `{other}`")), "{errors:?}");
    assert_eq!(errors[place].planet(), Some(other), "{errors:?}");
    // The other one then comes back to itself.
    let back = format!("called along: the application -> `{other}` -> `{own}` -> `{other}`");
    assert!(texts[1 - place].ends_with(&back), "{errors:?}");
    assert!(errors.iter().all(|error| error.is_reentry()), "{errors:?}");
    assert!(errors.iter().all(|error| !error.is_timeout()), "{errors:?}");
}

/// The guest program `relay` asks `back`, which takes far longer than the call may.
#[tokio::test]
async fn a_service_that_is_late_answers_with_an_err_if_there_is_room_for_it() {
    struct Slow;

    impl support::Application for Slow {
        async fn chain(&self, _: &kokoro_host::Caller) -> Vec<String> {
            std::future::pending().await
        }

        async fn back(&self, _: &kokoro_host::Caller) -> Result<String, String> {
            std::future::pending().await
        }
    }

    let primary = Primary::builder().serve(support::serve(&Arc::new(Slow))).build().unwrap();
    primary.load_bytes("faulty", guest("faulty")).await.unwrap();
    primary.load_bytes("relay", guest("relay")).await.unwrap();
    let relay = primary.get::<Relay>().unwrap().within(Duration::from_secs(1));
    let answer = relay.back().await.unwrap().unwrap_err();
    assert!(answer.contains("before the application had answered"), "{answer}");
    assert_eq!(node(&primary, "relay").state, State::Running);
    let error = relay.ask().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

/// What one served function does at the same time are two errands: the second waits for its turn.
#[tokio::test]
async fn a_service_may_make_several_calls_at_once() {
    struct Twice(std::sync::OnceLock<Primary>);

    impl support::Application for Twice {
        async fn back(&self, _: &kokoro_host::Caller) -> Result<String, String> {
            let faults = self.0.get().unwrap().get::<Faults>().map_err(|error| error.to_string())?;
            let (slept, well) = tokio::join!(faults.sleep(100), faults.well());
            slept.map_err(|error| error.to_string())?;
            well.map_err(|error| error.to_string())
        }
    }

    let served = Arc::new(Twice(std::sync::OnceLock::new()));
    let service = support::serve(&served);
    let primary = Primary::builder().serve(service).build().unwrap();
    served.0.set(primary.clone()).unwrap();
    primary.load_bytes("faulty", guest("faulty")).await.unwrap();
    primary.load_bytes("relay", guest("relay")).await.unwrap();
    assert_eq!(primary.get::<Relay>().unwrap().back().await.unwrap(), Ok("well".to_owned()));
    primary.shutdown().await;
}
