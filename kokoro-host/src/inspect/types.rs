//! The types of interfaces, as structure: what two components have to agree on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The functions and resources of one interface.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Interface {
    /// The functions by their name in the component model: `find`, or for those of resources `[method]cursor.next`.
    pub functions: BTreeMap<String, Function>,
    /// The resources that the interface itself defines.
    pub resources: BTreeSet<String>,
}

impl Interface {
    /// Whether there is nothing in it but types. Such an import is no dependency.
    pub fn is_types_only(&self) -> bool {
        self.functions.is_empty() && self.resources.is_empty()
    }

    /// The first function that passes handles of resources, or else the first resource; none if all values are plain. An interface
    /// that has any cannot be served by a Satellite (a native child process), where handles mean nothing.
    pub fn passes_handles(&self) -> Option<&str> {
        let handles = |function: &Function| function.types().any(|ty| ty.resource(&|_| true).is_some());
        let function = self.functions.iter().find(|(_, function)| handles(function)).map(|(name, _)| name);
        function.or(self.resources.first()).map(String::as_str)
    }
}

/// The type of one function.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Function {
    /// Names and types of the parameters, in order.
    pub params: Vec<(String, Type)>,
    /// What it returns, if anything.
    pub result: Option<Type>,
    /// Whether it is an `async func`.
    pub is_async: bool,
}

impl Function {
    /// The types of the parameters, and that of the result.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        self.params.iter().map(|(_, ty)| ty).chain(&self.result)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_async { "async func(" } else { "func(" })?;
        for (i, (name, ty)) in self.params.iter().enumerate() {
            write!(f, "{}{name}: {ty}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(")")?;
        match &self.result {
            Some(ty) => write!(f, " -> {ty}"),
            None => Ok(()),
        }
    }
}

/// A type of a value that crosses between components. Equality is structural, as it is in the component model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variants are those of WIT, under their names there")]
pub enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Char,
    String,
    List(Arc<Type>),
    FixedList(Arc<Type>, u32),
    Map(Arc<Type>, Arc<Type>),
    Option(Arc<Type>),
    Result { ok: Option<Arc<Type>>, err: Option<Arc<Type>> },
    Tuple(Arc<[Type]>),
    Record(Named<Type>),
    Variant(Named<Option<Type>>),
    Enum(Named<()>),
    Flags(Named<()>),
    Own(ResourceName),
    Borrow(ResourceName),
    Future(Option<Arc<Type>>),
    Stream(Option<Arc<Type>>),
    ErrorContext,
}

/// A type with a name and named parts: the fields of a record, the cases of a variant, an enum or flags.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Named<T> {
    /// The type's name in WIT, for people; two types with different names can be equal.
    pub name: Arc<str>,
    /// Its parts in order.
    pub parts: Arc<[(String, T)]>,
}

impl<T: PartialEq> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts) || self.parts == other.parts
    }
}

/// Which resource a handle is for: the interface that defines it and its name there. Two are equal if these are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResourceName {
    /// The defining interface without its version: `acme:db/tables`.
    pub interface: Arc<str>,
    /// The resource's name in it: `cursor`.
    pub name: Arc<str>,
    /// Whether the component imports it, and does not define it itself.
    pub is_imported: bool,
}

impl PartialEq for ResourceName {
    fn eq(&self, other: &Self) -> bool {
        (&self.interface, &self.name) == (&other.interface, &other.name)
    }
}

impl Type {
    /// One of the resources of which it passes handles that is `wanted`.
    pub(crate) fn resource(&self, wanted: &impl Fn(&ResourceName) -> bool) -> Option<&ResourceName> {
        self.find(&|ty| match ty {
            Self::Own(resource) | Self::Borrow(resource) => wanted(resource).then_some(resource),
            _ => None,
        })
    }

    /// Whether the type needs the asynchronous part of the component model.
    pub(crate) fn is_asynchronous(&self) -> bool {
        let asynchronous =
            |ty: &Self| matches!(ty, Self::Future(_) | Self::Stream(_) | Self::ErrorContext).then_some(());
        self.find(&|ty| asynchronous(ty)).is_some()
    }

