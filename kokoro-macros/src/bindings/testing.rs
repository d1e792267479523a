//! `kokoro_test::bindings!`: the same for tests, which have one dependency and convert the types from and to values.

use heck::ToKebabCase as _;
use proc_macro2::{Group, Ident, Literal, Spacing, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::{Attribute, Field, Fields, Item, ItemEnum, ItemMod, ItemStruct, LitStr};

use crate::surroundings::Surroundings;

pub(crate) fn test_bindings(input: TokenStream, surroundings: &Surroundings) -> TokenStream {
    let generated = redirected(super::bindings(input, surroundings));
    let Ok(mut file) = syn::parse2::<syn::File>(generated.clone()) else { return generated };
    for item in &mut file.items {
        if let Item::Mod(ItemMod { content: Some((_, items)), .. }) = item {
            let values: Vec<Item> = items.iter().filter_map(value).map(Item::Verbatim).collect();
            items.extend(values);
        }
    }
    file.into_token_stream()
}

/// What is found at `::kokoro_host` is found at `::kokoro_test::kokoro_host`.
fn redirected(tokens: TokenStream) -> TokenStream {
    let (mut redirected, mut colons) = (TokenStream::new(), 0);
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut new = Group::new(group.delimiter(), self::redirected(group.stream()));
                new.set_span(group.span());
                redirected.extend([TokenTree::Group(new)]);
                colons = 0;
            }
            TokenTree::Ident(ident) if colons == 2 && ident == "kokoro_host" => {
                redirected.extend([TokenTree::Ident(Ident::new("kokoro_test", ident.span()))]);
                redirected.extend(quote!(::));
                redirected.extend([TokenTree::Ident(ident)]);
                colons = 0;
            }
            token => {
                // Of the two colons the first is joined to the second. One that stands alone before them is of `name: ::path`.
                colons = match &token {
                    TokenTree::Punct(colon)
                        if colon.as_char() == ':' && (colons == 1 || colon.spacing() == Spacing::Joint) =>
                    {
                        colons + 1
                    }
                    _ => 0,
                };
                redirected.extend([token]);
            }
        }
    }
    redirected
}

/// The conversions of a type of the interface, if the item is one.
fn value(item: &Item) -> Option<TokenStream> {
    match item {
        Item::Struct(item) => record(item),
        Item::Enum(item) => cases(item),
        Item::Macro(item) if item.mac.path.segments.last()?.ident == "flags" => flags(item.mac.tokens.clone()),
        _ => None,
    }
}

fn implementation(ident: &Ident, is: &TokenStream, from: &TokenStream, to: &TokenStream) -> TokenStream {
    let name = Literal::string(&ident.to_string().to_kebab_case());
    quote! {
        impl ::kokoro_test::Typed for #ident {
            fn wit() -> ::std::string::String {
                ::std::string::String::from(#name)
            }
            fn is(__ty: &::kokoro_test::kokoro_host::types::Type) -> bool {
                #is
            }
        }
        impl ::kokoro_test::FromValue for #ident {
            fn from_val(__val: &::kokoro_test::kokoro_host::Val) -> ::core::option::Option<Self> {
                #from
            }
        }
        impl ::kokoro_test::IntoValue for #ident {
            fn into_val(self) -> ::kokoro_test::kokoro_host::Val {
                #to
            }
        }
    }
}

