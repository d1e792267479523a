//! A place in what was typed, shown with a mark below it.

use unicode_width::UnicodeWidthStr as _;

/// `problem`, the line of `text` that holds the byte `place`, and a mark below that byte.
pub(crate) fn pointed(text: &str, place: usize, problem: &str) -> String {
    // A place inside a character belongs to that character.
    let place = (0..=place.min(text.len())).rfind(|place| text.is_char_boundary(*place)).unwrap_or_default();
    let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    // What has no width of its own, or one that depends on the column, would move the mark.
    let plain = |part: &str| part.replace(char::is_control, " ");
    let column = plain(&text[start..place]).width();
    let gutter = if text.contains('\n') { format!("{} | ", text[..start].lines().count() + 1) } else { String::new() };
    let indent = " ".repeat(gutter.len() + column);
    format!("{problem}\n  {gutter}{}\n  {indent}^", plain(&text[start..end]).trim_end())
}

#[cfg(test)]
mod tests {
    use super::pointed;

    fn check(text: &str, at: &str, expected: &str) {
        let place = text.find(at).expect("a part of the text");
        assert_eq!(pointed(text, place, "it"), expected);
    }

    #[test]
    fn the_mark_stands_below_the_place() {
        check("a(1)", "1", "it\n  a(1)\n    ^");
        assert_eq!(pointed("a(1", 3, "it"), "it\n  a(1\n     ^");
    }

    #[test]
    fn of_several_lines_the_one_in_question_is_shown() {
        check("a({\n\tb: 1,\n  c: 2})", "1", "it\n  2 |  b: 1,\n          ^");
        check("a({\n", "\n", "it\n  1 | a({\n         ^");
    }

    #[test]
    fn characters_have_their_width() {
        check("a(\"é\", 1)", "1", "it\n  a(\"é\", 1)\n         ^");
        check("a(\"世界\", 1)", "1", "it\n  a(\"世界\", 1)\n            ^");
        assert_eq!(pointed("é", 1, "it"), "it\n  é\n  ^");
    }
}
