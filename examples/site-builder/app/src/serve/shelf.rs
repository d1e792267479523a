//! What plugins a site has: those that the server comes with and those that were uploaded; and what was decided about each.

use super::terms::{self, Means, Terms, Wish};
use crate::output::complain;
use anyhow::{Context as _, Result, bail};
use kokoro_host::{Admission, Candidate, Inspection, InterfaceName, inspect};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

/// How many plugins may have been uploaded for one site, used or not.
const MOST_UPLOADS: usize = 64;

/// One release of a Planet (plugin): a component, known by its SHA-256.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) file: PathBuf,
    /// Whether the server came with it.
    pub(crate) is_built_in: bool,
    pub(crate) inspection: Inspection,
}

impl Release {
    pub(crate) fn name(&self) -> &str {
        &self.inspection.manifest.name
    }

    pub(crate) fn sha256(&self) -> &str {
        &self.inspection.sha256
    }

    pub(crate) fn version(&self) -> String {
        self.inspection.manifest.version.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// What it asks to be allowed.
    pub(crate) fn wishes(&self) -> Vec<Wish> {
        // An upload is one file, and what lies beside it is nobody's program.
        let file = self.is_built_in.then_some(&*self.file);
        terms::wishes(&self.inspection.manifest, file)
    }

    /// What it is allowed if these are ticked; see [`Terms::of`].
    pub(crate) fn terms(
        &self,
        ticked: &BTreeSet<String>,
        exports: &BTreeSet<String>,
        values: &BTreeMap<String, String>,
    ) -> Terms {
        let file = self.is_built_in.then_some(&*self.file);
        Terms::of(&self.inspection.manifest, file, ticked, exports, values)
    }

    pub(crate) fn exports(&self) -> &BTreeSet<InterfaceName> {
        &self.inspection.manifest.provides
    }
}

/// What a person has decided about a release, or what holds as long as nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "terms")]
pub(crate) enum Decision {
    /// Let in on these terms.
    Admitted(Terms),
    Refused,
}

/// The file that keeps the decisions is the JSON of this.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Answers {
    /// By SHA-256: a decision is about one content and no other.
    decisions: BTreeMap<String, Decision>,
    /// Of uploads: the name that each has, since a component need not give itself one.
    uploads: BTreeMap<String, String>,
    /// By the name of the Planet: the upload that is used, instead of another of this name.
    used: BTreeMap<String, String>,
}

/// The plugins of one site.
#[derive(Debug)]
pub(crate) struct Shelf {
    texts: PathBuf,
    state: PathBuf,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    answers: Answers,
    releases: BTreeMap<String, Arc<Release>>,
}

impl Shelf {
    /// The plugins of the site whose texts are in `texts`; what is remembered of them is in `state`.
    ///
    /// # Errors
    ///
    /// If what is remembered cannot be read or understood.
    pub(crate) fn open(texts: &Path, state: &Path, built_in: &[Arc<Release>]) -> Result<Self> {
        let uploads = state.join("plugins");
        fs::create_dir_all(&uploads).with_context(|| format!("`{}` cannot be made", uploads.display()))?;
        let file = state.join("plugins.json");
        let answers: Answers = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json).with_context(|| {
                format!("`{}` cannot be understood\n  help: mend it, or move it away to decide anew", file.display())
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Answers::default(),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", file.display())),
        };
        let mut releases: BTreeMap<_, _> =
            built_in.iter().map(|release| (release.sha256().to_owned(), Arc::clone(release))).collect();
        for (sha256, name) in &answers.uploads {
            let file = upload(&uploads, sha256);
            let bytes = match fs::read(&file) {
                Ok(bytes) => bytes,
                Err(error) => {
                    complain(format_args!("warning: {}: the upload {name} cannot be read: {error}", file.display()));
                    continue;
                }
            };
            match inspect(name, &bytes) {
                Ok(inspection) if inspection.sha256 == *sha256 => {
                    releases.insert(sha256.clone(), Arc::new(Release { file, is_built_in: false, inspection }));
                }
                Ok(_) => complain(format_args!(
                    "warning: {}: left out, since it has changed since it was uploaded",
                    file.display()
                )),
                Err(error) => complain(format_args!("warning: {}: left out: {error}", file.display())),
            }
        }
        let (texts, state) = (texts.to_owned(), state.to_owned());
        Ok(Self { texts, state, inside: Mutex::new(Inside { answers, releases }) })
    }

