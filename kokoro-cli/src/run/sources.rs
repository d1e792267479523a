//! Follows the sources of Planets (plugins): what is saved is built, and takes effect.
//!
//! As with components, what the system says only wakes: what has changed is found out by looking, and it is looked once a second
//! anyway.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use serde_json::json;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_blocking;

use super::console::Console;
use super::tree::{Listing, Tree};
use super::watch::Announced;
use crate::build::{Job, Outcome, Profile, Progress, Stop, list, seconds};
use crate::failure::Failure;

/// How often it is looked although nothing has been heard of.
const LOOK: Duration = Duration::from_secs(1);
/// How long nothing may change before it is built: whoever saves several files does so at once.
const QUIET: Duration = Duration::from_millis(50);

/// A cargo workspace whose Planets are run.
#[derive(Debug)]
pub(super) struct Sources {
    manifest: Option<PathBuf>,
    packages: Vec<String>,
    profile: Profile,
    console: Console,
    job: Arc<Job>,
    tree: Arc<Tree>,
    /// Why what the workspace consists of could not be read the last time, as it was told.
    unread: Option<String>,
    /// What the last build was made of, or is about to be.
    seen: Listing,
    /// What the last build was made of, as the compiler tells it.
    inputs: BTreeSet<PathBuf>,
    /// None if the system has none to give; then looking has to do.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    heard: Arc<Notify>,
}

/// Ends the build when nobody waits for it any more.
struct Building(Stop);

impl Drop for Building {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Sources {
    /// The workspace that has this Cargo.toml, or that the current folder is in.
    pub(super) fn read(
        manifest: Option<PathBuf>,
        packages: Vec<String>,
        profile: Profile,
        console: &Console,
    ) -> Result<Self, Failure> {
        let job = Job::new(manifest.as_deref(), None, &packages, profile.clone())?;
        if job.sets().len() > 1 {
            return Err(Failure::Input(format!(
                "the planets (plugins) of `{}` are loaded in several folders: {}\n  \
                 help: name those of one of them with --package; or `kokoro build`, and `kokoro run` with a folder",
                job.workspace.root.display(),
                list(job.sets().into_iter().map(|set| set.unwrap_or(".")))
            )));
        }
        let heard = Arc::new(Notify::new());
        let wake = heard.clone();
        let hear = move |event: notify::Result<Event>| {
            // Whoever reads changes nothing, and cargo reads all of it.
            if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
                wake.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(hear).ok();
        let tree = Arc::new(Tree::of(&job.workspace, &BTreeSet::new()));
        let (seen, watched, inputs, unread) = Default::default();
        let (job, console) = (Arc::new(job), console.clone());
        Ok(Self { manifest, packages, profile, console, job, tree, unread, seen, inputs, watcher, watched, heard })
    }

    /// Builds all, and gives the folder that is to be run. If `goes_on`, what cannot be built may come later.
    pub(super) async fn build_first(&mut self, goes_on: bool) -> Result<PathBuf, Failure> {
        if goes_on {
            self.seen = self.look().await;
        }
        let begun = Instant::now();
        let progress = Progress::new();
        let done = self.run(progress.clone()).await;
        progress.end();
        match done.and_then(|outcome| {
            self.tell(&outcome, begun);
            outcome.check()
        }) {
            Err(failure) if goes_on => self.console.complain(&failure),
            other => other?,
        }
        self.take_lock();
        let set = self.job.sets().into_iter().next().flatten();
        let folder = set.map_or_else(|| self.job.out.clone(), |set| self.job.out.join(set));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::failed(format!("`{}` cannot be made: {error}", folder.display())))?;
        Ok(folder)
    }

    /// Builds whenever something has been saved, and announces the files that are new.
    pub(super) async fn follow(&mut self, announce: &UnboundedSender<Announced>) {
        loop {
            let is_shape = self.wait().await;
            let begun = Instant::now();
            if is_shape {
                let unread = self.read_again().await.err().map(|failure| failure.to_string());
                let before = std::mem::replace(&mut self.unread, unread);
                if let Some(failure) = &self.unread {
                    if before.as_ref() != Some(failure) {
                        self.console.complain(format_args!("{failure}\n  what there was goes on"));
                    }
                    continue;
                }
            }
            match self.run(Progress::Console(self.console.clone())).await {
                Ok(outcome) => {
                    self.tell(&outcome, begun);
                    let changed = outcome.built.iter().filter(|built| built.is_changed);
                    let changed = changed.map(|built| (&built.file, built.has_new_programs));
                    for (file, has_new_programs) in changed.chain(outcome.removed.iter().map(|file| (file, false))) {
                        let file = file.file_name().unwrap_or_default().to_owned();
                        // When the command ends, nobody hears it any more.
                        let _ = announce.send(Announced { file, has_new_programs });
                    }
                }
                Err(failure) => self.console.complain(format_args!("{failure}\n  what there was goes on")),
            }
            self.take_lock();
        }
    }

