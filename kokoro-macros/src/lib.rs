//! Procedural macros of Kokoro.
//!
//! Not for direct use: `kokoro_guest::planet!` is documented where `kokoro-guest` re-exports it. The macros for WIT validate
//! what they are given, run wit-bindgen on a world that they put together, and adapt its output; the derives of values are
//! documented where `kokoro-value` re-exports them; `kokoro_host::bindings!` and `kokoro_satellite::satellite!` likewise.
//!
//! ```text
//! kokoro_guest::planet! {
//!     state:   Outline,
//!     exports: ["site:content/outline@0.1.0"],
//! }
//! ```

use proc_macro::TokenStream;

mod bindgen;
mod bindings;
mod fields;
mod generated;
mod interfaces;
mod planet;
mod satellite;
mod surroundings;
mod value;
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
    let imports = [kokoro_wit::TYPES, kokoro_wit::DEPENDENCIES, kokoro_wit::CURRENT_CALL, kokoro_wit::LOG]
        .map(|name| wit.interface(name).expect("`kokoro:core` declares the interfaces that kokoro-wit names"));
    let world = wit.world("guest", &imports, &[]).expect("interfaces of `kokoro:core` fit into one world");
    match bindgen::generate(&mut wit, world, &bindgen::GUEST) {
        Ok(file) => quote::ToTokens::to_token_stream(&file).into(),
        Err(message) => syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error().into(),
    }
}

/// Makes a Satellite of the program; documented at `kokoro_satellite::satellite!`.
#[proc_macro]
pub fn satellite(input: TokenStream) -> TokenStream {
    satellite::satellite(input.into(), &surroundings::Surroundings::of_call()).into()
}

/// The types of `kokoro:core`. For `kokoro-satellite` only.
#[doc(hidden)]
#[proc_macro]
pub fn core_types(_: TokenStream) -> TokenStream {
    satellite::core_types().into()
}

/// # Names
///
/// Names are those of the WIT, as Rust writes them. Some are taken:
///
/// - A keyword gets a `_`: a parameter `type` is `type_`, a case or type `self` is `Self_`.
/// - Functions called `planet`, `with` and `within` are `planet_`, `with_` and `within_` on a handle.
/// - Where a type of the interface has the name of the handle, that is `PageHandle` instead of `Page`; where one is called
///   `host` (or the handle of a served interface is), the trait is `HostTrait`.
/// - The functions of a resource `cursor` that the application serves are `cursor_next` and so on, its constructor is `cursor_new`.
///   The handle that a method is called on is the parameter `cursor`, or `self_` where another is called that. Of one that it
///   calls, constructor and static functions are called so, and methods have their own names.
/// - An interface that is both called and served is one module. `as` names it, in whichever list it is written.
#[proc_macro]
pub fn bindings(input: TokenStream) -> TokenStream {
    bindings::bindings(input.into(), &surroundings::Surroundings::of_call()).into()
}

/// `bindings!` for crates that depend on `kokoro-test` alone. For that crate only.
#[doc(hidden)]
#[proc_macro]
pub fn test_bindings(input: TokenStream) -> TokenStream {
    bindings::test_bindings(input.into(), &surroundings::Surroundings::of_call()).into()
}

// Documented at `kokoro_value::Encode`.
#[expect(missing_docs, reason = "two doc comments would be joined where it is re-exported")]
#[proc_macro_derive(Encode, attributes(value))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    value::encode(input.into()).into()
}

// Documented at `kokoro_value::Decode`.
#[expect(missing_docs, reason = "two doc comments would be joined where it is re-exported")]
#[proc_macro_derive(Decode, attributes(value))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    value::decode(input.into()).into()
}