    /// Every release that there is, by name; of those of one name, the one in use first.
    pub(crate) fn releases(&self) -> Vec<Arc<Release>> {
        let inside = self.inside();
        let mut releases: Vec<_> = inside.releases.values().cloned().collect();
        let rank = |release: &Release| inside.current(release.name()).is_none_or(|c| c.sha256() != release.sha256());
        releases.sort_by(|a, b| (a.name(), rank(a), a.sha256()).cmp(&(b.name(), rank(b), b.sha256())));
        releases
    }

    pub(crate) fn release(&self, sha256: &str) -> Option<Arc<Release>> {
        self.inside().releases.get(sha256).cloned()
    }

    /// The one release of this name that is loaded, be it let in or not: the upload in use, else the built-in one, else one that is kept
    /// out.
    pub(crate) fn current(&self, name: &str) -> Option<Arc<Release>> {
        self.inside().current(name)
    }

    /// What was decided about a release; none if nobody has.
    pub(crate) fn decision(&self, release: &Release) -> Option<Decision> {
        self.inside().decision(release)
    }

    /// How many wait for a decision.
    pub(crate) fn undecided(&self) -> usize {
        let inside = self.inside();
        inside.releases.values().filter(|release| inside.decision(release).is_none()).count()
    }

    /// What the Primary is to do with a candidate.
    pub(crate) fn admit(&self, candidate: &Candidate) -> Admission {
        let inside = self.inside();
        let Some(release) = inside.releases.get(candidate.sha256()) else {
            return Admission::refused("it is not what it was when it was looked at: its SHA-256 is unknown here");
        };
        match inside.decision(release) {
            None => Admission::refused("nobody has decided about it yet"),
            Some(Decision::Refused) => Admission::refused("you did not want it"),
            Some(Decision::Admitted(terms)) => {
                let means = Means { texts: self.texts.clone(), data: self.data(release.name()) };
                if terms.needs_data()
                    && let Err(error) = fs::create_dir_all(&means.data)
                {
                    return Admission::refused(format!(
                        "its folder `{}` cannot be made: {error}",
                        means.data.display()
                    ));
                }
                terms.admission(release.name(), &release.inspection.manifest, &means)
            }
        }
    }

    /// Keeps an upload. Nothing of it is compiled, and it is used only once somebody has decided so.
    ///
    /// # Errors
    ///
    /// If it is no component that could be a plugin, if there are too many, or if it cannot be written.
    pub(crate) fn add(&self, stem: &str, bytes: &[u8]) -> Result<Arc<Release>> {
        let inspection = inspect(&plain_name(stem), bytes)?;
        let mut inside = self.inside();
        if let Some(known) = inside.releases.get(&inspection.sha256) {
            return Ok(Arc::clone(known));
        }
        if inside.answers.uploads.len() >= MOST_UPLOADS {
            bail!(
                "{MOST_UPLOADS} plugins have been uploaded for this site, and there is no room for more\n  help: remove some"
            );
        }
        let uploads = self.state.join("plugins");
        let file = upload(&uploads, &inspection.sha256);
        let write = || -> std::io::Result<()> {
            let mut new = NamedTempFile::new_in(&uploads)?;
            new.write_all(bytes)?;
            new.persist(&file)?;
            Ok(())
        };
        write().context("the upload cannot be kept")?;
        let release = Arc::new(Release { file, is_built_in: false, inspection });
        inside.change(&self.state, |inside| {
            inside.answers.uploads.insert(release.sha256().to_owned(), release.name().to_owned());
            inside.releases.insert(release.sha256().to_owned(), Arc::clone(&release));
        })?;
        Ok(release)
    }

    /// Decides about a release. One that is admitted is used from now on instead of others of its name; one that is refused is not.
    /// What is returned takes the decision back.
    ///
    /// # Errors
    ///
    /// If it cannot be written; then nothing has changed.
    pub(crate) fn decide(&self, release: &Release, decision: Decision) -> Result<Undo> {
        let mut inside = self.inside();
        let undo = Undo(inside.answers.clone());
        inside.change(&self.state, |inside| {
            let used = &mut inside.answers.used;
            match (&decision, release.is_built_in) {
                (Decision::Admitted(_), false) => {
                    _ = used.insert(release.name().to_owned(), release.sha256().to_owned())
                }
                (Decision::Admitted(_), true) => _ = used.remove(release.name()),
                (Decision::Refused, _) => used.retain(|_, sha256| sha256 != release.sha256()),
            }
            inside.answers.decisions.insert(release.sha256().to_owned(), decision);
        })?;
        Ok(undo)
    }

