use expect_test::{Expect, expect};
use quote::quote;

use super::*;

/// What an input expands to.
fn expanded(wit: &str, input: TokenStream) -> TokenStream {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("wit")).expect("a folder");
    std::fs::write(folder.path().join("wit/it.wit"), wit).expect("a file");
    let surroundings = Surroundings {
        manifest_dir: folder.path().to_owned(),
        source_dir: None,
        name: "app".to_owned(),
        version: "0.1.0".to_owned(),
    };
    bindings(input, &surroundings)
}

/// The messages of the compile errors that an input leads to.
fn check(wit: &str, input: TokenStream, expected: &Expect) {
    let expanded = expanded(wit, input);
    let errors = match syn::parse2::<syn::File>(expanded.clone()) {
        Ok(file) => file.items.into_iter().filter_map(|item| match item {
            syn::Item::Macro(item) => Some(item.mac.parse_body::<LitStr>().expect("a message").value()),
            _ => None,
        }),
        Err(error) => panic!("{error}: {expanded}"),
    };
    expected.assert_eq(&errors.collect::<Vec<_>>().join("\n"));
}

const WIT: &str = "
    package acme:geo@1.2.0;
    interface types { record place { name: string, at: tuple<f64, f64> } }
    interface locate { use types.{place}; find: func(name: string) -> option<place>; }
    interface watch { resource sight { next: func(); } }
    interface later { wait: async func(); }
    interface look {
        use watch.{sight};
        use types.{place};
        at: func(sight: borrow<sight>) -> place;
    }
    interface chart {
        resource sheet;
        record legend { sheet: sheet }
        read: func(legend: legend);
    }
    interface twins { resource a { b: static func(); } a-b: func(); }
";

#[test]
fn what_is_right_expands_without_an_error() {
    let input = quote!({ interfaces: ["acme:geo/locate@1.2.0"], serves: ["acme:geo/locate@1.2.0"] });
    check(WIT, input, &expect![[""]]);
}

