//! Colours code.

mod colour;
mod grammar;
mod words;

use colour::Spans;

kokoro_guest::planet! {
    state: Highlight,
    exports: ["site:content/highlight@0.1.0"],
    wit: "../../wit",
}

/// The grammars are unpacked when the first block of code comes that needs them, not when the Planet starts.
#[derive(Default)]
struct Highlight {
    grammars: Option<grammar::Grammars>,
}

impl highlight::Guest for Highlight {
    fn render(&mut self, block: highlight::CodeBlock) -> Result<Option<String>, String> {
        let Some(language) = block.language else { return Ok(None) };
        let mut spans = Spans::default();
        let known = match words::language(&language) {
            Some(language) => {
                words::colour(language, &block.text, &mut spans);
                true
            }
            None => self.grammars.get_or_insert_with(grammar::Grammars::unpack).colour(
                &language,
                &block.text,
                &mut spans,
            )?,
        };
        Ok(known.then(|| spans.into_html()))
    }

    fn stylesheet(&mut self) -> Result<String, String> {
        Ok(colour::STYLESHEET.to_owned())
    }
}
