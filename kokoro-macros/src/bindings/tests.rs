use expect_test::{Expect, expect};
use quote::quote;

use super::*;

/// The messages of the compile errors that an input leads to.
fn check(wit: &str, input: TokenStream, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("wit")).expect("a folder");
    std::fs::write(folder.path().join("wit/it.wit"), wit).expect("a file");
    let surroundings = Surroundings {
        manifest_dir: folder.path().to_owned(),
        source_dir: None,
        name: "app".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let expanded = bindings(input, &surroundings);
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
        `wit` declares `acme:geo/locate@2.0.0` with another version only
          help: write `acme:geo/locate@1.2.0`"#]],
    );
    check(
        WIT,
        quote!({ serves: ["acme:geo/watch@1.2.0"] }),
        &expect![[r#"
        `acme:geo/watch@1.2.0` defines the resource `sight`, and resources between planets and the application are not supported yet
          help: pass records, or an id that the other side gives out"#]],
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
