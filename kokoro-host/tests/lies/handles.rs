//! Components that pass handles that they do not have.

use std::fmt::Write as _;

use expect_test::expect_file;
use kokoro_host::{Engine, Primary, Val};
use wit_component::StringEncoding;

use crate::liars::{BUMP, component};
use crate::{ALONE, Watched, call, primary, said};

const WIT: &str = "package t:values@1.0.0;
    interface things {
      resource thing;
      make: func() -> thing;
      none: func() -> thing;
      again: func() -> thing;
      take: func(x: thing);
      look: func(x: borrow<thing>);
      both: func(x: borrow<thing>, y: thing);
      many: func(x: list<thing>);
      lent: func(x: list<borrow<thing>>);
    }
    world owning { export things; export count: func() -> u32; }
    world holding {
      import things;
      export fair: func(); export never: func(); export zero: func(); export twice: func(); export after-drop: func();
      export lends-dropped: func(); export gives-lent: func(); export same-in-list: func(); export beyond-in-list: func();
      export asks-none: func(); export asks-again: func();
      export count: func() -> u32;
    }";

/// Has things, and two functions that return handles of none.
fn owner() -> Vec<u8> {
    let imports =
        r#"(import "[export]t:values/things@1.0.0" "[resource-new]thing" (func $new (param i32) (result i32)))"#;
    let mut code = "(global $last (mut i32) (i32.const 0))\n".to_owned();
    for (name, rest) in [
        ("make", "(result i32) (global.set $last (call $new (i32.const 7))) (global.get $last)"),
        ("none", "(result i32) (i32.const 99)"),
        ("again", "(result i32) (global.get $last)"),
        ("take", "(param i32)"),
        ("look", "(param i32)"),
        ("both", "(param i32 i32)"),
        ("many", "(param i32 i32)"),
        ("lent", "(param i32 i32)"),
    ] {
        let _ = writeln!(code, "(func (export \"t:values/things@1.0.0#{name}\") {rest})");
    }
    component(WIT, "owning", imports, &code, BUMP, StringEncoding::UTF8)
}

/// What is done with a handle `$h` of a thing, and whether that is fair.
const DEEDS: [(&str, &str, bool); 9] = [
    (
        "fair",
        "(call $look (local.get $h))
         (i32.store (i32.const 64) (local.get $h))
         (i32.store (i32.const 68) (local.get $h))
         (call $lent (i32.const 64) (i32.const 2))
         (call $take (local.get $h))",
        true,
    ),
    ("never", "(call $take (i32.const 77))", false),
    ("zero", "(call $look (i32.const 0))", false),
    ("twice", "(call $take (local.get $h)) (call $take (local.get $h))", false),
    ("after-drop", "(call $drop (local.get $h)) (call $look (local.get $h))", false),
    ("lends-dropped", "(call $take (local.get $h)) (call $look (local.get $h))", false),
    ("gives-lent", "(call $both (local.get $h) (local.get $h))", false),
    (
        "same-in-list",
        "(i32.store (i32.const 64) (local.get $h))
         (i32.store (i32.const 68) (local.get $h))
         (call $many (i32.const 64) (i32.const 2))",
        false,
    ),
    (
        "beyond-in-list",
        "(i32.store (i32.const 64) (local.get $h))
         (i32.store (i32.const 68) (i32.const 0xffffffff))
         (call $many (i32.const 64) (i32.const 2))",
        false,
    ),
];

/// Has one function for each deed.
fn holder() -> Vec<u8> {
    let mut imports = r#"(import "t:values/things@1.0.0" "[resource-drop]thing" (func $drop (param i32)))"#.to_owned();
    for (name, ty) in [
        ("make", "(result i32)"),
        ("none", "(result i32)"),
        ("again", "(result i32)"),
        ("take", "(param i32)"),
        ("look", "(param i32)"),
        ("both", "(param i32 i32)"),
        ("many", "(param i32 i32)"),
        ("lent", "(param i32 i32)"),
    ] {
        let _ = writeln!(imports, "(import \"t:values/things@1.0.0\" \"{name}\" (func ${name} {ty}))");
    }
    let mut code = String::new();
    for (name, deed, _) in DEEDS {
        let _ = writeln!(code, "(func (export \"{name}\") (local $h i32) (local.set $h (call $make)) {deed})");
    }
    code += r#"(func (export "asks-none") (drop (call $none)))
               (func (export "asks-again") (drop (call $make)) (drop (call $again)))"#;
    component(WIT, "holding", &imports, &code, BUMP, StringEncoding::UTF8)
}

async fn goes_on(primary: &Primary, function: &str) -> (Result<Vec<Val>, kokoro_host::Error>, bool, bool) {
    let (mut owner, mut holder) = (Watched::new(primary, "owner").await, Watched::new(primary, "holder").await);
    let outcome = call(primary, "holder", function).await;
    (outcome, owner.goes_on().await, holder.goes_on().await)
}

#[tokio::test]
async fn who_passes_a_handle_that_it_has_not_has_ended_and_nobody_else() {
    let _alone = ALONE.lock().await;
    let primary = primary(&Engine::new().expect("an engine"));
    primary.load_bytes("owner", owner()).await.expect("a component");
    primary.load_bytes("holder", holder()).await.expect("a component");
    let mut text = String::new();
    let line = |error: kokoro_host::Error| said(error.to_string().lines().next().unwrap_or_default()).to_owned();
    for (name, _, fair) in DEEDS {
        let (outcome, owner_goes_on, holder_goes_on) = goes_on(&primary, name).await;
        assert_eq!((outcome.is_ok(), owner_goes_on, holder_goes_on), (fair, true, fair), "{name}: {outcome:?}");
        let outcome = outcome.map_or_else(line, |_| "taken".to_owned());
        let _ = writeln!(text, "{name}: {outcome}");
    }
    for name in ["asks-none", "asks-again"] {
        let (outcome, owner_goes_on, holder_goes_on) = goes_on(&primary, name).await;
        // There is no room for the failure: the holder is lost with it.
        assert_eq!((owner_goes_on, holder_goes_on), (false, false), "{name}: {outcome:?}");
        let _ = writeln!(text, "{name}: {}", line(outcome.expect_err("the owner has no such thing")));
    }
    expect_file!["../golden/lies_handles.txt"].assert_eq(&text);
}
