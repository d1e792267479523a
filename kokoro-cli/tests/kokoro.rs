//! The binary `kokoro`: what it prints, and how it ends.

mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use expect_test::expect_file;
use serde_json::{Value, json};
use support::{Run, call, folder, kokoro, planets, program, refused};

#[test]
fn call_prints_the_answer_as_wave() {
    let folder = folder("site-builder", &["markdown", "highlight"]);
    let point = folder.path();
    for (invocation, answer) in [
        // A string.
        (
            "site:content/markdown.inspect(\"# Hi\")",
            "ok({title: some(\"Hi\"), headings: [{level: 1, id: \"hi\", text: \"Hi\"}], links: []})\n",
        ),
        // A record.
        (
            "site:content/highlight.render({language: some(\"rust\"), text: \"fn main() {}\"})",
            "ok(some(\"<span class=\\\"hl-keyword\\\">fn</span> <span class=\\\"hl-function\\\">main</span>() {}\"))\n",
        ),
        // A list of records.
        (
            "site:content/markdown.render(\"[a](b.md)\", [{destination: \"b.md\", address: \"b.html\"}])",
            "ok([html(\"<p><a href=\\\"b.html\\\">a</a></p>\\n\")])\n",
        ),
    ] {
        let run = call(point, invocation);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{invocation}");
        assert_eq!(run.stdout, answer);
    }
}

#[test]
fn a_plain_answer_is_printed_alone() {
    let folder = folder("tests", &["extra"]);
    let run = call(folder.path(), "test:guests/extra@0.1.0.double(21)");
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "42\n", ""));
    let run = call(folder.path(), "test:guests/extra.name()");
    assert_eq!(run.stdout, "\"extra, in Rust\"\n");
    let run = call(folder.path(), "  test:guests/extra.name () ");
    assert_eq!(run.stdout, "\"extra, in Rust\"\n", "{}", run.stderr);
}

/// What is printed about calls of which none can be understood.
fn messages(folder: &Path, invocations: &[&str]) -> String {
    let mut messages = String::new();
    for invocation in invocations {
        let run = call(folder, invocation);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{invocation}: {}", run.stderr);
        messages += &format!("$ kokoro call DIR '{invocation}'\n{}\n", run.stderr);
    }
    messages
}

#[test]
fn a_call_that_cannot_be_understood_is_pointed_at() {
    let folder = folder("tests", &["extra"]);
    let invocations = [
        "test:guests/extra.double(21",
        "test:guests/extra.double(twenty)",
        "test:guests/extra.double(Twenty One)",
        "test:guests/extra.double(\"21\")",
        "test:guests/extra.double(1, 2)",
        "test:guests/extra.double(1 2)",
        "test:guests/extra.double(1 or 2)",
        "test:guests/extra.double(,)",
        "test:guests/extra.double(1))",
        "test:guests/extra.double(007)",
        "test:guests/extra.double()",
        "test:guests/extra.name(1)",
        "test:guests/extra.double(-1)",
        "test:guests/extra.double(4294967296)",
        "test:guests/extra.double",
        "double(21)",
        ".double(21)",
        "test:guests/extra@1.double(21)",
        "test:guests.double(21)",
        "test:guests/ extra.double(21)",
    ];
    expect_file!["golden/call_syntax.txt"].assert_eq(&messages(folder.path(), &invocations));
}

#[test]
fn text_that_is_no_string_is_pointed_at() {
    let folder = folder("site-builder", &["markdown"]);
    let invocations = [
        "site:content/markdown.inspect(Ada)",
        "site:content/markdown.inspect(ada)",
        "site:content/markdown.inspect('Ada')",
        "site:content/markdown.inspect(\"Ada)",
        "site:content/markdown.inspect(\"C:\\dir\")",
        "site:content/markdown.inspect(\"# Ä\n\nText\")",
    ];
    expect_file!["golden/call_strings.txt"].assert_eq(&messages(folder.path(), &invocations));
}

#[test]
fn a_record_that_does_not_fit_is_pointed_at() {
    let folder = folder("tests", &["shapes"]);
    let invocations = [
        "test:guests/shapes.points([{\"x\": 1, \"y\": 2}])",
        "test:guests/shapes.points([{x = 1, y = 2}])",
        "test:guests/shapes.points([{x: 1, z: 2}])",
        "test:guests/shapes.points([{x: 1}])",
        "test:guests/shapes.points([{}])",
        "test:guests/shapes.points([{x: 1, y: 2, label: 5}])",
        "test:guests/shapes.points([\n  {label: \"日本語\", x: 1.5},\n])",
        "test:guests/shapes.points([1])",
        "test:guests/shapes.points({x: 1, y: 2})",
        "test:guests/shapes.points([{x: 1, y: 2])",
    ];
    expect_file!["golden/call_records.txt"].assert_eq(&messages(folder.path(), &invocations));
}

