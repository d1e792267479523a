//! What several test programs need. Each uses a part of it.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

#[cfg(unix)]
pub mod project;
#[cfg(unix)]
pub mod running;

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::ExpectFile;
use tempfile::TempDir;

pub fn planets(folder: &str) -> PathBuf {
    let planets = match std::env::var_os("KOKORO_PLANETS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/planets"),
    };
    let folder = planets.join(folder);
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask planets`", folder.display());
    folder
}

/// A folder with some of the Planets (plugins) that `cargo xtask planets` built.
pub fn folder(of: &str, names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in names {
        let file = format!("{name}.wasm");
        std::fs::copy(planets(of).join(&file), folder.path().join(&file)).expect("a planet that was built");
    }
    folder
}

pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program. It keeps compiled code for all tests, and nothing in the user's own directory.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kokoro"));
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

pub fn kokoro<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    Run::of(program().args(arguments).env_remove("RUST_LOG"))
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("kokoro runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

pub fn call(folder: &Path, invocation: &str) -> Run {
    kokoro(["call".as_ref(), folder.as_os_str(), invocation.as_ref()])
}

pub fn refused(run: &Run, code: i32, golden: ExpectFile) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    golden.assert_eq(&run.stderr);
}
