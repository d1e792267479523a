//! Rust types for WIT types, on the application's side. Wasmtime's derives do the conversion.

use std::collections::HashMap;
use std::fmt;

use heck::ToUpperCamelCase;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Docs, Flag, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner};

use super::resources::Handles;
use crate::bindgen::holds_handle;

/// Where types are found, and what handles of resources are among them.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) resolve: &'a Resolve,
    pub(super) places: &'a Places,
    pub(super) handles: Handles,
}

/// Where each interface is found: it is a module, and all modules are siblings.
pub(super) struct Places {
    pub(super) modules: HashMap<InterfaceId, Ident>,
    /// The traits of those that the application serves.
    pub(super) hosts: HashMap<InterfaceId, Ident>,
    /// The handles to those that the application calls.
    pub(super) called: HashMap<InterfaceId, Ident>,
}

/// What WIT can say and bindings cannot.
#[derive(Debug)]
pub(super) enum Unsupported {
    /// A kind of type, as WIT calls it.
    Kind(&'static str),
    /// A type with this name that is in no interface.
    Homeless(String),
    /// An async function of this name.
    Async(String),
    /// A record or variant, and the resource of which it holds a handle.
    Inside(String, String),
    /// A resource of an interface that the application does not serve: its name, and the interface's.
    NotServed(String, String),
    /// A resource of an interface that the application does not call: its name, and the interface's.
    NotCalled(String, String),
    /// Two functions that would be one method: their names, and the method's.
    SameMethod(String, String, Ident),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "the type `{kind}` is not supported in bindings of an application yet"),
            Self::Homeless(name) => write!(f, "the type `{name}` is in no interface"),
            Self::Async(name) => write!(f, "`{name}` is an async function, and those are not supported yet"),
            Self::Inside(name, resource) => write!(
                f,
                "the type `{name}` holds a handle of `{resource}`, and handles inside of records and variants are not supported \
                 yet\n  help: pass the handle beside it"
            ),
            Self::NotServed(resource, interface) => write!(
                f,
                "it passes handles of `{resource}`, whose interface the application does not serve\n  \
                 help: list `{interface}` under `serves`, too"
            ),
            Self::NotCalled(resource, interface) => write!(
                f,
                "it passes handles of `{resource}`, whose interface the application does not call\n  \
                 help: list `{interface}` under `interfaces`, too"
            ),
            Self::SameMethod(one, two, method) => write!(
                f,
                "`{one}` and `{two}` would both be the method `{method}`\n  help: rename one of them in the WIT"
            ),
        }
    }
}

/// A WIT name as Rust names types and cases. There is one that Rust keeps for itself.
pub(super) fn camel(name: &str) -> String {
    match name.to_upper_camel_case() {
        name if name == "Self" => "Self_".to_owned(),
        name => name,
    }
}

/// A WIT name as Rust names modules, functions, parameters and fields; keywords get a `_`.
pub(super) fn snake(name: &str, span: Span) -> Ident {
    match name {
        // A keyword since the edition of 2024.
        "gen" => Ident::new("gen_", span),
        name => Ident::new(&wit_bindgen_rust::to_rust_ident(name), span),
    }
}

/// The documentation of an item, or a sentence in its place.
pub(super) fn docs(docs: &Docs, otherwise: &str) -> TokenStream {
    let text = docs.contents.as_deref().unwrap_or(otherwise);
    let lines = text.trim_end().lines().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}

