//! What a build was made of, as the compiler tells it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of something that cargo has built: those of packages with a path, and the files that macros have read. Of what comes from
/// a registry there are none. None at all if cargo does not tell.
pub(super) fn of(built: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(built.with_extension("d")).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, sources)| paths(sources)).collect()
}

/// Paths between blanks; a blank in a path has a backslash before it.
fn paths(line: &str) -> Vec<PathBuf> {
    let mut paths = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let path = paths.last_mut().expect("there is always one");
        match character {
            '\\' if characters.peek() == Some(&' ') => path.extend(characters.next()),
            ' ' => paths.push(String::new()),
            _ => path.push(character),
        }
    }
    paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_paths_are_no_ends() {
        let file = tempfile::tempdir().expect("a temporary folder");
        let built = file.path().join("page.wasm");
        fs::write(built.with_extension("d"), "/w/page.wasm: /w/a\\ b/lib.rs /w/wit\\x/c.wit\n").expect("a file");
        assert_eq!(of(&built), [PathBuf::from("/w/a b/lib.rs"), PathBuf::from("/w/wit\\x/c.wit")].into());
        assert!(of(Path::new("/no/such/page.wasm")).is_empty());
    }
}
