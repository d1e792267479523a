//! Adapts wit-bindgen's module of an exported interface to a Planet that is a value.
//!
//! wit-bindgen wants functions without a receiver. The author writes methods on `&mut self`, in the traits that are
//! generated here, in a module that takes the place and name of wit-bindgen's (which moves beside it, so that `super::`
//! leads to the same places in both).
//! Between the two stands `Glue`, generic over the author's type, so that a missing implementation is one error.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;
use syn::{FnArg, Item, ItemImpl, ItemTrait, Signature, TraitItem, Type};

use super::syntax::Prefixed;
use crate::generated::{arguments, declare, find_trait, functions, mentions, respan};

/// An exported interface.
#[derive(Debug)]
pub(super) struct Export<'a> {
    /// Its full name.
    pub(super) interface: &'a str,
    /// What its module is called at the call site.
    pub(super) shown: &'a Ident,
    /// The name of the module, in wit-bindgen's words.
    pub(super) module: &'a Ident,
    /// The name that wit-bindgen's own module has now.
    pub(super) raw: &'a Ident,
    /// `super::` as often as it takes from its module to the top.
    pub(super) top: TokenStream,
    /// The literal that lists it.
    pub(super) span: Span,
}

/// A resource: the name of its handle type, its trait and the functions in it.
struct Resource {
    handle: Ident,
    name: Ident,
    item: ItemTrait,
}

/// Gives way in wit-bindgen's module `items`, and returns the module for the author.
pub(super) fn adapt(items: &mut [Item], export: &Export<'_>) -> TokenStream {
    let Export { module, raw, top, span, .. } = export;
    let Some(guest) = find_trait(items, "Guest") else {
        return quote!(pub mod #module { pub use super::#raw::*; });
    };
    let resources: Vec<Resource> = guest.items.iter().filter_map(|item| resource(items, item)).collect();
    hide_raw(items, &resources);

    let guest_trait = guest_trait(&guest, &resources, export);
    let guest_glue = guest_glue(&guest, &resources, export);
    let resource_items = resources.iter().map(|resource| resource_items(resource, export));
    // With resources, the functions of their handles say it already.
    let check = resources.is_empty().then(|| {
        let check = quote! {
            pub fn implemented<P_: Guest>() {}
            const _: fn() = implemented::<#top __KokoroState>;
        };
        respan(check, *span)
    });
    quote! {
        pub mod #module {
            pub use super::#raw::*;
            use #top _rt;

            #guest_trait
            #guest_glue
            #(#resource_items)*

            /// Leads to `Glue` by way of `Guest`: if that is not implemented, all exported functions fail alike, and the
            /// compiler says it once.
            pub trait __Exported {
                type Glue;
            }

            impl<P_: Guest> __Exported for P_ {
                type Glue = #top Glue<P_>;
            }

            #check
        }
    }
}

/// `type Cursor: GuestCursor;` in `Guest` stands for a resource.
fn resource(items: &[Item], item: &TraitItem) -> Option<Resource> {
    let TraitItem::Type(associated) = item else { return None };
    let name = format_ident!("Guest{}", associated.ident);
    let item = find_trait(items, &name.to_string())?;
    // wit-bindgen calls the handle of a resource `guest` `Guest_`, and its trait `GuestGuest`.
    let handle = if associated.ident == "Guest" { format_ident!("Guest_") } else { associated.ident.clone() };
    Some(Resource { handle, name, item })
}

