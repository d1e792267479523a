//! The options `--allow-...`, what is said where they are missing, and what `inspect` and `graph` show of them.

mod support;

use std::path::Path;

use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};
use support::{Run, kokoro, program};
use tempfile::TempDir;

/// A variable of this process, for the commands that it runs.
const VARIABLE: &str = "KOKORO_TEST_VARIABLE";

/// Runs `kokoro COMMAND planets OPTIONS..` in `place`.
fn run(place: &Path, command: &[&str], options: &[&str]) -> Run {
    let mut kokoro = program();
    kokoro.args(command).args(options).current_dir(place).env_remove("RUST_LOG").env(VARIABLE, "secret");
    Run::of(&mut kokoro)
}

/// A folder with a folder `planets` and, to be granted, `content` with two files in it and `out`.
fn place(planets: &[(&str, Vec<u8>)]) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary folder");
    for folder in ["planets", "content", "out"] {
        std::fs::create_dir(place.path().join(folder)).expect("a folder");
    }
    for file in ["a", "b"] {
        std::fs::write(place.path().join("content").join(file), file).expect("a file");
    }
    for (name, component) in planets {
        std::fs::write(place.path().join(format!("planets/{name}.wasm")), component).expect("a file");
    }
    place
}

fn faulty() -> Vec<u8> {
    guest("faulty")
}

fn guest(name: &str) -> Vec<u8> {
    std::fs::read(support::planets("tests").join(name).with_extension("wasm")).expect("a planet that was built")
}

/// The Planet of `needy.wat`, which asks for these permissions.
fn needy(permissions: &Value) -> Vec<u8> {
    needy_with(permissions, "")
}

/// The same, with this in its code.
fn needy_with(permissions: &Value, start: &str) -> Vec<u8> {
    let manifest = json!({ "permissions": permissions }).to_string();
    let manifest = manifest.replace('\\', "\\\\").replace('"', "\\\"");
    let text = include_str!("support/needy.wat").replace("MANIFEST", &manifest).replace("START", start);
    wat::parse_str(text).expect("well-formed WAT")
}

/// A Planet that hands `files` on to whoever provides it.
const FORWARDER: &str = r#"
(component
  (import "test:cli/needs@0.1.0" (instance $needs (export "files" (func (result (result (error string)))))))
  (core module $heap
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64))
  (core instance $heap (instantiate $heap))
  (core func $files (canon lower (func $needs "files") (memory $heap "memory") (realloc (func $heap "realloc"))))
  (core module $code
    (import "needs" "files" (func $files (param i32)))
    (func (export "files") (result i32) (call $files (i32.const 0)) i32.const 0))
  (core instance $code (instantiate $code (with "needs" (instance (export "files" (func $files))))))
  (func (export "files") (result (result (error string)))
    (canon lift (core func $code "files") (memory $heap "memory"))))
"#;

#[test]
fn each_option_gives_exactly_its_thing() {
    let place = place(&[("faulty", faulty())]);
    let variable = format!("[\"variable {VARIABLE}\"]\n");
    let all = json!(["*:*"]);
    let net = json!({ "tcp_connect": all, "tcp_listen": all, "udp": all, "udp_listen": all, "name_lookup": true });
    for (options, granted, surroundings) in [
        (&[] as &[&str], json!({}), "[]\n"),
        (&["--allow-read", "content"], json!({ "read": { "content": "content" } }), "[]\n"),
        (&["--allow-read", "content::/"], json!({ "read": { "/": "content" } }), "[\"directory\", \"directory\"]\n"),
        (&["--allow-write=content::/"], json!({ "write": { "/": "content" } }), "[\"directory\", \"directory\"]\n"),
        (&["--allow-write", "out/"], json!({ "write": { "out": "out" } }), "[]\n"),
        (&["--allow-env", VARIABLE], json!({ "env": [VARIABLE] }), &variable),
        (
            &["--allow-env", "B=1=2", "--allow-env=A="],
            json!({ "env": ["A", "B"] }),
            "[\"variable A\", \"variable B\"]\n",
        ),
        (&["--allow-net"], net, "[]\n"),
        (
            &["--allow-http", "*.example.com", "--allow-http", "localhost:80"],
            json!({ "http": ["*.example.com", "localhost:80"] }),
            "[]\n",
        ),
    ] {
        let graph = run(place.path(), &["graph", "planets", "--format=json"], options);
        assert_eq!((graph.code, graph.stderr.as_str()), (Some(0), ""), "{options:?}");
        assert!(!graph.stdout.contains("secret"), "{}", graph.stdout);
        let graph: Value = serde_json::from_str(&graph.stdout).expect("JSON");
        assert_eq!(graph["planets"][0]["granted"], granted, "{options:?}");
        let call = run(place.path(), &["call", "planets", "test:guests/faults.surroundings()"], options);
        assert_eq!((call.code, call.stdout.as_str(), call.stderr.as_str()), (Some(0), surroundings, ""), "{options:?}");
    }
}

