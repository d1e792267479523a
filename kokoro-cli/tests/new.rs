//! `kokoro new`: what it makes, what it says, and what it refuses.
//!
//! That the projects can be built, and do what their READMEs say, is tried by `cargo xtask templates`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{ExpectFile, expect_file};
use serde_json::Value;
use support::{Run, program};
use tempfile::TempDir;

const KINDS: [&str; 4] = ["planet", "planet-with-satellite", "primary", "interface"];

fn place() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// `kokoro new`, in that folder, where nobody can be asked.
fn new(place: &Path, arguments: &[&str]) -> Run {
    Run::of(program().arg("new").args(arguments).current_dir(place).stdin(Stdio::null()))
}

fn made(place: &Path, arguments: &[&str]) -> Run {
    let run = new(place, arguments);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    run
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// A folder of this repository.
fn repository(folder: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    root.join(folder).to_str().expect("UTF-8").to_owned()
}

#[test]
fn every_kind_of_project_is_made_and_says_what_to_do_next() {
    let place = place();
    let mut said = String::new();
    for kind in KINDS {
        let run = made(place.path(), &["new", kind, &format!("my-{kind}")][1..]);
        said += &format!("$ kokoro new {kind} my-{kind}\n{}\n", run.stdout);
        let folder = place.path().join(format!("my-{kind}"));
        assert!(text(folder.join("README.md")).starts_with(&format!("# my-{kind}\n")));
    }
    expect_file!["golden/new.txt"].assert_eq(&said);
}

#[test]
fn a_program_is_told_what_was_made() {
    let place = place();
    let run = made(place.path(), &["planet-with-satellite", "primes", "--into", "deep/down", "--json"]);
    let made: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((&made["kind"], &made["name"]), (&"planet-with-satellite".into(), &"primes".into()));
    let files = made["files"].as_array().expect("a list");
    assert!(files.len() > 8, "{made}");
    for file in files {
        let file = place.path().join(made["folder"].as_str().unwrap()).join(file.as_str().unwrap());
        assert!(file.is_file(), "{}", file.display());
    }
}

#[test]
fn a_checkout_is_found_from_the_project() {
    let place = place();
    let kokoro = place.path().join("src/kokoro");
    fs::create_dir_all(kokoro.join("kokoro-guest")).unwrap();
    fs::write(kokoro.join("kokoro-guest/Cargo.toml"), "").unwrap();
    made(place.path(), &["planet", "near", "--kokoro", "src/kokoro", "--into", "plugins/near"]);
    assert!(text(place.path().join("plugins/near/Cargo.toml")).contains("'../../src/kokoro/kokoro-guest'"));
    made(place.path(), &["planet", "far", "--kokoro", kokoro.to_str().unwrap()]);
    assert!(text(place.path().join("far/Cargo.toml")).contains(&format!("'{}/kokoro-guest'", kokoro.display())));
    made(place.path(), &["planet", "released"]);
    assert!(text(place.path().join("released/Cargo.toml")).contains("kokoro-guest = \"0.1\""));
}

#[test]
fn a_project_inside_a_workspace_is_to_be_listed_there() {
    let place = place();
    fs::write(place.path().join("Cargo.toml"), "[workspace]\nexclude = [\"other\"]\nmembers = [\"plugins/*\"]\n")
        .unwrap();
    let run = made(place.path(), &["planet", "inside"]);
    assert!(
        run.stdout.contains("is a workspace") && run.stdout.contains("`members`, or to `exclude`"),
        "{}",
        run.stdout
    );
    for folder in ["other/outside", "plugins/listed"] {
        let run = made(place.path(), &["planet", "elsewhere", "--into", folder]);
        assert!(!run.stdout.contains("is a workspace"), "{folder}");
    }
    // It is a workspace itself.
    let run = made(place.path(), &["planet-with-satellite", "its-own"]);
    assert!(!run.stdout.contains("is a workspace"), "{}", run.stdout);
    let run = made(place.path(), &["planet-with-satellite", "nested", "--into", "plugins/nested"]);
    assert!(run.stdout.contains("add the project to its `exclude`"), "{}", run.stdout);
}

/// The WIT that the tests' own Planets (plugins) have.
fn guests() -> String {
    repository("kokoro-host/tests/guests/wit")
}

fn stubs(arguments: &[&str], golden: ExpectFile) {
    let place = place();
    made(place.path(), &[&["planet", "my-planet", "--json"], arguments].concat());
    golden.assert_eq(&text(place.path().join("my-planet/src/lib.rs")));
}

#[test]
fn functions_are_there_to_be_written_with_their_types() {
    let content = repository("examples/site-builder/wit/deps/content/content.wit");
    stubs(
        &["--for", &content, "--export", "outline", "--export", "site:content/markdown"],
        expect_file!["golden/new_functions.rs"],
    );
    stubs(&["--for", &guests(), "--export", "shapes"], expect_file!["golden/new_types.rs"]);
}

#[test]
fn resources_are_there_to_be_written() {
    stubs(&["--for", &guests(), "--export", "shelf", "--export", "copies"], expect_file!["golden/new_resources.rs"]);
}

#[test]
fn a_world_says_what_a_planet_exports_and_what_it_may_require() {
    let place = place();
    made(place.path(), &["interface", "app"]);
    made(place.path(), &["planet", "my-planet", "--for", "app/wit"]);
    expect_file!["golden/new_world.rs"].assert_eq(&text(place.path().join("my-planet/src/lib.rs")));
    assert_eq!(text(place.path().join("my-planet/wit/app.wit")), text(place.path().join("app/wit/app.wit")));
    assert!(!text(place.path().join("my-planet/README.md")).contains("example"));
}

#[test]
fn a_planet_with_a_satellite_has_both_the_applications_wit_and_its_own() {
    let place = place();
    fs::create_dir_all(place.path().join("wit/deps/content")).unwrap();
    for (from, to) in [
        ("examples/greeter/planet/wit/greeter.wit", "greeter.wit"),
        ("examples/site-builder/wit/deps/content/content.wit", "deps/content/content.wit"),
    ] {
        fs::copy(repository(from), place.path().join("wit").join(to)).unwrap();
    }
    made(place.path(), &["planet-with-satellite", "my-planet", "--for", "wit"]);
    let folder = place.path().join("my-planet");
    for file in ["greeter.wit", "deps/content/content.wit", "deps/native/native.wit"] {
        assert!(folder.join("wit").join(file).is_file(), "{file}");
    }
    assert!(!folder.join("wit/app.wit").exists());
    expect_file!["golden/new_with_satellite.rs"].assert_eq(&text(folder.join("planet/src/lib.rs")));
}

#[test]
fn names_that_rust_has_for_something_else_are_escaped() {
    let place = place();
    let wit = "package a:b;\n
        interface %type { resource item { %fn: func(%match: string, planet: u8); constructor(); } %self: func(%box: list<item>) -> tuple<u8>; }\n
        interface %string { use %type.{item as %type}; record %result { of: borrow<%type> } take: func(%self: %result); }\n";
    fs::write(place.path().join("odd.wit"), wit).unwrap();
    let other = "package c:b@1.0.0; interface %type { type name = string; get: func() -> result<u8, name>; }";
    fs::create_dir_all(place.path().join("wit/deps/other")).unwrap();
    fs::copy(place.path().join("odd.wit"), place.path().join("wit/odd.wit")).unwrap();
    fs::write(place.path().join("wit/deps/other/other.wit"), other).unwrap();
    made(
        place.path(),
        &["planet", "string", "--for", "wit", "--export=a:b/type", "--export=c:b/type", "--export=string"],
    );
    expect_file!["golden/new_odd.rs"].assert_eq(&text(place.path().join("string/src/lib.rs")));
    // A single file will do.
    made(place.path(), &["planet", "single", "--for", "odd.wit"]);
    assert_eq!(text(place.path().join("single/wit/odd.wit")), wit);
}

/// All folders of this repository that hold WIT.
fn wit_folders(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "deps"].contains(&name.as_str()) {
            let is_wit = |entry: fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "wit");
            if path.read_dir().unwrap().any(|entry| is_wit(entry.unwrap())) {
                found.push(path.clone());
            }
            wit_folders(&path, found);
        }
    }
}

