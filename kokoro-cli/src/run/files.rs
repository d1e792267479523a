//! The files of a folder: which of them have changed, and come to rest.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How long a file has to stay as it is before it counts as written.
const QUIET: Duration = Duration::from_millis(200);
/// What comes to rest within so short a time is one change: of the two halves of a renaming, for instance, or of a build.
const TOGETHER: Duration = Duration::from_millis(20);
/// How long is waited for the rest of a file that is cut off.
const PATIENCE: Duration = Duration::from_secs(5);

/// What tells a file from what it was before, as far as that can be seen without reading it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    identity: Identity,
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> Self {
        Self { length: file.len(), modified: file.modified().ok(), identity: identity(file) }
    }

    /// Whether the file has been changed since then, or may have been.
    pub(super) fn is_since(&self, time: SystemTime) -> bool {
        self.modified.is_none_or(|modified| modified >= time)
    }
}

/// What tells a file or a folder from another one of the same name.
#[cfg(unix)]
pub(super) type Identity = (u64, u64);
#[cfg(not(unix))]
pub(super) type Identity = Option<SystemTime>;

#[cfg(unix)]
pub(super) fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
pub(super) fn identity(file: &Metadata) -> Identity {
    file.created().ok()
}

/// Whether a file of this name is one that `load_dir` takes.
pub(super) fn is_component(name: &OsStr) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"))
}

