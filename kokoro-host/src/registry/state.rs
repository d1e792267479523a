//! Where a Planet is in its life, and why.

use std::fmt;

use serde::Serialize;

/// Where a Planet (plugin) is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// A required dependency is missing.
    Waiting,
    /// It is being instantiated, or its `start` runs: for the first time or anew.
    Starting,
    /// It answers calls.
    Running,
    /// Its `stop` runs.
    Stopping,
    /// It has been stopped.
    Gone,
    /// It ended in an error, or could not be loaded or started.
    Failed,
    /// The application does not let it in.
    Refused,
}

impl State {
    /// Whether the life of a Planet can go on from here to `next`.
    pub(super) fn may_become(self, next: State) -> bool {
        use State::*;
        matches!(
            (self, next),
            (Waiting, Starting)
                | (Starting, Running | Stopping)
                | (Running, Stopping | Starting)
                | (Stopping, Gone | Waiting)
                | (Failed, Starting | Waiting)
                | (Waiting | Starting | Failed | Refused, Gone)
                | (_, Failed)
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Gone => "gone",
            Self::Failed => "failed",
            Self::Refused => "refused",
        })
    }
}

/// Why a Planet does not run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    /// One sentence.
    pub(crate) sentence: String,
    /// The same with everything that helps, on several lines.
    pub(crate) details: String,
}

impl<T: Into<String>> From<T> for Reason {
    /// The first line is the sentence.
    fn from(text: T) -> Self {
        let details = text.into();
        Self { sentence: details.lines().next().unwrap_or_default().to_owned(), details }
    }
}

#[cfg(test)]
mod tests {
    use super::State::*;

    #[test]
    fn a_life_goes_forward_or_fails() {
        for (from, to, legal) in [
            (Waiting, Starting, true),
            (Starting, Running, true),
            (Starting, Failed, true),
            (Running, Starting, true),
            (Running, Stopping, true),
            (Stopping, Gone, true),
            (Stopping, Waiting, true),
            (Failed, Starting, true),
            (Waiting, Running, false),
            (Running, Waiting, false),
            (Gone, Starting, false),
        ] {
            assert_eq!(from.may_become(to), legal, "{from} -> {to}");
        }
    }
}
