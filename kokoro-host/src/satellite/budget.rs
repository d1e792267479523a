//! How often a Satellite is started anew, and when.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::time::sleep_until;

use super::doing::Doing;
use super::failure::{Failure, Kind};
use super::seat::{Leases, Shared};
use super::span;
use crate::restarts::{History, Restarts, Verdict};

/// What is left to a Satellite that ends in errors: starts, each after a longer pause, and then none for a while.
#[derive(Debug, Default)]
pub(super) struct Budget {
    history: History,
    next: Next,
    /// How often it had been renewed.
    renewals: u64,
}

#[derive(Debug, Default)]
enum Next {
    #[default]
    AtOnce,
    At(Instant),
    /// Given up until then; none is for ever.
    GivenUp(Option<Instant>),
}

impl Budget {
    /// Waits until a process may be started.
    pub(super) async fn wait(
        &mut self,
        shared: &Shared,
        leases: Leases,
        before: Option<Arc<str>>,
        gone: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let (whose, now) = (&shared.whose, Instant::now());
        let stopped = || Failure::new(Kind::Absent, format!("{whose} is not started: its planet has ended"));
        if leases.count == 0 {
            return Err(stopped());
        }
        let renewals = shared.renewals.load(Ordering::Relaxed);
        if self.renewals != renewals {
            *self = Self { renewals, ..Self::default() };
        }
        match self.next {
            Next::At(when) if when > now && !shared.terms.restarts.calls_wait => {
                let sentence =
                    format!("{whose} has ended, and is not started anew within the next {}", span(when - now));
                return Err(self.told(Failure::new(Kind::Absent, sentence), now));
            }
            Next::At(when) if when > now => {
                let _pauses = shared.does(Doing::Pauses(before));
                tokio::select! {
                    () = sleep_until(when.into()) => {}
                    () = gone => return Err(stopped()),
                }
            }
            Next::At(_) => {}
            Next::GivenUp(until) if until.is_none_or(|until| until > now) => {
                let until = until.map(|until| format!(" within the next {}", span(until - now))).unwrap_or_default();
                let sentence = format!("{whose} has ended too often, and is not started anew{until}");
                return Err(self.told(Failure::new(Kind::Absent, sentence), now));
            }
            Next::GivenUp(_) => self.history = History::default(),
            Next::AtOnce => {}
        }
        Ok(())
    }

    /// Notes that a process has ended in an error; if it had begun: when, and when it ended. It `pays` for what was its own doing.
    pub(super) fn spend(
        &mut self,
        restarts: &Restarts,
        failure: &Failure,
        ran: Option<(Instant, Instant)>,
        pays: bool,
    ) {
        let (began, ended) = ran.map_or((None, Instant::now()), |(began, ended)| (Some(began), ended));
        self.next = match self.history.ended(restarts, failure.sentence(), began, ended, pays) {
            Verdict::Restart(pause) => Next::At(ended + pause),
            Verdict::GiveUp => Next::GivenUp(ended.checked_add(restarts.healthy)),
        };
    }

    fn told(&self, failure: Failure, now: Instant) -> Failure {
        self.history.told(now).fold(failure, Failure::detail)
    }
}
