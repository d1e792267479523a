//! Values that are not of the type that a function takes.
//!
//! WAVE's own conversion refuses them as well, without saying what it wants; and it ignores fields that a record does
//! not have.

use std::fmt;

use kokoro_host::dynamic::wave::ast::{Node, NodeType};
use kokoro_host::types::{Function, Named, Type};

/// What is wrong, and with which byte of the text it begins.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) place: usize,
    pub(crate) problem: String,
}

type Check = Result<(), Mismatch>;

/// Checks the arguments of a call. `arguments` is `None` for `()`, which ends at the end of `text`.
pub(crate) fn check(function: &Function, arguments: Option<&Node>, text: &str) -> Check {
    let params = &function.params;
    let values: Vec<&Node> = arguments.and_then(|node| node.as_tuple().ok()).into_iter().flatten().collect();
    // Options at the end may be left out.
    let least = params.iter().rposition(|(_, ty)| !matches!(ty, Type::Option(_))).map_or(0, |last| last + 1);
    if values.len() < least || values.len() > params.len() {
        let place =
            values.get(params.len()).map_or(text.trim_end().len().saturating_sub(1), |extra| extra.span().start);
        let takes = match (least, params.len()) {
            (_, 0) => "no arguments".to_owned(),
            (least, 1) => if least == 1 { "one argument" } else { "at most one argument" }.to_owned(),
            (least, most) if least == most => format!("{most} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let given = match values.len() {
            0 => "none is given".to_owned(),
            1 => "one is given".to_owned(),
            given => format!("{given} are given"),
        };
        return Err(Mismatch { place, problem: format!("it takes {takes}, and {given}") });
    }
    let text = Text(text);
    params.iter().zip(values).try_for_each(|((name, ty), node)| text.check(node, ty, Part::Argument(name)))
}

/// Which part of an argument a value is, to be named in a sentence.
#[derive(Clone, Copy)]
enum Part<'a> {
    Argument(&'a str),
    Field(&'a str),
    Item,
    Inside(&'a str),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "the argument `{name}`"),
            Self::Field(name) => write!(f, "the field `{name}`"),
            Self::Item => f.write_str("this place"),
            Self::Inside(case) => write!(f, "`{case}(..)`"),
        }
    }
}

/// The text that the nodes were read from.
#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn check(self, node: &Node, ty: &Type, part: Part<'_>) -> Check {
        let wrong = || Err(self.wrong(node, ty, part));
        let right = match ty {
            Type::Bool => node.as_bool().is_ok(),
            Type::U8 => node.as_number::<u8>(self.0).is_ok(),
            Type::U16 => node.as_number::<u16>(self.0).is_ok(),
            Type::U32 => node.as_number::<u32>(self.0).is_ok(),
            Type::U64 => node.as_number::<u64>(self.0).is_ok(),
            Type::S8 => node.as_number::<i8>(self.0).is_ok(),
            Type::S16 => node.as_number::<i16>(self.0).is_ok(),
            Type::S32 => node.as_number::<i32>(self.0).is_ok(),
            Type::S64 => node.as_number::<i64>(self.0).is_ok(),
            Type::F32 => node.as_number::<f32>(self.0).is_ok(),
            Type::F64 => node.as_number::<f64>(self.0).is_ok(),
            Type::Char => node.as_char(self.0).is_ok(),
            Type::String => match node.as_str(self.0) {
                Ok(_) => true,
                // A string all right, but with something wrong in it that the conversion can say best.
                Err(_) => matches!(node.ty(), NodeType::String | NodeType::MultilineString),
            },
            Type::List(ty) | Type::FixedList(ty, _) => {
                let Ok(mut items) = node.as_list() else { return wrong() };
                return items.try_for_each(|item| self.check(item, ty, Part::Item));
            }
            Type::Tuple(types) => match node.as_tuple() {
                Ok(values) if values.len() == types.len() => {
                    return values.zip(types.iter()).try_for_each(|(value, ty)| self.check(value, ty, Part::Item));
                }
                _ => false,
            },
            Type::Record(record) => return self.check_record(node, record, ty, part),
            Type::Variant(Named { parts, .. }) => {
                let Ok((case, payload)) = node.as_variant(self.0) else { return wrong() };
                match parts.iter().find(|(name, _)| name == case) {
                    Some((_, ty)) => return self.check_payload(node, payload, ty.as_ref(), case),
                    None => false,
                }
            }
            Type::Enum(cases) => {
                node.as_enum(self.0).is_ok_and(|case| cases.parts.iter().any(|(name, ())| name == case))
            }
            Type::Flags(flags) => {
                let Ok(mut given) = node.as_flags(self.0) else { return wrong() };
                let known = |flag: &str| flags.parts.iter().any(|(name, ())| name == flag.trim_start_matches('%'));
                match given.find(|flag| !known(flag)) {
                    None => true,
                    Some(flag) => {
                        let all = quoted(flags.parts.iter().map(|(name, ())| name.clone()), ", ");
                        let problem = format!("`{}` has no flag `{flag}`; there are {all}", flags.name);
                        return Err(Mismatch { place: self.offset(flag), problem });
                    }
                }
            }
            Type::Option(ty) => match node.as_option() {
                Ok(Some(value)) => return self.check(value, ty, Part::Inside("some")),
                Ok(None) => true,
                Err(_) if can_stand_alone(ty) => return self.check(node, ty, part),
                Err(_) => false,
            },
            Type::Result { ok, err } => match (node.as_result(), ok) {
                (Ok(Ok(value)), ty) => return self.check_payload(node, value, ty.as_deref(), "ok"),
                (Ok(Err(value)), _) => return self.check_payload(node, value, err.as_deref(), "err"),
                (Err(_), Some(ty)) if can_stand_alone(ty) => return self.check(node, ty, part),
                _ => false,
            },
            // What cannot be written at all is left to the conversion.
            _ => true,
        };
        if right { Ok(()) } else { wrong() }
    }

    fn check_payload(self, node: &Node, value: Option<&Node>, ty: Option<&Type>, case: &str) -> Check {
        let place = node.span().start;
        match (value, ty) {
            (Some(value), Some(ty)) => self.check(value, ty, Part::Inside(case)),
            (None, Some(ty)) => {
                Err(Mismatch { place, problem: format!("`{case}` needs a value: `{case}({})`", example(ty)) })
            }
            (Some(_), None) => Err(Mismatch { place, problem: format!("`{case}` takes no value") }),
            (None, None) => Ok(()),
        }
    }

    fn check_record(self, node: &Node, record: &Named<Type>, ty: &Type, part: Part<'_>) -> Check {
        let given: Vec<(&str, &Node)> = match node.as_record(self.0) {
            Ok(fields) => fields.collect(),
            // `{}` is what flags look like when there is none.
            Err(_) if node.as_flags(self.0).is_ok_and(|mut flags| flags.next().is_none()) => Vec::new(),
            Err(_) => return Err(self.wrong(node, ty, part)),
        };
        for (name, value) in &given {
            match record.parts.iter().find(|(known, _)| known == name) {
                Some((_, ty)) => self.check(value, ty, Part::Field(name))?,
                None => {
                    let fields = quoted(record.parts.iter().map(|(name, ty)| format!("{name}: {ty}")), ", ");
                    let problem = format!("`{}` has no field `{name}`; it has {fields}", record.name);
                    return Err(Mismatch { place: self.offset(name), problem });
                }
            }
        }
        let is_missing = |(name, ty): &&(String, Type)| {
            !matches!(ty, Type::Option(_)) && !given.iter().any(|(given, _)| given == name)
        };
        let missing: Vec<String> = record.parts.iter().filter(is_missing).map(|(n, ty)| format!("{n}: {ty}")).collect();
        let place = node.span().start;
        match missing.len() {
            0 if given.is_empty() && node.as_record(self.0).is_err() => {
                Err(Mismatch { place, problem: format!("a `{}` without fields is written `{{:}}`", record.name) })
            }
            0 => Ok(()),
            n => {
                let fields = if n == 1 { "the field" } else { "the fields" };
                let problem = format!("this `{}` lacks {fields} {}", record.name, quoted(missing.into_iter(), ", "));
                Err(Mismatch { place, problem })
            }
        }
    }

    fn wrong(self, node: &Node, ty: &Type, part: Part<'_>) -> Mismatch {
        let given = &self.0[node.span()];
        let mut problem = format!("`{}` is no `{ty}`; {part} takes {}", shortened(given), form(ty));
        if matches!(ty, Type::String) {
            let inside = if node.ty() == NodeType::Label { given } else { "text" };
            problem += &format!(", as in \"{inside}\"");
        }
        Mismatch { place: node.span().start, problem }
    }

    /// Where `part`, which is a slice of the text, begins in it.
    fn offset(self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.0.as_ptr().addr())
    }
}

