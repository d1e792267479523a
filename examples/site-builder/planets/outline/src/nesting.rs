//! How headings nest.

/// How many headings at the beginning are the text's title: 1 if the first one stands above all others, else 0.
pub(crate) fn title(levels: &[u8]) -> usize {
    match levels {
        [] => 0,
        [first, rest @ ..] => usize::from(rest.iter().all(|level| level > first)),
    }
}

/// How deep each heading is inside others. Levels that an author skips do not count.
pub(crate) fn depths(levels: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut open: Vec<u8> = Vec::new();
    levels
        .map(|level| {
            while open.last().is_some_and(|outer| *outer >= level) {
                open.pop();
            }
            open.push(level);
            open.len() as u8 - 1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_heading_above_all_others_is_the_title() {
        assert_eq!(title(&[]), 0);
        assert_eq!(title(&[1]), 1);
        assert_eq!(title(&[1, 2, 3, 2]), 1);
        assert_eq!(title(&[2, 2]), 0);
        assert_eq!(title(&[2, 3, 1]), 0);
    }

    #[test]
    fn skipped_levels_do_not_count() {
        assert_eq!(depths([2, 3, 3, 2].into_iter()), [0, 1, 1, 0]);
        assert_eq!(depths([2, 4, 6, 3, 2, 1].into_iter()), [0, 1, 2, 1, 0, 0]);
        assert_eq!(depths([].into_iter()), []);
    }

    #[test]
    fn each_depth_is_at_most_one_more_than_the_one_before() {
        for seed in 0..6_u32.pow(5) {
            let levels = (0..5).map(|digit| (seed / 6_u32.pow(digit) % 6) as u8 + 1);
            let depths = depths(levels);
            assert_eq!(depths[0], 0);
            assert!(depths.windows(2).all(|pair| pair[1] <= pair[0] + 1));
        }
    }
}
