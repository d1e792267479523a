//! Plugins are uploaded, decided about and removed.

use super::{App, Problem, see};
use crate::serve::shelf::Release;
use crate::serve::tenant::Tenant;
use crate::serve::view;
use axum::Form;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::Markup;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long an upload may take.
const MOST_FOR_AN_UPLOAD: Duration = Duration::from_secs(120);

pub(super) async fn list(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Markup, Problem> {
    Ok(view::plugins::page(app.tenant(&site)?))
}

/// Takes a component, looks at it without compiling anything, and leads to the page with what it asks for.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    form: Multipart,
) -> Result<Redirect, Problem> {
    let tenant = app.tenant(&site)?;
    let bad = |status, text: String| {
        Problem::new(status, "That cannot be uploaded", text).with_link(format!("/s/{site}/plugins"), "Back")
    };
    let read = timeout(MOST_FOR_AN_UPLOAD, file_of(form)).await;
    let read = read.map_err(|_| bad(StatusCode::REQUEST_TIMEOUT, "it took too long".to_owned()))?;
    let file = read.map_err(|error| bad(error.status(), error.body_text()))?;
    let Some((name, bytes)) = file.filter(|(_, bytes)| !bytes.is_empty()) else {
        return Err(bad(StatusCode::BAD_REQUEST, "there is no file in the form".to_owned()));
    };
    let release = tenant.upload(name, bytes).await;
    let release = release.map_err(|error| bad(StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}")))?;
    Ok(see(&site, format_args!("plugins/{}", release.sha256())))
}

/// The stem of the file's name where it came from, and its content.
async fn file_of(mut form: Multipart) -> Result<Option<(String, Vec<u8>)>, MultipartError> {
    while let Some(field) = form.next_field().await? {
        if field.name() == Some("component") {
            let name = field.file_name().unwrap_or_default();
            let stem = name.strip_suffix(".wasm").unwrap_or(name).to_owned();
            return Ok(Some((stem, field.bytes().await?.into())));
        }
    }
    Ok(None)
}

fn release(tenant: &Tenant, sha256: &str) -> Result<Arc<Release>, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "Not found", "there is no plugin with this SHA-256");
    tenant.shelf.release(sha256).ok_or_else(none)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((site, sha256)): Path<(String, String)>,
) -> Result<Markup, Problem> {
    let tenant = app.tenant(&site)?;
    let release = release(tenant, &sha256)?;
    Ok(view::permission::page(tenant, &release))
}

/// `grant` and `export` are there once for each thing that is allowed; `value:NAME` is what a variable is to be.
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    Path((site, sha256)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Problem> {
    let tenant = app.tenant(&site)?;
    let release = release(tenant, &sha256)?;
    let (mut ticked, mut exports, mut values) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for (name, value) in fields {
        match (&*name, name.strip_prefix("value:")) {
            ("grant", _) => _ = ticked.insert(value),
            ("export", _) => _ = exports.insert(value),
            (_, Some(variable)) => _ = values.insert(variable.to_owned(), value),
            _ => {}
        }
    }
    let terms = release.terms(&ticked, &exports, &values);
    let place = format!("plugins/{sha256}");
    tenant.admit(&release, terms).await.map_err(|error| Problem::not_done(&site, &place, &error))?;
    Ok(see(&site, "plugins"))
}

pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    Path((site, sha256)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let tenant = app.tenant(&site)?;
    let release = release(tenant, &sha256)?;
    let place = format!("plugins/{sha256}");
    tenant.refuse(&release).await.map_err(|error| Problem::not_done(&site, &place, &error))?;
    Ok(see(&site, "plugins"))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path((site, sha256)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let tenant = app.tenant(&site)?;
    let release = release(tenant, &sha256)?;
    tenant.remove(&release).await.map_err(|error| Problem::not_done(&site, "plugins", &error))?;
    Ok(see(&site, "plugins"))
}