#[test]
fn each_planet_of_the_folder_is_granted_all_and_graph_shows_it() {
    let place = place(&[("needy", needy(&json!({}))), ("forwarder", wat::parse_str(FORWARDER).expect("WAT"))]);
    let options = [
        "--allow-read=content",
        "--allow-write=out::/srv/out/",
        "--allow-env=LANG=en",
        "--allow-env",
        VARIABLE,
        "--allow-http=*.example.com",
        "--allow-net",
    ];
    let run = run(place.path(), &["graph", "planets"], &options);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    expect_file!["golden/graph_granted.txt"].assert_eq(&run.stdout);
}

#[test]
fn one_directory_may_be_given_twice() {
    let place = place(&[("faulty", faulty())]);
    let options = ["--allow-read=content", "--allow-read=content/", "--allow-write=./content::content"];
    let run = run(place.path(), &["graph", "planets", "--format=json"], &options);
    let graph: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(graph["planets"][0]["granted"], json!({ "write": { "content": "./content" } }), "{}", run.stderr);
}

#[test]
fn what_cannot_be_granted_is_code_2_before_anything_is_loaded() {
    let place = place(&[]);
    let mut messages = String::new();
    for options in [
        &["--allow-read", "missing"] as &[&str],
        &["--allow-write", "content/a"],
        &["--allow-read", "::content"],
        &["--allow-read", "content::"],
        &["--allow-read", "content", "--allow-read", "out::./content"],
        &["--allow-env", "KOKORO_NO_SUCH_VARIABLE"],
        &["--allow-env", "=value"],
        &["--allow-env", ""],
        &["--allow-http", "https://example.com/"],
        &["--allow-http", "user@example.com"],
        &["--allow-http", "example.com:http"],
    ] {
        for command in ["graph", "call"] {
            // A folder that is not there is what would be complained about next.
            let call = ["call", "no/such/folder", "a.b()"];
            let run = run(place.path(), if command == "call" { &call } else { &["graph", "no/such/folder"] }, options);
            assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{options:?}: {}", run.stderr);
            if command == "graph" {
                messages += &format!("$ kokoro graph DIR {}\n{}\n", options.join(" "), run.stderr);
            }
        }
    }
    expect_file!["golden/allow_wrong.txt"].assert_eq(&messages);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_code_2() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = program();
    command.args(["graph", "no/such/folder", "--allow-env", VARIABLE]);
    let run = Run::of(command.env(VARIABLE, std::ffi::OsStr::from_bytes(b"\xff")));
    assert_eq!(run.code, Some(2));
    expect_file!["golden/allow_variable_no_text.txt"].assert_eq(&run.stderr);
}

/// What a call that fails prints, with and without what would have helped.
fn check_hint(permissions: &Value, function: &str, options: &[&str], golden: ExpectFile) {
    let place = place(&[("needy", needy(permissions))]);
    let invocation = format!("test:cli/needs.{function}()");
    let failed = run(place.path(), &["call", "planets", &invocation], &[]);
    assert_eq!(failed.code, Some(1));
    golden.assert_eq(&failed.stderr);
    let done = run(place.path(), &["call", "planets", &invocation], options);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_call_that_fails_for_want_of_a_permission_names_the_option() {
    let read = json!({ "read": ["content", "/data"], "http": ["example.com"] });
    check_hint(&read, "files", &["--allow-read=content"], expect_file!["golden/hint_files_asked.txt"]);
    check_hint(&json!({}), "files", &["--allow-write=out"], expect_file!["golden/hint_files.txt"]);
    check_hint(&json!({}), "insist", &["--allow-read=content"], expect_file!["golden/hint_crash.txt"]);
    let env = json!({ "env": [VARIABLE], "write": ["out"] });
    check_hint(&env, "variables", &["--allow-env", VARIABLE], expect_file!["golden/hint_variable.txt"]);
    check_hint(&json!({ "net": true }), "names", &["--allow-net"], expect_file!["golden/hint_net.txt"]);
}

#[test]
fn who_may_only_read_and_writes_is_told_of_the_option_and_who_leaves_is_not() {
    let place = place(&[("probe", guest("probe"))]);
    let call = |function: &str, option: &str| {
        let invocation = format!("probe:all/tries.{function}");
        run(place.path(), &["call", "planets", &invocation], &[option])
    };
    let hint = "\n  note: `probe` tried to change what it may only read, `new`; grant it with `--allow-write DIR`\n";
    let failed = call("insist-on-writing(\"content/new\")", "--allow-read=content");
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.ends_with(hint), "{}", failed.stderr);
    assert_eq!(call("insist-on-writing(\"content/new\")", "--allow-write=content").code, Some(0));
    let failed = call("insist(\"content/../Cargo.toml\")", "--allow-read=content");
    assert!(failed.stderr.contains("leads out of the directories that it was granted"), "{}", failed.stderr);
    assert!(!failed.stderr.contains("note:"), "{}", failed.stderr);
}

