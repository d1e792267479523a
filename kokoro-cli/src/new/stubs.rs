//! The source of a Planet (plugin) whose functions are all to be written.
//!
//! It compiles without a warning, and rustfmt would leave it as it is.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use heck::ToUpperCamelCase as _;
use wit_parser::{Function, FunctionKind, InterfaceId, Param, Type, TypeDefKind, TypeId};

use super::interfaces::Interfaces;
use super::rust::{Types, ident, type_name};
use crate::failure::Failure;

/// How wide rustfmt lets a line be, unless it is told otherwise.
const WIDTH: usize = 100;
/// Of more interfaces than these nobody would want to be reminded in the source.
const HINTS: usize = 12;

/// What there is beside the interfaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The project's name.
    pub(super) name: &'a str,
    /// Lines of `planet!` that the template has, such as those that name a Satellite.
    pub(super) lines: &'a [&'a str],
}

/// The text of `src/lib.rs`.
pub(super) fn source(
    of: &Interfaces,
    exports: &[InterfaceId],
    surroundings: Surroundings<'_>,
) -> Result<String, Failure> {
    Source { of, types: Types::new(&of.resolve, exports.iter().copied()), modules: modules(of, exports) }
        .write(exports, surroundings)
}

/// What the module of each interface is called: like the interface, with its package where that is no name for one alone.
fn modules(of: &Interfaces, exports: &[InterfaceId]) -> Vec<String> {
    let own = |id: &InterfaceId| ident(of.resolve.interfaces[*id].name.as_deref().unwrap_or_default());
    let mut modules: Vec<String> = Vec::new();
    for id in exports {
        let mut module = own(id);
        if exports.iter().filter(|other| own(other) == module).count() > 1 {
            let package = of.resolve.interfaces[*id].package.map(|package| &of.resolve.packages[package].name);
            let package = package.map(|package| ident(&package.name)).unwrap_or_default();
            module = format!("{package}_{module}");
        }
        while modules.contains(&module) {
            module.push('_');
        }
        modules.push(module);
    }
    modules
}

struct Source<'a> {
    of: &'a Interfaces,
    types: Types<'a>,
    modules: Vec<String>,
}

/// A resource of an exported interface.
struct Resource {
    id: TypeId,
    /// The handle's type, in the interface's module.
    handle: String,
    /// Its trait, there.
    guest: String,
    /// What a handle refers to.
    value: String,
}

