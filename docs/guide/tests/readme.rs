//! README.md and README.zh-CN.md are kept in step.

use std::fs;

use kokoro_guide::workspace;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What two translations have in common.
#[derive(Debug, Default, PartialEq)]
struct Structure {
    /// Headings, paragraphs, items and rows, in order; each with the links and the code in it, sorted, as languages order them otherwise.
    parts: Vec<(String, Vec<String>)>,
    /// The code blocks with what becomes of them, and without comments.
    blocks: Vec<String>,
}

impl Structure {
    fn of(markdown: &str) -> Self {
        let mut structure = Self::default();
        let mut is_code = false;
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level, .. }) => structure.begin(&level.to_string()),
                Event::Start(Tag::Paragraph) => structure.begin("paragraph"),
                Event::Start(Tag::Item) => structure.begin("item"),
                Event::Start(Tag::TableCell) => structure.begin("cell"),
                Event::Start(Tag::Link { dest_url, .. }) => structure.note(&dest_url),
                Event::Code(code) => structure.note(&format!("`{code}`")),
                Event::Start(Tag::CodeBlock(kind)) => {
                    is_code = true;
                    structure.blocks.push(format!("{kind:?}\n"));
                }
                Event::End(TagEnd::CodeBlock) => is_code = false,
                Event::Text(text) if is_code => {
                    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                    let last = structure.blocks.last_mut().expect("a block has begun");
                    lines.for_each(|line| *last += &format!("{line}\n"));
                }
                _ => {}
            }
        }
        structure.parts.iter_mut().for_each(|(_, notes)| notes.sort());
        structure
    }

    fn begin(&mut self, kind: &str) {
        self.parts.push((kind.to_owned(), Vec::new()));
    }

    fn note(&mut self, text: &str) {
        // Each links to the other at its top.
        if !matches!(text, "README.md" | "README.zh-CN.md") {
            self.parts.last_mut().expect("no text is outside of a part").1.push(text.to_owned());
        }
    }
}

#[test]
fn the_translation_says_the_same_in_the_same_order() {
    let read = |file: &str| fs::read_to_string(workspace().join(file)).unwrap();
    let (english, chinese) = (Structure::of(&read("README.md")), Structure::of(&read("README.zh-CN.md")));
    for (english, chinese) in english.parts.iter().zip(&chinese.parts) {
        assert_eq!(english, chinese, "README.md and README.zh-CN.md differ here");
    }
    for (english, chinese) in english.blocks.iter().zip(&chinese.blocks) {
        assert_eq!(english, chinese, "README.md and README.zh-CN.md differ in a block");
    }
    assert_eq!(english, chinese);
}

#[test]
fn what_is_left_out_or_changed_in_a_translation_is_found() {
    let english = "# A\n\nOne [link](b) and `code`.\n\n- an item\n\n```sh\nls # all\n```\n";
    let same = "# 甲\n\n`code` 和[链接](b)。\n\n- 一项\n\n```sh\nls # all\n```\n";
    assert_eq!(Structure::of(english), Structure::of(same));
    for (from, to) in [("(b)", "(c)"), ("`code`", "`kode`"), ("- 一项\n", ""), ("# 甲", "## 甲"), ("ls", "ls -a")] {
        assert_ne!(Structure::of(english), Structure::of(&same.replace(from, to)), "{to}");
    }
}