/// Renames wit-bindgen's functions of the handle types, so that the author's can have the names.
fn hide_raw(items: &mut [Item], resources: &[Resource]) {
    let handles: Vec<Ident> = resources.iter().map(|resource| resource.handle.clone()).collect();
    let borrows: Vec<Ident> = handles.iter().map(|handle| format_ident!("{handle}Borrow")).collect();
    for item in items {
        match item {
            Item::Impl(block) if is_of(block, &handles) || is_of(block, &borrows) => {
                for item in &mut block.items {
                    let syn::ImplItem::Fn(function) = item else { continue };
                    if ["new", "get", "get_mut", "into_inner"].iter().any(|name| function.sig.ident == name) {
                        function.sig.ident = Prefixed::name(&function.sig.ident);
                        function.attrs = vec![syn::parse_quote!(#[doc(hidden)])];
                    }
                }
            }
            Item::Fn(function) => Prefixed { resources: &handles }.visit_item_fn_mut(function),
            _ => {}
        }
    }
}

fn is_of(block: &ItemImpl, types: &[Ident]) -> bool {
    let Type::Path(path) = &*block.self_ty else { return false };
    block.trait_.is_none() && path.path.segments.last().is_some_and(|segment| types.contains(&segment.ident))
}

/// `Guest` as the author implements it.
fn guest_trait(guest: &ItemTrait, resources: &[Resource], export: &Export<'_>) -> TokenStream {
    let Export { interface, shown, span, .. } = export;
    let types = resources.iter().map(|Resource { handle, name, .. }| {
        let docs = format!("What a [`{handle}`] refers to.");
        quote!(#[doc = #docs] type #handle: #name<Self>;)
    });
    let declared = functions(guest).map(|function| declare(function, &[syn::parse_quote!(&mut self)]));
    let names = functions(guest).map(|function| format!("`{}`", function.sig.ident));
    let names: Vec<String> = resources.iter().map(|resource| format!("`{}`", resource.handle)).chain(names).collect();
    let message = format!("`{{Self}}` does not implement `{shown}::Guest`, but exports `{interface}`");
    let note = format!("write `impl {shown}::Guest for {{Self}} {{{{ .. }}}}` with {}", names.join(", "));
    let docs = format!("What a planet that exports `{interface}` implements. Calls come one at a time.");
    let item = quote! {
        #[doc = #docs]
        #[diagnostic::on_unimplemented(message = #message, label = "exported here", note = #note)]
        pub trait Guest: Sized + 'static {
            #(#types)*
            #(#declared)*
        }
    };
    respan(item, *span)
}

/// wit-bindgen's `Guest` in terms of the author's.
fn guest_glue(guest: &ItemTrait, resources: &[Resource], export: &Export<'_>) -> TokenStream {
    let Export { raw, top, .. } = export;
    let types = resources
        .iter()
        .map(|Resource { handle, .. }| quote!(type #handle = ::kokoro_guest::rt::Shared<P_, <P_ as Guest>::#handle>;));
    let functions = functions(guest).map(|function| {
        let signature = &function.sig;
        let (name, arguments) = (&signature.ident, arguments(signature));
        quote! {
            #signature {
                ::kokoro_guest::rt::call::<P_, _>(move |__planet| <P_ as Guest>::#name(__planet, #(#arguments),*))
            }
        }
    });
    quote! {
        impl<P_: Guest + ::kokoro_guest::Planet + ::kokoro_guest::rt::Singleton> super::#raw::Guest for #top Glue<P_> {
            #(#types)*
            #(#functions)*
        }
    }
}

/// All that belongs to one resource: the author's trait, wit-bindgen's in terms of it, and handles that know the
/// author's type.
fn resource_items(resource: &Resource, export: &Export<'_>) -> TokenStream {
    let Resource { handle, name, item } = resource;
    let Export { interface, shown, raw, top, span, .. } = export;
    let mut declared = Vec::new();
    let mut glue = Vec::new();
    for function in functions(item) {
        let planet = planet_parameter(&function.sig);
        let receiver: Vec<FnArg> = match function.sig.receiver() {
            Some(_) => vec![syn::parse_quote!(&mut self), planet],
            None => vec![planet],
        };
        declared.push(declare(function, &receiver));
        glue.push(resource_glue(&function.sig, name));
    }
    let message = format!("`{{Self}}` does not implement `{shown}::{name}`, but is `{handle}` of `{interface}`");
    let note = format!("write `impl {shown}::{name}<{{P_}}> for {{Self}} {{{{ .. }}}}`");
    let docs = format!("What a [`{handle}`] refers to, for the planet `P_`.");
    let value = format_ident!("__{handle}Value");
    let shared = quote!(::kokoro_guest::rt::Shared<#top __KokoroState, #value>);
    let borrow = format_ident!("{handle}Borrow");
    let get_docs = "The value behind the handle.\n\n# Panics\n\nIf it is borrowed mutably at the moment.";
    let get_mut_docs = "The value behind the handle, to change it.\n\n# Panics\n\nIf it is borrowed at the moment.";
    let item = quote! {
        #[doc = #docs]
        #[diagnostic::on_unimplemented(message = #message, note = #note)]
        pub trait #name<P_>: Sized + 'static {
            #(#declared)*
        }
    };
    let code = quote! {
        #item

        impl<P_, T_> super::#raw::#name for ::kokoro_guest::rt::Shared<P_, T_>
        where
            P_: ::kokoro_guest::Planet + ::kokoro_guest::rt::Singleton,
            T_: #name<P_>,
        {
            #(#glue)*
        }

        type #value = <#top __KokoroState as Guest>::#handle;

        impl #handle {
            /// Makes `value` a resource of this planet, and gives the handle to it.
            pub fn new(value: #value) -> Self {
                Self::__new(<#shared>::new(value))
            }

            #[doc = #get_docs]
            #[track_caller]
            pub fn get(&self) -> ::std::cell::Ref<'_, #value> {
                self.__get::<#shared>().get()
            }

            #[doc = #get_mut_docs]
            #[track_caller]
            pub fn get_mut(&mut self) -> ::std::cell::RefMut<'_, #value> {
                self.__get::<#shared>().get_mut()
            }

            /// Ends the resource and gives its value back.
            pub fn into_inner(self) -> #value {
                self.__into_inner::<#shared>().into_inner()
            }
        }

        impl<'a> #borrow<'a> {
            #[doc = #get_docs]
            #[track_caller]
            pub fn get(&self) -> ::std::cell::Ref<'a, #value> {
                self.__get::<#shared>().get()
            }

            #[doc = #get_mut_docs]
            #[track_caller]
            pub fn get_mut(&self) -> ::std::cell::RefMut<'a, #value> {
                self.__get::<#shared>().get_mut()
            }
        }
    };
    respan(code, *span)
}

