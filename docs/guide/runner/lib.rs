//! Does what the guide tells its readers to do.
//!
//! A chapter is Markdown, and its code blocks are what a reader would do one after another, in a folder that is empty at first. Each block
//! says after its language what becomes of it:
//!
//! | block | what is done |
//! |---|---|
//! | `LANGUAGE,file=PATH` | the block becomes that file |
//! | `diff,change=PATH` | the change is made to that file |
//! | `LANGUAGE,shown=PATH` | the file has these lines already, one below the other; indentation may differ, and `// ..` stands for lines that are left out |
//! | `sh` | the commands succeed |
//! | `console` | the commands after `$ ` print what is shown; `console,exit=1` if the last one ends so |
//! | `console,until=ctrl-c` | the first command goes on; `> ` is typed into it, `$ ` is done in another terminal, `^C` ends it |
//! | `text` | nothing: no reader would type it. There are few, and they are counted |
//!
//! A block without any of these is an error, and so there is none that nobody looks at. In what a command prints, `..` in the guide stands for
//! any text in a line, and for any lines if it is alone in one.
//!
//! Comments say what a reader does not need to be told:
//!
//! | comment | what is done |
//! |---|---|
//! | `<!-- guide: given PROJECT -->` | `docs/guide/projects/PROJECT` is copied into the folder, as the text says |
//! | `<!-- guide: continues CHAPTER -->` | first in a chapter: the folder is the one that the chapter `CHAPTER.md` has left |
//! | `<!-- guide: repository -->` | a clone of this repository, named `kokoro`, is beside what the reader makes |
//!
//! What compiles Wasmtime would take a quarter of an hour in a project of its own. So what uses `kokoro-host` is in
//! `docs/guide/projects`, a member of this workspace, and `cargo run` or `cargo test` in the reader's copy of it runs what was compiled here, once
//! it has been made sure that the files are the same.

mod block;
mod change;
mod live;
mod pattern;
mod programs;
mod session;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub use self::block::{Block, Chapter, Kind, Step};
pub use self::programs::Programs;
pub use self::session::{Mismatch, Session};

/// Where the guide is.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The workspace that the guide is in.
///
/// # Panics
///
/// This crate has been moved out of it.
#[must_use]
pub fn workspace() -> &'static Path {
    folder().ancestors().nth(2).expect("the guide is in `docs/guide`")
}

/// The README of the repository, and the chapters in the order of the table of contents.
///
/// # Errors
///
/// One cannot be read, or has a block that does not say what becomes of it.
pub fn chapters() -> Result<Vec<Chapter>> {
    let summary = read(&folder().join("src/SUMMARY.md"))?;
    // `- [Title](file.md)`
    let listed = summary.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(file, _)| file);
    let files = listed.map(|file| format!("docs/guide/src/{file}"));
    let files = std::iter::once("README.md".to_owned()).chain(files);
    files.map(|file| Chapter::parse(&file, &read(&workspace().join(&file))?)).collect()
}

/// The text of a file.
fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Writes a file, and makes its folder.
fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))
        .and_then(|()| fs::write(file, content))
        .with_context(|| format!("{} cannot be written", file.display()))
}

/// The files in a folder and below, by their paths in it, in order, without what builds have left.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in current.read_dir().with_context(|| format!("{} cannot be read", current.display()))? {
            let path = entry?.path();
            if !path.is_dir() {
                files.push(path.strip_prefix(folder)?.to_owned());
            } else if !path.ends_with("target") {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
