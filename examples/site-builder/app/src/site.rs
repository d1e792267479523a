//! What the folder contains, and what becomes of it.

use crate::address::{folder, follow, inside, parts, relative};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Folders that hold what programs have made, not what people have written.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// What a Planet (plugin) asks about may be made up, to have the host's memory grow. So many links are resolved at a time, with so many
/// bytes in what their addresses are longer than they are; and the path of one has at most so many bytes.
const MOST_LINKS: usize = 10_000;
const MOST_ADDED: usize = 4 << 20;
const MOST_OF_A_PATH: usize = 64 << 10;

/// The site as it was read last.
#[derive(Debug)]
pub(crate) struct Today(RwLock<Arc<Site>>);

impl Today {
    pub(crate) fn new(site: Site) -> Self {
        Self(RwLock::new(Arc::new(site)))
    }

    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, site: Site) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(site);
    }
}

/// A folder of Markdown and other files.
#[derive(Debug)]
pub(crate) struct Site {
    root: PathBuf,
    title: Option<String>,
    /// By the Markdown file's path, with `/`, from the root.
    pages: BTreeMap<String, Page>,
    /// The other files, which are copied.
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
    problems: Vec<String>,
    skipped: Vec<String>,
    /// The texts and files by what they become.
    targets: BTreeMap<String, String>,
    keeps_dead_links: bool,
    links: Mutex<Links>,
}

/// A page of the site.
#[derive(Debug)]
pub(crate) struct Page {
    /// The HTML file's path, with `/`, from the root.
    pub(crate) target: String,
    pub(crate) text: String,
}

/// What was learned from the links that were resolved.
#[derive(Debug, Default)]
struct Links {
    /// Page and link, for those that lead nowhere.
    dead: BTreeSet<(String, String)>,
    /// Folders without a page of their own that links lead to.
    wanted: BTreeSet<String>,
    made: BTreeSet<String>,
}

/// Where a link leads.
#[derive(Debug, PartialEq)]
pub(crate) struct Destination {
    pub(crate) address: String,
    pub(crate) page: Option<String>,
    /// Not a page, but a file that is copied.
    pub(crate) file: Option<String>,
}

impl Site {
    /// Reads the folder `root`. What lies in `output` is no part of it.
    ///
    /// # Errors
    ///
    /// If `root` cannot be read. Files in it that cannot be used are [problems](Self::problems).
    pub(crate) fn read(root: &Path, output: &Path, title: Option<String>) -> io::Result<Self> {
        let mut site = Self {
            root: root.to_owned(),
            title,
            pages: BTreeMap::new(),
            files: BTreeSet::new(),
            folders: BTreeSet::from([String::new()]),
            problems: Vec::new(),
            skipped: Vec::new(),
            targets: BTreeMap::new(),
            keeps_dead_links: false,
            links: Mutex::default(),
        };
        let mut texts = Vec::new();
        site.read_folder(root, "", &fs::canonicalize(output)?, &mut texts)?;
        site.name_pages(texts);
        Ok(site)
    }

    /// The same, but it will know which links led nowhere. Nobody else should pay for it.
    pub(crate) fn keeping_dead_links(self) -> Self {
        Self { keeps_dead_links: true, ..self }
    }

