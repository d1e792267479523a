//! Parts of pages that change while one looks at them: server-sent events, each of them the HTML of the part.

use super::{App, Problem};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream;
use maud::Markup;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// So often, at the most, a browser is told of changes.
const PAUSE: Duration = Duration::from_millis(100);

/// What a part looks like now.
pub(super) enum Part {
    Now(Markup),
    /// It will not change any more.
    Last(Markup),
}

/// A stream of what `part` is: now, and after each change that `changes` tells of, until there are no more or the server ends.
///
/// # Errors
///
/// If as many browsers watch as may.
pub(super) fn live<T: Send + Sync + 'static>(
    app: &Arc<App>,
    mut changes: watch::Receiver<T>,
    part: impl Fn() -> Part + Send + 'static,
) -> Result<Response, Problem> {
    let place = Arc::clone(&app.watchers).try_acquire_owned();
    let place = place.map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", "too many browsers watch"))?;
    changes.mark_changed();
    let parts = stream::unfold(Some((changes, part, place)), |state| async move {
        let (mut changes, part, place) = state?;
        changes.changed().await.ok()?;
        changes.mark_unchanged();
        let (html, next) = match part() {
            Part::Now(html) => (html, Some((changes, part, place))),
            Part::Last(html) => (html, None),
        };
        let kind = if next.is_some() { "part" } else { "last" };
        if next.is_some() {
            sleep(PAUSE).await;
        }
        Some((Ok::<_, Infallible>(Event::default().event(kind).data(html.into_string())), next))
    });
    let ends = app.ends.clone();
    let parts = parts.take_until(async move { ends.cancelled().await });
    Ok(Sse::new(parts).keep_alive(KeepAlive::default()).into_response())
}
