//! What the application attaches to a call, and who sees it.

mod support;

use std::sync::Arc;

use kokoro_host::{Admission, Candidate, Primary};
use support::{Request, guest, primary_with, relay::Relay, step::Step};

/// `relay`, and two Planets before it that hand calls on: `alpha` calls `beta`, which calls `relay`.
async fn chain_of_three() -> Primary {
    let named = |candidate: Candidate| match candidate.file() {
        None if candidate.name() == "step" => {
            Admission::admitted().named(candidate.manifest().app["name"].as_str().unwrap())
        }
        _ => Admission::admitted(),
    };
    let primary = primary_with(Primary::builder().admit(named), &["faulty", "relay"]).await;
    for name in ["beta", "alpha"] {
        let app = format!(r#"{{"name":"step","requires":["test:guests/step@0.1.0"],"app":{{"name":"{name}"}}}}"#);
        primary.load_bytes("step", support::first_manifest(guest("step"), &app)).await.unwrap();
    }
    primary
}

fn request(text: &str) -> Request {
    Request(text.to_owned())
}

#[tokio::test]
async fn it_is_seen_three_planets_down_the_chain() {
    let primary = chain_of_three().await;
    let step = primary.get::<Step>().unwrap();
    assert_eq!(step.planet().as_deref(), Some("alpha"));
    let graph = primary.graph();
    let next = |name: &str| format!("{:?}", graph.planet(name).unwrap().imports[0].provider);
    assert!(next("alpha").contains("\"beta\"") && next("beta").contains("\"relay\""), "{graph}");

    assert_eq!(step.with(request("for Ada")).attached().await.unwrap().as_deref(), Some("for Ada"));
    assert_eq!(step.attached().await.unwrap(), None);
    assert_eq!(step.with(request("old")).with(request("new")).attached().await.unwrap().as_deref(), Some("new"));
    assert_eq!(step.with("no request").attached().await.unwrap(), None, "it is of another type");
    let function = primary.function("test:guests/step", "attached").unwrap();
    let answer = function.with(request("dynamic")).call(&[]).await.unwrap();
    assert_eq!(kokoro_host::dynamic::wave::to_string(&answer[0]).unwrap(), "some(\"dynamic\")");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_do_not_mix_theirs() {
    let primary = Arc::new(chain_of_three().await);
    let calls = (0..32).map(|i| {
        let step = primary.get::<Step>().unwrap().with(request(&format!("call {i}")));
        tokio::spawn(async move {
            for _ in 0..20 {
                assert_eq!(step.attached().await.unwrap(), Some(format!("call {i}")));
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn what_a_served_function_calls_has_it_too_and_may_not_come_back() {
    let primary = chain_of_three().await;
    let relay = primary.get::<Relay>().unwrap();
    let error = relay.with(request("x")).back().await.unwrap().unwrap_err();
    assert!(
        error.contains("would re-enter planet `relay`, which waits for this very call: `relay` -> `relay`"),
        "{error}"
    );
    // Three Planets down, the application calls back into the last of them.
    let error = primary.get::<Step>().unwrap().back().await.unwrap().unwrap_err();
    assert!(error.contains("`alpha` -> `beta` -> `relay` -> `relay`"), "{error}");
}
