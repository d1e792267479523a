//! Calls that the application takes back.

mod support;

use std::sync::Arc;
use std::time::Duration;

use kokoro_host::{Caller, CancellationToken, Limits, Primary, State};
use support::{guest, node};
use tokio::sync::Notify;

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: ["test:guests/cancel@0.1.0"],
    serves: ["test:guests/host@0.1.0"],
});

use cancel::Cancel;

/// An application that dawdles until it notices that nobody wants to know any more.
#[derive(Debug, Default)]
struct Dawdler {
    begun: Notify,
}

impl host::Host for Arc<Dawdler> {
    async fn attached(&self, _: &Caller) -> Option<String> {
        None
    }

    async fn chain(&self, _: &Caller) -> Vec<String> {
        Vec::new()
    }

    async fn back(&self, _: &Caller) -> Result<String, String> {
        Err("nobody asks".to_owned())
    }

    async fn dawdle(&self, caller: &Caller) {
        self.begun.notify_one();
        while !caller.is_cancelled() {
            tokio::task::yield_now().await;
        }
    }
}

async fn primary(dawdler: &Arc<Dawdler>) -> (Primary, Cancel, CancellationToken) {
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(200);
    let primary = Primary::builder().limits(limits).serve(host::serve(Arc::clone(dawdler))).build().unwrap();
    primary.load_bytes("cancel", guest("cancel")).await.unwrap();
    let token = CancellationToken::new();
    let cancel = primary.get::<Cancel>().unwrap().cancelled_by(&token);
    (primary, cancel, token)
}

/// Waits until the Planet executes a call, so that others wait.
async fn busy(primary: &Primary) {
    let other = primary.get::<Cancel>().unwrap().within(Duration::from_millis(20));
    while other.flagged().await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_gives_up_and_keeps_its_instance() {
    let (primary, cancel, token) = primary(&Arc::default()).await;
    assert!(!cancel.flagged().await.unwrap());
    let mut events = primary.events();
    let call = tokio::spawn({
        let cancel = cancel.clone();
        async move { cancel.attentive().await }
    });
    token.cancel();
    let answer = call.await.unwrap();
    match answer {
        Ok(answer) => assert!(answer.unwrap_err().contains("cancelled")),
        // It was over before it had begun.
        Err(error) => assert!(error.is_cancelled(), "{error}"),
    }
    assert!(!primary.get::<Cancel>().unwrap().flagged().await.unwrap(), "other calls are not cancelled");
    primary.shutdown().await;
    assert!(events.next().await.unwrap().to_string().starts_with("cancel: running -> stopping"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_look_is_ended_and_started_anew() {
    let (primary, cancel, token) = primary(&Arc::default()).await;
    for _ in 0..8 {
        let token = CancellationToken::new();
        let call = tokio::spawn({
            let cancel = cancel.cancelled_by(&token);
            async move { cancel.deaf().await }
        });
        busy(&primary).await;
        token.cancel();
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is_cancelled() && !error.is_timeout(), "{error}");
        assert!(error.to_string().contains("planet `cancel` did not give it up: it was ended after"), "{error}");
        // That costs it none of its restarts.
        assert!(!primary.get::<Cancel>().unwrap().flagged().await.unwrap());
    }
    assert_eq!(node(&primary, "cancel").state, State::Running);
    token.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_its_turn_ends_at_once() {
    let (primary, _, token) = primary(&Arc::default()).await;
    let deaf = primary.get::<Cancel>().unwrap().within(Duration::from_secs(5));
    let executed = tokio::spawn(async move { deaf.deaf().await });
    busy(&primary).await;
    let waiting = primary.get::<Cancel>().unwrap().cancelled_by(&token);
    let waiting = tokio::spawn(async move { waiting.flagged().await });
    token.cancel();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(error.to_string().contains("was cancelled before `cancel` was free to answer it"), "{error}");
    assert!(executed.await.unwrap().unwrap_err().is_timeout());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_sees_it_in_what_it_serves() {
    let dawdler = Arc::default();
    let (primary, cancel, token) = primary(&dawdler).await;
    let call = tokio::spawn(async move { cancel.waits().await });
    dawdler.begun.notified().await;
    token.cancel();
    let answer = call.await.unwrap().unwrap();
    assert!(answer.unwrap_err().contains("cancelled"));
    assert_eq!(node(&primary, "cancel").state, State::Running);
}
