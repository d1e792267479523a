//! Procedural macros of Kokoro.
//!
//! Not for direct use: `kokoro_guest::planet!` is documented where `kokoro-guest` re-exports it. The macros validate
//! what they are given, run wit-bindgen on a world that they put together, and adapt its output.

use proc_macro::TokenStream;

mod bindgen;
mod bindings;
mod fields;
mod planet;
mod surroundings;
mod wit;

/// Makes a Planet (plugin) of the crate; documented at `kokoro_guest::planet!`.
#[proc_macro]
pub fn planet(input: TokenStream) -> TokenStream {
    planet::planet(input.into(), &surroundings::Surroundings::of_call()).into()
}

/// The bindings of what every Planet may import from `kokoro:core`. For `kokoro-guest` only.
#[doc(hidden)]
#[proc_macro]
pub fn core_bindings(_: TokenStream) -> TokenStream {
    let mut wit = wit::Wit::core();
    let imports = [kokoro_wit::TYPES, kokoro_wit::DEPENDENCIES, kokoro_wit::LOG]
        .map(|name| wit.interface(name).expect("`kokoro:core` declares the interfaces that kokoro-wit names"));
    let world = wit.world("guest", &imports, &[]).expect("interfaces of `kokoro:core` fit into one world");
    match bindgen::generate(&mut wit, world, true) {
        Ok(file) => quote::ToTokens::to_token_stream(&file).into(),
        Err(message) => syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error().into(),
    }
}

/// Bindings for an application; documented at `kokoro_host::bindings!`.
#[proc_macro]
pub fn bindings(input: TokenStream) -> TokenStream {
    bindings::bindings(input.into(), &surroundings::Surroundings::of_call()).into()
}
