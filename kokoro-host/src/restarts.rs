//! How often, and when, a Planet that ended in an error is started anew.

use std::fmt;
use std::time::{Duration, Instant};

/// How a Planet (plugin) whose instance ended in an error is started anew.
///
/// The first restart comes after [`pause`](Restarts::pause), each further one after twice as long. Who has used up its restarts
/// is `failed`. An instance that was lost with a call that it had made, to a Planet that failed, is started anew at once; so is
/// one whose call the application cancelled, or whose call had waited for most of its time and left it less than a second. They
/// pay nothing. (If it cannot even start because of others, that is tried as often
/// as there are restarts.)
///
/// A Planet's Satellites (native child processes) are started anew by the same rules, at the next call. Their restarts are counted over
/// all instances of the Planet; a load, a reload or [`Primary::restart`](crate::Primary::restart) renews them.
///
/// The same holds for Satellites, each by itself: the call after one that ended starts it anew, and waits for the pause.
///
/// ```
/// use std::time::Duration;
///
/// let mut restarts = kokoro_host::Restarts::default();
/// restarts.limit = 3;
/// restarts.healthy = Duration::from_secs(600);
/// restarts.calls_wait = false;
/// let builder = kokoro_host::Primary::builder().restarts(restarts);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restarts {
    /// How many there may be. Default: 5.
    pub limit: u32,
    /// How long the first one is waited for. Default: 100 milliseconds.
    pub pause: Duration,
    /// How long one is waited for at the most. Default: 30 seconds.
    pub longest_pause: Duration,
    /// Whoever has run that long has all its restarts again. Default: one minute.
    pub healthy: Duration,
    /// Whether calls wait meanwhile, until their deadline, or fail at once. Default: they wait.
    pub calls_wait: bool,
}

impl Restarts {
    /// No restarts: who ends in an error is `failed`.
    #[must_use]
    pub fn none() -> Self {
        Self { limit: 0, ..Self::default() }
    }

    fn pause_before(&self, restart: u32) -> Duration {
        let factor = 2u32.checked_pow(restart.saturating_sub(1)).unwrap_or(u32::MAX);
        self.pause.checked_mul(factor).unwrap_or(self.longest_pause).min(self.longest_pause)
    }
}

impl Default for Restarts {
    fn default() -> Self {
        Self {
            limit: 5,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(30),
            healthy: Duration::from_secs(60),
            calls_wait: true,
        }
    }
}

/// Who was executing for that long is late, however long the call had waited before.
const TIME_ENOUGH: Duration = Duration::from_secs(1);

/// Whether who has executed a call for so long, and is late, had the time to answer. Not so for who had little time left, and less than
/// the call had waited for.
pub(crate) fn had_time(executed: Duration, waited: Duration) -> bool {
    executed > waited || executed >= TIME_ENOUGH
}

/// How often one Planet has ended in an error, and what was made of that.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// How many restarts it has paid for since it was last healthy.
    paid: u32,
    /// How many starts in a row have failed because of others.
    unpaid_starts: u32,
    ends: Vec<PastEnd>,
}

#[derive(Debug, Clone)]
struct PastEnd {
    when: Instant,
    reason: String,
}

/// How many ends are remembered: the last ones.
const REMEMBERED: usize = 16;

/// What is to be done about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Start it anew, after this pause.
    Restart(Duration),
    GiveUp,
}

impl History {
    /// Notes that an instance has ended `now`, which had run since `began` (if its start was over), and says what is to be done.
    pub(crate) fn ended(
        &mut self,
        restarts: &Restarts,
        reason: &str,
        began: Option<Instant>,
        now: Instant,
        pays: bool,
    ) -> Verdict {
        if began.is_some_and(|began| now.saturating_duration_since(began) >= restarts.healthy) {
            self.paid = 0;
            self.ends.clear();
        }
        if self.ends.len() == REMEMBERED {
            self.ends.remove(0);
        }
        self.ends.push(PastEnd { when: now, reason: reason.to_owned() });
        match (pays, began) {
            (true, _) => {
                self.unpaid_starts = 0;
                self.paid += 1;
            }
            (false, Some(_)) => self.unpaid_starts = 0,
            // Others are to blame, but to try it for ever would do them no good.
            (false, None) => self.unpaid_starts += 1,
        }
        if restarts.limit == 0 || self.paid > restarts.limit || self.unpaid_starts > restarts.limit {
            return Verdict::GiveUp;
        }
        Verdict::Restart(match (pays, self.unpaid_starts) {
            (true, _) => restarts.pause_before(self.paid),
            (false, 0) => Duration::ZERO,
            (false, starts) => restarts.pause_before(starts),
        })
    }

    /// What happened, for people: a sentence for each end, with how long before `now` it was.
    pub(crate) fn told(&self, now: Instant) -> impl Iterator<Item = String> {
        self.ends.iter().map(move |end| format!("{} ago: {}", Ago(now.saturating_duration_since(end.when)), end.reason))
    }
}

/// A span as people tell it.
struct Ago(Duration);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{} h", seconds / 3600),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn restarts() -> Restarts {
        Restarts { limit: 3, pause: SECOND, longest_pause: 3 * SECOND, healthy: 100 * SECOND, calls_wait: true }
    }

    #[test]
    fn pauses_grow_until_the_restarts_are_used_up() {
        let (mut history, now) = (History::default(), Instant::now());
        let verdicts: Vec<Verdict> =
            (0..4).map(|_| history.ended(&restarts(), "it trapped", Some(now), now, true)).collect();
        let pauses = [1, 2, 3].map(|seconds| Verdict::Restart(seconds * SECOND));
        assert_eq!(verdicts, [&pauses[..], &[Verdict::GiveUp]].concat());
        let told: Vec<String> = history.told(now + 130 * SECOND).collect();
        assert_eq!((told.len(), told[0].as_str()), (4, "2 min ago: it trapped"));
    }

    #[test]
    fn who_was_healthy_has_its_restarts_again() {
        let (mut history, now) = (History::default(), Instant::now());
        for _ in 0..10 {
            let verdict = history.ended(&restarts(), "it trapped", Some(now), now + 100 * SECOND, true);
            assert_eq!(verdict, Verdict::Restart(SECOND));
        }
    }

    #[test]
    fn who_was_lost_with_another_pays_nothing() {
        let (mut history, now) = (History::default(), Instant::now());
        for _ in 0..10 {
            let verdict = history.ended(&restarts(), "lost", Some(now), now, false);
            assert_eq!(verdict, Verdict::Restart(Duration::ZERO));
        }
        let verdicts: Vec<Verdict> = (0..4).map(|_| history.ended(&restarts(), "lost", None, now, false)).collect();
        let pauses = [1, 2, 3].map(|seconds| Verdict::Restart(seconds * SECOND));
        assert_eq!(verdicts, [&pauses[..], &[Verdict::GiveUp]].concat(), "but not for ever");
    }

    #[test]
    fn without_restarts_the_first_end_is_the_last() {
        let (mut history, now) = (History::default(), Instant::now());
        assert_eq!(history.ended(&Restarts::none(), "it trapped", Some(now), now, false), Verdict::GiveUp);
    }
}
