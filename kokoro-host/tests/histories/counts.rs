//! How much has been tried.

use std::collections::BTreeMap;
use std::fmt;

/// What was done so far, for the closing line.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub histories: usize,
    /// Those that were given up at a call of which the model cannot tell what comes.
    pub cut_short: usize,
    pub steps: usize,
    pub operations: BTreeMap<&'static str, usize>,
    pub starts: usize,
    pub failed_starts: usize,
    pub stops: usize,
    pub lost: usize,
    pub refused: usize,
    pub running: usize,
    pub waiting: usize,
    pub failed: usize,
}

impl Counts {
    pub fn add(&mut self, more: &Self) {
        self.histories += more.histories;
        self.cut_short += more.cut_short;
        self.steps += more.steps;
        for (operation, count) in &more.operations {
            *self.operations.entry(operation).or_default() += count;
        }
        self.starts += more.starts;
        self.failed_starts += more.failed_starts;
        self.stops += more.stops;
        self.lost += more.lost;
        self.refused += more.refused;
        self.running += more.running;
        self.waiting += more.waiting;
        self.failed += more.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations: Vec<String> = self.operations.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let all = (self.running + self.waiting + self.failed).max(1);
        let percent = |count: usize| count * 100 / all;
        write!(
            f,
            "{} histories ({} of them cut short) of {} steps: {}; {} reloads were refused; {} instances began, {} of them failed to; {} were told to \
             stop, {} ended in an error; after each step {} % ran, {} % waited, {} % had failed",
            self.histories,
            self.cut_short,
            self.steps,
            operations.join(", "),
            self.refused,
            self.starts,
            self.failed_starts,
            self.stops,
            self.lost,
            percent(self.running),
            percent(self.waiting),
            percent(self.failed)
        )
    }
}
