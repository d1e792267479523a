//! Watches a folder, and tells of files that have changed and come to rest.
//!
//! What the system says only wakes: what is there is found out by looking. And it is looked once a second anyway, since there are
//! changes of which no system tells: of what a symbolic link points at, on file systems of other machines, and of a folder that
//! is removed and made again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kokoro_host::{InspectError, inspect};
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::spawn_blocking;

use super::console::Console;
use super::files::{Due, Files, Identity, Stamp, identity, is_component, list};

/// How often it is looked although nothing has been heard of.
const LOOK: Duration = Duration::from_secs(1);
/// How long is waited for more to happen before it is looked: what happens seldom happens alone.
const BREATH: Duration = Duration::from_millis(20);

/// A file that has changed and come to rest.
#[derive(Debug)]
pub(super) struct Change {
    /// Its name in the folder.
    pub(super) file: OsString,
    pub(super) content: Content,
    /// Whether the programs beside it are others, so that it counts as another one even if it is the same.
    pub(super) has_new_programs: bool,
}

/// A file of which somebody says that it is whole.
#[derive(Debug)]
pub(super) struct Announced {
    /// Its name in the folder.
    pub(super) file: OsString,
    /// Whether the programs of its Satellites have become others.
    pub(super) has_new_programs: bool,
}

/// What is in a file now.
#[derive(Debug)]
pub(super) enum Content {
    /// There is no such file.
    Gone,
    /// A component of this name.
    Planet { name: String, sha256: String },
    /// Nothing of which a Planet could be made.
    Broken,
}

#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    console: Console,
    /// None if the system has none to give; then looking has to do.
    watcher: Option<RecommendedWatcher>,
    heard: UnboundedReceiver<notify::Result<Event>>,
    announced: UnboundedReceiver<Announced>,
    announce: UnboundedSender<Announced>,
    whole: BTreeSet<OsString>,
    /// Files whose Planets' programs have become others, which nobody has been told.
    with_new_programs: BTreeSet<OsString>,
    files: Files,
    /// The folder that is watched; none if there is none.
    watched: Option<Identity>,
    /// Why the folder could not be looked into, as it was told.
    told: Option<String>,
}

/// The files of a folder, and what tells it from another one of its name.
type Listing = io::Result<(Identity, BTreeMap<OsString, Stamp>)>;

