//! Nobody waits for ever: circles through the application, deadlines, and changes that would wait for themselves.

mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kokoro_host::{Caller, Limits, Primary, State};
use support::{faults::Faults, guest, host, node, relay::Relay, renamed, wat};
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
        };
        done.map(|report| report.to_string()).map_err(|error| error.to_string())
    }
}

impl host::Host for Arc<Application> {
    async fn attached(&self, _: &Caller) -> Option<String> {
        None
    }

    async fn chain(&self, _: &Caller) -> Vec<String> {
        Vec::new()
    }

    async fn back(&self, caller: &Caller) -> Result<String, String> {
        self.answer(caller).await
    }

    async fn dawdle(&self, _: &Caller) {}
}

async fn primary(asked: Asked, components: &[(&str, Vec<u8>)]) -> Primary {
    let application = Arc::new(Application { asked, both: Barrier::new(2), primary: OnceLock::new() });
    let mut limits = Limits::default();
    limits.start = Duration::from_secs(5);
    let builder = Primary::builder().limits(limits).serve(host::serve(Arc::clone(&application)));
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
    let relays = primary.all::<Relay>();
    let (one, other) = tokio::join!(relays[0].back(), relays[1].back());
    let answers = [one.unwrap(), other.unwrap()];
    let errors: Vec<&String> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    // Whoever notices gives way, and so the other one is answered.
    assert_eq!(errors.len(), 1, "{answers:?}");
    assert!(errors[0].contains("would wait in a circle: `"), "{errors:?}");
    assert!(
        errors[0].contains("`, which waits for `") && errors[0].contains("is held by this very call"),
        "{errors:?}"
    );
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
    let expected = |change: &str| format!("planet `relay` cannot be {change} by a call that came through it: `relay`");
    for (asked, change) in [
        (Asked::Unload("relay"), "unloaded"),
        // With `faulty`, `relay` would have to stop.
        (Asked::Unload("faulty"), "unloaded"),
        (Asked::Restart, "restarted"),
        (Asked::Reload, "reloaded"),
    ] {
        let (primary, answer) = relay_asks(asked).await;
        let error = answer.unwrap_err();
        assert!(error.starts_with(&expected(change)), "{asked:?}: {error}");
        assert_eq!(node(&primary, "relay").state, State::Running);
        assert_eq!(primary.get::<Faults>().unwrap().well().await.unwrap(), "well");
        primary.unload("faulty").await.unwrap();
    }
    let (primary, answer) = relay_asks(Asked::Load).await;
    assert_eq!(answer.unwrap(), "extra: running");
    assert_eq!(primary.get::<Relay>().unwrap().double(2).await.unwrap(), Some(4));
}

/// A start that has the application load something, which waits for the start.
#[tokio::test]
async fn a_change_within_a_change_is_an_error() {
    let asks = wat(r#"(component
        (import "test:guests/host@0.1.0" (instance $host (export "back" (func (result (result string (error string)))))))
        (core module $memory
          (memory (export "memory") 1)
          (global $next (mut i32) (i32.const 1024))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            global.get $next
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
        (core instance $memory (instantiate $memory))
        (alias core export $memory "memory" (core memory $m))
        (core func $back (canon lower (func $host "back") (memory $m) (realloc (func $memory "realloc"))))
        (core module $code
          (import "" "back" (func $back (param i32)))
          (import "" "memory" (memory 1))
          (func (export "start") (result i32)
            (call $back (i32.const 0))
            (i32.const 0))
          (func (export "stop")))
        (core instance $code (instantiate $code (with "" (instance (export "back" (func $back)) (export "memory" (memory $m))))))
        (func $start (result (result (error string))) (canon lift (core func $code "start") (memory $m)))
        (func $stop (canon lift (core func $code "stop")))
        (instance $lifecycle (export "start" (func $start)) (export "stop" (func $stop)))
        (export "kokoro:core/lifecycle@0.1.0" (instance $lifecycle)))"#);
    let primary = primary(Asked::Load, &[("asks", asks)]).await;
    // Its start hands on what the application has answered.
    let reason = support::reason(&primary, "asks");
    assert!(
        reason.contains("planets are being loaded, started or stopped, and this was called by one of them"),
        "{reason}"
    );
    assert!(primary.graph().planet("extra").is_none());
    primary.load_bytes("extra", guest("extra")).await.unwrap();
}
