//! Where a project goes, and where its Kokoro comes from.

use std::fs;
use std::path::{Component, Path, PathBuf};

use kokoro_templates::Files;

use crate::failure::Failure;

/// The folder of the project: none yet, or an empty one.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    let help = "help: choose another name, or another folder with --into";
    match folder.read_dir().map(Iterator::count) {
        Ok(1..) => Err(Failure::failed(format!("the folder `{shown}` is there already, and not empty\n  {help}"))),
        Err(_) if folder.exists() => {
            Err(Failure::failed(format!("`{shown}` is there already, and no folder\n  {help}")))
        }
        _ => Ok(()),
    }
}

/// Writes the files into the folder, which is empty or not there yet: all of them, or none.
pub(super) fn write(folder: &Path, files: &Files) -> Result<(), Failure> {
    let is_new = !folder.exists();
    let mut begun = Vec::new();
    let written = write_each(folder, files, &mut begun);
    if written.is_err() {
        // A folder is removed with the last file that was in it. What cannot be removed is there to be seen.
        for path in begun {
            let _ = fs::remove_file(folder.join(path));
            for above in path.ancestors().skip(1).filter(|above| is_new || !above.as_os_str().is_empty()) {
                let _ = fs::remove_dir(folder.join(above));
            }
        }
    }
    written
}

fn write_each<'f>(folder: &Path, files: &'f Files, begun: &mut Vec<&'f Path>) -> Result<(), Failure> {
    for (path, content) in files {
        begun.push(path);
        let file = folder.join(path);
        let written = fs::create_dir_all(file.parent().unwrap_or(folder)).and_then(|()| fs::write(&file, content));
        written.map_err(|error| Failure::failed(format!("`{}` cannot be written: {error}", file.display())))?;
    }
    Ok(())
}

/// How a checkout of Kokoro is named in the Cargo.toml of a project in `folder`: as given if that is absolute, else relative to the
/// project, so that both can be moved together.
pub(super) fn checkout(kokoro: &Path, folder: &Path) -> Result<String, Failure> {
    let shown = kokoro.display();
    if !kokoro.join("kokoro-guest/Cargo.toml").is_file() {
        return Err(Failure::input(format!(
            "`{shown}` is no checkout of Kokoro: it has no `kokoro-guest/Cargo.toml`\n  \
             help: --kokoro takes the folder of a clone of the repository; without it the released versions are used"
        )));
    }
    let path = match kokoro.is_absolute() {
        true => kokoro.to_owned(),
        false => relative(&whole(kokoro)?, &whole(folder)?),
    };
    // It stands in single quotes there, which nothing escapes.
    let path = path.to_str().filter(|path| !path.contains(['\'', '\n']));
    let path = path.map(|path| path.replace('\\', "/"));
    path.ok_or_else(|| {
        Failure::input(format!("`{shown}` cannot be written into a Cargo.toml: link to it by another name"))
    })
}

/// The absolute path, with links followed as far as it exists.
fn whole(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::failed(format!("`{}` cannot be found: {error}", path.display()));
    let mut whole = PathBuf::new();
    for component in std::path::absolute(path).map_err(failed)?.components() {
        match component {
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
        whole = whole.canonicalize().unwrap_or(whole);
    }
    Ok(whole)
}

/// The way from the folder `from` to `to`, both of them absolute.
fn relative(to: &Path, from: &Path) -> PathBuf {
    let (mut to, mut from) = (to.components().peekable(), from.components().peekable());
    while to.peek().is_some() && to.peek() == from.peek() {
        to.next();
        from.next();
    }
    let up = from.map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to).collect();
    if path.as_os_str().is_empty() { ".".into() } else { path }
}

/// A workspace that a project's folder lies in.
#[derive(Debug)]
pub(super) struct Surrounding {
    /// Its Cargo.toml.
    pub(super) file: PathBuf,
    /// Whether one of its `members` stands for the folder.
    pub(super) is_member: bool,
}

/// The workspace that the folder would be in, unless it excludes it.
pub(super) fn surrounding_workspace(folder: &Path) -> Option<Surrounding> {
    let folder = whole(folder).ok()?;
    folder.ancestors().skip(1).find_map(|above| {
        let file = above.join("Cargo.toml");
        let manifest: toml_edit::DocumentMut = fs::read_to_string(&file).ok()?.parse().ok()?;
        let workspace = manifest.get("workspace")?;
        let list = |name: &str| -> Vec<&str> {
            let list = workspace.get(name).and_then(|list| list.as_array()).into_iter().flatten();
            list.filter_map(|path| path.as_str()).collect()
        };
        let excluded = list("exclude").iter().any(|path| folder.starts_with(above.join(path)));
        let is_member = list("members").iter().any(|path| match path.strip_suffix("/*") {
            Some(all_of) => folder.parent() == Some(&above.join(all_of)),
            None => folder == above.join(path),
        });
        // The next one up is not looked for: cargo stops here, too.
        Some((!excluded).then_some(Surrounding { file, is_member }))
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_file_cannot_be_written_none_is_left() {
        let place = tempfile::tempdir().expect("a temporary folder");
        // `a` cannot be both a file and a folder.
        let files: Files = ["a", "a/b", "c"].map(|path| (path.into(), Vec::new())).into();
        let folder = place.path().join("new");
        assert!(write(&folder, &files).is_err());
        assert!(!folder.exists());
        fs::create_dir(&folder).expect("a folder");
        assert!(write(&folder, &files).is_err());
        assert_eq!(folder.read_dir().expect("it was there before").count(), 0);
    }

    #[test]
    fn the_way_from_a_project_to_a_checkout_is_short() {
        let way = |to: &str, from: &str| relative(Path::new(to), Path::new(from)).to_str().unwrap().to_owned();
        assert_eq!(way("/a/kokoro", "/a/hello"), "../kokoro");
        assert_eq!(way("/a/kokoro", "/a/kokoro/target/x"), "../..");
        assert_eq!(way("/a/b/kokoro", "/a"), "b/kokoro");
        assert_eq!(way("/a", "/a"), ".");
    }
}
