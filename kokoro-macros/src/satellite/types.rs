//! Keeps the types of what wit-bindgen generated, and gives them their form. All else there is for WebAssembly.

use std::collections::HashMap;

use heck::ToUpperCamelCase;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::{File, ImplItem, Item, ItemImpl, Type, UseTree, Visibility, parse_quote};
use wit_parser::{InterfaceId, Type as WitType, WorldId, WorldItem};

use super::servable::has_form;
use crate::generated::module_path;
use crate::wit::Wit;

/// Names of types that have no form, in the modules that they are in.
pub(super) type Formless = HashMap<Vec<String>, Vec<String>>;

/// The types without a form, of all interfaces of a world. No function that is served has anything to do with them; they stand
/// in the interfaces that others take their types from.
pub(super) fn formless(wit: &Wit, world: WorldId) -> Formless {
    let world = &wit.resolve.worlds[world];
    let interface = |item: &WorldItem| if let WorldItem::Interface { id, .. } = item { Some(*id) } else { None };
    let names = |id: InterfaceId| {
        let types = wit.resolve.interfaces[id].types.iter();
        let formless = types.filter(|(_, ty)| !has_form(&wit.resolve, WitType::Id(**ty)));
        formless.map(|(name, _)| name.to_upper_camel_case()).collect::<Vec<_>>()
    };
    let imports = world.imports.values().filter_map(interface).map(|id| (module_path(id, false, wit), names(id)));
    let exports = world.exports.values().filter_map(interface).map(|id| (module_path(id, true, wit), names(id)));
    imports.chain(exports).collect()
}

/// Keeps types, with derives.
pub(super) fn keep(generated: &mut File, formless: &Formless) {
    keep_in(&mut generated.items, &mut Vec::new(), formless);
    generated.items.push(parse_quote! {
        mod _rt {
            pub use ::std::string::String;
            pub use ::std::vec::Vec;
        }
    });
}

fn keep_in(items: &mut Vec<Item>, path: &mut Vec<String>, formless: &Formless) {
    let no_form = formless.get(path).map_or(&[][..], Vec::as_slice);
    let is_kept = |name: &Ident| !no_form.iter().any(|formless| name == formless);
    let mut flags = Vec::new();
    items.retain_mut(|item| match item {
        Item::Mod(module) if module.ident == "_rt" => false,
        Item::Mod(module) => {
            path.push(module.ident.to_string());
            if let Some((_, items)) = &mut module.content {
                keep_in(items, path, formless);
            }
            path.pop();
            true
        }
        Item::Struct(item) if matches!(item.vis, Visibility::Public(_)) && is_kept(&item.ident) => {
            derive(&mut item.attrs);
            true
        }
        Item::Enum(item) if is_kept(&item.ident) => {
            derive(&mut item.attrs);
            true
        }
        Item::Type(item) => matches!(item.vis, Visibility::Public(_)) && is_kept(&item.ident),
        Item::Impl(block) => name_of(block).is_some_and(is_kept) && keep_impl(block),
        Item::Macro(item) if item.mac.path.segments.last().is_some_and(|last| last.ident == "bitflags") => {
            flags.extend(form_of_flags(item.mac.tokens.clone()));
            true
        }
        Item::Use(item) => is_used(&item.tree),
        _ => false,
    });
    items.extend(flags);
}

/// Whether types need what is used: the module `_rt`, or an interface that is found elsewhere.
fn is_used(used: &UseTree) -> bool {
    match used {
        UseTree::Path(path) => is_used(&path.tree),
        UseTree::Name(name) => name.ident == "_rt",
        UseTree::Rename(name) => name.rename.to_string().starts_with("__with_name"),
        _ => false,
    }
}

fn derive(attributes: &mut Vec<syn::Attribute>) {
    attributes
        .push(parse_quote!(#[derive(::kokoro_satellite::rt::value::Encode, ::kokoro_satellite::rt::value::Decode)]));
    attributes.push(parse_quote!(#[value(crate = ::kokoro_satellite::rt::value)]));
}

/// Keeps what a block has for people.
fn keep_impl(block: &mut ItemImpl) -> bool {
    block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.unsafety.is_some()));
    block.unsafety.is_none() && (block.trait_.is_some() || !block.items.is_empty())
}

fn name_of(block: &ItemImpl) -> Option<&Ident> {
    let Type::Path(path) = &*block.self_ty else { return None };
    path.path.segments.last().map(|segment| &segment.ident)
}

/// The form of flags, from what is inside of `bitflags!`: `pub struct Name: u8 { const A = 1 << 0; .. }`.
fn form_of_flags(inside: TokenStream) -> Vec<Item> {
    let mut tokens =
        inside.into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "struct"));
    let (Some(_), Some(TokenTree::Ident(name)), Some(_), Some(TokenTree::Ident(bits)), Some(TokenTree::Group(flags))) =
        (tokens.next(), tokens.next(), tokens.next(), tokens.next(), tokens.next())
    else {
        return Vec::new();
    };
    let is_flag = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "const");
    let count = flags.stream().into_iter().filter(is_flag).count();
    let value = quote!(::kokoro_satellite::rt::value);
    let encode = parse_quote! {
        impl #value::Encode for #name {
            fn encode(&self, to: &mut #value::Encoder) {
                to.flags(&Self::bits(&Self::all().intersection(*self)).to_le_bytes(), #count);
            }
        }
    };
    let decode = parse_quote! {
        impl #value::Decode for #name {
            const MIN_SIZE: usize = #value::flags_size(#count);

            fn decode(from: &mut #value::Decoder<'_>) -> ::core::result::Result<Self, #value::DecodeError> {
                let mut bytes = [0; ::core::mem::size_of::<#bits>()];
                let flags = from.flags(#count)?;
                bytes[..flags.len()].copy_from_slice(flags);
                ::core::result::Result::Ok(Self::from_bits_truncate(#bits::from_le_bytes(bytes)))
            }
        }
    };
    vec![encode, decode]
}
