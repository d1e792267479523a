//! Whether an export has what an import wants, found out before the first call.

use std::fmt;

use crate::inspect::{Function, Inspection, Interface, Named, ResourceName, Type};
use crate::interface::InterfaceName;

/// Why an export cannot serve an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The types differ; the sentence names the item.
    Differs(String),
    /// Something in them is not supported yet; the sentence names it.
    Unsupported(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(sentence) => write!(f, "its types differ: {sentence}"),
            Self::Unsupported(sentence) => f.write_str(sentence),
        }
    }
}

impl Mismatch {
    /// What can be done about it.
    fn help(&self) -> &'static str {
        match self {
            Self::Differs(_) => "build both against the same WIT",
            Self::Unsupported(_) => "pass plain values, or an id that the other side gives out",
        }
    }

    /// Why the pair is out, with what can be done about it on a second line.
    pub(crate) fn reason(&self) -> String {
        format!("{self}\n  help: {}", self.help())
    }
}

impl Interface {
    /// Whether an import of these types can be bound to what the application serves: exactly the types that are imported, and perhaps
    /// more functions and resources. It is what is compared when Planets (plugins) are bound; names and versions are another question.
    ///
    /// # Errors
    ///
    /// If it cannot. The sentence names the first item that keeps it from that; a second line says what helps.
    pub fn fits_application(&self, served: &Interface) -> Result<(), String> {
        fit_served(self, served).map_err(|mismatch| mismatch.reason())
    }

    /// Whether an import of these types can be bound to a Planet's export: as
    /// [`fits_application`](Interface::fits_application), and no handles are passed of resources that the provider imports itself. An
    /// application's own calls are bound by the same rule.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fits_planet(&self, export: &Interface) -> Result<(), String> {
        fit(self, export).map_err(|mismatch| mismatch.reason())
    }
}

/// Compares what is wanted with what another Planet offers, function by function. The offer may have more functions.
pub(crate) fn fit(import: &Interface, export: &Interface) -> Result<(), Mismatch> {
    fit_served(import, export)?;
    let wanted = export.functions.iter().filter(|(name, _)| import.functions.contains_key(*name));
    match passes(wanted, |resource| resource.is_imported) {
        Some((name, resource)) => Err(Mismatch::Unsupported(format!(
            "`{name}` passes handles of `{}/{}`, which the provider imports itself, and handles do not go on to a third planet \
             yet",
            resource.interface, resource.name
        ))),
        None => Ok(()),
    }
}

/// Whether the function `name` is of this type in an interface that is offered.
pub(crate) fn has_function(offered: &Interface, name: &str, wanted: &Function) -> bool {
    offered.functions.get(name).is_some_and(|offered| function(wanted, offered).is_none())
}

/// Whether an import is of use to a Planet to which the interfaces for which `is_served` holds are served by the application, or by WASI:
/// of these it cannot pass handles on.
pub(crate) fn passes_nothing_served(import: &Interface, is_served: impl Fn(&str) -> bool) -> Result<(), Mismatch> {
    match passes(import.functions.iter(), |resource| is_served(&resource.interface)) {
        Some((name, resource)) => Err(Mismatch::Unsupported(format!(
            "`{name}` passes handles of `{}/{}`, which no planet serves, and handles do not go on to a third party yet",
            resource.interface, resource.name
        ))),
        None => Ok(()),
    }
}

/// A function that passes handles of a resource that `is_meant`, and that resource.
fn passes<'i>(
    mut functions: impl Iterator<Item = (&'i String, &'i Function)>,
    is_meant: impl Fn(&ResourceName) -> bool,
) -> Option<(&'i String, &'i ResourceName)> {
    functions.find_map(|(name, function)| Some((name, function.types().find_map(|ty| ty.resource(&is_meant))?)))
}

/// Whether one of a component's exports has what `import` wants, or why none has.
pub(crate) fn fits_somewhere(import: &InterfaceName, wanted: &Interface, exporting: &Inspection) -> Result<(), String> {
    let mut problem = None;
    for (_, offered) in exporting.exports.iter().filter(|(export, _)| export.can_serve(import)) {
        match fit(wanted, offered) {
            Ok(()) => return Ok(()),
            Err(mismatch) => problem = Some(mismatch.to_string()),
        }
    }
    Err(problem.unwrap_or_else(|| "the new release does not export it".to_owned()))
}

/// Compares what is wanted with what the application serves. It may serve more functions and resources.
pub(crate) fn fit_served(import: &Interface, served: &Interface) -> Result<(), Mismatch> {
    if let Some(resource) = import.resources.difference(&served.resources).next() {
        return Err(Mismatch::Differs(format!("it lacks the resource `{resource}`")));
    }
    for (name, wanted) in &import.functions {
        let Some(offered) = served.functions.get(name) else {
            return Err(Mismatch::Differs(format!("it lacks the function `{name}`")));
        };
        all_supported(name, wanted)?;
        all_supported(name, offered)?;
        if let Some(difference) = function(wanted, offered) {
            return Err(Mismatch::Differs(format!("the function `{name}` differs: {difference}")));
        }
    }
    Ok(())
}

