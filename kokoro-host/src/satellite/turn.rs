//! The turn to call a Satellite, from the beginning of a call to its result.

use std::io::{self, Write};
use std::sync::Arc;

use kokoro_satellite::memory::Filling;
use kokoro_satellite::protocol::{Carried, MOST_INLINE};
use tokio::sync::OwnedMutexGuard;

use super::answer::Numbers;
use super::connection::{Broken, Passed, Reply};
use super::failure::{Failure, Kind};
use super::functions::Function;
use super::progress::Progress;
use super::running::{Running, reason};
use super::seat::{Satellite, Seat, Shared, give_up};
use crate::interface::InterfaceName;
use crate::value::{Buffer, Claim, Receiver};

/// The turn to call. When it is dropped amid a call a task keeps it until the Satellite has given that up.
pub(super) struct Turn {
    /// None when it has been passed on.
    pub(super) seat: Option<OwnedMutexGuard<Seat>>,
    shared: Arc<Shared>,
    /// The call that has begun and is not over.
    amid: Option<Arc<Progress>>,
}

/// Why a call has no result.
pub(super) enum Unanswered {
    /// The process goes on.
    Failed(Failure),
    /// It had no time left to be called.
    Late,
    /// There is nothing more to be had from it.
    Lost(Broken),
}

impl Turn {
    pub(super) fn new(seat: OwnedMutexGuard<Seat>, shared: &Arc<Shared>) -> Self {
        Self { seat: Some(seat), shared: Arc::clone(shared), amid: None }
    }

    pub(super) async fn call(
        &mut self,
        interface: &InterfaceName,
        function: &str,
        arguments: Passed<'_>,
        progress: &Arc<Progress>,
    ) -> Result<Buffer, Unanswered> {
        let whose = &self.shared.whose;
        let ready = self.seat.as_mut().and_then(|seat| seat.running.clone().map(|running| (seat, running)));
        let Some((seat, running)) = ready else { return Err(Unanswered::Failed(self.shared.unworkable(None))) };
        let Some(callee) = running.functions.get(interface, function) else {
            let sentence = format!("{whose} does not serve `{function}` of `{interface}` for its planet");
            return Err(Unanswered::Failed(Failure::new(Kind::Absent, sentence)));
        };
        if progress.is_over() {
            running.connection.give_back(arguments.len());
            return Err(Unanswered::Late);
        }
        if let Err(error) = seat.begin(&running, callee, arguments) {
            seat.give_back(&running);
            return Err(Unanswered::Failed(self.shared.without_memory(function, error)));
        }
        self.amid = Some(Arc::clone(progress));
        progress.begins(&running);
        let reply = seat.exchange(&running).await;
        self.amid = None;
        let reply = reply.map_err(Unanswered::Lost)?;
        seat.executing = None;
        seat.give_back(&running);
        if let Reply::Answer(Carried::Shared(length)) = reply
            && let Some(size) = usize::try_from(length).ok().filter(|size| *size <= self.shared.terms.limits.value)
            && let Some(numbers) = Numbers::of(&running, size, &callee.result)
        {
            return Ok(numbers.value(&running, self.seat.take()));
        }
        self.shared.result(&running, callee, reply, progress)
    }
}

/// The turn, with a process whose memory is to be written.
pub(super) struct Claimed {
    /// None when it has been passed on.
    pub(super) turn: Option<Turn>,
    running: Arc<Running>,
    /// How far its memory may have been written.
    written: usize,
}

impl Receiver for Satellite {
    fn claim(&self) -> Option<Box<dyn Claim>> {
        let seat = Arc::clone(&self.seat).try_lock_owned().ok()?;
        let running = Arc::clone(seat.usable()?);
        Some(Box::new(Claimed { turn: Some(Turn::new(seat, &self.shared)), running, written: 0 }))
    }

    fn inline(&self) -> usize {
        MOST_INLINE
    }
}

impl Claim for Claimed {
    fn outlet(&mut self) -> Box<dyn Write + '_> {
        Box::new(Outlet { to: self.running.connection.arguments(), written: &mut self.written })
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.running.connection.give_back(self.written);
        }
    }
}

/// A Satellite's memory, and how far it may have been written.
struct Outlet<'c> {
    to: Filling<'c>,
    written: &'c mut usize,
}

impl Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.written += bytes.len();
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(progress) = self.amid.take()
            && let Some(seat) = self.seat.take()
        {
            self.shared.terms.runtime.spawn(give_up(seat, Arc::clone(&self.shared), progress));
        }
    }
}

impl Shared {
    /// What a call gives whose function has replied.
    fn result(
        &self,
        running: &Running,
        callee: &Function,
        reply: Reply,
        progress: &Progress,
    ) -> Result<Buffer, Unanswered> {
        let (whose, name, most) = (&self.whose, &callee.name, self.terms.limits.value);
        let carried = match reply {
            Reply::Answer(carried) => carried,
            Reply::Failed(message) if progress.told().is_some() => {
                let sentence =
                    format!("the call of `{name}` was cancelled, and {whose} gave it up: {}", reason(&message));
                return Err(Unanswered::Failed(Failure::new(Kind::Cancelled, sentence)));
            }
            Reply::Failed(message) => {
                let sentence = format!("{whose} failed in `{name}`: {}", reason(&message));
                return Err(Unanswered::Failed(Failure::new(Kind::Crashed, sentence)));
            }
        };
        let Some(bytes) = running.connection.value(carried, most).map_err(Unanswered::Lost)? else {
            let sentence = format!(
                "{whose} answered `{name}` with more than {most} bytes, the most that may cross: `Limits::value`"
            );
            return Err(Unanswered::Failed(Failure::new(Kind::Limited, sentence)));
        };
        kokoro_value::check(&bytes, &callee.result).map_err(|error| {
            let what = format!("what `{name}` answers with is {error}");
            Unanswered::Lost(Broken::Violation(what))
        })?;
        Ok(bytes)
    }
}
