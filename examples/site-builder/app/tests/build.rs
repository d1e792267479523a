//! The site builder builds sites.

mod common;

use common::{Outcome, Site, program};
use std::process::{Command, Stdio};

#[track_caller]
fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
}

#[test]
fn a_site_is_built_with_all_planets() {
    let site = Site::without(&[]);
    let outcome = Outcome::of(site.command(&site.output()).args(["--allow-satellite", "images"]));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(
        &outcome.stdout,
        &["README.md -> index.html", "backlinks", "highlight", "images", "markdown", "outline", "page"],
    );
    assert_eq!(outcome.stdout.contains("Missing"), cfg!(not(unix)), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "warning: README.md: the link to `gone.md` leads nowhere\n");

    let home = site.page("index.html");
    assert_contains(
        &home,
        &[
            "<title>Hello &amp; &lt;world&gt;</title>",
            "<html lang=\"en\">",
            "<h1 id=\"hello--world\">",
            "href=\"guide/index.html\">guide</a>",
            "href=\"guide/second-part.html#what-comes-then\">second part</a>",
            "href=\"code/index.html\">code</a>",
            "href=\"https://example.org/README.md\"",
            "href=\"gone.md\"",
            "src=\"pictures/dot.svg\"",
            "<span class=\"hl-comment\">// A comment.</span>",
            "<code class=\"language-nonsense\">a &lt; b\n</code>",
            "<h2 id=\"some-code\">",
            "<h2 id=\"some-code-1\">",
            "<a href=\"#some-code-1\">Some code</a>",
            "<del>yet</del>",
            "type=\"checkbox\"",
            "<li id=\"note:1\">",
        ],
    );
    let second = site.page("guide/second-part.html");
    assert_contains(
        &second,
        &[
            "<h2 id=\"what-comes-then\">",
            "href=\"index.html#the-guide\"",
            "href=\"../site-builder.css\"",
            "aria-current=\"page\">Second part</a>",
            "Mentioned on",
        ],
    );
    assert_contains(&site.page("guide/no_heading.html"), &["<h1>No heading</h1>", "<b>without</b>"]);
    assert_contains(
        &site.page("code/index.html"),
        &["<h1 id=\"code\">", "href=\"main.rs\"", "href=\"more/index.html\""],
    );
    assert_contains(&site.page("site-builder.css"), &["prefers-color-scheme", ".hl-keyword"]);
    assert!(site.output().join("pictures/dot.svg").is_file());
    assert!(!site.output().join("target").exists());
}

#[test]
fn without_highlight_there_are_no_colours_and_the_report_says_so() {
    let site = Site::without(&["highlight", "backlinks"]);
    let outcome = site.build();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(
        &outcome.stdout,
        &["Missing", "site:content/highlight@0.1.0", "site:build/backlinks@0.1.0", "page went on without"],
    );
    let home = site.page("index.html");
    assert_contains(&home, &["<code class=\"language-rust\">// A comment."]);
    assert!(!home.contains("hl-") && !site.page("site-builder.css").contains("hl-"));
    assert!(!site.page("guide/second-part.html").contains("Mentioned on"));
}

#[test]
fn without_markdown_there_is_no_site_and_the_error_says_why() {
    let site = Site::without(&["markdown"]);
    let outcome = site.build();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_contains(&outcome.stderr, &["error: no pages can be made", "page", "site:content/markdown@0.1.0"]);
    assert_contains(&outcome.stdout, &["highlight", "outline is waiting"]);
    assert!(!site.output().join("index.html").exists());
}

#[test]
fn a_file_that_is_not_utf_8_is_an_error_and_the_others_are_built() {
    let site = Site::without(&[]);
    site.add("guide/latin.md", b"# Caf\xe9\n");
    let outcome = site.build();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_contains(&outcome.stderr, &["error: guide/latin.md: not UTF-8 (byte 5)"]);
    assert!(site.output().join("guide/second-part.html").exists());
    assert!(!site.output().join("guide/latin.html").exists());
}

#[test]
fn a_command_line_that_cannot_be_understood_is_code_2() {
    assert_eq!(Outcome::of(program().arg("build")).code, Some(2));
    let arguments = ["build", "--planets", "none", "--input", ".", "--output", "none"];
    let outcome = Outcome::of(program().args(arguments));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_eq!(outcome.stderr, "error: --planets: `none` is not a folder\n");
}

#[test]
fn pages_do_not_go_where_the_markdown_is() {
    let site = Site::without(&[]);
    for output in [site.input(), site.input().parent().unwrap().to_owned(), site.input().join("guide/..")] {
        let outcome = site.build_to(&output);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert_contains(&outcome.stderr, &["error: --output: the Markdown is in `"]);
    }
    assert!(!site.input().join("site-builder.css").exists());
    assert_eq!(site.build_to(&site.input().join("pages")).code, Some(0));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_and_no_folder_is_left_out_with_a_warning() {
    let site = Site::without(&[]);
    assert!(Command::new("mkfifo").arg(site.input().join("pipe.md")).status().unwrap().success());
    std::os::unix::net::UnixListener::bind(site.input().join("socket")).unwrap();
    std::os::unix::fs::symlink("nowhere", site.input().join("link.md")).unwrap();
    let outcome = site.build();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(
        &outcome.stderr,
        &[
            "warning: pipe.md: left out, since it is no file and no folder\n",
            "warning: socket: left out, since it is no file and no folder\n",
            "warning: link.md: left out, since it is a link that leads nowhere\n",
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_changes_nothing_and_a_full_disk_is_an_error() {
    let site = Site::without(&[]);
    let mut child = site.command(&site.output()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let outcome = child.wait_with_output().unwrap();
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    assert!(!String::from_utf8_lossy(&outcome.stderr).contains("panicked"), "{outcome:?}");
    assert!(site.output().join("guide/second-part.html").is_file());

    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let outcome = site.command(&site.output()).stdout(full).output().unwrap();
        assert_eq!(outcome.status.code(), Some(1), "{outcome:?}");
        assert_contains(&String::from_utf8_lossy(&outcome.stderr), &["error: standard output: "]);
    }
}

#[test]
fn what_planets_say_has_colours_on_a_terminal_only() {
    let site = Site::without(&[]);
    let outcome = site.command(&site.output()).env("RUST_LOG", "trace").output().unwrap();
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    assert!(stderr.len() > 200 && !stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn titles_from_texts_cannot_bring_markup_into_pages() {
    let site = Site::without(&[]);
    site.add("evil.md", b"# `</title><script>alert(1)</script>`\n\n## `<script>`\n\n## `\"onclick=\"`\n");
    assert_eq!(site.build().code, Some(0));
    for page in ["evil.html", "index.html"] {
        assert!(!site.page(page).contains("<script"), "{}", site.page(page));
    }
}