    /// Takes a decision back.
    ///
    /// # Errors
    ///
    /// If that cannot be written.
    pub(crate) fn undo(&self, undo: Undo) -> Result<()> {
        self.inside().change(&self.state, |inside| inside.answers = undo.0)
    }

    /// Forgets an upload and what was decided about it. Nobody may use it any more. With the last release of its name that may have written
    /// into the folder of this name, the folder goes: who takes the name later is not to find there what a stranger has left.
    ///
    /// # Errors
    ///
    /// If it is built in, or if that cannot be written.
    pub(crate) fn remove(&self, release: &Release) -> Result<()> {
        if release.is_built_in {
            bail!("the server came with it: it can be refused, and not removed");
        }
        let mut inside = self.inside();
        let was_decided = inside.answers.decisions.contains_key(release.sha256());
        inside.change(&self.state, |inside| {
            inside.answers.decisions.remove(release.sha256());
            inside.answers.uploads.remove(release.sha256());
            inside.answers.used.retain(|_, sha256| sha256 != release.sha256());
            inside.releases.remove(release.sha256());
        })?;
        let is_last = was_decided && !inside.has_heir(release.name());
        drop(inside);
        let cannot = |path: &Path| format!("`{}` cannot be removed", path.display());
        fs::remove_file(&release.file).with_context(|| cannot(&release.file))?;
        let data = self.data(release.name());
        match fs::exists(&data) {
            Ok(true) if is_last => fs::remove_dir_all(&data).with_context(|| cannot(&data)),
            _ => Ok(()),
        }
    }

