//! `kokoro inspect`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use kokoro_host::types::{Function, Interface};
use kokoro_host::{Inspection, InterfaceName, Manifest, SatelliteReload, SatelliteRequest, SatelliteStart};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::definitions::definitions;
use crate::failure::Failure;
use crate::output;

pub(crate) fn inspect(file: &Path, as_json: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::input(format!("the file `{}` cannot be read: {error}", file.display())))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let inspection = kokoro_host::inspect(&stem, &bytes)
        .map_err(|error| Failure::input(format!("`{}` is no planet: {error}", file.display())))?;
    output::print(&if as_json {
        serde_json::to_string_pretty(&as_value(&inspection, file)).map_err(Failure::failed)? + "\n"
    } else {
        as_text(&inspection, file)
    })
}

/// What the component imports and every Planet (plugin) is served, whoever it is.
fn served(inspection: &Inspection) -> impl Iterator<Item = &InterfaceName> {
    let manifest = &inspection.manifest;
    let is_served = |name: &InterfaceName| {
        name.package().is_some_and(|package| package.starts_with("wasi:") || package == "kokoro:core")
            && !manifest.requires.contains(name)
            && !manifest.optional.contains(name)
    };
    let imports = inspection.imports.iter().filter(|(_, interface)| !interface.is_types_only());
    imports.map(|(name, _)| name).filter(move |name| is_served(name))
}

/// An interface, its functions and the types that they use, each as WIT writes it.
fn interface_value(name: &InterfaceName, interface: Option<&Interface>) -> Value {
    let functions = || interface.iter().flat_map(|interface| interface.functions.iter());
    let types = definitions(functions().map(|(_, function)| function));
    json!({ "interface": name.to_string(), "functions": functions_value(functions()), "types": types })
}

fn functions_value<'a>(functions: impl Iterator<Item = (&'a String, &'a Function)>) -> Value {
    Value::Object(functions.map(|(name, function)| (name.clone(), json!(function.to_string()))).collect())
}

fn as_value(inspection: &Inspection, file: &Path) -> Value {
    let manifest = &inspection.manifest;
    let imports = |names: &BTreeSet<InterfaceName>| -> Vec<Value> {
        names.iter().map(|name| interface_value(name, inspection.imports.get(name))).collect()
    };
    let exports = manifest.provides.iter().map(|name| interface_value(name, inspection.exports.get(name)));
    json!({
        "name": manifest.name,
        "version": manifest.version,
        "sha256": inspection.sha256,
        "requires": imports(&manifest.requires),
        "optional": imports(&manifest.optional),
        "exports": exports.collect::<Vec<_>>(),
        "functions": functions_value(inspection.functions.iter()),
        "types": definitions(inspection.functions.values()),
        "served": served(inspection).collect::<Vec<_>>(),
        "satellites": manifest.satellites.iter().map(|satellite| satellite_value(satellite, file)).collect::<Vec<_>>(),
        "permissions": manifest.permissions,
        "app": manifest.app,
        "notes": inspection.notes,
    })
}

