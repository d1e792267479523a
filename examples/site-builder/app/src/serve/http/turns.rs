//! How much is worked on at a time, so that nobody keeps all others waiting.

use super::{App, MOST_OF_A_FORM, Problem};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::timeout;

/// How many requests of all sites, how many pages of one site, and how many uploads.
const MOST_AT_ONCE: usize = 1024;
const MOST_PAGES: usize = 64;
const MOST_UPLOADS: usize = 4;
/// How long a form may take to arrive.
const MOST_FOR_A_FORM: Duration = Duration::from_secs(10);

/// Who is worked for.
#[derive(Debug)]
pub(super) struct Turns {
    all: Semaphore,
    /// By site: its plugins decide how long a page takes.
    pages: BTreeMap<String, Semaphore>,
    uploads: Semaphore,
}

impl Turns {
    pub(super) fn new(sites: impl Iterator<Item = String>) -> Self {
        let pages = sites.map(|site| (site, Semaphore::new(MOST_PAGES))).collect();
        Self { all: Semaphore::new(MOST_AT_ONCE), pages, uploads: Semaphore::new(MOST_UPLOADS) }
    }

    pub(super) fn try_acquire(&self) -> Result<tokio::sync::SemaphorePermit<'_>, TryAcquireError> {
        self.all.try_acquire()
    }
}

/// One more page of a site, if it has not too many at work.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(path): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    // That there is no such site says who would answer.
    let Some(turns) = path.get("site").and_then(|site| app.turns.pages.get(site)) else {
        return next.run(request).await;
    };
    match turns.try_acquire() {
        Ok(_turn) => next.run(request).await,
        Err(_) => Problem::busy("as many pages of this site are made as may at a time").into_response(),
    }
}

/// One more upload, which is in memory until it is whole.
pub(super) async fn upload(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.turns.uploads.try_acquire() {
        Ok(_turn) => next.run(request).await,
        Err(_) => Problem::busy("as many uploads arrive as may at a time").into_response(),
    }
}

/// Waits for the whole of a form, but not for ever.
pub(super) async fn form(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match whole(body, MOST_FOR_A_FORM).await {
        Ok(body) => next.run(Request::from_parts(head, Body::from(body))).await,
        Err(problem) => problem.into_response(),
    }
}

async fn whole(body: Body, most: Duration) -> Result<Bytes, Problem> {
    let bad = |status, text: String| Problem::new(status, "That form cannot be read", text);
    let read = timeout(most, to_bytes(body, MOST_OF_A_FORM)).await;
    let read = read.map_err(|_| bad(StatusCode::REQUEST_TIMEOUT, "it took too long".to_owned()))?;
    read.map_err(|error| {
        let text = format!("it has more than {MOST_OF_A_FORM} bytes, or did not arrive as a whole: {error}");
        bad(StatusCode::PAYLOAD_TOO_LARGE, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::io;

    #[tokio::test]
    async fn a_form_arrives_soon_and_is_small() {
        let form = whole(Body::from("grant=net"), MOST_FOR_A_FORM).await;
        assert_eq!(form.unwrap(), "grant=net");
        let never = Body::from_stream(stream::pending::<io::Result<Bytes>>());
        assert_eq!(whole(never, Duration::ZERO).await.unwrap_err().status, StatusCode::REQUEST_TIMEOUT);
        let large = whole(Body::from(vec![0; MOST_OF_A_FORM + 1]), MOST_FOR_A_FORM).await;
        assert_eq!(large.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