#[test]
fn each_kind_of_value_is_explained() {
    let folder = folder("tests", &["shapes"]);
    let given = |fields: &str| format!("test:guests/shapes.echo({{{fields}}})");
    let invocations = [
        "a: 1",
        "b: 256",
        "c: -32769",
        "e: \"1\"",
        "f: 'ab'",
        "f: \"a\"",
        "h: 1",
        "h: [1, 2, 300]",
        "i: (1)",
        "j: purple",
        "k: {read, fly}",
        "k: read",
        "l: square(1)",
        "l: circle",
        "l: circle(round)",
        "m: err",
        "m: 3",
        "n: some(\"x\")",
        "n: x",
        "b: 1, b: 2",
    ];
    let invocations: Vec<String> = invocations.into_iter().map(given).collect();
    let invocations: Vec<&str> = invocations.iter().map(String::as_str).collect();
    let messages = messages(folder.path(), &invocations);
    // The definitions are the same each time.
    let (_, definitions) = messages.split_once("  its type").expect("a type");
    let definitions = format!("  its type{}", definitions.split("\n\n").next().expect("an end"));
    let messages = messages.replace(&format!("{definitions}\n"), "");
    expect_file!["golden/call_kinds.txt"].assert_eq(&format!("{messages}{definitions}\n"));
}

#[test]
fn a_call_of_what_is_not_there_names_the_nearest() {
    let folder = folder("tests", &["extra"]);
    refused(&call(folder.path(), "test:guests/extra.duoble(1)"), 1, expect_file!["golden/call_nearest.txt"]);
}

#[test]
fn a_call_that_fails_is_code_1() {
    let folder = folder("tests", &["faulty"]);
    let run = call(folder.path(), "test:guests/faults.panic(\"on purpose\")");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("panicked at kokoro-host/tests/guests/faulty/src/lib.rs"), "{}", run.stderr);
    assert!(run.stderr.contains("on purpose"), "{}", run.stderr);
}

/// A Planet with a function that has no other answer than an `err`.
const REFUSAL: &str = r#"
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 16) "not today")
    ;; The canonical form of the result: 1 for `err`, then the string's address and length.
    (data (i32.const 0) "\01\00\00\00\10\00\00\00\09\00\00\00")
    (func (export "ask") (param i32) (result i32) i32.const 0))
  (core instance $code (instantiate $code))
  (func $ask (param "number" u32) (result (result u32 (error string)))
    (canon lift (core func $code "ask") (memory (core memory $code "memory"))))
  (instance $refusal (export "ask" (func $ask)))
  (export "test:cli/refusal@0.1.0" (instance $refusal)))
"#;

#[test]
fn an_err_is_printed_and_is_code_1() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let component = wat::parse_str(REFUSAL).expect("well-formed WAT");
    std::fs::write(folder.path().join("refusal.wasm"), component).expect("a file");
    let run = call(folder.path(), "test:cli/refusal.ask(1)");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "err(\"not today\")\n"));
    assert_eq!(run.stderr, "error: `ask` returned an error\n");
}

