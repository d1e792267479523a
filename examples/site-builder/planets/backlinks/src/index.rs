//! Who mentions whom.

use std::collections::HashMap;

/// From a page to those that mention it, each as a `T`.
pub(crate) struct Index<T> {
    mentioning: Vec<T>,
    of: HashMap<String, Vec<usize>>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self { mentioning: Vec::new(), of: HashMap::new() }
    }
}

impl<T> Index<T> {
    /// Adds the page `source`, which mentions `mentioned`. A page that mentions another twice, or itself, is not told so.
    pub(crate) fn add(&mut self, source: &str, mentioned: impl Iterator<Item = String>, page: T) {
        let number = self.mentioning.len();
        self.mentioning.push(page);
        for other in mentioned.filter(|other| other != source) {
            let known = self.of.entry(other).or_default();
            if known.last() != Some(&number) {
                known.push(number);
            }
        }
    }

    /// The pages that mention `source`, in the order in which they were added.
    pub(crate) fn mentions(&self, source: &str) -> impl Iterator<Item = &T> {
        self.of.get(source).into_iter().flatten().map(|number| &self.mentioning[*number])
    }
}

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn pages_are_told_once_who_mentions_them() {
        let mut index = Index::default();
        let mut add = |source: &str, mentioned: &[&str]| {
            index.add(source, mentioned.iter().map(|page| (*page).to_owned()), source.to_owned());
        };
        add("a", &["b", "b", "a", "c"]);
        add("b", &["a"]);
        add("c", &["b", "a", "b"]);
        let mentions = |page| index.mentions(page).map(String::as_str).collect::<Vec<_>>();
        assert_eq!(mentions("a"), ["b", "c"]);
        assert_eq!(mentions("b"), ["a", "c"]);
        assert_eq!(mentions("c"), ["a"]);
        assert!(mentions("d").is_empty());
    }
}
