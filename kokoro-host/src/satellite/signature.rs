//! Types of functions as both sides of the protocol write them, and as [`kokoro_value`] checks them.

use std::fmt::Write as _;

use kokoro_value::Type as Form;

use crate::inspect::{Function, Named, Type};

/// A type that is more than data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoData;

/// A function's type as in a Satellite's Hello: `func(string, u8) -> result<list<record{x: s16, y: s16}>, string>`. Types have
/// no names in it, and parameters neither; fields, cases and labels have.
pub(super) fn signature(function: &Function) -> Result<String, NoData> {
    let mut text = "func(".to_owned();
    each(&mut text, &function.params, |text, (_, ty)| put(text, ty))?;
    text.push(')');
    if let Some(result) = &function.result {
        text.push_str(" -> ");
        put(&mut text, result)?;
    }
    Ok(text)
}

/// What a function's result has to be.
pub(super) fn result_form(function: &Function) -> Result<Form, NoData> {
    function.result.as_ref().map_or(Ok(Form::Tuple(Vec::new())), form)
}

fn put(text: &mut String, ty: &Type) -> Result<(), NoData> {
    match ty {
        Type::Bool
        | Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::S8
        | Type::S16
        | Type::S32
        | Type::S64
        | Type::F32
        | Type::F64
        | Type::Char
        | Type::String => write!(text, "{ty}").map_err(|_| NoData)?,
        Type::List(element) => generic(text, "list", [Some(&**element)])?,
        Type::FixedList(element, count) => {
            text.push_str("list<");
            put(text, element)?;
            write!(text, ", {count}>").map_err(|_| NoData)?;
        }
        Type::Map(key, value) => generic(text, "map", [Some(&**key), Some(&**value)])?,
        Type::Option(some) => generic(text, "option", [Some(&**some)])?,
        Type::Result { ok: None, err: None } => text.push_str("result"),
        Type::Result { ok: Some(ok), err: None } => generic(text, "result", [Some(&**ok)])?,
        Type::Result { ok, err } => generic(text, "result", [ok.as_deref(), err.as_deref()])?,
        Type::Tuple(types) => generic(text, "tuple", types.iter().map(Some))?,
        Type::Record(fields) => named(text, "record", fields, |ty| Some(ty))?,
        Type::Variant(cases) => named(text, "variant", cases, Option::as_ref)?,
        Type::Enum(cases) => named(text, "enum", cases, |()| None)?,
        Type::Flags(labels) => named(text, "flags", labels, |()| None)?,
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => return Err(NoData),
    }
    Ok(())
}

fn generic<'t>(text: &mut String, name: &str, types: impl IntoIterator<Item = Option<&'t Type>>) -> Result<(), NoData> {
    text.push_str(name);
    text.push('<');
    each(text, types, |text, ty| match ty {
        Some(ty) => put(text, ty),
        None => {
            text.push('_');
            Ok(())
        }
    })?;
    text.push('>');
    Ok(())
}

/// `variant{none, some(u8)}`; of a record, `record{x: s16}`.
fn named<T>(text: &mut String, name: &str, named: &Named<T>, ty: impl Fn(&T) -> Option<&Type>) -> Result<(), NoData> {
    let is_record = name == "record";
    text.push_str(name);
    text.push('{');
    each(text, &*named.parts, |text, (part, payload)| {
        text.push_str(part);
        if let Some(ty) = ty(payload) {
            text.push_str(if is_record { ": " } else { "(" });
            put(text, ty)?;
            text.push_str(if is_record { "" } else { ")" });
        }
        Ok(())
    })?;
    text.push('}');
    Ok(())
}

fn each<T>(
    text: &mut String,
    items: impl IntoIterator<Item = T>,
    put: impl Fn(&mut String, T) -> Result<(), NoData>,
) -> Result<(), NoData> {
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        put(text, item)?;
    }
    Ok(())
}

