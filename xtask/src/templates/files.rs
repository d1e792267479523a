//! Files in memory, and folders that are made to have just these.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Files by their paths.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files below `folder`, by their paths in it, without what cargo has put there.
pub(crate) fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in current.read_dir().with_context(|| format!("{} cannot be read", current.display()))? {
            let path = entry?.path();
            if !path.is_dir() {
                let content = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
                files.insert(path.strip_prefix(folder)?.to_owned(), content);
            } else if !path.ends_with("target") {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

/// Makes `folder` have these files and no others. Those that are right already stay as they are, or cargo would compile
/// them again.
pub(crate) fn write_just(folder: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    for (path, content) in &read(folder)? {
        if files.get(path) != Some(content) {
            fs::remove_file(folder.join(path)).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    for (path, content) in files {
        let file = folder.join(path);
        if !file.exists() {
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(&file, content).with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (path.into(), text.as_bytes().to_owned())).collect()
    }

    #[test]
    fn a_folder_has_just_the_files_that_it_shall_have() {
        let folder = std::env::temp_dir().join(format!("kokoro-xtask-{}", std::process::id()));
        write_just(&folder, &files(&[("a/b", "1"), ("c", "2"), ("d", "3")])).unwrap();
        let untouched = fs::metadata(folder.join("d")).unwrap().modified().unwrap();
        let expected = files(&[("c", "new"), ("d", "3"), ("e/f", "4")]);
        write_just(&folder, &expected).unwrap();
        assert_eq!(read(&folder).unwrap(), expected);
        assert_eq!(fs::metadata(folder.join("d")).unwrap().modified().unwrap(), untouched);
        fs::remove_dir_all(&folder).unwrap();
    }
}
