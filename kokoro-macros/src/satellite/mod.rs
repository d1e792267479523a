//! `satellite!`: from a declaration to a program that serves interfaces.
//!
//! [`parse`] reads the declaration, [`crate::interfaces`] finds what it lists, [`servable`] says what cannot be served; wit-bindgen
//! generates, [`types`] keeps the types of what it generated, [`serve`] adds how they are called, and [`expand`] puts
//! everything together. [`signature`] is how both sides tell each other what they mean.

use proc_macro2::TokenStream;

use crate::surroundings::Surroundings;

mod expand;
mod parse;
pub(crate) mod servable;
mod serve;
mod signature;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use self::expand::core_types;

/// Expands `satellite! { input }`. Errors come with as much of the expansion as makes sense, so that they stay alone.
pub(crate) fn satellite(input: TokenStream, surroundings: &Surroundings) -> TokenStream {
    let (mut code, errors) = match syn::parse2(input) {
        Ok(declaration) => expand::expand(&declaration, surroundings),
        Err(error) => (TokenStream::new(), vec![error]),
    };
    code.extend(errors.iter().map(syn::Error::to_compile_error));
    code
}
