//! What the application serves to Planets (plugins): what there is to know about the site.

use crate::address::inside;
use crate::bindings::{files, pages};
use crate::site::Today;
use kokoro_host::Caller;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The site, as Planets see it.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) today: Arc<Today>,
}

impl pages::Host for Pages {
    async fn site(&self, _caller: &Caller) -> pages::SiteMap {
        let entry = |(source, page): (&String, &crate::site::Page)| pages::Entry {
            source: source.clone(),
            target: page.target.clone(),
        };
        let site = self.today.site();
        let mut pages: Vec<_> = site.pages().iter().map(entry).collect();
        pages.sort_by(|a, b| a.target.cmp(&b.target));
        pages::SiteMap { title: site.title().map(str::to_owned), pages }
    }

    async fn read(&self, caller: &Caller, source: String) -> Result<String, String> {
        match self.today.site().pages().get(&source) {
            Some(page) => Ok(page.text.clone()),
            None => Err(format!("planet `{}` asks for `{source}`, which is no page of this site", caller.planet())),
        }
    }

    async fn resolve(&self, _caller: &Caller, source: String, links: Vec<String>) -> Vec<pages::Destination> {
        let resolved = self.today.site().resolve_all(&source, links);
        resolved
            .into_iter()
            .map(|to| pages::Destination { address: to.address, page: to.page, file: to.file })
            .collect()
    }
}

/// The folder of the site for files that Planets (plugins) have written.
pub(crate) const MADE: &str = "site-builder-files";

/// The files of the site, and those that Planets have made of them.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) today: Arc<Today>,
    pub(crate) output: PathBuf,
    pub(crate) written: Arc<Written>,
}

/// What Planets had written during this build.
#[derive(Debug, Default)]
pub(crate) struct Written(Mutex<BTreeMap<String, Made>>);

/// What was made of one file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Made {
    pub(crate) files: usize,
    pub(crate) bytes: usize,
}

impl Written {
    /// What was made of each file.
    pub(crate) fn of(&self) -> BTreeMap<String, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, source: String, bytes: usize) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = written.entry(source).or_default();
        made.files += 1;
        made.bytes += bytes;
    }
}

impl files::Host for Files {
    async fn read(&self, caller: &Caller, path: String) -> Result<Vec<u8>, String> {
        let site = self.today.site();
        if !site.files().contains(&path) {
            return Err(format!("planet `{}` asks for `{path}`, which is no file of this site", caller.planet()));
        }
        fs::read(site.path(&path)).map_err(|error| format!("`{path}` cannot be read: {error}"))
    }

    async fn made(&self, _caller: &Caller, beginning: String) -> Result<Vec<String>, String> {
        let failed = |error: io::Error| format!("`{MADE}` cannot be read: {error}");
        let entries = match fs::read_dir(self.output.join(MADE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name().into_string();
            names.extend(name.ok().filter(|name| is_name(name) && name.starts_with(&beginning)));
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn write(&self, caller: &Caller, source: String, name: String, content: Vec<u8>) -> Result<(), String> {
        if !is_name(&name) {
            return Err(format!("planet `{}` has `{name}` written, which cannot be a file's name", caller.planet()));
        }
        if self.today.site().files().contains(&inside(MADE, &name)) {
            return Err(format!("`{MADE}/{name}` is a file of the site itself"));
        }
        write_whole(&self.output.join(MADE), &name, &content)
            .map_err(|error| format!("`{MADE}/{name}` cannot be written: {error}"))?;
        self.written.add(source, content.len());
        Ok(())
    }
}

/// Whether a Planet may call a file so: by letters, digits and a few signs, and not hidden.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=200).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.')
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
    use super::{is_name, write_whole};

    #[test]
    fn planets_give_files_plain_names() {
        for name in ["a.jpg", "a-1of4-240x160.webp", "A_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".a", "..", "a/b", "../a", "a\\b", "a b", "é", "a\0", &"a".repeat(201)] {
            assert!(!is_name(name), "{name}");
        }
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
