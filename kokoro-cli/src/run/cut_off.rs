//! Whether a component ends before its end, as a file does that somebody is still writing.

/// Whether these bytes are the beginning of a WebAssembly file and more has to follow: the first sections of a component, and
/// not the whole of the last one. What is plainly none is not cut off, and more would not help it.
pub(super) fn is_cut_off(bytes: &[u8]) -> bool {
    const MAGIC: &[u8] = b"\0asm";
    const HEADER: usize = 8;
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return false;
    }
    let Some(mut rest) = bytes.get(HEADER..) else { return true };
    while let Some((_kind, after)) = rest.split_first() {
        let (size, body) = match size(after) {
            Size::Of(size, body) => (size, body),
            Size::CutOff => return true,
            Size::Malformed => return false,
        };
        match usize::try_from(size).ok().and_then(|size| body.get(size..)) {
            Some(after) => rest = after,
            None => return true,
        }
    }
    false
}

enum Size<'a> {
    /// The size, and what follows it.
    Of(u32, &'a [u8]),
    CutOff,
    Malformed,
}

/// A section's size: seven bits a byte, the lowest first, the highest bit set if more follow.
fn size(bytes: &[u8]) -> Size<'_> {
    const LONGEST: usize = 5;
    let mut size = 0;
    for (place, byte) in bytes.iter().take(LONGEST).enumerate() {
        size |= u32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Size::Of(size, &bytes[place + 1..]);
        }
    }
    if bytes.len() < LONGEST { Size::CutOff } else { Size::Malformed }
}

#[cfg(test)]
mod tests {
    use super::is_cut_off;

    #[test]
    fn a_component_is_whole_only_at_its_end() {
        // A size of more than one byte.
        let data = "0123456789".repeat(30);
        let text = format!(
            r#"(component
                (core module $m (memory (export "memory") 1) (data (i32.const 0) "{data}"))
                (core instance (instantiate $m)))"#
        );
        let component = wat::parse_str(text).expect("well-formed WAT");
        assert!(!is_cut_off(&component));
        // After a section it could be one with fewer of them.
        let whole = (0..component.len()).filter(|end| !is_cut_off(&component[..*end]));
        let whole: Vec<usize> = whole.collect();
        assert!(whole.first() == Some(&8) && whole.len() <= 3, "{whole:?} of {}", component.len());
    }

    #[test]
    fn what_is_none_is_not_cut_off() {
        assert!(is_cut_off(b""));
        assert!(is_cut_off(b"\0as"));
        assert!(!is_cut_off(b"\0as!"));
        assert!(!is_cut_off(b"hello"));
        assert!(!is_cut_off(b"\0asm\x0d\0\x01\0\x01\xff\xff\xff\xff\xff\x01"));
    }
}
