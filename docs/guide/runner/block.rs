//! Chapters as sequences of steps.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// One page of the guide.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Its file, from the root of the repository on.
    pub file: String,
    /// What it has its readers do, in order.
    pub steps: Vec<Step>,
}

/// What a reader does, or what has been done already.
#[derive(Debug, Clone)]
pub enum Step {
    /// A code block.
    Block(Block),
    /// This project of `docs/guide/projects` is there.
    Given(String),
    /// The folder is the one that this chapter has left.
    Continues(String),
    /// A clone of this repository, named `kokoro`, is beside what the reader makes.
    Repository,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of the chapter that its first line is.
    pub line: usize,
    /// What becomes of it.
    pub kind: Kind,
    /// What is in it.
    pub text: String,
}

/// What becomes of a code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It becomes this file.
    File(String),
    /// It is a change of this file, as `diff` writes it.
    Change(String),
    /// It is to be seen in this file.
    Shown(String),
    /// It is commands, which succeed.
    Commands,
    /// It is commands with what they print; the last one ends with this exit code.
    Transcript(i32),
    /// It is a command that goes on until Ctrl-C, and what happens meanwhile.
    Live,
    /// It is to be read.
    Text,
}

impl Kind {
    /// What its blocks are counted as.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Change(_) => "change",
            Self::Shown(_) => "shown",
            Self::Commands => "sh",
            Self::Transcript(_) => "console",
            Self::Live => "live",
            Self::Text => "text",
        }
    }

    /// Reads what stands behind the fence.
    fn parse(info: &str) -> Result<Self> {
        let mut words = info.split(',').map(str::trim);
        let language = words.next().unwrap_or_default();
        let mut attributes = BTreeMap::new();
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                bail!("`{word}` is no attribute: these are file=, change=, shown=, exit= and until=");
            };
            ensure!(attributes.insert(name, value).is_none(), "`{name}` is given twice");
        }
        let kind = match (language, attributes.pop_first()) {
            ("sh", None) => Self::Commands,
            ("console", None) => Self::Transcript(0),
            ("console", Some(("exit", code))) => Self::Transcript(code.parse()?),
            ("console", Some(("until", "ctrl-c"))) => Self::Live,
            ("text", None) => Self::Text,
            ("diff", Some(("change", path))) => Self::Change(path.to_owned()),
            ("" | "sh" | "console" | "text" | "diff", _) => bail!("nothing is known to become of a block `{info}`"),
            (_, Some(("file", path))) => Self::File(path.to_owned()),
            (_, Some(("shown", path))) => Self::Shown(path.to_owned()),
            _ => bail!("a block `{info}` has to say `file=` or `shown=`"),
        };
        ensure!(attributes.is_empty(), "`{info}` has more attributes than one");
        Ok(kind)
    }
}

impl Chapter {
    /// Finds the steps of a chapter.
    ///
    /// # Errors
    ///
    /// A block or a comment does not say what becomes of it.
    pub fn parse(file: &str, markdown: &str) -> Result<Self> {
        let mut steps = Vec::new();
        let mut open: Option<Block> = None;
        for (event, range) in Parser::new(markdown).into_offset_iter() {
            let line = markdown[..range.start].lines().count().max(1);
            let place = || format!("{file}:{line}");
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let kind = Kind::parse(&info).map_err(|error| error.context(place()))?;
                    let line = markdown[..range.start].matches('\n').count() + 2;
                    open = Some(Block { line, kind, text: String::new() });
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                    bail!("{}: an indented block does not say what becomes of it", place())
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        block.text.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => steps.extend(open.take().map(Step::Block)),
                Event::Html(html) => {
                    steps.extend(directive(&html).map_err(|error| error.context(place()))?);
                }
                _ => {}
            }
        }
        Ok(Self { file: file.to_owned(), steps })
    }

    /// What it is called: the name of its file.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".md")
    }

    /// The chapter that has left the folder that this one is done in.
    #[must_use]
    pub fn continues(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match step {
            Step::Continues(before) => Some(before.as_str()),
            _ => None,
        })
    }

    /// Its code blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.steps.iter().filter_map(|step| match step {
            Step::Block(block) => Some(block),
            _ => None,
        })
    }
}

/// What a comment says, if it is one for us.
fn directive(html: &str) -> Result<Option<Step>> {
    let comment = html.trim().strip_prefix("<!-- guide:").and_then(|rest| rest.strip_suffix("-->"));
    let Some(comment) = comment else { return Ok(None) };
    match comment.split_whitespace().collect::<Vec<_>>()[..] {
        ["given", project] => Ok(Some(Step::Given(project.to_owned()))),
        ["continues", chapter] => Ok(Some(Step::Continues(chapter.to_owned()))),
        ["repository"] => Ok(Some(Step::Repository)),
        _ => bail!("`{}` is unknown: there are given, continues and repository", html.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(markdown: &str) -> String {
        format!("{:#}", Chapter::parse("page.md", markdown).expect_err("an error"))
    }

    #[test]
    fn blocks_have_their_kinds_and_lines() {
        let chapter = Chapter::parse(
            "page.md",
            "<!-- guide: given app -->\n\n# Title\n\n```rust,file=src/lib.rs\nfn a() {}\n```\n\n- item\n\n  ```console,exit=1\n  $ false\n  ```\n",
        )
        .unwrap();
        assert!(matches!(&chapter.steps[0], Step::Given(project) if project == "app"));
        let expected = [
            Block { line: 6, kind: Kind::File("src/lib.rs".to_owned()), text: "fn a() {}\n".to_owned() },
            Block { line: 12, kind: Kind::Transcript(1), text: "$ false\n".to_owned() },
        ];
        assert_eq!(chapter.blocks().cloned().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_block_that_does_not_say_what_becomes_of_it_is_an_error() {
        for info in
            ["", "rust", "rust,ignore", "toml", "sh,file=a", "text,exit=1", "diff", "diff,file=a", "rust,file=a,exit=1"]
        {
            let error = error(&format!("text\n\n```{info}\nx\n```\n"));
            assert!(error.starts_with("page.md:"), "{error}");
        }
        error("text\n\n    indented\n");
        error("<!-- guide: skip -->\n");
    }

    #[test]
    fn other_comments_are_nobodys_business() {
        assert!(Chapter::parse("page.md", "<!-- a note -->\n").unwrap().steps.is_empty());
    }
}
