//! Builds and commands: started, watched, cancelled.

use super::live::{Part, live};
use super::{App, Problem, see};
use crate::serve::commands;
use crate::serve::jobs::Job;
use crate::serve::view;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;

pub(super) async fn commands(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Markup, Problem> {
    Ok(view::jobs::commands(app.tenant(&site)?))
}

#[derive(Debug, Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    input: String,
}

pub(super) async fn run_command(
    State(app): State<Arc<App>>,
    Path((site, planet, id)): Path<(String, String, String)>,
    Form(Input { input }): Form<Input>,
) -> Result<Redirect, Problem> {
    let tenant = app.tenant(&site)?;
    let known = tenant.shelf.current(&planet).and_then(|release| commands::of(&release.inspection.manifest).ok());
    let command = known.into_iter().flatten().find(|command| command.id == id);
    let none = || Problem::new(StatusCode::NOT_FOUND, "Not found", format!("`{planet}` has no command `{id}`"));
    let title = command.ok_or_else(none)?.title;
    let job = tenant.run_command(&planet, id, title, input);
    let job = job.map_err(|error| Problem::not_done(&site, "commands", &error))?;
    Ok(see(&site, format_args!("jobs/{}", job.id)))
}

pub(super) async fn build(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Redirect, Problem> {
    let job = app.tenant(&site)?.build().map_err(|error| Problem::not_done(&site, "jobs", &error))?;
    Ok(see(&site, format_args!("jobs/{}", job.id)))
}

pub(super) async fn list(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Markup, Problem> {
    Ok(view::jobs::list(app.tenant(&site)?))
}

fn job(app: &App, site: &str, id: u64) -> Result<Arc<Job>, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "Not found", format!("there is no job {id}, or not any more"));
    app.tenant(site)?.jobs.get(id).ok_or_else(none)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((site, id)): Path<(String, u64)>,
) -> Result<Markup, Problem> {
    let job = job(&app, &site, id)?;
    Ok(view::jobs::page(app.tenant(&site)?, &job))
}

pub(super) async fn watch(
    State(app): State<Arc<App>>,
    Path((site, id)): Path<(String, u64)>,
) -> Result<Response, Problem> {
    let job = job(&app, &site, id)?;
    live(&app, job.watch(), move || {
        // What is shown at the end has to be the end.
        let has_ended = job.has_ended();
        let part = view::jobs::part(&site, &job);
        if has_ended { Part::Last(part) } else { Part::Now(part) }
    })
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Path((site, id)): Path<(String, u64)>,
) -> Result<Redirect, Problem> {
    job(&app, &site, id)?.cancel.cancel();
    Ok(see(&site, format_args!("jobs/{id}")))
}
