//! Resources: those of interfaces that the application serves, its values, of which Planets hold handles; and what is the same for
//! those of Planets (`called.rs`).
//!
//! In the application's functions a handle of the former is an `Arc` of the value; on the way to and from a Planet it is a
//! `wasmtime::component::Resource` of a type that only tells resources apart.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Function, FunctionKind, Handle, InterfaceId, Type, TypeDef, TypeDefKind, TypeId};

use super::types::{Types, Unsupported, camel, docs};
use crate::bindgen::{holds_handle, walk};

/// What a handle is.
#[derive(Clone, Copy)]
pub(super) enum Handles {
    /// What the application has of a Planet's resource.
    Held,
    /// What Wasmtime passes.
    Passed,
    /// What the application's own functions take and give.
    Shared,
}

/// A resource, found.
pub(super) struct Resource<'a> {
    /// Its name in WIT.
    pub(super) name: &'a str,
    /// The interface that defines it.
    pub(super) home: InterfaceId,
}

impl Resource<'_> {
    /// Its type, in the trait of its interface or, of a Planet's, in its module.
    pub(super) fn associated(&self) -> Ident {
        format_ident!("{}", camel(self.name))
    }

    /// What tells it apart from other resources. Names in WIT do not begin like that.
    fn tag(&self) -> Ident {
        format_ident!("__{}", camel(self.name))
    }
}

