//! `kokoro adopt`: what it makes of finished components, and what it refuses.

mod support;

use std::fs;
use std::path::PathBuf;

use expect_test::expect_file;
use serde_json::{Value, json};
use support::{Run, kokoro, planets, refused};
use tempfile::TempDir;

/// Imports two interfaces, one of them with a resource, and what every Planet (plugin) is served.
const FOREIGN: &str = r#"(component
    (import "acme:log/sink@1.2.0" (instance (export "write" (func (param "line" string)))))
    (import "acme:images/codec@1.0.0" (instance (export "encode" (func (param "pixels" (list u8)) (result (list u8))))))
    (import "acme:db/tables@1.0.0" (instance
        (export "cursor" (type (sub resource)))
        (export "[method]cursor.next" (func (param "self" (borrow 0))))))
    (type $level (enum "low" "high"))
    (import "acme:log/types@1.0.0" (instance (export "level" (type (eq $level)))))
    (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64))))))"#;

/// A folder with a component, `hello.wasm`.
struct Foreign {
    folder: TempDir,
}

impl Foreign {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("hello.wasm"), wat::parse_str(text).expect("well-formed text")).expect("a file");
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn adopt(&self, arguments: &[&str]) -> Run {
        Run::of(support::program().current_dir(&self.folder).args(["adopt", "hello.wasm"]).args(arguments))
    }

    /// The manifest that it has.
    fn manifest(&self) -> Value {
        let run = self.adopt(&["--show"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str(&run.stdout).expect("JSON")
    }

    /// What `kokoro inspect` says of a file.
    fn inspected(&self, name: &str) -> Value {
        let run = kokoro(["inspect".as_ref(), self.file(name).as_os_str(), "--json".as_ref()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str(&run.stdout).expect("JSON")
    }
}

#[test]
fn what_is_said_stands_in_the_manifest_and_the_rest_stays() {
    let foreign = Foreign::new(FOREIGN);
    assert_eq!(foreign.manifest(), json!({}));
    let run = foreign.adopt(&[
        "--name=greeter",
        "--version=1.0.0",
        "--optional=acme:log/sink",
        "--permission=read=content",
        "--permission=net",
        "--satellite=acme:images/codec@1.0.0=image-codec:optional,reload=keep",
        r#"--app={"title":"Hello"}"#,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    expect_file!["golden/adopt.txt"].assert_eq(&format!("{}{}", run.stdout, run.stderr));
    let expected = json!({
        "name": "greeter",
        "version": "1.0.0",
        "optional": ["acme:log/sink@1.2.0", "acme:images/codec@1.0.0"],
        "permissions": {"read": ["content"], "net": true},
        "satellites": [{"interface": "acme:images/codec@1.0.0", "program": "image-codec", "reload": "keep"}],
        "app": {"title": "Hello"},
    });
    assert_eq!(foreign.manifest(), expected);

    let run = foreign.adopt(&[
        "--requires=acme:log/sink@1.0.0",
        "--permission=read=content",
        "--permission=env=HOME",
        "--app=null",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let expected = json!({
        "name": "greeter",
        "version": "1.0.0",
        "requires": ["acme:log/sink@1.0.0"],
        "optional": ["acme:images/codec@1.0.0"],
        "permissions": {"read": ["content"], "env": ["HOME"], "net": true},
        "satellites": [{"interface": "acme:images/codec@1.0.0", "program": "image-codec", "reload": "keep"}],
    });
    assert_eq!(foreign.manifest(), expected);
    let inspected = foreign.inspected("hello.wasm");
    let names = |list: &Value| -> Vec<Value> {
        list.as_array().expect("a list").iter().map(|import| import["interface"].clone()).collect()
    };
    assert_eq!(names(&inspected["requires"]), ["acme:db/tables@1.0.0", "acme:log/sink@1.2.0"]);
    assert_eq!(names(&inspected["optional"]), ["acme:images/codec@1.0.0"]);
    assert_eq!(inspected["notes"], json!([]));
}

#[test]
fn a_manifest_can_be_given_whole_and_be_taken_away() {
    let foreign = Foreign::new(FOREIGN);
    let before = fs::read(foreign.file("hello.wasm")).expect("the component");
    let manifest = json!({"name": "whole", "future": [1, 2], "app": null});
    fs::write(foreign.file("planet.json"), manifest.to_string()).expect("a file");
    let run = foreign.adopt(&["--manifest=planet.json", "--version=2.0.0", "--output=out.wasm"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(fs::read(foreign.file("hello.wasm")).expect("the component"), before, "only the output is written");
    assert_eq!(
        (&foreign.inspected("out.wasm")["name"], &foreign.inspected("out.wasm")["version"]),
        (&json!("whole"), &json!("2.0.0"))
    );

    fs::copy(foreign.file("out.wasm"), foreign.file("hello.wasm")).expect("a copy");
    assert_eq!(foreign.manifest(), json!({"name": "whole", "version": "2.0.0", "future": [1, 2]}));
    assert_eq!(foreign.adopt(&["--clear"]).code, Some(0));
    assert_eq!(fs::read(foreign.file("hello.wasm")).expect("the component"), before, "nothing else has changed");
}

#[test]
fn show_writes_nothing() {
    let foreign = Foreign::new(FOREIGN);
    let before = fs::read(foreign.file("hello.wasm")).expect("the component");
    let run = foreign.adopt(&["--show", "--name=other"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "{\n  \"name\": \"other\"\n}\n"));
    assert_eq!(fs::read(foreign.file("hello.wasm")).expect("the component"), before);
}

#[test]
fn the_adopted_manifest_wins_over_the_one_that_the_macro_wrote() {
    let foreign = Foreign::new("(component)");
    fs::copy(planets("site-builder").join("page.wasm"), foreign.file("hello.wasm")).expect("a planet that was built");
    let before = foreign.manifest();
    assert_eq!(before["name"], "page");
    assert_eq!(foreign.adopt(&["--name=other"]).code, Some(0));
    let mut expected = before.clone();
    expected["name"] = json!("other");
    assert_eq!(foreign.manifest(), expected);
    let inspected = foreign.inspected("hello.wasm");
    assert_eq!((&inspected["name"], &inspected["notes"]), (&json!("other"), &json!([])));
}

#[test]
fn a_planet_without_its_optional_dependency_runs_once_it_says_so() {
    let foreign = Foreign::new(
        r#"(component (import "acme:log/sink@1.2.0" (instance (export "write" (func (param "line" string))))))"#,
    );
    let state = || {
        let run = kokoro(["graph".as_ref(), foreign.folder.path().as_os_str(), "--format=json".as_ref()]);
        let graph: Value = serde_json::from_str(&run.stdout).expect("JSON");
        graph["planets"][0]["state"].clone()
    };
    assert_eq!(state(), "waiting");
    assert_eq!(foreign.adopt(&["--optional=acme:log/sink"]).code, Some(0));
    assert_eq!(state(), "running");
}

#[test]
fn what_the_host_would_not_take_is_refused_and_nothing_is_written() {
    let foreign = Foreign::new(FOREIGN);
    let before = fs::read(foreign.file("hello.wasm")).expect("the component");
    fs::write(foreign.file("both.json"), r#"{"requires":["acme:log/sink@1.2.0"],"optional":["acme:log/sink@1.0.0"]}"#)
        .expect("a file");
    fs::write(foreign.file("list.json"), "[]").expect("a file");
    let mut messages = String::new();
    for arguments in [
        &[][..],
        &["--name=a b"],
        &["--version=1"],
        &["--optional=acme:log"],
        &["--optional=acme:log/sink", "--requires=acme:log/sink@1.0.0"],
        &["--manifest=both.json"],
        &["--manifest=list.json"],
        &["--optional=wasi:random/random"],
        &["--requires=kokoro:core/log@0.1.0"],
        &["--optional=acme:log/types"],
        &["--satellite=acme:images/codec@1.0.0=../sh"],
        &["--satellite=acme:db/tables=server"],
        &["--output=no/such/folder.wasm", "--name=x"],
        &["--output=.", "--name=x"],
    ] {
        let run = foreign.adopt(arguments);
        assert!(matches!(run.code, Some(1 | 2)), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        messages += &format!("$ kokoro adopt hello.wasm {}\n{}\n", arguments.join(" "), run.stderr);
    }
    expect_file!["golden/adopt_refused.txt"].assert_eq(&messages);
    assert_eq!(fs::read(foreign.file("hello.wasm")).expect("the component"), before);
}

#[test]
fn what_may_not_be_meant_is_noted() {
    let foreign = Foreign::new(FOREIGN);
    let run = foreign.adopt(&["--optional=acme:log/sink@2.0.0", "--requires=acme:mail/outbox@1.0.0"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    expect_file!["golden/adopt_notes.txt"].assert_eq(&run.stderr);
}

#[test]
fn what_is_no_component_cannot_be_adopted() {
    let foreign = Foreign::new("(module)");
    refused(&foreign.adopt(&["--name=x"]), 2, expect_file!["golden/adopt_module.txt"]);
    fs::write(foreign.file("hello.wasm"), "text").expect("a file");
    let run = foreign.adopt(&["--name=x"]);
    assert!(run.code == Some(2) && run.stderr.contains("this is not WebAssembly"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_link_and_the_permissions_of_a_file_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let foreign = Foreign::new(FOREIGN);
    fs::rename(foreign.file("hello.wasm"), foreign.file("real.wasm")).expect("another name");
    std::os::unix::fs::symlink("real.wasm", foreign.file("hello.wasm")).expect("a link");
    fs::set_permissions(foreign.file("real.wasm"), fs::Permissions::from_mode(0o640)).expect("permissions");
    assert_eq!(foreign.adopt(&["--name=linked"]).code, Some(0));
    assert!(fs::symlink_metadata(foreign.file("hello.wasm")).expect("a link").is_symlink());
    let mode = fs::metadata(foreign.file("real.wasm")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(foreign.inspected("real.wasm")["name"], "linked");
    assert_eq!(fs::read_dir(foreign.folder.path()).expect("the folder").count(), 2, "nothing is left over");
}
