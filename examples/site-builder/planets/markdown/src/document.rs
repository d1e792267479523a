//! A text in Markdown, read once.

use crate::slug::Slugs;
use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, MetadataBlockKind, Options, Parser, Tag, TagEnd, html,
};
use std::collections::{HashMap, HashSet};

pub(crate) struct Document<'a> {
    events: Vec<Event<'a>>,
    headings: Vec<Heading>,
    front_matter_title: Option<String>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) id: String,
    pub(crate) text: String,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Html(String),
    Code { language: Option<String>, text: String },
    Picture(Picture),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Picture {
    /// As it is written.
    pub(crate) destination: String,
    pub(crate) address: String,
    pub(crate) text: String,
    pub(crate) title: Option<String>,
    /// Where the link leads that it is in, as it is written.
    pub(crate) link: Option<String>,
}

impl<'a> Document<'a> {
    pub(crate) fn parse(source: &'a str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_GFM
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let mut events = Vec::new();
        let mut front_matter = None;
        let mut parser = Parser::new_ext(source, options);
        while let Some(event) = parser.next() {
            if event == Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) {
                front_matter = parser
                    .by_ref()
                    .take_while(|event| !matches!(event, Event::End(TagEnd::MetadataBlock(_))))
                    .find_map(|event| if let Event::Text(text) = event { Some(text) } else { None });
            } else {
                events.push(event);
            }
        }
        let headings = name_headings(&mut events);
        Self { events, headings, front_matter_title: front_matter.as_deref().and_then(title_in_front_matter) }
    }

    /// The title that the front matter gives, else the first heading.
    pub(crate) fn title(&self) -> Option<String> {
        let first = || self.headings.iter().map(|heading| &heading.text).find(|text| !text.is_empty()).cloned();
        self.front_matter_title.clone().or_else(first)
    }

    pub(crate) fn headings(&self) -> &[Heading] {
        &self.headings
    }

    /// Where links and images lead, as it is written, each once.
    pub(crate) fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |link: &str| {
            if seen.insert(link.to_owned()) {
                links.push(link.to_owned());
            }
        };
        for event in &self.events {
            match event {
                Event::Start(Tag::Link { dest_url, link_type, .. }) if *link_type != LinkType::Email => add(dest_url),
                Event::Start(Tag::Image { dest_url, .. }) => add(dest_url),
                Event::Html(html) | Event::InlineHtml(html) => {
                    addresses_in_html(html).for_each(|range| add(&unescaped(&html[range])));
                }
                _ => {}
            }
        }
        links
    }

    /// The text as HTML and code, with links changed as `links` says.
    pub(crate) fn render(self, links: &HashMap<String, String>) -> Vec<Part> {
        let titles = self.headings.iter().map(|heading| (&*heading.id, &*heading.text)).collect();
        let mut rendering = Rendering::default();
        let (body, footnotes) = set_footnotes_apart(self.events);
        rendering.add(body, links, &titles);
        if !footnotes.is_empty() {
            rendering.html("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
            for footnote in footnotes {
                rendering.html(&format!("<li id=\"note:{}\">\n", footnote.number));
                rendering.add(footnote.events, links, &titles);
                rendering.html(&format!(
                    "<a class=\"back\" href=\"#note-from:{}\" aria-label=\"Back to the text\">↩</a>\n</li>\n",
                    footnote.number
                ));
            }
            rendering.html("</ol>\n</section>\n");
        }
        rendering.parts
    }
}

/// Puts an id on each heading.
fn name_headings(events: &mut [Event<'_>]) -> Vec<Heading> {
    let mut slugs = Slugs::default();
    let mut headings = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for index in 0..events.len() {
        match &events[index] {
            Event::Start(Tag::Heading { .. }) => open = Some((index, String::new())),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, words)) = &mut open {
                    words.push_str(text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, words)) = &mut open {
                    words.push(' ');
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let level = number(*level);
                if let Some((start, words)) = open.take() {
                    let text = words.trim().to_owned();
                    let slug = slugs.give(&text);
                    if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
                        *id = Some(slug.clone().into());
                    }
                    headings.push(Heading { level, id: slug, text });
                }
            }
            _ => {}
        }
    }
    headings
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The value of the line `title:`. The rest of the front matter is other programs' business.
fn title_in_front_matter(yaml: &str) -> Option<String> {
    let value = yaml.lines().find_map(|line| line.strip_prefix("title:"))?.trim();
    let bare =
        ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value);
    (!bare.is_empty()).then(|| bare.to_owned())
}

