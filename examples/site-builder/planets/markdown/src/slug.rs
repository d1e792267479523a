//! Ids of headings.

use std::collections::{HashMap, HashSet};

/// Gives out ids as GitHub makes them, so that links written for GitHub work.
#[derive(Default)]
pub(crate) struct Slugs {
    given: HashSet<String>,
    /// The last number that was added to each.
    numbers: HashMap<String, usize>,
}

impl Slugs {
    /// The id for a heading with these words; a number is added where it was given before.
    pub(crate) fn give(&mut self, text: &str) -> String {
        let mut slug: String = text
            .trim()
            .chars()
            .filter_map(|c| match c {
                ' ' | '\t' | '\n' => Some('-'),
                '-' | '_' => Some(c),
                _ if c.is_alphanumeric() => Some(c),
                _ => None,
            })
            .flat_map(char::to_lowercase)
            .collect();
        if slug.is_empty() {
            slug.push_str("section");
        }
        if self.given.insert(slug.clone()) {
            return slug;
        }
        let number = self.numbers.entry(slug.clone()).or_default();
        loop {
            *number += 1;
            let id = format!("{slug}-{number}");
            if self.given.insert(id.clone()) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slugs;

    #[test]
    fn slugs_are_those_of_github() {
        let mut slugs = Slugs::default();
        for (text, id) in [
            ("Bad input", "bad-input"),
            ("`cargo xtask`, and why?", "cargo-xtask-and-why"),
            ("A & B", "a--b"),
            ("Über_uns", "über_uns"),
            ("言心", "言心"),
            ("!?", "section"),
        ] {
            assert_eq!(slugs.give(text), id);
        }
    }

    #[test]
    fn no_id_is_given_twice() {
        let mut slugs = Slugs::default();
        let ids = ["A", "A 1", "A", "A", "A 1"].map(|text| slugs.give(text));
        assert_eq!(ids, ["a", "a-1", "a-2", "a-3", "a-1-1"]);
    }
}
