//! Planets (plugins) in JavaScript and in Python, as providers and as consumers of Planets in Rust and of each other:
//! `examples/languages`.
//!
//! Needs what `cargo xtask languages` builds. Without it, or with `KOKORO_LANGUAGES=skip`, the tests say that they are skipped;
//! with `KOKORO_LANGUAGES=require` they fail.

#![expect(clippy::print_stderr, reason = "a skipped test has to say so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use expect_test::expect_file;
use kokoro_host::dynamic::Val;
use kokoro_host::{Engine, Primary};
use support::{Run, call, kokoro, planets, program};
use tempfile::TempDir;

/// The languages that are not compiled with this workspace, and what each of them is the Planet's name in.
const FOREIGN: [(&str, &str); 2] = [("javascript", "anagrams"), ("python", "score")];
const ALL: [&str; 4] = ["dictionary", "anagrams", "score", "game"];

/// Where the components are that have no manifest; none where the tests are skipped.
fn built() -> Option<PathBuf> {
    let wish = std::env::var("KOKORO_LANGUAGES").unwrap_or_default();
    let folder = planets("languages").join("../../languages/planets");
    if wish == "skip" {
        eprintln!("skipped, as KOKORO_LANGUAGES says");
        return None;
    }
    let is_missing = |(_, planet): &&(&str, &str)| !folder.join(planet).with_extension("wasm").is_file();
    let Some((language, planet)) = FOREIGN.iter().find(is_missing) else { return Some(folder) };
    let why = format!("`{planet}`, in {language}, is not in {}; run `cargo xtask languages`", folder.display());
    assert_ne!(wish, "require", "{why}");
    eprintln!("skipped: {why}");
    None
}