impl Types<'_> {
    /// The definition of a named type of the interface `home`.
    pub(super) fn definition(&self, id: TypeId, home: InterfaceId) -> Result<TokenStream, Unsupported> {
        let def = &self.resolve.types[id];
        let holds_handle = holds_handle(self.resolve, Type::Id(id));
        if holds_handle && let Some(instead) = self.instead_of_definition(id, home)? {
            return Ok(instead);
        }
        let wit_name = def.name.as_deref().unwrap_or_default();
        let name = format_ident!("{}", camel(wit_name));
        let docs = docs(&def.docs, &format!("`{wit_name}`."));
        let form = self.form(id);
        let derives = match holds_handle {
            // Wasmtime does not know the handles that the application has.
            true => quote!(#[derive(Debug, Clone, PartialEq)] #form),
            false => quote! {
                #[derive(
                    Debug, Clone, PartialEq,
                    wasmtime::component::ComponentType, wasmtime::component::Lift, wasmtime::component::Lower,
                )]
                #[component(wasmtime_crate = ::kokoro_host::rt::wasmtime)]
                #form
            },
        };
        let component = |what: TokenStream| (!holds_handle).then(|| quote!(#[component(#what)]));
        Ok(match &def.kind {
            TypeDefKind::Record(record) => {
                let mut fields = Vec::new();
                for field in &record.fields {
                    let docs = self::docs(&field.docs, &format!("`{}`.", field.name));
                    let (wit_name, ident) = (&field.name, snake(&field.name, Span::call_site()));
                    let (ty, named) = (self.owned(&field.ty)?, component(quote!(name = #wit_name)));
                    fields.push(quote!(#docs #named pub #ident: #ty));
                }
                let record = component(quote!(record));
                quote!(#docs #derives #record pub struct #name { #(#fields),* })
            }
            TypeDefKind::Variant(variant) => {
                let mut cases = Vec::new();
                for case in &variant.cases {
                    let docs = self::docs(&case.docs, &format!("`{}`.", case.name));
                    let (wit_name, ident) = (&case.name, format_ident!("{}", camel(&case.name)));
                    let value = match &case.ty {
                        Some(ty) => {
                            let ty = self.owned(ty)?;
                            quote!((#ty))
                        }
                        None => quote!(),
                    };
                    let named = component(quote!(name = #wit_name));
                    cases.push(quote!(#docs #named #ident #value));
                }
                let variant = component(quote!(variant));
                quote!(#docs #derives #variant pub enum #name { #(#cases),* })
            }
            TypeDefKind::Enum(def) => {
                let cases = def.cases.iter().map(|case| {
                    let docs = self::docs(&case.docs, &format!("`{}`.", case.name));
                    let (wit_name, ident) = (&case.name, format_ident!("{}", camel(&case.name)));
                    quote!(#docs #[component(name = #wit_name)] #ident)
                });
                let repr = match def.cases.len() {
                    0..=0x100 => quote!(u8),
                    0x101..=0x1_0000 => quote!(u16),
                    _ => quote!(u32),
                };
                quote!(#docs #derives #[derive(Copy, Eq)] #[component(enum)] #[repr(#repr)] pub enum #name { #(#cases),* })
            }
            TypeDefKind::Flags(flags) => {
                let ident = |flag: &Flag| format_ident!("{}", flag.name.replace('-', "_").to_uppercase());
                let idents = flags.flags.iter().map(ident).collect::<Vec<_>>();
                let names = flags.flags.iter().map(|flag| &flag.name);
                let form = self.form_of_flags(&name, &idents);
                quote! {
                    wasmtime::component::flags!(#name { #(#[component(name = #names)] const #idents;)* });
                    #form
                }
            }
            TypeDefKind::Type(Type::Id(used)) if self.home(*used) != Some(home) && self.home(*used).is_some() => {
                let used = self.path(*used)?;
                quote!(#docs pub use #used as #name;)
            }
            _ => {
                let ty = self.kind(def)?;
                quote!(#docs pub type #name = #ty;)
            }
        })
    }

    /// The owned Rust type, as seen from inside of any of the modules.
    pub(super) fn owned(&self, ty: &Type) -> Result<TokenStream, Unsupported> {
        Ok(match ty {
            Type::Bool => quote!(bool),
            Type::U8 => quote!(u8),
            Type::U16 => quote!(u16),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::S8 => quote!(i8),
            Type::S16 => quote!(i16),
            Type::S32 => quote!(i32),
            Type::S64 => quote!(i64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::Char => quote!(char),
            Type::String => quote!(::std::string::String),
            Type::ErrorContext => return Err(Unsupported::Kind("error-context")),
            Type::Id(id) => match self.home(*id) {
                // What holds handles is another type on each side, so its name stands for none where the application serves.
                Some(_) if !holds_handle(self.resolve, *ty) || self.is_held(*id) => self.path(*id)?,
                _ => self.kind(&self.resolve.types[*id])?,
            },
        })
    }

    /// The type of a parameter of a method of ours, and the owned value that is made of it.
    pub(super) fn borrowed(&self, ty: &Type, ident: &Ident) -> Result<(TokenStream, TokenStream), Unsupported> {
        let owned = self.owned(ty)?;
        Ok(match self.resolved(ty) {
            Type::String => (quote!(&str), quote!(::std::string::String::from(#ident))),
            Type::Id(id) => match &self.resolve.types[id].kind {
                TypeDefKind::List(element) => {
                    let element = self.owned(element)?;
                    (quote!(&[#element]), quote!(#ident.to_vec()))
                }
                _ if self.is_copy(ty) => (owned, quote!(#ident)),
                _ => (quote!(&#owned), quote!(::core::clone::Clone::clone(#ident))),
            },
            _ => (owned, quote!(#ident)),
        })
    }

    /// What stands behind aliases.
    pub(super) fn resolved(&self, ty: &Type) -> Type {
        match ty {
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Type(ty) => self.resolved(ty),
                _ => *ty,
            },
            _ => *ty,
        }
    }

    /// Whether the type is `result<_, string>`, by whatever name.
    pub(super) fn fails_as_string(&self, ty: &Type) -> bool {
        let Type::Id(id) = self.resolved(ty) else { return false };
        match &self.resolve.types[id].kind {
            TypeDefKind::Result(result) => result.err.is_some_and(|error| self.resolved(&error) == Type::String),
            _ => false,
        }
    }

    /// Whether values are so small and plain that they are passed as they are.
    fn is_copy(&self, ty: &Type) -> bool {
        match self.resolved(ty) {
            Type::String | Type::ErrorContext => false,
            Type::Id(id) => match &self.resolve.types[id].kind {
                TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => true,
                TypeDefKind::Option(ty) => self.is_copy(ty),
                TypeDefKind::Tuple(tuple) => tuple.types.iter().all(|ty| self.is_copy(ty)),
                TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).all(|ty| self.is_copy(ty)),
                _ => false,
            },
            _ => true,
        }
    }

    /// The interface in which a type has its name, if it has one.
    pub(super) fn home(&self, id: TypeId) -> Option<InterfaceId> {
        let def = &self.resolve.types[id];
        match (&def.name, def.owner) {
            (Some(_), TypeOwner::Interface(home)) => Some(home),
            _ => None,
        }
    }

    pub(super) fn path(&self, id: TypeId) -> Result<TokenStream, Unsupported> {
        let def = &self.resolve.types[id];
        let name = def.name.as_deref().unwrap_or_default();
        let home = self.home(id).and_then(|home| self.places.modules.get(&home));
        let home = home.ok_or_else(|| Unsupported::Homeless(name.to_owned()))?;
        let name = format_ident!("{}", camel(name));
        Ok(quote!(super::#home::#name))
    }

    /// The type that a definition stands for, if it has no name of its own or is an alias.
    fn kind(&self, def: &TypeDef) -> Result<TokenStream, Unsupported> {
        let optional = |ty: &Option<Type>| match ty {
            Some(ty) => self.owned(ty),
            None => Ok(quote!(())),
        };
        Ok(match &def.kind {
            TypeDefKind::Option(ty) => {
                let ty = self.owned(ty)?;
                quote!(::core::option::Option<#ty>)
            }
            TypeDefKind::Result(result) => {
                let (ok, err) = (optional(&result.ok)?, optional(&result.err)?);
                quote!(::core::result::Result<#ok, #err>)
            }
            TypeDefKind::List(ty) => {
                let ty = self.owned(ty)?;
                quote!(::std::vec::Vec<#ty>)
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.owned(ty)).collect::<Result<Vec<_>, _>>()?;
                quote!((#(#types,)*))
            }
            TypeDefKind::Type(ty) => self.owned(ty)?,
            TypeDefKind::Handle(handle) => self.handle(handle)?,
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) => return Err(self.inside(def)),
            other => return Err(Unsupported::Kind(other.as_str())),
        })
    }
}
