//! The expansion of a small Satellite, for people to read, and the signatures of all kinds of types.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{File, LitStr};

use super::signature::signature;
use crate::surroundings::Surroundings;
use crate::wit::Wit;

fn here() -> Surroundings {
    Surroundings {
        manifest_dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expansion"),
        source_dir: None,
        name: "image-codec".to_owned(),
        version: "0.3.1".to_owned(),
    }
}

/// Leaves out the paths of this machine.
struct Elide;

impl VisitMut for Elide {
    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        if mac.path.segments.last().is_some_and(|segment| segment.ident == "include_bytes")
            && let Ok(path) = mac.parse_body::<LitStr>()
        {
            let path = path.value();
            let name = path.rsplit('/').next().unwrap_or_default();
            mac.tokens = quote!(#name);
        }
        visit_mut::visit_macro_mut(self, mac);
    }
}

#[test]
fn the_expansion_of_a_small_satellite_is_as_blessed() {
    let input = quote! {
        state: Codec,
        exports: ["images:native/codec@0.1.0", "images:native/sizes@0.1.0"],
        wit: "native",
    };
    let mut file: File = syn::parse2(super::satellite(input, &here())).expect("the expansion is Rust");
    Elide.visit_file_mut(&mut file);
    let expansion = format!(
        "// The expansion of a small satellite. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.\n\n{}",
        prettyplease::unparse(&file)
    );
    expect_file!["../../tests/expansion/satellite.rs"].assert_eq(&expansion);
}

#[test]
fn signatures_say_all_of_a_type_but_names_of_types_and_parameters() {
    let types = [
        ("f: func();", "func()"),
        ("f: func(a: bool, b: char) -> string;", "func(bool, char) -> string"),
        ("f: func(a: u8, b: u16, c: u32, d: u64);", "func(u8, u16, u32, u64)"),
        ("f: func(a: s8, b: s16, c: s32, d: s64, e: f32, f: f64);", "func(s8, s16, s32, s64, f32, f64)"),
        ("f: func(a: list<list<u8>>, b: list<u8, 4>);", "func(list<list<u8>>, list<u8, 4>)"),
        ("f: func() -> map<string, list<u8>>;", "func() -> map<string, list<u8>>"),
        (
            "f: func(a: result, b: result<u8>, c: result<_, u8>) -> result<u8, string>;",
            "func(result, result<u8>, result<_, u8>) -> result<u8, string>",
        ),
        ("f: func(a: option<tuple<u8, string>>);", "func(option<tuple<u8, string>>)"),
        (
            "record p { x: s16, a-y: s16 } type q = p; type l = list<q>; f: func(a: l) -> p;",
            "func(list<record{x: s16, a-y: s16}>) -> record{x: s16, a-y: s16}",
        ),
        (
            "variant v { none, some(u8), %record(e) } enum e { a, %enum } f: func(a: v);",
            "func(variant{none, some(u8), record(enum{a, enum})})",
        ),
        ("flags g { a, %flags } f: func() -> g;", "func() -> flags{a, flags}"),
    ];
    for (text, expected) in types {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!("package a:a; interface i {{ {text} }}");
        std::fs::write(folder.path().join("a.wit"), text).expect("a file");
        let wit = Wit::load(folder.path(), "wit").expect("WIT");
        let interface = &wit.resolve.interfaces[wit.interface("a:a/i").expect("an interface")];
        assert_eq!(signature(&wit.resolve, &interface.functions["f"]), expected);
    }
}

/// `kokoro-host` has the same test: what a Satellite says and what a Planet's component is read as have to be the same text.
#[test]
fn signatures_are_as_the_application_writes_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kokoro-satellite/tests/signatures");
    let wit = Wit::load(&folder, "all.wit").expect("WIT");
    let interface = &wit.resolve.interfaces[wit.interface("test:signatures/all@0.1.0").expect("an interface")];
    let functions = interface.functions.iter();
    let mut lines: Vec<String> =
        functions.map(|(name, function)| format!("{name}: {}\n", signature(&wit.resolve, function))).collect();
    lines.sort();
    expect_file!["../../../kokoro-satellite/tests/signatures/all.txt"].assert_eq(&lines.concat());
}

#[test]
fn a_mistake_leaves_the_rest_of_the_expansion_there() {
    let input = quote! {
        state: Codec,
        exports: ["images:native/codecs@0.1.0", "images:native/sizes@0.1.0"],
        wit: "native",
    };
    let expansion = super::satellite(input, &here()).to_string();
    assert!(expansion.contains("compile_error"), "{expansion}");
    assert!(expansion.contains("as sizes"), "{expansion}");
}
