//! Through the standard library, as any program would.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::time::SystemTime;

use crate::{some, text};

type Outcome = Result<String, String>;

/// What it did, if it could.
fn done<T>(result: std::io::Result<T>, what: &str) -> Outcome {
    result.map(|_| what.to_owned()).map_err(text)
}

pub(crate) fn read(path: &str) -> Outcome {
    fs::read_to_string(path).map_err(text)
}

pub(crate) fn list(path: &str) -> Outcome {
    let entries: Vec<_> = fs::read_dir(path).and_then(Iterator::collect).map_err(text)?;
    some(entries.iter().map(|entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned()))
}

pub(crate) fn size(path: &str) -> Outcome {
    fs::metadata(path).map(|metadata| metadata.len().to_string()).map_err(text)
}

pub(crate) fn write(path: &str) -> Outcome {
    done(fs::write(path, "written by the probe"), "written")
}

pub(crate) fn append(path: &str) -> Outcome {
    let file = OpenOptions::new().append(true).open(path);
    done(file.and_then(|mut file| file.write_all(b", appended to by the probe")), "appended")
}

pub(crate) fn truncate(path: &str) -> Outcome {
    done(OpenOptions::new().write(true).truncate(true).open(path), "truncated")
}

pub(crate) fn set_modified(path: &str) -> Outcome {
    // Opened for reading: to change its times is a right of its own.
    done(File::open(path).and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH)), "set")
}

pub(crate) fn create_directory(path: &str) -> Outcome {
    done(fs::create_dir(path), "created")
}

pub(crate) fn remove(path: &str) -> Outcome {
    done(fs::remove_file(path), "removed")
}

pub(crate) fn remove_directory(path: &str) -> Outcome {
    done(fs::remove_dir(path), "removed")
}

pub(crate) fn rename(from: &str, to: &str) -> Outcome {
    done(fs::rename(from, to), "renamed")
}

pub(crate) fn hard_link(from: &str, to: &str) -> Outcome {
    done(fs::hard_link(from, to), "linked")
}

pub(crate) fn symbolic_link(from: &str, to: &str) -> Outcome {
    #[expect(deprecated, reason = "what std recommends instead is not stable for WASI")]
    done(fs::soft_link(from, to), "linked")
}
