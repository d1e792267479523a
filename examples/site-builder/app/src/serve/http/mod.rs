//! The server: what there is at which address.

mod guard;
mod jobs;
mod live;
mod plugins;
mod sites;
mod turns;

pub(crate) use self::guard::Hosts;

use self::turns::Turns;
use super::tenant::Tenant;
use super::view;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kokoro_host::CancellationToken;
use maud::Markup;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many browsers may watch something.
const MOST_WATCHERS: usize = 64;
/// How large a form may be, and an upload, in bytes.
const MOST_OF_A_FORM: usize = 64 << 10;
const MOST_OF_AN_UPLOAD: usize = 32 << 20;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) tenants: BTreeMap<String, Arc<Tenant>>,
    hosts: Hosts,
    turns: Turns,
    watchers: Arc<Semaphore>,
    /// That the server ends: who watches is not to keep it.
    ends: CancellationToken,
}

impl App {
    pub(crate) fn new(tenants: BTreeMap<String, Arc<Tenant>>, hosts: Hosts, ends: CancellationToken) -> Arc<Self> {
        let watchers = Arc::new(Semaphore::new(MOST_WATCHERS));
        let turns = Turns::new(tenants.keys().cloned());
        Arc::new(Self { tenants, hosts, turns, watchers, ends })
    }

    fn tenant(&self, name: &str) -> Result<&Arc<Tenant>, Problem> {
        let text = || format!("there is no site `{name}`");
        self.tenants.get(name).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "Not found", text()))
    }
}

/// Every address.
pub(crate) fn router(app: Arc<App>) -> Router {
    let uploads = Router::new()
        .route("/s/{site}/upload", post(plugins::upload))
        .layer(DefaultBodyLimit::max(MOST_OF_AN_UPLOAD))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), turns::upload));
    let pages = Router::new()
        .route("/s/{site}/pages/", get(sites::index))
        .route("/s/{site}/pages/{*path}", get(sites::content))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), turns::page));
    Router::new()
        .route("/", get(home))
        .route("/own/{file}", get(own_file))
        .route("/s/{site}/", get(sites::overview))
        .route("/s/{site}/read-again", post(sites::read_again))
        .route("/s/{site}/plugins", get(plugins::list))
        .route("/s/{site}/plugins/{sha256}", get(plugins::show))
        .route("/s/{site}/plugins/{sha256}/admit", post(plugins::admit))
        .route("/s/{site}/plugins/{sha256}/refuse", post(plugins::refuse))
        .route("/s/{site}/plugins/{sha256}/remove", post(plugins::remove))
        .route("/s/{site}/commands", get(jobs::commands))
        .route("/s/{site}/commands/{planet}/{id}", post(jobs::run_command))
        .route("/s/{site}/builds", post(jobs::build))
        .route("/s/{site}/jobs", get(jobs::list))
        .route("/s/{site}/jobs/{id}", get(jobs::show))
        .route("/s/{site}/jobs/{id}/live", get(jobs::watch))
        .route("/s/{site}/jobs/{id}/cancel", post(jobs::cancel))
        .route("/s/{site}/why", get(sites::why))
        .route("/s/{site}/why/live", get(sites::why_live))
        .route("/s/{site}/graph.json", get(sites::graph))
        .route("/s/{site}/restart/{planet}", post(sites::restart))
        .layer(middleware::from_fn(turns::form))
        .merge(pages)
        .merge(uploads)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "Not found", "there is nothing at this address") })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}

async fn home(State(app): State<Arc<App>>) -> Markup {
    view::home::page(&app.tenants)
}

/// The server's own stylesheet and script.
async fn own_file(Path(file): Path<String>) -> Result<Response, Problem> {
    let (media_type, text) = match &*file {
        "serve.css" => ("text/css; charset=utf-8", include_str!("../view/serve.css")),
        "serve.js" => ("text/javascript; charset=utf-8", include_str!("../view/serve.js")),
        _ => return Err(Problem::new(StatusCode::NOT_FOUND, "Not found", "there is nothing at this address")),
    };
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}

/// What a person is told who asked for something that cannot be.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    text: String,
    /// Where something can be done about it.
    back: Option<(String, &'static str)>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self { status, title, text: text.into(), back: None }
    }

    fn busy(what: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", format!("{what}; try again in a moment"))
    }

    /// A change that was not made, and where it was asked for.
    fn not_done(site: &str, place: &str, error: &anyhow::Error) -> Self {
        let back = Some((format!("/s/{site}/{place}"), "Back"));
        Self { back, ..Self::new(StatusCode::CONFLICT, "That was not done", format!("{error:#}")) }
    }

    fn with_link(self, address: String, text: &'static str) -> Self {
        Self { back: Some((address, text)), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let back = self.back.as_ref().map(|(address, text)| (&**address, *text));
        (self.status, view::problem(self.title, &self.text, back)).into_response()
    }
}

/// After something was done, browsers ask for the page that shows it.
fn see(site: &str, place: impl std::fmt::Display) -> Redirect {
    Redirect::to(&format!("/s/{site}/{place}"))
}
