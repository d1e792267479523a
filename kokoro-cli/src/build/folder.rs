//! The folder that finished Planets (plugins) are put into.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// A folder, and what earlier builds have put into it: only that is ever removed.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// None where nothing is remembered.
    record: Option<Record>,
    records: Records,
}

/// Where it is remembered what was put where.
#[derive(Debug)]
struct Record {
    path: PathBuf,
    /// Locked until the record has been written: two builds at once would forget what the other one has put there. It is a file of its
    /// own, since the record is replaced as a whole.
    _lock: File,
}

/// What was put where. It lies beside cargo's own files, since a folder of Planets is handed to others.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Records {
    /// By folder and by path in it.
    folders: BTreeMap<PathBuf, BTreeMap<PathBuf, Entry>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    sha256: String,
    origin: Origin,
}

/// What a file was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// A package of the workspace: when that is gone, so is the file.
    Package,
    /// A file that somebody named, which no build of the workspace knows of.
    File,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Component,
    /// It may be executed.
    Program,
}

impl Folder {
    /// The folder `path`, into which nobody else builds until it is closed. What is put there is remembered in the workspace at `root`;
    /// without one it is not, and nothing is ever removed.
    pub(crate) fn open(path: &Path, root: Option<&Path>) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(|error| not_written(path, &error))?;
        let path = path.canonicalize().map_err(|error| not_written(path, &error))?;
        let record = root.map(Record::of).transpose()?;
        let text = record.as_ref().and_then(|record| fs::read(&record.path).ok());
        // Without it, nothing is removed.
        let records = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Ok(Self { path, record, records })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Has `file` be just this, and tells whether it was something else. Whoever watches the folder sees whole files only.
    pub(crate) fn put(&mut self, file: &Path, content: &[u8], kind: Kind, origin: Origin) -> Result<bool, Failure> {
        let path = self.path.join(file);
        let is_new = !fs::read(&path).is_ok_and(|old| old == content);
        let written = match is_new {
            true => write(&path, content, kind),
            false => set_mode(&path, kind),
        };
        written.map_err(|error| not_written(&path, &error))?;
        let record = self.records.folders.entry(self.path.clone()).or_default();
        record.insert(file.to_owned(), Entry { sha256: hash(content), origin });
        Ok(is_new)
    }

    /// Removes what earlier builds have made of packages and put there and is not to stay, unless somebody has changed it since. Tells what
    /// it was.
    pub(crate) fn remove_all_but(&mut self, stays: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
        let Some(record) = self.records.folders.get_mut(&self.path) else { return Ok(Vec::new()) };
        let mut removed = Vec::new();
        let is_gone = |file: &Path, entry: &Entry| entry.origin == Origin::Package && !stays(file);
        let gone = record.iter().filter(|(file, entry)| is_gone(file, entry));
        for file in gone.map(|(file, _)| file.clone()).collect::<Vec<_>>() {
            let path = self.path.join(&file);
            let is_ours = fs::read(&path)
                .is_ok_and(|content| record.get(&file).is_some_and(|entry| entry.sha256 == hash(&content)));
            if is_ours {
                fs::remove_file(&path).map_err(|error| not_written(&path, &error))?;
                // The folders of Satellites go with the last of them.
                for folder in path.ancestors().skip(1).take_while(|folder| **folder != self.path) {
                    if fs::remove_dir(folder).is_err() {
                        break;
                    }
                }
                removed.push(path);
            }
            record.remove(&file);
        }
        Ok(removed)
    }

    /// Remembers what was put there.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        let Some(record) = &self.record else { return Ok(()) };
        self.records.folders.retain(|folder, files| !files.is_empty() && folder.is_dir());
        let text = serde_json::to_vec_pretty(&self.records).map_err(Failure::failed)?;
        write(&record.path, &text, Kind::Component).map_err(|error| not_written(&record.path, &error))
    }
}

