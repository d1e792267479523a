//! The way from page to page.

use crate::html::{address, escape};
use std::collections::BTreeMap;

/// A page and where it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) target: String,
    pub(crate) title: String,
}

impl Place {
    /// A page without a title is called after its file, and the main page of a folder after the folder.
    pub(crate) fn new(target: String, title: Option<String>) -> Self {
        let title = title.unwrap_or_else(|| {
            let stem = target.strip_suffix(".html").unwrap_or(&target);
            let name = match stem.strip_suffix("index") {
                Some("") => "Home",
                Some(folder) if folder.ends_with('/') => &folder[..folder.len() - 1],
                _ => stem,
            };
            let name = name.rsplit('/').next().unwrap_or(name).replace(['-', '_'], " ");
            let mut chars = name.chars();
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
        });
        Self { target, title }
    }
}

/// All pages of the site.
pub(crate) struct Navigation {
    site: String,
    root: Folder,
    /// In the order in which a reader goes through them.
    places: Vec<Place>,
}

#[derive(Default)]
struct Folder {
    pages: Vec<Place>,
    folders: BTreeMap<String, Folder>,
}

impl Folder {
    fn main_page(&self) -> Option<&Place> {
        self.pages.iter().find(|page| page.target == "index.html" || page.target.ends_with("/index.html"))
    }

    fn sort(&mut self) {
        let main = self.main_page().map(|page| page.target.clone());
        self.pages.sort_by_cached_key(|page| {
            (Some(&page.target) != main.as_ref(), page.title.to_lowercase(), page.target.clone())
        });
        self.folders.values_mut().for_each(Self::sort);
    }

    fn collect(&self, into: &mut Vec<Place>) {
        into.extend(self.pages.iter().cloned());
        self.folders.values().for_each(|folder| folder.collect(into));
    }

    fn holds(&self, target: &str) -> bool {
        self.pages.iter().any(|page| page.target == target) || self.folders.values().any(|folder| folder.holds(target))
    }

    fn html(&self, current: &str, html: &mut String) {
        html.push_str("<ul>\n");
        for page in &self.pages {
            link(page, current, html);
        }
        for (name, folder) in &self.folders {
            folder.html_as(name, current, html);
        }
        html.push_str("</ul>\n");
    }

    /// A folder with nothing but one page is that page, and one with nothing but one folder is named together with it.
    fn html_as(&self, name: &str, current: &str, html: &mut String) {
        match (&self.pages[..], self.folders.first_key_value()) {
            ([page], None) => link(page, current, html),
            ([], Some((inner, folder))) if self.folders.len() == 1 => {
                folder.html_as(&format!("{name}/{inner}"), current, html);
            }
            _ => {
                let open = if self.holds(current) { " open" } else { "" };
                html.push_str(&format!("<li><details{open}><summary>{}</summary>\n", escape(name)));
                self.html(current, html);
                html.push_str("</details></li>\n");
            }
        }
    }
}

fn link(page: &Place, current: &str, html: &mut String) {
    let here = if page.target == current { " aria-current=\"page\"" } else { "" };
    let (address, title) = (address(current, &page.target), escape(&page.title));
    html.push_str(&format!("<li><a href=\"{address}\"{here}>{title}</a></li>\n"));
}

impl Navigation {
    pub(crate) fn new(title: Option<String>, places: Vec<Place>) -> Self {
        let mut root = Folder::default();
        for place in places {
            let mut folder = &mut root;
            let mut names = place.target.split('/').peekable();
            while let Some(name) = names.next() {
                if names.peek().is_some() {
                    folder = folder.folders.entry(name.to_owned()).or_default();
                }
            }
            folder.pages.push(place);
        }
        root.sort();
        let mut places = Vec::new();
        root.collect(&mut places);
        let site = title.or_else(|| Some(root.main_page()?.title.clone())).unwrap_or_else(|| "Home".to_owned());
        Self { site, root, places }
    }