/// Whether WAVE lets `some(..)` or `ok(..)` be left out around such a value.
fn can_stand_alone(ty: &Type) -> bool {
    !matches!(ty, Type::Option(_) | Type::Result { .. })
}

/// How values of the type are written.
fn form(ty: &Type) -> String {
    let whole = |least: &dyn fmt::Display, most: &dyn fmt::Display| format!("a whole number from {least} to {most}");
    match ty {
        Type::Bool => "`true` or `false`".into(),
        Type::U8 => whole(&u8::MIN, &u8::MAX),
        Type::U16 => whole(&u16::MIN, &u16::MAX),
        Type::U32 => whole(&u32::MIN, &u32::MAX),
        Type::U64 => whole(&u64::MIN, &u64::MAX),
        Type::S8 => whole(&i8::MIN, &i8::MAX),
        Type::S16 => whole(&i16::MIN, &i16::MAX),
        Type::S32 => whole(&i32::MIN, &i32::MAX),
        Type::S64 => whole(&i64::MIN, &i64::MAX),
        Type::F32 | Type::F64 => "a number, as in 1 and 0.5".into(),
        Type::Char => "one character in single quotes, as in 'a'".into(),
        Type::String => "text in double quotes".into(),
        Type::List(_) | Type::FixedList(..) => format!("values in square brackets, as in `{}`", example(ty)),
        Type::Tuple(types) => format!("{} values in parentheses, as in `{}`", types.len(), example(ty)),
        Type::Record(_) => format!("fields in braces, as in `{}`", example(ty)),
        Type::Variant(Named { parts, .. }) => {
            let case = |(name, ty): &(String, Option<Type>)| {
                ty.as_ref().map_or_else(|| name.clone(), |ty| format!("{name}({})", example(ty)))
            };
            quoted(parts.iter().map(case), " or ")
        }
        Type::Enum(Named { parts, .. }) => quoted(parts.iter().map(|(name, ())| name.clone()), " or "),
        Type::Flags(Named { parts, .. }) => {
            format!("flags in braces, of {}", quoted(parts.iter().map(|(name, ())| name.clone()), ", "))
        }
        Type::Option(ty) => format!("`none` or `some({})`", example(ty)),
        Type::Result { ok, err } => {
            let case = |name: &str, ty: Option<&Type>| {
                ty.map_or_else(|| format!("`{name}`"), |ty| format!("`{name}({})`", example(ty)))
            };
            format!("{} or {}", case("ok", ok.as_deref()), case("err", err.as_deref()))
        }
        _ => "what cannot be written as text".into(),
    }
}

