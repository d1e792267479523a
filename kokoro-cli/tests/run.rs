//! `kokoro run`: what it shows, how it follows its folder, and how it ends.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Seek as _, Write as _, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use expect_test::expect_file;
use serde_json::Value;
use support::running::{Running, TOO_LONG, lines, signal};
use support::{kokoro, planets, program, refused};
use tempfile::TempDir;

fn guest(name: &str) -> Vec<u8> {
    fs::read(planets("tests").join(name).with_extension("wasm")).expect("a planet that was built")
}

/// A folder with these files.
fn folder_of(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path().join("planets");
    fs::create_dir(&folder).expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    (place, folder)
}

const NEXT: &str = "test:guests/counter.next()";

#[test]
fn a_counter_keeps_its_value_and_a_broken_component_changes_nothing() {
    let (_place, folder) = folder_of(&[("counter.wasm", &guest("counter"))]);
    let file = folder.join("counter.wasm");
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 1 planets run");
    run.ask(NEXT, "1");
    run.ask(NEXT, "2");
    // Built again.
    fs::write(&file, guest("counter-next")).expect("a file");
    run.until("counter: reloaded, now 2.0.0");
    run.ask(NEXT, "3");
    // Broken.
    fs::write(&file, "hello").expect("a file");
    run.until("  the old one goes on");
    run.ask(NEXT, "4");
    // Cut off, and nobody writes the rest.
    fs::write(&file, &guest("counter")[..50_000]).expect("a file");
    run.until("  the old one goes on");
    run.ask(NEXT, "5");
    // What runs comes back, which is no change.
    fs::write(&file, guest("counter-next")).expect("a file");
    fs::write(folder.join("extra.wasm"), guest("extra")).expect("a file");
    run.until("extra: starting -> running");
    run.ask(NEXT, "6");
    fs::remove_file(&file).expect("it is there");
    run.until("counter: stopping -> gone: it has been unloaded");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    expect_file!["golden/run_counter.txt"].assert_eq(&shown);
}

/// On other systems nobody tells that a file has been closed.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_is_still_open_is_waited_for() {
    let (_place, folder) = folder_of(&[("counter.wasm", &guest("counter"))]);
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 1 planets run");
    run.ask(NEXT, "1");
    // The first half of one, and of another one what could never become a component.
    let (next, extra) = (guest("counter-next"), guest("extra"));
    let half = next.len() / 2;
    let mut slow = fs::File::create(folder.join("counter.wasm")).expect("a file");
    slow.write_all(&next[..half]).expect("the first half");
    let mut draft = fs::File::create(folder.join("draft.wasm")).expect("a file");
    draft.write_all(b"nothing yet").expect("some bytes");
    // What came later is there, and of these nothing is said.
    fs::write(folder.join("faulty.wasm"), guest("faulty")).expect("a file");
    run.until("faulty: starting -> running");
    run.ask(NEXT, "2");
    slow.write_all(&next[half..]).expect("the second half");
    drop(slow);
    run.until("counter: reloaded, now 2.0.0");
    run.ask(NEXT, "3");
    draft.rewind().and_then(|()| draft.set_len(0)).and_then(|()| draft.write_all(&extra)).expect("another content");
    drop(draft);
    run.until("extra: starting -> running");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    // How long all this has taken is nobody's business.
    let is_patient = |line: &&str| !line.ends_with(": it is still being written, and waited for");
    let lines: Vec<&str> = shown.lines().filter(is_patient).collect();
    expect_file!["golden/run_open.txt"].assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn a_file_that_is_renamed_keeps_its_planet() {
    let (_place, folder) = folder_of(&[("counter.wasm", &guest("counter"))]);
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 1 planets run");
    run.ask(NEXT, "1");
    fs::rename(folder.join("counter.wasm"), folder.join("renamed.wasm")).expect("another name");
    run.until("counter: reloaded, now 0.1.0");
    run.ask(NEXT, "2");
    // As editors and build tools write: beside it first, and then into its place.
    fs::write(folder.join(".renamed.wasm.tmp"), guest("counter-next")).expect("a file");
    fs::rename(folder.join(".renamed.wasm.tmp"), folder.join("renamed.wasm")).expect("another name");
    run.until("counter: reloaded, now 2.0.0");
    run.ask(NEXT, "3");
    fs::remove_file(folder.join("renamed.wasm")).expect("it is there");
    run.until("counter: stopping -> gone: it has been unloaded");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("not "), "{shown}");
}

