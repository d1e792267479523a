//! One site: its texts, its plugins and who runs them.

use super::jobs::{End, Job, Jobs, TooMany};
use super::journal::Journal;
use super::shelf::{Decision, Release, Shelf};
use super::terms::Terms;
use crate::bindings::{command, files, page, pages};
use crate::make::{self, Cancelled, Step};
use crate::served::{Files, Pages};
use crate::site::{Site, Today};
use crate::written::{Allowance, Written};
use anyhow::{Context as _, Result, anyhow};
use kokoro_host::{EdgeKind, Engine, Graph, Limits, Primary, State};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a build may work on one page, and a command as a whole.
const MOST_FOR_A_BUILT_PAGE: Duration = Duration::from_secs(5 * 60);
const MOST_FOR_A_COMMAND: Duration = Duration::from_secs(60);

/// What its plugins may have written into one site, and what of it they can read.
pub(crate) const MOST_WRITTEN: Allowance = Allowance { files: 10_000, bytes: 512 << 20, read: 32 << 20 };

/// One site with its own Primary: whatever a plugin of one does, the others do not notice.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    texts: PathBuf,
    /// Where builds go, and what Planets have made of files.
    pub(crate) output: PathBuf,
    pub(crate) today: Arc<Today>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) primary: Primary,
    pub(crate) jobs: Jobs,
    pub(crate) journal: Arc<Journal>,
    /// Held while plugins are exchanged: a decision and what it leads to are one.
    changing: tokio::sync::Mutex<()>,
    building: Arc<tokio::sync::Mutex<()>>,
}

/// What one site may use up. Several share a machine.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.memory = 128 << 20;
    limits.total_memory = Some(512 << 20);
    limits.value = 32 << 20;
    limits.waiting_calls = 1_000;
    limits.call = Duration::from_secs(10);
    limits.start = Duration::from_secs(10);
    limits
}

impl Tenant {
    /// Reads the site in `texts` and starts its plugins. What is to be remembered of it is in `state`.
    ///
    /// # Errors
    ///
    /// If the texts or what is remembered cannot be read. That a plugin does not start is no error: it has a page that says why.
    pub(crate) async fn open(
        name: String,
        texts: &Path,
        state: &Path,
        built_in: &[Arc<Release>],
        engine: &Engine,
    ) -> Result<Self> {
        let output = state.join("site");
        fs::create_dir_all(&output).with_context(|| format!("`{}` cannot be made", output.display()))?;
        let shelf = Arc::new(Shelf::open(texts, state, built_in)?);
        let today = Arc::new(Today::new(read(texts, &output)?));
        let written = Written::open(&output, Some(state.join("written.jsonl")), MOST_WRITTEN);
        let written = Arc::new(written.with_context(|| format!("`{}` cannot be read", output.display()))?);
        let files = Files { today: Arc::clone(&today), written };
        let judge = Arc::clone(&shelf);
        let primary = Primary::builder()
            .engine(engine)
            .limits(limits())
            // Which plugins have any, a person decides.
            .allow_satellites()
            .admit(move |candidate| judge.admit(&candidate))
            .serve(pages::serve(Pages { today: Arc::clone(&today) }))
            .serve(files::serve(files))
            .build()?;
        let tenant = Self {
            name,
            texts: texts.to_owned(),
            output,
            today,
            shelf,
            journal: Journal::of(&primary),
            primary,
            jobs: Jobs::default(),
            changing: tokio::sync::Mutex::default(),
            building: Arc::default(),
        };
        let mut names: Vec<String> = tenant.shelf.releases().iter().map(|r| r.name().to_owned()).collect();
        names.dedup();
        for name in names {
            if let Err(error) = tenant.apply(&name).await {
                tenant.journal.write(format!("{name}: {error:#}"));
            }
        }
        Ok(tenant)
    }

    /// What the site is called: as its first page, else as its folder.
    pub(crate) fn title(&self) -> String {
        let site = self.today.site();
        let home = site.pages().values().find(|page| page.target == "index.html");
        let heading = home.and_then(|page| page.text.lines().find_map(|line| line.strip_prefix("# ")));
        heading.map_or_else(|| self.name.clone(), |heading| heading.trim().replace(['`', '*'], ""))
    }

    pub(crate) fn graph(&self) -> Graph {
        self.primary.graph()
    }

