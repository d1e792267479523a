//! Has the Planets (plugins) that run be those of the files of a folder.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kokoro_host::{Error, Graph, Node, Primary, Report, State};
use serde_json::json;

use super::console::Console;
use super::watch::{Change, Content};

/// A folder whose Planets have been loaded.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    primary: Primary,
    console: Console,
    /// The files of which there is no Planet, which has been told.
    unusable: BTreeSet<PathBuf>,
}

impl Folder {
    /// This folder, of which `graph` has just been loaded.
    pub(super) fn new(path: &Path, primary: &Primary, graph: &Graph, console: &Console) -> Self {
        let unusable = graph.planets.iter().filter(|node| !is_planet(node));
        let unusable = unusable.filter_map(|node| Some(path.join(node.file.as_ref()?))).collect();
        Self { path: path.to_owned(), primary: primary.clone(), console: console.clone(), unusable }
    }

    /// Has these changes take effect. What is new comes before what is gone leaves, so that those who can go from one to the other
    /// need not stop.
    pub(super) async fn follow(&mut self, changes: Vec<Change>) {
        let mut leaving = Vec::new();
        for change in &changes {
            let file = self.path.join(&change.file);
            if let Content::Gone = change.content {
                self.unusable.remove(&file);
                leaving.extend(self.of_file(&file).map(|node| node.name));
            }
        }
        for Change { file, content } in changes {
            let file = self.path.join(file);
            match content {
                Content::Gone => {}
                Content::Broken => self.broken(&file).await,
                Content::Planet { name, sha256 } => self.planet(&file, &name, &sha256, &mut leaving).await,
            }
        }
        // Dependents first, who need not wait before they leave.
        let order = self.primary.graph().order;
        leaving.sort_by_key(|name| Reverse(order.iter().position(|other| other == name)));
        for name in &leaving {
            self.unload(name).await;
        }
        if !leaving.is_empty() {
            // They may have had the names of others.
            for file in self.unusable.clone() {
                if let Ok(report) = self.primary.load(&file).await {
                    self.loaded(&file, &report);
                }
            }
        }
    }

    /// A file is no component any more, or never was one.
    async fn broken(&mut self, file: &Path) {
        match self.of_file(file).filter(is_planet) {
            // It says why it goes on with the old one.
            Some(node) => _ = self.reload(&node.name, file).await,
            None => _ = self.load(file).await,
        }
    }

    /// A file is a component of this name.
    async fn planet(&mut self, file: &Path, name: &str, sha256: &str, leaving: &mut Vec<String>) {
        let before = self.of_file(file).filter(is_planet);
        let holder = self.primary.graph().planet(name).filter(|node| is_planet(node)).cloned();
        let is_moved = leaving.iter().any(|leaves| leaves == name);
        let is_there = match (&before, holder) {
            // It was removed in the same breath: this is its file now.
            (_, Some(_)) if is_moved => {
                leaving.retain(|leaves| leaves != name);
                let is_reloaded = self.reload(name, file).await;
                if !is_reloaded {
                    self.unload(name).await;
                }
                is_reloaded || self.load(file).await
            }
            (Some(before), Some(holder)) if before.name == holder.name => {
                let is_same = holder.sha256.as_deref() == Some(sha256);
                if !is_same || holder.state == State::Failed {
                    self.reload(name, file).await;
                }
                return;
            }
            _ => self.load(file).await,
        };
        // Of the same file, but called otherwise.
        if let Some(before) = before.filter(|before| is_there && before.name != name) {
            leaving.push(before.name);
        }
    }

    /// Has those who no longer fit the new release wait: what is in the folder is what runs.
    async fn reload(&mut self, planet: &str, file: &Path) -> bool {
        match self.primary.reload(planet).file(file).cascading().await {
            Ok(report) => {
                self.loaded(file, &report);
                true
            }
            Err(error) if error.is_not_reloaded() => {
                // Its first line is an event.
                let details: Vec<String> = error.to_string().lines().skip(1).map(str::to_owned).collect();
                self.console.explain(&details.join("\n"));
                false
            }
            Err(error) => {
                self.not_loaded(file, &error);
                false
            }
        }
    }

    async fn load(&mut self, file: &Path) -> bool {
        match self.primary.load(file).await {
            Ok(report) => {
                self.loaded(file, &report);
                true
            }
            Err(error) => {
                // What was wrong with the file before is out of date.
                if let Some(node) = self.of_file(file).filter(|node| !is_planet(node)) {
                    self.unload(&node.name).await;
                }
                self.not_loaded(file, &error);
                self.unusable.insert(file.to_owned());
                false
            }
        }
    }

    async fn unload(&self, planet: &str) {
        match self.primary.unload(planet).await {
            Ok(report) => self.tell_details(&report),
            Err(error) => self.console.complain(&error),
        }
    }

    fn loaded(&mut self, file: &Path, report: &Report) {
        self.unusable.remove(file);
        self.tell_details(report);
    }

    /// What belongs to the reasons that the events have told, for those that do not run.
    fn tell_details(&self, report: &Report) {
        for node in report.not_running() {
            if let Some((first, more)) = node.details.as_ref().and_then(|details| details.split_once('\n')) {
                let more = more.replace('\n', "\n  ");
                self.console.explain(&format!("{} is {}: {first}\n  {more}", node.name, node.state));
            }
        }
    }

    fn not_loaded(&self, file: &Path, error: &Error) {
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        let reason = error.to_string();
        self.console.say(
            &format!("{file}: not loaded: {reason}"),
            || json!({ "event": "not-loaded", "file": file, "reason": reason }),
        );
    }

    /// What there is of a file.
    fn of_file(&self, file: &Path) -> Option<Node> {
        let name = file.file_name()?.to_string_lossy();
        self.primary.graph().planets.into_iter().find(|node| node.file.as_deref() == Some(&*name))
    }
}

/// Whether it is a Planet: what could not be used, or was not let in, has only an entry.
fn is_planet(node: &Node) -> bool {
    node.sha256.is_some() && node.state != State::Refused
}