impl Source<'_> {
    fn write(&self, exports: &[InterfaceId], surroundings: Surroundings<'_>) -> Result<String, Failure> {
        let modules = exports.iter().zip(&self.modules);
        let resources: Vec<_> = modules.map(|(id, module)| self.resources(*id, module)).collect();
        let state = state(surroundings.name, resources.iter().flatten());
        let mut body = String::new();
        let mut parameters = false;
        for ((id, module), resources) in exports.iter().zip(&self.modules).zip(&resources) {
            let functions = self.of.resolve.interfaces[*id].functions.values();
            // A method has itself for a parameter, and the planet for another.
            parameters |=
                functions.into_iter().any(|function| !function.params.is_empty() || function.kind.resource().is_some());
            self.interface(&mut body, *id, module, &state, resources)?;
        }
        let mut text = format!("//! The Planet (plugin) `{}`.\n", surroundings.name);
        // `expect` and not `allow`: it asks to be removed once there is nothing left that it is for.
        if parameters {
            text += "#![expect(unused_variables, reason = \"not written yet\")]\n";
        }
        text += &self.declaration(exports, &state, surroundings);
        let _ = writeln!(
            text,
            "\n/// The running Planet: made when it starts, dropped when it stops.\n#[derive(Default)]\nstruct {state};"
        );
        Ok(text + &body)
    }

    /// `planet! { .. }`
    fn declaration(&self, exports: &[InterfaceId], state: &str, surroundings: Surroundings<'_>) -> String {
        let mut text = format!("\nkokoro_guest::planet! {{\n    state: {state},\n");
        let listed: Vec<_> = exports
            .iter()
            .zip(&self.modules)
            .map(|(id, module)| {
                let interface = &self.of.resolve.interfaces[*id];
                let renamed = ident(interface.name.as_deref().unwrap_or_default()) != *module;
                let alias = if renamed { format!(" as {module}") } else { String::new() };
                format!("\"{}\"{alias}", self.of.name(*id))
            })
            .collect();
        list(&mut text, "    ", "exports", &listed);
        let others: Vec<_> = self.of.others(exports).into_iter().map(|name| format!("\"{name}\"")).collect();
        if (1..=HINTS).contains(&others.len()) {
            text += "    // It starts only when all of these are served; list what it cannot do without, and the rest under\n";
            text += "    // `optional`:\n";
            list(&mut text, "    // ", "requires", &others);
        }
        for line in surroundings.lines {
            let _ = writeln!(text, "    {line}");
        }
        text + "}\n"
    }

    /// The traits of one interface.
    fn interface(
        &self,
        text: &mut String,
        id: InterfaceId,
        module: &str,
        state: &str,
        resources: &[Resource],
    ) -> Result<(), Failure> {
        let interface = &self.of.resolve.interfaces[id];
        let name = interface.name.as_deref().unwrap_or_default();
        for resource in resources {
            let Resource { handle, value, .. } = resource;
            let _ = writeln!(text, "\n/// What a [`{module}::{handle}`] refers to.\nstruct {value};");
        }
        let free = |function: &&Function| matches!(function.kind, FunctionKind::Freestanding);
        let functions: Vec<_> = interface.functions.values().filter(free).collect();
        self.check(id)?;
        let mut items = String::new();
        for Resource { handle, value, .. } in resources {
            let _ = writeln!(items, "    type {handle} = {value};");
        }
        for function in functions {
            separate(&mut items);
            let parameters = self.parameters(&function.params, module)?;
            let body = self.body(function, &format!("{name}.{}", function.item_name()));
            let output = self.output(function.result.as_ref(), module)?;
            function_text(&mut items, &ident(function.item_name()), "&mut self", &parameters, &output, &body);
        }
        block(text, &format!("impl {module}::Guest for {state}"), &items);
        for resource in resources {
            self.resource(text, id, module, state, resource)?;
        }
        Ok(())
    }

    fn resource(
        &self,
        text: &mut String,
        id: InterfaceId,
        module: &str,
        state: &str,
        resource: &Resource,
    ) -> Result<(), Failure> {
        let interface = &self.of.resolve.interfaces[id];
        let name = interface.name.as_deref().unwrap_or_default();
        let of_resource = |function: &&Function| function.kind.resource() == Some(resource.id);
        let own = self.of.resolve.types[resource.id].name.as_deref().unwrap_or_default();
        let mut items = String::new();
        for function in interface.functions.values().filter(of_resource) {
            let is_method = matches!(function.kind, FunctionKind::Method(_));
            let parameters = self.parameters(&function.params[usize::from(is_method)..], module)?;
            let mut planet = "planet".to_owned();
            while parameters.iter().any(|parameter| parameter.starts_with(&format!("{planet}:"))) {
                planet.push('_');
            }
            let receiver = if is_method { "&mut self, " } else { "" };
            let receiver = format!("{receiver}{planet}: &mut {state}");
            let (rust_name, output) = match function.kind {
                FunctionKind::Constructor(_) => ("new".to_owned(), self.constructed(function, module)?),
                _ => (ident(function.item_name()), self.output(function.result.as_ref(), module)?),
            };
            let shown = match function.kind {
                FunctionKind::Constructor(_) => format!("{name}.{own}"),
                _ => format!("{name}.{own}.{}", function.item_name()),
            };
            separate(&mut items);
            let body = self.body(function, &shown);
            function_text(&mut items, &rust_name, &receiver, &parameters, &output, &body);
        }
        block(text, &format!("impl {module}::{}<{state}> for {}", resource.guest, resource.value), &items);
        Ok(())
    }

    /// What a constructor gives: the value itself, or that it failed.
    fn constructed(&self, function: &Function, module: &str) -> Result<String, Failure> {
        let Some(Type::Id(id)) = function.result else { return Ok(" -> Self".to_owned()) };
        let TypeDefKind::Result(result) = &self.of.resolve.types[id].kind else { return Ok(" -> Self".to_owned()) };
        let error = match &result.err {
            Some(error) => self.show(error, module)?,
            None => "()".to_owned(),
        };
        Ok(format!(" -> Result<Self, {error}>"))
    }

    fn resources(&self, id: InterfaceId, module: &str) -> Vec<Resource> {
        let interface = &self.of.resolve.interfaces[id];
        let resolve = &self.of.resolve;
        let own = interface.types.iter().filter(|(_, ty)| matches!(resolve.types[**ty].kind, TypeDefKind::Resource));
        own.map(|(name, id)| Resource {
            id: *id,
            handle: type_name(name),
            guest: format!("Guest{}", name.to_upper_camel_case()),
            value: format!("{}{}", module.to_upper_camel_case(), name.to_upper_camel_case()),
        })
        .collect()
    }

    fn parameters(&self, parameters: &[Param], module: &str) -> Result<Vec<String>, Failure> {
        parameters
            .iter()
            .map(|param| Ok(format!("{}: {}", ident(&param.name), self.show(&param.ty, module)?)))
            .collect()
    }

    fn output(&self, result: Option<&Type>, module: &str) -> Result<String, Failure> {
        result.map_or(Ok(String::new()), |ty| Ok(format!(" -> {}", self.show(ty, module)?)))
    }

    /// A function that has room for it says in an `Err` that it is not written; any other one panics.
    fn body(&self, function: &Function, shown: &str) -> String {
        let fails = function.result.is_some_and(|ty| {
            let Type::Id(id) = ty else { return false };
            let TypeDefKind::Result(result) = &self.of.resolve.types[id].kind else { return false };
            result.err.is_some_and(|error| self.types.is_string(&error))
        });
        match fails {
            true => format!("Err(\"not written yet: `{shown}`\".to_owned())"),
            false => format!("unimplemented!(\"not written yet: `{shown}`\")"),
        }
    }

    fn show(&self, ty: &Type, module: &str) -> Result<String, Failure> {
        self.types.show(ty, module).map_err(|what| {
            Failure::input(format!(
                "an exported interface has a type for which no stub can be written: `{what}`, which is not supported yet\n  \
                 help: choose other interfaces with --export"
            ))
        })
    }

    /// An error if something in the interface is asynchronous.
    fn check(&self, id: InterfaceId) -> Result<(), Failure> {
        let functions = &self.of.resolve.interfaces[id].functions;
        match functions.values().find(|function| function.kind.is_async()) {
            None => Ok(()),
            Some(function) => Err(Failure::input(format!(
                "`{}` is asynchronous (function `{}`), which is not supported yet\n  \
                 help: choose other interfaces with --export",
                self.of.name(id),
                function.name
            ))),
        }
    }
}

