//! Adds a command that finds the links of a site that lead nowhere.

mod link;

use link::Link;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

kokoro_guest::planet! {
    state: Links,
    exports: ["site:build/command@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:build/pages@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Links;

/// What is known of one page.
struct Page {
    headings: BTreeSet<String>,
    links: Vec<String>,
}

impl command::Guest for Links {
    fn run(&mut self, id: String, _input: String) -> Result<String, String> {
        if id != "broken" {
            return Err(format!("`{id}` is no command of this Planet (plugin)"));
        }
        let mut site = BTreeMap::new();
        for page in pages::site().pages {
            kokoro_guest::give_up_if_cancelled()?;
            let text = pages::read(&page.source)?;
            let summary = markdown::inspect(&text).map_err(|reason| format!("{}: {reason}", page.source))?;
            let headings = summary.headings.into_iter().map(|heading| heading.id).collect();
            site.insert(page.source, Page { headings, links: summary.links });
        }
        let mut broken = Vec::new();
        for (source, page) in &site {
            kokoro_guest::give_up_if_cancelled()?;
            for (link, leads) in page.links.iter().zip(pages::resolve(source, &page.links)) {
                if let Some(why) = why_broken(&site, source, link, &leads) {
                    broken.push(format!("{source}: {link}\n    {why}"));
                }
            }
        }
        let links: usize = site.values().map(|page| page.links.len()).sum();
        Ok(report(links, site.len(), &broken))
    }
}

/// What is wrong with a link, if something is.
fn why_broken(site: &BTreeMap<String, Page>, source: &str, link: &str, leads: &pages::Destination) -> Option<String> {
    let heading = match Link::parse(link) {
        Link::Elsewhere => return None,
        // The application leaves a link as it is that it cannot follow.
        Link::Inside { .. } if leads.page.is_none() && leads.file.is_none() && leads.address == link => {
            return Some("there is no such page or file".to_owned());
        }
        Link::Inside { heading } | Link::SamePage { heading } => heading?,
    };
    let page = match leads.page.as_deref() {
        Some(page) => page,
        None if link.starts_with('#') => source,
        None => return None,
    };
    let is_there = site.get(page).is_none_or(|page| page.headings.contains(&heading));
    (!is_there).then(|| format!("{page} has no heading `{heading}`"))
}

fn report(links: usize, pages: usize, broken: &[String]) -> String {
    let mut text = match broken.len() {
        0 => "No broken links".to_owned(),
        1 => "1 broken link".to_owned(),
        several => format!("{several} broken links"),
    };
    let _ = writeln!(text, " among {links} on {pages} pages");
    for link in broken {
        let _ = write!(text, "\n{link}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Page, pages, report, why_broken};
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn links_are_broken_that_lead_to_nothing() {
        let headings = BTreeSet::from(["here".to_owned()]);
        let site = BTreeMap::from([("a.md".to_owned(), Page { headings, links: Vec::new() })]);
        let to = |address: &str, page: Option<&str>| pages::Destination {
            address: address.to_owned(),
            page: page.map(str::to_owned),
            file: None,
        };
        for (link, leads, broken) in [
            ("gone.md", to("gone.md", None), true),
            ("a.md", to("a.html", Some("a.md")), false),
            ("a.md#here", to("a.html#here", Some("a.md")), false),
            ("a.md#gone", to("a.html#gone", Some("a.md")), true),
            ("#gone", to("#gone", None), true),
            ("#here", to("#here", None), false),
            ("folder", to("folder/index.html", None), false),
            ("https://example.org/#gone", to("https://example.org/#gone", None), false),
        ] {
            assert_eq!(why_broken(&site, "a.md", link, &leads).is_some(), broken, "{link}");
        }
    }

    #[test]
    fn a_site_without_broken_links_is_told_so() {
        assert_eq!(report(3, 2, &[]), "No broken links among 3 on 2 pages\n");
        assert_eq!(report(3, 2, &["a: b\n    c".to_owned()]), "1 broken link among 3 on 2 pages\n\na: b\n    c\n");
    }
}
