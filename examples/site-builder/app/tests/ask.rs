//! The site builder asks before it loads a Planet (plugin), and remembers.

mod common;

use common::{Outcome, PLANETS, Site, changed};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[track_caller]
fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
}

fn answers(site: &Site) -> PathBuf {
    site.input().with_file_name("answers.json")
}

fn ask(site: &Site) -> Command {
    let mut command = site.command(&site.output());
    command.arg("--ask").arg("--answers").arg(answers(site));
    command
}

/// Runs it, gives it `input` to read, and then the end of it.
fn with_input(command: &mut Command, input: &str) -> Outcome {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn without_input(command: &mut Command) -> Outcome {
    Outcome::of(command.stdin(Stdio::null()))
}

fn questions(outcome: &Outcome) -> usize {
    outcome.stderr.matches("Load it? [y/N]").count()
}

fn known(site: &Site) -> serde_json::Map<String, Value> {
    serde_json::from_slice(&fs::read(answers(site)).unwrap()).unwrap()
}

fn place(site: &Site, planet: &str) -> PathBuf {
    fs::canonicalize(site.planets()).unwrap().join(format!("{planet}.wasm"))
}

/// Adds a custom section, which changes the file and nothing that it does.
fn change(site: &Site, planet: &str, section: &str, content: &str) {
    let component = changed(fs::read(place(site, planet)).unwrap(), section, content);
    fs::write(place(site, planet), component).unwrap();
}

#[test]
fn each_planet_is_asked_about_once_and_yes_and_no_are_remembered() {
    let site = Site::without(&[]);
    let outcome = with_input(&mut ask(&site), "y\nn\ny\nYES\n y \nyes\n");
    assert_eq!((outcome.code, questions(&outcome)), (Some(0), 6), "{outcome:?}");
    let page = place(&site, "page").display().to_string();
    assert_contains(
        &outcome.stderr,
        &[
            "An unknown Planet (plugin) calls itself page 0.1.0\n",
            &format!("  file     {page}\n"),
            known(&site)[&page]["sha256"].as_str().unwrap(),
            "  exports  site:build/page@0.1.0\n",
            "  needs    site:build/pages@0.1.0, site:content/markdown@0.1.0, site:content/outline@0.1.0\n",
            "  can use  site:build/backlinks@0.1.0, site:build/images@0.1.0, site:content/highlight@0.1.0\n",
            "It asks for no permissions, and gets none.\n",
        ],
    );
    let refused = [
        "highlight is refused: you did not want it; to be asked again: --ask-again \"highlight.wasm\"\n",
        "  site:content/highlight@0.1.0: highlight, which provides it, is refused; page went on without\n",
    ];
    assert_contains(&outcome.stdout, &refused);
    assert!(!site.page("index.html").contains("hl-"));
    let remembered = fs::read_to_string(answers(&site)).unwrap();
    let loaded =
        PLANETS.map(|planet| known(&site)[&place(&site, planet).display().to_string()]["load"].as_bool().unwrap());
    assert_eq!(loaded, [true, false, true, true, true, true]);

    let outcome = without_input(&mut ask(&site));
    assert_eq!((outcome.code, questions(&outcome)), (Some(0), 0), "{outcome:?}");
    assert_contains(&outcome.stdout, &refused);
    assert_eq!(fs::read_to_string(answers(&site)).unwrap(), remembered);
    assert!(remembered.contains("\n  \""), "{remembered}");

    let outcome = with_input(ask(&site).args(["--ask-again", "highlight.wasm"]), "y\n");
    assert_eq!((outcome.code, questions(&outcome)), (Some(0), 1), "{outcome:?}");
    assert!(!outcome.stdout.contains("highlight is") && site.page("index.html").contains("hl-"), "{outcome:?}");
    assert_eq!(known(&site).len(), 6);
}

#[test]
fn a_planet_that_changes_is_refused_without_a_question() {
    let site = Site::without(&[]);
    assert_eq!(with_input(&mut ask(&site), &"y\n".repeat(6)).code, Some(0));
    let before = fs::read(answers(&site)).unwrap();
    change(&site, "highlight", "note", "");
    change(&site, "markdown", "note", "");

    let outcome = with_input(&mut ask(&site), "y\ny\n");
    assert_eq!((outcome.code, questions(&outcome)), (Some(1), 0), "{outcome:?}");
    let old = &known(&site)[&place(&site, "markdown").display().to_string()]["sha256"];
    assert_contains(
        &outcome.stdout,
        &[
            "markdown is refused: ",
            "it has changed since you were asked about it: its SHA-256 was ",
            &format!(" was {}.. and is ", &old.as_str().unwrap()[..12]),
            "; to be asked again: --ask-again \"markdown.wasm\"\n",
            "highlight is refused",
            "outline is waiting",
        ],
    );
    assert_contains(&outcome.stderr, &["error: no pages can be made", "`markdown`", "has changed"]);
    assert!(fs::read(answers(&site)).unwrap() == before);

    let outcome = with_input(
        ask(&site).args(["--ask-again", "markdown.wasm", "--ask-again"]).arg(place(&site, "highlight")),
        "\ny\n",
    );
    assert_eq!((outcome.code, questions(&outcome)), (Some(0), 2), "{outcome:?}");
    assert_contains(
        &outcome.stderr,
        &["has changed since you were asked about it calls itself markdown", "  before   "],
    );
    assert_contains(&outcome.stdout, &["highlight is refused: you did not want it"]);
    assert_eq!((questions(&without_input(&mut ask(&site))), known(&site).len()), (0, 6));
}

#[test]
fn without_an_answer_nothing_is_loaded_and_nothing_is_remembered() {
    let site = Site::without(&[]);
    let outcome = without_input(&mut ask(&site));
    assert_eq!((outcome.code, questions(&outcome)), (Some(1), 6), "{outcome:?}");
    assert_contains(&outcome.stdout, &["took part:\n  none\n", "refused: nobody answered whether to load it\n"]);
    assert!(!answers(&site).exists());

    // What was answered before the end is known.
    assert_eq!(questions(&with_input(&mut ask(&site), "y\ny")), 6);
    assert_eq!((questions(&without_input(&mut ask(&site))), known(&site).len()), (4, 2));
}

#[test]
fn answers_that_cannot_be_understood_are_left_alone_and_nothing_is_loaded() {
    let site = Site::without(&[]);
    assert_eq!(with_input(&mut ask(&site), &"y\n".repeat(6)).code, Some(0));
    fs::remove_dir_all(site.output()).unwrap();
    let whole = fs::read_to_string(answers(&site)).unwrap();
    for damaged in ["", &whole[..whole.len() / 2], &whole.replacen("load", "loan", 1), "[]", "\u{feff}{}"] {
        fs::write(answers(&site), damaged).unwrap();
        let outcome = with_input(&mut ask(&site), &"y\n".repeat(6));
        assert_eq!((outcome.code, questions(&outcome), &*outcome.stdout), (Some(2), 0, ""), "{outcome:?}");
        assert_contains(
            &outcome.stderr,
            &[
                "error: the answers in `",
                "answers.json` cannot be understood: ",
                " at line ",
                "\n  help: mend it, or move it away",
            ],
        );
        assert_eq!(fs::read_to_string(answers(&site)).unwrap(), damaged);
        assert!(!site.output().join("index.html").exists());
    }
}

#[test]
fn what_is_known_by_its_content_is_known_under_any_name_and_in_any_folder() {
    let (site, other) = (Site::without(&[]), Site::without(&["page"]));
    assert_eq!(with_input(&mut ask(&site), &"y\n".repeat(6)).code, Some(0));
    fs::rename(place(&site, "page"), place(&site, "renamed")).unwrap();
    assert_eq!(questions(&without_input(&mut ask(&site))), 0);

    // Of several answers about one content, a no weighs more.
    let (text, page) = (fs::read_to_string(answers(&site)).unwrap(), place(&site, "page").display().to_string());
    let mut both = known(&site);
    both.insert("/elsewhere/page.wasm".to_owned(), both[&page].clone());
    both[&page]["load"] = false.into();
    fs::write(answers(&site), serde_json::to_vec(&both).unwrap()).unwrap();
    let outcome = without_input(&mut ask(&site));
    assert_eq!((outcome.code, questions(&outcome)), (Some(1), 0), "{outcome:?}");
    assert_contains(&outcome.stdout, &["page is refused: you did not want it"]);
    fs::write(answers(&site), text).unwrap();

    // The same names elsewhere are other files.
    change(&other, "outline", "note", "");
    fs::copy(answers(&site), answers(&other)).unwrap();
    let outcome = with_input(&mut ask(&other), "n\n");
    assert_eq!(questions(&outcome), 1, "{outcome:?}");
    assert_contains(&outcome.stderr, &["An unknown Planet (plugin) calls itself outline"]);

    // Of two files with one content the first is asked about, and the answer is for both.
    let twins = Site::without(&["backlinks", "highlight", "images", "outline", "page"]);
    fs::copy(place(&twins, "markdown"), place(&twins, "a-twin")).unwrap();
    let outcome = with_input(&mut ask(&twins), "n\n");
    assert_eq!((questions(&outcome), outcome.stdout.matches("you did not want it").count()), (1, 2), "{outcome:?}");
}

#[test]
fn the_question_shows_what_a_planet_asks_for_and_that_it_does_not_get_it() {
    let site = Site::without(&PLANETS);
    fs::write(place(&site, "greedy"), b"\0asm\x0d\0\x01\0").unwrap();
    let permissions = r#"{"read":["content"],"env":["HOME"],"http":["example.com\u001b[2J"],"net":true,"gpu":1}"#;
    change(&site, "greedy", "kokoro:planet", &format!(r#"{{"version":"2.0.0","permissions":{permissions}}}"#));
    let outcome = with_input(&mut ask(&site), "y\n");
    assert_contains(
        &outcome.stderr,
        &[
            "An unknown Planet (plugin) calls itself greedy 2.0.0\n",
            "  asks to  read: content; see variables: HOME; use HTTP: example.com\\u{1b}[2J; use sockets; gpu: 1\n",
            "Of what it asks for it gets nothing, whatever you answer: site-builder has nothing to grant.\n",
        ],
    );
    assert!(!outcome.stderr.contains('\u{1b}'));
    assert_contains(&outcome.stdout, &["took part:\n  greedy  2.0.0\n"]);
}

#[cfg(unix)]
#[test]
fn a_native_program_is_part_of_the_question_and_of_the_answer() {
    let site = Site::without(&["backlinks", "highlight", "markdown", "outline", "page"]);
    let allowing = || {
        let mut command = ask(&site);
        command.args(["--allow-satellite", "images"]);
        command
    };
    let outcome = with_input(&mut ask(&site), "y\n");
    assert_contains(
        &outcome.stderr,
        &[
            "  asks to  run a native program: image-codec\n",
            "Of what it asks for it gets nothing, whatever you answer: site-builder has nothing to grant but native \
             programs, with --allow-satellite images.\n",
        ],
    );

    // That was about the Planet alone. Now it is to run a program as well.
    let outcome = with_input(&mut allowing(), "y\n");
    assert_eq!(questions(&outcome), 1, "{outcome:?}");
    let answer = known(&site)[&place(&site, "images").display().to_string()].clone();
    let sha256 = answer["programs"]["image-codec"].as_str().unwrap();
    assert_eq!(sha256.len(), 64);
    assert_contains(
        &outcome.stderr,
        &[
            &format!("  runs     image-codec, SHA-256 {sha256}\n"),
            "It gets its native program, as --allow-satellite says, which is not confined: it can do what you can do.\n",
        ],
    );
    assert_contains(&outcome.stdout, &["took part:\n  images"]);
    for mut again in [allowing(), ask(&site)] {
        assert_eq!(questions(&without_input(&mut again)), 0);
    }

    let mut program = fs::read(site.codec()).unwrap();
    program.push(0);
    fs::write(site.codec(), program).unwrap();
    let outcome = with_input(&mut allowing(), "y\n");
    assert_eq!(questions(&outcome), 0, "{outcome:?}");
    assert_contains(
        &outcome.stdout,
        &[&format!(
            "images is refused: its native program `image-codec` has changed since you were asked about it: its SHA-256 was {}.. and is ",
            &sha256[..12]
        )],
    );
    assert_eq!(questions(&with_input(allowing().args(["--ask-again", "images.wasm"]), "y\n")), 1);
    assert_contains(&without_input(&mut allowing()).stdout, &["took part:\n  images"]);
}

#[test]
fn answers_are_not_kept_where_planets_have_files_written() {
    let site = Site::without(&[]);
    fs::create_dir_all(site.output()).unwrap();
    let mut places = vec![site.output().join("answers.json"), site.input().join("../output/new/answers.json")];
    #[cfg(unix)]
    {
        let link = site.input().with_file_name("link");
        fs::write(site.output().join("page.css"), "").unwrap();
        std::os::unix::fs::symlink(site.output().join("page.css"), &link).unwrap();
        places.push(link);
    }
    for place in places {
        let outcome = without_input(site.command(&site.output()).arg("--ask").arg("--answers").arg(place));
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert_contains(&outcome.stderr, &["error: --answers: `", "is in the folder for the pages"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_kept_counts_and_the_person_is_told() {
    let site = Site::without(&["backlinks", "highlight", "images", "outline", "page"]);
    let mut command = site.command(&site.output());
    let outcome = with_input(command.args(["--ask", "--answers", "/proc/self/answers.json"]), "y\n");
    assert_contains(&outcome.stderr, &["warning: your answer counts now and is not remembered: `/proc/"]);
    assert_contains(&outcome.stdout, &["took part:\n  markdown"]);
}

#[cfg(unix)]
#[test]
fn answers_are_kept_in_the_home_folder_unless_told_otherwise() {
    let site = Site::without(&["backlinks", "highlight", "images", "outline", "page"]);
    let home = site.input().with_file_name("home");
    let run = |input| with_input(site.command(&site.output()).arg("--ask").env("HOME", &home), input);
    assert_eq!((questions(&run("n\n")), questions(&run(""))), (1, 0));
    assert!(home.join(".site-builder/plugins.json").is_file());
}

#[test]
fn without_ask_everyone_is_loaded_and_the_other_options_make_no_sense() {
    let site = Site::without(&[]);
    assert_eq!(with_input(&mut ask(&site), &"n\n".repeat(6)).code, Some(1));
    let outcome = without_input(&mut site.command(&site.output()));
    assert_eq!((outcome.code, questions(&outcome)), (Some(0), 0), "{outcome:?}");
    for arguments in [["--answers", "x"], ["--ask-again", "page.wasm"]] {
        assert_eq!(without_input(site.command(&site.output()).args(arguments)).code, Some(2));
    }
    let outcome = without_input(ask(&site).args(["--ask-again", "page"]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_contains(&outcome.stderr, &["error: --ask-again: there is no file `page` in `"]);
}