    /// Keeps an upload for somebody to decide about.
    ///
    /// # Errors
    ///
    /// As [`Shelf::add`].
    pub(crate) async fn upload(&self, stem: String, bytes: Vec<u8>) -> Result<Arc<Release>> {
        let _change = self.changing.lock().await;
        let shelf = Arc::clone(&self.shelf);
        let release = tokio::task::spawn_blocking(move || shelf.add(&stem, &bytes)).await??;
        // It is known as one that could serve others; of a plugin that is there already, the old release goes on.
        let is_new = self.shelf.current(release.name()).is_some_and(|c| c.sha256() == release.sha256());
        if is_new && self.graph().planet(release.name()).is_none() {
            self.apply(release.name()).await?;
        }
        Ok(release)
    }

    /// Lets a release in on these terms. If another release of the same plugin runs, this one takes its place, and no request notices.
    ///
    /// # Errors
    ///
    /// If it cannot take that place; then nothing has changed, and the other goes on.
    pub(crate) async fn admit(&self, release: &Release, terms: Terms) -> Result<()> {
        self.decide(release, Decision::Admitted(terms)).await
    }

    /// Keeps a release out. If it is used it stops, whatever it is doing; the one that the server came with takes its place, if there is
    /// one.
    ///
    /// # Errors
    ///
    /// If that cannot be kept, or the one that takes its place cannot be loaded.
    pub(crate) async fn refuse(&self, release: &Release) -> Result<()> {
        self.decide(release, Decision::Refused).await
    }

    async fn decide(&self, release: &Release, decision: Decision) -> Result<()> {
        let _change = self.changing.lock().await;
        let was_current = self.is_current(release);
        let takes_away = match (&decision, self.shelf.decision(release)) {
            (Decision::Refused, _) => true,
            (Decision::Admitted(new), Some(Decision::Admitted(old))) => !new.allow_all_of(&old),
            (Decision::Admitted(_), _) => false,
        };
        let undo = self.shelf.decide(release, decision)?;
        // A release that was not used and is not to be is nobody's business.
        if !was_current && !self.is_current(release) {
            return Ok(());
        }
        if takes_away && was_current {
            return self.replace(release.name()).await;
        }
        let applied = self.apply(release.name()).await;
        if applied.is_err() {
            self.shelf.undo(undo)?;
            if !self.graph().planet(release.name()).is_some_and(|node| node.state == State::Running) {
                self.apply(release.name()).await?;
            }
        }
        applied
    }

    /// Forgets an upload, and what it has written if nobody else may have. If it is used it stops first, as one that is refused.
    ///
    /// # Errors
    ///
    /// As [`Shelf::remove`], or if the release that takes its place cannot; then it is refused, and still there.
    pub(crate) async fn remove(&self, release: &Release) -> Result<()> {
        let _change = self.changing.lock().await;
        // As long as it may run it is on the list.
        if !release.is_built_in && self.is_current(release) {
            let _ = self.shelf.decide(release, Decision::Refused)?;
            self.replace(release.name()).await?;
        }
        self.shelf.remove(release)?;
        // It was known to the Primary as one that is kept out.
        let graph = self.graph();
        let node = graph.planet(release.name()).and_then(|node| node.sha256.as_deref());
        if node == Some(release.sha256()) { self.replace(release.name()).await } else { Ok(()) }
    }

    fn is_current(&self, release: &Release) -> bool {
        self.shelf.current(release.name()).is_some_and(|current| current.sha256() == release.sha256())
    }

    /// Has the Primary run what the shelf says of this name. What runs goes on if the other cannot take its place.
    async fn apply(&self, name: &str) -> Result<()> {
        let is_running = self.graph().planet(name).is_some_and(|node| node.state == State::Running);
        let admitted =
            |release: &Arc<Release>| matches!(self.shelf.decision(release), Some(Decision::Admitted(_))) && is_running;
        match self.shelf.current(name).filter(admitted) {
            Some(release) => _ = self.primary.reload(name).file(&release.file).await?,
            None => self.replace(name).await?,
        }
        Ok(())
    }

    /// Has the Primary run what the shelf says of this name, and in no case what it runs now: a reload is refused while calls keep the
    /// old one or others need what the new one has not, and the old one would go on with what was taken from it.
    async fn replace(&self, name: &str) -> Result<()> {
        if self.graph().planet(name).is_some() {
            self.primary.unload(name).await?;
        }
        if let Some(release) = self.shelf.current(name) {
            self.primary.load(&release.file).await?;
        }
        Ok(())
    }