impl Watch {
    pub(super) fn new(folder: &Path, console: &Console) -> Self {
        let (sender, heard) = mpsc::unbounded_channel();
        let hear = move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, is_news) {
                // When the command ends, nobody hears it any more.
                let _ = sender.send(event);
            }
        };
        let watcher = notify::recommended_watcher(hear).ok();
        let (announce, announced) = mpsc::unbounded_channel();
        let (files, watched, told, whole, with_new_programs) = Default::default();
        Self {
            folder: folder.to_owned(),
            console: console.clone(),
            watcher,
            heard,
            announced,
            announce,
            whole,
            with_new_programs,
            files,
            watched,
            told,
        }
    }

    /// Where to say which files of the folder have been changed and are whole: it need not be waited until they come to rest.
    pub(super) fn announce(&self) -> UnboundedSender<Announced> {
        self.announce.clone()
    }

    /// Comes back when nobody is in the middle of writing a file of the folder, as far as can be seen, or goes on for so long that
    /// the others are not to wait for it: what is there then is to be loaded.
    pub(super) async fn until_whole(&mut self) {
        let begun = Instant::now();
        loop {
            // What cannot be listed cannot be loaded either, and that says so.
            let Ok(found) = self.list().await else { return };
            self.hear_all();
            let recent: Vec<PathBuf> = found
                .iter()
                .filter(|(_, stamp)| self.files.is_recent(stamp))
                .map(|(name, _)| self.folder.join(name))
                .collect();
            let is_open = found.keys().any(|name| self.files.is_open(name));
            let is_whole = |file: &PathBuf| !matches!(read(file, true), Reading::CutOff);
            let all_whole = || async { spawn_blocking(move || recent.iter().all(is_whole)).await.unwrap_or(true) };
            let now = Instant::now();
            if self.files.is_too_long(begun, now) || !is_open && all_whole().await {
                self.files.take_all(found, now);
                return;
            }
            self.hear(now + LOOK).await;
        }
    }

    /// The next files that have changed and come to rest; those that did so at one time at once.
    pub(super) async fn next(&mut self) -> Vec<Change> {
        loop {
            self.hear(self.next_look(Instant::now())).await;
            let found = match self.list().await {
                Ok(found) => found,
                Err(error) => {
                    self.tell_of_folder(&error);
                    match error.kind() {
                        ErrorKind::NotFound | ErrorKind::NotADirectory => BTreeMap::new(),
                        // Nobody knows what is there, so that it stays as it is.
                        _ => continue,
                    }
                }
            };
            let now = Instant::now();
            self.files.look(found, now);
            for name in std::mem::take(&mut self.whole) {
                self.files.settle(&name, now);
            }
            self.tell_who_is_slow();
            let mut changes = Vec::new();
            for due in self.files.due(now) {
                match self.read(&due).await {
                    Reading::CutOff => self.files.wait_for_rest(&due.name),
                    // It is not what it was a moment ago, which is found out by looking.
                    Reading::Vanished => {}
                    Reading::Whole(content) => {
                        self.files.take(&due.name);
                        let has_new_programs = self.with_new_programs.remove(&due.name);
                        changes.push(Change { file: due.name, content, has_new_programs });
                    }
                }
            }
            if !changes.is_empty() {
                return changes;
            }
        }
    }

    /// When it is looked again, whatever is heard.
    fn next_look(&self, now: Instant) -> Instant {
        let look = now + LOOK;
        // As long as the folder cannot be looked into, what is due stays due.
        let next = self.files.next().filter(|_| self.told.is_none());
        next.map_or(look, |next| next.min(look))
    }

    /// Waits until something happens in the folder, but not longer than to `until`.
    async fn hear(&mut self, until: Instant) {
        tokio::select! {
            Some(event) = self.heard.recv() => {
                self.note(event);
                tokio::time::sleep(BREATH).await;
            }
            Some(announced) = self.announced.recv() => {
                self.take_up(announced);
                // What the system has to say about it is no news after that.
                tokio::time::sleep(BREATH).await;
            }
            () = tokio::time::sleep_until(until.into()) => {}
        }
        self.hear_all();
    }

    fn hear_all(&mut self) {
        while let Ok(event) = self.heard.try_recv() {
            self.note(event);
        }
        while let Ok(announced) = self.announced.try_recv() {
            self.take_up(announced);
        }
    }

    fn take_up(&mut self, Announced { file, has_new_programs }: Announced) {
        if has_new_programs {
            self.with_new_programs.insert(file.clone());
        }
        self.whole.insert(file);
    }

    fn note(&mut self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Something was missed.
            _ => return self.files.lose_track(),
        };
        let now = Instant::now();
        for name in event.paths.iter().filter_map(|path| path.file_name()).filter(|name| is_component(name)) {
            match event.kind {
                EventKind::Access(AccessKind::Close(AccessMode::Write)) => self.files.closed(name),
                // It may be readable now.
                EventKind::Modify(ModifyKind::Metadata(_)) => {
                    self.files.changed(name, self.files.is_open(name), now);
                }
                // Only where the system tells of the closing as well.
                EventKind::Modify(ModifyKind::Data(_)) => {
                    self.files.changed(name, cfg!(any(target_os = "linux", target_os = "android")), now);
                }
                _ => self.files.changed(name, false, now),
            }
        }
    }

    /// Looks into the folder, and watches it if it is not the one that is watched already.
    async fn list(&mut self) -> io::Result<BTreeMap<OsString, Stamp>> {
        let mut listing = self.look().await;
        if let Ok((identity, _)) = &listing
            && self.watched.as_ref() != Some(identity)
        {
            if let Some(watcher) = &mut self.watcher {
                // The one that was there before may not be there any more.
                let _ = watcher.unwatch(&self.folder);
                // If it does not work, it is tried again when it is looked again.
                let watched = watcher.watch(&self.folder, RecursiveMode::NonRecursive);
                self.watched = watched.ok().map(|()| *identity);
            }
            self.files.lose_track();
            // Of what has happened between looking and watching nobody tells.
            listing = self.look().await;
        }
        match listing {
            Ok((_, found)) => {
                self.told = None;
                Ok(found)
            }
            Err(error) => {
                self.watched = None;
                Err(error)
            }
        }
    }

    async fn look(&self) -> Listing {
        let folder = self.folder.clone();
        spawn_blocking(move || Ok((identity(&fs::metadata(&folder)?), list(&folder)?))).await?
    }

    async fn read(&self, due: &Due) -> Reading {
        if !due.is_there {
            return Reading::Whole(Content::Gone);
        }
        let (file, may_grow) = (self.folder.join(&due.name), due.may_grow);
        // What looking at it does not survive cannot be loaded either, and that says so.
        spawn_blocking(move || read(&file, may_grow)).await.unwrap_or(Reading::Whole(Content::Broken))
    }

    fn tell_who_is_slow(&mut self) {
        for name in self.files.written_for_long(Instant::now()) {
            let file = name.to_string_lossy();
            self.console.say(
                &format!("{file}: it is still being written, and waited for"),
                || json!({ "event": "still-written", "file": file }),
            );
        }
    }

    fn tell_of_folder(&mut self, error: &io::Error) {
        let problem = error.to_string();
        if self.told.as_ref() != Some(&problem) {
            let folder = self.folder.display().to_string();
            self.console.say(
                &format!("{folder}: the folder cannot be read at present: {problem}"),
                || json!({ "event": "no-folder", "folder": folder, "reason": problem }),
            );
            self.told = Some(problem);
        }
    }
}