    /// What the site is called.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Where a reader begins.
    pub(crate) fn home(&self) -> Option<&Place> {
        self.places.first()
    }

    /// The pages before and after this one.
    pub(crate) fn neighbours(&self, target: &str) -> (Option<&Place>, Option<&Place>) {
        match self.places.iter().position(|place| place.target == target) {
            Some(here) => (here.checked_sub(1).map(|before| &self.places[before]), self.places.get(here + 1)),
            None => (None, None),
        }
    }

    /// Links to all pages, for the page `current`.
    pub(crate) fn html(&self, current: &str) -> String {
        let mut html = String::new();
        self.root.html(current, &mut html);
        html
    }

    /// The folders that a page is in, from the outside, with their main pages if they have one.
    pub(crate) fn path(&self, target: &str) -> Vec<(String, Option<&Place>)> {
        let mut path = Vec::new();
        let mut folder = &self.root;
        let mut names = target.split('/').peekable();
        while let Some(name) = names.next() {
            let Some(inner) = folder.folders.get(name).filter(|_| names.peek().is_some()) else { break };
            folder = inner;
            path.push((name.to_owned(), folder.main_page().filter(|page| page.target != target)));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Navigation {
        let places = [
            ("guide/start.html", "Start"),
            ("index.html", "My <site>"),
            ("guide/index.html", "Guide"),
            ("guide/a/b/deep.html", "Deep"),
            ("guide/a/b/deeper.html", "deeper"),
            ("about.html", "About"),
            ("one/index.html", "One"),
        ];
        let places = places.map(|(target, title)| Place::new(target.to_owned(), Some(title.to_owned())));
        Navigation::new(None, places.to_vec())
    }

    #[test]
    fn main_pages_come_first_and_folders_last() {
        assert_eq!(
            site().places.iter().map(|place| &*place.target).collect::<Vec<_>>(),
            [
                "index.html",
                "about.html",
                "guide/index.html",
                "guide/start.html",
                "guide/a/b/deep.html",
                "guide/a/b/deeper.html",
                "one/index.html"
            ]
        );
        assert_eq!(site().site(), "My <site>");
    }

    #[test]
    fn links_are_relative_and_the_own_folder_is_open() {
        let html = site().html("guide/start.html");
        for expected in [
            "<li><a href=\"../index.html\">My &lt;site&gt;</a></li>",
            "<details open><summary>guide</summary>",
            "<a href=\"start.html\" aria-current=\"page\">Start</a>",
            "<details><summary>a/b</summary>",
            "<li><a href=\"../one/index.html\">One</a></li>",
        ] {
            assert!(html.contains(expected), "{expected} is missing in {html}");
        }
    }

    #[test]
    fn neighbours_follow_the_order() {
        let site = site();
        let titles = |target| {
            let (before, after) = site.neighbours(target);
            (before.map(|place| &*place.title), after.map(|place| &*place.title))
        };
        assert_eq!(titles("index.html"), (None, Some("About")));
        assert_eq!(titles("guide/index.html"), (Some("About"), Some("Start")));
        assert_eq!(titles("one/index.html"), (Some("deeper"), None));
        assert_eq!(titles("elsewhere.html"), (None, None));
    }

    #[test]
    fn a_page_without_title_is_called_after_its_file() {
        for (target, title) in [
            ("index.html", "Home"),
            ("getting-started.html", "Getting started"),
            ("a/my_guide/index.html", "My guide"),
            ("a/reindex.html", "Reindex"),
        ] {
            assert_eq!(Place::new(target.to_owned(), None).title, title);
        }
    }

    #[test]
    fn the_path_names_the_folders_outside() {
        let site = site();
        let path = site.path("guide/a/b/deep.html");
        assert_eq!(path.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["guide", "a", "b"]);
        assert_eq!(path[0].1.map(|page| &*page.title), Some("Guide"));
        assert_eq!(path[1].1, None);
        assert!(site.path("index.html").is_empty());
    }
}
