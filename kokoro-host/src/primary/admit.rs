//! Asks the application about a candidate.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Primary;
use crate::admission::{Admission, Admitted, Candidate};
use crate::manifest::check_name;
use crate::planet::span;

/// What the application has given to [`Builder::admit`](super::Builder::admit).
#[derive(Clone)]
pub(super) struct Judge(Arc<dyn Fn(Candidate) -> Verdict + Send + Sync>);

type Verdict = Pin<Box<dyn Future<Output = Admission> + Send>>;

impl Judge {
    pub(super) fn new<V>(decide: impl Fn(Candidate) -> V + Send + Sync + 'static) -> Self
    where
        V: IntoFuture<Output: Into<Admission>, IntoFuture: Send + 'static>,
    {
        Self(Arc::new(move |candidate| {
            let verdict = decide(candidate).into_future();
            Box::pin(async move { verdict.await.into() })
        }))
    }

    /// The decision, or a sentence that says why there is none.
    async fn decide(self, candidate: Candidate) -> Result<Admission, String> {
        let mut verdict = self.ask(candidate).await?;
        let poll = |context: &mut std::task::Context<'_>| match catch_unwind(AssertUnwindSafe(|| {
            verdict.as_mut().poll(context)
        })) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic_message(&*panic))),
        };
        std::future::poll_fn(poll).await
    }
}

impl Judge {
    /// Calls the application's closure on a thread of its own: it may ask on a terminal, and who never answers must not keep
    /// one of the runtime's threads, nor the process from ending.
    async fn ask(self, candidate: Candidate) -> Result<Verdict, String> {
        let (send, asked) = oneshot::channel();
        let runtime = runtime::Handle::current();
        let ask = move || {
            let _inside = runtime.enter();
            let verdict = catch_unwind(AssertUnwindSafe(|| (self.0)(candidate)));
            // The load may have been given up.
            let _ = send.send(verdict.map_err(|panic| panic_message(&*panic)));
        };
        let thread = thread::Builder::new().name("kokoro-admission".to_owned()).spawn(ask);
        thread.map_err(|error| format!("the application could not be asked, for want of a thread: {error}"))?;
        asked.await.unwrap_or_else(|_| Err("the application gave no answer about it".to_owned()))
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the application panicked when it was asked about it: {}", text.unwrap_or("without a message"))
}

impl Primary {
    /// What the application decides about a candidate, or why it is refused, as a sentence.
    pub(super) async fn judge(&self, candidate: Candidate) -> Result<Admitted, String> {
        let Some(judge) = self.shared.judge.clone() else { return Ok(Admitted::default()) };
        let (name, within) = (candidate.name().to_owned(), self.shared.limits.admission);
        let problem = match timeout(within, judge.decide(candidate)).await {
            Ok(Ok(admission)) => match admission.into_result() {
                Ok(admitted) => match problem(&admitted) {
                    None => return Ok(admitted),
                    Some(problem) => format!("what the application decided about it cannot be done: {problem}"),
                },
                Err(reason) => return Err(reason),
            },
            Ok(Err(problem)) => problem,
            Err(_) => format!("the application did not decide about it within {}", span(within)),
        };
        tracing::error!(target: "kokoro", planet = name, "refused: {problem}");
        Err(problem)
    }
}

/// What is wrong with a decision.
fn problem(admitted: &Admitted) -> Option<String> {
    if let Some(Err(problem)) = admitted.name.as_deref().map(check_name) {
        return Some(problem);
    }
    if let Some(Err(error)) = &admitted.exports {
        return Some(format!("of the exports that shall count, {error}"));
    }
    admitted.grants.problems.first().cloned()
}