fn form(ty: &Type) -> Result<Form, NoData> {
    let some = |ty: &Option<std::sync::Arc<Type>>| ty.as_deref().map(form).transpose();
    Ok(match ty {
        Type::Bool => Form::Bool,
        Type::U8 => Form::U8,
        Type::U16 => Form::U16,
        Type::U32 => Form::U32,
        Type::U64 => Form::U64,
        Type::S8 => Form::S8,
        Type::S16 => Form::S16,
        Type::S32 => Form::S32,
        Type::S64 => Form::S64,
        Type::F32 => Form::F32,
        Type::F64 => Form::F64,
        Type::Char => Form::Char,
        Type::String => Form::String,
        Type::List(element) => Form::list(form(element)?),
        Type::FixedList(element, count) => Form::fixed_list(form(element)?, *count as usize),
        Type::Map(key, value) => Form::map(form(key)?, form(value)?),
        Type::Option(value) => Form::option(form(value)?),
        Type::Result { ok, err } => Form::result(some(ok)?, some(err)?),
        Type::Tuple(types) => Form::Tuple(types.iter().map(form).collect::<Result<_, _>>()?),
        Type::Record(fields) => Form::Record(fields.parts.iter().map(|(_, ty)| form(ty)).collect::<Result<_, _>>()?),
        Type::Variant(cases) => {
            let payloads = cases.parts.iter().map(|(_, ty)| ty.as_ref().map(form).transpose());
            Form::Variant(payloads.collect::<Result<_, _>>()?)
        }
        Type::Enum(cases) => Form::Enum(cases.parts.len()),
        Type::Flags(labels) => Form::Flags(labels.parts.len()),
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => return Err(NoData),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{interface_from_wit, interfaces_of_text};

    fn of(items: &str) -> Result<(String, Form), NoData> {
        let interface = interface_from_wit(items);
        let function = &interface.functions["it"];
        Ok((signature(function)?, result_form(function)?))
    }

    fn check(items: &str, expected: &str, form: Form) {
        assert_eq!(of(items), Ok((expected.to_owned(), form)), "{items}");
    }

    #[test]
    fn signatures_are_structural() {
        check("it: func();", "func()", Form::Tuple(vec![]));
        check("it: func(a: u8, b: s64) -> u32;", "func(u8, s64) -> u32", Form::U32);
        check(
            "record point { x: s16, y: s16 } type points = list<point>; it: func(name: string, most: u8) -> result<points, string>;",
            "func(string, u8) -> result<list<record{x: s16, y: s16}>, string>",
            Form::result(Form::list(Form::Record(vec![Form::S16, Form::S16])), Form::String),
        );
        check("it: func(a: bool) -> result;", "func(bool) -> result", Form::result(None, None));
        check("it: func(a: f32) -> result<f64>;", "func(f32) -> result<f64>", Form::result(Form::F64, None));
        check("it: func(a: char) -> result<_, u16>;", "func(char) -> result<_, u16>", Form::result(None, Form::U16));
        check(
            "it: func(a: tuple<u8, option<s8>>) -> list<list<u64, 4>>;",
            "func(tuple<u8, option<s8>>) -> list<list<u64, 4>>",
            Form::list(Form::fixed_list(Form::U64, 4)),
        );
        check(
            "it: func() -> map<string, list<u8>>;",
            "func() -> map<string, list<u8>>",
            Form::map(Form::String, Form::list(Form::U8)),
        );
    }

    /// `kokoro-macros` has the same test: what a Satellite says and what a Planet's component is read as have to be the same text.
    #[test]
    fn signatures_are_as_satellites_write_them() {
        let interfaces = interfaces_of_text(include_str!("../../../kokoro-satellite/tests/signatures/all.wit"));
        let interface = interfaces.values().next().unwrap();
        let functions = interface.functions.iter();
        let lines = functions.map(|(name, function)| format!("{name}: {}\n", signature(function).unwrap()));
        expect_test::expect_file!["../../../kokoro-satellite/tests/signatures/all.txt"]
            .assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn cases_and_labels_keep_their_names_even_those_of_keywords() {
        check(
            "variant shape { point, circle(u16), %type(string) } it: func(of: shape) -> shape;",
            "func(variant{point, circle(u16), type(string)}) -> variant{point, circle(u16), type(string)}",
            Form::Variant(vec![None, Some(Form::U16), Some(Form::String)]),
        );
        check(
            "enum color { red, %enum } flags may { read, write, %flags } it: func(of: color) -> may;",
            "func(enum{red, enum}) -> flags{read, write, flags}",
            Form::Flags(3),
        );
        check(
            "record part { %record: u8, next-one: option<bool> } it: func() -> part;",
            "func() -> record{record: u8, next-one: option<bool>}",
            Form::Record(vec![Form::U8, Form::option(Form::Bool)]),
        );
    }

    #[test]
    fn handles_are_no_data() {
        assert_eq!(of("resource cursor; it: func(of: list<borrow<cursor>>);"), Err(NoData));
        assert_eq!(of("resource cursor; it: func() -> option<cursor>;"), Err(NoData));
    }
}
