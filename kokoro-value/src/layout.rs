//! The sizes that do not follow from one type alone.

/// How many bytes the discriminant of a variant, enum, option or result with this many cases takes: 1, 2 or 4.
///
/// As in the component model: the smallest that can tell them apart.
pub const fn discriminant_size(cases: usize) -> usize {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// How many bytes flags with this many labels take: 1 for up to 8, 2 for up to 16, and else 4 for each 32 that are begun.
///
/// As in the component model. WIT has no flags without labels; they would take none.
pub const fn flags_size(labels: usize) -> usize {
    match labels {
        0 => 0,
        1..=8 => 1,
        9..=16 => 2,
        _ => 4 * labels.div_ceil(32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_where_the_component_model_says() {
        let discriminants = [1, 256, 257, 65536, 65537].map(discriminant_size);
        assert_eq!(discriminants, [1, 1, 2, 2, 4]);
        let flags = [0, 1, 8, 9, 16, 17, 32, 33, 64, 65].map(flags_size);
        assert_eq!(flags, [0, 1, 1, 2, 2, 4, 4, 8, 8, 12]);
    }
}
