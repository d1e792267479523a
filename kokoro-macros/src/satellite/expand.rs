//! Puts the expansion together.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Item, LitStr};

use super::parse::Declaration;
use super::serve::{self, Served};
use super::signature::signature;
use super::types;
use crate::bindgen;
use crate::generated::{module, module_path};
use crate::interfaces::{self, Found, Role, Wanted};
use crate::surroundings::Surroundings;
use crate::wit::Wit;

/// The expansion, and what is wrong with the declaration.
pub(super) fn expand(declaration: &Declaration, surroundings: &Surroundings) -> (TokenStream, Vec<Error>) {
    let mut errors = Vec::new();
    match expand_valid(declaration, surroundings, &mut errors) {
        Ok(code) => (code, errors),
        Err(error) => {
            errors.push(error);
            (TokenStream::new(), errors)
        }
    }
}

/// Expands what can be expanded; mistakes that leave something to expand go to `errors`.
fn expand_valid(
    declaration: &Declaration,
    surroundings: &Surroundings,
    errors: &mut Vec<Error>,
) -> Result<TokenStream, Error> {
    let at_wit = declaration.wit.as_ref().map_or_else(Span::call_site, LitStr::span);
    let shown = declaration.wit.as_ref().map_or_else(|| "wit".to_owned(), LitStr::value);
    let loaded = surroundings.find(&shown).and_then(|path| Wit::load(&path, &shown));
    let mut wit = loaded.map_err(|error| Error::new(at_wit, error))?;

    let exports = declaration.exports.iter();
    let wanted: Vec<_> = exports.map(|listed| Wanted { role: Role::Export, listed, native: true }).collect();
    let found = interfaces::find(&wanted, false, &wit, errors);
    let exports: Vec<_> = found.iter().map(|found| found.id).collect();
    let world = wit.world("satellite", &[], &exports).map_err(|error| Error::new(Span::call_site(), error))?;
    let formless = types::formless(&wit, world);
    let generated = bindgen::generate(&mut wit, world, &bindgen::SATELLITE);
    let mut generated = generated.map_err(|error| Error::new(Span::call_site(), error))?;

    let mut served = Vec::new();
    let mut before = 0;
    for found in &found {
        let path = module_path(found.id, true, &wit);
        let missing = || {
            let message = format!("wit-bindgen generated nothing for `{}`; this is a bug in kokoro-macros", found.name);
            Error::new(found.span, message)
        };
        let interface = &wit.resolve.interfaces[found.id];
        let items = module(&mut generated.items, &path).ok_or_else(missing)?;
        let code = Served { interface, name: &found.name, shown: &found.shown, span: found.span, before };
        served.push((path.clone(), serve::serve(items, &code).ok_or_else(missing)?));
        before += u32::try_from(interface.functions.len()).unwrap_or(u32::MAX);
    }
    types::keep(&mut generated, &formless);
    for (path, code) in served {
        if let Some(items) = module(&mut generated.items, &path) {
            items.push(Item::Verbatim(code));
        }
    }

    let satellite = satellite(declaration, &found, &wit);
    let files = wit.files.iter().filter_map(|file| file.to_str());
    let uses = found.iter().map(|found| {
        let (path, shown) = (path_of(found, &wit), &found.shown);
        quote_spanned!(found.span=> #[allow(unused_imports)] pub(crate) use __kokoro_satellite::#path as #shown;)
    });
    let state = &declaration.state;
    Ok(quote! {
        #[doc(hidden)]
        type __KokoroState = #state;

        #satellite

        #[doc(hidden)]
        #[allow(
            warnings,
            missing_docs,
            missing_debug_implementations,
            unreachable_pub,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
        mod __kokoro_satellite {
            #generated

            // The crate is built anew when one of these files changes.
            #(const _: &[u8] = ::core::include_bytes!(#files);)*
        }

        #(#uses)*
    })
}

/// What makes the author's type a Satellite.
fn satellite(declaration: &Declaration, found: &[Found], wit: &Wit) -> TokenStream {
    let mut arms = Vec::new();
    let mut interfaces = Vec::new();
    let mut first = 0;
    for found in found {
        let all = &wit.resolve.interfaces[found.id].functions;
        let path = path_of(found, wit);
        let next = first + u32::try_from(all.len()).unwrap_or(u32::MAX);
        // Where the literal is, for the message if the trait is not implemented.
        let call = quote_spanned!(found.span=> __kokoro_satellite::#path::__call::<Self>);
        arms.push(quote!(#first..#next => #call(self, function - #first, arguments, reply),));
        first = next;
        let functions = all.iter().map(|(name, function)| {
            let signature = signature(&wit.resolve, function);
            quote!(::kokoro_satellite::rt::Function { name: #name, signature: #signature })
        });
        let name = &found.name;
        interfaces.push(quote!(::kokoro_satellite::rt::Interface { name: #name, functions: &[#(#functions),*] }));
    }
    let state = &declaration.state;
    let start = quote_spanned!(syn::spanned::Spanned::span(state)=> ::kokoro_satellite::rt::start::<#state>());
    quote! {
        #[doc(hidden)]
        #[allow(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        impl ::kokoro_satellite::Satellite for __KokoroState {
            const INTERFACES: &'static [::kokoro_satellite::rt::Interface] = &[#(#interfaces),*];

            fn start() -> Self {
                #start
            }

            fn call(
                &mut self,
                function: u32,
                arguments: &mut ::kokoro_satellite::rt::Arguments<'_>,
                reply: &mut ::kokoro_satellite::rt::Reply<'_>,
            ) -> ::core::result::Result<(), ::kokoro_satellite::rt::Malformed> {
                match function {
                    #(#arms)*
                    _ => ::core::result::Result::Err(::kokoro_satellite::rt::Malformed::Function(function)),
                }
            }
        }
    }
}

fn path_of(found: &Found, wit: &Wit) -> TokenStream {
    let path = module_path(found.id, true, wit).into_iter().map(|segment| Ident::new(&segment, found.span));
    quote!(#(#path)::*)
}

/// The types of `kokoro:core`, for `kokoro-satellite`.
pub(crate) fn core_types() -> TokenStream {
    let mut wit = Wit::core();
    let types = wit.interface(kokoro_wit::TYPES).expect("`kokoro:core` declares the interfaces that kokoro-wit names");
    let world = wit.world("satellite", &[types], &[]).expect("interfaces of `kokoro:core` fit into one world");
    match bindgen::generate(&mut wit, world, &bindgen::NATIVE) {
        Ok(mut file) => {
            types::keep(&mut file, &types::Formless::new());
            quote::ToTokens::to_token_stream(&file)
        }
        Err(message) => Error::new(Span::call_site(), message).to_compile_error(),
    }
}
