//! A function's type as both sides of a Satellite write it: as in WIT, without the names of types and parameters, and with what
//! stands behind aliases. The names of fields, cases and labels are part of it.

use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId};

/// The type of a function: `func(string, u8) -> result<list<record{x: s16, y: s16}>, string>`.
pub(super) fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters = joined(function.params.iter().map(|param| text(resolve, param.ty)));
    let result = function.result.map(|ty| format!(" -> {}", text(resolve, ty))).unwrap_or_default();
    format!("func({parameters}){result}")
}

fn text(resolve: &Resolve, ty: Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::ErrorContext => "error-context".to_owned(),
        Type::Id(id) => defined(resolve, id),
    }
}

fn defined(resolve: &Resolve, id: TypeId) -> String {
    let text = |ty: &Type| text(resolve, *ty);
    match &resolve.types[id].kind {
        TypeDefKind::Type(ty) => text(ty),
        TypeDefKind::List(ty) => format!("list<{}>", text(ty)),
        TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", text(ty)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", text(key), text(value)),
        TypeDefKind::Option(ty) => format!("option<{}>", text(ty)),
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (Some(ok), None) => format!("result<{}>", text(ok)),
            (None, Some(err)) => format!("result<_, {}>", text(err)),
            (Some(ok), Some(err)) => format!("result<{}, {}>", text(ok), text(err)),
        },
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", joined(tuple.types.iter().map(text))),
        TypeDefKind::Record(record) => {
            let field = |field: &wit_parser::Field| format!("{}: {}", field.name, text(&field.ty));
            format!("record{{{}}}", joined(record.fields.iter().map(field)))
        }
        TypeDefKind::Variant(variant) => {
            let case = |case: &wit_parser::Case| match &case.ty {
                Some(ty) => format!("{}({})", case.name, text(ty)),
                None => case.name.clone(),
            };
            format!("variant{{{}}}", joined(variant.cases.iter().map(case)))
        }
        TypeDefKind::Enum(cases) => format!("enum{{{}}}", joined(cases.cases.iter().map(|case| case.name.clone()))),
        TypeDefKind::Flags(flags) => format!("flags{{{}}}", joined(flags.flags.iter().map(|flag| flag.name.clone()))),
        // None of these gets here: interfaces with them are refused.
        other => other.as_str().to_owned(),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}
