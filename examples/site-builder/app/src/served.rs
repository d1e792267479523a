//! What the application serves to Planets (plugins): what there is to know about the site.

use crate::address::inside;
use crate::bindings::{files, pages};
use crate::site::Today;
use crate::written::Written;
use kokoro_host::Caller;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::task::spawn_blocking;

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
    pub(crate) written: Arc<Written>,
}

impl files::Host for Files {
    async fn read(&self, caller: &Caller, path: String) -> Result<Vec<u8>, String> {
        let site = self.today.site();
        if !site.files().contains(&path) {
            return Err(format!("planet `{}` asks for `{path}`, which is no file of this site", caller.planet()));
        }
        let (file, most) = (site.path(&path), self.written.most.read);
        let read = spawn_blocking(move || {
            let bytes = fs::metadata(&file)?.len();
            if bytes > most { Err(io::Error::other(format!("{bytes} bytes are too many"))) } else { fs::read(&file) }
        });
        let read = read.await.map_err(|error| error.to_string())?;
        read.map_err(|error| format!("`{path}` cannot be read: {error}"))
    }

    async fn made(&self, _caller: &Caller, beginning: String) -> Result<Vec<String>, String> {
        let folder = self.written.folder.clone();
        let names = spawn_blocking(move || made(&folder, &beginning)).await.map_err(|error| error.to_string())?;
        names.map_err(|error| format!("`{MADE}` cannot be read: {error}"))
    }

    async fn write(&self, caller: &Caller, source: String, name: String, content: Vec<u8>) -> Result<(), String> {
        if !is_name(&name) {
            return Err(format!("planet `{}` has `{name}` written, which cannot be a file's name", caller.planet()));
        }
        let site = self.today.site();
        if !site.files().contains(&source) {
            return Err(format!(
                "planet `{}` has `{name}` written, made of `{source}`, which is no file of this site",
                caller.planet()
            ));
        }
        if site.files().contains(&inside(MADE, &name)) {
            return Err(format!("`{MADE}/{name}` is a file of the site itself"));
        }
        self.written.write(caller.planet(), source, name, content).await
    }
}

/// The names in the folder that begin like this.
fn made(folder: &Path, beginning: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().into_string();
        names.extend(name.ok().filter(|name| is_name(name) && name.starts_with(beginning)));
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a Planet may call a file so: by letters, digits and a few signs, and not hidden.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=200).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn planets_give_files_plain_names() {
        for name in ["a.jpg", "a-1of4-240x160.webp", "A_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".a", "..", "a/b", "../a", "a\\b", "a b", "é", "a\0", &"a".repeat(201)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
