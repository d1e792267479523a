//! What a link says of where it leads.

/// A link as it is written in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// To another site, or to a mail program.
    Elsewhere,
    /// To a heading of the page that it is on.
    SamePage { heading: Option<String> },
    /// To a page or a file of this site, and perhaps to a heading there.
    Inside { heading: Option<String> },
}

impl Link {
    pub(crate) fn parse(link: &str) -> Self {
        let scheme = link.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        });
        if scheme || link.starts_with("//") || link.is_empty() {
            return Self::Elsewhere;
        }
        // What is encoded in a heading's name is left alone: it may be one of a notation that is not Markdown's.
        let heading = link.split_once('#').map(|(_, heading)| heading);
        let heading = heading.filter(|heading| !heading.is_empty() && !heading.contains('%')).map(str::to_owned);
        if link.starts_with('#') { Self::SamePage { heading } } else { Self::Inside { heading } }
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn links_say_where_they_lead() {
        let heading = Some("x".to_owned());
        for (link, expected) in [
            ("https://a/b.md", Link::Elsewhere),
            ("mailto:a@b", Link::Elsewhere),
            ("//a/b", Link::Elsewhere),
            ("#x", Link::SamePage { heading: heading.clone() }),
            ("#", Link::SamePage { heading: None }),
            ("a.md#x", Link::Inside { heading }),
            ("a.md", Link::Inside { heading: None }),
            ("a.md#%20", Link::Inside { heading: None }),
        ] {
            assert_eq!(Link::parse(link), expected, "{link}");
        }
    }
}