/// Whether it says more than that somebody reads, which may have been this process.
fn is_news(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

enum Reading {
    CutOff,
    Vanished,
    Whole(Content),
}

fn read(file: &Path, may_grow: bool) -> Reading {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    // Reading a pipe would wait for whoever writes to it.
    let bytes = match fs::metadata(file).map(|file| file.is_file()) {
        Ok(true) => fs::read(file),
        Ok(false) => return Reading::Whole(Content::Broken),
        Err(error) => Err(error),
    };
    match bytes.map(|bytes| (bytes.is_empty(), inspect(&stem, &bytes))) {
        Ok((_, Ok(planet))) => Reading::Whole(Content::Planet { name: planet.manifest.name, sha256: planet.sha256 }),
        Ok((true, _) | (_, Err(InspectError::Truncated { .. }))) if may_grow => Reading::CutOff,
        Err(error) if error.kind() == ErrorKind::NotFound => Reading::Vanished,
        _ => Reading::Whole(Content::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A watch that waits for the rest of a file for as long as it takes.
    fn watch(folder: &Path) -> Watch {
        let files = Files::waiting_for_rest(Duration::from_secs(24 * 60 * 60));
        Watch { files, ..Watch::new(folder, &Console::default()) }
    }

    fn component() -> Vec<u8> {
        let text =
            r#"(component (core module (memory 1)) (core module (data "a part of which is not there at first")))"#;
        wat::parse_str(text).expect("well-formed WAT")
    }

    fn names(changes: &[Change]) -> Vec<String> {
        changes.iter().map(|change| format!("{} {:?}", change.file.display(), change.content)).collect()
    }

    #[test]
    fn a_component_is_whole_only_at_its_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, component) = (folder.path().join("a.wasm"), component());
        let is_cut_off = |bytes: &[u8]| {
            fs::write(&file, bytes).expect("a file");
            matches!(read(&file, true), Reading::CutOff)
        };
        // After a section it could be one with fewer of them.
        let whole: Vec<usize> = (0..=component.len()).filter(|end| !is_cut_off(&component[..*end])).collect();
        assert!(whole.len() <= 3 && whole.first() == Some(&8) && whole.last() == Some(&component.len()), "{whole:?}");
        assert!(!is_cut_off(b"hello"));
    }

    #[tokio::test]
    async fn who_writes_for_long_does_not_keep_the_others_from_being_loaded() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("open.wasm"), "").expect("a file");
        let mut watch = Watch { files: Files::waiting_for_rest(Duration::ZERO), ..watch(folder.path()) };
        watch.list().await.expect("a folder, which is watched from now on");
        watch.files.changed("open.wasm".as_ref(), true, Instant::now());
        let too_long = Duration::from_secs(120);
        tokio::time::timeout(too_long, watch.until_whole()).await.expect("it is not waited for without end");
        // It is dealt with when it is closed.
        assert!(watch.files.is_open("open.wasm".as_ref()));
    }

    #[tokio::test]
    async fn the_rest_of_a_file_is_waited_for_and_others_are_not_held_up() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut watch = watch(folder.path());
        watch.until_whole().await;
        let (component, half) = (component(), component().len() / 2);
        fs::write(folder.path().join("slow.wasm"), &component[..half]).expect("a file");
        fs::write(folder.path().join("text.wasm"), "hello").expect("a file");
        fs::write(folder.path().join("text.txt"), "hello").expect("a file");
        assert_eq!(names(&watch.next().await), ["text.wasm Broken"]);
        fs::write(folder.path().join("slow.wasm"), &component).expect("a file");
        let changes = watch.next().await;
        assert!(
            matches!(&changes[..], [Change { content: Content::Planet { name, .. }, .. }] if name == "slow"),
            "{changes:?}"
        );
        fs::remove_file(folder.path().join("slow.wasm")).expect("it is there");
        assert_eq!(names(&watch.next().await), ["slow.wasm Gone"]);
    }

    #[tokio::test]
    async fn what_is_announced_is_a_change_even_if_the_file_is_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("same.wasm"), component()).expect("a file");
        let mut watch = watch(folder.path());
        watch.until_whole().await;
        let announce = watch.announce();
        for has_new_programs in [true, false] {
            announce.send(Announced { file: "same.wasm".into(), has_new_programs }).expect("it listens");
            let changes = watch.next().await;
            assert_eq!(changes.iter().map(|change| change.has_new_programs).collect::<Vec<_>>(), [has_new_programs]);
        }
    }

    #[tokio::test]
    #[cfg(unix)]
    async fn a_folder_that_cannot_be_read_is_left_alone_for_a_while() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path().join("planets");
        std::os::unix::fs::symlink(&folder, &folder).expect("a link to itself");
        let (mut watch, now) = (watch(&folder), Instant::now());
        watch.files.changed("due.wasm".as_ref(), false, now);
        assert!(watch.next_look(now) < now + LOOK);
        let error = watch.list().await.expect_err("it leads nowhere");
        watch.tell_of_folder(&error);
        assert_eq!(watch.next_look(now), now + LOOK);
    }

    #[tokio::test]
    async fn a_folder_in_which_somebody_writes_is_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (component, file) = (component(), folder.path().join("slow.wasm"));
        fs::write(&file, &component[..component.len() / 2]).expect("a file");
        let mut watch = watch(folder.path());
        let write = async {
            // If it were not waited for, that would be over before.
            tokio::time::sleep(BREATH).await;
            fs::write(&file, &component).expect("a file");
        };
        let wait = async {
            watch.until_whole().await;
            fs::read(&file).expect("a file")
        };
        let ((), found) = tokio::join!(write, wait);
        assert_eq!(found, component);
    }
}