struct Footnote<'a> {
    number: usize,
    events: Vec<Event<'a>>,
}

/// Takes the definitions of footnotes out of the text, numbers them in the order in which the text first refers to them,
/// and leaves out those that it never refers to.
fn set_footnotes_apart(events: Vec<Event<'_>>) -> (Vec<Event<'_>>, Vec<Footnote<'_>>) {
    let mut body = Vec::with_capacity(events.len());
    let mut definitions: Vec<(CowStr<'_>, Vec<Event<'_>>)> = Vec::new();
    let mut inside = false;
    for event in events {
        match event {
            Event::Start(Tag::FootnoteDefinition(name)) => {
                definitions.push((name, Vec::new()));
                inside = true;
            }
            Event::End(TagEnd::FootnoteDefinition) => inside = false,
            event => match definitions.last_mut() {
                Some((_, definition)) if inside => definition.push(event),
                _ => body.push(event),
            },
        }
    }
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let defined: HashSet<String> = definitions.iter().map(|(name, _)| name.to_string()).collect();
    let mut number_all = |events: &mut Vec<Event<'_>>| {
        for event in events {
            if let Event::FootnoteReference(name) = event {
                let next = numbers.len() + 1;
                let first = !numbers.contains_key(&**name);
                if defined.contains(&**name) {
                    let number = *numbers.entry(name.to_string()).or_insert(next);
                    let id = if first { format!(" id=\"note-from:{number}\"") } else { String::new() };
                    *event = Event::InlineHtml(
                        format!("<sup class=\"footnote\"><a href=\"#note:{number}\"{id}>{number}</a></sup>").into(),
                    );
                }
            }
        }
    };
    number_all(&mut body);
    definitions.iter_mut().for_each(|(_, events)| number_all(events));
    let mut footnotes: Vec<Footnote<'_>> = definitions
        .into_iter()
        .filter_map(|(name, events)| Some(Footnote { number: *numbers.get(&*name)?, events }))
        .collect();
    footnotes.sort_by_key(|footnote| footnote.number);
    footnotes.dedup_by_key(|footnote| footnote.number);
    (body, footnotes)
}

#[derive(Default)]
struct Rendering {
    parts: Vec<Part>,
}

impl Rendering {
    fn html(&mut self, html: &str) {
        match self.parts.last_mut() {
            Some(Part::Html(last)) => last.push_str(html),
            _ => self.parts.push(Part::Html(html.to_owned())),
        }
    }

    fn flush(&mut self, events: &mut Vec<Event<'_>>) {
        let mut text = String::new();
        html::push_html(&mut text, events.drain(..));
        if !text.is_empty() {
            self.html(&text);
        }
    }

    /// Adds a part of the text; `titles` are the words of all headings, by their ids.
    fn add(&mut self, events: Vec<Event<'_>>, links: &HashMap<String, String>, titles: &HashMap<&str, &str>) {
        let new_address = |destination: &mut CowStr<'_>| {
            if let Some(address) = links.get(&**destination) {
                *destination = address.clone().into();
            }
        };
        let mut open_heading = None;
        let mut open_link = None;
        let mut pending = Vec::new();
        let mut events = events.into_iter();
        while let Some(mut event) = events.next() {
            match &mut event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = language(kind);
                    self.flush(&mut pending);
                    let text = events
                        .by_ref()
                        .take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock)))
                        .filter_map(|event| if let Event::Text(text) = event { Some(text.into_string()) } else { None })
                        .collect();
                    self.parts.push(Part::Code { language, text });
                    continue;
                }
                Event::Start(Tag::Image { dest_url, title, .. }) => {
                    let destination = dest_url.to_string();
                    new_address(dest_url);
                    self.flush(&mut pending);
                    self.parts.push(Part::Picture(Picture {
                        destination,
                        address: dest_url.to_string(),
                        title: Some(title.to_string()).filter(|title| !title.is_empty()),
                        text: words_of_picture(&mut events),
                        link: open_link.clone(),
                    }));
                    continue;
                }
                Event::Start(Tag::Link { dest_url, .. }) => {
                    open_link = Some(dest_url.to_string());
                    new_address(dest_url);
                }
                Event::End(TagEnd::Link) => open_link = None,
                Event::Html(html) | Event::InlineHtml(html) => {
                    if let Some(changed) = with_new_addresses(html, links) {
                        *html = changed.into();
                    }
                }
                Event::Start(Tag::Table(_)) => pending.push(Event::Html("<div class=\"table\" tabindex=\"0\">".into())),
                Event::End(TagEnd::Table) => {
                    pending.push(event);
                    pending.push(Event::Html("</div>\n".into()));
                    continue;
                }
                Event::Start(Tag::Heading { id, .. }) => open_heading = id.clone(),
                Event::End(TagEnd::Heading(_)) => {
                    let heading = open_heading.take();
                    if let Some((id, title)) = heading.as_deref().and_then(|id| titles.get_key_value(id)) {
                        let mut anchor = format!("<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to ");
                        escape_attribute(&mut anchor, title);
                        anchor.push_str("\">#</a>");
                        pending.push(Event::InlineHtml(anchor.into()));
                    }
                }
                _ => {}
            }
            pending.push(event);
        }
        self.flush(&mut pending);
    }
}

