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
    pub(crate) async fn upload(self: &Arc<Self>, stem: String, bytes: Vec<u8>) -> Result<Arc<Release>> {
        self.whole(async move |tenant| {
            let shelf = Arc::clone(&tenant.shelf);
            let release = tokio::task::spawn_blocking(move || shelf.add(&stem, &bytes)).await??;
            // It is known as one that could serve others; of a plugin that is there already, the old release goes on.
            if tenant.is_current(&release) && tenant.graph().planet(release.name()).is_none() {
                tenant.apply(release.name()).await?;
            }
            Ok(release)
        })
        .await
    }

    /// Makes one change to the plugins after the other, and each to its end: whoever asked for it may have gone in the middle of it, and
    /// then it is not for anybody to say what of it was done.
    async fn whole<T, F>(self: &Arc<Self>, change: impl FnOnce(Arc<Self>) -> F + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let tenant = Arc::clone(self);
        tokio::spawn(async move {
            let changing = Arc::clone(&tenant);
            let _change = changing.changing.lock().await;
            change(tenant).await
        })
        .await?
    }

    /// Lets a release in on these terms. If another release of the same plugin runs, this one takes its place, and no request notices.
    ///
    /// # Errors
    ///
    /// If it cannot take that place; then nothing has changed, and the other goes on.
    pub(crate) async fn admit(self: &Arc<Self>, release: &Arc<Release>, terms: Terms) -> Result<()> {
        let release = Arc::clone(release);
        self.whole(async move |tenant| tenant.decide(&release, Decision::Admitted(terms)).await).await
    }

    /// Keeps a release out. If it is used it stops, whatever it is doing; the one that the server came with takes its place, if there is
    /// one.
    ///
    /// # Errors
    ///
    /// If that cannot be kept, or the one that takes its place cannot be loaded.
    pub(crate) async fn refuse(self: &Arc<Self>, release: &Arc<Release>) -> Result<()> {
        let release = Arc::clone(release);
        self.whole(async move |tenant| tenant.decide(&release, Decision::Refused).await).await
    }

    async fn decide(&self, release: &Release, decision: Decision) -> Result<()> {
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
    pub(crate) async fn remove(self: &Arc<Self>, release: &Arc<Release>) -> Result<()> {
        let release = Arc::clone(release);
        self.whole(async move |tenant| tenant.forget(&release).await).await
    }

    async fn forget(&self, release: &Arc<Release>) -> Result<()> {
        // As long as it may run it is on the list.
        let is_admitted = matches!(self.shelf.decision(release), Some(Decision::Admitted(_)));
        if !release.is_built_in && is_admitted && self.is_current(release) {
            let _ = self.shelf.decide(release, Decision::Refused)?;
            self.replace(release.name()).await?;
        }
        let (shelf, removed) = (Arc::clone(&self.shelf), Arc::clone(release));
        tokio::task::spawn_blocking(move || shelf.remove(&removed)).await??;
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
        match self.shelf.current(name) {
            Some(release) if release.is_built_in => _ = self.primary.load(&release.file).await?,
            // One that gives itself no name would be called as its file, which is called by its SHA-256.
            Some(release) => _ = self.primary.load_bytes(name, tokio::fs::read(&release.file).await?).await?,
            None => {}
        }
        Ok(())
    }

    /// Ends the instance of a plugin and starts another.
    ///
    /// # Errors
    ///
    /// As [`Primary::restart`].
    pub(crate) async fn restart(self: &Arc<Self>, planet: &str) -> Result<()> {
        let planet = planet.to_owned();
        self.whole(async move |tenant| {
            tenant.primary.restart(&planet).await?;
            Ok(())
        })
        .await
    }

    /// Reads the texts again. Plugins that may remember what they were are started anew; requests wait so long.
    ///
    /// # Errors
    ///
    /// If the texts cannot be read. If such a plugin cannot be restarted the others are, and all that cannot are named.
    pub(crate) async fn read_again(self: &Arc<Self>) -> Result<()> {
        self.whole(async move |tenant| {
            let (texts, output) = (tenant.texts.clone(), tenant.output.clone());
            let site = tokio::task::spawn_blocking(move || read(&texts, &output)).await??;
            tenant.today.set(site);
            let mut problems = Vec::new();
            for planet in tenant.graph().planets {
                if planet.state == State::Running
                    && planet.imports.iter().any(|import| import.kind == EdgeKind::Host)
                    && let Err(error) = tenant.primary.restart(&planet.name).await
                {
                    problems.push(error.to_string());
                }
            }
            match problems.is_empty() {
                true => Ok(()),
                false => Err(anyhow!("the texts were read again, but\n{}", problems.join("\n"))),
            }
        })
        .await
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn a_decision_is_carried_out_even_if_whoever_made_it_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (texts, state) = (folder.path().join("texts"), folder.path().join("state"));
        fs::create_dir(&texts).unwrap();
        fs::write(texts.join("index.md"), "# Hello\n").unwrap();
        let engine = Engine::builder().build().unwrap();
        let tenant = Arc::new(Tenant::open("one".to_owned(), &texts, &state, &[], &engine).await.unwrap());
        let release = tenant.upload("a".to_owned(), b"\0asm\x0d\0\x01\0".to_vec()).await.unwrap();
        let state = || tenant.graph().planet("a").map(|node| node.state);
        tenant.admit(&release, Terms::none()).await.unwrap();
        assert_eq!(state(), Some(State::Running));

        assert!(tenant.refuse(&release).now_or_never().is_none(), "it was asked for, and nobody waits for it");
        tenant.read_again().await.unwrap();
        assert_eq!((tenant.shelf.decision(&release), state()), (Some(Decision::Refused), Some(State::Refused)));
    }
}
