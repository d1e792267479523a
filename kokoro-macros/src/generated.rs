//! What both halves do with wit-bindgen's output.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, Item, ItemTrait, Pat, Signature, TraitItem, TraitItemFn};
use wit_bindgen_core::name_package_module;
use wit_parser::InterfaceId;

use crate::wit::Wit;

/// Where wit-bindgen puts an interface.
pub(crate) fn module_path(id: InterfaceId, is_exported: bool, wit: &Wit) -> Vec<String> {
    let interface = &wit.resolve.interfaces[id];
    let package = interface.package.expect("interfaces that are looked up by name are in a package");
    let rust = wit_bindgen_rust::to_rust_ident;
    let mut path = if is_exported { vec!["exports".to_owned()] } else { Vec::new() };
    path.push(rust(&wit.resolve.packages[package].name.namespace));
    path.push(name_package_module(&wit.resolve, package));
    path.push(rust(interface.name.as_deref().unwrap_or_default()));
    path
}

/// The items of the module at `path` below `items`.
pub(crate) fn module<'a>(items: &'a mut Vec<Item>, path: &[String]) -> Option<&'a mut Vec<Item>> {
    let Some((first, rest)) = path.split_first() else { return Some(items) };
    let inside = items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == first => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })?;
    module(inside, rest)
}

/// Gives all tokens one span.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let respanned = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut new = proc_macro2::Group::new(group.delimiter(), respan(group.stream(), span));
            new.set_span(span);
            TokenTree::Group(new)
        }
        mut other => {
            other.set_span(span);
            other
        }
    });
    respanned.collect()
}

/// Whether an identifier occurs in some syntax.
pub(crate) fn mentions(node: &impl ToTokens, name: &str) -> bool {
    fn within(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => within(group.stream(), name),
            _ => false,
        })
    }
    within(node.to_token_stream(), name)
}

/// The names of a function's parameters, without the receiver.
pub(crate) fn arguments(signature: &Signature) -> Vec<Ident> {
    let name = |input: &FnArg| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some(name.ident.clone()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    };
    signature.inputs.iter().filter_map(name).collect()
}

/// A trait of a module.
pub(crate) fn find_trait(items: &[Item], name: &str) -> Option<ItemTrait> {
    items.iter().find_map(|item| match item {
        Item::Trait(item) if item.ident == name => Some(item.clone()),
        _ => None,
    })
}

/// The functions of a wit-bindgen trait that come from the interface: all but those for its own use.
pub(crate) fn functions(item: &ItemTrait) -> impl Iterator<Item = &TraitItemFn> {
    item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(function) if function.default.is_none() => Some(function),
        _ => None,
    })
}

/// A function as the author implements it: with the same documentation, and with `receiver` in front.
pub(crate) fn declare(function: &TraitItemFn, receiver: &[FnArg]) -> TokenStream {
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let mut signature = function.sig.clone();
    let own = signature.inputs.into_iter().filter(|input| matches!(input, FnArg::Typed(_)));
    signature.inputs = receiver.iter().cloned().chain(own).collect();
    quote!(#(#docs)* #signature;)
}