/// What stands between the brackets of a picture, without Markdown's markup; the words of pictures in it count as well.
fn words_of_picture<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> String {
    let mut words = String::new();
    let mut depth = 1;
    while depth > 0 {
        match events.next() {
            Some(Event::Start(Tag::Image { .. })) => depth += 1,
            Some(Event::End(TagEnd::Image)) => depth -= 1,
            Some(Event::Text(text) | Event::Code(text) | Event::InlineHtml(text)) => words.push_str(&text),
            Some(Event::SoftBreak | Event::HardBreak) => words.push(' '),
            Some(_) => {}
            None => break,
        }
    }
    words
}

/// `rust` of a fence that says `rust,ignore` or `rust title="x"`.
fn language(kind: &CodeBlockKind<'_>) -> Option<String> {
    match kind {
        CodeBlockKind::Indented => None,
        CodeBlockKind::Fenced(info) => info
            .split(|c: char| c == ',' || c == '{' || c.is_whitespace())
            .find(|word| !word.is_empty())
            .map(str::to_owned),
    }
}

fn escape_attribute(into: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            _ => into.push(c),
        }
    }
}

fn unescaped(attribute: &str) -> String {
    attribute.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// Where the values of `href="..."` and `src="..."` are in a piece of raw HTML.
fn addresses_in_html(html: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (start, quote) = ["href=\"", "href='", "src=\"", "src='"]
            .into_iter()
            .filter_map(|name| {
                let at = html[from..].find(name)? + from;
                Some((at + name.len(), &name[name.len() - 1..]))
            })
            .min()?;
        let end = html[start..].find(quote)? + start;
        from = end;
        Some(start..end)
    })
}

