//! Changes of files, as `diff` writes them.

use anyhow::{Result, bail, ensure};

/// Makes a change to a text. Lines that begin with `-` go, those with `+` come, those with a blank stay; `@@` begins another place.
pub(crate) fn apply(text: &str, change: &str) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    for hunk in hunks(change) {
        let old: Vec<_> = hunk.iter().filter(|line| !line.starts_with('+')).map(|line| rest(line)).collect();
        let new = hunk.iter().filter(|line| !line.starts_with('-')).map(|line| rest(line));
        ensure!(!old.is_empty(), "a change without a line that is there does not say where it belongs");
        let mut places = (0..).zip(lines.windows(old.len())).filter(|(_, window)| *window == old).map(|(at, _)| at);
        let (place, another) = (places.next(), places.next());
        let (Some(place), None) = (place, another) else {
            let how_often = if place.is_some() { "more than once" } else { "not" };
            bail!("these lines are {how_often} in the file:\n{}", old.join("\n"));
        };
        lines.splice(place..place + old.len(), new);
    }
    Ok(lines.join("\n") + "\n")
}

fn hunks(change: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines: Vec<_> = change.lines().collect();
    let hunks: Vec<_> = lines.split(|line| line.starts_with("@@")).map(<[&str]>::to_vec).collect();
    hunks.into_iter().filter(|hunk| !hunk.is_empty())
}

/// A line without its mark. An empty one stays.
fn rest(line: &str) -> &str {
    line.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_come_and_stay() {
        let changed = apply("a\nb\nc\nd\n", " a\n-b\n+B\n+BB\n c\n").unwrap();
        assert_eq!(changed, "a\nB\nBB\nc\nd\n");
        assert_eq!(apply("a\nb\nc\n", "-a\n+A\n@@\n-c\n").unwrap(), "A\nb\n");
        assert_eq!(apply("a\n\nb\n", " a\n\n+c\n b\n").unwrap(), "a\n\nc\nb\n");
    }

    #[test]
    fn a_change_has_one_place() {
        assert!(apply("a\n", "-b\n").unwrap_err().to_string().contains("are not in the file"));
        assert!(apply("a\na\n", "-a\n").unwrap_err().to_string().contains("more than once"));
        assert!(apply("a\n", "+b\n").is_err());
    }
}
