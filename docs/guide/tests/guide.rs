//! The guide is a book, and what it says is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use expect_test::expect;
use kokoro_guide::{Block, Chapter, Kind, Mismatch, Programs, Session, Step, chapters, folder, workspace};
use mdbook_driver::MDBook;

/// What Planets (plugins) are built for.
const TARGET: &str = "wasm32-wasip2";

#[test]
fn every_block_says_what_becomes_of_it() {
    let mut counts = BTreeMap::new();
    for block in chapters().unwrap().iter().flat_map(Chapter::blocks) {
        *counts.entry(block.kind.name()).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    expect!["change 10, console 43, file 25, live 2, sh 10, shown 28, text 3"].assert_eq(&counts.join(", "));
}

#[test]
fn the_book_can_be_built() {
    let target = tempfile::tempdir().unwrap();
    let mut book = MDBook::load(folder()).unwrap();
    book.config.build.build_dir = target.path().to_owned();
    book.build().unwrap();
    for chapter in chapters().unwrap().iter().filter(|chapter| chapter.name() != "README") {
        let page = target.path().join(chapter.name()).with_extension("html");
        let html = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let blocks = html.matches("<pre><code class=\"language-").count();
        assert_eq!(blocks, chapter.blocks().count(), "{}", chapter.file);
        assert!(!html.contains("class=\"boring\""), "{} has lines that readers do not see", chapter.file);
    }
}

/// What is not in the book is linked to by its place in the repository: a book has no files beside it.
#[test]
fn links_lead_somewhere() {
    const REPOSITORY: &str = "https://github.com/BERADQ/kokoro-rs/blob/main/";
    for chapter in chapters().unwrap() {
        let own = workspace().join(&chapter.file);
        for link in links(&fs::read_to_string(&own).unwrap()) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match path.strip_prefix(REPOSITORY) {
                Some(path) => workspace().join(path),
                None if path.contains("://") => continue,
                None if path.is_empty() => own.clone(),
                None => own.with_file_name("").join(path),
            };
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {link}: {error}", chapter.file));
            let has_anchor = anchor.is_empty() || headings(&text).any(|heading| heading == anchor);
            assert!(has_anchor, "{} links to {link}, and there is no such heading", chapter.file);
        }
    }
}

fn links(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of the headings of a page.
fn headings(markdown: &str) -> impl Iterator<Item = String> {
    let titles = markdown
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    titles.map(|title| {
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    })
}

/// Whether the reader that this test is has done what the guide asks for before all else. Where rustup cannot, `cargo xtask` builds
/// Planets in a way that the guide does not describe.
fn has_target() -> Result<bool> {
    let cargo = std::env::var_os("CARGO").context("cargo has to run this")?;
    let rustc = Path::new(&cargo).with_file_name("rustc");
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    Ok(Path::new(String::from_utf8(output.stdout)?.trim_end()).is_dir())
}

/// With `KOKORO_GUIDE=CHAPTER` only that chapter, and what it continues. With `UPDATE_EXPECT=1` what commands print is written into the
/// guide.
#[test]
#[expect(clippy::print_stdout, reason = "whoever waits for it wants to know for what")]
fn what_the_guide_says_is_so() {
    if !has_target().unwrap() {
        println!("skipped: this Rust has no standard library for {TARGET} (`rustup target add {TARGET}`)");
        return;
    }
    let at = workspace().join("target/guide");
    let programs = Programs::prepare(&at.join("programs")).unwrap();
    let only = std::env::var("KOKORO_GUIDE").ok();
    let chapters = chapters().unwrap();
    let wanted = wanted(&chapters, only.as_deref());
    let mut sessions = BTreeMap::new();
    let mut failures = Vec::new();
    for chapter in chapters.iter().filter(|chapter| wanted.contains(&chapter.name())) {
        let began = Instant::now();
        if let Err(error) = run(chapter, &programs, &at.join("work"), &mut sessions) {
            failures.push(format!("{error:#}"));
        }
        println!("{}: {:.1} s", chapter.file, began.elapsed().as_secs_f64());
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn run<'a>(
    chapter: &Chapter,
    programs: &'a Programs,
    work: &Path,
    sessions: &mut BTreeMap<String, Session<'a>>,
) -> Result<()> {
    let mut session = match chapter.continues() {
        Some(before) => {
            sessions.remove(before).with_context(|| format!("`{before}` has to come before, and succeed"))?
        }
        None => Session::begin(programs, work, chapter.name())?,
    };
    session.go_on();
    let mut updates = Vec::new();
    for step in &chapter.steps {
        match step {
            Step::Given(project) => session.give(project)?,
            Step::Repository => session.clone_repository()?,
            Step::Continues(_) => {}
            Step::Block(block) => match session.run(block) {
                Err(error) if update() && error.is::<Mismatch>() => {
                    updates.push((block, error.downcast::<Mismatch>()?.instead));
                }
                result => result.with_context(|| format!("{}:{}", chapter.file, block.line))?,
            },
        }
    }
    rewrite(chapter, &updates)?;
    sessions.insert(chapter.name().to_owned(), session);
    Ok(())
}

/// Puts what was printed in the place of what was shown.
fn rewrite(chapter: &Chapter, updates: &[(&Block, String)]) -> Result<()> {
    let file = workspace().join(&chapter.file);
    let text = fs::read_to_string(&file)?;
    let mut lines: Vec<&str> = text.lines().collect();
    for (block, instead) in updates.iter().rev() {
        let begin = block.line - 1;
        lines.splice(begin..begin + block.text.lines().count(), instead.lines());
    }
    if !updates.is_empty() {
        fs::write(&file, lines.join("\n") + "\n")?;
    }
    Ok(())
}

/// A reader's Cargo.toml and the one that is compiled have the same dependencies.
#[test]
fn projects_have_the_dependencies_that_the_guide_says() {
    let all = chapters().unwrap();
    let mut checked = 0;
    for block in all.iter().flat_map(Chapter::blocks) {
        let Kind::File(path) = &block.kind else { continue };
        let Ok(manifest) = fs::read_to_string(folder().join("projects").join(path)) else { continue };
        if path.ends_with("/Cargo.toml") {
            assert_eq!(dependencies(&block.text), dependencies(&manifest), "{path}");
            checked += 1;
        }
    }
    assert_eq!(checked, folder().join("projects").read_dir().unwrap().count());
}

/// The names of a Cargo.toml's dependencies, with the tables that they are in.
fn dependencies(manifest: &str) -> BTreeSet<(String, String)> {
    let mut table = "";
    let mut dependencies = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        } else if let Some((name, _)) = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_once(['.', ' ', '='])
            .filter(|_| table.ends_with("dependencies]"))
        {
            dependencies.insert((table.to_owned(), name.to_owned()));
        }
    }
    dependencies
}

/// The chapter that is asked for and those before it, or all.
fn wanted<'a>(chapters: &'a [Chapter], only: Option<&'a str>) -> Vec<&'a str> {
    let Some(only) = only else { return chapters.iter().map(Chapter::name).collect() };
    let mut wanted = vec![only];
    while let Some(before) =
        chapters.iter().find(|chapter| Some(&chapter.name()) == wanted.last()).and_then(Chapter::continues)
    {
        wanted.push(before);
    }
    wanted
}

fn update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}
