//! The definitions of the types that a signature names, as WIT writes them.

use kokoro_host::types::{Function, Type};

/// The definitions of all named types that `functions` use, each once, and those of a type's parts behind it.
pub(crate) fn definitions<'a>(functions: impl IntoIterator<Item = &'a Function>) -> Vec<String> {
    let mut found = Vec::new();
    for function in functions {
        function.params.iter().map(|(_, ty)| ty).chain(&function.result).for_each(|ty| collect(ty, &mut found));
    }
    found
}

fn collect(ty: &Type, found: &mut Vec<String>) {
    let definition = match ty {
        Type::Record(record) => block("record", &record.name, record.parts.iter().map(field)),
        Type::Variant(variant) => block("variant", &variant.name, variant.parts.iter().map(case)),
        Type::Enum(cases) => block("enum", &cases.name, cases.parts.iter().map(|(name, ())| name.clone())),
        Type::Flags(flags) => block("flags", &flags.name, flags.parts.iter().map(|(name, ())| name.clone())),
        _ => String::new(),
    };
    if !definition.is_empty() {
        if found.contains(&definition) {
            return;
        }
        found.push(definition);
    }
    match ty {
        Type::Record(record) => record.parts.iter().for_each(|(_, ty)| collect(ty, found)),
        Type::Variant(variant) => {
            variant.parts.iter().filter_map(|(_, ty)| ty.as_ref()).for_each(|ty| collect(ty, found))
        }
        Type::List(ty) | Type::FixedList(ty, _) | Type::Option(ty) => collect(ty, found),
        Type::Map(key, value) => [key, value].into_iter().for_each(|ty| collect(ty, found)),
        Type::Result { ok, err } => ok.iter().chain(err).for_each(|ty| collect(ty, found)),
        Type::Tuple(types) => types.iter().for_each(|ty| collect(ty, found)),
        Type::Future(ty) | Type::Stream(ty) => ty.iter().for_each(|ty| collect(ty, found)),
        _ => {}
    }
}

fn block(kind: &str, name: &str, parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    format!("{kind} {name} {{ {} }}", parts.join(", "))
}

fn field((name, ty): &(String, Type)) -> String {
    format!("{name}: {ty}")
}

fn case((name, ty): &(String, Option<Type>)) -> String {
    ty.as_ref().map_or_else(|| name.clone(), |ty| format!("{name}({ty})"))
}