fn all_supported(name: &str, function: &Function) -> Result<(), Mismatch> {
    match function.types().find(|ty| ty.is_asynchronous()) {
        _ if function.is_async => {
            Err(Mismatch::Unsupported(format!("`{name}` is an async function, and those are not supported yet")))
        }
        Some(ty) => Err(Mismatch::Unsupported(format!(
            "`{name}` passes `{ty}`, and futures and streams do not cross between planets yet"
        ))),
        None => Ok(()),
    }
}

fn function(import: &Function, export: &Function) -> Option<String> {
    if import.params.len() != export.params.len() {
        let (wanted, offered) = (import.params.len(), export.params.len());
        return Some(format!("the import passes {wanted} parameters, the export takes {offered}"));
    }
    for ((name, wanted), (_, offered)) in import.params.iter().zip(&export.params) {
        if let Some(difference) = difference(wanted, offered, &format!("parameter `{name}`")) {
            return Some(difference);
        }
    }
    match (&import.result, &export.result) {
        (Some(wanted), Some(offered)) => difference(wanted, offered, "the result"),
        (None, None) => None,
        (Some(wanted), None) => {
            Some(format!("the result is `{wanted}` in the import, and there is none in the export"))
        }
        (None, Some(offered)) => Some(format!("there is no result in the import, and it is `{offered}` in the export")),
    }
}

/// The first place, along `place`, where two types differ.
fn difference(import: &Type, export: &Type, place: &str) -> Option<String> {
    if import == export {
        return None;
    }
    let inside = |wanted: &Type, offered: &Type, part: &str| difference(wanted, offered, &format!("{part} of {place}"));
    match (import, export) {
        (Type::List(wanted), Type::List(offered)) | (Type::FixedList(wanted, _), Type::FixedList(offered, _))
            if wanted != offered =>
        {
            inside(wanted, offered, "an element")
        }
        (Type::Option(wanted), Type::Option(offered)) => inside(wanted, offered, "the value"),
        (Type::Result { ok: Some(wanted), .. }, Type::Result { ok: Some(offered), .. }) if wanted != offered => {
            inside(wanted, offered, "the `ok`")
        }
        (Type::Result { ok, err: Some(wanted) }, Type::Result { ok: other, err: Some(offered) }) if ok == other => {
            inside(wanted, offered, "the `err`")
        }
        (Type::Tuple(wanted), Type::Tuple(offered)) if wanted.len() == offered.len() => wanted
            .iter()
            .zip(offered.iter())
            .enumerate()
            .find_map(|(i, (wanted, offered))| inside(wanted, offered, &format!("item {i}"))),
        (Type::Record(wanted), Type::Record(offered)) => {
            parts(wanted, offered, place, "record", "field", |wanted, offered, part| inside(wanted, offered, part))
        }
        (Type::Variant(wanted), Type::Variant(offered)) => {
            parts(wanted, offered, place, "variant", "case", |wanted, offered, part| match (wanted, offered) {
                (Some(wanted), Some(offered)) => inside(wanted, offered, part),
                (None, None) => None,
                (wanted, _) => {
                    let (with, without) = if wanted.is_some() { ("import", "export") } else { ("export", "import") };
                    Some(format!("{part} of {place} holds a value in the {with} and none in the {without}"))
                }
            })
        }
        (Type::Enum(wanted), Type::Enum(offered)) => parts(wanted, offered, place, "enum", "case", |(), (), _| None),
        (Type::Flags(wanted), Type::Flags(offered)) => parts(wanted, offered, place, "flags", "flag", |(), (), _| None),
        _ => None,
    }
    .or_else(|| Some(format!("{place} is `{}` in the import and `{}` in the export", shape(import), shape(export))))
}

/// A type, with the kind or the place of those that show as a name only.
fn shape(ty: &Type) -> String {
    match ty {
        Type::Record(_) => format!("record {ty}"),
        Type::Variant(_) => format!("variant {ty}"),
        Type::Enum(_) => format!("enum {ty}"),
        Type::Flags(_) => format!("flags {ty}"),
        Type::Own(resource) | Type::Borrow(resource) => format!("{ty} of {}", resource.interface),
        _ => ty.to_string(),
    }
}

