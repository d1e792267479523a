//! `site-builder serve`: several sites, each with plugins of its own, in one server.

mod commands;
mod content;
mod http;
mod jobs;
mod journal;
mod shelf;
mod tenant;
mod terms;
mod view;

use self::http::{App, Hosts, router};
use self::shelf::Release;
use self::tenant::Tenant;
use crate::builder::Misuse;
use crate::output::{Output, complain};
use anyhow::{Context as _, Result};
use clap::Args;
use futures_util::future::join_all;
use kokoro_host::{CancellationToken, Engine, inspect};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// How long requests in flight may take once the server is to end.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folder with the sites: each folder in it is one, with its Markdown
    #[arg(long, value_name = "DIR")]
    sites: PathBuf,
    /// The folder for what is to be remembered: uploads, decisions, builds, and compiled code
    ///
    /// Who can write there decides which Planets (plugins) run.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The folder with the Planets (plugins) that all sites start with
    #[arg(long, value_name = "DIR")]
    planets: PathBuf,
    /// Where to listen; there are no accounts, so it is an address that only this computer reaches
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Another name by which browsers may ask for this server, when something stands before it; can be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// The folder for compiled code [default: `cache` in the folder of --state]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Serves until it is interrupted; `false` if what it says could not be said.
pub(crate) async fn serve(serve: &Serve) -> Result<bool> {
    for (option, folder) in [("--planets", &serve.planets), ("--sites", &serve.sites)] {
        if !folder.is_dir() {
            return Err(Misuse(format!("{option}: `{}` is not a folder", folder.display())).into());
        }
    }
    if !serve.listen.ip().is_loopback() {
        return Err(Misuse(format!(
            "--listen: others could reach {}, and whoever reaches the server may decide about plugins\n  help: listen at 127.0.0.1, and \
             have a server before it that knows people (`--host` tells its name)",
            serve.listen
        ))
        .into());
    }
    fs::create_dir_all(&serve.state).with_context(|| format!("`{}` cannot be made", serve.state.display()))?;
    let (state, sites) = (fs::canonicalize(&serve.state)?, fs::canonicalize(&serve.sites)?);
    // What is remembered of a site would be served as its texts.
    if state.starts_with(&sites) {
        return Err(Misuse("--state: it cannot be among the sites\n  help: name a folder elsewhere".to_owned()).into());
    }
    if sites.starts_with(&state) {
        return Err(Misuse(
            "--sites: they cannot be in the folder of --state\n  help: name a folder elsewhere".to_owned(),
        )
        .into());
    }
    let cache = serve.cache.clone().unwrap_or_else(|| serve.state.join("cache"));
    let engine = Engine::builder().cache(cache).build()?;
    let built_in = built_in(&serve.planets)?;
    let listener = TcpListener::bind(serve.listen).await.with_context(|| format!("{} is not free", serve.listen))?;
    let address = listener.local_addr()?;

    let sites = self::sites(&serve.sites)?;
    let opened = join_all(sites.iter().map(|(name, texts)| {
        let state = serve.state.join("sites").join(name);
        let (built_in, engine) = (&built_in, &engine);
        async move {
            let tenant = Tenant::open(name.clone(), texts, &state, built_in, engine).await;
            tenant.with_context(|| format!("site `{name}`")).map(|tenant| (name.clone(), Arc::new(tenant)))
        }
    }));
    let tenants: BTreeMap<String, Arc<Tenant>> = opened.await.into_iter().collect::<Result<_>>()?;
    let ends = CancellationToken::new();
    let app = App::new(tenants, Hosts::new(address, &serve.host), ends.clone());
    let mut said = Output::default();
    said.print(format_args!("{} at http://{address}/\n", crate::builder::count(sites.len(), "site", "sites")));

    let server = axum::serve(listener, router(Arc::clone(&app)));
    let server = server.with_graceful_shutdown(ends.clone().cancelled_owned()).into_future();
    let server = tokio::spawn(server);
    interrupted().await?;
    ends.cancel();
    complain(format_args!("ending: requests and plugins come to rest"));
    // Jobs would keep the Primaries busy, and nobody can watch them any more.
    let come_to_rest = async {
        join_all(app.tenants.values().map(|tenant| tenant.jobs.end_all())).await;
        server.await
    };
    match timeout(DRAIN, come_to_rest).await {
        Ok(served) => served??,
        Err(_) => complain(format_args!("warning: some requests took too long and were broken off")),
    }
    join_all(app.tenants.values().map(|tenant| tenant.primary.shutdown())).await;
    Ok(said.problem().is_none())
}

/// Waits until somebody wants the server to end.
async fn interrupted() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// The Planets (plugins) that the server comes with. What cannot be used is said, and left out.
fn built_in(folder: &Path) -> Result<Vec<Arc<Release>>> {
    let mut releases: Vec<Arc<Release>> = Vec::new();
    for file in entries(folder)?.into_iter().filter(|file| file.extension().is_some_and(|e| e == "wasm")) {
        let bytes = fs::read(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        match inspect(&stem, &bytes) {
            Err(error) => complain(format_args!("warning: {}: left out: {error}", file.display())),
            Ok(inspection) => {
                let release = Release { file, is_built_in: true, inspection };
                match releases.iter().find(|other| other.name() == release.name()) {
                    Some(_) => complain(format_args!(
                        "warning: {}: left out, since another is called `{}`",
                        release.file.display(),
                        release.name()
                    )),
                    None => releases.push(Arc::new(release)),
                }
            }
        }
    }
    Ok(releases)
}

/// The sites by their names, which stand in addresses.
fn sites(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut sites = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match name {
            hidden if hidden.starts_with('.') => {}
            name if name.chars().all(plain) => sites.push((name, path)),
            name => complain(format_args!(
                "warning: {}: left out, since a site's name has letters, digits, dashes, dots and underscores",
                name.escape_debug()
            )),
        }
    }
    Ok(sites)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().with_context(|| format!("`{}` cannot be read", folder.display()))?;
    entries.sort();
    Ok(entries)
}
