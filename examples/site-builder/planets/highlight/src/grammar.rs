//! Languages with a grammar of Sublime Text's, which syntect brings along.

use crate::colour::{Colour, Spans};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

pub(crate) struct Grammars {
    syntaxes: SyntaxSet,
    colours: Vec<(Scope, Option<Colour>)>,
}

/// What the scopes of a grammar look like. The longest that fits the innermost scope decides.
const COLOURS: &[(&str, Option<Colour>)] = &[
    ("comment", Some(Colour::Comment)),
    ("string", Some(Colour::Text)),
    ("constant", Some(Colour::Constant)),
    ("constant.character.escape", Some(Colour::Constant)),
    ("keyword", Some(Colour::Keyword)),
    ("keyword.operator", None),
    ("keyword.operator.word", Some(Colour::Keyword)),
    ("storage", Some(Colour::Keyword)),
    ("variable.language", Some(Colour::Keyword)),
    ("variable.other.constant", Some(Colour::Constant)),
    ("variable.function", Some(Colour::Function)),
    ("variable.annotation", Some(Colour::Attribute)),
    ("support.function", Some(Colour::Function)),
    ("support.macro", Some(Colour::Function)),
    ("support.type", Some(Colour::Type)),
    ("support.class", Some(Colour::Type)),
    ("entity.name.function", Some(Colour::Function)),
    ("entity.name.type", Some(Colour::Type)),
    ("entity.name.class", Some(Colour::Type)),
    ("entity.name.struct", Some(Colour::Type)),
    ("entity.name.enum", Some(Colour::Type)),
    ("entity.name.trait", Some(Colour::Type)),
    ("entity.name.impl", Some(Colour::Type)),
    ("entity.name.module", Some(Colour::Type)),
    ("entity.name.macro", Some(Colour::Function)),
    ("entity.name.tag", Some(Colour::Keyword)),
    ("entity.name.constant", Some(Colour::Constant)),
    ("entity.other.attribute-name", Some(Colour::Attribute)),
    ("entity.other.inherited-class", Some(Colour::Type)),
    ("storage.type", Some(Colour::Type)),
    ("storage.type.function", Some(Colour::Keyword)),
    ("storage.type.struct", Some(Colour::Keyword)),
    ("storage.type.enum", Some(Colour::Keyword)),
    ("storage.type.trait", Some(Colour::Keyword)),
    ("storage.type.impl", Some(Colour::Keyword)),
    ("storage.type.module", Some(Colour::Keyword)),
    ("storage.type.class", Some(Colour::Keyword)),
    ("storage.type.type", Some(Colour::Keyword)),
    ("meta.annotation", Some(Colour::Attribute)),
    ("meta.mapping.key", Some(Colour::Attribute)),
    ("markup.deleted", Some(Colour::Deleted)),
    ("markup.inserted", Some(Colour::Inserted)),
    ("markup.heading", Some(Colour::Keyword)),
    ("meta.diff", Some(Colour::Comment)),
];

/// Names that authors use and syntect does not know.
const ALIASES: &[(&str, &str)] = &[
    ("bash", "sh"),
    ("shell", "sh"),
    ("zsh", "sh"),
    ("jsonc", "json"),
    ("json5", "json"),
    ("jsx", "js"),
    ("mjs", "js"),
    ("ts", "js"),
    ("tsx", "js"),
    ("typescript", "js"),
    ("c++", "cpp"),
    ("csharp", "cs"),
    ("golang", "go"),
    ("patch", "diff"),
    ("yml", "yaml"),
];

/// What people call that which they see in a terminal: commands behind a prompt, and what came of them.
const SESSIONS: &[&str] = &["console", "shell-session", "shellsession"];

const PROMPTS: &[&str] = &["$ ", "# "];

impl Grammars {
    pub(crate) fn unpack() -> Self {
        let colours = COLOURS.iter().filter_map(|(name, colour)| Some((Scope::new(name).ok()?, *colour))).collect();
        Self { syntaxes: SyntaxSet::load_defaults_newlines(), colours }
    }