/// `planet: &mut P_`, under a name that none of the function's own parameters has.
fn planet_parameter(signature: &Signature) -> FnArg {
    let mut name = "planet".to_owned();
    while arguments(signature).iter().any(|argument| argument == &name) {
        name.push('_');
    }
    let name = Ident::new(&name, Span::call_site());
    syn::parse_quote!(#name: &mut P_)
}

/// A function of wit-bindgen's resource trait in terms of the author's.
fn resource_glue(signature: &Signature, name: &Ident) -> TokenStream {
    let (function, arguments) = (&signature.ident, arguments(signature));
    let called = if signature.receiver().is_some() {
        quote!(<T_ as #name<P_>>::#function(&mut *self.get_mut(), __planet, #(#arguments),*))
    } else {
        quote!(<T_ as #name<P_>>::#function(__planet, #(#arguments),*))
    };
    let made = match &signature.output {
        syn::ReturnType::Type(_, ty) if function == "new" && mentions(ty, "Self") => {
            if matches!(&**ty, Type::Path(path) if path.path.is_ident("Self")) {
                quote!(Self::new(#called))
            } else {
                quote!(#called.map(Self::new))
            }
        }
        _ => called,
    };
    quote! {
        #signature {
            ::kokoro_guest::rt::call::<P_, _>(move |__planet| #made)
        }
    }
}
