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
        // Those whose files are gone, or have become others.
        let mut leaving = Vec::new();
        for Change { file, content, .. } in &changes {
            let leaves = |node: &Node| match content {
                Content::Gone => true,
                Content::Planet { name, .. } => is_planet(node) && node.name != *name,
                Content::Broken => false,
            };
            leaving.extend(self.of_file(&self.path.join(file)).filter(leaves).map(|node| node.name));
        }
        for Change { file, content, has_new_programs } in changes {
            let file = self.path.join(file);
            match content {
                Content::Gone => _ = self.unusable.remove(&file),
                Content::Broken => self.broken(&file).await,
                Content::Planet { name, sha256 } => {
                    // What it is then is another one: it has other Satellites.
                    let sha256 = Some(sha256).filter(|_| !has_new_programs);
                    self.planet(&file, &name, sha256.as_deref(), &mut leaving).await;
                }
            }
        }
        while !leaving.is_empty() {
            // Dependents first, who need not wait before they leave.
            let order = self.primary.graph().order;
            leaving.sort_by_key(|name| Reverse(order.iter().position(|other| other == name)));
            for name in leaving.drain(..) {
                self.unload(&name).await;
            }
            // They may have had the names of others.
            for file in self.unusable.clone() {
                let before = self.of_file(&file).filter(is_planet);
                if let Ok(report) = self.primary.load(&file).await {
                    self.loaded(&file, &report);
                    leaving.extend(before.map(|before| before.name));
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

    /// A file is a component of this name. It is left alone if it runs already with this hash.
    async fn planet(&mut self, file: &Path, name: &str, sha256: Option<&str>, leaving: &mut Vec<String>) {
        let before = self.of_file(file).filter(is_planet);
        let holder = self.primary.graph().planet(name).filter(|node| is_planet(node)).cloned();
        let is_there = match (&before, holder) {
            // Its file is gone, or has become another, in the same breath: this is its file now.
            (_, Some(_)) if leaving.iter().any(|leaves| leaves == name) => {
                leaving.retain(|leaves| leaves != name);
                let is_reloaded = self.reload(name, file).await;
                if !is_reloaded {
                    self.unload(name).await;
                }
                is_reloaded || self.load(file).await
            }
            (Some(before), Some(holder)) if before.name == holder.name => {
                let is_same = sha256.is_some() && holder.sha256.as_deref() == sha256;
                if !is_same || holder.state == State::Failed {
                    self.reload(name, file).await;
                }
                return;
            }
            _ => self.load(file).await,
        };
        // What it was before goes on as long as it cannot be what it is now.
        if let Some(before) = before.filter(|_| !is_there) {
            leaving.retain(|leaves| *leaves != before.name);
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

#[cfg(test)]
mod tests {
    use std::fs;

    use kokoro_host::inspect;
    use tempfile::TempDir;

    use super::*;

    fn component(name: &str) -> Vec<u8> {
        let text = format!(r#"(component (@custom "kokoro:planet" "{{\"name\":\"{name}\"}}"))"#);
        wat::parse_str(text).expect("well-formed WAT")
    }

    /// Files that have been loaded, and of which Planet each is.
    async fn folder(files: &[(&str, &str)]) -> (TempDir, Folder) {
        let place = tempfile::tempdir().expect("a temporary folder");
        for (file, planet) in files {
            fs::write(place.path().join(file), component(planet)).expect("a file");
        }
        let primary = Primary::builder().build().expect("a primary");
        primary.load_dir(place.path()).await.expect("a folder");
        let folder = Folder::new(place.path(), &primary, &primary.graph(), &Console::default());
        (place, folder)
    }

    /// These files have changed, all in one breath, to those of other Planets or of none.
    async fn follow(folder: &mut Folder, changes: &[(&str, Option<&str>)]) {
        let change = |(file, planet): &(&str, Option<&str>)| {
            let path = folder.path.join(file);
            let content = match planet {
                None => {
                    fs::remove_file(path).expect("it is there");
                    Content::Gone
                }
                Some(planet) => {
                    fs::write(path, component(planet)).expect("a file");
                    let sha256 = inspect(planet, &component(planet)).expect("a component").sha256;
                    Content::Planet { name: planet.to_string(), sha256 }
                }
            };
            Change { file: file.into(), content, has_new_programs: false }
        };
        let changes = changes.iter().map(change).collect();
        folder.follow(changes).await;
    }

    /// Who runs, and of which file.
    fn running(folder: &Folder) -> Vec<String> {
        let planets = folder.primary.graph().planets.into_iter();
        let running = planets.filter(|node| node.state == State::Running);
        running.map(|node| format!("{} of {}", node.name, node.file.unwrap_or_default())).collect()
    }

    #[tokio::test]
    async fn a_file_stands_for_one_planet_at_a_time() {
        let (_place, mut folder) = folder(&[("one.wasm", "a"), ("two.wasm", "b")]).await;
        follow(&mut folder, &[("one.wasm", Some("b"))]).await;
        assert_eq!(running(&folder), ["a of one.wasm", "b of two.wasm"]);
        // It gets the name, and gives its own to whoever waits for that.
        follow(&mut folder, &[("three.wasm", Some("a"))]).await;
        follow(&mut folder, &[("two.wasm", None)]).await;
        assert_eq!(running(&folder), ["a of three.wasm", "b of one.wasm"]);
        follow(&mut folder, &[("one.wasm", None), ("three.wasm", None)]).await;
        assert_eq!(running(&folder), [""; 0]);
    }

    #[tokio::test]
    async fn files_that_exchange_their_names_keep_their_planets() {
        let (_place, mut folder) = folder(&[("one.wasm", "a"), ("two.wasm", "b")]).await;
        let mut events = folder.primary.events();
        follow(&mut folder, &[("one.wasm", Some("b")), ("two.wasm", Some("a"))]).await;
        assert_eq!(running(&folder), ["a of two.wasm", "b of one.wasm"]);
        for planet in ["b", "a"] {
            let event = events.next().await.expect("an event");
            assert_eq!(event.to_string(), format!("{planet}: reloaded"));
        }
    }

    #[tokio::test]
    async fn a_planet_with_new_programs_is_reloaded_although_its_component_is_the_same() {
        let (_place, mut folder) = folder(&[("one.wasm", "a")]).await;
        let mut events = folder.primary.events();
        let sha256 = folder.primary.graph().planet("a").expect("it is there").sha256.clone().expect("it has one");
        for has_new_programs in [false, true] {
            let content = Content::Planet { name: "a".to_owned(), sha256: sha256.clone() };
            folder.follow(vec![Change { file: "one.wasm".into(), content, has_new_programs }]).await;
        }
        let events = std::iter::from_fn(|| events.try_next());
        let reloaded = events.filter(|event| event.to_string() == "a: reloaded").count();
        assert_eq!(reloaded, 1);
    }
}
