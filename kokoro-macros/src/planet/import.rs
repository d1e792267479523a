//! Adapts wit-bindgen's module of an imported interface.

use heck::ToSnakeCase;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parse;
use syn::{ImplItem, Item, ReturnType, Signature, Type, Visibility};

use super::syntax;
use crate::generated::{arguments, mentions, respan};

/// Makes an optional interface reachable only through what `if_bound()` gives: hides its free functions, constructors
/// and static functions, and adds `Bound`, which has them as methods.
///
/// `interface` is the full name, `span` the literal with it, which error messages then point at. The error is what stands
/// in the way.
pub(super) fn only_if_bound(items: &mut Vec<Item>, interface: &str, span: Span) -> Result<(), String> {
    let mut methods = Vec::new();
    let mut names = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
                hide(function, |function| &mut function.vis, span);
                let name = function.sig.ident.clone();
                names.push(name.clone());
                methods.push(method(&function.attrs, &function.sig, &name, &quote!(self::#name), None));
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let Some(resource) = type_name(&block.self_ty) else { continue };
                for item in &mut block.items {
                    let ImplItem::Fn(function) = item else { continue };
                    let is_public = matches!(function.vis, Visibility::Public(_));
                    if !is_public || function.sig.receiver().is_some() || function.sig.unsafety.is_some() {
                        continue;
                    }
                    hide(function, |function| &mut function.vis, span);
                    let own = &function.sig.ident;
                    let snake = resource.to_string().to_snake_case();
                    let name = if is_constructor(&function.sig) {
                        format_ident!("new_{snake}")
                    } else {
                        format_ident!("{snake}_{own}")
                    };
                    names.push(name.clone());
                    methods.push(method(
                        &function.attrs,
                        &function.sig,
                        &name,
                        &quote!(#resource::#own),
                        Some(&resource),
                    ));
                }
            }
            _ => {}
        }
        if item_name(item).is_some_and(|name| name == "Bound" || name == "if_bound") {
            return Err(format!(
                "`{interface}` cannot be optional: it declares a name that the way to an optional interface needs \
                 (`bound` or `if-bound`)\n  help: rename it in the WIT, or list the interface under `requires`"
            ));
        }
    }
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!(
            "`{interface}` cannot be optional: two of its functions would be called `{}` there\n  \
             help: rename one in the WIT, or list the interface under `requires`",
            pair[0],
        ));
    }
    let summary = format!("Proof that `{interface}` has a provider, and the way to it. Made by [`if_bound`].");
    items.push(syn::parse_quote! {
        #[doc = #summary]
        ///
        /// It holds until the exported call that asked has ended: ask again in each call, do not keep it.
        #[derive(Debug)]
        pub struct Bound {
            not_send: ::core::marker::PhantomData<*const ()>,
        }
    });
    items.push(syn::parse_quote! {
        /// The interface, if it has a provider now.
        #[must_use]
        pub fn if_bound() -> ::core::option::Option<Bound> {
            ::kokoro_guest::rt::is_bound(#interface).then_some(Bound { not_send: ::core::marker::PhantomData })
        }
    });
    items.push(syn::parse_quote! { impl Bound { #(#methods)* } });
    Ok(())
}

/// Makes a function private to its module. Whoever calls it all the same is led to `span`.
fn hide<T: ToTokens + Parse>(function: &mut T, visibility: impl FnOnce(&mut T) -> &mut Visibility, span: Span) {
    *visibility(function) = Visibility::Inherited;
    // The place of the literal, but still the macro's code: what the author's crate forbids does not concern it.
    let span = Span::call_site().located_at(span);
    if let Ok(respanned) = syn::parse2(respan(function.to_token_stream(), span)) {
        *function = respanned;
    }
}

/// A method of `Bound` that hands its arguments to `target`. In the signature, `Self` meant `resource`.
fn method(
    attributes: &[syn::Attribute],
    signature: &Signature,
    name: &Ident,
    target: &TokenStream,
    resource: Option<&Ident>,
) -> TokenStream {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let parameters = &signature.inputs;
    let arguments = arguments(signature);
    let mut output = signature.output.clone();
    if let Some(resource) = resource {
        syntax::rename(&mut output, "Self", resource);
    }
    quote! {
        #(#docs)*
        pub fn #name(&self, #parameters) #output {
            #target(#(#arguments),*)
        }
    }
}

/// Whether a function of a resource is its constructor: wit-bindgen writes `Self` for those alone.
fn is_constructor(signature: &Signature) -> bool {
    let ReturnType::Type(_, ty) = &signature.output else { return false };
    signature.ident == "new" && mentions(ty, "Self")
}

fn type_name(ty: &Type) -> Option<Ident> {
    if let Type::Path(path) = ty { path.path.get_ident().cloned() } else { None }
}

fn item_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}
