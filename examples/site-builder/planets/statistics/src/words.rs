//! What is a word.

/// How many words a Markdown text has: code and front matter do not count, nor does what is only punctuation.
pub(crate) fn count(text: &str) -> usize {
    let mut lines = text.lines().peekable();
    if lines.peek() == Some(&"---") {
        lines.next();
        lines.by_ref().find(|line| *line == "---");
    }
    let mut words = 0;
    let mut fence: Option<&str> = None;
    for line in lines.map(str::trim_start) {
        match fence {
            Some(mark) if line.starts_with(mark) => fence = None,
            Some(_) => {}
            None => {
                fence = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
                if fence.is_none() {
                    words += line.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
                }
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_are_what_people_read() {
        for (text, words) in [
            ("", 0),
            ("# Hello & `<world>`\n\nRead *this*.", 4),
            ("---\ntitle: no words\n---\none two", 2),
            ("one\n```rust\nlet x = 1;\n```\ntwo\n~~~\n```\n~~~\nthree", 3),
            ("| - | - |", 0),
        ] {
            assert_eq!(count(text), words, "{text}");
        }
    }
}
