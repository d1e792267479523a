//! How much memory a Planet may have and how long things may take.

use std::time::Duration;

/// What one Planet (plugin) may use up. The defaults suit plugins of a desktop program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of linear memory, over all memories of one Planet. Default: 1 GiB.
    ///
    /// An allocation beyond it fails inside the Planet, as it does on a machine without memory. Tables count as well,
    /// and so does what one call passes from Planet to Planet: there each byte of a `list<u8>` takes 40.
    pub memory: usize,
    /// How long a call from the application may take, with all calls that it leads to, unless it says otherwise
    /// itself. Default: 30 seconds.
    pub call: Duration,
    /// How long a Planet's instantiation and `start` may take. Default: 30 seconds.
    pub start: Duration,
    /// How long a Planet's `stop` may take. Default: 5 seconds.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            call: Duration::from_secs(30),
            start: Duration::from_secs(30),
            stop: Duration::from_secs(5),
        }
    }
}

/// By how much a nested call's deadline comes before its caller's, so that the innermost Planet is the first to be late
/// and its caller has time left to deal with that: a sixteenth of the time left, at least 1 and at most 50 milliseconds.
pub(crate) fn margin(left: Duration) -> Duration {
    (left / 16).clamp(Duration::from_millis(1), Duration::from_millis(50))
}
