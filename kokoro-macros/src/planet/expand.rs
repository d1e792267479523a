//! Puts the expansion together.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Error, Item, LitStr};

use super::export::Export;
use super::manifest::Manifest;
use super::parse::Declaration;
use super::saved::Saved;
use super::{export, import, syntax};
use crate::bindgen;
use crate::generated::{module, module_path, respan};
use crate::interfaces::{self, Found, Role};
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

    let found = interfaces::find(&declaration.wanted(), declaration.saved.is_some(), &wit, errors);
    let named = |role| {
        found.iter().filter(move |found| found.role == role && found.is_dependency).map(|found| found.name.clone())
    };
    let (requires, optional) = (named(Role::Required).collect(), named(Role::Optional).collect());
    let manifest = Manifest::new(declaration, requires, optional, surroundings, errors);

    let saved = declaration.saved.as_ref();
    let own = [Some(kokoro_wit::LIFECYCLE), saved.map(|_| kokoro_wit::SAVED_STATE)].into_iter().flatten();
    let own: Result<Vec<_>, _> = own.map(|name| wit.interface(name)).collect();
    let own = own.map_err(|error| Error::new(at_wit, error))?;
    let imports: Vec<_> = found.iter().filter(|found| found.role != Role::Export).map(|found| found.id).collect();
    let exports: Vec<_> = found.iter().filter(|found| found.role == Role::Export).map(|found| found.id).collect();
    let exports: Vec<_> = exports.into_iter().chain(own).collect();
    let world = wit.world("planet", &imports, &exports).map_err(|error| Error::new(Span::call_site(), error))?;
    let generated = bindgen::generate(&mut wit, world, &bindgen::PLANET);
    let mut generated = generated.map_err(|error| Error::new(Span::call_site(), error))?;

    let mut modules = Vec::new();
    syntax::take_exports(&mut generated.items, &TokenStream::new(), &TokenStream::new());
    let mut exported = take_own(&mut generated.items, "lifecycle", &quote!(super::Glue<super::__KokoroState>));
    if saved.is_some() {
        let glue = quote!(<super::__KokoroState as super::__Saved>::Glue);
        exported.extend(take_own(&mut generated.items, "saved_state", &glue));
    }
    for found in &found {
        match adapt(&mut generated.items, found, &wit, &mut exported) {
            Ok(path) => modules.push((found, path)),
            Err(error) => errors.push(Error::new(found.span, error)),
        }
    }
    syntax::SpeakNatively.visit_file_mut(&mut generated);

    let files = wit.files.iter().chain(&manifest.app_file).filter_map(|file| file.to_str());
    let section = manifest.section();
    let uses = modules.iter().map(|(found, path)| {
        let shown = &found.shown;
        quote_spanned!(found.span=> #[allow(unused_imports)] pub(crate) use #path as #shown;)
    });
    let state = &declaration.state;
    let at_state = syn::spanned::Spanned::span(state);
    let startable = quote_spanned!(at_state=> const _: fn() = ::kokoro_guest::rt::state_must_derive_default_or_implement_planet::<#state>;);
    let saves = saved.map(|saved| saved.declare(state));
    let saved_glue = saved.map(|_| Saved::glue());
    Ok(quote! {
        #[doc(hidden)]
        type __KokoroState = #state;

        #startable
        #saves

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
        mod __kokoro_planet {
            use super::__KokoroState;

            #generated

            /// Stands between wit-bindgen's traits and the author's.
            pub struct Glue<P_>(::core::marker::PhantomData<P_>);

            impl ::kokoro_guest::rt::Singleton for __KokoroState {
                fn cell<R>(use_cell: impl FnOnce(&::kokoro_guest::rt::Cell<Self>) -> R) -> R {
                    ::std::thread_local! {
                        static CELL: ::kokoro_guest::rt::Cell<__KokoroState> = const { ::kokoro_guest::rt::Cell::new() };
                    }
                    CELL.with(use_cell)
                }
            }

            impl<P_> exports::kokoro::core::lifecycle::Guest for Glue<P_>
            where
                P_: ::kokoro_guest::Planet + ::kokoro_guest::rt::Singleton,
            {
                fn start() -> ::core::result::Result<(), ::std::string::String> {
                    ::kokoro_guest::rt::start::<P_>()
                }

                fn stop() {
                    ::kokoro_guest::rt::stop::<P_>();
                }
            }

            #saved_glue

            // Natively there is nothing to export to, and linkers do not like such names.
            #[cfg(target_arch = "wasm32")]
            mod exported {
                use super::exports;

                #exported
            }

            #section

            // The crate is built anew when one of these files changes.
            #(const _: &[u8] = ::core::include_bytes!(#files);)*
        }

        #(#uses)*
    })
}

/// Takes the export of an interface of `kokoro:core` out that is implemented here, by the type `glue`.
fn take_own(items: &mut Vec<Item>, interface: &str, glue: &TokenStream) -> TokenStream {
    let path = ["exports", "kokoro", "core", interface].map(str::to_owned);
    let interface = Ident::new(interface, Span::call_site());
    module(items, &path)
        .map(|items| syntax::take_exports(items, &quote!(exports::kokoro::core::#interface), glue))
        .unwrap_or_default()
}

/// Adapts the module of one interface, and gives the path of the module that the author sees. What is to be exported
/// goes to `exported`.
fn adapt(items: &mut Vec<Item>, found: &Found, wit: &Wit, exported: &mut TokenStream) -> Result<TokenStream, String> {
    if found.name == kokoro_wit::TYPES && found.role != Role::Export {
        return Ok(quote!(::kokoro_guest::rt::core::kokoro::core::types));
    }
    let path = module_path(found.id, found.role == Role::Export, wit);
    let missing = || format!("wit-bindgen generated no module for `{}`; this is a bug in kokoro-macros", found.name);
    let inside = module(items, &path).ok_or_else(missing)?;
    match found.role {
        Role::Required => {}
        Role::Optional => import::only_if_bound(inside, &found.name, found.span)?,
        Role::Export => {
            let (name, parent) = path.split_last().ok_or_else(missing)?;
            let supers = path.iter().map(|_| quote!(super::));
            let name = Ident::new(name, Span::call_site());
            let raw = format_ident!("__raw_{name}");
            let above = parent.iter().map(|segment| Ident::new(segment, Span::call_site()));
            let above = quote!(#(#above)::*);
            let glue = respan(quote!(<super::__KokoroState as #above::#name::__Exported>::Glue), found.span);
            exported.extend(syntax::take_exports(inside, &quote!(#above::#raw), &glue));
            let export = Export {
                interface: &found.name,
                shown: &found.shown,
                module: &name,
                raw: &raw,
                top: quote!(#(#supers)*),
                span: found.span,
            };
            let code = export::adapt(inside, &export);
            let beside = module(items, parent).ok_or_else(missing)?;
            for item in beside.iter_mut() {
                if let Item::Mod(item) = item
                    && item.ident == name
                {
                    item.ident = raw.clone();
                }
            }
            beside.push(Item::Verbatim(code));
        }
    }
    let path = path.iter().map(|segment| Ident::new(segment, found.span));
    Ok(quote!(__kokoro_planet::#(#path)::*))
}
