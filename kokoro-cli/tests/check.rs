//! `kokoro check`: what it foresees, and whether the host agrees.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use expect_test::{ExpectFile, expect_file};
use kokoro_host::{Primary, State};
use serde_json::Value;
use support::{Run, planets, program};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// A component with these imports and exports, whose functions do nothing; `packages` are what they are of.
fn component(world: &str, packages: &str) -> Vec<u8> {
    let text = format!("package t:root; world root {{ {world} }} {packages}");
    let mut resolve = Resolve::default();
    let package = resolve.push_str("t.wit", &text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let world = resolve.select_world(&[package], Some("root")).expect("it is there");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a world");
    ComponentEncoder::default().validate(true).module(&module).expect("a module").encode().expect("a component")
}

/// A folder of files.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, content).expect("a file");
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn check(&self, arguments: &[&str]) -> Run {
        Run::of(program().current_dir(&self.0).arg("check").args(arguments))
    }

    /// What is printed, with the exit code.
    fn shows(&self, arguments: &[&str], golden: ExpectFile) {
        let run = self.check(arguments);
        let code = run.code.expect("it was not killed");
        let text = format!(
            "$ kokoro check {}\n{}{}exit code {code}\n",
            arguments.join(" "),
            run.stdout,
            run.stderr.lines().map(|line| format!("! {line}\n")).collect::<String>()
        );
        golden.assert_eq(&text);
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let run = self.check(&[arguments, &["--json"]].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
    }
}

/// What an application of notes and its Planets (plugins) have agreed on.
const NOTES: &str = "package acme:notes@1.0.0;
interface store {
    record note { title: string, text: string }
    read: func(title: string) -> result<note, string>;
}
interface theme {
    colour: func(name: string) -> option<string>;
}
interface command {
    run: func(arguments: list<string>) -> result<string, string>;
}
world plugin {
    import store;
    import theme;
    export command;
}
";

/// The same, and in each direction one change that breaks Planets of the old one.
const CHANGED_NOTES: &str = "package acme:notes@1.1.0;
interface store {
    record note { title: string, text: string }
    read: func(title: string) -> result<note, string>;
    titles: func() -> list<string>;
}
interface theme {
    record rgb { red: u8, green: u8, blue: u8 }
    colour: func(name: string) -> option<rgb>;
}
interface command {
    run: func(arguments: list<string>) -> result<string, string>;
    title: func() -> string;
}
world plugin {
    import store;
    import theme;
    export command;
}
";

const OTHERS: &str = "
package acme:pdf@1.0.0 { interface writer { write: func(text: string) -> list<u8>; } }
package acme:pdf@2.0.0 { interface writer { write: func(text: string, title: string) -> list<u8>; } }
package acme:text@1.0.0 { interface index { find: func(word: string) -> list<u32>; } }
package acme:text@1.2.0 { interface index { find: func(word: string) -> list<u64>; more: func(); } }
";

/// NOTES within another file.
fn nested(wit: &str) -> String {
    let (head, body) = wit.split_once(';').expect("a package");
    format!("{head} {{ {body} }}\n{OTHERS}")
}

/// Two that would start, one whose dependency is missing, and one whose dependency has another type.
fn notes() -> Place {
    let packages = nested(NOTES);
    let planet = |world: &str| component(world, &packages);
    Place::new()
        .with("wit/notes.wit", NOTES)
        .with("new/notes.wit", CHANGED_NOTES)
        .with("plugins/count.wasm", planet("import acme:notes/store@1.0.0; export acme:notes/command@1.0.0;"))
        .with("plugins/pdf.wasm", planet("export acme:pdf/writer@2.0.0;"))
        .with("plugins/print.wasm", planet("import acme:pdf/writer@1.0.0; export acme:notes/command@1.0.0;"))
        .with("plugins/index.wasm", planet("export acme:text/index@1.2.0;"))
        .with("plugins/search.wasm", planet("import acme:text/index@1.0.0; export acme:notes/command@1.0.0;"))
}

#[test]
fn a_missing_dependency_and_a_type_mismatch_are_found_without_running_anything() {
    notes().shows(&["plugins", "--served-by", "wit"], expect_file!["golden/check_notes.txt"]);
}

#[test]
fn what_breaks_planets_of_the_old_interfaces_differs_by_direction() {
    notes().shows(&["--since", "wit", "new"], expect_file!["golden/check_since.txt"]);
}

#[test]
fn without_the_application_what_it_serves_is_missing() {
    let place = notes();
    let value = place.json(&["plugins"]);
    let count = value["planets"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|planet| planet["name"] == "count")
        .expect("it is there");
    assert_eq!(count["ok"], false);
    assert!(count["reason"].as_str().expect("a reason").contains("`acme:notes/store@1.0.0`"), "{count}");
    assert!(value["notes"][0].as_str().expect("a note").contains("--served-by"), "{value}");
}

#[test]
fn the_types_that_the_application_serves_are_compared_too() {
    let place = notes();
    let run = place.check(&["plugins", "--served-by", "new"]);
    assert!(
        run.stdout.contains("count: does not fit: it exports `acme:notes/command@1.0.0`")
            && !run.stdout.contains("acme:notes/store"),
        "the store has only got more functions, and the command as well: {}",
        run.stdout
    );
    let other = NOTES.replace("text: string }", "text: list<u8> }");
    let place = place.with("other/notes.wit", other);
    place.shows(&["plugins", "--served-by", "other"], expect_file!["golden/check_served.txt"]);
}

#[test]
fn what_planets_export_is_compared_with_what_the_application_calls() {
    let packages = "package acme:hello@1.0.0 { interface greeting { greet: func(name: string) -> string; } }";
    let shouting = "package acme:hello@1.2.0 { interface greeting { greet: func(name: u64) -> u32; shout: func(); } }";
    Place::new()
        .with(
            "wit/hello.wit",
            "package acme:hello@1.1.0; interface greeting { greet: func(name: u64) -> u32; } world plugin { export greeting; }",
        )
        .with("plugins/other.wasm", component("export acme:hello/greeting@1.0.0;", packages))
        .with("plugins/same.wasm", component("export acme:hello/greeting@1.2.0;", shouting))
        .with("plugins/uses.wasm", component("import acme:hello/greeting@1.0.0;", packages))
        .shows(&["plugins", "--served-by", "wit"], expect_file!["golden/check_called.txt"]);
}

#[test]
fn interfaces_may_be_called_like_keywords() {
    let wit = "package %interface:%world@1.0.0; interface %type { f: func(); } interface %list { g: func(); } \
               world plugin { import %type; export %list; }";
    let place = Place::new().with("wit/app.wit", wit).with(
        "plugins/lists.wasm",
        component(
            "import %interface:%world/%type@1.0.0; export %interface:%world/%list@1.0.0;",
            "package %interface:%world@1.0.0 { interface %type { f: func(); } interface %list { g: func(); } }",
        ),
    );
    for arguments in [&["plugins", "--served-by", "wit"][..], &["--since", "wit", "wit"]] {
        let run = place.check(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", run.stdout);
    }
}

#[test]
fn nobody_is_bound_to_a_planet_that_cannot_be_linked() {
    let packages = "package a:b@1.0.0 { interface c { f: func(); } }
        package kokoro:core@0.1.0 { interface log { write: func(line: string); } }";
    let place = Place::new()
        .with("plugins/broken.wasm", component("import kokoro:core/log@0.1.0; export a:b/c@1.0.0;", packages))
        .with("plugins/user.wasm", component("import a:b/c@1.0.0;", packages));
    place.shows(&["plugins"], expect_file!["golden/check_unlinkable.txt"]);
    let value = place.json(&["plugins"]);
    let states: Vec<_> =
        value["graph"]["planets"].as_array().expect("a list").iter().map(|planet| &planet["state"]).collect();
    assert_eq!(states, ["failed", "waiting"], "{value:#}");
}

#[test]
fn what_cannot_be_loaded_or_linked_is_told() {
    let wrong =
        "(component (import \"kokoro:core/log@0.1.0\" (instance (export \"write\" (func (param \"line\" string))))))";
    let newer = "(component (import \"kokoro:core/weather@0.9.0\" (instance (export \"ask\" (func)))))";
    let packages = "package kokoro:core@0.1.0 { interface lifecycle { start: func() -> u8; stop: func(); } }";
    let manifest = r#"(component (@custom "kokoro:planet" "{\"optional\":[\"a:b/c@1.0.0\"],\"requires\":[\"a:b/e@1.0.0\"]}")
        (import "a:b/c@1.0.0" (instance (export "f" (func))))
        (import "a:b/d@1.0.0" (instance (export "f" (func)))))"#;
    let text = |text: &str| wat::parse_str(text).expect("well-formed text");
    Place::new()
        .with("text.wasm", "hello")
        .with("module.wasm", text("(module)"))
        .with("a b.wasm", text("(component)"))
        .with("ok.wasm", text("(component)"))
        .with("log.wasm", text(wrong))
        .with("newer.wasm", text(newer))
        .with("starts.wasm", component("export kokoro:core/lifecycle@0.1.0;", packages))
        .with("lists.wasm", text(manifest))
        .with("twin.wasm", text(r#"(component (@custom "kokoro:planet" "{\"name\":\"ok\"}"))"#))
        .shows(&["."], expect_file!["golden/check_broken.txt"]);
}

#[test]
fn planets_that_the_build_made_are_well() {
    let run = support::kokoro([
        "check".as_ref(),
        planets("site-builder").as_os_str(),
        "--served-by".as_ref(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/site-builder/wit").as_os_str(),
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn the_programs_of_satellites_are_looked_at() {
    let asks = r#"{\"optional\":[\"a:b/e@1.0.0\"],\"satellites\":[{\"interface\":\"a:b/c@1.0.0\",\"program\":\"one\"},{\"interface\":\"a:b/e@1.0.0\",\"program\":\"two\"}]}"#;
    let text = format!(
        r#"(component (@custom "kokoro:planet" "{asks}")
        (import "a:b/c@1.0.0" (instance (export "f" (func))))
        (import "a:b/e@1.0.0" (instance (export "f" (func)))))"#
    );
    let target = kokoro_host::SatelliteGrant::TARGET;
    let place = Place::new()
        .with("owner.wasm", wat::parse_str(text).expect("well-formed text"))
        .with(&format!("owner.satellites/{target}/one"), "#!/bin/sh\n")
        .with("owner.satellites/riscv64-unknown-none/two", "for another machine")
        .with("gone.satellites/any/program", "left over");
    let run = place.check(&["."]);
    expect_file!["golden/check_satellites.txt"].assert_eq(&run.stdout.replace(target, "TARGET"));
    assert_eq!(run.code, Some(1));

    use std::os::unix::fs::PermissionsExt as _;
    let program = place.path().join(format!("owner.satellites/{target}/one"));
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("permissions");
    let run = place.check(&["."]);
    assert_eq!(run.code, Some(0), "the optional one may be missing: {}", run.stdout);
}

/// What is printed about two versions of a package.
fn since(title: &str, old: &str, new: &str, arguments: &[&str]) -> String {
    let place = Place::new().with("old/app.wit", old).with("new/app.wit", new);
    let run = place.check(&[&["--since", "old", "new"], arguments].concat());
    let errors: String = run.stderr.lines().map(|line| format!("! {line}\n")).collect();
    format!("== {title}\n{}{errors}exit code {}\n\n", run.stdout, run.code.expect("it was not killed"))
}

#[test]
fn each_kind_of_change_is_told_with_what_it_costs() {
    let unversioned = NOTES.replace("@1.0.0", "");
    let two = NOTES.replace("1.0.0", "2.0.0");
    let without_theme = |wit: &str| {
        let (before, rest) = wit.split_once("interface theme").expect("it is there");
        let (_, after) = rest.split_once("}\n").expect("its end");
        format!("{before}{after}").replace("    import theme;\n", "")
    };
    let without_command = NOTES.replace("    export command;\n", "");
    let in_no_world = NOTES.split("world").next().expect("it has one").to_owned();
    let with_async = NOTES.replace("colour: func", "fade: async func(); colour: func");
    let rc = |number: u32| NOTES.replace("1.0.0", &format!("1.0.0-rc.{number}"));
    let shown = [
        since("nothing has changed", NOTES, NOTES, &[]),
        since("only the version has changed", NOTES, &NOTES.replace("1.0.0", "1.0.1"), &[]),
        since("a breaking change that the version tells", NOTES, &CHANGED_NOTES.replace("1.1.0", "2.0.0"), &[]),
        since(
            "a breaking change of a version that serves only itself",
            &rc(1),
            &CHANGED_NOTES.replace("1.1.0", "1.0.0-rc.1"),
            &[],
        ),
        since("another track for nothing", NOTES, &two, &[]),
        since("the older version", &NOTES.replace("1.0.0", "1.1.0"), NOTES, &[]),
        since("an interface that the application provides is gone", NOTES, &without_theme(NOTES), &[]),
        since("the same, and the version tells it", NOTES, &without_theme(&two), &[]),
        since("a new interface that the application provides", &without_theme(NOTES), NOTES, &[]),
        since("an interface that planets implement is gone", NOTES, &without_command, &[]),
        since("a new interface that planets implement", &without_command, NOTES, &[]),
        since("no version", &unversioned, &CHANGED_NOTES.replace("@1.1.0", ""), &[]),
        since("a version where there was none", &unversioned, NOTES, &[]),
        since(
            "no world",
            &in_no_world,
            &CHANGED_NOTES.split("world").next().expect("it has one").replace("1.1.0", "1.0.0"),
            &[],
        ),
        since(
            "no world, and the application provides all",
            &in_no_world,
            &in_no_world.replace("title: string", "name: string"),
            &["--provided"],
        ),
        since("what is not supported", NOTES, &with_async, &[]),
        since("what never was supported", &with_async, &NOTES.replace("1.0.0", "1.1.0"), &[]),
        since(
            "what was supported beside it",
            &with_async,
            &CHANGED_NOTES.replace("    title: func() -> string;\n", ""),
            &[],
        ),
        since("another package", NOTES, &NOTES.replace("acme:notes", "acme:memos"), &[]),
    ];
    expect_file!["golden/check_since_kinds.txt"].assert_eq(&shown.concat());
}

#[test]
fn what_cannot_be_understood_is_an_error_of_the_input() {
    let place = Place::new().with("wit/app.wit", NOTES).with("wrong/app.wit", "package acme:wrong; interface {");
    let mut messages = String::new();
    for arguments in [
        &["nowhere"][..],
        &["wit", "--served-by", "nowhere"],
        &["wit", "--served-by", "wrong"],
        &["--since", "wit", "nowhere"],
        &["--since", "wit", "wit", "--world", "other"],
        &["wit", "--world", "plugin"],
        &["wit", "--provided"],
        &["wit", "--served-by", "wit", "--implemented"],
    ] {
        let run = place.check(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", run.stderr);
        messages += &format!("$ kokoro check {}\n{}\n", arguments.join(" "), run.stderr);
    }
    expect_file!["golden/check_input.txt"].assert_eq(&messages.replace(&*place.path().to_string_lossy(), "HERE"));
    for arguments in [&[][..], &["plugins", "--since", "wit", "wit"], &["--since", "wit"]] {
        assert_eq!(place.check(arguments).code, Some(2), "{arguments:?}");
    }
}

/// Versions of an interface. Each is compared with each.
const VERSIONS: &[&str] = &[
    "f: func();",
    "f: func(); g: func();",
    "f: func(a: u8);",
    "f: func(other-name: u8);",
    "f: func(a: u16);",
    "f: func() -> result<_, string>;",
    "record r { x: u8 } f: func(a: r);",
    "record renamed { x: u8 } f: func(a: renamed);",
    "record r { x: u8, y: u8 } f: func(a: r);",
    "record r { y: u8, x: u8 } f: func(a: r);",
    "enum e { a, b } f: func(a: e);",
    "enum e { a, b, c } f: func(a: e);",
    "variant v { a, b(u8) } f: func(a: v);",
    "flags w { a, b } f: func(a: w);",
    "f: func(a: list<tuple<u8, option<string>>>) -> string;",
    "f: func(a: list<tuple<u8, string>>) -> string;",
    "resource h; f: func(a: borrow<h>);",
    "resource h { next: func() -> u8; } f: func(a: borrow<h>);",
    "resource h { next: func() -> u8; } resource i; f: func(a: borrow<h>); g: func() -> i;",
    "resource h { constructor(); } f: func(a: h);",
];

/// Whether a Planet that imports an interface like the one is bound to one that exports one like the other.
async fn is_bound(primary: &Primary, import: &str, export: &str) -> bool {
    let planet = |word: &str, body: &str| {
        component(&format!("{word} t:it/it@1.0.0;"), &format!("package t:it@1.0.0 {{ interface it {{ {body} }} }}"))
    };
    primary.load_bytes("exporting", planet("export", export)).await.expect("a planet");
    primary.load_bytes("importing", planet("import", import)).await.expect("a planet");
    let graph = primary.graph();
    let importing = graph.planet("importing").expect("it was loaded");
    assert_ne!(importing.state, State::Failed, "{importing:?}");
    let runs = importing.state == State::Running;
    for name in ["importing", "exporting"] {
        primary.unload(name).await.expect("it is there");
    }
    runs
}

#[tokio::test]
async fn what_is_called_harmless_is_bound_by_the_host_and_what_is_called_breaking_is_not() {
    let primary = Primary::builder().build().expect("a primary");
    let pairs = || (0..VERSIONS.len()).flat_map(|old| (0..VERSIONS.len()).map(move |new| (old, new)));
    // One interface for each pair, in one package.
    let package = |version: &str, body: fn((usize, usize)) -> usize| {
        let interface =
            |pair: (usize, usize)| format!("interface p{}x{} {{ {} }}\n", pair.0, pair.1, VERSIONS[body(pair)]);
        format!("package t:all@{version};\n{}", pairs().map(interface).collect::<String>())
    };
    let place = Place::new()
        .with("old/all.wit", package("1.0.0", |(old, _)| old))
        .with("new/all.wit", package("1.1.0", |(_, new)| new));
    let compared = place.json(&["--since", "old", "new", "--provided", "--implemented"]);
    let mut verdicts = BTreeMap::new();
    for interface in compared["interfaces"].as_array().expect("a list") {
        let direction = interface["direction"].as_str().expect("a direction");
        verdicts.insert((interface["interface"].as_str().expect("a name"), direction), interface);
    }
    assert_eq!(verdicts.len(), 2 * VERSIONS.len() * VERSIONS.len());
    let mut harmless = 0;
    for (import, export) in pairs() {
        let bound = is_bound(&primary, VERSIONS[import], VERSIONS[export]).await;
        // Old Planets import from a new application, and export to one.
        for (direction, old, new) in [("provided", import, export), ("implemented", export, import)] {
            let interface = verdicts[&(&*format!("t:all/p{old}x{new}"), direction)];
            let is_breaking = interface["verdict"] == "breaking";
            assert_eq!(bound, !is_breaking, "{} -> {}: {interface:#}", VERSIONS[old], VERSIONS[new]);
            let changes = interface["changes"].as_array().expect("a list");
            let breaks = changes.iter().any(|change| change["breaking"] == true);
            assert_eq!(breaks, is_breaking, "one of the changes is to blame: {interface:#}");
            harmless += usize::from(!is_breaking);
        }
    }
    assert!(harmless > 2 * VERSIONS.len(), "only {harmless} were harmless: does this test still see anything?");
}