#[test]
fn a_file_may_become_another_planet() {
    let (_place, folder) = folder_of(&[("one.wasm", &guest("counter"))]);
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 1 planets run");
    fs::write(folder.join("one.wasm"), guest("faulty")).expect("a file");
    run.until("counter: stopping -> gone: it has been unloaded");
    run.ask("test:guests/faults.well()", "\"well\"");
    // It comes before the other one leaves.
    let (_, shown) = run.interrupted();
    let place = |line: &str| shown.find(line).unwrap_or_else(|| panic!("no `{line}` in {shown}"));
    assert!(place("faulty: starting -> running") < place("counter: running -> stopping"), "{shown}");
}

#[test]
fn a_name_that_becomes_free_is_taken_by_who_wanted_it() {
    let (_place, folder) = folder_of(&[("a.wasm", &guest("counter")), ("b.wasm", &guest("counter-next"))]);
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 2 planets run");
    run.ask(NEXT, "1");
    fs::write(folder.join("c.wasm"), guest("counter")).expect("a file");
    let holder = folder.join("a.wasm");
    run.until(&format!("c.wasm: not loaded: another planet is called `counter` already, from `{}`", holder.display()));
    fs::remove_file(folder.join("c.wasm")).expect("it is there");
    fs::remove_file(folder.join("a.wasm")).expect("it is there");
    run.until("counter: starting -> running");
    run.ask(NEXT, "1");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
}

/// A component named `markdown` that exports nothing.
const NOTHING: &str = r#"(component (@custom "kokoro:planet" "{\"name\":\"markdown\",\"version\":\"0.2.0\"}"))"#;

#[test]
fn who_no_longer_fits_waits_until_it_fits_again() {
    let built = |name: &str| fs::read(planets("site-builder").join(name)).expect("a planet that was built");
    let (_place, folder) =
        folder_of(&[("markdown.wasm", &built("markdown.wasm")), ("outline.wasm", &built("outline.wasm"))]);
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("2 of 2 planets run");
    fs::write(folder.join("markdown.wasm"), wat::parse_str(NOTHING).expect("well-formed WAT")).expect("a file");
    run.until("markdown: reloaded, now 0.2.0");
    fs::write(folder.join("markdown.wasm"), built("markdown.wasm")).expect("a file");
    run.until("outline: starting -> running");
    // The whole folder goes, and comes back.
    fs::remove_dir_all(&folder).expect("it is there");
    run.until("markdown: stopping -> gone: it has been unloaded");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("markdown.wasm"), built("markdown.wasm")).expect("a file");
    fs::write(folder.join("outline.wasm"), built("outline.wasm")).expect("a file");
    run.until("outline: starting -> running");
    // Dependents stop first.
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    let end: Vec<&str> = shown.lines().rev().take(4).collect();
    let expected = [
        "markdown: stopping -> gone: it has been stopped",
        "markdown: running -> stopping: it is being stopped",
        "outline: stopping -> gone: it has been stopped",
        "outline: running -> stopping: it is being stopped",
    ];
    assert_eq!(end, expected, "{shown}");
    assert!(shown.contains("outline: stopping -> waiting: "), "{shown}");
}

#[test]
fn what_a_symbolic_link_points_at_is_followed() {
    let (place, folder) = folder_of(&[]);
    let built = place.path().join("built.wasm");
    fs::write(&built, guest("counter")).expect("a file");
    std::os::unix::fs::symlink(&built, folder.join("counter.wasm")).expect("a link");
    let mut run = Running::of(&folder, &["--watch"]);
    run.until("1 of 1 planets run");
    run.ask(NEXT, "1");
    fs::write(&built, guest("counter-next")).expect("a file");
    run.until("counter: reloaded, now 2.0.0");
    run.ask(NEXT, "2");
    fs::remove_file(&built).expect("it is there");
    run.until("counter: stopping -> gone: it has been unloaded");
    run.interrupted();
}

