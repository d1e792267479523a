//! What Planets (plugins) lacked when they failed, and the options that grant it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kokoro_host::{EdgeProvider, Granted, Graph, Manifest, Permissions, State};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::permissions::plain_path;

/// Collects what Planets ask for and what they are refused, and says what would have helped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints(Arc<Mutex<BTreeMap<String, Needs>>>);

/// What one Planet would like and what it got.
#[derive(Debug, Default)]
struct Needs {
    asked: Permissions,
    /// The programs that it asks for as Satellites.
    satellites: Vec<String>,
    granted: Granted,
    /// The permissions that it tried to use without having them, as Kokoro names them: `http example.com:443`.
    refused: BTreeSet<String>,
}

impl Hints {
    /// Remembers what a Planet asks for and what it is granted, and forgets what an older release of it lacked.
    pub(crate) fn admitted(&self, manifest: &Manifest, granted: Granted) {
        let mut satellites: Vec<String> = manifest.satellites.iter().map(|asked| asked.program.clone()).collect();
        satellites.sort();
        satellites.dedup();
        let needs = Needs { asked: manifest.permissions.clone(), satellites, granted, refused: BTreeSet::new() };
        self.lock().insert(manifest.name.clone(), needs);
    }

    /// A line for each Planet that does not run, or waits, and lacked something.
    pub(crate) fn notes_on_idle(&self, graph: &Graph) -> Vec<String> {
        let idle = graph.planets.iter().filter(|node| matches!(node.state, State::Failed | State::Waiting));
        self.notes(idle.map(|node| node.name.as_str()))
    }

    /// A line for each of these Planets that lacked something.
    pub(crate) fn notes<'a>(&self, planets: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let needs = self.lock();
        planets.into_iter().filter_map(|planet| needs.get(planet)?.note(planet)).collect()
    }

    /// Whether an event tells that a Planet was refused something.
    pub(crate) fn is_refusal(metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
            && metadata.target() == "kokoro"
            && metadata.fields().field("permission").is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Needs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Planet and all that its calls can get to.
pub(crate) fn reached_from<'a>(planet: &'a str, graph: &'a Graph) -> BTreeSet<&'a str> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![planet]);
    while let Some(name) = ahead.pop() {
        if reached.insert(name) {
            let imports = graph.planet(name).into_iter().flat_map(|node| &node.imports);
            ahead.extend(imports.filter_map(|import| match &import.provider {
                Some(EdgeProvider::Planet(name)) => Some(name.as_str()),
                _ => None,
            }));
        }
    }
    reached
}

/// Hears of refusals.
impl<S: Subscriber> Layer<S> for Hints {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut refusal = Refusal::default();
        event.record(&mut refusal);
        if let Some(needs) = self.lock().get_mut(&refusal.planet) {
            needs.refused.insert(refusal.permission);
        }
    }
}

#[derive(Default)]
struct Refusal {
    planet: String,
    permission: String,
}

impl Visit for Refusal {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "planet" => self.planet = value.to_owned(),
            "permission" => self.permission = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Needs {
    fn note(&self, planet: &str) -> Option<String> {
        let mut missing = Missing::default();
        self.directories(&mut missing);
        for program in self.satellites.iter().filter(|program| !self.granted.satellites.contains(program)) {
            missing.add("asks for the satellite", program, "--allow-satellite", &word(planet));
        }
        for refused in &self.refused {
            let (kind, which) = refused.split_once(' ').unwrap_or((refused, ""));
            match kind {
                "env" => missing.add("asks to see in its environment", which, "--allow-env", &word(which)),
                // What is no host cannot be granted.
                "http" if !which.is_empty() => {
                    missing.add("tried to reach by HTTP", which, "--allow-http", &word(which))
                }
                "tcp" | "udp" | "name" => missing.add("tried to use the network", "", "--allow-net", ""),
                _ => {}
            }
        }
        missing.note(planet)
    }

    /// A directory that is not there is looked for inside of the Planet, where nobody sees it: what the Planet asks for has to
    /// tell. But who was granted no directory and has not looked for one does not miss any.
    fn directories(&self, missing: &mut Missing) {
        let Granted { read, write, .. } = &self.granted;
        let has_none = read.is_empty() && write.is_empty();
        if has_none && !self.refused.contains("read") {
            return;
        }
        for asked in self.asked.write.iter().filter(|asked| !is_in(asked, write.keys())) {
            missing.add("asks to write", asked, "--allow-write", &mount(asked));
        }
        // Who may write may read.
        for asked in self.asked.read.iter().filter(|asked| !is_in(asked, &self.asked.write)) {
            if !is_in(asked, read.keys().chain(write.keys())) {
                missing.add("asks to read", asked, "--allow-read", &mount(asked));
            }
        }
        if !missing.what.is_empty() {
            return;
        }
        if has_none {
            missing.add("tried to use files", "", "--allow-read", "DIR");
        } else {
            for path in self.refused.iter().filter_map(|refused| refused.strip_prefix("write ")) {
                missing.add("tried to change what it may only read,", path, "--allow-write", "DIR");
            }
        }
    }
}

/// What is missing, and the options to add.
#[derive(Default)]
struct Missing {
    /// What the Planet did or asks for, and with which things.
    what: Vec<(&'static str, Vec<String>)>,
    options: Vec<String>,
}

impl Missing {
    fn add(&mut self, verb: &'static str, thing: &str, option: &str, value: &str) {
        let things = match self.what.iter().position(|(other, _)| *other == verb) {
            Some(place) => &mut self.what[place].1,
            None => {
                self.what.push((verb, Vec::new()));
                &mut self.what.last_mut().expect("one was added").1
            }
        };
        if !thing.is_empty() {
            things.push(quoted(thing));
        }
        let option = format!("{option} {value}").trim_end().to_owned();
        if !self.options.contains(&option) {
            self.options.push(option);
        }
    }

