//! `planet!`: from a declaration to a component.
//!
//! [`parse`] reads the declaration, [`crate::interfaces`] finds what it lists, [`manifest`] says it in JSON; wit-bindgen
//! generates, [`import`] and [`export`] adapt what it generated, and [`expand`] puts everything together.

use proc_macro2::TokenStream;

use crate::surroundings::Surroundings;

mod expand;
mod export;
mod import;
mod manifest;
mod parse;
mod permissions;
mod satellites;
mod saved;
mod syntax;
#[cfg(test)]
mod tests;

/// Expands `planet! { input }`. Errors come with as much of the expansion as makes sense, so that they stay alone.
pub(crate) fn planet(input: TokenStream, surroundings: &Surroundings) -> TokenStream {
    let (mut code, errors) = match syn::parse2(input) {
        Ok(declaration) => expand::expand(&declaration, surroundings),
        Err(error) => (TokenStream::new(), vec![error]),
    };
    code.extend(errors.iter().map(syn::Error::to_compile_error));
    code
}
