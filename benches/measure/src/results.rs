//! What has been measured.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Medians by case and way, and what failed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Results {
    /// Nanoseconds of one call.
    took: BTreeMap<String, BTreeMap<String, f64>>,
    /// Reasons.
    failed: BTreeMap<String, BTreeMap<String, String>>,
}

impl Results {
    pub(crate) fn took(&mut self, case: &str, way: &str, nanoseconds: f64) {
        self.took.entry(case.to_owned()).or_default().insert(way.to_owned(), nanoseconds);
    }

    pub(crate) fn failed(&mut self, case: &str, way: &str, reason: String) {
        self.failed.entry(case.to_owned()).or_default().insert(way.to_owned(), reason);
    }

    /// Nanoseconds of one call, if that way of doing it was measured and works.
    pub fn get(&self, case: &str, way: &str) -> Option<f64> {
        self.took.get(case)?.get(way).copied()
    }

    /// Why that way of doing it does not work, if it was tried and does not.
    pub fn failure(&self, case: &str, way: &str) -> Option<&str> {
        self.failed.get(case)?.get(way).map(String::as_str)
    }

    /// All that was measured by both.
    pub fn merge(&mut self, other: Self) {
        for (case, ways) in other.took {
            self.took.entry(case).or_default().extend(ways);
        }
        for (case, ways) in other.failed {
            self.failed.entry(case).or_default().extend(ways);
        }
    }

    /// Writes them into `file`.
    ///
    /// # Errors
    ///
    /// If that cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Those that `write` wrote.
    ///
    /// # Errors
    ///
    /// If `file` cannot be read, or is something else.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} holds no results", file.display()))
    }
}
