//! Work that is not cut off when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime;

/// A future that, if it is dropped half-way, runs on elsewhere: cutting off a call would cost the called Planet its
/// instance. Its own deadline ends it.
pub(super) struct ToTheEnd<T: Send + 'static, G: FnOnce() + Unpin> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    begun: bool,
    /// Is told when nobody waits for the work any more, and it goes on.
    given_up: Option<G>,
    runtime: runtime::Handle,
}

impl<T: Send + 'static, G: FnOnce() + Unpin> ToTheEnd<T, G> {
    /// Has `given_up` told when nobody waits for the work any more, and it goes on.
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, runtime: &runtime::Handle, given_up: G) -> Self {
        Self { work: Some(Box::pin(work)), begun: false, given_up: Some(given_up), runtime: runtime.clone() }
    }
}

impl<T: Send + 'static, G: FnOnce() + Unpin> Future for ToTheEnd<T, G> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        this.begun = true;
        // Wherever it is polled: its timers and tasks have to live as long as the Primary.
        let _inside = this.runtime.enter();
        // Taken out, so that work that panics is not gone on with.
        let mut work = this.work.take().expect("a future is not polled after it is done");
        let poll = work.as_mut().poll(context);
        if poll.is_pending() {
            this.work = Some(work);
        }
        poll
    }
}

impl<T: Send + 'static, G: FnOnce() + Unpin> Drop for ToTheEnd<T, G> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.begun) {
            if let Some(given_up) = self.given_up.take() {
                given_up();
            }
            self.runtime.spawn(async move { drop(work.await) });
        }
    }
}
