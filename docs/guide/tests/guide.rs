//! The guide is a book, and what it says is so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use expect_test::expect;
use kokoro_guide::{Block, Chapter, Mismatch, Programs, Session, Step, chapters, folder, workspace};
use mdbook_driver::MDBook;

#[test]
fn every_block_says_what_becomes_of_it() {
    let mut counts = BTreeMap::new();
    for block in chapters().unwrap().iter().flat_map(Chapter::blocks) {
        *counts.entry(block.kind.name()).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    expect!["change 6, console 8, file 8, sh 1"].assert_eq(&counts.join(", "));
}

#[test]
fn the_book_can_be_built() {
    let target = tempfile::tempdir().unwrap();
    let mut book = MDBook::load(folder()).unwrap();
    book.config.build.build_dir = target.path().to_owned();
    book.build().unwrap();
    for chapter in chapters().unwrap() {
        let page = target.path().join(&chapter.file).with_extension("html");
        let page = if chapter.file == "README.md" { page.with_file_name("index.html") } else { page };
        let html = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let blocks = html.matches("<pre><code class=\"language-").count();
        assert_eq!(blocks, chapter.blocks().count(), "{}", chapter.file);
        assert!(!html.contains("class=\"boring\""), "{} has lines that readers do not see", chapter.file);
    }
}

#[test]
fn links_lead_somewhere() {
    let source = folder().join("src");
    for chapter in chapters().unwrap() {
        let file = source.join(&chapter.file);
        for link in links(&fs::read_to_string(&file).unwrap()) {
            let path = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !path.is_empty() {
                assert!(source.join(path).exists(), "{} links to {link}, which is not there", chapter.file);
            }
        }
    }
}

fn links(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// With `KOKORO_GUIDE=CHAPTER` only that chapter, and what it continues. With `UPDATE_EXPECT=1` what commands print is written into the
/// guide.
#[test]
fn what_the_guide_says_is_so() {
    let at = workspace().join("target/guide");
    let programs = Programs::prepare(&at.join("programs")).unwrap();
    let only = std::env::var("KOKORO_GUIDE").ok();
    let chapters = chapters().unwrap();
    let wanted = wanted(&chapters, only.as_deref());
    let mut sessions = BTreeMap::new();
    let mut failures = Vec::new();
    for chapter in chapters.iter().filter(|chapter| wanted.contains(&stem(chapter))) {
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
    let before = chapter.steps.iter().find_map(|step| match step {
        Step::Continues(before) => Some(before),
        _ => None,
    });
    let mut session = match before {
        Some(before) => {
            sessions.remove(before).with_context(|| format!("`{before}` has to come before, and succeed"))?
        }
        None => Session::begin(programs, work, stem(chapter))?,
    };
    session.go_on();
    let mut updates = Vec::new();
    for step in &chapter.steps {
        let result = match step {
            Step::Given(project) => session.give(project),
            Step::Needs(program) if !exists(program) => {
                println!("{}: skipped, there is no `{program}`", chapter.file);
                return Ok(());
            }
            Step::Block(block) => match session.run(block) {
                Err(error) if update() && error.is::<Mismatch>() => {
                    updates.push((block, error.downcast::<Mismatch>()?.instead));
                    Ok(())
                }
                result => result.with_context(|| format!("docs/guide/src/{}:{}", chapter.file, block.line)),
            },
            Step::Continues(_) | Step::Needs(_) => Ok(()),
        };
        result?;
    }
    rewrite(chapter, &updates)?;
    sessions.insert(stem(chapter).to_owned(), session);
    Ok(())
}

/// Puts what was printed in the place of what was shown.
fn rewrite(chapter: &Chapter, updates: &[(&Block, String)]) -> Result<()> {
    let file = folder().join("src").join(&chapter.file);
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

/// The chapter that is asked for and those before it, or all.
fn wanted<'a>(chapters: &'a [Chapter], only: Option<&'a str>) -> Vec<&'a str> {
    let Some(only) = only else { return chapters.iter().map(stem).collect() };
    let mut wanted = vec![only];
    while let Some(chapter) = chapters.iter().find(|chapter| Some(&stem(chapter)) == wanted.last()) {
        let before = chapter.steps.iter().find_map(|step| match step {
            Step::Continues(before) => Some(before.as_str()),
            _ => None,
        });
        match before {
            Some(before) => wanted.push(before),
            None => break,
        }
    }
    wanted
}

fn stem(chapter: &Chapter) -> &str {
    chapter.file.trim_end_matches(".md")
}

fn update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