    fn read_folder(&mut self, path: &Path, name: &str, output: &Path, texts: &mut Vec<String>) -> io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let file_name = entry.file_name();
            let Some(file_name) = file_name.to_str() else {
                self.problems.push(format!("{}: the name is not UTF-8", path.display()));
                continue;
            };
            if file_name.starts_with('.') {
                continue;
            }
            let name = inside(name, file_name);
            let is_link = entry.file_type()?.is_symlink();
            if path.is_dir() {
                // A link to a folder may lead in a circle.
                let skipped = is_link || SKIPPED.contains(&file_name) || fs::canonicalize(&path)? == output;
                if !skipped {
                    if let Err(error) = self.read_folder(&path, &name, output, texts) {
                        self.problems.push(format!("{name}: {error}"));
                    }
                    self.folders.insert(name);
                }
            } else if path.is_file() {
                match Path::new(file_name).extension().and_then(|extension| extension.to_str()) {
                    Some("md" | "markdown") => texts.push(name),
                    _ => {
                        self.files.insert(name);
                    }
                }
            } else {
                // Pipes, sockets and devices: reading one may never end.
                let what =
                    if is_link && !path.exists() { "a link that leads nowhere" } else { "no file and no folder" };
                self.skipped.push(format!("{name}: left out, since it is {what}"));
            }
        }
        Ok(())
    }

    /// Decides which HTML file each text becomes.
    fn name_pages(&mut self, texts: Vec<String>) {
        let stem = |name: &str| name.rsplit_once('.').map_or_else(|| name.to_owned(), |(stem, _)| stem.to_owned());
        let with_index: BTreeSet<String> = texts
            .iter()
            .filter(|name| stem(name).rsplit('/').next() == Some("index"))
            .chain(self.files.iter().filter(|name| name.rsplit('/').next() == Some("index.html")))
            .map(|name| folder(name).to_owned())
            .collect();
        let mut taken: BTreeMap<String, String> = self.files.iter().map(|file| (file.clone(), file.clone())).collect();
        for source in texts {
            let stem = stem(&source);
            let is_readme = stem.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case("readme"));
            let target = if is_readme && !with_index.contains(folder(&source)) {
                inside(folder(&source), "index.html")
            } else {
                format!("{stem}.html")
            };
            if let Some(other) = taken.get(&target) {
                self.problems.push(format!("{source}: it would become `{target}`, and so does `{other}`"));
                continue;
            }
            match fs::read(self.root.join(&source)).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    taken.insert(target.clone(), source.clone());
                    self.pages.insert(source, Page { target, text });
                }
                Ok(Err(error)) => {
                    let at = error.utf8_error().valid_up_to();
                    self.problems.push(format!("{source}: not UTF-8 (byte {at}); save it as UTF-8"));
                }
                Err(error) => self.problems.push(format!("{source}: {error}")),
            }
        }
        self.targets = taken;
    }

    pub(crate) fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The pages by their Markdown files.
    pub(crate) fn pages(&self) -> &BTreeMap<String, Page> {
        &self.pages
    }

    /// The files that are copied.
    pub(crate) fn files(&self) -> &BTreeSet<String> {
        &self.files
    }

    /// Where a file of the site is.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// What could not be used, and why.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What was left out of the site though it is not of the kind that always is, and why.
    pub(crate) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Where the links lead that are written in the page `source`, in the same order. Of what is no page of this site, and from some number
    /// on, links are left as they are.
    pub(crate) fn resolve_all(&self, source: &str, links: Vec<String>) -> Vec<Destination> {
        let is_list = || source.rsplit('/').next() == Some("index.md") && self.folders.contains(folder(source));
        let mut room = if self.pages.contains_key(source) || is_list() { MOST_ADDED } else { 0 };
        let resolve = |(number, link): (usize, String)| {
            if number >= MOST_LINKS || room == 0 {
                return Destination { address: link, page: None, file: None };
            }
            let to = self.resolve(source, &link);
            let long = |path: &Option<String>| path.as_ref().map_or(0, String::len);
            let added = (to.address.len() + long(&to.page) + long(&to.file)).saturating_sub(link.len());
            room = room.saturating_sub(added);
            to
        };
        links.into_iter().enumerate().map(resolve).collect()
    }

    /// Where the link leads that is written in the page `source`.
    fn resolve(&self, source: &str, link: &str) -> Destination {
        let Some((path, rest)) = parts(link) else {
            return Destination { address: link.to_owned(), page: None, file: None };
        };
        if path.len() > MOST_OF_A_PATH {
            return self.dead(source, link);
        }
        let here = folder(source);
        let to = |target: &str, page: Option<&str>| Destination {
            address: relative(here, target) + rest,
            page: page.map(str::to_owned),
            file: None,
        };
        let Some(path) = follow(here, &path) else { return self.dead(source, link) };
        if let Some(page) = self.pages.get(&path) {
            return to(&page.target, Some(&path));
        }
        if self.files.contains(&path) {
            return Destination { file: Some(path.clone()), ..to(&path, None) };
        }
        let by_target = |target: &str| self.pages.get_key_value(self.targets.get(target)?);
        if self.folders.contains(&path) {
            let index = inside(&path, "index.html");
            let page = by_target(&index).map(|(source, _)| &**source);
            if page.is_none() && !self.files.contains(&index) {
                self.links().wanted.insert(path);
            }
            return to(&index, page);
        }
        let without_extension = [".md", ".markdown"].iter().find_map(|extension| {
            let source = format!("{path}{extension}");
            Some(to(&self.pages.get(&source)?.target, Some(&source)))
        });
        let made = || by_target(&path).map(|(source, page)| to(&page.target, Some(source)));
        without_extension.or_else(made).unwrap_or_else(|| self.dead(source, link))
    }

    fn dead(&self, source: &str, link: &str) -> Destination {
        if self.keeps_dead_links {
            self.links().dead.insert((source.to_owned(), link.to_owned()));
        }
        Destination { address: link.to_owned(), page: None, file: None }
    }

    fn links(&self) -> std::sync::MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The links that lead nowhere, as page and link; none unless they [are kept](Self::keeping_dead_links).
    pub(crate) fn dead_links(&self) -> Vec<(String, String)> {
        self.links().dead.iter().cloned().collect()
    }

    /// Has the lists of folders made again for whom links lead to.
    pub(crate) fn begin_lists(&self) {
        self.links().made.clear();
    }

    /// A page for a folder that has none and that a link leads to: a list of what is in it. Each only once.
    pub(crate) fn next_list(&self) -> Option<(String, Page)> {
        let folder = {
            let mut links = self.links();
            let folder = links.wanted.pop_first()?;
            if !links.made.insert(folder.clone()) {
                drop(links);
                return self.next_list();
            }
            folder
        };
        Some((inside(&folder, "index.md"), self.list(&folder)?))
    }

    /// A list of what is in a folder, as a page; `None` if there is no such folder.
    pub(crate) fn list(&self, folder: &str) -> Option<Page> {
        if !self.folders.contains(folder) {
            return None;
        }
        let title = if folder.is_empty() { "Contents" } else { folder.rsplit('/').next().unwrap_or(folder) };
        let mut text = format!("# {}\n\n", literal(title));
        let in_folder = |path: &&String| !path.is_empty() && crate::address::folder(path) == folder;
        let mut add = |path: &str, slash: &str| {
            let name = literal(path.rsplit('/').next().unwrap_or(path));
            text.push_str(&format!("- [{name}{slash}](<{}{slash}>)\n", relative(folder, path)));
        };
        self.folders.iter().filter(in_folder).for_each(|path| add(path, "/"));
        self.pages.keys().filter(in_folder).for_each(|path| add(path, ""));
        self.files.iter().filter(in_folder).for_each(|path| add(path, ""));
        Some(Page { target: inside(folder, "index.html"), text })
    }
}

