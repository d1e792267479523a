//! Languages that are simple enough to be coloured word by word, and that syntect has no grammar for.

use crate::colour::{Colour, Spans};

pub(crate) struct Language {
    names: &'static [&'static str],
    line_comment: &'static str,
    block_comment: Option<(&'static str, &'static str)>,
    quotes: &'static [char],
    /// What a word may contain apart from letters, digits and `_`.
    in_words: &'static [char],
    keywords: &'static [&'static str],
    types: &'static [&'static str],
    constants: &'static [&'static str],
    /// What follows a name that is being given a meaning: `=` in TOML, `:` and a blank in WIT.
    after_names: Option<char>,
    /// Whether a line that begins with `[` is a title.
    sections: bool,
}

const LANGUAGES: &[Language] = &[
    Language {
        names: &["toml", "ini", "cfg", "conf"],
        line_comment: "#",
        block_comment: None,
        quotes: &['"', '\''],
        in_words: &['-', '.'],
        keywords: &[],
        types: &[],
        constants: &["true", "false", "inf", "nan"],
        after_names: Some('='),
        sections: true,
    },
    Language {
        names: &["wit"],
        line_comment: "//",
        block_comment: Some(("/*", "*/")),
        quotes: &[],
        in_words: &['-', '%'],
        keywords: &[
            "as",
            "async",
            "constructor",
            "enum",
            "export",
            "flags",
            "from",
            "func",
            "import",
            "include",
            "interface",
            "package",
            "record",
            "resource",
            "static",
            "type",
            "use",
            "variant",
            "with",
            "world",
        ],
        types: &[
            "bool",
            "borrow",
            "char",
            "error-context",
            "f32",
            "f64",
            "future",
            "list",
            "map",
            "option",
            "own",
            "result",
            "s16",
            "s32",
            "s64",
            "s8",
            "stream",
            "string",
            "tuple",
            "u16",
            "u32",
            "u64",
            "u8",
        ],
        constants: &[],
        after_names: Some(':'),
        sections: false,
    },
    Language {
        names: &["wat", "wast"],
        line_comment: ";;",
        block_comment: Some(("(;", ";)")),
        quotes: &['"'],
        in_words: &['-', '.', '$', '/'],
        keywords: &[
            "alias",
            "canon",
            "component",
            "core",
            "data",
            "elem",
            "export",
            "func",
            "global",
            "import",
            "instance",
            "instantiate",
            "lift",
            "local",
            "lower",
            "memory",
            "module",
            "mut",
            "param",
            "realloc",
            "result",
            "start",
            "table",
            "type",
            "with",
        ],
        types: &[
            "bool", "char", "f32", "f64", "funcref", "i32", "i64", "list", "option", "record", "s32", "s64", "string",
            "u16", "u32", "u64", "u8", "v128",
        ],
        constants: &[],
        after_names: None,
        sections: false,
    },
];

/// The language of that name.
pub(crate) fn language(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Adds `code` to `spans`.
pub(crate) fn colour(language: &Language, code: &str, spans: &mut Spans) {
    let mut rest = code;
    let mut line_begins = true;
    while let Some(first) = rest.chars().next() {
        let (colour, length) = next(language, rest, first, line_begins);
        let (piece, after) = rest.split_at(length);
        spans.add(colour, piece);
        line_begins = piece.ends_with('\n') || (line_begins && piece.trim().is_empty());
        rest = after;
    }
}

/// The colour and length of the piece that `code` begins with.
fn next(language: &Language, code: &str, first: char, line_begins: bool) -> (Option<Colour>, usize) {
    let until = |end: &str, from: usize| code[from..].find(end).map_or(code.len(), |at| from + at + end.len());
    let line = code.find('\n').unwrap_or(code.len());
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || language.in_words.contains(&c);
    if code.starts_with(language.line_comment) {
        (Some(Colour::Comment), line)
    } else if let Some((start, end)) = language.block_comment.filter(|(start, _)| code.starts_with(start)) {
        (Some(Colour::Comment), until(end, start.len()))
    } else if language.sections && line_begins && first == '[' {
        (Some(Colour::Type), code[..line].find('#').unwrap_or(line))
    } else if language.quotes.contains(&first) {
        let triple = &[first; 3].iter().collect::<String>();
        let length = if code.starts_with(triple) { until(triple, 3) } else { string(&code[..line], first) };
        (Some(Colour::Text), length)
    } else if in_word(first) {
        let length = code.find(|c| !in_word(c)).unwrap_or(code.len());
        (word(language, &code[..length], &code[length..]), length)
    } else {
        (None, first.len_utf8())
    }
}

/// The length of the string that the line begins with.
fn string(line: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    line.len()
}

fn word(language: &Language, word: &str, after: &str) -> Option<Colour> {
    let is_name = || {
        let after = after.trim_start_matches([' ', '\t', '"']);
        let after = language.after_names.and_then(|mark| after.strip_prefix(mark));
        after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()) || language.sections)
    };
    if language.constants.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        Some(Colour::Constant)
    } else if language.keywords.contains(&word) && !is_name() {
        Some(Colour::Keyword)
    } else if word.starts_with('$') || is_name() {
        Some(Colour::Attribute)
    } else if language.types.contains(&word) {
        Some(Colour::Type)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(name: &str, code: &str) -> String {
        let mut spans = Spans::default();
        colour(language(name).unwrap(), code, &mut spans);
        spans.into_html()
    }

    #[test]
    fn toml_is_coloured() {
        assert_eq!(
            html("TOML", "[a.b] # c\nkey-1 = \"v\\\"#\" # d\nn = [1, true]\n"),
            "<span class=\"hl-type\">[a.b]</span> <span class=\"hl-comment\"># c</span>\n\
             <span class=\"hl-attribute\">key-1</span> = <span class=\"hl-string\">\"v\\\"#\"</span> \
             <span class=\"hl-comment\"># d</span>\n\
             <span class=\"hl-attribute\">n</span> = [<span class=\"hl-constant\">1</span>, \
             <span class=\"hl-constant\">true</span>]\n"
        );
    }

    #[test]
    fn wit_is_coloured() {
        let html = html("wit", "/// A < B\ninterface i {\n  list: func(a: list<u8>) -> string;\n}");
        for expected in [
            "<span class=\"hl-comment\">/// A &lt; B</span>",
            "<span class=\"hl-keyword\">interface</span> i",
            "<span class=\"hl-keyword\">func</span>(<span class=\"hl-attribute\">a</span>",
            "<span class=\"hl-type\">u8</span>",
        ] {
            assert!(html.contains(expected), "{expected} is missing in {html}");
        }
    }

    #[test]
    fn the_colon_of_a_package_names_nothing() {
        let package = "<span class=\"hl-keyword\">package</span> a:b;";
        assert_eq!(html("wit", "package a:b;"), package);
    }

    #[test]
    fn unfinished_code_ends_with_the_text() {
        assert_eq!(html("wat", "\"abc"), "<span class=\"hl-string\">\"abc</span>");
        assert_eq!(html("wit", "/* é"), "<span class=\"hl-comment\">/* é</span>");
        assert_eq!(html("toml", "\"\"\"a"), "<span class=\"hl-string\">\"\"\"a</span>");
        assert_eq!(html("toml", "[é"), "<span class=\"hl-type\">[é</span>");
    }
}