impl Record {
    /// The one of a workspace. Waits for other builds that are just putting files there.
    fn of(root: &Path) -> Result<Self, Failure> {
        let target = root.join("target");
        let lock = target.join(".kokoro-build.lock");
        let locked = || {
            fs::create_dir_all(&target)?;
            let file = File::create(&lock)?;
            match file.lock() {
                // Some file systems of other machines have no locks.
                Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
                _ => Ok(file),
            }
        };
        let _lock = locked().map_err(|error| not_written(&lock, &error))?;
        Ok(Self { path: target.join(".kokoro-build.json"), _lock })
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("`{}` cannot be written: {error}", path.display()))
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes it beside its place first. The name it has there is none of a component's.
fn write(path: &Path, content: &[u8], kind: Kind) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = folder.join(format!(".{name}.{}.partial", std::process::id()));
    let written = fs::write(&partial, content).and_then(|()| set_mode(&partial, kind));
    let done = written.and_then(|()| fs::rename(&partial, path));
    if done.is_err() {
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    done
}

#[cfg(unix)]
fn set_mode(file: &Path, kind: Kind) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    match kind {
        Kind::Component => Ok(()),
        Kind::Program => fs::set_permissions(file, fs::Permissions::from_mode(0o755)),
    }
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: Kind) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = folder
            .read_dir()
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn only_what_was_put_there_and_is_as_it_was_is_removed() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let out = place.path().join("out");
        let put = |names: &[&str]| {
            let mut folder = Folder::open(&out, Some(place.path())).expect("a folder");
            for name in names {
                folder.put(Path::new(name), b"built", Kind::Program, Origin::Package).expect("a file");
            }
            let removed =
                folder.remove_all_but(|file| names.iter().any(|name| file == Path::new(name))).expect("it may");
            folder.close().expect("it may");
            removed.len()
        };
        assert_eq!(put(&["a.wasm", "b.wasm", "b.satellites/here/codec", "changed.wasm"]), 0);
        fs::write(out.join("stranger.wasm"), "mine").expect("a file");
        fs::write(out.join("changed.wasm"), "mine").expect("a file");
        assert_eq!(put(&["a.wasm"]), 2);
        assert_eq!(files(&out), ["a.wasm", "changed.wasm", "stranger.wasm"]);
        assert_eq!(put(&["a.wasm"]), 0);
    }

    #[test]
    fn what_somebody_named_stays_when_the_workspace_is_built() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let out = place.path().join("out");
        let open = || Folder::open(&out, Some(place.path())).expect("a folder");
        let mut folder = open();
        folder.put(Path::new("named.wasm"), b"named", Kind::Component, Origin::File).expect("a file");
        folder.put(Path::new("package.wasm"), b"package", Kind::Component, Origin::Package).expect("a file");
        folder.close().expect("it may");
        let mut folder = open();
        let removed = folder.remove_all_but(|_| false).expect("it may");
        assert_eq!(removed, [folder.path().join("package.wasm")]);
        assert_eq!(files(&out), ["named.wasm"]);
    }

    #[test]
    fn builds_at_one_time_forget_nothing_of_each_other() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let place = place.path();
        let out = |name: usize| place.join(format!("out-{name}"));
        std::thread::scope(|scope| {
            for name in 0..16 {
                scope.spawn(move || {
                    let mut folder = Folder::open(&out(name), Some(place)).expect("a folder");
                    folder.put(Path::new("a.wasm"), b"built", Kind::Component, Origin::Package).expect("a file");
                    folder.close().expect("it may");
                });
            }
        });
        let folder = Folder::open(&out(0), Some(place)).expect("a folder");
        assert_eq!(folder.records.folders.len(), 16);
    }

    #[test]
    fn without_a_workspace_nothing_is_left_beside_what_was_built() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let mut folder = Folder::open(&place.path().join("out"), None).expect("a folder");
        folder.put(Path::new("a.wasm"), b"built", Kind::Component, Origin::File).expect("a file");
        folder.close().expect("it may");
        assert_eq!(
            (files(place.path()), files(&place.path().join("out"))),
            (vec!["out".to_owned()], vec!["a.wasm".to_owned()])
        );
    }

    #[test]
    fn what_is_the_same_is_left_alone() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let mut folder = Folder::open(&place.path().join("out"), Some(place.path())).expect("a folder");
        let mut put = |content: &[u8]| {
            folder.put(Path::new("a.wasm"), content, Kind::Component, Origin::Package).expect("a file")
        };
        assert_eq!([put(b"one"), put(b"one"), put(b"two")], [true, false, true]);
        assert_eq!(files(&place.path().join("out")), ["a.wasm"]);
    }
}