/// Text that means nothing in Markdown.
fn literal(text: &str) -> String {
    text.chars().flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[&str]) -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, if file.contains("latin") { &b"\xe9"[..] } else { b"# Title\n" }).unwrap();
        }
        fs::create_dir_all(folder.path().join("out")).unwrap();
        let site = Site::read(folder.path(), &folder.path().join("out"), None).unwrap();
        (folder, site.keeping_dead_links())
    }

    fn targets(site: &Site) -> Vec<(&str, &str)> {
        site.pages().iter().map(|(source, page)| (&**source, &*page.target)).collect()
    }

    #[test]
    fn a_readme_is_its_folders_index_unless_there_is_one() {
        let (_folder, site) =
            site(&["README.md", "a/readme.md", "b/README.md", "b/index.md", "c/README.md", "c/index.html"]);
        assert_eq!(
            targets(&site),
            [
                ("README.md", "index.html"),
                ("a/readme.md", "a/index.html"),
                ("b/README.md", "b/README.html"),
                ("b/index.md", "b/index.html"),
                ("c/README.md", "c/README.html"),
            ]
        );
    }

    #[test]
    fn what_programs_made_is_left_out() {
        let (_folder, site) =
            site(&["a.md", "out/b.md", "target/c.md", ".git/d.md", ".hidden.md", "x/node_modules/e.md", "x/f.txt"]);
        assert_eq!(targets(&site), [("a.md", "a.html")]);
        assert_eq!(site.files().iter().collect::<Vec<_>>(), ["x/f.txt"]);
    }

    #[test]
    fn a_file_that_is_not_utf_8_or_whose_place_is_taken_is_a_problem_of_its_own() {
        let (_folder, site) = site(&["a.md", "a.html", "b.md", "b.markdown", "latin.md", "z.md"]);
        assert_eq!(targets(&site), [("b.markdown", "b.html"), ("z.md", "z.html")]);
        assert_eq!(
            site.problems(),
            [
                "a.md: it would become `a.html`, and so does `a.html`",
                "b.md: it would become `b.html`, and so does `b.markdown`",
                "latin.md: not UTF-8 (byte 0); save it as UTF-8",
            ]
        );
    }

    #[test]
    fn links_lead_to_pages_files_and_folders() {
        let (_folder, site) = site(&["README.md", "a/README.md", "a/b c.md", "a/p.png", "code/x.rs", "code/deep/y.rs"]);
        for (source, link, address, page) in [
            ("README.md", "a/README.md#x", "a/index.html#x", Some("a/README.md")),
            ("README.md", "a", "a/index.html", Some("a/README.md")),
            ("README.md", "a/", "a/index.html", Some("a/README.md")),
            ("README.md", "./a/b%20c.md?q#x", "a/b%20c.html?q#x", Some("a/b c.md")),
            ("README.md", "a/b%20c", "a/b%20c.html", Some("a/b c.md")),
            ("README.md", "a/b%20c.html", "a/b%20c.html", Some("a/b c.md")),
            ("a/README.md", "../README.md", "../index.html", Some("README.md")),
            ("a/README.md", "..", "../index.html", Some("README.md")),
            ("a/README.md", "/README.md", "../index.html", Some("README.md")),
            ("a/README.md", "p.png", "p.png", None),
            ("a/README.md", "../code", "../code/index.html", None),
            ("a/README.md", "#x", "#x", None),
            ("a/README.md", "https://example.org/README.md", "https://example.org/README.md", None),
        ] {
            let file = (address == "p.png").then(|| "a/p.png".to_owned());
            let expected = Destination { address: address.to_owned(), page: page.map(str::to_owned), file };
            assert_eq!(site.resolve(source, link), expected, "{link} in {source}");
        }
        assert!(site.dead_links().is_empty());
    }

    #[test]
    fn dead_links_are_left_as_they_are_and_known() {
        let (_folder, site) = site(&["README.md"]);
        for link in ["none.md", "../outside.md"] {
            assert_eq!(
                site.resolve("README.md", link),
                Destination { address: link.to_owned(), page: None, file: None }
            );
        }
        let dead = |link: &str| ("README.md".to_owned(), link.to_owned());
        assert_eq!(site.dead_links(), [dead("../outside.md"), dead("none.md")]);
    }

    #[test]
    fn links_of_a_page_that_was_made_up_are_left_as_they_are() {
        let (_folder, site) = site(&["README.md", "code/x.rs", "a/b.md"]);
        let addresses = |source: &str, links: &[&str]| -> Vec<String> {
            let links = links.iter().map(|link| (*link).to_owned()).collect();
            site.resolve_all(source, links).into_iter().map(|to| to.address).collect()
        };
        let links = ["/README.md", "gone.md"];
        for known in ["a/b.md", "code/index.md"] {
            assert_eq!(addresses(known, &links), ["../index.html", "gone.md"], "{known}");
        }
        let deep = "x/".repeat(1 << 20) + "page.md";
        for made_up in [&*deep, "a/none.md", "none/index.md", "code/x.rs", ""] {
            assert_eq!(addresses(made_up, &links), links);
        }
        assert_eq!(site.dead_links().len(), 2, "of those pages that there are");

        let many = vec!["/README.md"; MOST_LINKS + 1];
        let resolved = addresses("a/b.md", &many);
        assert_eq!((&*resolved[MOST_LINKS - 1], &*resolved[MOST_LINKS]), ("../index.html", "/README.md"));
        let long = format!("/README.md{}", "/.".repeat(MOST_OF_A_PATH));
        assert_eq!(addresses("a/b.md", &[&long]), [long]);
    }

    #[test]
    fn what_links_become_is_no_longer_than_may_be() {
        let deep = "a-folder-of-some-length/".repeat(40);
        let (_folder, site) = site(&["x.md", &format!("{deep}y.md")]);
        let resolved = site.resolve_all(&format!("{deep}y.md"), vec!["/x.md".to_owned(); MOST_LINKS]);
        assert_eq!(resolved[0].address, "../".repeat(40) + "x.html");
        let resolved = site.resolve_all("x.md", vec![format!("{deep}y"); MOST_LINKS]);
        let length: usize = resolved.iter().map(|to| to.address.len() + to.page.as_ref().map_or(0, String::len)).sum();
        assert!(length < MOST_ADDED + (MOST_LINKS + 1) * (deep.len() + 10), "{length}");
        assert_eq!(resolved.last().unwrap().page, None);
    }

    #[test]
    fn dead_links_that_nobody_reads_are_not_kept() {
        let (folder, _) = site(&["README.md"]);
        let site = Site::read(folder.path(), &folder.path().join("out"), None).unwrap();
        site.resolve("README.md", "none.md");
        assert!(site.dead_links().is_empty());
    }

    #[test]
    fn folders_without_a_page_are_listed_once_when_a_link_leads_there() {
        let (_folder, site) = site(&["README.md", "code/x_y.rs", "code/deep/z.md", "other/a.rs"]);
        assert!(site.next_list().is_none());
        site.resolve("README.md", "code");
        let (source, page) = site.next_list().unwrap();
        assert_eq!((&*source, &*page.target), ("code/index.md", "code/index.html"));
        assert_eq!(page.text, "# code\n\n- [deep/](<deep/>)\n- [x\\_y\\.rs](<x_y.rs>)\n");
        site.resolve("README.md", "code/");
        assert!(site.next_list().is_none());
    }
}