    /// Ends the instance of a plugin and starts another.
    ///
    /// # Errors
    ///
    /// As [`Primary::restart`].
    pub(crate) async fn restart(&self, planet: &str) -> Result<()> {
        let _change = self.changing.lock().await;
        self.primary.restart(planet).await?;
        Ok(())
    }

    /// Reads the texts again. Plugins that may remember what they were are started anew; requests wait so long.
    ///
    /// # Errors
    ///
    /// If the texts cannot be read, or such a plugin cannot be restarted.
    pub(crate) async fn read_again(&self) -> Result<()> {
        let _change = self.changing.lock().await;
        let (texts, output) = (self.texts.clone(), self.output.clone());
        let site = tokio::task::spawn_blocking(move || read(&texts, &output)).await??;
        self.today.set(site);
        for planet in self.graph().planets {
            if planet.state == State::Running && planet.imports.iter().any(|import| import.kind == EdgeKind::Host) {
                self.primary.restart(&planet.name).await?;
            }
        }
        Ok(())
    }

    /// Starts to build the site into its folder.
    ///
    /// # Errors
    ///
    /// If that goes on already, if nobody makes pages, or if there are too many jobs.
    pub(crate) fn build(&self) -> Result<Arc<Job>> {
        let building = Arc::clone(&self.building).try_lock_owned();
        let building = building.map_err(|_| anyhow!("a build goes on already"))?;
        let maker = self.primary.get::<page::Page>().context("no pages can be made")?.within(MOST_FOR_A_BUILT_PAGE);
        let (site, output) = (self.today.site(), self.output.clone());
        let work = move |job: Arc<Job>| async move {
            let _building = building;
            let mut tell = |step: &Step<'_>| {
                let (done, of) = match step {
                    Step::Page { number, of, .. } => (number - 1, *of),
                    Step::List { .. } => (site.pages().len(), site.pages().len()),
                };
                job.tell(done, of, step.to_string());
            };
            match make::make(&maker, &site, &output, &job.cancel, &mut tell).await {
                Ok(made) if made.problems.is_empty() => {
                    End::Done(format!("{} pages and {} other files in {}\n", made.pages, made.files, output.display()))
                }
                Ok(made) => End::Failed(made.problems.join("\n")),
                Err(error) if error.is::<Cancelled>() => {
                    End::Cancelled("the pages that were made are there".to_owned())
                }
                Err(error) => End::Failed(format!("{error:#}")),
            }
        };
        self.jobs.start("Build the site".to_owned(), work).map_err(|TooMany| too_many())
    }

    /// Starts a command of a plugin.
    ///
    /// # Errors
    ///
    /// If that plugin does not run, or has no commands, or if there are too many jobs.
    pub(crate) fn run_command(&self, planet: &str, id: String, title: String, input: String) -> Result<Arc<Job>> {
        let commands = self.primary.all::<command::Command>();
        let command = commands.into_iter().find(|command| command.planet().as_deref() == Some(planet));
        let Some(command) = command else {
            let graph = self.graph();
            let why =
                graph.planet(planet).and_then(|node| Some(format!(", {}: {}", node.state, node.reason.as_ref()?)));
            return Err(anyhow!("`{planet}` does not run a command now{}", why.unwrap_or_default()));
        };
        let work = move |job: Arc<Job>| async move {
            let command = command.within(MOST_FOR_A_COMMAND).cancelled_by(&job.cancel);
            match command.run(&id, &input).await {
                Ok(Ok(text)) => End::Done(text),
                Ok(Err(reason)) if job.cancel.is_cancelled() => End::Cancelled(reason),
                Ok(Err(reason)) => End::Failed(reason),
                Err(error) if error.is_cancelled() => End::Cancelled(error.to_string()),
                Err(error) => End::Failed(error.to_string()),
            }
        };
        self.jobs.start(title, work).map_err(|TooMany| too_many())
    }
}

fn too_many() -> anyhow::Error {
    anyhow!("as many jobs go on as may at a time\n  help: wait for one, or cancel it")
}

fn read(texts: &Path, output: &Path) -> Result<Site> {
    Site::read(texts, output, None).with_context(|| format!("`{}` cannot be read", texts.display()))
}
