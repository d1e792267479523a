//! Text in a picture: what may stand there, how wide it is, and where it breaks.

/// What cannot be seen or would move the text around it, apart from control characters, which are escaped: marks that turn
/// the direction of writing, and what XML has no room for.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// A stranger's text as one line in which everything can be seen.
pub(super) fn visible(text: &str) -> String {
    let line = crate::interface::in_one_line(text);
    line.chars().map(|c| if is_invisible(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// How wide a line is at this size of letters. Nobody knows in which font it will be shown; this is the widest that is
/// usual for `sans-serif`, so that text does not reach beyond its box.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The width of a character, as a part of the font's size.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '\'' | '.' | ',' | ':' | ';' | '|' | '!' | ' ' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '"' => 0.44,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 1.0,
        'A'..='Z' | '+' | '<' | '=' | '>' | '~' | '#' | '&' => 0.8,
        c if c.is_ascii() => 0.64,
        // Letters of Europe and its neighbours; beyond them are the wide ones of East Asia, and pictures.
        c if u32::from(c) < 0x1100 => 0.85,
        _ => 1.3,
    }
}

/// The beginning of a line that fits, with a mark if anything is left out.
pub(super) fn shortened(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let room = room - width("…", size);
    text[..fitting(text, size, room)].trim_end().to_owned() + "…"
}

/// At most so many lines that fit, broken at spaces, and long words after marks in them. The last one has a mark if anything is
/// left out.
pub(super) fn wrapped(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if lines.len() + 1 == most {
            lines.push(shortened(rest, size, room));
            break;
        }
        let fits = fitting(rest, size, room);
        let at = match rest[fits..].chars().next() {
            None | Some(' ') => fits,
            Some(_) => {
                let fitting = &rest[..fits];
                let after = |marks: &[char]| fitting.rfind(marks).map(|at| at + 1);
                fitting.rfind(' ').or_else(|| after(&['/'])).or_else(|| after(&[':', '-', '_', '.'])).unwrap_or(fits)
            }
        };
        // At least one character, however little room there is.
        let at = at.max(rest.chars().next().map_or(0, char::len_utf8));
        lines.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    lines
}

/// How many bytes of the text fit.
fn fitting(text: &str, size: f64, room: f64) -> usize {
    let mut wide = 0.0;
    for (at, c) in text.char_indices() {
        wide += em(c) * size;
        if wide > room {
            return at;
        }
    }
    text.len()
}
