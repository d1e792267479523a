//! The program does what its README says.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn plugins() -> PathBuf {
    let planets = std::env::var_os("KOKORO_PLANETS").map_or_else(|| root().join("target/planets"), PathBuf::from);
    let folder = planets.join("terminal");
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask planets`", folder.display());
    folder
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the program with these plugins and filters, and writes `input` to it.
fn terminal(plugins: &Path, filters: &str, input: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terminal"));
    command.arg(plugins).args(filters.split_whitespace());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended without having read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// What the README shows below a line that begins with `$` and ends so.
fn shown(command: &str) -> String {
    let readme = fs::read_to_string(root().join("examples/terminal/README.md")).unwrap();
    let lines = readme.lines().skip_while(|line| !(line.starts_with('$') && line.ends_with(command))).skip(1);
    lines.take_while(|line| !line.starts_with(['$', '`'])).map(|line| format!("{line}\n")).collect()
}

#[test]
fn without_a_filter_all_are_listed() {
    let run = terminal(&plugins(), "", "");
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert_eq!(run.stdout, shown("terminal target/planets/terminal"));
}

#[test]
fn each_line_goes_through_the_filters_in_order_and_a_plugin_remembers() {
    let run = terminal(&plugins(), "words sum", "to be\nor not to be\n");
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert_eq!(run.stdout, shown("words sum"));
    assert_eq!(run.stdout, "2\n6\n");
}

#[test]
fn a_line_that_a_filter_refuses_is_told_and_the_next_goes_on() {
    let run = terminal(&plugins(), "sum", "1\ntwo\n3\n");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stdout, "1\n4\n");
    assert_eq!(run.stderr, "terminal: line 2: sum: \"two\" is no number\n");
    assert_eq!(run.stderr + &run.stdout, shown("planets/terminal sum"));
}

#[test]
fn a_filter_that_is_not_there_is_an_error() {
    let run = terminal(&plugins(), "summ", "1\n");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, "terminal: there is no filter `summ`\n  help: without a filter's name, all are listed\n");
}

#[test]
fn a_plugin_that_is_none_is_told_and_the_others_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(plugins().join("words.wasm"), folder.path().join("words.wasm")).unwrap();
    fs::write(folder.path().join("broken.wasm"), "no component").unwrap();
    let run = terminal(folder.path(), "words", "one two\n");
    assert_eq!((run.code, &*run.stdout), (Some(0), "2\n"));
    assert!(run.stderr.starts_with("terminal: broken: failed: "), "{}", run.stderr);
}

#[test]
fn the_program_takes_less_than_100_lines() {
    let text = fs::read_to_string(root().join("examples/terminal/app/src/main.rs")).unwrap();
    assert!(text.lines().count() < 100);
    assert!(!text.contains("tokio") && !text.contains("async fn") && !text.contains(".await"));
}
