//! What is wrong with text that is no WAVE, in the words of someone who types values.

use kokoro_host::dynamic::wave::parser::{ParserError, ParserErrorKind};

use crate::mismatch::Mismatch;

/// Says what keeps `text` from being a call; `error` is what WAVE's parser says.
pub(crate) fn explain(text: &str, error: &ParserError) -> Mismatch {
    let place =
        (0..=error.span().start.min(text.len())).rfind(|place| text.is_char_boundary(*place)).unwrap_or_default();
    let rest = &text[place..];
    let at = |place: usize, problem: String| Mismatch { place, problem };
    match error.kind() {
        ParserErrorKind::UnexpectedEnd => at(text.trim_end().len(), missing_end(text)),
        ParserErrorKind::InvalidToken if rest.starts_with('"') => broken_string(text, place),
        ParserErrorKind::InvalidToken if rest.starts_with('\'') => at(
            place,
            "single quotes hold exactly one character, as in 'a'; strings stand in double quotes, as in \"text\""
                .into(),
        ),
        ParserErrorKind::InvalidToken | ParserErrorKind::UnexpectedToken => unexpected(text, place),
        ParserErrorKind::TrailingCharacters => at(place, "the call ends before this".into()),
        ParserErrorKind::EmptyTuple => at(place, "here a value is missing: no value is written `()`".into()),
        ParserErrorKind::DuplicateField => at(place, format!("the field `{}` is given twice", word(rest))),
        ParserErrorKind::DuplicateFlag => at(place, format!("the flag `{}` is given twice", word(rest))),
        ParserErrorKind::NestingTooDeep => at(place, "values are nested too deep here".into()),
        kind => at(place, error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))),
    }
}

/// What is still open at the end of the text.
fn missing_end(text: &str) -> String {
    let mut open = Vec::new();
    let mut place = 0;
    while let Some(c) = text[place..].chars().next() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
        place = match c {
            '"' => string_end(text, place).unwrap_or(text.len()),
            c => place + c.len_utf8(),
        };
    }
    match open.last() {
        Some(closing) => format!("here `{closing}` is missing"),
        None => "here the call ends too early".into(),
    }
}

/// Where the string that begins at `start` ends, or what is wrong with it.
fn string_end(text: &str, start: usize) -> Result<usize, Mismatch> {
    let wrong = |place, problem: &str| Err(Mismatch { place, problem: problem.into() });
    let mut rest = text[start..].char_indices().skip(1).map(|(offset, c)| (start + offset, c));
    while let Some((place, c)) = rest.next() {
        match c {
            '"' => return Ok(place + 1),
            '\n' => {
                return wrong(place, "a string ends on the line where it begins; a line break in it is written `\\n`");
            }
            '\\' => match rest.next() {
                Some((_, '\\' | '"' | '\'' | 'n' | 'r' | 't' | 'u')) => {}
                _ => {
                    return wrong(
                        place,
                        r#"what follows `\` has to be one of `n`, `r`, `t`, `"`, `'`, `\` and `u{..}`"#,
                    );
                }
            },
            _ => {}
        }
    }
    wrong(start, "here begins a string that has no closing `\"`")
}

fn broken_string(text: &str, start: usize) -> Mismatch {
    let problem =
        "this string cannot be read; `\\u` is followed by hexadecimal digits in braces, as in `\\u{e9}`".into();
    string_end(text, start).err().unwrap_or(Mismatch { place: start, problem })
}

/// Something that stands where it cannot.
fn unexpected(text: &str, place: usize) -> Mismatch {
    let rest = &text[place..];
    let before = text[..place].trim_end();
    // The parser may have taken a part of a word for a value, as the `A` of `Ada`.
    let start =
        text[..place].rfind(is_boundary).map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    let whole = word(&text[start..]);
    let follows_value = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '\'' | ')' | ']' | '}'));
    let problem = match rest.chars().next() {
        Some('"') if after_string(text, place).starts_with(':') => "names of fields stand without quotes".into(),
        Some('=') => "between a field and its value stands `:`, as in `{name: 1}`".into(),
        Some(c @ (',' | ')' | ']' | '}')) if before.ends_with([',', '(', '[', '{', ':']) => {
            format!("before this `{c}` a value is missing")
        }
        Some(c @ (',' | ')' | ']' | '}' | ':')) => format!("`{c}` does not belong here"),
        _ if whole.starts_with(|c: char| c.is_alphabetic()) && !(follows_value && start == place) => {
            let problem = format!("`{whole}` is no value; strings stand in double quotes, as in \"{whole}\"");
            return Mismatch { place: start, problem };
        }
        _ if whole.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) && start != place => {
            let problem = format!("`{whole}` is no value; numbers are written like 12, -1 and 0.5");
            return Mismatch { place: start, problem };
        }
        Some('"' | '\'' | '(' | '[' | '{') if follows_value => "here a comma is missing".into(),
        Some(c) if follows_value && c.is_alphabetic() => {
            "here a comma is missing; or, if it is all one string, double quotes around it".into()
        }
        Some(c) if follows_value && c.is_numeric() => "here a comma is missing".into(),
        _ if !whole.is_empty() => format!("`{whole}` is no value"),
        Some(c) => format!("`{c}` does not belong here"),
        None => "here a value is missing".into(),
    };
    Mismatch { place, problem }
}

fn after_string(text: &str, start: usize) -> &str {
    string_end(text, start).ok().and_then(|end| text.get(end..)).unwrap_or_default().trim_start()
}

/// Whether words end at `c`.
fn is_boundary(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' | '"' | '\'' | '=')
}

fn word(text: &str) -> &str {
    text.split(is_boundary).next().unwrap_or_default()
}
