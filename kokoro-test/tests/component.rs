//! Without a folder of components, the harness builds what a test needs. A workspace of an author's is tested in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kokoro_test::Harness;
use tempfile::TempDir;

/// The target that Planets (plugins) are built for.
const TARGET: &str = "wasm32-wasip2";

#[test]
#[ignore = "is run in the workspace of an author's"]
fn of_the_author() {
    // Twice, as in a file with several tests.
    for _ in 0..2 {
        let test = Harness::built().planet("other").start();
        let names: Vec<String> = test.graph().planets.iter().map(|planet| planet.name.to_string()).collect();
        assert_eq!(names, ["other", "own-as-it-is-built"]);
    }
}

/// A workspace with two Planets without dependencies, which are compiled at once.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, content: &str| {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    };
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"own\", \"other\"]\n");
    for name in ["own", "other"] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n"
        );
        write(&format!("{name}/Cargo.toml"), &manifest);
        write(&format!("{name}/src/lib.rs"), "");
    }
    let json = r#"{"name":"own-as-it-is-built"}"#;
    let source = format!(
        "#[used]\n#[unsafe(link_section = \"kokoro:planet\")]\nstatic MANIFEST: [u8; {}] = *br#\"{json}\"#;\n",
        json.len()
    );
    write("own/src/lib.rs", &source);
    write("own/src/bin/native.rs", "compile_error!(\"a program that is not for Planets\");\n");
    folder
}

/// The test of the author's in `workspace`, as `cargo test` runs it.
fn tested(workspace: &Path, flags: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "of_the_author"]).env_remove("KOKORO_PLANETS").env_remove("CARGO_TARGET_DIR");
    child.env("CARGO_PKG_NAME", "own").env("CARGO_MANIFEST_DIR", workspace.join("own"));
    child.env("RUSTFLAGS", flags).env("CARGO_ENCODED_RUSTFLAGS", flags);
    child.output().unwrap()
}

/// Whether Planets can be compiled on this machine. It is said if not.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn has_target() -> bool {
    let rustc =
        std::env::var_os("CARGO").map_or_else(|| "rustc".into(), |cargo| PathBuf::from(cargo).with_file_name("rustc"));
    let libraries = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let is_there = Path::new(String::from_utf8(libraries.stdout).unwrap().trim_end()).is_dir();
    if !is_there {
        eprintln!("skipped: this Rust has no standard library for {TARGET} (`rustup target add {TARGET}`)");
    }
    is_there
}

#[test]
fn planets_are_built_where_no_folder_has_them() {
    if !has_target() {
        return;
    }
    let workspace = workspace();
    let output = tested(workspace.path(), "--flags-of-the-tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let built = workspace.path().join("target/kokoro-test").join(TARGET).join("release");
    assert!(built.join("own.wasm").is_file() && built.join("other.wasm").is_file());
    // Cargo says what is wrong with a source.
    fs::write(workspace.path().join("own/src/lib.rs"), "fn broken( {}").unwrap();
    let output = tested(workspace.path(), "");
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{message}");
    assert!(message.contains("`own` cannot be built:\n"), "{message}");
    assert!(message.contains("own/src/lib.rs:1"), "{message}");
}
