//! Adds to the module of a served interface what the author implements, and how that is called.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Item, ItemTrait};
use wit_parser::Interface;

use crate::generated::{arguments, declare, find_trait, functions, respan};

/// A served interface.
#[derive(Debug)]
pub(super) struct Served<'a> {
    pub(super) interface: &'a Interface,
    /// Its full name.
    pub(super) name: &'a str,
    /// What its module is called at the call site.
    pub(super) shown: &'a Ident,
    /// The literal that lists it.
    pub(super) span: Span,
    /// How many functions the interfaces before it have.
    pub(super) before: u32,
}

/// What comes into the module, in which wit-bindgen's own `Guest` still is.
pub(super) fn serve(items: &[Item], served: &Served<'_>) -> Option<TokenStream> {
    let guest = find_trait(items, "Guest")?;
    let (guest_trait, call, in_process) =
        (guest_trait(&guest, served), call(&guest, served), in_process(&guest, served));
    Some(quote!(#guest_trait #call #in_process))
}

/// `Guest` as the author implements it.
fn guest_trait(guest: &ItemTrait, served: &Served<'_>) -> TokenStream {
    let Served { name, shown, span, .. } = served;
    let declared = functions(guest).map(|function| declare(function, &[syn::parse_quote!(&mut self)]));
    let names: Vec<_> = functions(guest).map(|function| format!("`{}`", function.sig.ident)).collect();
    let message = format!("`{{Self}}` does not implement `{shown}::Guest`, but exports `{name}`");
    let note = format!("write `impl {shown}::Guest for {{Self}} {{{{ .. }}}}` with {}", names.join(", "));
    let docs = format!("What a satellite that exports `{name}` implements. Calls come one at a time.");
    let item = quote! {
        #[doc = #docs]
        #[diagnostic::on_unimplemented(message = #message, label = "exported here", note = #note)]
        pub trait Guest: Sized + 'static {
            #(#declared)*
        }
    };
    respan(item, *span)
}

/// The function that calls the others by their numbers.
fn call(guest: &ItemTrait, served: &Served<'_>) -> TokenStream {
    let arms =
        (0u32..).zip(functions(guest)).zip(served.interface.functions.values()).map(|((number, function), wit)| {
            let name = &function.sig.ident;
            let names: Vec<_> = (0..wit.params.len()).map(|number| format_ident!("__{number}")).collect();
            let called = quote!(<P_ as Guest>::#name(__satellite, #(#names),*));
            let called = match wit.result {
                Some(_) => quote!(let __result = #called; __reply.value(&__result);),
                None => quote!(#called;),
            };
            quote! {
                #number => {
                    #(let #names = __arguments.value()?;)*
                    __arguments.end()?;
                    #called
                }
            }
        });
    quote! {
        pub fn __call<P_: Guest>(
            __satellite: &mut P_,
            __function: u32,
            __arguments: &mut ::kokoro_satellite::rt::Arguments<'_>,
            __reply: &mut ::kokoro_satellite::rt::Reply<'_>,
        ) -> ::core::result::Result<(), ::kokoro_satellite::rt::Malformed> {
            match __function {
                #(#arms)*
                _ => return ::core::result::Result::Err(::kokoro_satellite::rt::Malformed::Function(__function)),
            }
            ::core::result::Result::Ok(())
        }
    }
}

/// `Guest` of what stands for the program in tests.
fn in_process(guest: &ItemTrait, served: &Served<'_>) -> TokenStream {
    let functions = (served.before..).zip(functions(guest)).map(|(number, function)| {
        let mut signature = function.sig.clone();
        let arguments = arguments(&signature);
        signature.inputs.insert(0, syn::parse_quote!(&mut self));
        quote! {
            #signature {
                ::kokoro_satellite::testing::InProcess::call(self, #number, |__to| {
                    #(::kokoro_satellite::rt::value::Encode::encode(&#arguments, __to);)*
                })
            }
        }
    });
    quote! {
        #[diagnostic::do_not_recommend]
        impl<P_: Guest + ::kokoro_satellite::Satellite> Guest for ::kokoro_satellite::testing::InProcess<P_> {
            #(#functions)*
        }
    }
}
