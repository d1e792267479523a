//! Puts a page together: its text, its colours, its outline, the way to the other pages.

mod html;
mod navigation;
mod template;

use navigation::{Navigation, Place};
use template::{Entry, Page, STYLESHEET, Way};

kokoro_guest::planet! {
    state: Pages,
    exports: ["site:build/page@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:content/outline@0.1.0", "site:build/pages@0.1.0"],
    optional: ["site:content/highlight@0.1.0", "site:build/backlinks@0.1.0"],
    wit: "../../wit",
}

/// The navigation is made when the first page is asked for, and is the same for all.
#[derive(Default)]
struct Pages {
    navigation: Option<Navigation>,
}

impl page::Guest for Pages {
    fn render(&mut self, document: page::Document) -> Result<String, String> {
        let navigation = match self.navigation.take() {
            Some(navigation) => navigation,
            None => read_site()?,
        };
        let html = render(&document, &navigation);
        self.navigation = Some(navigation);
        Ok(html)
    }

    fn assets(&mut self) -> Result<Vec<page::Asset>, String> {
        let mut stylesheet = STYLESHEET.to_owned();
        if let Some(highlight) = highlight::if_bound() {
            stylesheet.push('\n');
            stylesheet.push_str(&highlight.stylesheet());
        }
        Ok(vec![page::Asset { target: template::STYLESHEET_TARGET.to_owned(), content: stylesheet }])
    }
}

fn read_site() -> Result<Navigation, String> {
    let site = pages::site();
    let mut places = Vec::new();
    for entry in site.pages {
        let title = markdown::inspect(&pages::read(&entry.source)?).title;
        places.push(Place::new(entry.target, title));
    }
    Ok(Navigation::new(site.title, places))
}

fn render(document: &page::Document, navigation: &Navigation) -> String {
    let summary = markdown::inspect(&document.text);
    let links: Vec<_> = summary
        .links
        .iter()
        .zip(pages::resolve(&document.source, &summary.links))
        .filter(|(destination, resolved)| **destination != resolved.address)
        .map(|(destination, resolved)| markdown::Link { destination: destination.clone(), address: resolved.address })
        .collect();
    let place = Place::new(document.target.clone(), summary.title);
    let text = markdown::render(&document.text, &links)
        .iter()
        .map(|part| match part {
            markdown::Part::Html(html) => html.clone(),
            markdown::Part::Code(block) => {
                template::code(block.language.as_deref(), &block.text, coloured(block, &document.source))
            }
        })
        .collect();
    template::page(&Page {
        place: &place,
        navigation,
        text,
        add_heading: summary.headings.is_empty(),
        outline: outline::outline(&document.text)
            .into_iter()
            .map(|entry| Entry { depth: entry.depth, id: entry.id, text: entry.text })
            .collect(),
        mentions: mentions(&document.source),
    })
}

/// The code with colours, if somebody colours code and knows the language.
fn coloured(block: &markdown::CodeBlock, source: &str) -> Option<String> {
    let html = highlight::if_bound()?.render(block);
    html.unwrap_or_else(|reason| {
        kokoro_guest::log::warn!("{source}: code without colours: {reason}");
        None
    })
}

/// The pages that mention this one, if somebody knows.
fn mentions(source: &str) -> Vec<Way> {
    let Some(backlinks) = backlinks::if_bound() else { return Vec::new() };
    match backlinks.mentions(source) {
        Ok(mentions) => {
            mentions.into_iter().map(|mention| Way { target: mention.page.target, title: mention.title }).collect()
        }
        Err(reason) => {
            kokoro_guest::log::warn!("{source}: the pages that mention it are not known: {reason}");
            Vec::new()
        }
    }
}
