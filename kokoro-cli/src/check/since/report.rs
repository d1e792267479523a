//! What is said of two versions: for people, and for programs.

use std::fmt::Write as _;

use kokoro_host::InterfaceName;
use semver::Version;
use serde_json::{Value, json};

use super::version::next_track;
use super::{Change, Compared, Comparison, Direction, Kind};
use crate::check::paint;

impl Comparison {
    pub(in crate::check) fn as_value(&self) -> Value {
        let interfaces = self.interfaces.iter().map(|compared| {
            json!({
                "interface": compared.path,
                "old": compared.old,
                "new": compared.new,
                "direction": match compared.direction {
                    Direction::Provided => "provided",
                    Direction::Implemented => "implemented",
                },
                "verdict": compared.verdict(),
                "declared": compared.is_breaking && self.is_declared(compared),
                "changes": compared.changes,
                "unsupported": compared.unsupported,
                "help": self.help(compared),
            })
        });
        json!({
            "old": { "package": self.old.0, "version": self.old.1 },
            "new": { "package": self.new.0, "version": self.new.1 },
            "interfaces": interfaces.collect::<Vec<_>>(),
            "notes": self.notes(),
            "undeclared": self.undeclared(),
        })
    }

    pub(in crate::check) fn as_text(&self, coloured: bool) -> String {
        let version = |version: &Option<Version>| {
            version.as_ref().map_or(" without a version".to_owned(), |version| format!(" {version}"))
        };
        let mut text = format!("{}{} -> ", self.old.0, version(&self.old.1));
        let _ = match self.old.0 == self.new.0 {
            true => writeln!(text, "{}", version(&self.new.1).trim_start()),
            false => writeln!(text, "{}{}", self.new.0, version(&self.new.1)),
        };
        for compared in &self.interfaces {
            self.write(&mut text, compared, coloured);
        }
        for note in self.notes() {
            let _ = writeln!(text, "\nnote: {note}");
        }
        text
    }

    fn write(&self, text: &mut String, compared: &Compared, coloured: bool) {
        let who = match compared.direction {
            Direction::Provided => "which the application provides",
            Direction::Implemented => "which planets (plugins) implement",
        };
        let declared = if compared.is_breaking && self.is_declared(compared) { ", as its version says" } else { "" };
        let verdict = paint(compared.verdict(), !compared.is_breaking, coloured);
        let _ = writeln!(text, "\n{}, {who}: {verdict}{declared}", compared.path);
        for change in &compared.changes {
            change.write(text, compared.direction);
        }
        if let Some(reason) = &compared.unsupported {
            let _ = writeln!(text, "  note: {}", reason.lines().next().unwrap_or_default());
        }
        for line in self.consequences(compared) {
            let _ = writeln!(text, "  {line}");
        }
        if let Some(help) = self.help(compared) {
            let _ = writeln!(text, "  help: {help}");
        }
    }

    /// What becomes of planets.
    fn consequences(&self, compared: &Compared) -> Vec<String> {
        if !compared.worked {
            return vec!["nobody was bound in the old version, which has what is not supported yet".to_owned()];
        }
        let (is_changed, is_provided) = (!compared.changes.is_empty(), compared.direction == Direction::Provided);
        match (&compared.old, &compared.new) {
            (Some(_), None) if is_provided => vec!["planets that import it find nobody who provides it".to_owned()],
            (Some(_), None) => vec!["planets of the old version go on; nobody calls it".to_owned()],
            (None, Some(_)) if is_provided => {
                vec![
                    "planets of the old version go on; those that import it need an application of the new one"
                        .to_owned(),
                ]
            }
            (None, Some(_)) => {
                vec!["planets of the old version go on; the application has to do without it there".to_owned()]
            }
            (Some(old), Some(new)) if !new.can_serve(old) => {
                let old = old.track().unwrap_or_else(|| "the one without a version".to_owned());
                let mut lines = vec![format!("planets of {old} are not bound to {}", shown_version(new))];
                if compared.misfit.is_none() {
                    lines.push("the types alone would have let them be".to_owned());
                }
                lines
            }
            _ if compared.is_breaking => vec!["planets of the old version are not bound to the new one".to_owned()],
            _ if is_provided && compared.changes.iter().any(|change| change.kind == Kind::Added) => {
                vec![
                    "planets of the old version go on; those that call what is new need an application of the new one"
                        .to_owned(),
                ]
            }
            _ if is_provided && is_changed => vec!["planets of the old version go on".to_owned()],
            _ if is_changed => vec!["planets of the old version go on; the application calls less of them".to_owned()],
            _ => Vec::new(),
        }
    }

    /// What can be done about it.
    fn help(&self, compared: &Compared) -> Option<String> {
        if !compared.is_breaking {
            return None;
        }
        let beside = match compared.direction {
            Direction::Provided => "serve the old one beside it for as long as planets of it are to run",
            Direction::Implemented => "call planets of both for as long as there are some of the old one",
        };
        if self.is_declared(compared) {
            return Some(beside.to_owned());
        }
        let version = match compared.new.as_ref().or(compared.old.as_ref()).and_then(InterfaceName::version) {
            Some(version) => format!("give the package the version {}", next_track(version)),
            None => "give the package a version".to_owned(),
        };
        let only_added =
            compared.changes.iter().filter(|change| change.breaking).all(|change| change.kind == Kind::Added);
        Some(match (compared.direction, only_added && compared.new.is_some()) {
            (Direction::Implemented, true) => {
                format!(
                    "put what is new into an interface of its own, which planets may export or not; or {version}, and {beside}"
                )
            }
            (Direction::Provided, _) if compared.changes.iter().all(|change| change.kind != Kind::Changed) => {
                format!("keep what was there; or {version}, and {beside}")
            }
            (Direction::Provided, _) => {
                format!("keep what was there, and add what is new under another name; or {version}, and {beside}")
            }
            (Direction::Implemented, false) => format!("{version}, and {beside}"),
        })
    }
}

fn shown_version(name: &InterfaceName) -> String {
    name.version().map_or_else(|| "the one without a version".to_owned(), Version::to_string)
}

impl Change {
    fn write(&self, text: &mut String, direction: Direction) {
        let Self { item, .. } = self;
        let _ = match (&self.was, &self.is) {
            (None, Some(is)) => writeln!(text, "  + {item}: {is}"),
            (Some(was), None) => writeln!(text, "  - {item}: {was}"),
            (Some(was), Some(is)) if was != is => writeln!(text, "  ~ {item}: {was}\n      now {is}"),
            (_, is) => writeln!(text, "  ~ {item}: {}", is.as_deref().unwrap_or_default()),
        };
        if let Some(reason) = &self.reason {
            let _ = writeln!(text, "      {}", self.why(reason, direction));
        }
    }

    /// The host's sentence, in the words of someone who compares versions.
    fn why(&self, reason: &str, direction: Direction) -> String {
        match (self.kind, direction) {
            (Kind::Added, Direction::Implemented) => return "planets of the old version lack it".to_owned(),
            (Kind::Removed, Direction::Provided) => return "planets of the old version may import it".to_owned(),
            _ => {}
        }
        let (import, export) = match direction {
            Direction::Provided => ("the old one", "the new one"),
            Direction::Implemented => ("the new one", "the old one"),
        };
        let sentence = reason.lines().next().unwrap_or_default();
        let begin = format!("its types differ: the function `{}` differs: ", self.item);
        let sentence = sentence.strip_prefix(&begin).unwrap_or(sentence);
        sentence.replace("the import", import).replace("the export", export)
    }
}
