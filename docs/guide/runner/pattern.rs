//! What a command prints, beside what the guide says that it prints.

/// Stands for any text in a line, and alone in a line for any lines.
const ANYTHING: &str = "..";

/// Whether the lines of `text` are those of `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<_> = pattern.trim_end().lines().map(str::trim_end).collect();
    let text: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
    lines(&pattern, &text)
}

fn lines(pattern: &[&str], text: &[&str]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [first, rest @ ..] if first.trim() == ANYTHING => (0..=text.len()).any(|skipped| lines(rest, &text[skipped..])),
        [first, rest @ ..] => text.first().is_some_and(|line| line_matches(first, line)) && lines(rest, &text[1..]),
    }
}

/// Whether a line has the parts of `pattern` between [`ANYTHING`], one behind the other.
fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once(ANYTHING) else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    // Each part is looked for as early as possible, but the last, which has to be the end.
    let (middle, end) = rest.rsplit_once(ANYTHING).unwrap_or(("", rest));
    let Some(mut line) = line.strip_suffix(end) else { return false };
    for part in middle.split(ANYTHING) {
        match line.find(part) {
            Some(at) => line = &line[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether `text` has the lines of `excerpt`, however both are indented. A line `// ..`, or `# ..`, stands for any lines.
pub(crate) fn shows(text: &str, excerpt: &str) -> bool {
    fn trimmed(text: &str) -> Vec<&str> {
        text.trim().lines().map(str::trim).collect()
    }
    let text = trimmed(text);
    let excerpt = trimmed(excerpt);
    let mut rest = &text[..];
    for part in excerpt.split(|line| matches!(*line, "// .." | "# .." | "..")) {
        if part.is_empty() {
            continue;
        }
        match rest.windows(part.len()).position(|window| window == part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_anything_in_a_line() {
        assert!(matches("built hello in ..", "built hello in 3.1 s\n"));
        assert!(matches("sha256 .. of ..", "sha256 abc of it"));
        assert!(matches("a .. c .. e", "a b c d e"));
        assert!(!matches("a .. c .. e", "a b d e"));
        assert!(!matches("built hello in ..", "built other in 3.1 s"));
        assert!(!matches("built ..\n", "built a\nbuilt b"));
        assert!(!matches("aa..aa", "aaa"));
    }

    #[test]
    fn dots_alone_stand_for_any_lines() {
        assert!(matches("a\n..\nd", "a\nb\nc\nd"));
        assert!(matches("..\nd", "d"));
        assert!(matches("a\n..", "a\n"));
        assert!(!matches("a\n..\nd", "a\nb\n"));
    }

    #[test]
    fn an_excerpt_is_lines_one_below_the_other() {
        let text = "mod a {\n    fn b() {\n        c();\n    }\n}\n";
        assert!(shows(text, "fn b() {\n    c();\n}\n"));
        assert!(shows(text, "mod a {\n// ..\nc();\n"));
        assert!(!shows(text, "mod a {\nc();\n"));
        assert!(!shows(text, "c();\n// ..\nmod a {\n"));
    }
}
