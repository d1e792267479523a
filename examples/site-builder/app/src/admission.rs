//! Who is let in: a person at the terminal decides about each Planet (plugin), once.

use crate::Build;
use crate::builder::Misuse;
use crate::output::complain;
use crate::programs::{self, Programs};
use anyhow::{Context as _, Result};
use kokoro_host::{Admission, Candidate, Manifest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::NamedTempFile;

/// How much of what a stranger says is shown, in characters, so that it cannot push the rest off the screen.
const SHOWN: usize = 600;

/// A person who is asked, and what they have answered so far.
#[derive(Debug)]
pub(crate) struct Person {
    /// Where the answers are kept: a place where only the person writes, since who writes there decides who is let in.
    file: PathBuf,
    planets: PathBuf,
    /// The names of the files about which no answer counts but a new one.
    ask_again: Vec<String>,
    /// The names of the Planets that may run native programs.
    allow_satellite: Vec<String>,
    answers: Mutex<Answers>,
}

/// By the place of the component. The file that keeps them is the JSON of this.
type Answers = BTreeMap<String, Answer>;

/// An answer counts for the content that it was given about, and for no other.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    name: String,
    sha256: String,
    load: bool,
    /// The native programs that it was allowed to run as well.
    #[serde(default, skip_serializing_if = "Programs::is_empty")]
    programs: Programs,
}

impl Answer {
    /// Whether it was given about this content, and, if it is a yes, about all these programs.
    fn is_about(&self, sha256: &str, programs: &Programs) -> bool {
        self.sha256 == sha256
            && (!self.load || programs.iter().all(|(name, hash)| self.programs.get(name) == Some(hash)))
    }
}

impl Person {
    /// The person who builds a site, with the answers that they gave earlier.
    ///
    /// # Errors
    ///
    /// If there is no place for the answers, if Planets could write there, if the answers cannot be understood, or if there is
    /// no such file as the person would like to be asked about again.
    pub(crate) fn new(build: &Build) -> Result<Self> {
        let file = match &build.answers {
            Some(file) => file.clone(),
            None => std::env::home_dir()
                .filter(|home| home.is_absolute())
                .ok_or_else(|| Misuse("--ask: you have no home folder\n  help: name a file with --answers".to_owned()))?
                .join(".site-builder/plugins.json"),
        };
        let file = settled(&file).map_err(|error| Misuse(format!("--answers: `{}`: {error}", file.display())))?;
        // Where files of the site go is for Planets to say.
        if file.starts_with(fs::canonicalize(&build.output)?) {
            return Err(Misuse(format!(
                "--answers: `{}` is in the folder for the pages, where Planets (plugins) have files written\n  help: name a file elsewhere",
                file.display()
            ))
            .into());
        }
        let answers = read(&file).map_err(|error| {
            Misuse(format!("{error:#}\n  help: mend it, or move it away to be asked about each Planet (plugin) again"))
        })?;
        let planets = fs::canonicalize(&build.planets)?;
        let names = build.ask_again.iter().filter_map(|file| file.file_name());
        let ask_again: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        if let Some(name) = ask_again.iter().find(|name| !planets.join(name).is_file()) {
            return Err(Misuse(format!("--ask-again: there is no file `{name}` in `{}`", planets.display())).into());
        }
        let allow_satellite = build.allow_satellite.clone();
        Ok(Self { file, planets, ask_again, allow_satellite, answers: Mutex::new(answers) })
    }

    /// Decides about one Planet; asks only if it is unknown both by its place and by its content.
    pub(crate) fn decide(&self, planet: &Candidate) -> Result<Admission> {
        // Held while the person is asked: one question at a time.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let file = planet.file().and_then(Path::file_name).context("it is no file")?.to_string_lossy().into_owned();
        let place = self.planets.join(&file).display().to_string();
        let programs = programs::allowed(planet, &self.allow_satellite);
        let again = format!("to be asked again: --ask-again {file:?}");
        let answered = |load: bool| match load {
            true => Admission::granted(programs::grants(&programs)),
            false => Admission::refused(format!("you did not want it; {again}")),
        };

        let here = answers.get(&place);
        let before = here.map(|answer| answer.sha256.clone()).filter(|sha256| sha256 != planet.sha256());
        if !self.ask_again.contains(&file) {
            let changed = |what: &str, before: &str, now: &str| {
                Admission::refused(format!(
                    "{what} has changed since you were asked about it: its SHA-256 was {before:.12}.. and is {now:.12}..; {again}"
                ))
            };
            if let Some(before) = &before {
                return Ok(changed("it", before, planet.sha256()));
            }
            for (program, now) in &programs {
                let before = here.filter(|answer| answer.load).and_then(|answer| answer.programs.get(program));
                if let Some(before) = before.filter(|before| *before != now) {
                    return Ok(changed(&format!("its native program `{program}`"), before, now));
                }
            }
            // Under a new name, or copied, it is what it was. Among several answers a no weighs more.
            let counts = |answer: &&Answer| answer.is_about(planet.sha256(), &programs);
            let same = answers.values().filter(counts);
            if let Some(load) =
                here.filter(counts).map(|answer| answer.load).or_else(|| same.map(|answer| answer.load).min())
            {
                return Ok(answered(load));
            }
        }
        let Some(load) = ask(&question(planet, &place, before.as_deref(), &programs))? else {
            return Ok(Admission::refused("nobody answered whether to load it"));
        };
        let (name, sha256) = (planet.name().to_owned(), planet.sha256().to_owned());
        let answer = Answer { name, sha256, load, programs: if load { programs.clone() } else { Programs::new() } };
        answers.insert(place.clone(), answer.clone());
        if let Err(error) = remember(&self.file, place, answer) {
            complain(format_args!("warning: your answer counts now and is not remembered: {error:#}"));
        }
        Ok(answered(load))
    }
}

