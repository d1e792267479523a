//! `kokoro build` and `kokoro test`: what they make of a workspace, and what they say where they cannot.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};
use support::project::{Project, tool};
use support::{Run, call, refused};

fn objects(run: &Run) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.stdout.lines().map(object).collect()
}

/// The names of the custom sections of a component and of all that is in it.
fn custom_sections(component: &[u8]) -> Vec<String> {
    let payloads = wasmparser::Parser::new(0).parse_all(component).map(|payload| payload.expect("well-formed"));
    let custom = payloads.filter_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) => Some(section.name().to_owned()),
        _ => None,
    });
    custom.collect()
}

#[test]
fn a_workspace_becomes_a_folder_of_planets_and_their_satellites() {
    let Some(project) = Project::new() else { return };
    project.planet("hello", "Hello");
    project.replace("Cargo.toml", "strip = \"debuginfo\"", "debug = \"line-tables-only\"");
    project.satellite("worker", "hello");
    let run = project.kokoro(&["build", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    expect_file!["golden/build.txt"].assert_eq(&project.without_place(&run.stderr));

    let file = project.path("target/planets/hello.wasm");
    let objects = objects(&run);
    let [built] = &objects[..] else { panic!("{}", run.stdout) };
    assert_eq!(
        (&built["event"], &built["planet"], &built["package"]),
        (&json!("built"), &json!("hello"), &json!("hello"))
    );
    assert_eq!((&built["file"], &built["changed"]), (&json!(file), &json!(true)));
    let component = fs::read(&file).expect("a component");
    assert_eq!(built["bytes"], json!(component.len()));
    let satellite = built["satellites"][0].as_str().expect("a satellite");
    assert_eq!(fs::metadata(satellite).expect("a program").permissions().mode() & 0o777, 0o755);
    assert!(Path::new(satellite).starts_with(project.path("target/planets/hello.satellites")), "{satellite}");

    let sections = custom_sections(&component);
    assert!(!sections.iter().any(|name| name.starts_with(".debug")), "{sections:?}");
    assert!(sections.iter().any(|name| name == "name"), "{sections:?}");
    let folder = project.path("target/planets");
    assert_eq!(call(&folder, "test:hello/greeting.greet(\"Ada\")").stdout, "\"Hello Ada!\"\n");

    // The second time, nothing is new, and what is in the workspace no more goes.
    fs::remove_dir_all(project.path("planets/worker")).expect("it is there");
    fs::write(folder.join("stranger.wasm"), "mine").expect("a file");
    let run = project.kokoro(&["build"]);
    let line = format!("hello: target/planets/hello.wasm ({} KiB, as it was)", component.len().div_ceil(1024));
    let removed = satellite.strip_prefix(&*project.path("").to_string_lossy()).expect("it is in it");
    assert_eq!(run.stdout, format!("{line}\nremoved {removed}\n"), "{}", run.stderr);
    let mut left: Vec<_> =
        folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    left.sort_unstable();
    assert_eq!(left, ["hello.wasm", "stranger.wasm"]);
}

#[test]
fn what_does_not_compile_does_not_keep_others_from_being_built() {
    let Some(project) = Project::new() else { return };
    project.planet("kept", "Hello");
    project.planet("wrong", "Hello");
    project.replace("planets/wrong/src/lib.rs", "format!", "no_such_macro!");
    let run = project.kokoro(&["build", "--json", "--out", "plugins"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("cannot find macro `no_such_macro`"), "{}", run.stderr);
    let last = "error: `wrong` could not be built; why is said above\n";
    assert!(run.stderr.ends_with(last), "{}", run.stderr);
    let objects = objects(&run);
    assert_eq!(
        (&objects[0]["planet"], &objects[1]),
        (&json!("kept"), &json!({ "event": "failed", "package": "wrong" }))
    );
    assert!(project.path("plugins/kept.wasm").is_file() && !project.path("plugins/wrong.wasm").exists());
    let run = project.kokoro(&["build", "--package", "kept", "--out", "plugins"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn tests_find_what_was_built() {
    let Some(project) = Project::new() else { return };
    project.planet("tested", "Hello");
    project
        .write("planets/checks/Cargo.toml", "[package]\nname = \"checks\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let test = "#[test]\nfn it_is_there() {\n    \
                let planets = std::env::var_os(\"KOKORO_PLANETS\").expect(\"a folder\");\n    \
                assert!(std::path::Path::new(&planets).join(\"tested.wasm\").is_file());\n}\n";
    project.write("planets/checks/src/lib.rs", test);
    let run = project.kokoro(&["test", "--", "--package", "checks", "--lib"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("test result: ok. 1 passed"), "{}", run.stdout);
    // With a package, the tests are those of it and of its satellites.
    project.satellite("worker", "tested");
    let script = project.path("bin/cargo");
    let cargo = format!(
        "#!/bin/sh\nif [ \"$1\" = test ]; then echo \"$@\"; exit; fi\nexec '{}' \"$@\"\n",
        tool("cargo").display()
    );
    project.write("bin/cargo", &cargo);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is there");
    let run = Run::of(project.program().args(["test", "-p", "tested", "--", "--doc"]).env("CARGO", &script));
    assert_eq!(run.stdout, "test --package tested --package worker --doc\n", "{}", run.stderr);
    project.replace("planets/checks/src/lib.rs", "tested.wasm", "bye.wasm");
    let run = project.kokoro(&["test", "--", "--package", "checks", "--lib"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.ends_with("error: tests have failed\n"), "{}", run.stderr);
}

#[test]
fn without_link_time_optimisation_the_types_of_all_imports_are_there_as_well() {
    let Some(project) = Project::new() else { return };
    project.planet("plain", "Hello");
    // As cargo does it unless told otherwise, where it matters.
    let profile = "\n[profile.release.package.kokoro-guest]\ncodegen-units = 16\n";
    let manifest = fs::read_to_string(project.path("Cargo.toml")).expect("a file");
    project.write("Cargo.toml", &(manifest.replace("lto = true", "lto = false") + profile));
    let run = project.kokoro(&["build"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(call(&project.path("target/planets"), "test:plain/greeting.greet(\"Ada\")").stdout, "\"Hello Ada!\"\n");
}

fn says(project: &Project, run: Run, code: i32, golden: ExpectFile) {
    let run = Run { stderr: project.without_place(&run.stderr), ..run };
    refused(&run, code, golden);
}

#[test]
fn where_there_is_nothing_to_build_it_says_what_there_could_be() {
    let project = Project::anywhere();
    let library = "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    project.write("planets/library/Cargo.toml", library);
    project.write("planets/library/src/lib.rs", "");
    says(&project, project.kokoro(&["build"]), 2, expect_file!["golden/build_no_planets.txt"]);
    says(&project, project.kokoro(&["run", "--watch"]), 2, expect_file!["golden/build_no_planets.txt"]);
    project.planet("hello", "Hello");
    says(&project, project.kokoro(&["build", "-p", "helo"]), 2, expect_file!["golden/build_no_package.txt"]);
    fs::remove_file(project.path("Cargo.toml")).expect("it is there");
    says(&project, project.kokoro(&["build"]), 2, expect_file!["golden/build_no_project.txt"]);
    says(&project, project.kokoro(&["run"]), 2, expect_file!["golden/build_no_project.txt"]);
}

#[test]
fn what_is_missing_on_the_machine_is_named() {
    let project = Project::anywhere();
    project.planet("hello", "Hello");
    let script = project.path("bin/rustc");
    let rustc = tool("rustc");
    let answer = "#!/bin/sh\nif [ \"$1\" = --print ]; then echo /usr/lib/rustlib/wasm32-wasip2/lib; exit; fi\n";
    project.write("bin/rustc", &format!("{answer}exec '{}' \"$@\"\n", rustc.display()));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is there");
    let build = |path: &Path| Run::of(project.program().arg("build").env("RUSTC", &script).env("PATH", path));
    says(&project, build(&project.path("bin")), 1, expect_file!["golden/build_no_target.txt"]);
    project.write("bin/rustup", "");
    says(&project, build(&project.path("bin")), 1, expect_file!["golden/build_no_target_rustup.txt"]);
    let run = Run::of(project.program().arg("build").env("CARGO", "no-such-cargo"));
    says(&project, run, 1, expect_file!["golden/build_no_cargo.txt"]);
}

/// A core module of a world that exports one function. It asks WASI 0.1 for a number.
const MODULE: &str = r#"(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "test:core/numbers#double") (param i32) (result i32)
        (drop (call $random (i32.const 0) (i32.const 4)))
        (i32.mul (local.get 0) (i32.const 2))))"#;

#[test]
fn a_core_module_becomes_a_planet() {
    let project = Project::anywhere();
    fs::remove_file(project.path("Cargo.toml")).expect("it is there");
    fs::write(project.path("numbers.wasm"), wat::parse_str(MODULE).expect("well-formed WAT")).expect("a file");
    let wit = "package test:core;\n\ninterface numbers {\n    double: func(value: u32) -> u32;\n}\n\n\
               world one {\n    export numbers;\n}\n\nworld other {\n    export stop: func();\n}\n";
    project.write("wit/numbers.wit", wit);
    says(&project, project.kokoro(&["build", "numbers.wasm"]), 2, expect_file!["golden/build_no_world.txt"]);
    let run = project.kokoro(&["build", "numbers.wasm", "--wit", "wit"]);
    says(&project, run, 2, expect_file!["golden/build_which_world.txt"]);
    let run = project.kokoro(&["build", "numbers.wasm", "--wit", "wit", "--world", "other"]);
    says(&project, run, 1, expect_file!["golden/build_other_world.txt"]);
    let run = project.kokoro(&["build", "numbers.wasm", "--wit", "wit", "--world", "one", "--out", "plugins"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(call(&project.path("plugins"), "test:core/numbers.double(21)").stdout, "42\n");
    // It is one already.
    let run = project.kokoro(&["build", "plugins/numbers.wasm"]);
    assert_eq!((run.code, fs::read(project.path("target/planets/numbers.wasm")).is_ok()), (Some(0), true));
    // There is no workspace that could remember it.
    let left: Vec<_> = fs::read_dir(project.path("target")).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    project.write("text.wasm", "hello");
    says(&project, project.kokoro(&["build", "text.wasm"]), 2, expect_file!["golden/build_no_wasm.txt"]);
}

#[test]
fn what_is_made_of_a_file_goes_where_the_options_say() {
    let project = Project::anywhere();
    project.planet("hello", "Hello");
    fs::write(project.path("empty.wasm"), wat::parse_str("(component)").expect("well-formed WAT")).expect("a file");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let build = |options: &[&str]| {
        let file = project.path("empty.wasm");
        Run::of(project.program().arg("build").arg(file).args(options).current_dir(elsewhere.path()))
    };
    for option in ["--package=hello", "--profile=dev"] {
        let run = build(&[option]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
    }
    let manifest = project.path("planets/hello/Cargo.toml");
    let run = build(&["--manifest-path", &manifest.to_string_lossy()]);
    assert_eq!((run.code, project.path("target/planets/empty.wasm").is_file()), (Some(0), true), "{}", run.stderr);
    let run = build(&["--manifest-path", "no/Cargo.toml"]);
    assert_eq!((run.code, run.stderr.contains("no/Cargo.toml")), (Some(2), true), "{}", run.stderr);
    assert_eq!(elsewhere.path().read_dir().expect("a folder").count(), 0);
}
