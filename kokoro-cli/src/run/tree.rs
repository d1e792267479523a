//! The files that Planets (plugins) are built of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::files::Stamp;
use crate::build::Workspace;

/// Where sources are.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tree {
    /// All that is in these folders counts, at any depth.
    whole: BTreeSet<PathBuf>,
    /// Folders of packages, and of other files that were compiled, as those of a library beside the workspace: what is Rust or WIT in
    /// them counts. All else there may be what a build script or a program that is being tried writes, and building would never end.
    others: BTreeSet<PathBuf>,
    /// Folders in which packages come and go: the Cargo.toml of each folder in them counts.
    nurseries: BTreeSet<PathBuf>,
    /// Files that count by themselves, whether they are there or not.
    files: BTreeSet<PathBuf>,
}

/// What is there now.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listing {
    pub(super) files: BTreeMap<PathBuf, Stamp>,
    /// Where something may happen that counts.
    pub(super) folders: BTreeSet<PathBuf>,
}

impl Tree {
    /// The sources of a workspace's Planets. `inputs` is what the last build was made of, which is known after the first one.
    pub(super) fn of(workspace: &Workspace, inputs: &BTreeSet<PathBuf>) -> Self {
        let root = &workspace.root;
        let mut tree = Self::of_packages(&workspace.sources(), inputs);
        // Interfaces that several packages share are mostly there.
        tree.whole.insert(root.join("wit"));
        tree.nurseries = workspace.packages.iter().filter_map(|package| Some(package.parent()?.to_owned())).collect();
        tree.nurseries.retain(|folder| folder.starts_with(root));
        let names = ["Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml"];
        tree.files.extend(names.iter().map(|name| root.join(name)).chain(workspace.scripts()));
        tree
    }

    /// The sources of packages: what is where sources are, and what else the last build was made of.
    fn of_packages(folders: &BTreeSet<PathBuf>, inputs: &BTreeSet<PathBuf>) -> Self {
        let mut tree = Self {
            whole: folders.iter().flat_map(|folder| [folder.join("src"), folder.join("wit")]).collect(),
            others: folders.clone(),
            files: folders.iter().map(|folder| folder.join("Cargo.toml")).collect(),
            ..Self::default()
        };
        for input in inputs {
            let is_known = tree.whole.iter().any(|folder| input.starts_with(folder));
            // What build scripts have written is made of the others.
            let is_made = || input.ancestors().skip(1).any(|folder| folder.join("CACHEDIR.TAG").exists());
            if is_known || is_made() {
                continue;
            }
            // A build script may have asked for a folder.
            if input.is_dir() {
                tree.whole.insert(input.clone());
            } else {
                tree.others.extend(input.parent().map(Path::to_owned));
                tree.files.insert(input.clone());
            }
        }
        tree
    }

    pub(super) fn list(&self) -> Listing {
        let mut listing = Listing::default();
        for folder in &self.whole {
            listing.walk(folder);
        }
        for folder in &self.others {
            listing.folder(folder, is_source);
        }
        for folder in &self.nurseries {
            let folders = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
            listing.folders.insert(folder.clone());
            for manifest in folders.filter(|path| !is_foreign(path)).map(|path| path.join("Cargo.toml")) {
                listing.file(&manifest);
            }
        }
        for file in &self.files {
            listing.file(file);
            listing.folders.extend(file.parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
        }
        listing
    }
}

impl Listing {
    /// The files of a folder and of those in it, but not those of other packages.
    fn walk(&mut self, folder: &Path) {
        for inner in self.folder(folder, |_| true) {
            if !is_foreign(&inner) && !inner.join("Cargo.toml").exists() {
                self.walk(&inner);
            }
        }
    }

    /// The files of a folder that count. Gives those that are folders.
    fn folder(&mut self, folder: &Path, counts: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let mut inner = Vec::new();
        // What cannot be read, nothing can be compiled of; and cargo says so.
        let Ok(entries) = fs::read_dir(folder) else { return inner };
        self.folders.insert(folder.to_owned());
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                inner.push(path);
            } else if counts(&path) && !is_scratch(&path) {
                self.file(&path);
            }
        }
        inner
    }

    fn file(&mut self, file: &Path) {
        if let Some(metadata) = fs::metadata(file).ok().filter(|metadata| metadata.is_file()) {
            self.files.insert(file.to_owned(), Stamp::of(&metadata));
        }
    }

    /// The files that are not what they were.
    pub(super) fn changed_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Path> {
        let changed = self.files.iter().filter(|(file, stamp)| before.files.get(*file) != Some(stamp));
        let gone = before.files.iter().filter(|(file, _)| !self.files.contains_key(*file));
        changed.chain(gone).map(|(file, _)| file.as_path())
    }
}

