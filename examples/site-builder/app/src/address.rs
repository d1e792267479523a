//! Paths in the site, always with `/`, and addresses in its pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in one name of an address.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'+')
    .remove(b',')
    .remove(b'@')
    .remove(b':');

/// The folder that a file is in; empty for the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path of `name` in `folder`.
pub(crate) fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What to write into a file in `folder` for a link to `to`.
pub(crate) fn relative(folder: &str, to: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    let to: Vec<&str> = to.split('/').collect();
    let same = from.iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = "../".repeat(from.len() - same);
    let down: Vec<String> = to[same..].iter().map(|name| utf8_percent_encode(name, NAME).to_string()).collect();
    let here = if up.is_empty() && down[0].contains(':') { "./" } else { "" };
    format!("{here}{up}{}", down.join("/"))
}

/// The parts of a link inside the site; `None` for one that leads elsewhere, or to a part of the same page.
pub(crate) fn parts(link: &str) -> Option<(String, &str)> {
    let scheme = link.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    if scheme || link.starts_with("//") || link.starts_with(['#', '?']) || link.is_empty() {
        return None;
    }
    let (path, rest) = link.split_at(link.find(['#', '?']).unwrap_or(link.len()));
    Some((percent_decode_str(path).decode_utf8().ok()?.into_owned(), rest))
}

/// The path that `link` in a file in `folder` leads to, without a `/` at its end; `None` if that is outside of the site.
/// A link that begins with `/` begins at the site's root.
pub(crate) fn follow(folder: &str, link: &str) -> Option<String> {
    let mut names: Vec<&str> = if link.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    names.retain(|name| !name.is_empty());
    for name in link.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_within_the_site() {
        for (folder, link, expected) in [
            ("", "a.md", Some("a.md")),
            ("a", "b.md", Some("a/b.md")),
            ("a/b", "../c/./d.md", Some("a/c/d.md")),
            ("a", "/b.md", Some("b.md")),
            ("a", "..", Some("")),
            ("a", "b/", Some("a/b")),
            ("a", "../../b.md", None),
        ] {
            assert_eq!(follow(folder, link).as_deref(), expected, "{folder} {link}");
        }
    }

    #[test]
    fn only_links_without_a_scheme_are_the_sites_own() {
        assert_eq!(parts("a%20b.md?x#y:z"), Some(("a b.md".to_owned(), "?x#y:z")));
        for link in ["https://a/b.md", "mailto:a@b", "//a/b", "#x", "?x", "", "%ff.md"] {
            assert_eq!(parts(link), None, "{link}");
        }
    }

    #[test]
    fn what_is_written_leads_back() {
        for folder in ["", "a", "a/b", "é"] {
            for to in ["x.html", "a/x.html", "a/b/x y#?.html", "é/ü.html", "a:b.html"] {
                let written = relative(folder, to);
                let (path, rest) = parts(&written).unwrap();
                assert_eq!((follow(folder, &path).as_deref(), rest), (Some(to), ""), "{written}");
            }
        }
    }
}
