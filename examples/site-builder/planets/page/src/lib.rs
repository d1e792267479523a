//! Puts a page together: its text, its colours, its outline, the way to the other pages.

mod html;
mod navigation;
mod template;

use navigation::{Navigation, Place};
use std::collections::HashMap;
use template::{Entry, Page, STYLESHEET, Way};

kokoro_guest::planet! {
    state: Pages,
    exports: ["site:build/page@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:content/outline@0.1.0", "site:build/pages@0.1.0"],
    optional: ["site:content/highlight@0.1.0", "site:build/backlinks@0.1.0", "site:build/images@0.1.0"],
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
        html
    }

    fn assets(&mut self) -> Result<Vec<page::Asset>, String> {
        let mut stylesheet = STYLESHEET.to_owned();
        match highlight::if_bound().map(|highlight| highlight.stylesheet()) {
            Some(Ok(colours)) => {
                stylesheet.push('\n');
                stylesheet.push_str(&colours);
            }
            Some(Err(reason)) => kokoro_guest::log::warn!("the colours of code are not known: {reason}"),
            None => {}
        }
        Ok(vec![page::Asset { target: template::STYLESHEET_TARGET.to_owned(), content: stylesheet }])
    }
}

fn read_site() -> Result<Navigation, String> {
    let site = pages::site();
    let mut places = Vec::new();
    let mut failed = false;
    for entry in site.pages {
        // A text that cannot be read is no reason for the other pages not to be made.
        let title = markdown::inspect(&pages::read(&entry.source)?).map(|summary| summary.title);
        let title = title.unwrap_or_else(|reason| {
            // The first is the one to blame; those after it may only have found nobody to read them.
            if !std::mem::replace(&mut failed, true) {
                kokoro_guest::log::warn!("{}: its title is not known: {reason}", entry.source);
            }
            None
        });
        places.push(Place::new(entry.target, title));
    }
    Ok(Navigation::new(site.title, places))
}

fn render(document: &page::Document, navigation: &Navigation) -> Result<String, String> {
    let summary = markdown::inspect(&document.text)?;
    let resolved: HashMap<_, _> =
        summary.links.iter().cloned().zip(pages::resolve(&document.source, &summary.links)).collect();
    let links: Vec<_> = resolved
        .iter()
        .filter(|(destination, resolved)| **destination != resolved.address)
        .map(|(destination, resolved)| markdown::Link {
            destination: destination.clone(),
            address: resolved.address.clone(),
        })
        .collect();
    let place = Place::new(document.target.clone(), summary.title);
    let parts = markdown::render(&document.text, &links)?;
    let file = |picture: &markdown::Picture| resolved.get(&picture.destination)?.file.clone();
    let versions = versions(&parts, file, &document.source);
    let text = parts
        .iter()
        .map(|part| match part {
            markdown::Part::Html(html) => html.clone(),
            markdown::Part::Code(block) => {
                template::code(block.language.as_deref(), &block.text, coloured(block, &document.source))
            }
            markdown::Part::Picture(picture) => {
                let versions = file(picture).and_then(|file| versions.get(&file)).map_or(&[][..], Vec::as_slice);
                template::picture(&document.target, picture, versions)
            }
        })
        .collect();
    Ok(template::page(&Page {
        place: &place,
        navigation,
        text,
        add_heading: summary.headings.is_empty(),
        outline: contents(document),
        mentions: mentions(&document.source),
    }))
}

/// The table of contents; a page without one is still a page.
fn contents(document: &page::Document) -> Vec<Entry> {
    let entries = outline::outline(&document.text).unwrap_or_else(|reason| {
        kokoro_guest::log::warn!("{}: no table of contents: {reason}", document.source);
        Vec::new()
    });
    entries.into_iter().map(|entry| Entry { depth: entry.depth, id: entry.id, text: entry.text }).collect()
}

/// The code with colours, if somebody colours code and knows the language.
fn coloured(block: &markdown::CodeBlock, source: &str) -> Option<String> {
    let html = highlight::if_bound()?.render(block);
    html.unwrap_or_else(|reason| {
        kokoro_guest::log::warn!("{source}: code without colours: {reason}");
        None
    })
}

/// In which sizes there are the pictures of a page, by their files, if somebody makes sizes.
fn versions(
    parts: &[markdown::Part],
    file: impl Fn(&markdown::Picture) -> Option<String>,
    source: &str,
) -> HashMap<String, Vec<images::Version>> {
    let mut pictures: Vec<_> = parts
        .iter()
        .filter_map(|part| if let markdown::Part::Picture(picture) = part { file(picture) } else { None })
        .collect();
    pictures.sort_unstable();
    pictures.dedup();
    if pictures.is_empty() {
        return HashMap::new();
    }
    let Some(images) = images::if_bound() else { return HashMap::new() };
    match images.versions(&pictures) {
        Ok(versions) => pictures.into_iter().zip(versions).collect(),
        Err(reason) => {
            kokoro_guest::log::warn!("{source}: its pictures are shown as they are: {reason}");
            HashMap::new()
        }
    }
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