/// The piece of raw HTML with the new addresses in it, if there are any for it.
fn with_new_addresses(html: &str, links: &HashMap<String, String>) -> Option<String> {
    let mut changed = String::new();
    let mut done = 0;
    for range in addresses_in_html(html) {
        if let Some(address) = links.get(&unescaped(&html[range.clone()])) {
            changed.push_str(&html[done..range.start]);
            escape_attribute(&mut changed, address);
            done = range.end;
        }
    }
    (done > 0).then(|| changed + &html[done..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, links: &[(&str, &str)]) -> String {
        let links = links.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        Document::parse(source)
            .render(&links)
            .into_iter()
            .map(|part| match part {
                Part::Html(html) => html,
                Part::Code { language, text } => format!("[{}|{text}]", language.unwrap_or_default()),
                Part::Picture(Picture { address, text, .. }) => format!("({address}|{text})"),
            })
            .collect()
    }

    #[test]
    fn the_title_is_the_first_heading_unless_the_front_matter_says_otherwise() {
        assert_eq!(Document::parse("text\n\n## `a` & *b*\n").title().as_deref(), Some("a & b"));
        assert_eq!(Document::parse("---\ntitle: \"Mine\"\n---\n# Other\n").title().as_deref(), Some("Mine"));
        assert_eq!(Document::parse("no heading").title(), None);
        assert!(!render("---\ntitle: x\n---\nText", &[]).contains("title"));
    }

    #[test]
    fn headings_have_unique_ids_and_anchors() {
        let html = render("# One\n# One\n## \"Two\" <b>&\n", &[]);
        assert!(html.contains("<h1 id=\"one\">One<a class=\"anchor\" href=\"#one\""), "{html}");
        assert!(html.contains("<h1 id=\"one-1\">"), "{html}");
        assert!(html.contains("aria-label=\"Link to &quot;Two&quot; &amp;\""), "{html}");
    }

    #[test]
    fn twenty_thousand_headings_take_no_longer_than_their_length() {
        let source = "# A\n".repeat(20_000);
        let began = std::time::Instant::now();
        assert!(render(&source, &[]).contains("<h1 id=\"a-19999\">"));
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn links_are_changed_wherever_they_are() {
        let source = "[a](x.md#y) ![i](i.png) <a href=\"x.md#y\">b</a> [c][ref]\n\n[ref]: z.md\n\n<img src='i.png'>\n";
        assert_eq!(Document::parse(source).links(), ["x.md#y", "i.png", "z.md"]);
        let html = render(source, &[("x.md#y", "x.html#y"), ("z.md", "z.html?a&b")]);
        assert!(html.contains("<a href=\"x.html#y\">a</a>"), "{html}");
        assert!(html.contains("<a href=\"x.html#y\">b</a>"), "{html}");
        assert!(html.contains("<a href=\"z.html?a&amp;b\">c</a>"), "{html}");
        assert!(html.contains("<img src='i.png'>"), "{html}");
    }

    #[test]
    fn pictures_come_as_parts_of_their_own_with_the_link_that_they_are_in() {
        let source = "a ![*b* `c`\nd ![<e>](f)](g.jpg \"h\") [![](g.jpg) i](j.md) k [l](m.md) ![n](o.png)\n";
        let picture = |destination: &str, address: &str, text: &str, title: Option<&str>, link: Option<&str>| {
            let [destination, address, text] = [destination, address, text].map(str::to_owned);
            Part::Picture(Picture {
                destination,
                address,
                text,
                title: title.map(str::to_owned),
                link: link.map(str::to_owned),
            })
        };
        let html = |html: &str| Part::Html(html.to_owned());
        let links =
            HashMap::from([("g.jpg".to_owned(), "../g.jpg".to_owned()), ("j.md".to_owned(), "j.html".to_owned())]);
        assert_eq!(
            Document::parse(source).render(&links),
            [
                html("<p>a "),
                picture("g.jpg", "../g.jpg", "b c d <e>", Some("h"), None),
                html(" <a href=\"j.html\">"),
                picture("g.jpg", "../g.jpg", "", None, Some("j.md")),
                html(" i</a> k <a href=\"m.md\">l</a> "),
                picture("o.png", "o.png", "n", None, None),
                html("</p>\n"),
            ]
        );
    }

    #[test]
    fn code_comes_as_parts_of_its_own_even_in_lists() {
        let html = render("* a\n\n  ```rust,ignore\n  <x>\n  ```\n\n      plain\n", &[]);
        assert_eq!(html, "<ul>\n<li>\n<p>a</p>\n[rust|<x>\n][|plain\n]</li>\n</ul>\n");
    }

    #[test]
    fn tables_tasks_footnotes_strikes_and_alerts_are_rendered() {
        let html = render(
            "|a|b|\n|-|-:|\n|1|2|\n\n- [x] done\n\n~~old~~ text[^n] and [^n] again[^m]\n\n[^n]: the *note*\n\n[^m]: more\n\n> [!NOTE]\n> mind\n",
            &[],
        );
        for expected in [
            "<div class=\"table\" tabindex=\"0\"><table>",
            "</table>\n</div>",
            "<td style=\"text-align: right\">2</td>",
            "type=\"checkbox\" checked=\"\"",
            "<del>old</del>",
            "<a href=\"#note:1\" id=\"note-from:1\">1</a>",
            "<a href=\"#note:1\">1</a></sup> again",
            "<li id=\"note:1\">\n<p>the <em>note</em></p>",
            "<li id=\"note:2\">",
            "markdown-alert-note",
        ] {
            assert!(html.contains(expected), "{expected} is missing in {html}");
        }
    }

    #[test]
    fn text_is_escaped_and_raw_html_is_the_authors() {
        let html = render("1 < 2 & \"3\" `<script>` <i>mine</i>", &[]);
        assert!(html.contains("1 &lt; 2 &amp;"), "{html}");
        assert!(html.contains("<code>&lt;script&gt;</code> <i>mine</i>"), "{html}");
    }
}