/// Where a file really is, or will be. The folder is made.
fn settled(file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| io::Error::other("it cannot be a file"))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = fs::canonicalize(folder)?.join(name);
    match file.is_symlink() {
        true => fs::canonicalize(file),
        false => Ok(file),
    }
}

fn read(file: &Path) -> Result<Answers> {
    match fs::read(file) {
        Ok(json) => serde_json::from_slice(&json)
            .with_context(|| format!("the answers in `{}` cannot be understood", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answers::new()),
        Err(error) => Err(error).with_context(|| format!("the answers in `{}` cannot be read", file.display())),
    }
}

/// Adds an answer to the file, which is the old one or the new one at any moment. What was written there meanwhile stays.
fn remember(file: &Path, place: String, answer: Answer) -> Result<()> {
    let mut answers = read(file)?;
    answers.insert(place, answer);
    let write = || -> io::Result<()> {
        let mut new = NamedTempFile::new_in(file.parent().unwrap_or(file))?;
        serde_json::to_writer_pretty(&mut new, &answers)?;
        writeln!(new)?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(())
    };
    write().with_context(|| format!("`{}` cannot be written", file.display()))
}

/// Asks on standard error and waits for a line on standard input, be it a terminal or not; `None` if there is no more.
fn ask(question: &str) -> io::Result<Option<bool>> {
    write!(io::stderr(), "\n{question}Load it? [y/N] ")?;
    let mut line = String::new();
    let length = io::stdin().read_line(&mut line)?;
    if length == 0 || !io::stdin().is_terminal() {
        writeln!(io::stderr(), "{}", line.trim())?;
    }
    Ok((length > 0).then(|| matches!(&*line.trim().to_ascii_lowercase(), "y" | "yes")))
}

/// What there is to know about a Planet, most of it from its own mouth.
fn question(planet: &Candidate, place: &str, before: Option<&str>, programs: &Programs) -> String {
    let manifest = planet.manifest();
    let version = manifest.version.as_ref().map_or("without a version".to_owned(), ToString::to_string);
    let asks = asks(manifest);
    let mut text = match before {
        None => "An unknown Planet (plugin)".to_owned(),
        Some(_) => "A Planet (plugin) that has changed since you were asked about it".to_owned(),
    };
    text += &format!(" calls itself {} {}\n", planet.name(), version);
    let lines = [
        ("file", place.to_owned()),
        ("SHA-256", planet.sha256().to_owned()),
        ("before", before.unwrap_or_default().to_owned()),
        ("exports", list(&manifest.provides, ", ")),
        ("needs", list(&manifest.requires, ", ")),
        ("can use", list(&manifest.optional, ", ")),
        ("asks to", list(&asks, "; ")),
        ("runs", list(programs.iter().map(|(program, sha256)| format!("{program}, SHA-256 {sha256}")), "; ")),
    ];
    for (what, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        text += &format!("  {what:8} {}\n", shown(value));
    }
    let runs_none = programs.is_empty() && !manifest.satellites.is_empty();
    if !programs.is_empty() {
        text += "It gets its native program, as --allow-satellite says, which is not confined: it can do what you can do.\n";
    } else if asks.is_empty() {
        text += "It asks for no permissions, and gets none.\n";
    }
    if asks.len() > manifest.satellites.len() || runs_none {
        text += match programs.is_empty() {
            true => "Of what it asks for it gets nothing, whatever you answer: site-builder has nothing to grant",
            false => {
                "Of what else it asks for it gets nothing, whatever you answer: site-builder has nothing more to grant"
            }
        };
        if runs_none {
            text += &format!(" but native programs, with --allow-satellite {}", shown(planet.name()));
        }
        text += ".\n";
    }
    text
}

/// What a Planet would like to be allowed.
fn asks(manifest: &Manifest) -> Vec<String> {
    let wanted = &manifest.permissions;
    let lists =
        [("read", &wanted.read), ("write", &wanted.write), ("see variables", &wanted.env), ("use HTTP", &wanted.http)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    lists
        .map(|(what, names)| format!("{what}: {}", list(names, ", ")))
        .chain(wanted.net.then(|| "use sockets".to_owned()))
        .chain(wanted.other.iter().map(|(what, value)| format!("{what}: {value}")))
        .chain(manifest.satellites.iter().map(|satellite| format!("run a native program: {}", satellite.program)))
        .collect()
}

fn list(these: impl IntoIterator<Item = impl Display>, between: &str) -> String {
    these.into_iter().map(|this| this.to_string()).collect::<Vec<_>>().join(between)
}

/// Without what would move the cursor or turn the text around.
fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let plain = chars
        .by_ref()
        .take(SHOWN)
        .map(|c| if matches!(c, '"' | '\'' | '\\') { c.to_string() } else { c.escape_debug().to_string() });
    let plain: String = plain.collect();
    match chars.count() {
        0 => plain,
        more => format!("{plain} .. and {more} characters more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, shown};

    #[test]
    fn a_stranger_cannot_draw_on_the_terminal() {
        assert_eq!(shown("a\u{1b}[2K\r\n\u{202e}\u{9b}é\""), "a\\u{1b}[2K\\r\\n\\u{202e}\\u{9b}é\"");
        assert!(shown(&"x".repeat(SHOWN + 7)).ends_with("x .. and 7 characters more"));
    }
}
