//! How much of what a Satellite says goes into the application's log.

use std::time::{Duration, Instant};

/// So many lines, and so many bytes of them, are let through in each [`WINDOW`].
const MOST_LINES: u64 = 4_000;
const MOST_BYTES: usize = 4 << 20;
const WINDOW: Duration = Duration::from_secs(1);

/// Bounds what goes into the log, and counts what does not.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the present window began, and what it has let through.
    began: Option<Instant>,
    lines: u64,
    bytes: usize,
    left_out: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It goes into the log, after a line that says how many were left out before it, if any were.
    Through {
        /// So many.
        left_out: u64,
    },
    LeftOut,
}

impl Rate {
    /// A line of so many bytes comes.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> Passage {
        if self.began.is_none_or(|began| now.saturating_duration_since(began) >= WINDOW) {
            (self.began, self.lines, self.bytes) = (Some(now), 0, 0);
        }
        if self.lines == MOST_LINES || self.bytes >= MOST_BYTES {
            self.left_out += 1;
            return Passage::LeftOut;
        }
        self.lines += 1;
        self.bytes += bytes;
        Passage::Through { left_out: std::mem::take(&mut self.left_out) }
    }

    /// Nothing more comes. Gives how many lines were left out, and nobody was told of.
    pub(super) fn end(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

/// A line instead of those that were left out.
pub(super) fn in_their_place(left_out: u64) -> String {
    let (lines, were) = if left_out == 1 { ("line", "was") } else { ("lines", "were") };
    format!("{left_out} {lines} {were} left out: at most {MOST_LINES} a second go into the log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let (mut rate, begin) = (Rate::default(), Instant::now());
        for _ in 0..MOST_LINES {
            assert_eq!(rate.take(begin, 10), Passage::Through { left_out: 0 });
        }
        for _ in 0..7 {
            assert_eq!(rate.take(begin + WINDOW / 2, 10), Passage::LeftOut);
        }
        assert_eq!(rate.take(begin + WINDOW, MOST_BYTES), Passage::Through { left_out: 7 });
        assert_eq!(rate.take(begin + WINDOW, 1), Passage::LeftOut);
        assert_eq!((rate.end(), rate.end()), (1, 0));
        assert_eq!(in_their_place(1), "1 line was left out: at most 4000 a second go into the log");
    }
}
