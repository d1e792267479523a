//! How far a call has come, as its caller and the Satellite's side both know it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::running::Running;
use crate::restarts::had_time;

/// A call of a Satellite. Who makes it keeps this, and hears by it how far it came when it is given up.
#[derive(Debug)]
pub(crate) struct Progress {
    made: Instant,
    deadline: Instant,
    stage: Mutex<Stage>,
}

#[derive(Debug, Default)]
struct Stage {
    /// By whom it is executed, and since when.
    executes: Option<(Arc<Running>, Instant)>,
    /// Since when the Satellite knows that it is cancelled.
    told: Option<Instant>,
}

impl Progress {
    /// Of a call that is made now, and has time until then.
    pub(crate) fn new(deadline: Instant) -> Arc<Self> {
        Arc::new(Self { made: Instant::now(), deadline, stage: Mutex::default() })
    }

    /// The application has cancelled the call. If that is executed, the Satellite is told, and may still answer in an orderly way; if
    /// not, there is nothing to be waited for, which is `false`.
    pub(crate) fn cancel(&self) -> bool {
        let mut stage = self.stage();
        match &stage.executes {
            Some((running, _)) => running.connection.cancel(),
            None => return false,
        }
        stage.told.get_or_insert_with(Instant::now);
        true
    }

    /// Whether it has no time left.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// It is about to be executed.
    pub(super) fn begins(&self, running: &Arc<Running>) {
        self.stage().executes = Some((Arc::clone(running), Instant::now()));
    }

    /// It is to be executed by another process, since the one that was to had gone before it heard of the call.
    pub(super) fn waits_again(&self) {
        *self.stage() = Stage::default();
    }

    /// Since when it has been executed, if it has.
    pub(super) fn executed(&self) -> Option<Duration> {
        self.stage().executes.as_ref().map(|(_, since)| since.elapsed())
    }

    /// Since when the Satellite knows that it is cancelled.
    pub(super) fn told(&self) -> Option<Instant> {
        self.stage().told
    }

    /// Whether a Satellite that does not give up the call has itself to blame, by the rule that Planets have: not if the application has
    /// cancelled it, or it came with hardly any time.
    pub(super) fn is_own_doing(&self) -> bool {
        let stage = self.stage();
        let Some((_, since)) = &stage.executes else { return false };
        stage.told.is_none() && had_time(since.elapsed(), since.saturating_duration_since(self.made))
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