    fn note(self, planet: &str) -> Option<String> {
        if self.what.is_empty() {
            return None;
        }
        let what = self.what.iter().map(|(verb, things)| format!("{verb} {}", things.join(", ")).trim_end().to_owned());
        let what: Vec<String> = what.collect();
        Some(format!("note: `{planet}` {}; grant it with `{}`", what.join(" and "), self.options.join(" ")))
    }
}

/// Whether a path of a Planet is that of one of the directories, or below it.
fn is_in<'a>(path: &str, directories: impl IntoIterator<Item = &'a String>) -> bool {
    let is_below = |directory: &str| {
        let below = plain_path(path).strip_prefix(directory);
        directory.is_empty() || below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    directories.into_iter().any(|directory| is_below(plain_path(directory)))
}

/// The value of an option that makes `asked` appear in a Planet.
fn mount(asked: &str) -> String {
    match Path::new(asked).is_dir() {
        true => word(asked),
        false => format!("DIR::{}", word(asked)),
    }
}

/// What a Planet gave as a name, which is not to be trusted with a terminal.
fn quoted(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}

/// The same as a word for a shell, which has to stay one.
fn word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:+@%".contains(c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace(char::is_control, "?").replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a Planet that asks, has been granted and was refused this.
    fn check(asked: &str, granted: kokoro_host::Grants, refused: &[&str], expected: Option<&str>) {
        let needs = Needs {
            asked: serde_json::from_str(asked).expect("permissions"),
            satellites: Vec::new(),
            granted: granted.summary(),
            refused: refused.iter().map(|r| (*r).to_owned()).collect(),
        };
        let hints = Hints::default();
        hints.lock().insert("page".to_owned(), needs);
        let expected = expected.map(|expected| format!("note: `page` {expected}"));
        assert_eq!(hints.notes(["page", "other"]), Vec::from_iter(expected));
    }

    fn none() -> kokoro_host::Grants {
        kokoro_host::Grants::none()
    }

    #[test]
    fn who_was_refused_nothing_is_not_spoken_of() {
        check("{}", none(), &[], None);
        check(r#"{"read":["src"],"env":["A"],"http":["a.org"],"net":true}"#, none(), &[], None);
        check(r#"{"read":["src/a"]}"#, none().read(".", "./src/"), &[], None);
        check(r#"{"read":["src"]}"#, none().write(".", "/"), &[], None);
    }

    #[test]
    fn what_is_asked_for_is_named_as_it_is_asked_for() {
        let asked = r#"{"read":["src","there is none","out/a"],"write":["out"]}"#;
        check(
            asked,
            none(),
            &["read"],
            Some(
                "asks to write `out` and asks to read `src`, `there is none`; \
                 grant it with `--allow-write DIR::out --allow-read src --allow-read DIR::'there is none'`",
            ),
        );
        // A directory that is missing beside others leaves no trace.
        check(
            asked,
            none().write("o", "out").read("t", "there is none"),
            &[],
            Some("asks to read `src`; grant it with `--allow-read src`"),
        );
        check(
            r#"{"write":["src"]}"#,
            none().read("src", "src"),
            &["write a"],
            Some("asks to write `src`; grant it with `--allow-write src`"),
        );
        check(
            r#"{"env":["A"]}"#,
            none(),
            &["env A"],
            Some("asks to see in its environment `A`; grant it with `--allow-env A`"),
        );
    }

    #[test]
    fn what_was_tried_without_asking_is_named() {
        check("{}", none(), &["read"], Some("tried to use files; grant it with `--allow-read DIR`"));
        check(
            "{}",
            none(),
            &["http a.org:443", "name lookup", "tcp 1.2.3.4:80", "udp"],
            Some(
                "tried to reach by HTTP `a.org:443` and tried to use the network; \
                 grant it with `--allow-http a.org:443 --allow-net`",
            ),
        );
        let changed = "tried to change what it may only read, `x`; grant it with `--allow-write DIR`";
        check("{}", none().read("src", "src"), &["path ../x", "write x"], Some(changed));
        // There is no option that would help.
        check("{}", none().write("src", "src"), &["path ../x", "http", "something new"], None);
    }

    #[test]
    fn a_strangers_words_stay_words() {
        let asked = "asks to see in its environment `A'\\u{1b}; ls`; grant it with `--allow-env 'A'\\''?; ls'`";
        check("{}", none(), &["env A'\u{1b}; ls"], Some(&asked.replace("`A'", "`A\\'")));
    }
}
