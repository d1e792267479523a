//! The expansions of small types, for people to read.

use expect_test::expect_file;
use proc_macro2::TokenStream;
use quote::quote;

#[test]
fn the_expansions_of_small_types_are_as_blessed() {
    let types = [
        quote! {
            struct Place<T> {
                name: String,
                at: Option<T>,
            }
        },
        quote! {
            struct Size(u16, u16);
        },
        quote! {
            #[value(crate = other::path)]
            enum Shape {
                Point,
                Circle(u16),
            }
        },
    ];
    let expand = |input: TokenStream| {
        let (encode, decode) = (super::encode(input.clone()), super::decode(input));
        let file = syn::parse2(quote!(#encode #decode)).expect("the expansion is Rust");
        prettyplease::unparse(&file)
    };
    let expansions = types.map(expand).join("\n");
    let expansion = format!(
        "// The derives of a record, a tuple and a variant. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.\n\n\
         {expansions}"
    );
    expect_file!["../../tests/expansion/derived.rs"].assert_eq(&expansion);
}