/// A value of the type, with `..` for what is further inside.
fn example(ty: &Type) -> String {
    match ty {
        Type::Bool => "true".into(),
        Type::F32 | Type::F64 => "0.5".into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::S8 | Type::S16 | Type::S32 | Type::S64 => "1".into(),
        Type::Char => "'a'".into(),
        Type::String => "\"text\"".into(),
        Type::List(ty) | Type::FixedList(ty, _) => format!("[{}]", outline(ty)),
        Type::Tuple(types) => {
            let values: Vec<String> = types.iter().map(outline).collect();
            format!("({})", values.join(", "))
        }
        Type::Record(Named { parts, .. }) => {
            let fields: Vec<String> = parts.iter().map(|(name, ty)| format!("{name}: {}", outline(ty))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Type::Enum(Named { parts, .. }) => parts.first().map_or_else(|| "..".into(), |(name, ())| name.clone()),
        _ => "..".into(),
    }
}

/// A plain value, or `..` for one that has parts itself.
fn outline(ty: &Type) -> String {
    match ty {
        Type::List(_) | Type::FixedList(..) => "[..]".into(),
        Type::Record(_) => "{..}".into(),
        Type::Tuple(_) => "(..)".into(),
        Type::Option(_) => "some(..)".into(),
        _ => example(ty),
    }
}

fn quoted(names: impl Iterator<Item = String>, between: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(between)
}

/// What was given, short enough to stand in a sentence.
fn shortened(given: &str) -> String {
    const MOST: usize = 30;
    let line = given.lines().next().unwrap_or_default();
    let short: String = line.chars().take(MOST).collect();
    if short.len() < given.len() { format!("{short}..") } else { short }
}