/// The folder with all of them as `kokoro adopt` leaves them, and compiled: once for all tests, since it takes long.
fn adopted() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let prepare = || {
        let built = built()?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        for (language, planet) in FOREIGN {
            let file = format!("{planet}.wasm");
            let manifest =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/languages").join(language).join("planet.json");
            let run = Run::of(
                program()
                    .arg("adopt")
                    .arg(built.join(&file))
                    .arg("--manifest")
                    .arg(manifest)
                    .arg("-o")
                    .arg(folder.join(&file)),
            );
            assert_eq!(run.code, Some(0), "{}", run.stderr);
        }
        for planet in ["dictionary", "game"] {
            let file = format!("{planet}.wasm");
            fs::copy(planets("languages").join(&file), folder.join(&file)).expect("a planet that was built");
        }
        let run = kokoro(["graph".as_ref(), folder.as_os_str()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        Some(folder)
    };
    FOLDER.get_or_init(prepare).as_deref()
}

/// A folder with some of them.
fn set(names: &[&str]) -> Option<TempDir> {
    let adopted = adopted()?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in names {
        let file = format!("{name}.wasm");
        fs::copy(adopted.join(&file), folder.path().join(&file)).expect("a copy");
    }
    Some(folder)
}

/// What a call answers that succeeds.
fn answer(folder: &Path, invocation: &str) -> String {
    let run = call(folder, invocation);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{invocation}");
    run.stdout.trim_end().to_owned()
}

/// What is said of a call that fails.
fn failure(folder: &Path, invocation: &str) -> Run {
    let run = call(folder, invocation);
    assert_eq!(run.code, Some(1), "{invocation}: {}", run.stdout);
    run
}

#[test]
fn one_folder_has_planets_in_three_languages_that_need_each_other() {
    let Some(folder) = set(&ALL) else { return };
    let run = kokoro(["graph".as_ref(), folder.path().as_os_str()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    expect_file!["golden/languages_graph.txt"].assert_eq(&run.stdout);
}

#[test]
fn calls_go_from_each_language_to_each_other() {
    let Some(folder) = set(&ALL) else { return };
    let answer = |invocation| answer(folder.path(), invocation);
    // Rust asks Python and JavaScript.
    assert_eq!(
        answer(r#"words:game/play.lay("heartquiz", "earth")"#),
        r#"ok("`earth` is worth 8; `quartz` would have been worth more")"#
    );
    // JavaScript asks Rust, and Python what the words are worth.
    assert_eq!(
        answer(r#"words:game/anagrams.find("loopma")"#),
        r#"ok([{word: "loop", points: some(6)}, {word: "polo", points: some(6)}, {word: "pool", points: some(6)}])"#
    );
    // Python asks Rust, and JavaScript, which cannot call back the one who asks: it goes on without points.
    assert_eq!(answer(r#"words:game/score.points("quiz")"#), "ok(22)");
    assert_eq!(answer(r#"words:game/score.hint("loop")"#), r#"ok(some("polo"))"#);
}

#[test]
fn what_is_optional_may_be_missing() {
    let Some(folder) = set(&["dictionary", "anagrams"]) else { return };
    assert_eq!(answer(folder.path(), r#"words:game/anagrams.find("taca")"#), r#"ok([{word: "act"}, {word: "cat"}])"#);
    let folder = set(&["dictionary", "score"]).expect("what was there before");
    assert_eq!(answer(folder.path(), r#"words:game/score.hint("loop")"#), "ok(none)");
    assert_eq!(answer(folder.path(), r#"words:game/score.points("quiz")"#), "ok(22)");
}

#[test]
fn without_a_manifest_they_require_each_other_and_wait() {
    let Some(built) = built() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (_, planet) in FOREIGN {
        let file = format!("{planet}.wasm");
        fs::copy(built.join(&file), folder.path().join(&file)).expect("a copy");
    }
    let dictionary = folder.path().join("dictionary.wasm");
    fs::copy(planets("languages").join("dictionary.wasm"), dictionary).expect("a copy");
    let run = kokoro(["graph".as_ref(), folder.path().as_os_str()]);
    expect_file!["golden/languages_circle.txt"].assert_eq(&run.stdout);
}

#[test]
fn what_a_function_with_a_result_throws_is_its_error() {
    let Some(folder) = set(&ALL) else { return };
    for (invocation, error) in [
        (r#"words:game/anagrams.find("")"#, r#"err("there are no letters")"#),
        (r#"words:game/anagrams.find("s t")"#, r#"err("RangeError: \"s t\" has more than letters in it")"#),
        (r#"words:game/score.points("xyz")"#, r#"err("`xyz` is in no dictionary")"#),
        // Through Rust, from Python.
        (r#"words:game/play.lay("a", "xyz")"#, r#"err("`xyz` is in no dictionary")"#),
    ] {
        assert_eq!(failure(folder.path(), invocation).stdout.trim_end(), error);
    }
}

#[test]
fn what_any_other_function_throws_ends_the_planet_and_is_shown() {
    let Some(folder) = set(&ALL) else { return };
    let failure = |invocation| failure(folder.path(), invocation).stderr;

    let thrown = failure(r#"words:game/anagrams.signature("s t")"#);
    assert!(thrown.contains("planet `anagrams` failed in `words:game/anagrams@0.1.0.signature`"), "{thrown}");
    assert!(thrown.contains(r#""s t" has more than letters in it"#), "{thrown}");
    assert!(thrown.contains("signature@anagrams.js:"), "{thrown}");

    let raised = failure("words:game/score.letter('!')");
    assert!(raised.contains("planet `score` failed in `words:game/score@0.1.0.letter`"), "{raised}");
    assert!(raised.contains("score.py\", line "), "{raised}");
    assert!(raised.contains("KeyError: '!'"), "{raised}");

    // A caller without a place for the failure is lost as well.
    let lost = failure(r#"words:game/score.hint("s t")"#);
    assert!(lost.contains("the application -> `score` -> `anagrams`"), "{lost}");
}

#[test]
fn they_are_told_of_start_and_stop() {
    let Some(folder) = set(&ALL) else { return };
    let run = Run::of(
        program().env("RUST_LOG", "info").arg("call").arg(folder.path()).arg(r#"words:game/play.lay("eat", "tea")"#),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told: Vec<_> = run.stderr.lines().filter_map(|line| line.split("kokoro::planet: ").nth(1)).collect();
    let told: Vec<_> = told.iter().map(|line| line.split(" planet=").next().unwrap_or_default()).collect();
    assert_eq!(
        told,
        ["start: 123 words", "start: a pizza is worth 25", "stop: the best word was tea", "stop: 1 searches"],
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn they_are_lost_alone_and_carry_their_state_over() {
    let Some(folder) = set(&ALL) else { return };
    // The code that the program has compiled is used again.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kokoro/compiled");
    let engine = Engine::builder().cache(cache).build().unwrap();
    let primary = Primary::builder().engine(&engine).build().unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    let ask = async |function: &str, arguments: &[Val]| {
        let (interface, function) = function.split_once('.').unwrap();
        primary.function(&format!("words:game/{interface}@0.1.0"), function).unwrap().call(arguments).await
    };
    let word = |word: &str| Val::String(word.to_owned());

    ask("score.points", &[word("quiz")]).await.unwrap();
    ask("anagrams.find", &[word("tea")]).await.unwrap();
    for (_, planet) in FOREIGN {
        let same = fs::read(folder.path().join(planet).with_extension("wasm")).unwrap();
        primary.reload(planet).bytes(same).await.unwrap();
    }
    assert_eq!(ask("anagrams.searches", &[]).await.unwrap(), [Val::U32(1)]);
    let best = format!("{:?}", ask("score.best", &[]).await.unwrap());
    assert!(best.contains("quiz"), "{best}");

    // An instance that ends in an error loses what it had, and nobody else does.
    assert!(ask("anagrams.signature", &[word("s t")]).await.unwrap_err().is_crash());
    assert_eq!(ask("anagrams.searches", &[]).await.unwrap(), [Val::U32(0)]);
    assert_eq!(format!("{:?}", ask("score.best", &[]).await.unwrap()), best);
    primary.shutdown().await;
}

#[test]
fn the_copy_of_kokoros_own_interfaces_is_one() {
    let copy = include_str!("../../examples/languages/wit/deps/kokoro-core.wit");
    assert_eq!(copy, include_str!("../../kokoro-wit/wit/core.wit"));
}
