//! What a manifest says, and what it is to say.

use std::collections::BTreeMap;

use kokoro_host::{Inspection, InterfaceName};
use serde_json::{Map, Value, json};

use super::Said;

/// One thing that a Planet (plugin) asks to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Permission {
    /// An item of one of the lists: `read`, `write`, `env`, `http`.
    Item { list: &'static str, item: String },
    /// Sockets and name lookup.
    Net,
}

impl Permission {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "net" => Ok(Self::Net),
            Some((name, item)) if !item.is_empty() => {
                let list = ["read", "write", "env", "http"].into_iter().find(|list| *list == name);
                let list = list.ok_or_else(|| unknown_permission(name))?;
                Ok(Self::Item { list, item: item.to_owned() })
            }
            _ => Err(unknown_permission(text)),
        }
    }
}

fn unknown_permission(text: &str) -> String {
    format!("`{text}` is no permission; there are read=DIR, write=DIR, env=NAME, http=HOST and net")
}

/// A native program that is to serve an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Satellite {
    interface: String,
    program: String,
    is_optional: bool,
    /// `start` and `reload`, as far as they are given.
    when: BTreeMap<&'static str, String>,
}

impl Satellite {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (interface, rest) = text
            .split_once('=')
            .ok_or_else(|| "write INTERFACE=PROGRAM, as in acme:images/codec@1.0.0=image-codec".to_owned())?;
        let (program, options) = rest.split_once(':').unwrap_or((rest, ""));
        let mut satellite = Self {
            interface: interface.to_owned(),
            program: program.to_owned(),
            is_optional: false,
            when: BTreeMap::new(),
        };
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                None if option == "optional" => satellite.is_optional = true,
                Some(("start", when @ ("planet" | "first-call"))) => {
                    _ = satellite.when.insert("start", when.to_owned())
                }
                Some(("reload", what @ ("keep" | "renew"))) => _ = satellite.when.insert("reload", what.to_owned()),
                _ => {
                    return Err(format!(
                        "`{option}` says nothing about a satellite; there are optional, start=planet, start=first-call, reload=keep and \
                         reload=renew"
                    ));
                }
            }
        }
        Ok(satellite)
    }
}

impl Said {
    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        let Self { name, version, requires, optional, permission, satellite, app } = self;
        name.is_none()
            && version.is_none()
            && requires.is_empty()
            && optional.is_empty()
            && permission.is_empty()
            && satellite.is_empty()
            && app.is_none()
    }
}

/// Changes a manifest as it is said; `component` has no manifest yet.
pub(super) fn change(
    mut manifest: Map<String, Value>,
    said: &Said,
    component: &Inspection,
) -> Result<Map<String, Value>, String> {
    for (field, text) in [("name", &said.name), ("version", &said.version)] {
        if let Some(text) = text {
            manifest.insert(field.to_owned(), json!(text));
        }
    }
    for interface in &said.requires {
        let interface = interface_of(interface, component)?;
        strike(&mut manifest, "optional", &interface)?;
        add(&mut manifest, "requires", &interface)?;
    }
    for interface in &said.optional {
        let interface = interface_of(interface, component)?;
        if said
            .requires
            .iter()
            .any(|other| interface_of(other, component).is_ok_and(|other| other.can_serve(&interface)))
        {
            return Err(format!("`{interface}` cannot be required and optional at once; name it once"));
        }
        strike(&mut manifest, "requires", &interface)?;
        add(&mut manifest, "optional", &interface)?;
    }
    for satellite in &said.satellite {
        let interface = interface_of(&satellite.interface, component)?;
        let requests = list(&mut manifest, "satellites")?;
        requests.retain(|request| !names(&request["interface"], &interface));
        let mut request = json!({ "interface": interface.to_string(), "program": satellite.program });
        for (field, value) in &satellite.when {
            request[*field] = json!(value);
        }
        requests.push(request);
        if satellite.is_optional {
            strike(&mut manifest, "requires", &interface)?;
            add(&mut manifest, "optional", &interface)?;
        }
    }
    if !said.permission.is_empty() {
        let permissions = manifest.entry("permissions").or_insert_with(|| json!({}));
        let permissions = permissions.as_object_mut().ok_or("its manifest's field `permissions` is no object")?;
        for permission in &said.permission {
            match permission {
                Permission::Net => _ = permissions.insert("net".to_owned(), json!(true)),
                Permission::Item { list: name, item } => {
                    let list = list(permissions, name)?;
                    if !list.contains(&json!(item)) {
                        list.push(json!(item));
                    }
                }
            }
        }
    }
    if let Some(app) = &said.app {
        match app.is_null() {
            true => _ = manifest.remove("app"),
            false => _ = manifest.insert("app".to_owned(), app.clone()),
        }
    }
    manifest.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    Ok(manifest)
}

/// An interface by its name. Without a version it is the one that the component imports.
fn interface_of(text: &str, component: &Inspection) -> Result<InterfaceName, String> {
    let name: InterfaceName = text.parse().map_err(|error: kokoro_host::InterfaceNameError| error.to_string())?;
    if name.version().is_some() || component.imports.contains_key(&name) {
        return Ok(name);
    }
    let mut versions = component.imports.keys().filter(|import| import.path() == name.path());
    match (versions.next(), versions.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(one), Some(other)) => {
            Err(format!("the component imports `{name}` in several versions: say which, as in `{one}` or `{other}`"))
        }
        _ => Ok(name),
    }
}

/// Whether it names this interface, or another version of its semver track, which is the same to the host.
fn names(value: &Value, interface: &InterfaceName) -> bool {
    value.as_str().and_then(|text| text.parse().ok()).is_some_and(|name: InterfaceName| name.can_serve(interface))
}

fn list<'m>(manifest: &'m mut Map<String, Value>, field: &str) -> Result<&'m mut Vec<Value>, String> {
    let list = manifest.entry(field).or_insert_with(|| json!([]));
    list.as_array_mut().ok_or_else(|| format!("its manifest's field `{field}` is no list"))
}

fn strike(manifest: &mut Map<String, Value>, field: &str, interface: &InterfaceName) -> Result<(), String> {
    list(manifest, field)?.retain(|listed| !names(listed, interface));
    Ok(())
}

fn add(manifest: &mut Map<String, Value>, field: &str, interface: &InterfaceName) -> Result<(), String> {
    let list = list(manifest, field)?;
    list.retain(|listed| !names(listed, interface));
    list.push(json!(interface.to_string()));
    Ok(())
}
