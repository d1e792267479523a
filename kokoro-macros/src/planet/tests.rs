//! The expansion of a small Planet, for people to read.

use std::path::PathBuf;

use expect_test::expect_file;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, File, Item, Lit, LitByteStr, LitStr, parse_quote};

use super::manifest::Manifest;
use super::parse::Declaration;
use crate::interfaces::Role;
use crate::surroundings::Surroundings;

fn here() -> Surroundings {
    Surroundings {
        manifest_dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expansion"),
        source_dir: None,
        name: "page".to_owned(),
        version: "0.3.1".to_owned(),
    }
}

/// Leaves out what wit-bindgen wrote and we did not change: its runtime module, the encoded world, and the body of every
/// function with `unsafe` in it.
struct Elide;

impl VisitMut for Elide {
    fn visit_block_mut(&mut self, block: &mut Block) {
        if mentions_unsafe(block.to_token_stream()) {
            *block = parse_quote!({ elided!() });
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        if let Item::Mod(module) = item
            && module.ident == "_rt"
            && let Some((_, items)) = &mut module.content
        {
            *items = vec![parse_quote!(elided!();)];
        }
        if let Item::Macro(item) = item
            && item.mac.path.is_ident("bitflags")
        {
            item.mac.tokens = TokenStream::new();
        }
        visit_mut::visit_item_mut(self, item);
    }

    fn visit_lit_mut(&mut self, literal: &mut Lit) {
        if let Lit::ByteStr(bytes) = literal
            && bytes.value().starts_with(b"\0asm")
        {
            *literal = Lit::ByteStr(LitByteStr::new(b"elided", bytes.span()));
        }
    }

    fn visit_type_array_mut(&mut self, array: &mut syn::TypeArray) {
        // The length of the encoded world, which every change of a dependency changes.
        array.len = parse_quote!(_);
    }

    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        // Paths of this machine.
        if mac.path.segments.last().is_some_and(|segment| segment.ident == "include_bytes")
            && let Ok(path) = mac.parse_body::<LitStr>()
        {
            let path = path.value();
            let name = path.rsplit('/').next().unwrap_or_default();
            mac.tokens = quote!(#name);
        }
    }
}

fn mentions_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "unsafe",
        TokenTree::Group(group) => mentions_unsafe(group.stream()),
        _ => false,
    })
}

#[test]
fn the_expansion_of_a_small_planet_is_as_blessed() {
    let input = quote! {
        state: Page,
        exports: ["demo:page/outline@0.1.0"],
        requires: ["demo:page/markdown@0.1.0"],
        optional: ["demo:page/glossary@0.1.0" as words],
    };
    let mut file: File = syn::parse2(super::planet(input, &here())).expect("the expansion is Rust");
    Elide.visit_file_mut(&mut file);
    let expansion = format!(
        "// The expansion of a small planet. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`. Where wit-bindgen's\n\
         // part is long and unchanged it says `elided!()`.\n\n{}",
        prettyplease::unparse(&file)
    );
    expect_file!["../../tests/expansion/expanded.rs"].assert_eq(&expansion);
}

#[test]
fn a_mistake_leaves_the_rest_of_the_expansion_there() {
    let input = quote! {
        state: Page,
        exports: ["demo:page/outlines@0.1.0"],
        requires: ["demo:page/markdown@0.1.0"],
    };
    let expansion = super::planet(input, &here()).to_string();
    assert!(expansion.contains("compile_error"), "{expansion}");
    assert!(expansion.contains("as markdown"), "{expansion}");
}

#[test]
fn the_manifest_says_what_the_planet_asks_for() {
    let permissions = |input: TokenStream| {
        let declaration: Declaration = syn::parse2(input).expect("a declaration");
        let mut errors = Vec::new();
        let manifest = Manifest::new(&declaration, Vec::new(), Vec::new(), &here(), &mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        manifest.json.get("permissions").map(ToString::to_string)
    };
    let all = quote! {
        state: Page,
        permissions: { read: ["content", "media"], write: [], env: ["LANG"], http: ["example.com:8080"], net: true },
    };
    assert_eq!(
        permissions(all).as_deref(),
        Some(r#"{"env":["LANG"],"http":["example.com:8080"],"net":true,"read":["content","media"],"write":[]}"#)
    );
    assert_eq!(
        permissions(quote!(state: Page, permissions: { write: ["out"] })).as_deref(),
        Some(r#"{"env":[],"http":[],"net":false,"read":[],"write":["out"]}"#)
    );
    assert_eq!(permissions(quote!(state: Page)), None);
}

#[test]
fn the_manifest_says_which_programs_serve_which_interfaces() {
    let input = quote! {
        state: Page,
        satellites: [
            "images:native/codec@0.1.0" in "image-codec",
            "images:native/sizes@0.1.0" as native in "sizes" { reload: "keep", optional, start: "planet" },
        ],
    };
    let declaration: Declaration = syn::parse2(input).expect("a declaration");
    let manifest = Manifest::new(&declaration, Vec::new(), Vec::new(), &here(), &mut Vec::new());
    assert_eq!(
        manifest.json["satellites"].to_string(),
        "[{\"interface\":\"images:native/codec@0.1.0\",\"program\":\"image-codec\",\"reload\":\"renew\",\"start\":\"first-call\"},\
         {\"interface\":\"images:native/sizes@0.1.0\",\"program\":\"sizes\",\"reload\":\"keep\",\"start\":\"planet\"}]"
    );
    let roles: Vec<_> = declaration.wanted().iter().map(|wanted| (wanted.role, wanted.native)).collect();
    assert_eq!(roles, [(Role::Required, true), (Role::Optional, true)]);
    let without: Declaration = syn::parse2(quote!(state: Page)).expect("a declaration");
    let manifest = Manifest::new(&without, Vec::new(), Vec::new(), &here(), &mut Vec::new());
    assert!(!manifest.json.contains_key("satellites"));
}
