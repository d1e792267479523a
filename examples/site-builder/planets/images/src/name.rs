//! The names of the files that are made. They say all there is to know about them, so that nothing has to be made twice.

/// What of the original's name stays, in characters, so that a person can tell the files apart.
const STEM: usize = 32;

/// One of the versions of a picture, as its file's name tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    /// Which one it is, from 1, of how many.
    pub(crate) number: usize,
    pub(crate) of: usize,
    /// In pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) extension: String,
}

/// What the names of all versions of a picture begin with: `content` is the file `path`, and `making` is how versions are made. If
/// either becomes another, so do the names.
pub(crate) fn beginning(path: &str, content: &[u8], making: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let stem: String = stem.chars().take(STEM).map(plain).collect();
    let hash = blake3::Hasher::new_derive_key(making).update(content).finalize().to_hex();
    format!("{stem}-{}-", &hash[..16])
}

impl Name {
    /// The whole name.
    pub(crate) fn after(&self, beginning: &str) -> String {
        let Self { number, of, width, height, extension } = self;
        format!("{beginning}{number}of{of}-{width}x{height}.{extension}")
    }

    /// What a name says that has this beginning; none if it is none of ours.
    pub(crate) fn read(name: &str, beginning: &str) -> Option<Self> {
        let (rest, extension) = name.strip_prefix(beginning)?.split_once('.')?;
        let (numbers, size) = rest.split_once('-')?;
        let (number, of) = numbers.split_once("of")?;
        let (width, height) = size.split_once('x')?;
        Some(Self {
            number: number.parse().ok()?,
            of: of.parse().ok()?,
            width: width.parse().ok()?,
            height: height.parse().ok()?,
            extension: extension.to_owned(),
        })
    }
}

/// The versions of a picture that are there already, in order, if none is missing.
pub(crate) fn complete(names: &[String], beginning: &str) -> Option<Vec<Name>> {
    let mut found: Vec<Name> = names.iter().filter_map(|name| Name::read(name, beginning)).collect();
    found.sort_by_key(|name| name.number);
    let is_complete =
        !found.is_empty() && found.iter().enumerate().all(|(at, name)| name.number == at + 1 && name.of == found.len());
    is_complete.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize, of: usize) -> Name {
        Name { number, of, width: 480, height: 320, extension: "jpg".to_owned() }
    }

    #[test]
    fn a_name_tells_what_it_was_made_of() {
        let start = beginning("a/b/Ünder the_sea.JPG", b"fish", "1");
        assert_eq!(start.len(), "-nder-the-sea-0123456789abcdef-".len(), "{start}");
        assert!(start.starts_with("-nder-the-sea-"));
        assert_eq!(name(2, 3).after("sea-"), "sea-2of3-480x320.jpg");
        assert_eq!(Name::read(&name(2, 3).after(&start), &start), Some(name(2, 3)));
        for other in ["sea-2of3-480x320", "sea-of3-480x320.jpg", "see-2of3-480x320.jpg", "sea-2of3-480.jpg", "sea-"] {
            assert_eq!(Name::read(other, "sea-"), None, "{other}");
        }
        for other in [beginning("a/b/c.jpg", b"fishes", "1"), beginning("a/b/c.jpg", b"fish", "2")] {
            assert_ne!(other, beginning("a/b/c.jpg", b"fish", "1"));
        }
        assert_eq!(beginning(&"x".repeat(300), b"", "1").len(), STEM + 18);
    }

    #[test]
    fn versions_are_there_only_if_all_of_them_are() {
        let names =
            |these: &[(usize, usize)]| these.iter().map(|(n, of)| name(*n, *of).after("a-")).collect::<Vec<_>>();
        assert_eq!(complete(&names(&[(2, 2), (1, 2)]), "a-"), Some(vec![name(1, 2), name(2, 2)]));
        for some in [&[][..], &[(1, 2)], &[(2, 2)], &[(1, 1), (2, 2)], &[(1, 2), (2, 2), (2, 2)]] {
            assert_eq!(complete(&names(some), "a-"), None, "{some:?}");
        }
    }
}
