//! What WIT is called in the Rust that `planet!` makes of it: wit-bindgen's rules.

use std::collections::HashSet;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use wit_parser::{Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// Words that cannot be names in Rust, of this edition or another.
const KEYWORDS: [&str; 50] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

pub(super) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// A function, a parameter or a module.
pub(super) fn ident(name: &str) -> String {
    match name {
        // wit-bindgen leaves that as it is.
        "gen" => "r#gen".to_owned(),
        name if is_keyword(name) => format!("{name}_"),
        name => name.to_snake_case(),
    }
}

/// A type. `Guest` is what the trait is called.
pub(super) fn type_name(name: &str) -> String {
    match name {
        "guest" => "Guest_".to_owned(),
        name => name.to_upper_camel_case(),
    }
}

/// The types of functions of exported interfaces.
#[derive(Debug)]
pub(super) struct Types<'a> {
    resolve: &'a Resolve,
    exports: HashSet<InterfaceId>,
}

impl<'a> Types<'a> {
    pub(super) fn new(resolve: &'a Resolve, exports: impl IntoIterator<Item = InterfaceId>) -> Self {
        Self { resolve, exports: exports.into_iter().collect() }
    }

    /// A type as it is written where the interface's module is `module`; or what Rust has no word for here.
    pub(super) fn show(&self, ty: &Type, module: &str) -> Result<String, &'static str> {
        let simple = match ty {
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "i8",
            Type::S16 => "i16",
            Type::S32 => "i32",
            Type::S64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::String => "String",
            Type::ErrorContext => return Err("error-context"),
            Type::Id(id) => return self.show_defined(*id, module),
        };
        Ok(simple.to_owned())
    }

    fn show_defined(&self, id: TypeId, module: &str) -> Result<String, &'static str> {
        let definition = &self.resolve.types[id];
        if let Some(name) = &definition.name {
            let lifetime = if self.borrows(&Type::Id(id)) { "<'_>" } else { "" };
            return Ok(format!("{module}::{}{lifetime}", type_name(name)));
        }
        let show = |ty: &Type| self.show(ty, module);
        let or_nothing = |ty: &Option<Type>| ty.as_ref().map_or(Ok("()".to_owned()), show);
        Ok(match &definition.kind {
            TypeDefKind::Option(ty) => format!("Option<{}>", show(ty)?),
            TypeDefKind::List(ty) => format!("Vec<{}>", show(ty)?),
            TypeDefKind::FixedLengthList(ty, length) => format!("[{}; {length}]", show(ty)?),
            TypeDefKind::Result(result) => format!("Result<{}, {}>", or_nothing(&result.ok)?, or_nothing(&result.err)?),
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(show).collect::<Result<Vec<_>, _>>()?;
                match &types[..] {
                    [only] => format!("({only},)"),
                    types => format!("({})", types.join(", ")),
                }
            }
            TypeDefKind::Handle(Handle::Own(resource)) => show(&Type::Id(*resource))?,
            TypeDefKind::Handle(Handle::Borrow(resource)) if self.is_exported(*resource) => {
                let name = self.resolve.types[*resource].name.as_deref().unwrap_or_default();
                format!("{module}::{}Borrow<'_>", name.to_upper_camel_case())
            }
            TypeDefKind::Handle(Handle::Borrow(resource)) => format!("&{}", show(&Type::Id(*resource))?),
            TypeDefKind::Type(ty) => show(ty)?,
            TypeDefKind::Future(_) => return Err("future"),
            TypeDefKind::Stream(_) => return Err("stream"),
            other => return Err(other.as_str()),
        })
    }

    /// Whether it is `string`, by whatever name.
    pub(super) fn is_string(&self, ty: &Type) -> bool {
        match ty {
            Type::String => true,
            Type::Id(id) => matches!(&self.resolve.types[*id].kind, TypeDefKind::Type(ty) if self.is_string(ty)),
            _ => false,
        }
    }

    /// Whether the resource is of an interface that is exported, here or where it was taken from by `use`.
    fn is_exported(&self, resource: TypeId) -> bool {
        let definition = &self.resolve.types[resource];
        match definition.kind {
            TypeDefKind::Type(Type::Id(original)) => self.is_exported(original),
            _ => matches!(definition.owner, TypeOwner::Interface(interface) if self.exports.contains(&interface)),
        }
    }

    /// Whether there is a borrowed handle in it.
    fn borrows(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let borrows = |ty: &Type| self.borrows(ty);
        match &self.resolve.types[*id].kind {
            TypeDefKind::Handle(Handle::Borrow(_)) => true,
            TypeDefKind::Record(record) => record.fields.iter().any(|field| borrows(&field.ty)),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().any(borrows),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(borrows),
            TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).any(borrows),
            TypeDefKind::Option(ty)
            | TypeDefKind::List(ty)
            | TypeDefKind::FixedLengthList(ty, _)
            | TypeDefKind::Type(ty) => borrows(ty),
            _ => false,
        }
    }
}