/// What the state is called: like the project, unless that means something else in what follows.
fn state<'a>(project: &str, resources: impl Iterator<Item = &'a Resource>) -> String {
    let taken = ["Err", "Ok", "Option", "Planet", "Result", "Self", "Some", "String", "Vec"];
    let taken: BTreeSet<&str> = taken.into_iter().chain(resources.map(|resource| resource.value.as_str())).collect();
    let mut name = project.to_upper_camel_case();
    while taken.contains(name.as_str()) {
        name += "Planet";
    }
    name
}

/// `name: ["one", "other"],`, in as many lines as it takes.
fn list(text: &mut String, indent: &str, name: &str, items: &[String]) {
    let line = format!("{indent}{name}: [{}],\n", items.join(", "));
    if line.trim_end().chars().count() <= WIDTH {
        *text += &line;
        return;
    }
    let _ = writeln!(text, "{indent}{name}: [");
    for item in items {
        let _ = writeln!(text, "{indent}    {item},");
    }
    let _ = writeln!(text, "{indent}],");
}

fn separate(items: &mut String) {
    if !items.is_empty() {
        items.push('\n');
    }
}

fn block(text: &mut String, head: &str, items: &str) {
    let _ = match items.is_empty() {
        true => writeln!(text, "\n{head} {{}}"),
        false => writeln!(text, "\n{head} {{\n{items}}}"),
    };
}

/// A function in an `impl`, as rustfmt breaks it.
fn function_text(text: &mut String, name: &str, receiver: &str, parameters: &[String], output: &str, body: &str) {
    let all: Vec<&str> = receiver.split(", ").chain(parameters.iter().map(String::as_str)).collect();
    let line = format!("    fn {name}({}){output} {{", all.join(", "));
    if line.chars().count() <= WIDTH {
        let _ = writeln!(text, "{line}");
    } else {
        let _ = writeln!(text, "    fn {name}(");
        for parameter in all {
            let _ = writeln!(text, "        {parameter},");
        }
        let _ = writeln!(text, "    ){output} {{");
    }
    match body.strip_prefix("unimplemented!(").and_then(|rest| rest.strip_suffix(')')) {
        Some(message) if body.chars().count() + 8 > WIDTH => {
            let _ = writeln!(text, "        unimplemented!(\n            {message}\n        )\n    }}");
        }
        _ => {
            let _ = writeln!(text, "        {body}\n    }}");
        }
    }
}