#[test]
fn mistakes_name_the_fix() {
    check(
        WIT,
        quote!({ interfaces: ["acme:geo/locat@1.2.0"] }),
        &expect![[r#"
        no WIT file declares `acme:geo/locat@1.2.0`; looked in `wit` and `wit/deps`
          closest: `acme:geo/locate@1.2.0`"#]],
    );
    check(
        WIT,
        quote!({ interfaces: ["acme:geo/locate@2.0.0"] }),
        &expect![[r#"
        `wit` declares `acme:geo/locate` as `@1.2.0` only
          help: write `acme:geo/locate@1.2.0`"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/watch@1.2.0"], interfaces: ["acme:geo/watch@1.2.0"] }),
        &expect![[r#"
        `acme:geo/watch@1.2.0` defines the resource `sight`, which is one type where it is called and another where it is served
          help: serve it in a `bindings!` of its own"#]],
    );
    check(
        WIT,
        quote!({ interfaces: ["acme:geo/look@1.2.0"] }),
        &expect![[r#"
        `acme:geo/look@1.2.0`: it passes handles of `sight`, whose interface the application does not call
          help: list `acme:geo/watch@1.2.0` under `interfaces`, too"#]],
    );
    check(
        WIT,
        quote!({ interfaces: ["acme:geo/twins@1.2.0"] }),
        &expect![[r#"
        `acme:geo/twins@1.2.0`: `a.b` and `a-b` would both be the method `a_b`
          help: rename one of them in the WIT"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/look@1.2.0"] }),
        &expect![[r#"
        `acme:geo/look@1.2.0`: it passes handles of `sight`, whose interface the application does not serve
          help: list `acme:geo/watch@1.2.0` under `serves`, too"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/chart@1.2.0"] }),
        &expect![[r#"
        `acme:geo/chart@1.2.0`: the type `legend` holds a handle of `sheet`, and handles inside of records and variants are not supported yet
          help: pass the handle beside it"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/twins@1.2.0"] }),
        &expect![[r#"
        `acme:geo/twins@1.2.0`: `a.b` and `a-b` would both be the method `a_b`
          help: rename one of them in the WIT"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/later@1.2.0"] }),
        &expect!["`acme:geo/later@1.2.0`: `wait` is an async function, and those are not supported yet"],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/locate@1.2.0", "acme:geo/locate@1.2.0"] }),
        &expect![[r#"
        `acme:geo/locate@1.2.0` is listed twice
          help: remove one of them"#]],
    );
    check(
        WIT,
        quote!({ interface: ["acme:geo/locate@1.2.0"] }),
        &expect![[r#"
        `bindings!` has no `interface`
          help: did you mean `interfaces`?"#]],
    );
    check(
        WIT,
        quote!({ path: "elsewhere" }),
        &expect![[r#"
        there is no `elsewhere` with WIT files; looked next to Cargo.toml
          help: create it, or give another path, relative to Cargo.toml"#]],
    );
}

#[test]
fn an_interface_that_is_listed_in_both_lists_has_one_name() {
    for input in [
        quote!({ interfaces: ["acme:geo/locate@1.2.0"], serves: ["acme:geo/locate@1.2.0" as other] }),
        quote!({ interfaces: ["acme:geo/locate@1.2.0" as other], serves: ["acme:geo/locate@1.2.0"] }),
        quote!({ interfaces: ["acme:geo/locate@1.2.0" as other], serves: ["acme:geo/locate@1.2.0" as other] }),
    ] {
        let expanded = expanded(WIT, input).to_string();
        assert!(expanded.contains("pub mod other") && !expanded.contains("pub mod locate"), "{expanded}");
    }
    check(
        WIT,
        quote!({ interfaces: ["acme:geo/locate@1.2.0" as one], serves: ["acme:geo/locate@1.2.0" as two] }),
        &expect![[r#"
        `acme:geo/locate@1.2.0` is one module, and that is called `one` already
          help: write `as one`, or leave it out"#]],
    );
}

#[test]
fn names_that_are_taken_are_others() {
    let wit = "
        package a:a;
        interface page {
            record page { self: u32 }
            record host { x: u32 }
            variant self { self }
            %with: func();
            planet: func(caller: u32, self: u32) -> result<page, string>;
            gen: func();
        }";
    let text = expanded(wit, quote!({ interfaces: ["a:a/page"], serves: ["a:a/page"] })).to_string();
    for name in [
        "pub struct PageHandle",
        "pub trait HostTrait",
        "pub enum Self_",
        "pub async fn planet_",
        "pub async fn with_",
        "pub fn with <",
        "__caller : & :: kokoro_host :: Caller , caller : u32",
        "fn gen_",
        "static __KOKORO_PACKAGE_PAGE",
    ] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
}

#[test]
fn only_results_with_a_string_can_say_that_an_answer_is_late() {
    let wit = "
        package a:a;
        interface x {
            type reason = string;
            type answer = result<u32, reason>;
            a: func() -> answer;
            b: func() -> result<u32, u32>;
            c: func() -> string;
        }";
    let text = expanded(wit, quote!({ serves: ["a:a/x"] })).to_string();
    assert_eq!(text.matches("Option :: Some (| __message").count(), 1, "{text}");
    assert_eq!(text.matches("Option :: None").count(), 2, "{text}");
}

#[test]
fn two_modules_of_one_name_want_another() {
    let wit = format!("{WIT}\npackage acme:sea@1.0.0 {{ interface locate {{ find: func(); }} }}");
    let input = quote!({ interfaces: ["acme:geo/locate@1.2.0", "acme:sea/locate@1.0.0"] });
    check(
        &wit,
        input,
        &expect![[r#"
        `acme:geo/locate@1.2.0` and `acme:sea/locate@1.0.0` would both be the module `locate`
          help: write `"acme:sea/locate@1.0.0" as another_name`"#]],
    );
    let input = quote!({ interfaces: ["acme:geo/locate@1.2.0", "acme:sea/locate@1.0.0" as at_sea] });
    check(&wit, input, &expect![[""]]);
}

#[test]
fn resources_are_types_of_the_application_and_handles_are_shared_values() {
    let wit = "
        package a:a;
        interface store {
            resource cursor {
                constructor(at: u32) -> result<cursor, string>;
                next: func(cursor: u32) -> option<string>;
                fork: func() -> list<tuple<u32, cursor>>;
                count: static func(caller: list<borrow<cursor>>) -> u32;
            }
            type cursors = list<cursor>;
            close: func(all: cursors);
        }
        interface search {
            use store.{cursor as place};
            find: func(after: borrow<place>) -> option<place>;
        }";
    let file: syn::File =
        syn::parse2(expanded(wit, quote!({ serves: ["a:a/store", "a:a/search" as finder] }))).unwrap();
    let modules =
        file.items.into_iter().filter_map(|item| if let syn::Item::Mod(item) = item { item.content } else { None });
    let traits = modules.flat_map(|(_, items)| items).filter(|item| matches!(item, syn::Item::Trait(_))).collect();
    let traits = prettyplease::unparse(&syn::File { shebang: None, attrs: Vec::new(), items: traits });
    expect![[r#"
        ///Implemented by the application to serve `a:a/store`. Each function gets to know who calls.
        pub trait Host: ::core::marker::Send + ::core::marker::Sync + 'static {
            /// What Planets hold handles of as `cursor`. It is dropped when nobody holds one any more.
            type Cursor: ::core::marker::Send + ::core::marker::Sync + 'static;
            /// Answers `cursor.constructor`.
            fn cursor_new(
                &self,
                caller: &::kokoro_host::Caller,
                at: u32,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<
                    ::std::sync::Arc<<Self as super::store::Host>::Cursor>,
                    ::std::string::String,
                >,
            > + ::core::marker::Send;
            /// Answers `cursor.next`.
            fn cursor_next(
                &self,
                caller: &::kokoro_host::Caller,
                self_: ::std::sync::Arc<<Self as super::store::Host>::Cursor>,
                cursor: u32,
            ) -> impl ::core::future::Future<
                Output = ::core::option::Option<::std::string::String>,
            > + ::core::marker::Send;
            /// Answers `cursor.fork`.
            fn cursor_fork(
                &self,
                caller: &::kokoro_host::Caller,
                cursor: ::std::sync::Arc<<Self as super::store::Host>::Cursor>,
            ) -> impl ::core::future::Future<
                Output = ::std::vec::Vec<
                    (u32, ::std::sync::Arc<<Self as super::store::Host>::Cursor>),
                >,
            > + ::core::marker::Send;
            /// Answers `cursor.count`.
            fn cursor_count(
                &self,
                __caller: &::kokoro_host::Caller,
                caller: ::std::vec::Vec<::std::sync::Arc<<Self as super::store::Host>::Cursor>>,
            ) -> impl ::core::future::Future<Output = u32> + ::core::marker::Send;
            /// Answers `close`.
            fn close(
                &self,
                caller: &::kokoro_host::Caller,
                all: ::std::vec::Vec<::std::sync::Arc<<Self as super::store::Host>::Cursor>>,
            ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
        }
        ///Implemented by the application to serve `a:a/search`. Each function gets to know who calls.
        pub trait Host: super::store::Host + ::core::marker::Send + ::core::marker::Sync + 'static {
            /// Answers `find`.
            fn find(
                &self,
                caller: &::kokoro_host::Caller,
                after: ::std::sync::Arc<<Self as super::store::Host>::Cursor>,
            ) -> impl ::core::future::Future<
                Output = ::core::option::Option<
                    ::std::sync::Arc<<Self as super::store::Host>::Cursor>,
                >,
            > + ::core::marker::Send;
        }
    "#]]
    .assert_eq(&traits);
}

#[test]
fn resources_of_planets_are_types_with_methods_and_what_passes_them_is_written_in_its_form() {
    let wit = "
        package a:a;
        interface store {
            flags mode { read, write }
            /// A place in the store.
            resource cursor {
                constructor(at: u32, mode: mode);
                next: func(after: borrow<cursor>) -> option<string>;
                %with: func();
                count: static func() -> u32;
            }
            record found { at: cursor, near: list<cursor> }
            variant order { none, before(borrow<cursor>) }
            type cursors = list<cursor>;
            close: func(all: cursors, one: found, order: order, some: list<borrow<cursor>>);
            size: func(of: string) -> u32;
        }
        interface search {
            use store.{cursor as place, found};
            find: func(after: borrow<place>, text: string) -> result<found>;
        }";
    let text = expanded(wit, quote!({ interfaces: ["a:a/store", "a:a/search"] }));
    let mut file: syn::File = syn::parse2(text.clone()).unwrap();
    file.items.retain(|item| matches!(item, syn::Item::Mod(_)));
    assert!(!file.items.is_empty(), "{text}");
    expect_test::expect_file!["../../tests/expansion/held.rs"].assert_eq(&format!(
        "// Interfaces with resources that the application calls. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.\n\n{}",
        prettyplease::unparse(&file)
    ));
}