#[test]
fn a_call_that_fails_otherwise_names_none() {
    let asked = json!({ "read": ["content"], "env": [VARIABLE], "http": ["example.com"], "net": true });
    let place = place(&[("needy", needy(&asked))]);
    let run = run(place.path(), &["call", "planets", "test:cli/needs.refuse()"], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), "error: `refuse` returned an error\n"));
}

#[test]
fn what_a_dependency_lacks_is_said_and_what_others_lack_is_not() {
    let forwarder = wat::parse_str(FORWARDER).expect("well-formed WAT");
    let needy = needy(&json!({ "read": ["content"] }));
    // It is not called, whatever it failed to find when it started.
    let other = needy_with(&json!({ "read": ["out"] }), "(func $start (drop (call $files))) (start $start)");
    let place = place(&[("forwarder", forwarder), ("needy", needy), ("other", other)]);
    let run = run(place.path(), &["call", "planets", "forwarder.files()"], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "err(\"nothing there\")\n"));
    expect_file!["golden/hint_dependency.txt"].assert_eq(&run.stderr);
}

#[test]
fn a_planet_that_does_not_start_for_want_of_a_permission_names_the_option() {
    let start = "(func $start (if (i32.load (call $files)) (then unreachable))) (start $start)";
    let place = place(&[("needy", needy_with(&json!({ "read": ["content"] }), start))]);
    let note = "note: `needy` asks to read `content`; grant it with `--allow-read content`\n";
    let graph = run(place.path(), &["graph", "planets"], &[]);
    assert_eq!((graph.code, graph.stderr.as_str()), (Some(0), note));
    assert!(graph.stdout.starts_with("needy  failed: "), "{}", graph.stdout);
    let call = run(place.path(), &["call", "planets", "test:cli/needs.refuse()"], &[]);
    assert_eq!(call.code, Some(1));
    assert!(call.stderr.ends_with(&format!("\n  {note}")), "{}", call.stderr);
    let graph = run(place.path(), &["graph", "planets"], &["--allow-read", "content"]);
    assert_eq!((graph.code, graph.stderr.as_str()), (Some(0), ""));
}

#[test]
fn inspect_shows_what_a_planet_asks_for_and_its_hash() {
    let permissions = json!({
        "read": ["content", "a\u{1b}[2Jb"], "write": ["out"], "env": ["LANG"], "http": ["example.com", "*.example.org"],
        "net": true, "gpu": { "memory": "1 GiB" },
    });
    let place = place(&[("needy", needy(&permissions))]);
    let text = run(place.path(), &["inspect", "planets/needy.wasm"], &[]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    let json = run(place.path(), &["inspect", "planets/needy.wasm", "--json"], &[]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["permissions"], permissions);

    let sha256 = json["sha256"].as_str().expect("a text");
    let (_, rest) = text.stdout.split_once(&format!("\nsha256 {sha256}\n")).expect("the same hash");
    expect_file!["golden/inspect_permissions.txt"].assert_eq(rest);
    // It is what admission decides by.
    let graph = run(place.path(), &["graph", "planets", "--format=json"], &[]);
    let graph: Value = serde_json::from_str(&graph.stdout).expect("JSON");
    assert_eq!(graph["planets"][0]["sha256"], sha256);
}

#[test]
fn help_says_that_nothing_is_granted_unless_told() {
    let help = kokoro(["call", "--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    expect_file!["golden/call_help.txt"].assert_eq(&help.stdout);
    assert!(kokoro(["--help"]).stdout.contains("nothing is granted to any of them unless you say so"));
}
