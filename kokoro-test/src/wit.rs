//! WIT: the interfaces of a folder, and the text of an interface whose types are known as structure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use kokoro_host::InterfaceName;
use kokoro_host::types::{Interface, Named, Type};
use wit_parser::{InterfaceId, Resolve};

/// The interfaces of a folder with WIT files and their `deps`.
#[derive(Debug)]
pub(crate) struct Folder {
    shown: String,
    resolve: Resolve,
}

impl Folder {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display().to_string();
        let mut resolve = Resolve::default();
        let core = resolve.push_source("kokoro:core", kokoro_host::rt::CORE_PACKAGE);
        core.map_err(|error| format!("kokoro:core: {error:#}"))?;
        match resolve.push_path(path) {
            Ok(_) => Ok(Self { shown, resolve }),
            Err(error) => Err(format!(
                "the WIT in `{shown}` cannot be read: {error:#}\n  help: give a folder with `.wit` files, relative to the package"
            )),
        }
    }

    fn names(&self) -> impl Iterator<Item = (InterfaceId, InterfaceName)> {
        self.resolve.interfaces.iter().filter_map(|(id, _)| Some((id, self.resolve.id_of(id)?.parse().ok()?)))
    }

    /// The interface that can serve one of this name, which may be without a version.
    pub(crate) fn find(&mut self, wanted: &InterfaceName) -> Result<(InterfaceName, Interface), String> {
        let mut serving: Vec<_> = self.names().filter(|(_, name)| serves(name, wanted)).collect();
        serving.sort_by(|(_, one), (_, two)| one.version().cmp(&two.version()));
        let Some((_, name)) = serving.pop() else {
            let all: BTreeSet<String> = self
                .names()
                .map(|(_, name)| name.to_string())
                .filter(|name| !name.starts_with("kokoro:core/"))
                .collect();
            let all: Vec<String> = all.into_iter().collect();
            return Err(format!("the WIT in `{}` has no interface `{wanted}`; it has: {}", self.shown, all.join(", ")));
        };
        Ok((name.clone(), imported(&mut self.resolve, &name)?))
    }

    /// The interfaces that the worlds of the folder import: what an application serves. If there is no world, all.
    pub(crate) fn imported(&self) -> BTreeSet<InterfaceName> {
        let worlds = self.resolve.worlds.iter().filter(|(_, world)| {
            let package = world.package.map(|package| &self.resolve.packages[package].name);
            package.is_some_and(|name| name.namespace != "kokoro" && name.namespace != "kokoro-test")
        });
        let worlds: Vec<_> = worlds.collect();
        if worlds.is_empty() {
            return self.names().map(|(_, name)| name).collect();
        }
        let imports = worlds.iter().flat_map(|(_, world)| world.imports.keys());
        imports.filter_map(|key| self.resolve.name_world_key(key).parse().ok()).collect()
    }
}

/// The interface of this name in a package's text.
pub(crate) fn interface(resolve: &mut Resolve, text: &str, name: &InterfaceName) -> Result<Interface, String> {
    resolve.push_source("interface", text).map_err(|error| format!("{name}: {error:#}"))?;
    imported(resolve, name)
}

/// The types of an interface, as a component that imports it would have them.
fn imported(resolve: &mut Resolve, name: &InterfaceName) -> Result<Interface, String> {
    // Each world needs a package of its own.
    let number = resolve.packages.len();
    let text = format!("package kokoro-test:world{number};\nworld importing {{ import {}; }}", escaped(name));
    let package = resolve.push_source("world", &text).map_err(|error| format!("{name}: {error:#}"))?;
    let encoded = wit_component::encode(resolve, package).map_err(|error| format!("{name}: {error:#}"))?;
    Ok(kokoro_host::rt::interface_of_package(&name.to_string(), &encoded))
}

/// Whether an interface of this name can stand for `wanted`, which may be without a version.
pub(crate) fn serves(name: &InterfaceName, wanted: &InterfaceName) -> bool {
    match wanted.version() {
        Some(_) => name.can_serve(wanted),
        None => name.path() == wanted.path(),
    }
}

/// An interface's full name as WIT text takes it, whatever keywords are in it.
pub(crate) fn escaped(name: &InterfaceName) -> String {
    let (package, rest) = name.path().split_once('/').unwrap_or_default();
    let (namespace, package) = package.split_once(':').unwrap_or_default();
    let version = name.version().map(|version| format!("@{version}")).unwrap_or_default();
    format!("%{namespace}:%{package}/%{rest}{version}")
}

