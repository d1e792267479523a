//! `#[derive(Encode, Decode)]`: Rust types of the self-contained form.

mod decode;
mod encode;
mod shape;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Result};

use self::shape::Derived;

/// `#[derive(Encode)]`
pub(crate) fn encode(input: TokenStream) -> TokenStream {
    derive(input, encode::expand)
}

/// `#[derive(Decode)]`
pub(crate) fn decode(input: TokenStream) -> TokenStream {
    derive(input, decode::expand)
}

fn derive(input: TokenStream, expand: fn(&Derived) -> Result<TokenStream>) -> TokenStream {
    syn::parse2::<DeriveInput>(input)
        .and_then(Derived::new)
        .and_then(|derived| expand(&derived))
        .unwrap_or_else(syn::Error::into_compile_error)
}
