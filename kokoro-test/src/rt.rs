//! What the code that [`bindings!`](crate::bindings) generates calls. Not for anybody else: it can change at any time.

use kokoro_host::Val;
use kokoro_host::types::Type;

use crate::value::FromValue;

type Is = fn(&Type) -> bool;

/// Whether a type is a record of these fields.
pub fn is_record(ty: &Type, fields: &[(&str, Is)]) -> bool {
    let Type::Record(record) = ty else { return false };
    record.parts.len() == fields.len()
        && record.parts.iter().zip(fields).all(|((name, ty), (wanted, is))| name == wanted && is(ty))
}

/// Whether a type is a variant of these cases.
pub fn is_variant(ty: &Type, cases: &[(&str, Option<Is>)]) -> bool {
    let Type::Variant(variant) = ty else { return false };
    variant.parts.len() == cases.len()
        && variant.parts.iter().zip(cases).all(|((name, ty), (wanted, is))| {
            name == wanted
                && match (ty, is) {
                    (Some(ty), Some(is)) => is(ty),
                    (None, None) => true,
                    _ => false,
                }
        })
}

/// Whether a type is an enum of these cases.
pub fn is_enum(ty: &Type, cases: &[&str]) -> bool {
    matches!(ty, Type::Enum(found) if found.parts.iter().map(|(name, ())| name.as_str()).eq(cases.iter().copied()))
}

/// Whether a type is these flags.
pub fn is_flags(ty: &Type, flags: &[&str]) -> bool {
    matches!(ty, Type::Flags(found) if found.parts.iter().map(|(name, ())| name.as_str()).eq(flags.iter().copied()))
}

/// The field of a record.
pub fn field<T: FromValue>(val: &Val, name: &str) -> Option<T> {
    let Val::Record(fields) = val else { return None };
    fields.iter().find(|(field, _)| field == name).and_then(|(_, value)| T::from_val(value))
}

/// A case of a variant.
pub fn case(name: &str, value: Option<Val>) -> Val {
    Val::Variant(name.to_owned(), value.map(Box::new))
}

/// The name of the case that a value is.
pub fn case_of(val: &Val) -> Option<&str> {
    match val {
        Val::Variant(name, _) | Val::Enum(name) => Some(name),
        _ => None,
    }
}

/// What the case of a variant holds.
pub fn payload<T: FromValue>(val: &Val) -> Option<T> {
    match val {
        Val::Variant(_, Some(value)) => T::from_val(value),
        _ => None,
    }
}

/// The flags that are set.
pub fn flags_of(val: &Val) -> Option<&[String]> {
    match val {
        Val::Flags(set) => Some(set),
        _ => None,
    }
}
