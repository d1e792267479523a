//! Golden messages of what cannot be loaded or called. `UPDATE_EXPECT=1` renews them.

mod support;

use expect_test::{ExpectFile, expect_file};
use kokoro_host::{Primary, State};
use support::{guest, primary, wat, with_manifest};

async fn refused(bytes: Vec<u8>, expected: ExpectFile) {
    let primary = Primary::builder().build().unwrap();
    let error = primary.load_bytes("it", bytes).await.unwrap_err();
    expected.assert_eq(&error.to_string());
    assert!(primary.graph().planets.is_empty(), "a refused component leaves nothing behind");
}

/// Loads all, and compares the reason why `name` does not run.
async fn not_running(components: &[(&str, Vec<u8>)], name: &str, state: State, expected: ExpectFile) {
    let primary = Primary::builder().build().unwrap();
    for (name, bytes) in components {
        primary.load_bytes(name, bytes.clone()).await.unwrap();
    }
    let node = support::node(&primary, name);
    assert_eq!(node.state, state);
    expected.assert_eq(&node.details.unwrap());
}

const EMPTY: &str = "(component)";

#[tokio::test]
async fn no_wasm() {
    refused(b"#!/bin/sh\necho hello\n".to_vec(), expect_file!["golden/no_wasm.txt"]).await;
}

#[tokio::test]
async fn text_form() {
    refused(b"(component)".to_vec(), expect_file!["golden/text_form.txt"]).await;
}

#[tokio::test]
async fn a_core_module() {
    refused(wat("(module (func (export \"f\")))"), expect_file!["golden/core_module.txt"]).await;
}

#[tokio::test]
async fn a_truncated_component() {
    let whole = guest("extra");
    refused(whole[..1000].to_vec(), expect_file!["golden/truncated.txt"]).await;
    refused(whole[..3].to_vec(), expect_file!["golden/truncated_header.txt"]).await;
}

#[tokio::test]
async fn a_newer_binary_format() {
    let mut bytes = wat(EMPTY);
    bytes[4] = 0x0e;
    refused(bytes, expect_file!["golden/newer_format.txt"]).await;
}

#[tokio::test]
async fn a_64_bit_memory() {
    let text = "(component (core module $m (memory i64 1)) (core instance (instantiate $m)))";
    refused(wat(text), expect_file!["golden/memory64.txt"]).await;
}

#[tokio::test]
async fn a_bare_function() {
    let text = r#"(component (import "find" (func (param "what" string))))"#;
    refused(wat(text), expect_file!["golden/bare_function.txt"]).await;
}

#[tokio::test]
async fn a_bare_core_module() {
    let text = r#"(component (import "code" (core module)))"#;
    refused(wat(text), expect_file!["golden/bare_module.txt"]).await;
}

#[tokio::test]
async fn a_manifest_that_is_no_json() {
    refused(with_manifest(wat(EMPTY), "name: page"), expect_file!["golden/manifest_no_json.txt"]).await;
}

