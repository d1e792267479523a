//! Adds a command that counts the words of pages.

mod words;

use std::fmt::Write as _;

kokoro_guest::planet! {
    state: Statistics,
    exports: ["site:build/command@0.1.0"],
    requires: ["site:build/pages@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Statistics;

/// How many words a person reads in a minute.
const A_MINUTE: usize = 230;

impl command::Guest for Statistics {
    fn run(&mut self, id: String, input: String) -> Result<String, String> {
        if id != "words" {
            return Err(format!("`{id}` is no command of this Planet (plugin)"));
        }
        let folder = input.trim().trim_matches('/');
        let mut pages = Vec::new();
        for page in pages::site().pages {
            kokoro_guest::give_up_if_cancelled()?;
            let is_inside = page.source.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            if folder.is_empty() || is_inside {
                pages.push((words::count(&pages::read(&page.source)?), page.source));
            }
        }
        if pages.is_empty() {
            return Err(format!("there are no pages in `{folder}`"));
        }
        Ok(report(&pages))
    }
}

/// The pages with most words first.
fn report(pages: &[(usize, String)]) -> String {
    let mut pages: Vec<_> = pages.iter().collect();
    pages.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let words: usize = pages.iter().map(|(words, _)| words).sum();
    let minutes = words.div_ceil(A_MINUTE);
    let mut text = format!("{words} words on {} pages, {minutes} min to read\n\n", pages.len());
    for (words, source) in pages {
        let _ = writeln!(text, "{words:>7}  {source}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::report;

    #[test]
    fn the_longest_page_comes_first() {
        let pages = [(7, "b.md".to_owned()), (300, "c.md".to_owned()), (7, "a.md".to_owned())];
        assert_eq!(
            report(&pages),
            "314 words on 3 pages, 2 min to read\n\n    300  c.md\n      7  a.md\n      7  b.md\n"
        );
    }
}