#[test]
fn what_planets_log_has_no_colours_where_no_terminal_is() {
    let folder = folder("tests", &["faulty"]);
    let mut command = program();
    command.arg("call").arg(folder.path()).arg("test:guests/faults.speak()").env("RUST_LOG", "info");
    let output = command.output().expect("kokoro runs");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(stderr.contains("faulty"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let folder = folder("tests", &["extra"]);
    let mut command = program();
    command.arg("graph").arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kokoro runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_code_1() {
    let folder = folder("tests", &["extra"]);
    for arguments in [&["graph"] as &[&str], &["graph", "--format=json"], &["call"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
        let mut command = program();
        command.args(arguments).arg(folder.path()).stdout(full);
        if arguments == ["call"] {
            command.arg("test:guests/extra.name()");
        }
        let output = command.output().expect("kokoro runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr, "error: the output cannot be written: No space left on device (os error 28)\n");
    }
}

#[test]
fn a_call_of_what_waits_says_what_for() {
    let folder = folder("site-builder", &["outline"]);
    let run = call(folder.path(), "site:content/outline.outline(\"x\")");
    refused(&run, 1, expect_file!["golden/call_waiting.txt"]);
}

#[test]
fn inspect_shows_what_it_is_and_runs_nothing() {
    let file = planets("site-builder").join("page.wasm");
    let run = kokoro(["inspect".as_ref(), file.as_os_str()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    // What is imported of WASI depends on the standard library that the toolchain brings.
    let lines = run.stdout.lines().filter(|line| !line.starts_with("  wasi:") && !line.starts_with("sha256 "));
    assert!(run.stdout.contains("\n  wasi:cli@0.2."), "{}", run.stdout);
    expect_file!["golden/inspect_page.txt"].assert_eq(&(lines.collect::<Vec<_>>().join("\n") + "\n"));
}

#[test]
fn inspect_as_json_has_the_form_of_the_design() {
    let file = planets("site-builder").join("page.wasm");
    let run = kokoro(["inspect".as_ref(), file.as_os_str(), "--json".as_ref()]);
    let value: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["name"], "page");
    assert_eq!(value["version"], "0.1.0");
    for list in ["requires", "optional", "exports"] {
        let interfaces = value[list].as_array().expect("a list");
        assert!(!interfaces.is_empty(), "{list}");
        assert!(interfaces.iter().all(|i| i["interface"].is_string() && i["functions"].is_object()));
        assert!(interfaces.iter().all(|i| i["types"].is_array()));
    }
    let page = &value["exports"][0];
    assert_eq!(page["types"][0], "record asset { target: string, content: string }");
    assert_eq!(value["types"], json!([]));
    let served = value["served"].as_array().expect("a list");
    assert!(
        served.iter().all(|name| name.as_str().is_some_and(|n| n.starts_with("wasi:") || n.starts_with("kokoro:")))
    );
    assert_eq!(value["permissions"], json!({ "read": [], "write": [], "env": [], "http": [], "net": false }));
}

#[test]
fn inspect_of_what_is_no_planet_is_code_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("x.wasm"), "hello").expect("a file");
    let run = program().args(["inspect", "x.wasm"]).current_dir(folder.path()).output();
    let run = run.expect("kokoro runs");
    assert_eq!(run.status.code(), Some(2));
    expect_file!["golden/inspect_no_planet.txt"].assert_eq(&String::from_utf8_lossy(&run.stderr));
}

#[test]
fn graph_draws_who_waits_and_for_what() {
    let folder = folder("site-builder", &["backlinks", "highlight", "markdown", "outline"]);
    let draw = |format: &str| {
        let run = kokoro(["graph".as_ref(), folder.path().as_os_str(), "--format".as_ref(), format.as_ref()]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        run.stdout
    };
    expect_file!["golden/graph_without_page.mmd"].assert_eq(&draw("mermaid"));
    let svg = draw("svg");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("<title>Planets (plugins): 3 running, 1 waiting</title>"), "{svg}");
    assert!(svg.contains("<title>nobody provides site:build/pages@0.1.0</title>"), "{svg}");
}

/// Checks every rule of the form in the design, and that there is nothing else in it.
fn check_graph(graph: &Value) {
    let keys = |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    assert_eq!(keys(graph), ["order", "planets"]);
    let order: Vec<&str> =
        graph["order"].as_array().expect("a list").iter().map(|n| n.as_str().expect("a name")).collect();
    for planet in graph["planets"].as_array().expect("a list") {
        let known =
            ["exports", "file", "granted", "imports", "name", "reason", "sha256", "state", "version", "withheld"];
        assert_eq!(keys(planet), known);
        assert!(planet["granted"].is_object() && planet["withheld"].is_array());
        let digest = planet["sha256"].as_str().unwrap_or_default();
        assert!(planet["sha256"].is_null() || digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit()));
        let state = planet["state"].as_str().expect("a state");
        let states = ["waiting", "starting", "running", "stopping", "gone", "refused", "failed"];
        assert!(states.contains(&state), "{state}");
        assert_eq!(planet["reason"].is_null(), state == "running", "{planet}");
        assert_eq!(order.contains(&planet["name"].as_str().expect("a name")), state == "running");
        for import in planet["imports"].as_array().expect("a list") {
            assert_eq!(keys(import), ["interface", "kind", "provider"]);
            let kind = import["kind"].as_str().expect("a kind");
            assert!(["required", "optional", "satellite", "host"].contains(&kind), "{kind}");
            let provider = &import["provider"];
            let known = ["planet", "satellite", "host"];
            assert!(provider.is_null() || known.contains(&keys(provider)[0].as_str()), "{provider}");
        }
        assert!(planet["exports"].as_array().expect("a list").iter().all(Value::is_string));
    }
}

#[test]
fn graph_as_json_has_the_form_of_the_design() {
    let folder = folder("site-builder", &["markdown", "outline", "page"]);
    let run = kokoro(["graph".as_ref(), folder.path().as_os_str(), "--format".as_ref(), "json".as_ref()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let mut graph: Value = serde_json::from_str(&run.stdout).expect("JSON");
    check_graph(&graph);
    assert_eq!(graph["order"], json!(["markdown", "outline"]));
    assert!(graph["planets"][1]["sha256"].take().is_string());
    assert_eq!(
        graph["planets"][1],
        json!({
            "name": "outline", "version": "0.1.0", "file": "outline.wasm", "state": "running", "reason": null,
            "imports": [{
                "interface": "site:content/markdown@0.1.0", "kind": "required", "provider": { "planet": "markdown" },
            }],
            "exports": ["site:content/outline@0.1.0"],
            "withheld": [], "granted": {}, "sha256": null,
        })
    );
}

#[test]
fn graph_says_who_waits_and_for_what() {
    let folder = folder("site-builder", &["outline", "page"]);
    let run = kokoro(["graph".as_ref(), folder.path().as_os_str()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    expect_file!["golden/graph_without_markdown.txt"].assert_eq(&run.stdout);
}

#[test]
fn graph_explains_one_planet() {
    let folder = folder("site-builder", &["markdown", "highlight", "outline", "page"]);
    // Who would be a second provider of `outline`, and one whose version cannot stand in.
    for (file, version) in [("other", "0.1.5"), ("next", "0.2.0")] {
        let component = format!(r#"(component (instance $i) (export "site:content/outline@{version}" (instance $i)))"#);
        let component = wat::parse_str(component).expect("well-formed WAT");
        std::fs::write(folder.path().join(file).with_extension("wasm"), component).expect("a file");
    }
    let explain = |arguments: &[&str]| {
        kokoro(["graph".as_ref(), folder.path().as_os_str()].into_iter().chain(arguments.iter().map(OsStr::new)))
    };
    let run = explain(&["--explain", "page"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    expect_file!["golden/graph_explain.txt"].assert_eq(&run.stdout);
    let run = explain(&["--explain=outline", "--format=json"]);
    let value: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(
        value,
        json!({
            "planet": "outline", "version": "0.1.0", "state": "running", "reason": null,
            "imports": [{
                "interface": "site:content/markdown@0.1.0", "required": true, "closest": [],
                "contenders": [{
                    "planet": "markdown", "interface": "site:content/markdown@0.1.0",
                    "serves": true, "reason": "it serves it",
                }],
            }],
        })
    );
    refused(&explain(&["--explain", "pgae"]), 1, expect_file!["golden/graph_explain_nearest.txt"]);
    let run = explain(&["--explain=page", "--format=svg"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.stderr);
}

#[test]
fn a_folder_that_is_not_there_is_code_2_and_an_empty_one_is_not() {
    refused(&kokoro(["graph", "no/such/folder"]), 2, expect_file!["golden/no_folder.txt"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = kokoro(["graph".as_ref(), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("there is no planet in"), "{}", run.stdout);
}

#[test]
fn an_unknown_command_is_code_2() {
    assert_eq!(kokoro(["frobnicate"]).code, Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn compiled_code_is_kept_in_the_users_cache_directory_unless_told_otherwise() {
    let (folder, caches) = (folder("tests", &["extra"]), tempfile::tempdir().expect("a temporary folder"));
    let kept = caches.path().join("kokoro/compiled");
    let run = |options: &[&str]| {
        let mut kokoro = program();
        kokoro.arg("call").arg(folder.path()).arg("test:guests/extra.name()").args(options);
        let run = Run::of(kokoro.env("XDG_CACHE_HOME", caches.path()).env("RUST_LOG", "kokoro=debug"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stderr.contains("its compiled code comes from the cache")
    };
    assert!(!run(&["--no-cache"]));
    assert!(!kept.exists());
    assert_eq!([run(&[]), run(&[]), run(&["--no-cache"])], [false, true, false]);
    assert!(kept.exists());
}
