//! Whether a reload carries the state over: `saved: 1`, or `saved: { version: 2, migrate: Counter::from_older }`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, Lit, Result, Type, braced, token};

use crate::fields::fields;

const PARTS: [&str; 2] = ["version", "migrate"];

/// What is said of a state that is saved.
#[derive(Debug)]
pub(super) struct Saved {
    version: u32,
    migrate: Option<Expr>,
}

impl Saved {
    /// What lets the state be saved. It belongs where the declaration is, so that paths in it mean the same.
    pub(super) fn declare(&self, state: &Type) -> TokenStream {
        let Self { version, migrate } = self;
        let check = quote_spanned!(state.span()=>
            const _: fn() = ::kokoro_guest::rt::a_saved_state_must_derive_serialize_and_deserialize::<#state>;
        );
        let migrate = match migrate {
            Some(migrate) => quote!({
                let migrate: ::kokoro_guest::rt::Migrate<Self> = #migrate;
                ::core::option::Option::Some(migrate)
            }),
            None => quote!(::core::option::Option::None),
        };
        quote! {
            #check

            impl ::kokoro_guest::rt::Saves for __KokoroState {
                const VERSION: u32 = #version;
                const MIGRATE: ::core::option::Option<::kokoro_guest::rt::Migrate<Self>> = #migrate;
            }
        }
    }

    /// wit-bindgen's trait, for `Glue`.
    pub(super) fn glue() -> TokenStream {
        let interface = quote!(exports::kokoro::core::saved_state);
        quote! {
            /// Leads to `Glue` by way of serde's traits: if they are missing, all exported functions fail alike, and the
            /// compiler says it once.
            pub trait __Saved {
                type Glue;
            }

            impl<P_: ::kokoro_guest::rt::Serde> __Saved for P_ {
                type Glue = Glue<P_>;
            }

            impl<P_> #interface::Guest for Glue<P_>
            where
                P_: ::kokoro_guest::Planet
                    + ::kokoro_guest::rt::Singleton
                    + ::kokoro_guest::rt::Saves
                    + ::kokoro_guest::rt::Serde,
            {
                fn save() -> ::core::result::Result<#interface::Snapshot, ::std::string::String> {
                    let saved = ::kokoro_guest::rt::save::<P_>()?;
                    let version = saved.version();
                    ::core::result::Result::Ok(#interface::Snapshot { version, data: saved.into_data() })
                }

                fn restore(
                    snapshot: #interface::Snapshot,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    ::kokoro_guest::rt::restore::<P_>(&::kokoro_guest::Saved::new(snapshot.version, snapshot.data))
                }
            }
        }
    }
}

impl Parse for Saved {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Brace) {
            return Ok(Self { version: version(input, "saved")?, migrate: None });
        }
        let inside;
        let braces = braced!(inside in input);
        let mut given = None;
        let mut migrate = None;
        fields(&inside, "`saved`", &PARTS, |part, input| {
            match part {
                "version" => given = Some(version(input, part)?),
                _ => migrate = Some(input.parse()?),
            }
            Ok(())
        })?;
        let missing = || {
            let help = "write `saved: { version: 2, migrate: .. }`, and count it up when the form of the state changes";
            Error::new(
                braces.span.join(),
                format!("`saved` lacks the version of the form of the state\n  help: {help}"),
            )
        };
        Ok(Self { version: given.ok_or_else(missing)?, migrate })
    }
}

/// A version. `part` is where it is to be.
fn version(input: ParseStream<'_>, part: &str) -> Result<u32> {
    let at = input.span();
    let wrong = |span| {
        let message = format!(
            "`{part}` takes the version of the form of the state, a whole number up to {}\n  help: write `{part}: 1`",
            u32::MAX
        );
        Error::new(span, message)
    };
    match input.parse() {
        Ok(Lit::Int(number)) => number.base10_parse().map_err(|_| wrong(number.span())),
        Ok(other) => Err(wrong(other.span())),
        Err(_) => Err(wrong(at)),
    }
}