/// The files `*.wasm` of a folder, as they are now.
pub(super) fn list(folder: &Path) -> io::Result<BTreeMap<OsString, Stamp>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !is_component(&name) {
            continue;
        }
        // What a symbolic link points at counts.
        match fs::metadata(entry.path()) {
            Ok(file) => _ = files.insert(name, Stamp::of(&file)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) if entry.file_type().is_ok_and(|kind| kind.is_symlink()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// All files that are or were there. It knows no clock: whoever asks says what time it is.
#[derive(Debug)]
pub(super) struct Files {
    files: BTreeMap<OsString, File>,
    patience: Duration,
}

impl Default for Files {
    fn default() -> Self {
        Self::waiting_for_rest(PATIENCE)
    }
}

#[derive(Debug)]
struct File {
    /// None if it is not there.
    stamp: Option<Stamp>,
    /// When it was last seen to change.
    changed: Instant,
    /// Whether somebody has written to it and not closed it since.
    is_open: bool,
    /// Whether it has been told that somebody goes on writing for long.
    is_told: bool,
    rest: Rest,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rest {
    /// It has been dealt with as it is.
    Taken,
    Changed,
    /// It did not change for a while, but there has to be more of it.
    CutOff,
}

/// A file that has come to rest and is to be dealt with.
#[derive(Debug, PartialEq)]
pub(super) struct Due {
    pub(super) name: OsString,
    pub(super) is_there: bool,
    /// Whether the rest of it is worth waiting for, if it is cut off.
    pub(super) may_grow: bool,
}

impl File {
    fn new(stamp: Option<Stamp>, now: Instant) -> Self {
        Self { stamp, changed: now, is_open: false, is_told: false, rest: Rest::Changed }
    }

    fn change(&mut self, now: Instant) {
        (self.changed, self.rest) = (now, Rest::Changed);
    }

    /// When it will have come to rest.
    fn settles(&self, patience: Duration) -> Option<Instant> {
        match self.rest {
            _ if self.is_open => None,
            Rest::Taken => None,
            Rest::Changed => Some(self.changed + QUIET),
            Rest::CutOff => Some(self.changed + patience),
        }
    }
}

impl Files {
    /// No files yet. The rest of one that is cut off is waited for so long.
    pub(super) fn waiting_for_rest(patience: Duration) -> Self {
        Self { files: BTreeMap::new(), patience }
    }

    /// Whether a file was changed so recently that its rest may still come.
    pub(super) fn is_recent(&self, stamp: &Stamp) -> bool {
        // A time that lies ahead says nothing.
        stamp.modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age < self.patience)
    }

    /// Whether nobody wants to wait any longer for what has been waited for since then.
    pub(super) fn is_too_long(&self, since: Instant, now: Instant) -> bool {
        since + self.patience <= now
    }

    /// These files, which have been dealt with.
    pub(super) fn take_all(&mut self, found: BTreeMap<OsString, Stamp>, now: Instant) {
        self.look(found, now);
        for file in self.files.values_mut() {
            file.rest = Rest::Taken;
        }
    }

    /// What is there now.
    pub(super) fn look(&mut self, mut found: BTreeMap<OsString, Stamp>, now: Instant) {
        for (name, file) in &mut self.files {
            let stamp = found.remove(name);
            if stamp.is_none() {
                file.is_open = false;
            }
            if file.stamp != stamp {
                file.stamp = stamp;
                file.change(now);
            }
        }
        self.files.extend(found.into_iter().map(|(name, stamp)| (name, File::new(Some(stamp), now))));
    }

    /// Somebody has changed it, and may have it open to go on.
    pub(super) fn changed(&mut self, name: &OsStr, is_open: bool, now: Instant) {
        let file = self.files.entry(name.to_owned()).or_insert_with(|| File::new(None, now));
        file.change(now);
        file.is_open = is_open;
    }

    /// Whoever had it open to write has closed it.
    pub(super) fn closed(&mut self, name: &OsStr) {
        if let Some(file) = self.files.get_mut(name) {
            (file.is_open, file.is_told) = (false, false);
        }
    }

    /// Whether somebody has written to it and not closed it since.
    pub(super) fn is_open(&self, name: &OsStr) -> bool {
        self.files.get(name).is_some_and(|file| file.is_open)
    }

    /// Nobody knows any more who has what open.
    pub(super) fn lose_track(&mut self) {
        self.files.values_mut().for_each(|file| file.is_open = false);
    }

    /// It has come to rest: whoever has written it says so.
    pub(super) fn settle(&mut self, name: &OsStr, now: Instant) {
        self.changed(name, false, now.checked_sub(QUIET).unwrap_or(now));
    }

    /// The files that have come to rest, by name; none while others are just about to.
    pub(super) fn due(&self, now: Instant) -> Vec<Due> {
        if self.next().is_none_or(|next| next > now) {
            return Vec::new();
        }
        let due =
            self.files.iter().filter(|(_, file)| file.settles(self.patience).is_some_and(|settles| settles <= now));
        due.map(|(name, file)| Due {
            name: name.clone(),
            is_there: file.stamp.is_some(),
            may_grow: file.rest != Rest::CutOff,
        })
        .collect()
    }

    /// The files that somebody writes for so long that people want to know what is waited for; each once.
    pub(super) fn written_for_long(&mut self, now: Instant) -> Vec<OsString> {
        let patience = self.patience;
        let is_new = |file: &File| file.is_open && !file.is_told && file.changed + patience <= now;
        let files = self.files.iter_mut().filter(|(_, file)| is_new(file));
        files
            .map(|(name, file)| {
                file.is_told = true;
                name.clone()
            })
            .collect()
    }

    /// When the next file will have come to rest, and those that do so together with it.
    pub(super) fn next(&self) -> Option<Instant> {
        let mut times: Vec<Instant> = self.files.values().filter_map(|file| file.settles(self.patience)).collect();
        times.sort_unstable();
        times.into_iter().reduce(|last, time| if time <= last + TOGETHER { time } else { last })
    }

    /// A file that was due is cut off: its rest is waited for.
    pub(super) fn wait_for_rest(&mut self, name: &OsStr) {
        if let Some(file) = self.files.get_mut(name) {
            file.rest = Rest::CutOff;
        }
    }

    /// A file that was due has been dealt with.
    pub(super) fn take(&mut self, name: &OsStr) {
        match self.files.get_mut(name) {
            Some(file) if file.stamp.is_some() => file.rest = Rest::Taken,
            _ => _ = self.files.remove(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(length: u64) -> Stamp {
        Stamp { length, modified: None, identity: Default::default() }
    }

    fn found(files: &[(&str, u64)]) -> BTreeMap<OsString, Stamp> {
        files.iter().map(|(name, length)| (OsString::from(name), stamp(*length))).collect()
    }

    /// The names of those that are due, with `-` if they are gone and `!` if they are not waited for any longer.
    fn due(files: &Files, now: Instant) -> Vec<String> {
        let mark = |due: Due| match due {
            Due { is_there: false, .. } => format!("-{}", due.name.display()),
            Due { may_grow: false, .. } => format!("!{}", due.name.display()),
            _ => due.name.display().to_string(),
        };
        files.due(now).into_iter().map(mark).collect()
    }

    const A_WHILE: Duration = Duration::from_millis(50);

    #[test]
    fn a_file_is_due_when_it_has_not_changed_for_a_while() {
        let (mut files, mut now) = (Files::default(), Instant::now());
        files.take_all(found(&[("old", 1)]), now);
        for length in 1..10 {
            files.look(found(&[("old", 1), ("new", length)]), now);
            assert_eq!(due(&files, now), [""; 0]);
            now += A_WHILE;
        }
        now += QUIET;
        assert_eq!(due(&files, now), ["new"]);
        files.take("new".as_ref());
        assert_eq!((due(&files, now), files.next()), (vec![], None));
        // The same size and time, but somebody has written.
        files.changed("new".as_ref(), false, now);
        assert_eq!(files.next(), Some(now + QUIET));
    }

    #[test]
    fn a_file_that_goes_and_comes_back_has_changed_once() {
        let (mut files, now) = (Files::default(), Instant::now());
        files.take_all(found(&[("a", 1), ("b", 1)]), now);
        files.look(found(&[]), now);
        files.look(found(&[("a", 2)]), now + A_WHILE);
        assert_eq!(due(&files, now + QUIET), ["-b"]);
        files.take("b".as_ref());
        assert_eq!(due(&files, now + A_WHILE + QUIET), ["a"]);
    }

    #[test]
    fn what_changes_together_is_due_together() {
        let (mut files, now) = (Files::default(), Instant::now());
        files.take_all(found(&[("a", 1), ("late", 1)]), now);
        files.changed("a".as_ref(), false, now);
        files.changed("b".as_ref(), false, now + TOGETHER);
        files.look(found(&[("b", 1), ("late", 1)]), now + TOGETHER);
        files.changed("late".as_ref(), false, now + A_WHILE + TOGETHER);
        assert_eq!(files.next(), Some(now + TOGETHER + QUIET));
        assert_eq!(due(&files, now + QUIET), [""; 0]);
        assert_eq!(due(&files, now + TOGETHER + QUIET), ["-a", "b"]);
    }

    #[test]
    fn a_file_that_is_open_is_waited_for_without_end_and_told_of_once() {
        let (mut files, now) = (Files::default(), Instant::now());
        files.changed("a".as_ref(), true, now);
        files.look(found(&[("a", 1)]), now);
        let later = now + 100 * PATIENCE;
        assert_eq!((due(&files, later), files.next()), (vec![], None));
        assert_eq!(files.written_for_long(now + A_WHILE), [""; 0]);
        assert_eq!(files.written_for_long(later), ["a"]);
        assert_eq!(files.written_for_long(later), [""; 0]);
        files.closed("a".as_ref());
        assert_eq!(due(&files, later), ["a"]);
    }

    #[test]
    fn what_is_cut_off_has_time_to_grow_and_is_due_in_the_end() {
        let (mut files, now) = (Files::default(), Instant::now());
        files.look(found(&[("a", 1)]), now);
        assert_eq!(due(&files, now + QUIET), ["a"]);
        files.wait_for_rest("a".as_ref());
        assert_eq!(due(&files, now + 2 * QUIET), [""; 0]);
        // More of it comes.
        files.look(found(&[("a", 2)]), now + PATIENCE - A_WHILE);
        assert_eq!(due(&files, now + PATIENCE), [""; 0]);
        assert_eq!(due(&files, now + PATIENCE - A_WHILE + QUIET), ["a"]);
        files.wait_for_rest("a".as_ref());
        assert_eq!(due(&files, now + 2 * PATIENCE), ["!a"]);
    }

    #[test]
    fn what_is_said_to_be_whole_is_due_at_once() {
        let (mut files, now) = (Files::default(), Instant::now());
        files.take_all(found(&[("a", 1), ("b", 1)]), now);
        files.look(found(&[("a", 2), ("b", 1)]), now);
        assert_eq!(due(&files, now), [""; 0]);
        files.settle("a".as_ref(), now);
        assert_eq!(due(&files, now), ["a"]);
    }

    #[test]
    fn what_is_gone_is_forgotten_once_it_has_been_dealt_with() {
        let (mut files, now) = (Files::default(), Instant::now());
        // It was gone before anybody has looked.
        files.changed("a".as_ref(), true, now);
        files.look(found(&[]), now);
        assert_eq!(due(&files, now + QUIET), ["-a"]);
        files.take("a".as_ref());
        assert!(files.files.is_empty());
    }
}
