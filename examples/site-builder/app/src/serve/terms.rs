//! What a Planet (plugin) asks to be allowed, and what a person allows it.

use crate::programs::{self, Programs};
use kokoro_host::{Admission, Grants, Manifest, Permissions};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One thing that a Planet asks to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wish {
    /// By what the answer names it: `read:content`.
    pub(crate) key: String,
    /// What it would be allowed, for a person.
    pub(crate) what: String,
    /// What that means here, or why it cannot be had.
    pub(crate) means: Result<String, String>,
    /// Whether whoever allows it gives up the sandbox.
    pub(crate) is_grave: bool,
}

/// What a person allows a Planet, of what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Terms {
    /// Its exports that do not count.
    pub(crate) withheld: BTreeSet<String>,
    /// The keys of what it is allowed.
    pub(crate) allowed: BTreeSet<String>,
    /// The values of variables that it is allowed to see.
    pub(crate) env: BTreeMap<String, String>,
    /// The native programs that it is allowed to run, by their SHA-256.
    pub(crate) programs: Programs,
}

/// The folders that there are to be allowed, as Planets ask for them.
const TEXTS: &str = "content";
const DATA: &str = "data";

/// What there is to be allowed, for one Planet of one site.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    /// The folder with the site's texts.
    pub(crate) texts: PathBuf,
    /// A folder for this Planet alone, and for what other releases it has.
    pub(crate) data: PathBuf,
}

/// Everything that a Planet asks for. `file` is where it lies, if native programs may lie beside it.
pub(crate) fn wishes(manifest: &Manifest, file: Option<&Path>) -> Vec<Wish> {
    let Permissions { read, write, env, http, net, other, .. } = &manifest.permissions;
    let mut wishes = Vec::new();
    let mut add = |key: String, what: String, is_grave: bool, means: Result<&str, &str>| {
        let means = means.map(str::to_owned).map_err(str::to_owned);
        wishes.push(Wish { key, what, means, is_grave });
    };
    for folder in read {
        let means = match plain(folder) {
            TEXTS => Ok("the texts of this site and the files among them"),
            DATA => {
                Ok("a folder that belongs to plugins of this name alone, with what earlier releases have left there")
            }
            _ => Err("sites have two folders to give, content and data"),
        };
        add(format!("read:{folder}"), format!("read the folder {folder}"), false, means);
    }
    for folder in write {
        let means = match plain(folder) {
            DATA => {
                Ok("a folder that belongs to plugins of this name alone, with what earlier releases have left there")
            }
            TEXTS => Err("nobody writes among the texts"),
            _ => Err("sites have one folder to write into, data"),
        };
        add(format!("write:{folder}"), format!("write into the folder {folder}"), false, means);
    }
    for name in env {
        let what = format!("see the environment variable {name}");
        add(format!("env:{name}"), what, false, Ok("the value that you enter, not the one of this computer"));
    }
    for host in http {
        let (what, grave) = match &**host {
            "*" => ("send HTTP requests to every server".to_owned(), true),
            host => (format!("send HTTP requests to {host}"), false),
        };
        let problem = Grants::none().http(host).problems().first().cloned();
        let means = problem.as_deref().map_or(Ok("it can send there whatever it knows"), Err);
        add(format!("http:{host}"), what, grave, means);
    }
    if *net {
        let means = Err("the site builder has no sockets to give");
        add("net".to_owned(), "open network connections of any kind".to_owned(), true, means);
    }
    for (name, value) in other {
        let means = Err("nobody here knows what that is");
        add(format!("other:{name}"), format!("{name}: {value}"), true, means);
    }
    let is_there = |sha256: &str| sha256 != programs::sha256(b"");
    for (program, sha256) in programs::asked(manifest, file) {
        let what = format!("run the native program {program}");
        let means = match is_there(&sha256) {
            true => Ok(format!("it is not confined: it can do what you can do. SHA-256 {sha256}")),
            false => Err("the program is not here: an upload brings none".to_owned()),
        };
        add(format!("program:{program}"), what, true, means.as_deref().map_err(String::as_str));
    }
    wishes
}

/// Whether a Planet asks for the folder of its own.
pub(crate) fn asks_for_data(manifest: &Manifest) -> bool {
    let Permissions { read, write, .. } = &manifest.permissions;
    read.iter().chain(write).any(|folder| plain(folder) == DATA)
}

/// A folder's name as it is asked for, without the slash of a path.
fn plain(folder: &str) -> &str {
    folder.trim_start_matches("./").trim_matches('/')
}

