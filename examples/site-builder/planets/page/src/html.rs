//! Text as HTML wants it.

/// Text between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

/// The address of one file of the site in a page of it, ready for a quoted attribute.
pub(crate) fn address(from: &str, to: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut up: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    let mut down: Vec<&str> = to.split('/').collect();
    let same = up.iter().zip(&down[..down.len() - 1]).take_while(|(a, b)| a == b).count();
    up.drain(..same);
    down.drain(..same);
    let mut address = "../".repeat(up.len());
    if address.is_empty() && down[0].contains(':') {
        address.push_str("./");
    }
    for (number, name) in down.iter().enumerate() {
        if number > 0 {
            address.push('/');
        }
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'+' | b',' | b'@' | b':' => {
                    address.push(byte as char);
                }
                _ => address.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_and_encoded() {
        for (from, to, expected) in [
            ("index.html", "a.html", "a.html"),
            ("index.html", "b/c.html", "b/c.html"),
            ("b/c.html", "index.html", "../index.html"),
            ("b/c.html", "b/d.html", "d.html"),
            ("b/c/d.html", "b/e/f.html", "../e/f.html"),
            ("b/c.html", "b/c.html", "c.html"),
            ("b/b.html", "b.html", "../b.html"),
            ("index.html", "a b#\"<é>.html", "a%20b%23%22%3C%C3%A9%3E.html"),
            ("index.html", "javascript:x.html", "./javascript:x.html"),
        ] {
            assert_eq!(address(from, to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn nothing_ends_an_attribute_or_begins_a_tag() {
        assert_eq!(escape("<a title=\"'&\">"), "&lt;a title=&quot;&#39;&amp;&quot;&gt;");
    }
}
