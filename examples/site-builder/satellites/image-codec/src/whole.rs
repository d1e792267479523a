//! Whether a JPEG file is there to its end.

/// The library decodes what there is of a file that was cut off, and leaves the rest grey. That is no picture to show, so somebody has
/// to look for the end: it follows after the last scan, and is not to be confused with the end of a preview inside of a segment.
pub(crate) fn is_whole(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    loop {
        // Between segments, and after the compressed bytes of a scan, there is a marker, which bytes of 0xff may precede.
        let Some(at) = rest.windows(2).position(|two| two[0] == 0xff && !matches!(two[1], 0 | 0xff | 0xd0..=0xd7))
        else {
            return false;
        };
        let (marker, after) = (rest[at + 1], &rest[at + 2..]);
        if marker == 0xd9 {
            return true;
        }
        let Some(segment) = after.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length))) else {
            return false;
        };
        let Some(next) = after.get(segment..) else { return false };
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn the_end_of_a_preview_is_not_the_end() {
        let scan = [0xff, 0xda, 0, 3, 1, 7, 0xff, 0, 7, 0xff, 0xd0, 7];
        let preview = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let jpeg = [&[0xff, 0xd8][..], &preview, &scan, &scan, &[0xff, 0xff, 0xd9, 1, 2, 3]].concat();
        assert!(is_whole(&jpeg));
        for length in 0..jpeg.len() - 3 {
            assert!(!is_whole(&jpeg[..length]), "{length}");
        }
    }
}
