//! What has a colour, and how that is written in HTML and CSS.

/// A kind of thing that has a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Colour {
    Comment,
    Keyword,
    Text,
    Constant,
    Function,
    Type,
    Attribute,
    Deleted,
    Inserted,
}

impl Colour {
    fn class(self) -> &'static str {
        match self {
            Self::Comment => "hl-comment",
            Self::Keyword => "hl-keyword",
            Self::Text => "hl-string",
            Self::Constant => "hl-constant",
            Self::Function => "hl-function",
            Self::Type => "hl-type",
            Self::Attribute => "hl-attribute",
            Self::Deleted => "hl-deleted",
            Self::Inserted => "hl-inserted",
        }
    }
}

/// The rules for all classes.
pub(crate) const STYLESHEET: &str = include_str!("highlight.css");

/// Collects code, piece by piece, as HTML.
#[derive(Default)]
pub(crate) struct Spans {
    html: String,
    open: Option<Colour>,
    /// The blanks at the end, which belong to the next piece if that has the same colour.
    blanks: String,
}

impl Spans {
    /// Adds a piece of code. Neighbours of one colour share an element, and so do those that only blanks separate.
    pub(crate) fn add(&mut self, colour: Option<Colour>, code: &str) {
        let words = code.trim_end();
        if !words.is_empty() {
            if colour == self.open {
                self.html.push_str(&std::mem::take(&mut self.blanks));
            } else {
                self.close();
                if let Some(colour) = colour {
                    self.html.push_str("<span class=\"");
                    self.html.push_str(colour.class());
                    self.html.push_str("\">");
                }
                self.open = colour;
            }
            for c in words.chars() {
                match c {
                    '&' => self.html.push_str("&amp;"),
                    '<' => self.html.push_str("&lt;"),
                    '>' => self.html.push_str("&gt;"),
                    _ => self.html.push(c),
                }
            }
        }
        self.blanks.push_str(&code[words.len()..]);
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.html.push_str("</span>");
        }
        self.html.push_str(&std::mem::take(&mut self.blanks));
    }

    pub(crate) fn into_html(mut self) -> String {
        self.close();
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_colour_share_an_element() {
        let mut spans = Spans::default();
        spans.add(Some(Colour::Keyword), "pub");
        spans.add(None, " ");
        spans.add(Some(Colour::Keyword), "fn");
        spans.add(None, " a<T>(&b)");
        assert_eq!(spans.into_html(), "<span class=\"hl-keyword\">pub fn</span> a&lt;T&gt;(&amp;b)");
    }

    #[test]
    fn every_class_has_a_rule() {
        use Colour::*;
        for colour in [Comment, Keyword, Text, Constant, Function, Type, Attribute, Deleted, Inserted] {
            assert!(STYLESHEET.contains(&format!(".{} ", colour.class())), "{colour:?}");
        }
    }
}
