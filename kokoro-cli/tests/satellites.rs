//! `--allow-satellite`, and what is said where it is missing.
#![cfg(unix)]

mod support;

use std::path::Path;

use expect_test::{expect, expect_file};
use serde_json::Value;
use support::{Run, planets, program};
use tempfile::TempDir;

/// A folder with the Planets `native` and `choosy`, and the programs of both beside them.
fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary folder");
    let built = planets("tests");
    for name in ["native", "choosy"] {
        let file = format!("{name}.wasm");
        std::fs::copy(built.join(&file), place.path().join(&file)).expect("a planet that was built");
        copy(&built.join("native.satellites"), &place.path().join(format!("{name}.satellites")));
    }
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir().expect("a folder") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).expect("a program");
        }
    }
}

fn run(place: &TempDir, command: &[&str], options: &[&str]) -> Run {
    Run::of(program().args(command).args(options).current_dir(place.path()).env_remove("RUST_LOG"))
}

#[test]
fn only_who_is_named_may_own_satellites() {
    let place = place();
    let call = |planet: &str, options: &[&str]| {
        let function = if planet == "native" { "desk" } else { "choosy" };
        run(&place, &["call", ".", &format!("test:guests/{function}.add(2, 3)")], options)
    };
    let refused = call("native", &[]);
    assert_eq!(refused.code, Some(1));
    expect_file!["golden/satellite_refused.txt"].assert_eq(&refused.stderr);
    assert_eq!(call("choosy", &[]).stdout, "none\n");
    let granted = call("native", &["--allow-satellite", "native"]);
    assert_eq!((granted.code, granted.stdout.as_str()), (Some(0), "5\n"), "{}", granted.stderr);
    assert_eq!(call("native", &["--allow-satellite", "choosy"]).code, Some(1));
    assert_eq!(call("choosy", &["--allow-satellite", "choosy"]).stdout, "some(5)\n");
}

#[test]
fn a_name_that_helps_nobody_is_a_mistake() {
    let place = place();
    let run = run(&place, &["graph", "."], &["--allow-satellite", "nativ"]);
    assert_eq!(run.code, Some(2));
    expect![[r#"
        error: --allow-satellite nativ: there is no planet `nativ` that asks for satellites
          help: `kokoro inspect FILE` shows what one asks for
    "#]]
    .assert_eq(&run.stderr);
}

#[test]
fn a_planet_that_cannot_be_read_is_told_of_by_loading() {
    let place = place();
    std::fs::write(place.path().join("broken.wasm"), "nothing").expect("a file");
    let run = run(&place, &["graph", "."], &["--allow-satellite", "broken"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("broken  failed: this is not WebAssembly"), "{}", run.stdout);
}

#[test]
fn inspect_and_graph_show_them() {
    let place = place();
    let inspected = run(&place, &["inspect", "native.wasm"], &[]);
    let (_, asks) = inspected.stdout.split_once("asks for satellites").expect("it asks for one");
    let target = kokoro_host::SatelliteGrant::TARGET;
    let (asks, rest) = asks.split_once(&format!("    {target} sha256 ")).expect("the program is there");
    assert!(rest.split_once('\n').is_some_and(|(sha256, _)| sha256.len() == 64), "{rest}");
    let asked = " (native child processes):\n  worker for test:guests/work@0.1.0, started when it is called\n";
    assert_eq!(asks, asked);
    assert!(rest.ends_with("\nasks to be allowed: nothing else\n"), "{rest}");
    let json = run(&place, &["inspect", "native.wasm", "--json"], &[]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["satellites"][0]["program"], "worker");
    assert_eq!(json["satellites"][0]["programs"][target].as_str().map(str::len), Some(64));
    let graph = run(&place, &["graph", "."], &["--allow-satellite", "native"]);
    assert!(graph.stdout.contains("  satellite test:guests/work@0.1.0 <- its satellite worker\n"), "{}", graph.stdout);
    assert!(graph.stdout.contains("  granted   satellite worker\n"), "{}", graph.stdout);
    let why = run(&place, &["graph", ".", "--explain", "choosy"], &[]);
    expect_file!["golden/satellite_explained.txt"].assert_eq(&why.stdout);
}
