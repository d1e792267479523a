//! How much Planets may use up and how long things may take.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What Planets (plugins) may use up. The defaults suit plugins of a desktop program. They are the same for all Planets of a Primary.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of linear memory, over all memories of one Planet. Default: 1 GiB.
    ///
    /// An allocation beyond it fails inside the Planet, as it does on a machine without memory. Tables count as well.
    pub memory: usize,
    /// Bytes of linear memory and tables over all Planets of one Primary together. Default: none, no limit.
    pub total_memory: Option<usize>,
    /// Elements of tables, over all tables of one Planet. Default: 1,000,000.
    pub table_elements: usize,
    /// Core instances inside of one Planet, and as many memories and tables. Default: 1,000.
    pub instances: usize,
    /// Handles of resources that one Planet may have at a time: of its own, of WASI, of the application and of other Planets
    /// together. Default: 10,000. (Of WASI alone, 1,024 are the most, since the host has memory in each.)
    pub handles: usize,
    /// How large the arguments or the results of one call may be, when they leave a Planet, in bytes. Default: 1 GiB.
    ///
    /// Between Planets, and where the application passes handles, these are the bytes of the self-contained form
    /// ([`kokoro_value`]), in which a byte of a `list<u8>` is one byte: such a call fails, and the Planet that passed or answered too
    /// much goes on, unless it is the caller and the function's type has no room for the failure. For typed handles, functions that
    /// the application serves and [`Function`](crate::dynamic::Function) they are bytes of the host's memory, and a Planet that
    /// exceeds them ends: there a byte of a `list<u8>` takes 1, and 40 for `Function`. It counts for no other limit.
    pub value: usize,
    /// How many calls may wait for one Planet at a time. Default: 10,000.
    pub waiting_calls: usize,
    /// How long the application may take to decide whether a Planet is let in. Default: 10 minutes, since a person may be
    /// asked.
    pub admission: Duration,
    /// How long a call from the application may take, with all calls that it leads to, unless it says otherwise
    /// itself. Default: 30 seconds.
    pub call: Duration,
    /// How long a Planet's instantiation and `start` may take, and its `restore` in a reload; and how long a Satellite has until it has
    /// said what it serves. Default: 30 seconds.
    pub start: Duration,
    /// How long a Planet's `stop` may take, and its `save` in a reload. A shutdown waits as long for the calls in flight before
    /// that. Default: 5 seconds.
    pub stop: Duration,
    /// How long an unload, a reload or a restart waits for calls in flight, and for those who hold the Planet as an option. After
    /// that reload and restart give up; an unload does not: a call that is still executed goes on to its deadline, and is the
    /// last one, without a `stop`. Default: 10 seconds.
    pub drain: Duration,
    /// How long a call may still take after the application has cancelled it; and how long a Satellite has to give up a call that nobody
    /// waits for, and to end when it is asked to. After that it is killed. Default: 1 second.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            total_memory: None,
            table_elements: 1_000_000,
            instances: 1_000,
            handles: 10_000,
            value: 1 << 30,
            waiting_calls: 10_000,
            admission: Duration::from_secs(10 * 60),
            call: Duration::from_secs(30),
            start: Duration::from_secs(30),
            stop: Duration::from_secs(5),
            drain: Duration::from_secs(10),
            grace: Duration::from_secs(1),
        }
    }
}

/// The memory of all Planets of one Primary.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `bytes` of what is left, if there is that much.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// By how much a nested call's deadline comes before its caller's, so that the innermost Planet is the first to be late
/// and its caller has time left to deal with that: a sixteenth of the time left, at least 1 and at most 250 milliseconds.
pub(crate) fn margin(left: Duration) -> Duration {
    (left / 16).clamp(Duration::from_millis(1), Duration::from_millis(250))
}