    /// Adds `code` to `spans`; false if there is no such language.
    pub(crate) fn colour(&self, language: &str, code: &str, spans: &mut Spans) -> Result<bool, String> {
        let language = language.to_lowercase();
        if SESSIONS.contains(&&*language) {
            return self.colour_session(code, spans);
        }
        let token = ALIASES.iter().find(|(alias, _)| *alias == language).map_or(&*language, |(_, token)| token);
        let Some(syntax) = self.syntaxes.find_syntax_by_token(token).filter(|syntax| syntax.name != "Plain Text")
        else {
            return Ok(false);
        };
        let mut state = ParseState::new(syntax);
        let mut stack = ScopeStack::new();
        for line in code.split_inclusive('\n') {
            let changes = state.parse_line(line, &self.syntaxes).map_err(|error| error.to_string())?;
            let mut done = 0;
            for (at, change) in changes {
                spans.add(self.colour_of(&stack, &line[done..at]), &line[done..at]);
                done = at;
                stack.apply(&change).map_err(|error| error.to_string())?;
            }
            spans.add(self.colour_of(&stack, &line[done..]), &line[done..]);
        }
        Ok(true)
    }

    /// Colours the commands alone. A line that ends with `\` goes on in the next one.
    fn colour_session(&self, code: &str, spans: &mut Spans) -> Result<bool, String> {
        let mut lines = code.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let Some(prompt) = PROMPTS.iter().find(|prompt| line.starts_with(**prompt)) else {
                spans.add(None, line);
                continue;
            };
            spans.add(None, prompt);
            let mut command = line[prompt.len()..].to_owned();
            while command.trim_end().ends_with('\\')
                && let Some(line) = lines.next()
            {
                command.push_str(line);
            }
            if !self.colour("sh", &command, spans)? {
                spans.add(None, &command);
            }
        }
        Ok(true)
    }

    /// The colour of the innermost scope that has one.
    fn colour_of(&self, stack: &ScopeStack, code: &str) -> Option<Colour> {
        let colour = stack.as_slice().iter().rev().find_map(|scope| {
            self.colours
                .iter()
                .filter(|(pattern, _)| pattern.is_prefix_of(*scope))
                .max_by_key(|(pattern, _)| pattern.len())
                .map(|(_, colour)| *colour)
        })?;
        // Many grammars have one scope for the types of a language and for the words that declare something.
        let declares =
            || matches!(code.trim(), "class" | "const" | "def" | "function" | "let" | "static" | "type" | "var");
        if colour == Some(Colour::Type) && declares() { Some(Colour::Keyword) } else { colour }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(language: &str, code: &str) -> Option<String> {
        let mut spans = Spans::default();
        Grammars::unpack().colour(language, code, &mut spans).unwrap().then(|| spans.into_html())
    }

    #[test]
    fn rust_is_coloured() {
        let html = colour("rust", "// Why.\npub fn f(x: &str) -> u32 { let y = \"<a>\".len() + 1 }\n").unwrap();
        for expected in [
            "<span class=\"hl-comment\">// Why.</span>",
            "<span class=\"hl-keyword\">pub fn</span>",
            "<span class=\"hl-function\">f</span>",
            "<span class=\"hl-string\">\"&lt;a&gt;\"</span>",
            "<span class=\"hl-constant\">1</span>",
            "<span class=\"hl-keyword\">let</span>",
            "<span class=\"hl-type\">u32</span>",
        ] {
            assert!(html.contains(expected), "{expected} is missing in {html}");
        }
    }

    #[test]
    fn aliases_are_known_and_other_languages_are_not() {
        for (alias, token) in ALIASES {
            assert!(colour(alias, "x").is_some(), "{alias} -> {token}");
        }
        assert_eq!(colour("nonsense", "x"), None);
        assert_eq!(colour("text", "x"), None);
    }

    #[test]
    fn of_a_session_the_commands_are_coloured_and_the_rest_is_plain() {
        let html = colour("console", "$ echo \"a\" \\\n    'b'\nif \"a\" then\n# true\n").unwrap();
        assert!(
            html.contains("$ <span") && html.contains("<span class=\"hl-string\">'b'</span>\nif \"a\" then\n# <span"),
            "{html}"
        );
    }

    #[test]
    fn nothing_is_lost() {
        lose_nothing("rs", "fn main() {\n    println!(\"a\\n{}\", 'b');\n}\n\nunfinished \"string\n/* comment");
        lose_nothing("console", "out\n$ echo \"a\\\n\n# b \\");
    }

    fn lose_nothing(language: &str, code: &str) {
        let html = colour(language, code).unwrap();
        let mut text = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(c),
                _ => {}
            }
        }
        assert_eq!(text, code);
    }
}