/// The first difference between the parts of two types of one kind: another name, another place, another type.
fn parts<T>(
    import: &Named<T>,
    export: &Named<T>,
    place: &str,
    kind: &str,
    part: &str,
    inside: impl Fn(&T, &T, &str) -> Option<String>,
) -> Option<String> {
    let name = &import.name;
    let lists = |named: &Named<T>, wanted: &str| named.parts.iter().any(|(name, _)| name == wanted);
    let only_of = |one: &Named<T>, other: &Named<T>| {
        one.parts.iter().map(|(part, _)| part).find(|part| !lists(other, part)).cloned()
    };
    if let Some(wanted) = only_of(import, export) {
        return Some(format!("{place} is the {kind} `{name}`, whose {part} `{wanted}` the export lacks"));
    }
    if let Some(offered) = only_of(export, import) {
        return Some(format!("{place} is the {kind} `{name}`, whose {part} `{offered}` the import lacks"));
    }
    import.parts.iter().zip(export.parts.iter()).find_map(|((wanted, a), (offered, b))| {
        if wanted == offered {
            inside(a, b, &format!("the {part} `{wanted}`"))
        } else {
            Some(format!(
                "{place} is the {kind} `{name}`, which has its {part}s in another order: `{wanted}` stands where the export has `{offered}`"
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::interface_from_wit;

    fn check(import: &str, export: &str, expected: &str) {
        let fit = fit(&interface_from_wit(import), &interface_from_wit(export));
        let (Mismatch::Differs(found) | Mismatch::Unsupported(found)) =
            fit.err().unwrap_or(Mismatch::Differs(String::new()));
        assert_eq!(found, expected);
    }

    #[test]
    fn equal_types_fit_whatever_they_are_called() {
        check(
            "record a { x: u8, y: list<string> } f: func(v: a) -> option<a>;",
            "record b { x: u8, y: list<string> } f: func(w: b) -> option<b>; more: func();",
            "",
        );
    }

    #[test]
    fn the_item_that_differs_is_named() {
        check("f: func();", "g: func();", "it lacks the function `f`");
        check(
            "f: func(a: u8);",
            "f: func();",
            "the function `f` differs: the import passes 1 parameters, the export takes 0",
        );
        check(
            "f: func(a: string);",
            "f: func(a: list<u8>);",
            "the function `f` differs: parameter `a` is `string` in the import and `list<u8>` in the export",
        );
        check(
            "record h { level: u8 } f: func() -> result<list<h>, string>;",
            "record h { level: u32 } f: func() -> result<list<h>, string>;",
            "the function `f` differs: the field `level` of an element of the `ok` of the result is `u8` in the import and `u32` in the export",
        );
        check(
            "record h { level: u8 } f: func(h: h);",
            "record h { level: u8, text: string } f: func(h: h);",
            "the function `f` differs: parameter `h` is the record `h`, whose field `text` the import lacks",
        );
        check(
            "enum e { a, b } f: func(e: e);",
            "enum e { b, a } f: func(e: e);",
            "the function `f` differs: parameter `e` is the enum `e`, which has its cases in another order: `a` stands where the export has `b`",
        );
        check(
            "variant v { a(u8), b } f: func(v: v);",
            "variant v { a, b } f: func(v: v);",
            "the function `f` differs: the case `a` of parameter `v` holds a value in the import and none in the export",
        );
        check(
            "f: func();",
            "f: func() -> string;",
            "the function `f` differs: there is no result in the import, and it is `string` in the export",
        );
    }

    #[test]
    fn resources_of_the_application_are_compared_by_name() {
        let check = |import: &str, served: &str, expected: &str| {
            let fit = fit_served(&interface_from_wit(import), &interface_from_wit(served));
            assert_eq!(fit.err().map(|mismatch| mismatch.to_string()).unwrap_or_default(), expected);
        };
        let served = "resource r { constructor(a: u8); next: func() -> list<r>; } resource s; f: func(r: borrow<r>);";
        check("resource r { next: func() -> list<r>; } f: func(r: borrow<r>);", served, "");
        check("resource q; f: func(r: borrow<q>);", served, "its types differ: it lacks the resource `q`");
        check(
            "resource r { previous: func(); }",
            served,
            "its types differ: it lacks the function `[method]r.previous`",
        );
        check(
            "resource r; resource s; f: func(r: borrow<s>);",
            served,
            "its types differ: the function `f` differs: parameter `r` is `borrow<s> of test:it/it` in the import and `borrow<r> of test:it/it` in the export",
        );
        check(
            "resource r; f: func(r: r);",
            served,
            "its types differ: the function `f` differs: parameter `r` is `r of test:it/it` in the import and `borrow<r> of test:it/it` in the export",
        );
        check("f: async func();", "f: async func();", "`f` is an async function, and those are not supported yet");
    }

    #[test]
    fn what_cannot_cross_yet_is_refused() {
        check(
            "resource r; f: func(r: borrow<r>);",
            "resource r; f: func(r: borrow<r>);",
            "`f` passes handles of `test:it/it/r`, which the provider imports itself, and handles do not go on to a third planet yet",
        );
        check("f: async func();", "f: async func();", "`f` is an async function, and those are not supported yet");
    }
}