/// Whether a folder holds no sources: what cargo and others build, and what is hidden.
fn is_foreign(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "target" || name == "node_modules" || folder.join("CACHEDIR.TAG").exists()
}

/// Whether a file is one that compilers read wherever it is.
fn is_source(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs" || extension == "wit")
}

/// Whether a file is one of those that editors keep beside the one that is edited.
fn is_scratch(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(['.', '#']) || name.ends_with(['~', '#']) || [".swp", ".swx", ".tmp"].iter().any(|end| name.ends_with(end))
        // vim finds out with it whether it may write there.
        || name == "4913"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(files: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let file = place.path().join(file);
            fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
            fs::write(file, "").expect("a file");
        }
        place
    }

    fn names(listing: &Listing, root: &Path) -> Vec<String> {
        let name = |file: &PathBuf| file.strip_prefix(root).expect("it is in it").display().to_string();
        listing.files.keys().map(name).collect()
    }

    #[test]
    fn sources_count_and_what_is_made_of_them_does_not() {
        let place = place(&[
            "a/Cargo.toml",
            "a/src/lib.rs",
            "a/src/.lib.rs.swp",
            "a/src/lib.rs~",
            "a/src/4913",
            "a/target/debug/a.rs",
            "a/.git/index",
            "a/built/CACHEDIR.TAG",
            "a/built/b.rs",
            "a/inner/Cargo.toml",
            "a/inner/src/lib.rs",
            "new/Cargo.toml",
            "new/src/lib.rs",
            "Cargo.lock",
            "elsewhere/src/lib.rs",
            "elsewhere/src/deep/other.rs",
        ]);
        let root = place.path();
        let tree = Tree {
            whole: [root.join("a")].into(),
            others: [root.join("elsewhere/src")].into(),
            nurseries: [root.to_owned()].into(),
            files: [root.join("Cargo.lock"), root.join("Cargo.toml")].into(),
        };
        let listing = tree.list();
        let expected = ["Cargo.lock", "a/Cargo.toml", "a/src/lib.rs", "elsewhere/src/lib.rs", "new/Cargo.toml"];
        assert_eq!(names(&listing, root), expected);
        fs::remove_file(root.join("a/src/lib.rs")).expect("it is there");
        fs::write(root.join("a/src/new.rs"), "").expect("a file");
        fs::write(root.join("Cargo.lock"), "more").expect("a file");
        let later = tree.list();
        let mut changed: Vec<_> = later.changed_since(&listing).collect();
        changed.sort_unstable();
        assert_eq!(changed, [root.join("Cargo.lock"), root.join("a/src/lib.rs"), root.join("a/src/new.rs")]);
    }

    #[test]
    fn of_a_package_what_was_compiled_counts_and_what_programs_write_does_not() {
        let place = place(&[
            "a/Cargo.toml",
            "a/build.rs",
            "a/src/lib.rs",
            "a/wit/deps/b/b.wit",
            "a/started",
            "a/data/table.txt",
            "a/data/out.log",
            "a/assets/deep/page.html",
            "shared/text.wit",
            "shared/new.wit",
            "shared/out.log",
            "built/CACHEDIR.TAG",
            "built/out/made.rs",
        ]);
        let root = place.path();
        let inputs = ["a/src/lib.rs", "a/data/table.txt", "a/assets", "shared/text.wit", "built/out/made.rs"];
        let inputs = inputs.iter().map(|input| root.join(input)).collect();
        let listing = Tree::of_packages(&[root.join("a")].into(), &inputs).list();
        let expected = [
            "a/Cargo.toml",
            "a/assets/deep/page.html",
            "a/build.rs",
            "a/data/table.txt",
            "a/src/lib.rs",
            "a/wit/deps/b/b.wit",
            "shared/new.wit",
            "shared/text.wit",
        ];
        assert_eq!(names(&listing, root), expected);
    }
}
