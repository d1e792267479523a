//! `kokoro run --watch` over sources: what is saved is live.
#![cfg(unix)]

mod support;

use std::fs;
use std::process::Command;

use support::project::Project;
use support::running::{Running, TOO_LONG};

#[test]
fn what_is_saved_is_live_and_what_does_not_compile_changes_nothing() {
    let Some(project) = Project::new() else { return };
    project.planet("live", "Hello");
    let mut run = Running::start(project.program().args(["run", "--watch"]));
    run.until("1 of 1 planets run");
    run.ask("test:live/greeting.greet(\"Ada\")", "\"Hello Ada!\"");
    let source = "planets/live/src/lib.rs";
    project.replace(source, "Hello {name}", "Good day {name}");
    run.until("live: reloaded, now 0.1.0");
    run.ask("test:live/greeting.greet(\"Ada\")", "\"Good day Ada!\"");

    project.replace(source, "format!", "no_such_macro!");
    run.until("`live`: not built; what there was goes on");
    assert!(run.shown().contains("cannot find macro `no_such_macro`"), "{}", run.shown());
    run.ask("test:live/greeting.greet(\"Ada\")", "\"Good day Ada!\"");
    // Mended, and other than before.
    project.replace(source, "no_such_macro!(\"Good day", "format!(\"Good evening");
    run.until("live: reloaded, now 0.1.0");
    run.ask("test:live/greeting.greet(\"Ada\")", "\"Good evening Ada!\"");

    // The interface is a source as well.
    project.replace("planets/live/wit/live.wit", "    greet: func", "    wave: func();\n    greet: func");
    run.until("`live`: not built; what there was goes on");
    project.replace(source, "    fn greet", "    fn wave(&mut self) {}\n\n    fn greet");
    run.until("live: reloaded, now 0.1.0");

    // A package comes and goes. Without its sources the workspace cannot be read, and where they would be, nobody has looked yet.
    let other = Project::anywhere();
    other.planet("second", "Hi");
    fs::rename(other.path("planets/second/src"), other.path("src")).expect("it is there");
    fs::rename(other.path("planets/second"), project.path("planets/second")).expect("it is there");
    run.until("  what there was goes on");
    fs::rename(other.path("src"), project.path("planets/second/src")).expect("it is there");
    run.until("second: starting -> running");
    run.ask("test:second/greeting.greet(\"Bob\")", "\"Hi Bob!\"");
    fs::remove_dir_all(project.path("planets/second")).expect("it is there");
    run.until("second: stopping -> gone: it has been unloaded");
    // A workspace that cannot be read is told, and nothing stops.
    project.replace("planets/live/Cargo.toml", "edition = \"2024\"", "edition = \"2024");
    run.until("  what there was goes on");
    project.replace("planets/live/Cargo.toml", "edition = \"2024", "edition = \"2024\"");
    run.until_beginning("built in ");
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    // What is quick to compile does not lie where what is to be handed out does.
    assert!(project.path("target/planets-watch/live.wasm").is_file() && !project.path("target/planets").exists());
}

#[test]
fn a_build_ends_with_the_command() {
    let Some(project) = Project::new() else { return };
    project.planet("slow", "Hello");
    // It never ends by itself.
    let script = "fn main() {\n    std::fs::write(\"started\", std::process::id().to_string()).unwrap();\n    \
                  loop { std::thread::sleep(std::time::Duration::from_secs(1)) }\n}\n";
    project.write("planets/slow/build.rs", script);
    let run = Running::start(project.program().args(["run", "--watch"]));
    let started = project.path("planets/slow/started");
    let begun = std::time::Instant::now();
    let id = loop {
        if let Some(id) = fs::read_to_string(&started).ok().filter(|id| !id.is_empty()) {
            break id;
        }
        assert!(begun.elapsed() < TOO_LONG, "it does not begin: {}", run.shown());
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let (code, shown) = run.interrupted();
    assert_eq!(code, Some(0), "{shown}");
    let is_there = || Command::new("kill").args(["-0", &id]).output().expect("a command `kill`").status.success();
    while is_there() {
        assert!(begun.elapsed() < TOO_LONG, "the build goes on");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