/// The package of an interface, as WIT text declares it, with the interface in it.
pub(crate) fn package(name: &InterfaceName, body: &str) -> String {
    let (package, rest) = name.path().split_once('/').unwrap_or_default();
    let (namespace, package) = package.split_once(':').unwrap_or_default();
    let version = name.version().map(|version| format!("@{version}")).unwrap_or_default();
    format!("package %{namespace}:%{package}{version};\ninterface %{rest} {{\n{body}}}\n")
}

/// What is inside of an interface, in WIT: its types and functions.
///
/// # Errors
///
/// If it has resources or something else that has no value outside of the component.
pub(crate) fn body(interface: &Interface) -> Result<String, String> {
    if let Some(resource) = interface.resources.first() {
        return Err(format!("it defines the resource `{resource}`"));
    }
    let mut text = Text { taken: interface.functions.keys().cloned().collect(), ..Text::default() };
    let mut functions = String::new();
    for (name, function) in &interface.functions {
        if function.is_async {
            return Err(format!("`{name}` is an async function"));
        }
        let mut params = Vec::new();
        for (param, ty) in &function.params {
            params.push(format!("%{param}: {}", text.ty(ty)?));
        }
        let result = match &function.result {
            Some(ty) => format!(" -> {}", text.ty(ty)?),
            None => String::new(),
        };
        _ = writeln!(functions, "  %{name}: func({}){result};", params.join(", "));
    }
    Ok(text.definitions + &functions)
}

/// Definitions of types, each once.
#[derive(Default)]
struct Text {
    definitions: String,
    named: BTreeMap<String, Vec<(Type, String)>>,
    taken: BTreeSet<String>,
}

impl Text {
    /// The type where it is used; what it needs is defined before.
    fn ty(&mut self, ty: &Type) -> Result<String, String> {
        let optional = |text: &mut Self, ty: &Option<Arc<Type>>| match ty {
            Some(ty) => text.ty(ty),
            None => Ok("_".to_owned()),
        };
        Ok(match ty {
            Type::List(ty) => format!("list<{}>", self.ty(ty)?),
            Type::FixedList(ty, len) => format!("list<{}, {len}>", self.ty(ty)?),
            Type::Map(key, value) => format!("map<{}, {}>", self.ty(key)?, self.ty(value)?),
            Type::Option(ty) => format!("option<{}>", self.ty(ty)?),
            Type::Result { ok: None, err: None } => "result".to_owned(),
            Type::Result { ok: Some(ok), err: None } => format!("result<{}>", self.ty(ok)?),
            Type::Result { ok, err } => format!("result<{}, {}>", optional(self, ok)?, optional(self, err)?),
            Type::Tuple(types) => {
                let types: Result<Vec<_>, _> = types.iter().map(|ty| self.ty(ty)).collect();
                format!("tuple<{}>", types?.join(", "))
            }
            Type::Record(Named { name, parts, .. }) => {
                let mut fields = Vec::new();
                for (field, ty) in parts.iter() {
                    fields.push(format!("%{field}: {}", self.ty(ty)?));
                }
                self.define("record", name, &fields, ty)
            }
            Type::Variant(Named { name, parts, .. }) => {
                let mut cases = Vec::new();
                for (case, ty) in parts.iter() {
                    cases.push(match ty {
                        Some(ty) => format!("%{case}({})", self.ty(ty)?),
                        None => format!("%{case}"),
                    });
                }
                self.define("variant", name, &cases, ty)
            }
            Type::Enum(Named { name, parts, .. }) => {
                let cases: Vec<String> = parts.iter().map(|(case, ())| format!("%{case}")).collect();
                self.define("enum", name, &cases, ty)
            }
            Type::Flags(Named { name, parts, .. }) => {
                let flags: Vec<String> = parts.iter().map(|(flag, ())| format!("%{flag}")).collect();
                self.define("flags", name, &flags, ty)
            }
            Type::Own(resource) | Type::Borrow(resource) => {
                return Err(format!("it passes handles of the resource `{}`", resource.name));
            }
            Type::Future(_) | Type::Stream(_) | Type::ErrorContext => return Err(format!("it passes a `{ty}`")),
            simple => simple.to_string(),
        })
    }

    /// The name of a type that needs one. Two types may have the same one where they come from, but not here.
    fn define(&mut self, kind: &str, name: &str, parts: &[String], ty: &Type) -> String {
        let same = self.named.entry(name.to_owned()).or_default();
        if let Some((_, known)) = same.iter().find(|(known, _)| known == ty) {
            return known.clone();
        }
        let name = match name {
            "" => "unnamed",
            name => name,
        };
        let mut own = name.to_owned();
        while !self.taken.insert(own.clone()) {
            own += "-x";
        }
        let own_escaped = format!("%{own}");
        same.push((ty.clone(), own_escaped.clone()));
        _ = writeln!(self.definitions, "  {kind} {own_escaped} {{ {} }}", parts.join(", "));
        own_escaped
    }
}
