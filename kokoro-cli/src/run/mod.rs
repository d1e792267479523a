//! `kokoro run`

mod console;
mod files;
mod folder;
mod prompt;
mod signals;
mod sources;
mod tree;
mod watch;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use kokoro_host::{Events, Graph, Primary, State};
use serde_json::json;

pub(crate) use self::console::Console;
use self::console::Form;
use self::folder::Folder;
use self::sources::Sources;
use self::watch::Watch;
use crate::build::{Profile, is_project};
use crate::failure::Failure;
use crate::hints::Hints;
use crate::output;
use crate::setup::Setup;

/// What is logged unless RUST_LOG says otherwise: what Planets (plugins) say, and what goes wrong. What becomes of Planets is told by
/// the events.
pub(crate) const LOG: &str = "error,kokoro=warn,kokoro::life=off,kokoro::planet=info";

/// The options of `kokoro run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The folder; or that of a cargo project, whose planets are built and run. The project of the current folder if none is given
    dir: Option<PathBuf>,
    /// Has new, changed and removed files take effect at once
    ///
    /// What is in the folder is what runs: a changed planet keeps the state that it saves, and those whom it no longer fits
    /// wait. As long as a changed file cannot be used, the old planet goes on. A file that is still being written is waited for.
    ///
    /// Of a cargo project the sources are followed: what is saved is built and takes effect. As long as it cannot be compiled, the
    /// old planet goes on. So that this is quick, it is compiled like `release` without link-time optimisation, unless --profile
    /// says otherwise, and put into target/planets-watch; `kokoro build` makes what is to be handed out.
    #[arg(long)]
    watch: bool,
    /// Of a cargo project, builds these planets and their satellites alone
    #[arg(short, long = "package", value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Of a cargo project, how it is compiled, as for `kokoro build`
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Each event as a JSON object on a line, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    setup: Setup,
}

impl Run {
    pub(crate) async fn run(self, hints: &Hints, console: &Console) -> Result<(), Failure> {
        let asked = signals::listen()
            .map_err(|error| Failure::failed(format!("the signals that end it cannot be waited for: {error}")))?;
        let primary = self.setup.primary(hints)?;
        let form = match self.json {
            true => Form::Json,
            false if output::colours(&io::stdout()) => Form::Coloured,
            false => Form::Text,
        };
        console.listen(primary.events(), form);
        tokio::spawn(show(primary.events(), console.clone()));
        let life = async {
            self.live(&primary, hints, console).await?;
            // What there is runs on.
            std::future::pending().await
        };
        let outcome = tokio::select! {
            failed = life => failed,
            _ = asked => Ok(()),
            () = console.closed() => Ok(()),
        };
        primary.shutdown().await;
        console.catch_up();
        outcome.and_then(|()| console.outcome())
    }

    /// Loads the folder, follows it if that was asked for, and answers what is asked meanwhile.
    async fn live(&self, primary: &Primary, hints: &Hints, console: &Console) -> Result<(), Failure> {
        let mut sources = self.sources(console)?;
        let dir = match (&mut sources, &self.dir) {
            (Some(sources), _) => sources.build_first(self.watch).await?,
            (None, dir) => dir.clone().unwrap_or_default(),
        };
        let dir = dir.as_path();
        let mut watch = self.watch.then(|| Watch::new(dir, console));
        if let Some(watch) = &mut watch {
            watch.until_whole().await;
        }
        // While it is watched, the one that is meant may still come.
        if watch.is_none() {
            self.setup.check(dir)?;
        }
        primary.load_dir(dir).await.map_err(Failure::input)?;
        let graph = primary.graph();
        console.say(&summary(&graph, dir), || json!({ "event": "graph", "graph": graph }));
        for note in hints.notes_on_idle(&graph) {
            console.remark(&note);
        }
        if io::stdin().is_terminal() {
            console.explain(prompt::HELP);
        }
        let announce = watch.as_ref().map(Watch::announce);
        let build = async {
            if let (Some(sources), Some(announce)) = (&mut sources, announce) {
                sources.follow(&announce).await;
            }
        };
        let follow = async {
            let mut folder = Folder::new(dir, primary, &graph, console);
            if let Some(watch) = &mut watch {
                loop {
                    folder.follow(watch.next().await).await;
                }
            }
        };
        tokio::join!(build, follow, prompt::answer(primary, hints, console));
        Ok(())
    }

    /// The sources of the Planets, if it is a cargo project that is to be run.
    fn sources(&self, console: &Console) -> Result<Option<Sources>, Failure> {
        let manifest = match &self.dir {
            Some(dir) if is_project(dir) => Some(dir.join("Cargo.toml")),
            Some(dir) => {
                return match self.packages.is_empty() && self.profile.is_none() {
                    true => Ok(None),
                    false => Err(Failure::Input(format!(
                        "`{}` is no cargo project, so that nothing can be built there\n  \
                         help: leave out --package and --profile",
                        dir.display()
                    ))),
                };
            }
            None => None,
        };
        let profile = match &self.profile {
            Some(name) => Profile::Named(name.clone()),
            None if self.watch => Profile::Quick,
            None => Profile::Named(Profile::RELEASE.to_owned()),
        };
        Sources::read(manifest, self.packages.clone(), profile, console).map(Some)
    }
}

/// Shows events as they happen.
async fn show(mut events: Events, console: Console) {
    while events.next().await.is_some() {
        console.catch_up();
    }
}

/// Who runs; who does not, and why not.
fn summary(graph: &Graph, dir: &Path) -> String {
    if graph.planets.is_empty() {
        return format!("there is no planet in {} (no file `*.wasm`)", dir.display());
    }
    let (running, others): (Vec<_>, Vec<_>) = graph.planets.iter().partition(|node| node.state == State::Running);
    let mut text = format!("{} of {} planets run", running.len(), graph.planets.len());
    for node in others {
        let details = node.details.as_deref().unwrap_or_default().replace('\n', "\n  ");
        text += &format!("\n{} is {}: {details}", node.name, node.state);
    }
    text
}
