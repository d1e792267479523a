//! Work that is not cut off when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime;

/// A future that, if it is dropped half-way, runs on elsewhere: cutting off a call would cost the called Planet its
/// instance. Its own deadline ends it.
pub(super) struct ToTheEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    begun: bool,
    runtime: runtime::Handle,
}

impl<T: Send + 'static> ToTheEnd<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, runtime: &runtime::Handle) -> Self {
        Self { work: Some(Box::pin(work)), begun: false, runtime: runtime.clone() }
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        // Taken out, so that work that panics is not gone on with.
        let mut work = self.work.take().expect("a future is not polled after it is done");
        let poll = work.as_mut().poll(context);
        if poll.is_pending() {
            self.work = Some(work);
        }
        poll
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.begun) {
            let runtime = runtime::Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
            runtime.spawn(async move { drop(work.await) });
        }
    }
}