fn record(item: &ItemStruct) -> Option<TokenStream> {
    component(&item.attrs)?;
    let (mut names, mut idents, mut types) = (Vec::new(), Vec::new(), Vec::new());
    for Field { attrs, ident, ty, .. } in &item.fields {
        names.push(component(attrs)?);
        idents.push(ident.as_ref()?);
        types.push(ty);
    }
    Some(implementation(
        &item.ident,
        &quote!(::kokoro_test::rt::is_record(__ty, &[#((#names, <#types as ::kokoro_test::Typed>::is)),*])),
        &quote!(::core::option::Option::Some(Self { #(#idents: ::kokoro_test::rt::field(__val, #names)?),* })),
        &quote! {
            ::kokoro_test::kokoro_host::Val::Record(::std::vec![
                #((::std::string::String::from(#names), ::kokoro_test::IntoValue::into_val(self.#idents))),*
            ])
        },
    ))
}

fn cases(item: &ItemEnum) -> Option<TokenStream> {
    component(&item.attrs)?;
    let mut names = Vec::new();
    let (mut types, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
    let is_enum = item.attrs.iter().any(|attribute| attribute.path().is_ident("repr"));
    for variant in &item.variants {
        let (name, ident) = (component(&variant.attrs)?, &variant.ident);
        match &variant.fields {
            Fields::Unit if is_enum => {
                to.push(
                    quote!(Self::#ident => ::kokoro_test::kokoro_host::Val::Enum(::std::string::String::from(#name))),
                );
                from.push(quote!(#name => ::core::option::Option::Some(Self::#ident)));
            }
            Fields::Unit => {
                types.push(quote!(::core::option::Option::None));
                to.push(quote!(Self::#ident => ::kokoro_test::rt::case(#name, ::core::option::Option::None)));
                from.push(quote!(#name => ::core::option::Option::Some(Self::#ident)));
            }
            fields => {
                let ty = &fields.iter().next()?.ty;
                types.push(quote!(::core::option::Option::Some(<#ty as ::kokoro_test::Typed>::is)));
                to.push(quote! {
                    Self::#ident(__value) => ::kokoro_test::rt::case(
                        #name, ::core::option::Option::Some(::kokoro_test::IntoValue::into_val(__value)),
                    )
                });
                from.push(
                    quote!(#name => ::core::option::Option::Some(Self::#ident(::kokoro_test::rt::payload(__val)?))),
                );
            }
        }
        names.push(name);
    }
    let is = match is_enum {
        true => quote!(::kokoro_test::rt::is_enum(__ty, &[#(#names),*])),
        false => quote!(::kokoro_test::rt::is_variant(__ty, &[#((#names, #types)),*])),
    };
    let from = quote! {
        match ::kokoro_test::rt::case_of(__val)? {
            #(#from,)*
            _ => ::core::option::Option::None,
        }
    };
    Some(implementation(&item.ident, &is, &from, &quote!(match self { #(#to),* })))
}

/// `Rights { #[component(name = "read")] const READ; .. }`
fn flags(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter();
    let (Some(TokenTree::Ident(ident)), Some(TokenTree::Group(body))) = (tokens.next(), tokens.next()) else {
        return None;
    };
    let (mut names, mut idents, mut is_next) = (Vec::new(), Vec::new(), false);
    for token in body.stream() {
        match token {
            TokenTree::Group(attribute) => {
                // `component(name = "read")`
                let inside = attribute.stream().into_iter().find_map(|token| match token {
                    TokenTree::Group(inside) => Some(inside.stream()),
                    _ => None,
                })?;
                names.push(inside.into_iter().find_map(|token| match token {
                    TokenTree::Literal(name) => Some(name),
                    _ => None,
                })?);
            }
            TokenTree::Ident(word) if word == "const" => is_next = true,
            TokenTree::Ident(name) if is_next => {
                idents.push(format_ident!("{name}"));
                is_next = false;
            }
            _ => {}
        }
    }
    Some(implementation(
        &ident,
        &quote!(::kokoro_test::rt::is_flags(__ty, &[#(#names),*])),
        &quote! {{
            let __set = ::kokoro_test::rt::flags_of(__val)?;
            let mut __flags = Self::default();
            #(if __set.iter().any(|__flag| __flag == #names) { __flags |= Self::#idents; })*
            ::core::option::Option::Some(__flags)
        }},
        &quote! {{
            let mut __set = ::std::vec::Vec::new();
            #(if (self & Self::#idents) == Self::#idents { __set.push(::std::string::String::from(#names)); })*
            ::kokoro_test::kokoro_host::Val::Flags(__set)
        }},
    ))
}

/// What `#[component(..)]` says: a name in WIT, or of a type what it is. Nothing if there is no such attribute: the type holds handles,
/// which have no values.
fn component(attributes: &[Attribute]) -> Option<String> {
    let mut said = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("component")) {
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                said = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if let Some(word) = meta.path.get_ident() {
                // `wasmtime_crate = path`
                if meta.input.peek(syn::Token![=]) {
                    meta.value()?.parse::<syn::Path>()?;
                }
                said.get_or_insert(word.to_string());
            }
            Ok(())
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_the_crate_for_tests() {
        let paths = quote!(
            a::kokoro_host::Caller,
            #[component(wasmtime_crate = ::kokoro_host::rt::wasmtime)]
            handle: ::kokoro_host::Handle,
            kokoro_host::x
        );
        let wanted = quote!(
            a::kokoro_test::kokoro_host::Caller,
            #[component(wasmtime_crate = ::kokoro_test::kokoro_host::rt::wasmtime)]
            handle: ::kokoro_test::kokoro_host::Handle,
            kokoro_host::x
        );
        assert_eq!(redirected(paths).to_string(), wanted.to_string());
    }

    #[test]
    fn what_holds_handles_has_no_values() {
        let of = |tokens: TokenStream| value(&syn::parse2(tokens).unwrap()).map(|tokens| tokens.to_string());
        assert_eq!(
            of(quote!(
                #[derive(Debug)]
                pub struct Loan {
                    pub book: Book,
                }
            )),
            None
        );
        assert_eq!(
            of(quote!(
                pub type Words = Vec<String>;
            )),
            None
        );
        let place = of(quote! {
            #[component(wasmtime_crate = ::wasmtime)]
            #[component(record)]
            pub struct MyPlace { #[component(name = "the-name")] pub the_name: String }
        });
        let place = place.unwrap();
        assert!(place.contains("\"my-place\""), "{place}");
        assert!(place.contains("field (__val , \"the-name\")"), "{place}");
    }
}
