//! The greeter greets. (That the README shows it word for word is tested with the guide.)

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

#[test]
fn it_greets() {
    // The program looks for `target/planets/greeter` where it is started.
    let folder = match std::env::var_os("KOKORO_PLANETS") {
        Some(planets) => Path::new(&planets).join("../.."),
        None => root(),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_greeter-primary")).current_dir(folder).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}; was `cargo xtask planets` run?");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello Ada, you are guest number 1!\n");
}

#[test]
fn neither_side_takes_more_than_15_lines() {
    for file in ["examples/greeter/planet/src/lib.rs", "examples/greeter/primary/src/main.rs"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        let count = lines.count();
        assert!(count <= 15, "{file} has {count} lines of code");
    }
}