/// Where nothing can be exported, or not yet: that has a reason.
#[test]
fn every_folder_of_wit_in_this_repository_can_be_written_for_or_has_a_reason_why_not() {
    let place = place();
    let mut folders = Vec::new();
    wit_folders(Path::new(&repository(".")), &mut folders);
    let mut made = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let name = format!("planet-{number}");
        let run = new(place.path(), &["planet", &name, "--for", folder.to_str().unwrap()]);
        match run.code {
            Some(0) => made.push(place.path().join(name).join("src/lib.rs")),
            Some(2) => assert!(
                run.stderr.contains("\n  help: ") || run.stderr.contains("cannot be understood"),
                "{}",
                run.stderr
            ),
            other => panic!("{}: {other:?} {}", folder.display(), run.stderr),
        }
    }
    assert!(made.len() >= 5, "{folders:?}");
    let formatted = Command::new("rustfmt")
        .args(["--check", "--edition=2024", "--config=max_width=100,use_small_heuristics=Default"])
        .args(&made)
        .output()
        .expect("rustfmt, which comes with every toolchain");
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&[formatted.stdout, formatted.stderr].concat()));
}

#[test]
fn what_cannot_be_made_is_refused_with_what_to_do() {
    let place = place();
    let at = |path: &str| place.path().join(path);
    made(place.path(), &["planet", "hello"]);
    fs::write(at("file"), "").unwrap();
    for folder in ["empty", "broken", "types", "several"] {
        fs::create_dir(at(folder)).unwrap();
    }
    fs::write(at("broken/a.wit"), "package a:b;\ninterface c {\n  d: fnc();\n}\n").unwrap();
    fs::write(at("types/a.wit"), "package a:b; interface c { record d { e: u8 } }").unwrap();
    fs::write(at("several/a.wit"), "package a:b; interface log { write: func(line: string); }").unwrap();
    fs::create_dir_all(at("several/deps")).unwrap();
    fs::write(at("several/deps/c.wit"), "package c:d@1.2.3; interface log { wait: async func(); }").unwrap();
    let mut said = String::new();
    for arguments in [
        &[][..],
        &["planet"],
        &["plant", "hello"],
        &["planet", "hello"],
        &["planet", "file"],
        &["planet", "Hello World"],
        &["planet", "match"],
        &["planet", "test"],
        &["planet", "kokoro-guest"],
        &["planet", "new", "--kokoro", "hello"],
        &["primary", "new", "--for", "several"],
        &["planet", "new", "--export", "log"],
        &["planet", "new", "--for", "nowhere"],
        &["planet", "new", "--for", "empty"],
        &["planet", "new", "--for", "broken"],
        &["planet", "new", "--for", "broken/a.wit"],
        &["planet", "new", "--for", "types"],
        &["planet", "new", "--for", "several", "--export", "log"],
        &["planet", "new", "--for", "several", "--export", "lag"],
        &["planet", "new", "--for", "several", "--export", "c:d/log"],
    ] {
        let run = new(place.path(), arguments);
        assert_eq!(run.stdout, "", "{arguments:?}");
        said += &format!("$ kokoro new {}\n{}exit code {}\n\n", arguments.join(" "), run.stderr, run.code.unwrap());
    }
    assert!(!at("new").exists());
    expect_file!["golden/new_refused.txt"].assert_eq(&said);
}