#[tokio::test]
async fn a_manifest_with_a_malformed_interface() {
    let component = with_manifest(wat(EMPTY), r#"{"requires":["acme:log"]}"#);
    refused(component, expect_file!["golden/manifest_interface.txt"]).await;
}

#[tokio::test]
async fn invalid_code() {
    let mut bytes = wat("(component (core module (func (export \"f\") (result i32) i32.const 1)))");
    let place = bytes.windows(3).position(|w| w == [0x41, 0x01, 0x0b]).unwrap();
    bytes[place] = 0x45;
    let primary = Primary::builder().build().unwrap();
    let report = primary.load_bytes("it", bytes).await;
    let message = match report {
        Ok(report) => report.planets[0].details.clone().unwrap(),
        Err(error) => error.to_string(),
    };
    expect_file!["golden/invalid_code.txt"].assert_eq(&message);
}

#[tokio::test]
async fn two_planets_of_one_name() {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("one", with_manifest(wat(EMPTY), r#"{"name":"twin"}"#)).await.unwrap();
    let error = primary.load_bytes("two", with_manifest(wat(EMPTY), r#"{"name":"twin"}"#)).await.unwrap_err();
    expect_file!["golden/two_of_one_name.txt"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_directory_that_does_not_exist() {
    let primary = Primary::builder().build().unwrap();
    let error = primary.load_dir("no/such/directory").await.unwrap_err();
    expect_file!["golden/no_directory.txt"].assert_eq(&error.to_string());
    let file = primary.load_dir("Cargo.toml").await.unwrap_err();
    expect_file!["golden/directory_is_a_file.txt"].assert_eq(&file.to_string());
    let missing = primary.load("no/such/file.wasm").await.unwrap_err();
    expect_file!["golden/no_file.txt"].assert_eq(&missing.to_string());
}

#[tokio::test]
async fn one_bad_file_stops_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("extra.wasm", &guest("extra"));
    write("broken.wasm", b"not wasm");
    write("module.wasm", &wat("(module)"));
    write("notes.txt", b"not even looked at");
    write("other-extra.wasm", &guest("extra"));
    write("renamed.wasm", &with_manifest(wat(EMPTY), r#"{"name":"broken"}"#));
    write("a name.wasm", &wat(EMPTY));
    std::fs::create_dir(folder.path().join("folder.wasm")).unwrap();
    let primary = Primary::builder().build().unwrap();
    let report = primary.load_dir(folder.path()).await.unwrap();
    assert_eq!(report.running().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["broken", "extra"]);
    let shown = report.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    expect_file!["golden/mixed_folder.txt"].assert_eq(&shown);
}

#[tokio::test]
async fn a_file_that_was_mended_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("extra.wasm");
    std::fs::write(&file, &guest("extra")[..100]).unwrap();
    let primary = Primary::builder().build().unwrap();
    assert_eq!(primary.load_dir(folder.path()).await.unwrap().not_running().count(), 1);
    std::fs::write(&file, guest("extra")).unwrap();
    assert_eq!(primary.load_dir(folder.path()).await.unwrap().running().count(), 1);
    assert_eq!(primary.graph().planets.len(), 1);
}

#[tokio::test]
async fn what_is_served_to_everybody_is_no_dependency_though_it_is_listed() {
    let json = r#"{"requires":["kokoro:core/log@0.1.0","wasi:cli/stdout@0.2.0"],"optional":null}"#;
    let primary = Primary::builder().build().unwrap();
    let report = primary.load_bytes("it", with_manifest(wat(EMPTY), json)).await.unwrap();
    assert_eq!(report.running().count(), 1);
}

#[tokio::test]
async fn async_functions_are_refused_with_a_sentence() {
    let text = r#"(component (import "acme:db/tables@1.0.0" (instance (export "f" (func async (result u8))))))"#;
    refused(wat(text), expect_file!["golden/async_function.txt"]).await;
}

#[tokio::test]
async fn values_that_are_larger_than_any_memory_are_refused_with_a_sentence() {
    let list = "(list u8 1073741824)";
    let text = format!(
        r#"(component (import "acme:db/tables@1.0.0" (instance
             (export "f" (func (param "a" {list}) (param "b" {list}) (param "c" {list}) (param "d" {list}) (param "e" u32))))))"#
    );
    refused(wat(&text), expect_file!["golden/large_values.txt"]).await;
}

/// A component that imports `f` of `acme:log/sink` in some version and type.
fn user(version: &str, function: &str) -> Vec<u8> {
    wat(&format!(r#"(component (import "acme:log/sink@{version}" (instance (export "f" (func {function})))))"#))
}

/// A component that exports `f` of `acme:log/sink` in some version and type.
fn sink(version: &str, params: &str, core: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
          (core module $code
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "f") {core}))
          (core instance $code (instantiate $code))
          (func $f {params} (canon lift (core func $code "f") (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
          (instance $sink (export "f" (func $f)))
          (export "acme:log/sink@{version}" (instance $sink)))"#
    ))
}

#[tokio::test]
async fn an_import_that_nobody_serves() {
    let others = sink("2.0.0", r#"(param "line" string)"#, "(param i32 i32)");
    let components = [("chat", user("1.2.0", r#"(param "line" string)"#)), ("logger", others)];
    not_running(&components, "chat", State::Waiting, expect_file!["golden/nobody_serves.txt"]).await;
}

#[tokio::test]
async fn an_import_whose_types_differ() {
    let other = sink("1.2.0", r#"(param "line" u32)"#, "(param i32)");
    let components = [("chat", user("1.2.0", r#"(param "line" string)"#)), ("logger", other)];
    not_running(&components, "chat", State::Waiting, expect_file!["golden/types_differ.txt"]).await;
}

/// A component that imports one interface and exports another, both empty of sense.
fn link_of_a_chain(import: &str, export: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
          (import "{import}" (instance $in (export "f" (func))))
          (alias export $in "f" (func $f))
          (instance $out (export "f" (func $f)))
          (export "{export}" (instance $out)))"#
    ))
}

#[tokio::test]
async fn a_cycle_of_required_dependencies() {
    let components = [
        ("hen", link_of_a_chain("farm:life/egg@1.0.0", "farm:life/hen@1.0.0")),
        ("egg", link_of_a_chain("farm:life/hen@1.0.0", "farm:life/egg@1.0.0")),
    ];
    not_running(&components, "hen", State::Waiting, expect_file!["golden/cycle.txt"]).await;
}

#[tokio::test]
async fn a_call_of_what_is_not_there() {
    let primary = primary(&["extra"]).await;
    let mut messages = Vec::new();
    for (path, function) in [
        ("test:guests/extra", "duoble"),
        ("test:guests/extra", "entirely-different"),
        ("test:guests/extras", "double"),
        ("extra", "double"),
        ("extr", "double"),
        ("test:guests", "double"),
    ] {
        let error = primary.function(path, function).unwrap_err();
        messages.push(format!("{path}.{function}\n{error}\n"));
    }
    expect_file!["golden/call_of_nothing.txt"].assert_eq(&messages.join("\n"));
}