    /// Comes back when something has changed since the last build began, and tells whether it may be what the workspace consists of.
    /// As long as that cannot be read, nobody knows which files would change it, and it comes back each time it has looked.
    async fn wait(&mut self) -> bool {
        loop {
            let mut found = self.look().await;
            if found.files != self.seen.files {
                loop {
                    tokio::time::sleep(QUIET).await;
                    let later = self.look().await;
                    if later.files == found.files {
                        break;
                    }
                    found = later;
                }
                let is_shape = |file: &Path| file.extension().is_some_and(|extension| extension == "toml");
                let shape_changed = self.unread.is_some() || found.changed_since(&self.seen).any(is_shape);
                self.seen = found;
                return shape_changed;
            }
            // Whichever it is, it is looked.
            let _ = tokio::time::timeout(LOOK, self.heard.notified()).await;
            if self.unread.is_some() {
                tokio::time::sleep(QUIET).await;
                self.seen = self.look().await;
                return true;
            }
        }
    }

    /// Looks, and has the system tell of what happens where it has been looked.
    async fn look(&mut self) -> Listing {
        let tree = self.tree.clone();
        let listing = spawn_blocking(move || tree.list()).await.unwrap_or_default();
        if let Some(watcher) = &mut self.watcher {
            // One that is gone tells nothing any more; if it comes back, it is another.
            self.watched.retain(|folder| listing.folders.contains(folder));
            for folder in listing.folders.difference(&self.watched.clone()) {
                if watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                    self.watched.insert(folder.clone());
                }
            }
        }
        listing
    }

    /// What the workspace consists of, after a Cargo.toml has changed.
    async fn read_again(&mut self) -> Result<(), Failure> {
        let (manifest, packages, profile) = (self.manifest.clone(), self.packages.clone(), self.profile.clone());
        let read = spawn_blocking(move || Job::new(manifest.as_deref(), None, &packages, profile)).await;
        self.job = Arc::new(read.map_err(Failure::failed)??);
        self.tree = Arc::new(Tree::of(&self.job.workspace, &self.inputs));
        Ok(())
    }

    /// Builds once. If nobody waits for it any more, it ends.
    async fn run(&mut self, progress: Progress) -> Result<Outcome, Failure> {
        let (job, building, begun) = (self.job.clone(), Building(Stop::default()), SystemTime::now());
        let stop = building.0.clone();
        let done = spawn_blocking(move || job.run(&progress, Some(&stop))).await;
        drop(building);
        let outcome = done.map_err(Failure::failed)??;
        // What did not compile was made of the same as before, as far as is known.
        self.inputs.extend(outcome.inputs.iter().cloned());
        let before = self.tree.clone();
        self.tree = Arc::new(Tree::of(&self.job.workspace, &self.inputs));
        if *before != *self.tree {
            // Files that count from now on are no changes, but for those that were saved meanwhile.
            let files = self.look().await.files.into_iter();
            for (file, stamp) in files.filter(|(_, stamp)| !stamp.is_since(begun)) {
                self.seen.files.entry(file).or_insert(stamp);
            }
        }
        Ok(outcome)
    }

    /// Cargo itself may have written Cargo.lock, which is no change.
    fn take_lock(&mut self) {
        let lock = self.job.workspace.root.join("Cargo.lock");
        if let Ok(metadata) = std::fs::metadata(&lock) {
            self.seen.files.insert(lock, super::files::Stamp::of(&metadata));
        }
    }

    fn tell(&self, outcome: &Outcome, begun: Instant) {
        let took = seconds(begun);
        for built in outcome.built.iter().filter(|built| built.is_changed) {
            self.console.say(&format!("{}: built in {took}", built.planet), || built.object());
        }
        if !outcome.failed.is_empty() {
            let text = format!("{}: not built; what there was goes on", outcome.failed());
            self.console.say(&text, || json!({ "event": "not-built", "packages": outcome.failed }));
        } else if outcome.built.iter().all(|built| !built.is_changed) && outcome.removed.is_empty() {
            self.console.say(&format!("built in {took}, nothing has changed"), || json!({ "event": "unchanged" }));
        }
    }
}