/// A Planet that says so when it starts and when it stops.
const TALKATIVE: &str = r#"
(component
  (import "kokoro:core/log@0.1.0" (instance $log
    (type $levels (enum "error" "warn" "info" "debug" "trace"))
    (export "level" (type $level (eq $levels)))
    (export "write" (func (param "level" $level) (param "target" string) (param "message" string)))))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $write (canon lower (func $log "write") (memory $memory "memory")))
  (core module $code
    (import "host" "memory" (memory 1))
    (import "host" "write" (func $write (param i32 i32 i32 i32 i32)))
    (data (i32.const 16) "life")
    (data (i32.const 32) "good morning")
    (data (i32.const 48) "good night")
    (func (export "start") (result i32)
      (call $write (i32.const 2) (i32.const 16) (i32.const 4) (i32.const 32) (i32.const 12))
      i32.const 0)
    (func (export "stop")
      (call $write (i32.const 2) (i32.const 16) (i32.const 4) (i32.const 48) (i32.const 10))))
  (core instance $code (instantiate $code (with "host" (instance
    (export "memory" (memory $memory "memory"))
    (export "write" (func $write))))))
  (func $start (result (result (error string))) (canon lift (core func $code "start") (memory $memory "memory")))
  (func $stop (canon lift (core func $code "stop")))
  (instance $lifecycle (export "start" (func $start)) (export "stop" (func $stop)))
  (export "kokoro:core/lifecycle@0.1.0" (instance $lifecycle)))
"#;

#[test]
fn what_planets_log_stands_where_it_belongs() {
    let talkative = wat::parse_str(TALKATIVE).expect("well-formed WAT");
    let (_place, folder) = folder_of(&[("faulty.wasm", &guest("faulty")), ("talkative.wasm", &talkative)]);
    let mut run = Running::of(&folder, &[]);
    run.until("2 of 2 planets run");
    writeln!(run.input.as_ref().expect("an input"), "test:guests/faults.speak()").expect("it reads");
    run.ask("test:guests/faults.well()", "\"well\"");
    run.ask("test:guests/nobody.well()", "  help: load a planet that exports it");
    run.ask("help", "Ctrl-C        stops all planets and ends");
    run.ask("explain faulty", "  it imports nothing that another planet could provide");
    run.ask("explain fault", "  help: did you mean `faulty`?");
    run.ask("graph", "started in this order: faulty, talkative");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    expect_file!["golden/run_log.txt"].assert_eq(&shown);
}

#[test]
fn for_programs_each_line_is_an_object_and_standard_input_may_end() {
    let (_place, folder) = folder_of(&[("extra.wasm", &guest("extra")), ("none.wasm", b"hello")]);
    let mut run = Running::of(&folder, &["--watch", "--json"]);
    let mut objects = Vec::<Value>::new();
    let mut next = |run: &Running, event: &str| loop {
        let line = run.lines.recv_timeout(TOO_LONG).expect("a line");
        let object: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let is_it = object["event"] == event;
        objects.push(object);
        if is_it {
            return objects.last().cloned().expect("one was added");
        }
    };
    let graph = next(&run, "graph");
    assert_eq!(graph["graph"]["order"], serde_json::json!(["extra"]));
    writeln!(run.input.as_ref().expect("an input"), "test:guests/extra.double(21)").expect("it reads");
    let answer = next(&run, "answer");
    let call = "test:guests/extra.double(21)";
    assert_eq!(answer, serde_json::json!({ "event": "answer", "call": call, "results": ["42"], "error": null }));
    run.input = None;
    fs::write(folder.join("none.wasm"), "hello again").expect("a file");
    let problem = next(&run, "not-loaded");
    assert_eq!(problem["file"], "none.wasm");
    signal(&run.child, "TERM");
    let gone = next(&run, "state");
    assert_eq!((&gone["planet"], &gone["to"]), (&"extra".into(), &"stopping".into()));
    assert_eq!(next(&run, "state")["to"], "gone");
    let (code, rest) = run.end();
    assert_eq!((code, rest.as_str()), (Some(0), ""));
}

