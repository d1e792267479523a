//! Calls that the application takes back.

mod support;

use std::sync::Arc;
use std::time::Duration;

use kokoro_host::{Caller, CancellationToken, Limits, Primary, State};
use support::{Application, Gate, cancel::Cancel, gate, guest, in_time, next, node, serve};
use tokio::sync::Notify;

/// An application that dawdles until it notices that nobody wants to know any more.
#[derive(Debug, Default)]
struct Dawdler {
    begun: Notify,
}

impl Application for Dawdler {
    async fn dawdle(&self, caller: &Caller) {
        self.begun.notify_one();
        while !caller.is_cancelled() {
            tokio::task::yield_now().await;
        }
    }
}

/// What the tests have in their hands.
#[derive(Default)]
struct Around {
    dawdler: Arc<Dawdler>,
    /// `attentive` and `deaf` pass it.
    gate: Arc<Gate>,
    /// Cancels the calls of the handle that [`primary`] gives.
    token: CancellationToken,
}

async fn primary(around: &Around) -> (Primary, Cancel) {
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(200);
    let builder = Primary::builder().limits(limits).serve(serve(&around.dawdler));
    let primary = builder.serve(gate::serve(Arc::clone(&around.gate))).build().unwrap();
    primary.load_bytes("cancel", guest("cancel")).await.unwrap();
    let cancel = primary.get::<Cancel>().unwrap().cancelled_by(&around.token);
    (primary, cancel)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_gives_up_and_keeps_its_instance() {
    let around = Around::default();
    let (primary, cancel) = primary(&around).await;
    assert!(!cancel.flagged().await.unwrap());
    let mut events = primary.events();
    let call = tokio::spawn(async move { cancel.attentive().await });
    // It has looked once already, when there was nothing to be seen.
    around.gate.arrived().await;
    around.gate.open();
    around.token.cancel();
    let answer = in_time(call).await.unwrap().unwrap();
    assert!(answer.unwrap_err().contains("cancelled"));
    assert!(!primary.get::<Cancel>().unwrap().flagged().await.unwrap(), "other calls are not cancelled");
    primary.shutdown().await;
    assert!(next(&mut events).await.to_string().starts_with("cancel: running -> stopping"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cancelled_from_the_beginning_is_not_made() {
    let around = Around::default();
    let (primary, cancel) = primary(&around).await;
    around.token.cancel();
    let error = cancel.flagged().await.unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    // It does not come to the gate.
    let error = in_time(cancel.attentive()).await.unwrap_err();
    assert!(error.to_string().contains("was cancelled before `cancel` began to answer it"), "{error}");
    assert_eq!(node(&primary, "cancel").state, State::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_look_is_ended_and_started_anew() {
    let around = Around::default();
    let (primary, cancel) = primary(&around).await;
    for _ in 0..8 {
        let token = CancellationToken::new();
        let call = tokio::spawn({
            let cancel = cancel.cancelled_by(&token);
            async move { cancel.deaf().await }
        });
        around.gate.arrived().await;
        around.gate.open();
        token.cancel();
        let error = in_time(call).await.unwrap().unwrap_err();
        assert!(error.is_cancelled() && !error.is_timeout(), "{error}");
        assert!(error.to_string().contains("planet `cancel` did not give it up: it was ended after"), "{error}");
        // That costs it none of its restarts.
        assert!(!primary.get::<Cancel>().unwrap().flagged().await.unwrap());
    }
    assert_eq!(node(&primary, "cancel").state, State::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_its_turn_ends_at_once() {
    let around = Around::default();
    let (primary, executed) = primary(&around).await;
    let executed = tokio::spawn(async move { executed.attentive().await });
    around.gate.arrived().await;
    let token = CancellationToken::new();
    let waiting = primary.get::<Cancel>().unwrap().cancelled_by(&token);
    let waiting = tokio::spawn(async move { waiting.flagged().await });
    token.cancel();
    let error = in_time(waiting).await.unwrap().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(error.to_string().contains("was cancelled before `cancel` began to answer it"), "{error}");
    // The one that is executed has not noticed anything.
    around.token.cancel();
    around.gate.open();
    assert!(in_time(executed).await.unwrap().unwrap().unwrap_err().contains("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_sees_it_in_what_it_serves() {
    let around = Around::default();
    let (primary, cancel) = primary(&around).await;
    let call = tokio::spawn(async move { cancel.waits().await });
    in_time(around.dawdler.begun.notified()).await;
    around.token.cancel();
    let answer = in_time(call).await.unwrap().unwrap();
    assert!(answer.unwrap_err().contains("cancelled"));
    assert_eq!(node(&primary, "cancel").state, State::Running);
}
