//! The HTML around a text.

use crate::html::{address, escape};
use crate::images::Version;
use crate::markdown::Picture;
use crate::navigation::{Navigation, Place};

/// Where the stylesheet is, from the site's root.
pub(crate) const STYLESHEET_TARGET: &str = "site-builder.css";

/// The rules for everything on a page.
pub(crate) const STYLESHEET: &str = include_str!("page.css");

/// A line of the outline.
pub(crate) struct Entry {
    pub(crate) depth: u8,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A link to another page.
pub(crate) struct Way {
    pub(crate) target: String,
    pub(crate) title: String,
}

/// All that a page is made of.
pub(crate) struct Page<'a> {
    pub(crate) place: &'a Place,
    pub(crate) navigation: &'a Navigation,
    /// HTML.
    pub(crate) text: String,
    /// Whether the text has no heading of its own.
    pub(crate) add_heading: bool,
    pub(crate) outline: Vec<Entry>,
    pub(crate) mentions: Vec<Way>,
}

/// A block of code; `coloured` is HTML.
pub(crate) fn code(language: Option<&str>, text: &str, coloured: Option<String>) -> String {
    let html = coloured.unwrap_or_else(|| escape(text));
    match language {
        Some(language) => {
            let language = escape(language);
            format!(
                "<pre tabindex=\"0\" data-language=\"{language}\"><code class=\"language-{language}\">{html}</code></pre>\n"
            )
        }
        None => format!("<pre tabindex=\"0\"><code>{html}</code></pre>\n"),
    }
}

/// How wide a picture is in the text, and how wide a thumbnail: what `page.css` says, told to browsers before they have read it.
const SIZES: [&str; 2] = ["(min-width: 48rem) 46rem, 100vw", "(min-width: 40rem) 15rem, 50vw"];

/// A picture on the page `here`. One that leads to itself is a thumbnail; browsers choose among the versions.
pub(crate) fn picture(here: &str, picture: &Picture, versions: &[Version]) -> String {
    let is_thumbnail = picture.link.as_ref() == Some(&picture.destination);
    let mut html = String::from("<img");
    let mut attribute = |name: &str, value: &str| html.push_str(&format!(" {name}=\"{}\"", escape(value)));
    match versions.last() {
        Some(widest) => {
            let candidates: Vec<_> = versions
                .iter()
                .map(|version| format!("{} {}w", address(here, &version.target), version.width))
                .collect();
            attribute("src", &address(here, &widest.target));
            attribute("srcset", &candidates.join(", "));
            attribute("sizes", SIZES[usize::from(is_thumbnail)]);
            attribute("width", &widest.width.to_string());
            attribute("height", &widest.height.to_string());
        }
        None => attribute("src", &picture.address),
    }
    attribute("alt", &picture.text);
    if let Some(title) = &picture.title {
        attribute("title", title);
    }
    if is_thumbnail {
        attribute("class", "thumbnail");
    }
    attribute("loading", "lazy");
    html + ">"
}

/// The whole page.
pub(crate) fn page(page: &Page<'_>) -> String {
    let Page { place, navigation, text, .. } = page;
    let here = &*place.target;
    let title = escape(&place.title);
    let site = escape(navigation.site());
    let full_title = if title == site { title.clone() } else { format!("{title} · {site}") };
    let stylesheet = address(here, STYLESHEET_TARGET);
    let home = navigation.home().map_or_else(|| "#".to_owned(), |home| address(here, &home.target));
    let links = navigation.html(here);
    let path = path(navigation, here);
    let (contents_inside, contents_beside) = contents(&page.outline);
    let heading = if page.add_heading { format!("<h1>{title}</h1>\n") } else { String::new() };
    let mentions = mentions(here, &page.mentions);
    let neighbours = neighbours(navigation, here);
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Kokoro's site builder">
<title>{full_title}</title>
<link rel="stylesheet" href="{stylesheet}">
</head>
<body>
<a class="skip" href="#page:text">Skip to the text</a>
<header class="bar">
<a class="home" href="{home}">{site}</a>
<details class="menu"><summary>Pages</summary>
<nav aria-label="Pages">
{links}</nav>
</details>
</header>
<div class="columns">
<nav class="pages" aria-label="Pages">
<a class="home" href="{home}">{site}</a>
{links}</nav>
<main id="page:text">
{path}{contents_inside}<article>
{heading}{text}</article>
{mentions}{neighbours}</main>
{contents_beside}</div>
</body>
</html>
"##
    )
}

fn path(navigation: &Navigation, here: &str) -> String {
    let folders = navigation.path(here);
    if folders.is_empty() {
        return String::new();
    }
    let folders: String = folders
        .iter()
        .map(|(name, page)| match page {
            Some(page) => format!("<li><a href=\"{}\">{}</a></li>", address(here, &page.target), escape(name)),
            None => format!("<li>{}</li>", escape(name)),
        })
        .collect();
    format!("<nav class=\"path\" aria-label=\"Folder\"><ol>{folders}</ol></nav>\n")
}