#[test]
fn a_terminal_that_is_closed_ends_it_in_order() {
    let (_place, folder) = folder_of(&[("counter.wasm", &guest("counter"))]);
    let mut run = Running::of(&folder, &[]);
    run.until("1 of 1 planets run");
    signal(&run.child, "HUP");
    let (code, shown) = run.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.ends_with("counter: stopping -> gone: it has been stopped\n"), "{shown}");
}

#[test]
#[cfg(target_os = "linux")]
fn it_outlives_its_terminal_under_nohup() {
    let (_place, folder) = folder_of(&[("counter.wasm", &guest("counter"))]);
    let mut command = Command::new("nohup");
    let mut run = Running::start(command.arg(env!("CARGO_BIN_EXE_kokoro")).args(["run", "--no-cache"]).arg(&folder));
    run.until("1 of 1 planets run");
    signal(&run.child, "HUP");
    run.ask(NEXT, "1");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_second_signal_ends_it_at_once_even_if_nobody_reads_what_it_says() {
    let (_place, folder) = folder_of(&[("extra.wasm", &guest("extra"))]);
    let mut command = program();
    let (reader, writer) = UnixStream::pair().expect("a socket");
    let (mut full, end) = (writer.try_clone().expect("a socket"), OwnedFd::from(writer));
    let (errors, stderr) = pipe().expect("a pipe");
    command.arg("run").arg(&folder).stdin(Stdio::null()).stdout(end).stderr(stderr).env_remove("RUST_LOG");
    let child = command.spawn().expect("kokoro runs");
    drop(command);
    let run = Running { child, input: None, lines: lines(errors), transcript: Vec::new() };
    let mut shown = BufReader::new(&reader).lines().map_while(Result::ok);
    assert!(shown.any(|line| line == "1 of 1 planets run"));
    // It says nothing now, and what it says next has no room.
    full.set_nonblocking(true).expect("a socket");
    while full.write(&[0; 4096]).is_ok() {}
    while full.write(&[0]).is_ok() {}
    full.set_nonblocking(false).expect("a socket");
    // They are two even if they come at one time.
    signal(&run.child, "INT");
    signal(&run.child, "TERM");
    assert_eq!(run.end(), (Some(1), "error: ended before all planets had stopped\n".to_owned()));
}

#[test]
fn a_reader_that_has_gone_away_ends_it_in_order() {
    let (_place, folder) = folder_of(&[("extra.wasm", &guest("extra"))]);
    let mut command = program();
    let (reader, end) = pipe().expect("a pipe");
    drop(reader);
    command.arg("run").arg(&folder).stdin(Stdio::null()).stdout(end).env_remove("RUST_LOG");
    let output = command.output().expect("kokoro runs");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_ends_it_with_code_1() {
    let (_place, folder) = folder_of(&[("extra.wasm", &guest("extra"))]);
    let full = fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let mut command = program();
    let output = command.arg("run").arg(&folder).stdin(Stdio::null()).stdout(full).output().expect("kokoro runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr, "error: the output cannot be written: No space left on device (os error 28)\n");
}

#[test]
fn a_folder_that_is_not_there_is_code_2() {
    refused(&kokoro(["run", "no/such/folder"]), 2, expect_file!["golden/no_folder.txt"]);
    refused(&kokoro(["run", "no/such/folder", "--watch"]), 2, expect_file!["golden/no_folder.txt"]);
}

#[test]
fn help_says_what_becomes_of_the_folder() {
    let help = kokoro(["run", "--help"]);
    expect_file!["golden/run_help.txt"].assert_eq(&help.stdout);
}
