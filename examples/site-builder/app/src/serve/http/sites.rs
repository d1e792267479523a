//! A site: its pages, and why what does not run does not.

use super::guard::{STRANGE, WITH_STYLES};
use super::live::{Part, live};
use super::{App, Problem, see};
use crate::serve::content::{Content, Fault};
use crate::serve::view;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use kokoro_host::Graph;
use maud::Markup;
use std::sync::Arc;

pub(super) async fn overview(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Markup, Problem> {
    Ok(view::home::overview(app.tenant(&site)?))
}

pub(super) async fn read_again(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Redirect, Problem> {
    app.tenant(&site)?.read_again().await.map_err(|error| Problem::not_done(&site, "", &error))?;
    Ok(see(&site, ""))
}

pub(super) async fn index(state: State<Arc<App>>, Path(site): Path<String>) -> Result<Response, Problem> {
    content(state, Path((site, String::new()))).await
}

/// A page or a file of the site. It is a stranger's, and browsers are told so.
pub(super) async fn content(
    State(app): State<Arc<App>>,
    Path((site, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let tenant = app.tenant(&site)?;
    let Content { media_type, bytes } = match tenant.content(&path).await {
        Ok(Some(content)) => content,
        Ok(None) => return Err(Problem::new(StatusCode::NOT_FOUND, "Not found", format!("this site has no `{path}`"))),
        Err(fault) => {
            let (status, title, text) = match fault {
                Fault::NoMaker(text) => (StatusCode::SERVICE_UNAVAILABLE, "Nobody makes this page", text),
                Fault::TooLate(text) => (StatusCode::GATEWAY_TIMEOUT, "This page took too long", text),
                Fault::Failed(text) => (StatusCode::BAD_GATEWAY, "This page cannot be made", text),
            };
            return Err(Problem::new(status, title, text).with_link(format!("/s/{site}/why"), "Why?"));
        }
    };
    Ok(([(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, STRANGE)], bytes).into_response())
}

pub(super) async fn why(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Response, Problem> {
    let page = view::why::page(app.tenant(&site)?);
    Ok(([(header::CONTENT_SECURITY_POLICY, WITH_STYLES)], page).into_response())
}

pub(super) async fn why_live(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Response, Problem> {
    let tenant = Arc::clone(app.tenant(&site)?);
    live(&app, tenant.journal.watch(), move || Part::Now(view::why::part(&tenant)))
}

pub(super) async fn graph(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Json<Graph>, Problem> {
    Ok(Json(app.tenant(&site)?.graph()))
}

pub(super) async fn restart(
    State(app): State<Arc<App>>,
    Path((site, planet)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    app.tenant(&site)?.restart(&planet).await.map_err(|error| Problem::not_done(&site, "why", &error))?;
    Ok(see(&site, "why"))
}