/// The outline twice: for narrow windows inside the text, for wide ones beside it.
fn contents(outline: &[Entry]) -> (String, String) {
    if outline.len() < 2 {
        return (String::new(), String::new());
    }
    let mut list = String::new();
    let mut depth = None;
    for entry in outline {
        match depth {
            Some(last) if entry.depth <= last => {
                list.push_str("</li>\n");
                list.push_str(&"</ul></li>\n".repeat(usize::from(last - entry.depth)));
            }
            _ => list.push_str("<ul>\n"),
        }
        depth = Some(entry.depth);
        list.push_str(&format!("<li><a href=\"#{}\">{}</a>", escape(&entry.id), escape(&entry.text)));
    }
    list.push_str("</li>");
    list.push_str(&"</ul></li>".repeat(usize::from(depth.unwrap_or(0))));
    list.push_str("</ul>\n");
    (
        format!(
            "<details class=\"contents inside\"><summary>On this page</summary>\n\
             <nav aria-label=\"On this page\">\n{list}</nav>\n</details>\n"
        ),
        format!("<nav class=\"contents beside\" aria-label=\"On this page\">\n<p>On this page</p>\n{list}</nav>\n"),
    )
}

fn mentions(here: &str, mentions: &[Way]) -> String {
    if mentions.is_empty() {
        return String::new();
    }
    let links: String = mentions
        .iter()
        .map(|way| format!("<li><a href=\"{}\">{}</a></li>\n", address(here, &way.target), escape(&way.title)))
        .collect();
    format!(
        "<aside class=\"mentions\" aria-labelledby=\"page:mentions\">\n<p id=\"page:mentions\">Mentioned on</p>\n<ul>\n{links}</ul>\n</aside>\n"
    )
}

fn neighbours(navigation: &Navigation, here: &str) -> String {
    let link = |place: Option<&Place>, rel: &str, label: &str| {
        place.map_or_else(String::new, |place| {
            let (address, title) = (address(here, &place.target), escape(&place.title));
            format!("<a rel=\"{rel}\" href=\"{address}\"><small>{label}</small>{title}</a>\n")
        })
    };
    match navigation.neighbours(here) {
        (None, None) => String::new(),
        (before, after) => format!(
            "<nav class=\"neighbours\" aria-label=\"Previous and next page\">\n{}{}</nav>\n",
            link(before, "prev", "Previous"),
            link(after, "next", "Next")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(depth: u8, id: &str) -> Entry {
        Entry { depth, id: id.to_owned(), text: format!("<{id}>") }
    }

    #[test]
    fn the_outline_nests_and_closes_every_list() {
        let (_, list) = contents(&[entry(0, "a"), entry(1, "b"), entry(2, "c"), entry(0, "d"), entry(1, "e")]);
        assert_eq!(list.matches("<ul>").count(), list.matches("</ul>").count());
        assert_eq!(list.matches("<li>").count(), list.matches("</li>").count());
        let flat: String = list.split_whitespace().collect();
        assert!(flat.contains("&lt;c&gt;</a></li></ul></li></ul></li><li><ahref=\"#d\">"), "{flat}");
        assert!(flat.contains("&lt;e&gt;</a></li></ul></li></ul></nav>"), "{flat}");
    }

    #[test]
    fn an_outline_of_one_line_is_left_out() {
        assert_eq!(contents(&[entry(0, "a")]), (String::new(), String::new()));
    }

    #[test]
    fn code_without_colours_is_escaped() {
        assert_eq!(code(None, "a < b", None), "<pre tabindex=\"0\"><code>a &lt; b</code></pre>\n");
        assert!(code(Some("\"><script>"), "x", None).contains("data-language=\"&quot;&gt;&lt;script&gt;\""));
        assert!(code(Some("rust"), "x", Some("<b>".to_owned())).contains("<code class=\"language-rust\"><b></code>"));
    }

    #[test]
    fn browsers_choose_among_the_versions_of_a_picture() {
        let shown = |versions: &[Version], link: Option<&str>| {
            let [destination, address, text] = ["a.jpg", "../p/a.jpg", "<A>"].map(str::to_owned);
            let link = link.map(str::to_owned);
            picture("b/c.html", &Picture { destination, address, text, title: None, link }, versions)
        };
        assert_eq!(shown(&[], None), "<img src=\"../p/a.jpg\" alt=\"&lt;A&gt;\" loading=\"lazy\">");
        assert!(shown(&[], Some("a.jpg")).contains(" class=\"thumbnail\""));
        assert!(!shown(&[], Some("b.md")).contains("class"));
        let version = |name: &str, width| Version { target: format!("m/{name}"), width, height: width / 2 };
        let html = shown(&[version("a, b", 240), version("c", 960)], None);
        assert!(html.contains(" srcset=\"../m/a,%20b 240w, ../m/c 960w\""), "{html}");
        assert!(html.contains(" src=\"../m/c\"") && html.contains(" width=\"960\" height=\"480\""), "{html}");
    }

    #[test]
    fn titles_are_escaped_wherever_they_stand() {
        let evil = "</title><script>alert(1)</script>";
        let places = ["index.html", "a/b.html", "a/c.html"].map(|at| Place::new(at.to_owned(), Some(evil.to_owned())));
        let navigation = Navigation::new(Some(evil.to_owned()), places.to_vec());
        let html = page(&Page {
            place: &places[1],
            navigation: &navigation,
            text: String::new(),
            add_heading: true,
            outline: vec![entry(0, "a"), entry(0, "b")],
            mentions: vec![Way { target: "\"'<".to_owned(), title: evil.to_owned() }],
        });
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("href=\"../site-builder.css\""), "{html}");
        assert!(html.contains("<h1>&lt;/title&gt;"), "{html}");
    }
}
