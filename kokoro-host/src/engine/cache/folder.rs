//! The folder of a cache: that nobody else can write into it, and its key.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::UNFINISHED;
use crate::engine::trusted::Key;

const KEY: &str = "key";

/// Makes the folder if it is not there, and looks whether it is its user's alone. `Err` is a sentence.
pub(super) fn make_private(folder: &Path) -> Result<(), String> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(|error| format!("it cannot be made: {error}"))?;
    let metadata = fs::metadata(folder).map_err(|error| error.to_string())?;
    if !is_own(&metadata) {
        return Err("it belongs to another user\n  help: name a folder that belongs to who runs this".to_owned());
    }
    if may_others(&metadata, WRITE) {
        return Err(
            "others may write into it\n  help: take that away (`chmod go-w`), or name another folder".to_owned()
        );
    }
    Ok(())
}

/// The key of a folder, which is made if there is none. `Err` is a sentence.
pub(super) fn key(folder: &Path) -> Result<Key, String> {
    let path = folder.join(KEY);
    match read_key(&path) {
        Ok(Some(key)) => return Ok(key),
        // What was sealed with it, if anything was, is compiled anew.
        Ok(None) => {
            let (key, file) = new_key(folder)?;
            file.persist(&path).map_err(|error| no_key(&error.error))?;
            return Ok(key);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(no_key(&error)),
    }
    let (key, file) = new_key(folder)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        // Another process was faster: all use what is there now.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => match read_key(&path) {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err("its key cannot be used".to_owned()),
            Err(error) => Err(no_key(&error)),
        },
        Err(error) => Err(no_key(&error.error)),
    }
}

fn no_key(error: &io::Error) -> String {
    format!("its key can be neither read nor made: {error}")
}

fn new_key(folder: &Path) -> Result<(Key, tempfile::NamedTempFile), String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| format!("there are no random numbers for a key: {error}"))?;
    // Temporary files can be read by nobody else.
    let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder);
    let mut file = file.map_err(|error| no_key(&error))?;
    file.write_all(&key).map_err(|error| no_key(&error))?;
    Ok((Key(key), file))
}

/// The key in a file, or `None` if it is none that can be used: damaged, or not a secret.
fn read_key(path: &Path) -> io::Result<Option<Key>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = File::open(path)?;
    // Of the file that is open: what the name stands for can change.
    let metadata = file.metadata()?;
    if !is_own(&metadata) || may_others(&metadata, READ | WRITE) {
        return Ok(None);
    }
    let mut key = Vec::new();
    (&file).take(33).read_to_end(&mut key)?;
    Ok(key.try_into().ok().map(Key))
}

const READ: u32 = 0o4;
const WRITE: u32 = 0o2;

#[cfg(unix)]
fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
fn may_others(metadata: &Metadata, what: u32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & (what | what << 3) != 0
}

/// Elsewhere a folder in a user's own is that user's alone, unless somebody has changed that.
#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn may_others(_: &Metadata, _: u32) -> bool {
    false
}