impl<'a> Types<'a> {
    /// What stands for a named type that holds handles, or is a resource, if it is not defined like others.
    pub(super) fn instead_of_definition(
        &self,
        id: TypeId,
        home: InterfaceId,
    ) -> Result<Option<TokenStream>, Unsupported> {
        let def = &self.resolve.types[id];
        let is_served = self.places.hosts.contains_key(&home);
        Ok(match &def.kind {
            TypeDefKind::Resource if is_served => {
                let tag = self.resource(id).tag();
                Some(quote! {
                    #[doc(hidden)]
                    #[derive(Debug)]
                    pub enum #tag {}
                })
            }
            TypeDefKind::Resource => match self.places.called.get(&home) {
                Some(handle) => Some(self.held_resource(id, home, handle)?),
                None => Some(quote!()),
            },
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) if is_served => return Err(self.inside(def)),
            // Where the application serves, functions say in full what they pass.
            _ if is_served || !self.are_called(id) => Some(quote!()),
            _ => None,
        })
    }

    /// Whether the application calls the interfaces of all resources that a type passes or is.
    fn are_called(&self, id: TypeId) -> bool {
        let mut are_called = true;
        walk(self.resolve, Type::Id(id), &mut |id| {
            let resource = match &self.resolve.types[id].kind {
                TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => *id,
                TypeDefKind::Resource => id,
                _ => return,
            };
            are_called &= self.places.called.contains_key(&self.resource(resource).home);
        });
        are_called
    }

    /// The resource that a type stands for, by whatever name.
    pub(super) fn resource(&self, id: TypeId) -> Resource<'a> {
        let Type::Id(id) = self.resolved(&Type::Id(id)) else { unreachable!("a resource has an id") };
        let name = self.resolve.types[id].name.as_deref().unwrap_or_default();
        Resource { name, home: self.home(id).expect("resources are defined in interfaces") }
    }

    /// The type of a handle.
    pub(super) fn handle(&self, handle: &Handle) -> Result<TokenStream, Unsupported> {
        let (Handle::Own(id) | Handle::Borrow(id)) = handle;
        let resource = self.resource(*id);
        let names = || (resource.name.to_owned(), self.resolve.id_of(resource.home).unwrap_or_default());
        if matches!(self.handles, Handles::Held) {
            if !self.places.called.contains_key(&resource.home) {
                let (name, interface) = names();
                return Err(Unsupported::NotCalled(name, interface));
            }
            let (module, name) = (&self.places.modules[&resource.home], resource.associated());
            return Ok(match handle {
                Handle::Own(_) => quote!(super::#module::#name),
                Handle::Borrow(_) => quote!(::kokoro_host::Lent<super::#module::#name>),
            });
        }
        let Some(host) = self.places.hosts.get(&resource.home) else {
            let (name, interface) = names();
            return Err(Unsupported::NotServed(name, interface));
        };
        let module = &self.places.modules[&resource.home];
        Ok(match self.handles {
            Handles::Shared => {
                let associated = resource.associated();
                quote!(::std::sync::Arc<<Self as super::#module::#host>::#associated>)
            }
            _ => {
                let tag = resource.tag();
                quote!(wasmtime::component::Resource<super::#module::#tag>)
            }
        })
    }

    /// What to say of a record or variant with a handle in it.
    pub(super) fn inside(&self, def: &TypeDef) -> Unsupported {
        let mut resource = String::new();
        let mut find = |id: TypeId| {
            if let TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) = &self.resolve.types[id].kind {
                resource = self.resource(*id).name.to_owned();
            }
        };
        let parts: Vec<Type> = match &def.kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
            _ => Vec::new(),
        };
        parts.into_iter().for_each(|part| walk(self.resolve, part, &mut find));
        Unsupported::Inside(def.name.clone().unwrap_or_default(), resource)
    }

    /// The interfaces beside `home` whose resources a function passes.
    pub(super) fn foreign(&self, function: &Function, home: InterfaceId) -> Vec<InterfaceId> {
        let mut homes = Vec::new();
        for ty in function.parameter_and_result_types() {
            walk(self.resolve, ty, &mut |id| {
                if let TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) = &self.resolve.types[id].kind {
                    homes.push(self.resource(*id).home);
                }
            });
        }
        homes.retain(|other| *other != home);
        homes
    }

    /// The resources that an interface defines: the application's types for them, and their definitions for Wasmtime.
    pub(super) fn resources(&self, home: InterfaceId) -> (Vec<TokenStream>, Vec<TokenStream>) {
        let types = self.resolve.interfaces[home].types.values();
        let defined = types.filter(|id| matches!(self.resolve.types[**id].kind, TypeDefKind::Resource));
        let both = defined.map(|id| {
            let resource = self.resource(*id);
            let (name, associated, tag) = (resource.name, resource.associated(), resource.tag());
            let otherwise =
                format!("What Planets hold handles of as `{name}`. It is dropped when nobody holds one any more.");
            let docs = docs(&self.resolve.types[*id].docs, &otherwise);
            let associated = quote! {
                #docs
                type #associated: ::core::marker::Send + ::core::marker::Sync + 'static;
            };
            (associated, quote!(__functions.resource::<#tag>(#name)?;))
        });
        both.unzip()
    }

    /// For each resource of an interface, what tells a service which type of the application is behind it.
    pub(super) fn values(&self, home: InterfaceId) -> Vec<TokenStream> {
        let (module, host) = (&self.places.modules[&home], &self.places.hosts[&home]);
        let types = self.resolve.interfaces[home].types.values();
        let defined = types.filter(|id| matches!(self.resolve.types[**id].kind, TypeDefKind::Resource));
        let value = |id: &TypeId| {
            let resource = self.resource(*id);
            let (name, associated, tag) = (resource.name, resource.associated(), resource.tag());
            quote!(.behind::<super::#module::#tag, <__T as super::#module::#host>::#associated>(#name))
        };
        defined.map(value).collect()
    }

    /// What Wasmtime passed as `value`, as the application's function takes it.
    pub(super) fn shared(&self, ty: &Type, value: TokenStream) -> TokenStream {
        self.converted(ty, value, &|handle, value| match handle {
            Handle::Own(_) => quote!(__handles.owned(#value)?),
            Handle::Borrow(_) => quote!(__handles.borrowed(#value)?),
        })
    }

    /// What the application's function gave as `value`, as Wasmtime passes it.
    pub(super) fn passed(&self, ty: &Type, value: TokenStream) -> TokenStream {
        self.converted(ty, value, &|_, value| quote!(__handles.give(#value)?))
    }

    fn converted(
        &self,
        ty: &Type,
        value: TokenStream,
        handle: &dyn Fn(&Handle, TokenStream) -> TokenStream,
    ) -> TokenStream {
        let Type::Id(id) = ty else { return value };
        if !holds_handle(self.resolve, *ty) {
            return value;
        }
        let inner = |ty: &Type| self.converted(ty, quote!(__item), handle);
        let optional = |ty: &Option<Type>| ty.as_ref().map_or(quote!(__item), inner);
        match &self.resolve.types[*id].kind {
            TypeDefKind::Handle(kind) => handle(kind, value),
            TypeDefKind::Type(ty) => self.converted(ty, value, handle),
            TypeDefKind::Option(ty) => {
                let some = inner(ty);
                quote!(match #value {
                    ::core::option::Option::Some(__item) => ::core::option::Option::Some(#some),
                    ::core::option::Option::None => ::core::option::Option::None,
                })
            }
            TypeDefKind::Result(result) => {
                let (ok, err) = (optional(&result.ok), optional(&result.err));
                quote!(match #value {
                    ::core::result::Result::Ok(__item) => ::core::result::Result::Ok(#ok),
                    ::core::result::Result::Err(__item) => ::core::result::Result::Err(#err),
                })
            }
            TypeDefKind::List(ty) => {
                let item = inner(ty);
                quote! {
                    ::core::iter::Iterator::map(::core::iter::IntoIterator::into_iter(#value), |__item| -> wasmtime::Result<_> {
                        ::core::result::Result::Ok(#item)
                    })
                    .collect::<wasmtime::Result<::std::vec::Vec<_>>>()?
                }
            }
            TypeDefKind::Tuple(tuple) => {
                let names: Vec<Ident> = (0..tuple.types.len()).map(|i| format_ident!("__item_{i}")).collect();
                let items = tuple.types.iter().zip(&names).map(|(ty, name)| self.converted(ty, quote!(#name), handle));
                quote!({
                    let (#(#names,)*) = #value;
                    (#(#items,)*)
                })
            }
            // The types of such have been refused.
            _ => value,
        }
    }

    /// What a function is called in WIT for people to read, as a method of `Host`, and which of its parameters is the
    /// resource of which it is a method.
    pub(super) fn method(&self, function: &Function) -> Method<'a> {
        let item = function.item_name();
        let resource = function.kind.resource().map(|id| self.resource(id).name);
        match (resource, &function.kind) {
            (Some(name), FunctionKind::Constructor(_)) => {
                Method { shown: format!("{name}.constructor"), name: format!("{name}-new"), receiver: None }
            }
            (Some(name), kind) => {
                let is_method = matches!(kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
                let receiver = is_method.then_some(name);
                Method { shown: format!("{name}.{item}"), name: format!("{name}-{item}"), receiver }
            }
            (None, _) => Method { shown: item.to_owned(), name: item.to_owned(), receiver: None },
        }
    }
}

/// How a function of an interface is a method of its trait.
pub(super) struct Method<'a> {
    pub(super) shown: String,
    /// In WIT's spelling.
    pub(super) name: String,
    /// The resource, whose name the first parameter has.
    pub(super) receiver: Option<&'a str>,
}
