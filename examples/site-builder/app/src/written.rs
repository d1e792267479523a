//! The files that Planets (plugins) have had written into a site: whose each is, and how many there may be.

use crate::served::MADE;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;

/// What all Planets of one site together may have written, and how large a file of the site may be for them to read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) files: usize,
    /// In bytes.
    pub(crate) bytes: u64,
    pub(crate) read: u64,
}

impl Allowance {
    /// As much as there is room for.
    pub(crate) const ALL: Self = Self { files: usize::MAX, bytes: u64::MAX, read: u64::MAX };
}

/// What was made of one file of the site.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Made {
    pub(crate) files: usize,
    pub(crate) bytes: usize,
}

/// The folder with these files.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) folder: PathBuf,
    pub(crate) most: Allowance,
    index: Arc<tokio::sync::Mutex<Index>>,
    made: Mutex<BTreeMap<String, Made>>,
}

/// What is in the folder.
#[derive(Debug)]
struct Index {
    folder: PathBuf,
    most: Allowance,
    /// Where it is remembered whose a file is: for each a line of JSON, `["name","planet"]`. The last about a name holds.
    owners: Option<PathBuf>,
    files: BTreeMap<String, File>,
    bytes: u64,
}

#[derive(Debug)]
struct File {
    /// The Planet that has had it written, if that is known.
    owner: Option<String>,
    bytes: u64,
}

impl Written {
    /// The files in the site that is made in `output`. Whose they are is remembered in `owners`, if that is given.
    ///
    /// # Errors
    ///
    /// If what is there cannot be read.
    pub(crate) fn open(output: &Path, owners: Option<PathBuf>, most: Allowance) -> io::Result<Self> {
        let folder = output.join(MADE);
        let mut index = Index { folder: folder.clone(), most, owners, files: BTreeMap::new(), bytes: 0 };
        index.read()?;
        Ok(Self { folder, most, index: Arc::new(tokio::sync::Mutex::new(index)), made: Mutex::default() })
    }

    /// Has `name` written for `planet`, which made it of `source`.
    ///
    /// # Errors
    ///
    /// If it is another Planet's, if there is no room, or if it cannot be written; the message is for the Planet.
    pub(crate) async fn write(
        &self,
        planet: &str,
        source: String,
        name: String,
        content: Vec<u8>,
    ) -> Result<(), String> {
        let (planet, bytes) = (planet.to_owned(), content.len());
        // One after the other; and one that has begun ends, whether the Planet still waits for it or not.
        let mut index = Arc::clone(&self.index).lock_owned().await;
        let writing = spawn_blocking(move || index.write(planet, name, &content));
        writing.await.map_err(|error| error.to_string())??;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.entry(source).or_default();
        made.files += 1;
        made.bytes += bytes;
        Ok(())
    }

    /// What was made of each file since this was opened.
    pub(crate) fn of(&self) -> BTreeMap<String, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Index {
    fn read(&mut self) -> io::Result<()> {
        let found = |read: io::Result<_>| match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let Some(entries) = found(fs::read_dir(&self.folder))? else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            let bytes = entry.metadata()?.len();
            self.bytes = self.bytes.saturating_add(bytes);
            self.files.insert(entry.file_name().to_string_lossy().into_owned(), File { owner: None, bytes });
        }
        let lines = match self.owners.as_ref().map(fs::read_to_string) {
            None => return Ok(()),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Some(lines) => lines?,
        };
        // The last line may not be whole, if the computer went off.
        for (name, planet) in lines.lines().filter_map(|line| serde_json::from_str::<(String, String)>(line).ok()) {
            if let Some(file) = self.files.get_mut(&name) {
                file.owner = Some(planet);
            }
        }
        Ok(())
    }

    fn write(&mut self, planet: String, name: String, content: &[u8]) -> Result<(), String> {
        let old = self.files.get(&name);
        let owner = old.and_then(|file| file.owner.as_ref());
        if let Some(owner) = owner.filter(|owner| **owner != planet) {
            return Err(format!(
                "`{MADE}/{name}` was written for `{owner}`, and `{planet}` cannot have it written anew"
            ));
        }
        let bytes = (self.bytes - old.map_or(0, |file| file.bytes)).saturating_add(content.len() as u64);
        let Allowance { files: most_files, bytes: most_bytes, .. } = self.most;
        if bytes > most_bytes || (old.is_none() && self.files.len() >= most_files) {
            return Err(format!(
                "`{MADE}/{name}` cannot be written: plugins may write {most_files} files and {most_bytes} bytes into this site"
            ));
        }
        let failed = |error: io::Error| format!("`{MADE}/{name}` cannot be written: {error}");
        if owner.is_none()
            && let Some(owners) = &self.owners
        {
            let line = serde_json::to_string(&(&name, &planet)).map_err(|error| failed(error.into()))?;
            let mut file = OpenOptions::new().create(true).append(true).open(owners).map_err(failed)?;
            file.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
        }
        write_whole(&self.folder, &name, content).map_err(failed)?;
        self.files.insert(name, File { owner: Some(planet), bytes: content.len() as u64 });
        self.bytes = bytes;
        Ok(())
    }
}

/// Under its name there is never half a file, even if two programs write it at the same time.
fn write_whole(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let partial = folder.join(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&partial, content).and_then(|()| fs::rename(&partial, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn write(written: &Written, planet: &str, name: &str, content: &[u8]) -> Result<(), String> {
        written.write(planet, "source".to_owned(), name.to_owned(), content.to_owned()).await
    }

    #[tokio::test]
    async fn a_file_is_its_planets_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Written::open(folder.path(), Some(folder.path().join("owners")), Allowance::ALL).unwrap();
        let written = open();
        write(&written, "one", "a.png", b"first").await.unwrap();
        write(&written, "one", "a.png", b"again").await.unwrap();
        assert_eq!((written.of()["source"].files, written.of()["source"].bytes), (2, 10));
        for written in [written, open()] {
            let error = write(&written, "two", "a.png", b"other").await.unwrap_err();
            assert!(error.contains("written for `one`"), "{error}");
            assert_eq!(fs::read(written.folder.join("a.png")).unwrap(), b"again");
        }
        write(&open(), "one", "a.png", b"later").await.unwrap();
        assert_eq!(fs::read(folder.path().join(MADE).join("a.png")).unwrap(), b"later");
    }

    #[tokio::test]
    async fn there_is_an_end_of_what_can_be_written_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Written::open(folder.path(), None, Allowance { files: 2, bytes: 10, read: 0 }).unwrap();
        let written = open();
        write(&written, "one", "a", &[0; 6]).await.unwrap();
        assert!(write(&written, "one", "b", &[0; 5]).await.is_err(), "too many bytes");
        write(&written, "one", "a", &[0; 8]).await.unwrap();
        write(&written, "one", "b", &[0; 2]).await.unwrap();
        for written in [written, open()] {
            assert!(write(&written, "two", "c", b"").await.is_err(), "too many files");
            assert!(write(&written, "one", "b", &[0; 3]).await.is_err(), "too many bytes");
        }
        assert_eq!(fs::read_dir(folder.path().join(MADE)).unwrap().count(), 2);
    }

    #[test]
    fn a_file_is_there_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new");
        for content in [&b"long"[..], b"no"] {
            write_whole(&inner, "a", content).unwrap();
            assert_eq!(std::fs::read(inner.join("a")).unwrap(), content);
        }
        std::fs::create_dir(inner.join("taken")).unwrap();
        assert!(write_whole(&inner, "taken", b"x").is_err());
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 2);
    }
}
