//! Reads and renders Markdown.

mod document;
mod slug;

use document::Document;

kokoro_guest::planet! {
    state: Markdown,
    exports: ["site:content/markdown@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Markdown;

impl markdown::Guest for Markdown {
    fn inspect(&mut self, source: String) -> Result<markdown::Summary, String> {
        let document = Document::parse(&source);
        Ok(markdown::Summary {
            title: document.title(),
            headings: document
                .headings()
                .iter()
                .map(|heading| markdown::Heading {
                    level: heading.level,
                    id: heading.id.clone(),
                    text: heading.text.clone(),
                })
                .collect(),
            links: document.links(),
        })
    }

    fn render(&mut self, source: String, links: Vec<markdown::Link>) -> Result<Vec<markdown::Part>, String> {
        let links = links.into_iter().map(|link| (link.destination, link.address)).collect();
        let parts = Document::parse(&source).render(&links).into_iter().map(|part| match part {
            document::Part::Html(html) => markdown::Part::Html(html),
            document::Part::Code { language, text } => markdown::Part::Code(markdown::CodeBlock { language, text }),
            document::Part::Picture(picture) => markdown::Part::Picture(markdown::Picture {
                destination: picture.destination,
                address: picture.address,
                text: picture.text,
                title: picture.title,
                link: picture.link,
            }),
        });
        Ok(parts.collect())
    }
}
