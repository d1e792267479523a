//! Nobody waits for ever: circles through the application, deadlines, and changes that would wait for themselves.

mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kokoro_host::{Caller, Limits, Primary, State};
use support::{LifeCycle, faults::Faults, guest, node, relay::Relay, renamed, serve, wat};
use tokio::sync::Barrier;

/// What the application does when a Planet asks it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    /// Calls the other one of two, when both have asked.
    CallTheOther,
    /// Calls what never ends, and gives it a minute.
    CallForAMinute,
    Unload(&'static str),
    Restart,
    Reload,
    Load,
    Panic,
}

#[derive(Debug)]
struct Application {
    asked: Asked,
    both: Barrier,
    primary: OnceLock<Primary>,
}

impl Application {
    async fn answer(&self, caller: &Caller) -> Result<String, String> {
        let primary = self.primary.get().expect("it was given");
        let done = match self.asked {
            Asked::CallTheOther => {
                self.both.wait().await;
                let others = primary.all::<Relay>();
                let other = others.iter().find(|other| other.planet().as_deref() != Some(caller.planet()));
                return match other.expect("there are two").double(1).await {
                    Ok(_) => Ok("answered".to_owned()),
                    Err(error) => Err(error.to_string()),
                };
            }
            Asked::CallForAMinute => {
                let faults = primary.get::<Faults>().expect("it runs");
                match faults.within(Duration::from_secs(60)).spin_text().await {
                    Ok(answer) => return answer.map(|()| "it ended".to_owned()),
                    Err(error) => Err(error),
                }
            }
            Asked::Unload(planet) => primary.unload(planet).await,
            Asked::Restart => primary.restart("relay").await,
            Asked::Reload => primary.reload("relay").bytes(guest("relay")).await,
            Asked::Load => primary.load_bytes("extra", guest("extra")).await,
            Asked::Panic => panic!("on purpose"),
        };
        done.map(|report| report.to_string()).map_err(|error| error.to_string())
    }
}

impl support::Application for Application {
    async fn back(&self, caller: &Caller) -> Result<String, String> {
        self.answer(caller).await
    }
}

async fn primary(asked: Asked, components: &[(&str, Vec<u8>)]) -> Primary {
    let application = Arc::new(Application { asked, both: Barrier::new(2), primary: OnceLock::new() });
    let mut limits = Limits::default();
    limits.start = Duration::from_secs(5);
    let builder = Primary::builder().limits(limits).serve(serve(&application));
    let primary = builder.build().unwrap();
    application.primary.set(primary.clone()).unwrap();
    for (name, component) in components {
        primary.load_bytes(name, component.clone()).await.unwrap();
    }
    primary
}

async fn relay_asks(asked: Asked) -> (Primary, Result<String, String>) {
    let primary = primary(asked, &[("faulty", guest("faulty")), ("relay", guest("relay"))]).await;
    let relay = primary.get::<Relay>().unwrap().within(Duration::from_secs(5));
    let answer = relay.back().await.unwrap();
    (primary, answer)
}

#[tokio::test]
async fn a_circle_through_the_application_is_an_error_and_no_wait() {
    let sides = ["lefty", "right"].map(|name| (name, renamed(guest("relay"), "relay", name)));
    let [left, right] = sides;
    let primary = primary(Asked::CallTheOther, &[("faulty", guest("faulty")), left, right]).await;
    let relays: [Relay; 2] = primary.all::<Relay>().try_into().unwrap();
    let (one, other) = tokio::join!(relays[0].back(), relays[1].back());
    let answers = [one.unwrap(), other.unwrap()];
    let errors: Vec<&String> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    // Whoever notices gives way, and so the other one is answered.
    assert_eq!(errors.len(), 1, "{answers:?}");
    let planets = relays.each_ref().map(|relay| relay.planet().unwrap());
    let (own, other) = match answers[0].is_err() {
        true => (&planets[0], &planets[1]),
        false => (&planets[1], &planets[0]),
    };
    // It is the call of the other one that would have to wait, since that one waits in turn.
    let expected =
        format!("`test:guests/relay@0.1.0.double` would wait in a circle: `{other}`, which waits for `{own}`");
    assert!(errors[0].starts_with(&expected), "{own} was told: {errors:?}");
}

#[tokio::test]
async fn a_callee_that_is_given_more_time_than_its_caller_has_is_late_first() {
    let (primary, answer) = relay_asks(Asked::CallForAMinute).await;
    let error = answer.unwrap_err();
    assert!(error.contains("planet `faulty` was late: `test:guests/faults@0.1.0.spin-text`"), "{error}");
    assert_eq!(node(&primary, "relay").state, State::Running);
}

#[tokio::test]
async fn nobody_is_taken_away_by_a_call_that_came_through_it() {
    for (asked, expected) in [
        (Asked::Unload("relay"), "planet `relay` cannot be unloaded by a call that came through it: `relay`"),
        (
            Asked::Unload("faulty"),
            "planet `faulty` cannot be unloaded by a call that came through `relay`, which would have to stop as well: `relay`",
        ),
        (Asked::Restart, "planet `relay` cannot be restarted by a call that came through it: `relay`"),
        (Asked::Reload, "planet `relay` cannot be reloaded by a call that came through it: `relay`"),
    ] {
        let (primary, answer) = relay_asks(asked).await;
        let error = answer.unwrap_err();
        assert!(error.starts_with(expected), "{asked:?}: {error}");
        assert_eq!(node(&primary, "relay").state, State::Running);
        assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
        primary.unload("faulty").await.unwrap();
    }
    let (primary, answer) = relay_asks(Asked::Load).await;
    assert_eq!(answer.unwrap(), "extra: running");
    assert_eq!(primary.get::<Relay>().unwrap().double(2).await.unwrap(), Some(4));
}