impl Terms {
    /// Nothing, and all exports.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// What a person has ticked, as far as it was asked for and can be had. `ticked` has the keys of wishes, `exports` the exports that
    /// count, `values` what was entered for variables.
    pub(crate) fn of(
        manifest: &Manifest,
        file: Option<&Path>,
        ticked: &BTreeSet<String>,
        exports: &BTreeSet<String>,
        values: &BTreeMap<String, String>,
    ) -> Self {
        let wishes = wishes(manifest, file);
        let allowed: BTreeSet<String> = wishes
            .into_iter()
            .filter(|wish| wish.means.is_ok() && ticked.contains(&wish.key))
            .map(|wish| wish.key)
            .collect();
        let is_allowed = |kind: &str, name: &str| allowed.contains(&format!("{kind}:{name}"));
        let env = manifest.permissions.env.iter().filter(|name| is_allowed("env", name));
        let env = env.map(|name| (name.clone(), values.get(name).cloned().unwrap_or_default())).collect();
        let mut programs = programs::asked(manifest, file);
        programs.retain(|program, _| is_allowed("program", program));
        let provides = manifest.provides.iter().map(ToString::to_string);
        let withheld = provides.filter(|export| !exports.contains(export)).collect();
        Self { withheld, allowed, env, programs }
    }

    /// The admission of a Planet on these terms.
    pub(crate) fn admission(&self, name: &str, manifest: &Manifest, means: &Means) -> Admission {
        let asked = |kind: &str, list: &[String]| -> BTreeSet<String> {
            let allowed = list.iter().filter(|name| self.allowed.contains(&format!("{kind}:{name}")));
            allowed.cloned().collect()
        };
        let mut grants = programs::grants(&self.programs);
        let read = asked("read", &manifest.permissions.read);
        let writes = asked("write", &manifest.permissions.write).iter().any(|folder| plain(folder) == DATA);
        if read.iter().any(|folder| plain(folder) == TEXTS) {
            grants = grants.read(&means.texts, format!("/{TEXTS}"));
        }
        if writes {
            grants = grants.write(&means.data, format!("/{DATA}"));
        } else if read.iter().any(|folder| plain(folder) == DATA) {
            grants = grants.read(&means.data, format!("/{DATA}"));
        }
        for host in asked("http", &manifest.permissions.http) {
            grants = grants.http(host);
        }
        for (name, value) in &self.env {
            grants = grants.env(name, value);
        }
        let admission = Admission::granted(grants).named(name);
        if self.withheld.is_empty() {
            return admission;
        }
        let counting = manifest.provides.iter().map(ToString::to_string);
        admission.only_exports(counting.filter(|export| !self.withheld.contains(export)).collect::<Vec<_>>())
    }

    /// Whether whoever has the others' terms loses nothing by these.
    pub(crate) fn allow_all_of(&self, others: &Self) -> bool {
        self.allowed.is_superset(&others.allowed) && self.withheld.is_subset(&others.withheld)
    }

    /// Whether it is allowed to have a folder of its own.
    pub(crate) fn needs_data(&self) -> bool {
        let is_data = |key: &String| {
            key.split_once(':').is_some_and(|(kind, name)| matches!(kind, "read" | "write") && plain(name) == DATA)
        };
        self.allowed.iter().any(is_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kokoro_host::inspect;

    /// The manifest of an empty component with this section.
    fn manifest(json: &str) -> Manifest {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        let name = b"kokoro:planet";
        component.push(0);
        let length = 1 + name.len() + json.len();
        component.extend([u8::try_from(length & 0x7f).unwrap() | 0x80, u8::try_from(length >> 7).unwrap()]);
        component.push(u8::try_from(name.len()).unwrap());
        component.extend(name);
        component.extend(json.as_bytes());
        inspect("test", &component).unwrap().manifest
    }

    const GREEDY: &str = r#"{"permissions":{"read":["content","/etc"],"write":["content","data"],"env":["LANG"],
        "http":["*","a b","example.org"],"net":true,"gpu":1}}"#;

    #[test]
    fn only_what_the_site_builder_has_can_be_allowed() {
        let wishes = wishes(&manifest(GREEDY), None);
        let can: Vec<&str> = wishes.iter().filter(|wish| wish.means.is_ok()).map(|wish| &*wish.key).collect();
        assert_eq!(can, ["read:content", "write:data", "env:LANG", "http:*", "http:example.org"]);
        let cannot: Vec<&str> = wishes.iter().filter(|wish| wish.means.is_err()).map(|wish| &*wish.key).collect();
        assert_eq!(cannot, ["read:/etc", "write:content", "http:a b", "net", "other:gpu"]);
    }

    #[test]
    fn what_was_not_asked_for_or_cannot_be_had_is_not_allowed() {
        let ticked = ["read:/etc", "read:/", "net", "http:evil.example", "http:example.org", "env:LANG", "env:HOME"];
        let ticked = ticked.into_iter().map(str::to_owned).collect();
        let values = [("LANG", "en"), ("HOME", "/")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let terms = Terms::of(&manifest(GREEDY), None, &ticked, &BTreeSet::new(), &values.into());
        assert_eq!(terms.allowed.iter().collect::<Vec<_>>(), ["env:LANG", "http:example.org"]);
        assert_eq!(terms.env, BTreeMap::from([("LANG".to_owned(), "en".to_owned())]));
        assert!(terms.programs.is_empty() && !terms.needs_data());
    }
}