    /// What is `found` of the type, or of the first that it is made of.
    fn find<'t, R>(&'t self, found: &impl Fn(&'t Self) -> Option<R>) -> Option<R> {
        found(self).or_else(|| match self {
            Self::List(ty) | Self::FixedList(ty, _) | Self::Option(ty) => ty.find(found),
            Self::Map(key, value) => key.find(found).or_else(|| value.find(found)),
            Self::Result { ok, err } => ok.iter().chain(err).find_map(|ty| ty.find(found)),
            Self::Tuple(types) => types.iter().find_map(|ty| ty.find(found)),
            Self::Record(record) => record.parts.iter().find_map(|(_, ty)| ty.find(found)),
            Self::Variant(variant) => {
                variant.parts.iter().filter_map(|(_, ty)| ty.as_ref()).find_map(|ty| ty.find(found))
            }
            _ => None,
        })
    }

    /// At least how many bytes a value takes in a component's memory, with room for what is in between; no less for any value in it.
    pub(crate) fn size(&self) -> u64 {
        let most = |types: &mut dyn Iterator<Item = &Self>| types.map(Self::size).max().unwrap_or_default();
        let all = |types: &mut dyn Iterator<Item = &Self>| types.map(Self::size).fold(0, u64::saturating_add);
        match self {
            Self::FixedList(ty, count) => ty.size().saturating_mul(u64::from(*count)),
            // Their elements lie elsewhere, and have a size as well.
            Self::List(ty) => ty.size().max(8),
            Self::Map(key, value) => key.size().saturating_add(value.size()).max(8),
            Self::Option(ty) => ty.size().saturating_add(8),
            Self::Result { ok, err } => most(&mut ok.iter().chain(err).map(|ty| &**ty)).saturating_add(8),
            Self::Variant(variant) => {
                most(&mut variant.parts.iter().filter_map(|(_, ty)| ty.as_ref())).saturating_add(8)
            }
            Self::Tuple(types) => all(&mut types.iter()),
            Self::Record(record) => all(&mut record.parts.iter().map(|(_, ty)| ty)),
            Self::Flags(flags) => 4 * flags.parts.len().div_ceil(32) as u64,
            _ => 8,
        }
    }

    /// How many core values a value of the type is where it is passed as such.
    pub(crate) fn flat_count(&self) -> usize {
        let most = |types: &mut dyn Iterator<Item = &Self>| types.map(Self::flat_count).max().unwrap_or_default();
        match self {
            Self::String | Self::List(_) | Self::Map(..) => 2,
            Self::FixedList(ty, count) => ty.flat_count().saturating_mul(*count as usize),
            Self::Option(ty) => ty.flat_count().saturating_add(1),
            Self::Result { ok, err } => most(&mut ok.iter().chain(err).map(|ty| &**ty)).saturating_add(1),
            Self::Variant(variant) => {
                most(&mut variant.parts.iter().filter_map(|(_, ty)| ty.as_ref())).saturating_add(1)
            }
            Self::Tuple(types) => types.iter().map(Self::flat_count).fold(0, usize::saturating_add),
            Self::Record(record) => record.parts.iter().map(|(_, ty)| ty.flat_count()).fold(0, usize::saturating_add),
            Self::Flags(flags) => flags.parts.len().div_ceil(32),
            _ => 1,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let simple = match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::S8 => "s8",
            Self::S16 => "s16",
            Self::S32 => "s32",
            Self::S64 => "s64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::ErrorContext => "error-context",
            Self::List(ty) => return write!(f, "list<{ty}>"),
            Self::FixedList(ty, len) => return write!(f, "list<{ty}, {len}>"),
            Self::Map(key, value) => return write!(f, "map<{key}, {value}>"),
            Self::Option(ty) => return write!(f, "option<{ty}>"),
            Self::Result { ok: None, err: None } => "result",
            Self::Result { ok: Some(ok), err: None } => return write!(f, "result<{ok}>"),
            Self::Result { ok: None, err: Some(err) } => return write!(f, "result<_, {err}>"),
            Self::Result { ok: Some(ok), err: Some(err) } => return write!(f, "result<{ok}, {err}>"),
            Self::Tuple(types) => {
                let types: Vec<String> = types.iter().map(Type::to_string).collect();
                return write!(f, "tuple<{}>", types.join(", "));
            }
            Self::Record(Named { name, .. }) | Self::Variant(Named { name, .. }) => name,
            Self::Enum(Named { name, .. }) | Self::Flags(Named { name, .. }) => name,
            Self::Own(resource) => &resource.name,
            Self::Borrow(resource) => return write!(f, "borrow<{}>", resource.name),
            Self::Future(None) => "future",
            Self::Future(Some(ty)) => return write!(f, "future<{ty}>"),
            Self::Stream(None) => "stream",
            Self::Stream(Some(ty)) => return write!(f, "stream<{ty}>"),
        };
        f.write_str(simple)
    }
}
