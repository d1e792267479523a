//! What a manifest lists, against what its component imports.

use std::collections::BTreeSet;

use kokoro_host::{Inspection, InterfaceName};
use serde_json::{Map, Value};

use super::section::Bare;

/// The interfaces that a manifest names itself.
#[derive(Debug)]
pub(crate) struct Listed {
    requires: Vec<InterfaceName>,
    optional: Vec<InterfaceName>,
    /// All of these, and those that Satellites are to serve.
    all: BTreeSet<InterfaceName>,
}

impl Listed {
    /// In the manifest of a component that counts; none if there is none, or none that can be read.
    pub(crate) fn in_component(component: &[u8]) -> Option<Self> {
        let manifest = Bare::of(component).ok()?.manifest?;
        Some(Self::of(&super::own(&manifest).ok()?))
    }

    /// In a manifest that the host understands.
    pub(super) fn of(manifest: &Map<String, Value>) -> Self {
        let names = |field: &str, name: fn(&Value) -> &Value| -> Vec<InterfaceName> {
            let list = manifest.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|item| name(item).as_str()?.parse().ok()).collect()
        };
        let (requires, optional) = (names("requires", |name| name), names("optional", |name| name));
        let satellites = names("satellites", |request| &request["interface"]);
        let all = requires.iter().chain(&optional).cloned().chain(satellites).collect();
        Self { requires, optional, all }
    }

    /// Why it is not what is meant, although the host takes it without a word.
    pub(super) fn problem(&self, inspection: &Inspection) -> Option<String> {
        let is_optional = |one: &&InterfaceName| self.optional.iter().any(|other| other.can_serve(one));
        if let Some(both) = self.requires.iter().find(is_optional) {
            return Some(format!("`{both}` is listed as required and as optional; list it once"));
        }
        let manifest = &inspection.manifest;
        for name in self.requires.iter().chain(&self.optional) {
            let own = imported(inspection, name).unwrap_or(name);
            if !manifest.requires.contains(own) && !manifest.optional.contains(own) {
                let why = match inspection.imports.get(own).is_some_and(|interface| interface.is_types_only()) {
                    true => "there is nothing in it but types",
                    false => "every planet is served it",
                };
                return Some(format!("`{name}` is no dependency: {why}"));
            }
        }
        manifest.satellites.iter().find_map(|satellite| {
            let function = inspection.imports.get(&satellite.interface)?.passes_handles()?;
            Some(format!(
                "`{}` cannot be served by a satellite: `{function}` is of a resource, and resources do not cross to another process",
                satellite.interface
            ))
        })
    }

    /// Where it disagrees with the component, which does no harm if it is meant.
    pub(crate) fn notes(&self, inspection: &Inspection) -> Vec<String> {
        let manifest = &inspection.manifest;
        let mut notes = Vec::new();
        // Compilers leave out what is never called.
        for name in self.all.iter().filter(|name| imported(inspection, name).is_none()) {
            let other = inspection.imports.keys().find(|import| import.path() == name.path());
            notes.push(match other {
                Some(other) => {
                    format!("it lists `{name}` and imports `{other}`, which is of another semver track; both count as dependencies")
                }
                None => format!("it lists `{name}` and does not import it, and it counts as a dependency all the same"),
            });
        }
        // Who lists none means just that.
        let is_listed = |import: &InterfaceName| self.all.iter().any(|name| import.can_serve(name));
        for import in manifest.requires.iter().filter(|import| !self.requires.is_empty() && !is_listed(import)) {
            notes.push(format!("it imports `{import}` and does not list it, which makes it required"));
        }
        let asks = |name: &InterfaceName| {
            kokoro_wit::DEPENDENCIES.parse().is_ok_and(|served: InterfaceName| served.can_serve(name))
        };
        let is_imported = |name: &InterfaceName| inspection.imports.contains_key(name);
        if manifest.optional.iter().any(is_imported) && !inspection.imports.keys().any(asks) {
            notes.push(format!(
                "it has optional dependencies and cannot ask whether they are there, for it does not import `{}`; a call of one \
                 that is absent is an `err` if its function returns `result<_, string>` or kokoro:core's failure, else it ends the planet's \
                 instance",
                kokoro_wit::DEPENDENCIES
            ));
        }
        notes
    }
}

/// What the component imports under that name or under another of its track.
fn imported<'i>(inspection: &'i Inspection, name: &InterfaceName) -> Option<&'i InterfaceName> {
    let imports = &inspection.imports;
    imports.get_key_value(name).map(|(own, _)| own).or_else(|| imports.keys().rev().find(|own| own.can_serve(name)))
}
