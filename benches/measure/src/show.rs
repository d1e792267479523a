//! Results as people read them, in Markdown.

use std::fmt::Write as _;

use crate::{CASES, Case, Results};

/// A span with three digits.
pub fn time(nanoseconds: f64) -> String {
    let units = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    let fitting = units.iter().rev().find(|(_, size)| nanoseconds >= *size);
    let (unit, size) = fitting.unwrap_or(&units[0]);
    format!("{} {unit}", digits(nanoseconds / size))
}

/// A ratio with at least two digits.
pub fn factor(ratio: f64) -> String {
    digits(ratio)
}

fn digits(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        10.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// A table with a row for each case that was measured, and a column for each of `ways` (name and title). What does not work has a
/// number that refers to the reason below.
pub fn table(results: &Results, ways: &[(&str, &str)]) -> String {
    table_of(&CASES, results, ways)
}

/// The same for other cases.
pub fn table_of(cases: &[Case], results: &Results, ways: &[(&str, &str)]) -> String {
    let mut text = String::from("| there and back |");
    let mut line = String::from("|---|");
    for (_, title) in ways {
        // Writing into a string cannot fail.
        let _ = write!(text, " {title} |");
        line.push_str("--:|");
    }
    let _ = write!(text, "\n{line}\n");
    let mut notes: Vec<&str> = Vec::new();
    for case in cases {
        if ways.iter().all(|(way, _)| results.get(case.name, way).is_none()) {
            continue;
        }
        let _ = write!(text, "| {} |", case.title);
        for (way, _) in ways {
            let cell = match (results.get(case.name, way), results.failure(case.name, way)) {
                (Some(took), _) => time(took),
                (None, Some(reason)) => {
                    let known = notes.iter().position(|note| *note == reason);
                    let number = known.unwrap_or_else(|| {
                        notes.push(reason);
                        notes.len() - 1
                    });
                    format!("fails ({})", number + 1)
                }
                (None, None) => "-".to_owned(),
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    for (number, note) in notes.iter().enumerate() {
        let _ = write!(text, "\n({}) {}", number + 1, note.lines().next().unwrap_or_default());
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ratios_have_three_digits() {
        assert_eq!(time(0.4), "0.40 ns");
        assert_eq!(time(12.34), "12.3 ns");
        assert_eq!(time(999.4), "999 ns");
        assert_eq!(time(1_180_000.0), "1.18 ms");
        assert_eq!(factor(1061.2), "1061");
    }

    #[test]
    fn what_fails_has_its_reason_below_the_table() {
        let mut results = Results::default();
        results.took("add", "one", 12.0);
        results.failed("add", "two", "too large\nindeed".to_owned());
        let expected =
            "| there and back | One | Two |\n|---|--:|--:|\n| two `u32` | 12.0 ns | fails (1) |\n\n(1) too large\n";
        assert_eq!(table(&results, &[("one", "One"), ("two", "Two")]), expected);
    }
}