    /// The folder that releases of this name have to themselves.
    fn data(&self, name: &str) -> PathBuf {
        self.state.join("data").join(name)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How it was before a decision.
#[derive(Debug)]
#[must_use]
pub(crate) struct Undo(Answers);

impl Inside {
    fn current(&self, name: &str) -> Option<Arc<Release>> {
        let used = self.answers.used.get(name).and_then(|sha256| self.releases.get(sha256));
        let named = || self.releases.values().filter(|release| release.name() == name);
        let current = used.or_else(|| named().find(|release| release.is_built_in)).or_else(|| {
            // The Primary is to know of one that is kept out, and of one that nobody has decided about before others. One that was let in
            // and made way for another does not come back by itself.
            let is_admitted = |release: &Release| matches!(self.decision(release), Some(Decision::Admitted(_)));
            named().filter(|release| !is_admitted(release)).min_by_key(|release| self.decision(release).is_some())
        });
        current.cloned()
    }

    /// Whether there is a release of this name to which what is in its folder may belong: one that asks for it, and that somebody has
    /// decided about or that the server comes with.
    fn has_heir(&self, name: &str) -> bool {
        let is_heir = |release: &Release| {
            release.name() == name
                && (release.is_built_in || self.answers.decisions.contains_key(release.sha256()))
                && terms::asks_for_data(&release.inspection.manifest)
        };
        self.releases.values().any(|release| is_heir(release))
    }

    /// What the server comes with and what asks for nothing needs no decision.
    fn decision(&self, release: &Release) -> Option<Decision> {
        let is_harmless = || release.is_built_in && release.wishes().is_empty();
        let decision = self.answers.decisions.get(release.sha256()).cloned();
        decision.or_else(|| is_harmless().then(|| Decision::Admitted(Terms::none())))
    }

    /// Changes what is remembered, in the file as well. The file is the old one or the new one at any moment.
    fn change(&mut self, state: &Path, change: impl FnOnce(&mut Self)) -> Result<()> {
        let (answers, releases) = (self.answers.clone(), self.releases.clone());
        change(self);
        let write = || -> std::io::Result<()> {
            let mut new = NamedTempFile::new_in(state)?;
            serde_json::to_writer_pretty(&mut new, &self.answers)?;
            writeln!(new)?;
            new.as_file().sync_all()?;
            new.persist(state.join("plugins.json"))?;
            Ok(())
        };
        let written = write();
        if written.is_err() {
            (self.answers, self.releases) = (answers, releases);
        }
        written.context("the decision cannot be kept")
    }
}

/// Where an upload is kept: under its SHA-256, whatever its name was where it came from.
fn upload(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(format!("{sha256}.wasm"))
}

/// A Planet's name of a file's name that comes from a stranger.
fn plain_name(stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    // No name begins with a dot: that of a folder would be hidden.
    let name: String = stem.trim_start_matches('.').chars().map(plain).take(64).collect();
    if name.trim_matches(['-', '.']).is_empty() { "plugin".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn shelf(state: &Path) -> Shelf {
        Shelf::open(Path::new("texts"), state, &[]).unwrap()
    }

    #[test]
    fn names_of_strangers_become_plain() {
        for (stem, name) in [
            ("a b", "a-b"),
            ("../../etc/passwd", "-..-etc-passwd"),
            ("", "plugin"),
            ("..", "plugin"),
            (".hidden", "hidden"),
            ("..-.", "plugin"),
        ] {
            assert_eq!(plain_name(stem), name);
            assert!(inspect(&plain_name(stem), EMPTY).is_ok(), "{stem}");
        }
        assert_eq!(plain_name(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn an_upload_waits_for_a_decision_which_is_remembered() {
        let state = tempfile::tempdir().unwrap();
        let release = shelf(state.path()).add("../evil", EMPTY).unwrap();
        assert_eq!(release.name(), "-evil");
        assert_eq!(release.file, state.path().join("plugins").join(format!("{}.wasm", release.sha256())));

        let shelf = shelf(state.path());
        let release = shelf.release(release.sha256()).unwrap();
        assert_eq!((shelf.decision(&release), shelf.undecided()), (None, 1));
        let undo = shelf.decide(&release, Decision::Admitted(Terms::none())).unwrap();
        assert_eq!(shelf.decision(&release), Some(Decision::Admitted(Terms::none())));
        shelf.undo(undo).unwrap();
        assert_eq!(shelf.decision(&release), None);
        let _ = shelf.decide(&release, Decision::Refused).unwrap();
        drop(shelf);

        let shelf = self::shelf(state.path());
        assert_eq!(shelf.decision(&release), Some(Decision::Refused));
        shelf.remove(&release).unwrap();
        assert!(!release.file.exists());
        assert!(self::shelf(state.path()).releases().is_empty());
    }

    #[test]
    fn a_release_that_made_way_for_another_does_not_come_back_by_itself() {
        let state = tempfile::tempdir().unwrap();
        let shelf = shelf(state.path());
        let mut uploads = [b'x', b'y'].map(|name| shelf.add("a", &[EMPTY, &[0, 2, 1, name]].concat()).unwrap());
        uploads.sort_by(|a, b| a.sha256().cmp(b.sha256()));
        let [old, new] = &uploads;
        let current = || shelf.current("a").map(|release| release.sha256().to_owned());
        for release in [old, new] {
            let _ = shelf.decide(release, Decision::Admitted(Terms::none())).unwrap();
            assert_eq!(current().as_deref(), Some(release.sha256()));
        }
        let _ = shelf.decide(new, Decision::Refused).unwrap();
        assert_eq!(current().as_deref(), Some(new.sha256()));
        shelf.remove(new).unwrap();
        assert_eq!(current(), None);
    }

    #[test]
    fn an_upload_that_was_changed_on_the_disk_is_not_there() {
        let state = tempfile::tempdir().unwrap();
        let release = shelf(state.path()).add("a", EMPTY).unwrap();
        fs::write(&release.file, [EMPTY, &[0, 2, 1, b'x']].concat()).unwrap();
        assert!(shelf(state.path()).releases().is_empty());
    }

    #[test]
    fn what_is_no_component_is_not_kept() {
        let state = tempfile::tempdir().unwrap();
        assert!(shelf(state.path()).add("a", b"#!/bin/sh\n").is_err());
        assert_eq!(fs::read_dir(state.path().join("plugins")).unwrap().count(), 0);
    }

    #[test]
    fn decisions_that_cannot_be_understood_are_an_error() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("plugins.json"), "{").unwrap();
        let error = Shelf::open(Path::new("texts"), state.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("help: mend it"), "{error:#}");
    }
}