/// A component that asks `back` of the application in its start or in its stop.
fn asks(when: &str) -> Vec<u8> {
    let (start, stop) = match when {
        "start" => ("(call $back (i32.const 0)) i32.const 0", ""),
        _ => ("i32.const 0", "(call $back (i32.const 64))"),
    };
    let around = r#"
        (import "test:guests/host@0.1.0" (instance $host (export "back" (func (result (result string (error string)))))))
        (core func $back (canon lower (func $host "back") (memory $m) (realloc (func $memory "realloc"))))
        (core instance $in (export "back" (func $back)))"#;
    let imports = r#"(import "in" "back" (func $back (param i32)))"#;
    LifeCycle { around, imports, start, stop }.component()
}

/// A start that has the application load something, which waits for the start.
#[tokio::test]
async fn a_change_within_a_change_is_an_error() {
    let primary = primary(Asked::Load, &[("asks", asks("start"))]).await;
    // Its start hands on what the application has answered.
    let reason = support::reason(&primary, "asks");
    assert!(
        reason.contains("planets are being loaded, started or stopped, and this was called by one of them"),
        "{reason}"
    );
    assert!(primary.graph().planet("extra").is_none());
    primary.load_bytes("extra", guest("extra")).await.unwrap();
}

/// The application panics in what it serves, while a Planet stops.
#[tokio::test]
async fn a_panic_of_the_application_keeps_nobody_from_stopping() {
    let primary = primary(Asked::Panic, &[("asks", asks("stop")), ("extra", guest("extra"))]).await;
    assert_eq!(node(&primary, "asks").state, State::Running);
    primary.unload("asks").await.unwrap();
    primary.load_bytes("asks", asks("stop")).await.unwrap();
    primary.shutdown().await;
    assert_eq!(node(&primary, "asks").state, State::Gone);
    assert_eq!(node(&primary, "extra").state, State::Gone);
}

/// A call that the application has given up goes on, but nobody waits for it: it closes no circle.
#[tokio::test]
async fn a_call_that_was_given_up_closes_no_circle() {
    /// Begins a call of the other one and does not wait for it, then dawdles until both have come so far.
    #[derive(Debug)]
    struct Careless {
        primary: OnceLock<Primary>,
        both: Barrier,
    }

    impl support::Application for Careless {
        async fn back(&self, caller: &Caller) -> Result<String, String> {
            self.both.wait().await;
            let others = self.primary.get().expect("it was given").all::<Relay>();
            let other = others.into_iter().find(|other| other.planet().as_deref() != Some(caller.planet()));
            let other = other.expect("there are two");
            tokio::spawn(caller.scope(async move { other.double(1).await }));
            tokio::task::yield_now().await;
            Ok("begun".to_owned())
        }
    }

    let careless = Arc::new(Careless { primary: OnceLock::new(), both: Barrier::new(2) });
    let primary = Primary::builder().serve(serve(&careless)).build().unwrap();
    careless.primary.set(primary.clone()).unwrap();
    primary.load_bytes("faulty", guest("faulty")).await.unwrap();
    for name in ["lefty", "right"] {
        primary.load_bytes(name, renamed(guest("relay"), "relay", name)).await.unwrap();
    }
    let relays = primary.all::<Relay>();
    let (one, other) = tokio::join!(relays[0].back(), relays[1].back());
    assert_eq!((one.unwrap(), other.unwrap()), (Ok("begun".to_owned()), Ok("begun".to_owned())));
    for relay in &relays {
        assert_eq!(relay.double(1).await.unwrap(), None);
    }
}

/// A component that calls the other side of a circle.
fn side(own: &str, other: &str) -> Vec<u8> {
    let component = wat(&format!(
        r#"(component
          (import "test:circle/{other}@1.0.0" (instance $other (export "go" (func))))
          (core func $next (canon lower (func $other "go")))
          (core module $code (import "" "next" (func $next)) (func (export "go") call $next))
          (core instance $code (instantiate $code (with "" (instance (export "next" (func $next))))))
          (func $go (canon lift (core func $code "go")))
          (instance $own (export "go" (func $go)))
          (export "test:circle/{own}@1.0.0" (instance $own)))"#
    ));
    support::with_manifest(component, &format!(r#"{{"name":"{own}","optional":["test:circle/a@1.0.0"]}}"#))
}

#[tokio::test]
async fn a_call_that_comes_back_is_refused_with_its_chain() {
    let primary = primary(Asked::Restart, &[("a", side("a", "b")), ("b", side("b", "a"))]).await;
    let go = primary.function("test:circle/a", "go").unwrap();
    let error = go.call(&[]).await.unwrap_err();
    assert!(error.is_reentry());
    expect_test::expect![[r#"
        planet `a` was lost in `test:circle/a@1.0.0.go` with a call that it made: planet `b` was lost in `test:circle/b@1.0.0.go` with a call that it made: `test:circle/a@1.0.0.go` would re-enter planet `a`, which waits for this very call: `a` -> `b` -> `a`
          called along: the application -> `a` -> `b` -> `a`"#]].assert_eq(&error.to_string());
}