fn as_text(inspection: &Inspection, file: &Path) -> String {
    let manifest = &inspection.manifest;
    let mut text = manifest.name.clone();
    if let Some(version) = &manifest.version {
        let _ = write!(text, " {version}");
    }
    let _ = writeln!(text, "\nsha256 {}", inspection.sha256);
    let imports = [("requires", &manifest.requires), ("takes if it is there", &manifest.optional)];
    for (title, names) in imports {
        section(&mut text, title, names.iter().map(|name| (name, inspection.imports.get(name))));
    }
    section(&mut text, "exports", manifest.provides.iter().map(|name| (name, inspection.exports.get(name))));
    if !inspection.functions.is_empty() {
        text += "\nexports, in no interface:\n";
        functions(&mut text, "  ", &inspection.functions);
    }
    let mut packages = BTreeMap::<String, Vec<&str>>::new();
    for name in served(inspection) {
        let version = name.version().map(|version| format!("@{version}")).unwrap_or_default();
        let package = name.package().unwrap_or_default();
        packages.entry(format!("{package}{version}")).or_default().push(name.interface());
    }
    if !packages.is_empty() {
        text += "\nimports what every planet is served:\n";
        for (package, interfaces) in packages {
            let _ = writeln!(text, "  {package}: {}", interfaces.join(", "));
        }
    }
    if !manifest.satellites.is_empty() {
        text += "\nasks for satellites (native child processes):\n";
        for satellite in &manifest.satellites {
            let when = match satellite.start {
                SatelliteStart::Planet => "started with it",
                _ => "started when it is called",
            };
            let kept = match satellite.reload {
                SatelliteReload::Keep => ", kept over reloads",
                _ => "",
            };
            let _ = writeln!(text, "  {} for {}, {when}{kept}", satellite.program, satellite.interface);
            for (target, sha256) in programs(file, &satellite.program) {
                let _ = writeln!(text, "    {} sha256 {sha256}", target.escape_debug());
            }
        }
    }
    permissions(&mut text, manifest);
    if !manifest.app.is_null() {
        let _ = writeln!(text, "\nfor the application: {}", manifest.app);
    }
    for note in &inspection.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    text
}

fn satellite_value(satellite: &SatelliteRequest, file: &Path) -> Value {
    let mut value = json!(satellite);
    value["programs"] = json!(programs(file, &satellite.program));
    value
}

/// The SHA-256 of a program that lies beside the component, for each target that it is there for: what a grant can be pinned to.
fn programs(file: &Path, program: &str) -> BTreeMap<String, String> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let targets = file.with_file_name(format!("{stem}.satellites")).read_dir().into_iter().flatten();
    let targets = targets.filter_map(|target| target.ok());
    let programs = targets.filter_map(|target| {
        let bytes = std::fs::read(target.path().join(program)).ok()?;
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Some((target.file_name().to_string_lossy().into_owned(), sha256))
    });
    programs.collect()
}

/// What it asks to be allowed. The words are a stranger's, and not to be trusted with a terminal.
fn permissions(text: &mut String, manifest: &Manifest) {
    let permissions = &manifest.permissions;
    if permissions.is_empty() {
        *text += match manifest.satellites.is_empty() {
            true => "\nasks to be allowed: nothing\n",
            false => "\nasks to be allowed: nothing else\n",
        };
        return;
    }
    *text += "\nasks to be allowed:\n";
    let lists = [
        ("read", &permissions.read),
        ("write", &permissions.write),
        ("env", &permissions.env),
        ("http", &permissions.http),
    ];
    for (what, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        let list: Vec<String> = list.iter().map(|item| item.escape_debug().to_string()).collect();
        let _ = writeln!(text, "  {what:<6} {}", list.join(", "));
    }
    if permissions.net {
        *text += "  net    sockets and name lookup\n";
    }
    for (name, value) in &permissions.other {
        let (name, value) = (name.escape_debug().to_string(), value.to_string().replace(char::is_control, "?"));
        let _ = writeln!(text, "  {name:<6} {value} (unknown to this version of Kokoro)");
    }
}

fn section<'a>(
    text: &mut String,
    title: &str,
    interfaces: impl Iterator<Item = (&'a InterfaceName, Option<&'a Interface>)>,
) {
    let mut interfaces = interfaces.peekable();
    if interfaces.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for (name, interface) in interfaces {
        let _ = writeln!(text, "  {name}");
        if let Some(interface) = interface {
            functions(text, "    ", &interface.functions);
        }
    }
}

/// The functions, and the types that they use below them.
fn functions(text: &mut String, indent: &str, functions: &BTreeMap<String, Function>) {
    for (name, function) in functions {
        let _ = writeln!(text, "{indent}{name}: {function}");
    }
    for definition in definitions(functions.values()) {
        let _ = writeln!(text, "{indent}{definition}");
    }
}
