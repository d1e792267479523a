//! Who has the turn to call a Satellite, and what it takes that there is a process then.

use std::any::Any;
use std::cell::OnceCell;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Weak};
use std::time::Duration;

use kokoro_satellite::protocol::{Carried, MOST_INLINE};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;

use super::budget::Budget;
use super::connection::{Broken, Passed, Reply};
use super::failure::{Failure, Kind, Whose};
use super::functions::{Function, Wanted};
use super::running::{Because, Running, reason};
use super::{Terms, span};
use crate::interface::InterfaceName;
use crate::value::{Buffer, Claim, Delivered, Receiver};

/// One program of one Planet. At most one process of it is there at a time.
pub(crate) struct Satellite {
    shared: Arc<Shared>,
    leases: watch::Sender<Leases>,
    seat: Arc<Mutex<Seat>>,
}

/// What does not change.
pub(super) struct Shared {
    pub(super) terms: Terms,
    pub(super) whose: Whose,
    pub(super) wanted: Wanted,
}

/// Lets a Satellite have a process. When the last one is dropped that is asked to end, and ended after a grace period.
pub(crate) struct Lease(Arc<Satellite>);

/// How many leases there are, and how often there was a first one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leases {
    pub(super) count: usize,
    pub(super) first: u64,
}

impl Leases {
    /// Waits until there are none.
    pub(super) async fn gone(leases: &mut watch::Receiver<Self>) {
        // An error is that the Satellite itself is gone.
        let _ = leases.wait_for(|leases| leases.count == 0).await;
    }
}

/// Where the process is. Whoever has this locked has the turn.
#[derive(Debug, Default)]
struct Seat {
    running: Option<Arc<Running>>,
    /// The number of the last call.
    number: u64,
    /// The frame of the call that is under way, and how much of it has been sent.
    frame: Vec<u8>,
    sent: usize,
    /// The function that is under way.
    executing: Option<Arc<str>>,
    budget: Budget,
}

impl Satellite {
    pub(crate) fn new(terms: Terms) -> Arc<Self> {
        let whose = Whose { planet: Arc::clone(&terms.planet), program: Arc::clone(&terms.program) };
        let wanted = Wanted::new(&terms.interfaces);
        let shared = Arc::new(Shared { terms, whose, wanted });
        Arc::new(Self { shared, leases: watch::Sender::default(), seat: Arc::default() })
    }

    /// The program's name.
    pub(crate) fn program(&self) -> &str {
        &self.shared.terms.program
    }

    /// Whether it is what these terms ask for, so that another one would be the same again.
    pub(crate) fn is_like(&self, terms: &Terms) -> bool {
        self.shared.terms.is_like(terms)
    }

    /// While there is a lease a process may run.
    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        self.leases.send_modify(|leases| {
            leases.first += u64::from(leases.count == 0);
            leases.count += 1;
        });
        Lease(Arc::clone(self))
    }

    /// Starts a process if there is none.
    pub(crate) async fn start(&self) -> Result<(), Failure> {
        self.turn().await.map(drop)
    }

    /// Calls a function, with the form of the tuple of its arguments, and gives the form of its result, which is one of its
    /// type. If the future is dropped the Satellite is told, and ended unless it gives the call up in time; the next call waits
    /// for that.
    pub(crate) async fn call(
        &self,
        interface: &InterfaceName,
        function: &str,
        arguments: &[u8],
    ) -> Result<Buffer, Failure> {
        let turn = self.turn().await?;
        self.call_in(turn, interface, function, Passed::Bytes(arguments)).await
    }

    /// The same with arguments that have been lifted into its memory.
    pub(crate) async fn call_delivered(
        &self,
        interface: &InterfaceName,
        function: &str,
        delivered: Delivered,
    ) -> Result<Buffer, Failure> {
        let Delivered { claim, length } = delivered;
        let claim: Box<dyn Any + Send + Sync> = claim;
        let Ok(claim) = claim.downcast::<Claimed>() else { return Err(self.shared.unworkable(false)) };
        let Claimed { turn, .. } = *claim;
        self.call_in(turn, interface, function, Passed::There(length)).await
    }

    async fn call_in(
        &self,
        mut turn: Turn,
        interface: &InterfaceName,
        function: &str,
        mut arguments: Passed<'_>,
    ) -> Result<Buffer, Failure> {
        let mut is_second = false;
        let taken_back = OnceCell::new();
        loop {
            let running = turn.seat.as_ref().and_then(|seat| seat.running.clone());
            let lost = match turn.call(interface, function, arguments).await {
                Ok(result) => return Ok(result),
                Err(Unanswered::Failed(failure)) => return Err(failure),
                Err(Unanswered::Lost(broken)) => broken,
            };
            let has_begun = turn.seat.as_ref().is_none_or(|seat| seat.sent > 0);
            let (seat, failure) = self.bury(turn, lost).await?;
            // It was about to end, and nothing of the call has reached it.
            if has_begun || is_second {
                return Err(failure);
            }
            is_second = true;
            if let (Passed::There(length), Some(running)) = (arguments, running) {
                let Ok(bytes) = running.connection.taken_back(length) else { return Err(failure) };
                arguments = Passed::Bytes(taken_back.get_or_init(|| bytes));
            }
            turn = self.make_ready(seat).await?;
        }
    }

    /// The failure of a call that was given up `after` it had begun: its deadline has passed, or it was `cancelled`.
    pub(crate) fn late(&self, function: &str, cancelled: bool, after: Duration) -> Failure {
        let (whose, after) = (&self.shared.whose, span(after));
        match cancelled {
            false => {
                Failure::new(Kind::Overdue, format!("{whose} was late: `{function}` did not answer within {after}"))
            }
            true => {
                let sentence =
                    format!("the call of `{function}` was cancelled, which {whose} had not answered after {after}");
                Failure::new(Kind::Cancelled, sentence)
            }
        }
    }

    /// Waits until there is no process, and none that is about to end.
    pub(crate) async fn ended(&self) {
        loop {
            let mut seat = self.seat.lock().await;
            let Some(running) = seat.running.clone() else { return };
            if running.process.has_ended() {
                seat.bury(&self.shared, None).await;
                return;
            }
            drop(seat);
            running.process.ended().await;
        }
    }

    /// Waits for the turn, and has a process ready.
    async fn turn(&self) -> Result<Turn, Failure> {
        let seat = Arc::clone(&self.seat).lock_owned().await;
        match seat.running.as_ref().is_some_and(|running| running.is_usable()) {
            true => Ok(Turn::new(seat, &self.shared)),
            false => self.make_ready(seat).await,
        }
    }

    /// Has a process ready, in a task of its own: if the caller goes, the next one has it.
    async fn make_ready(&self, mut seat: OwnedMutexGuard<Seat>) -> Result<Turn, Failure> {
        let (shared, leases) = (Arc::clone(&self.shared), self.leases.subscribe());
        let own = Arc::downgrade(&self.seat);
        let task = self.shared.terms.runtime.spawn(async move {
            let ready = seat.make_ready(&shared, leases).await;
            if let Some(running) = &seat.running {
                tokio::spawn(tidy(own, Arc::clone(running), shared));
            }
            (seat, ready)
        });
        let (seat, ready) = task.await.map_err(|error| self.shared.unworkable(error.is_panic()))?;
        ready.map(|()| Turn::new(seat, &self.shared))
    }

    /// Ends the process of a call that was lost, in a task of its own, and says what became of it.
    async fn bury(&self, mut turn: Turn, broken: Broken) -> Result<(OwnedMutexGuard<Seat>, Failure), Failure> {
        let Some(mut seat) = turn.seat.take() else { return Err(self.shared.unworkable(false)) };
        let shared = Arc::clone(&self.shared);
        let task = self.shared.terms.runtime.spawn(async move {
            let failure = seat.bury(&shared, Some(&broken)).await;
            (seat, failure)
        });
        let (seat, failure) = task.await.map_err(|error| self.shared.unworkable(error.is_panic()))?;
        Ok((seat, failure.unwrap_or_else(|| self.shared.unworkable(false))))
    }
}

impl Shared {
    /// The runtime does not do what it should.
    fn unworkable(&self, panicked: bool) -> Failure {
        let why = match panicked {
            true => "the application's async runtime has no I/O: build it with `enable_all`",
            false => "the application's async runtime is shut down",
        };
        Failure::new(Kind::Absent, format!("{} cannot be used: {why}", self.whose))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Tasks of the process wait for this.
        self.0.leases.send_modify(|leases| leases.count -= 1);
    }
}

/// The turn to call. When it is dropped amid a call a task keeps it until the Satellite has given that up.
struct Turn {
    /// None when it has been passed on.
    seat: Option<OwnedMutexGuard<Seat>>,
    shared: Arc<Shared>,
    /// Whether a call has begun that is not over.
    is_amid: bool,
}

/// Why a call has no result.
enum Unanswered {
    /// The process goes on.
    Failed(Failure),
    /// There is nothing more to be had from it.
    Lost(Broken),
}

impl Turn {
    fn new(seat: OwnedMutexGuard<Seat>, shared: &Arc<Shared>) -> Self {
        Self { seat: Some(seat), shared: Arc::clone(shared), is_amid: false }
    }

    async fn call(
        &mut self,
        interface: &InterfaceName,
        function: &str,
        arguments: Passed<'_>,
    ) -> Result<Buffer, Unanswered> {
        let whose = &self.shared.whose;
        let ready = self.seat.as_mut().and_then(|seat| seat.running.clone().map(|running| (seat, running)));
        let Some((seat, running)) = ready else { return Err(Unanswered::Failed(self.shared.unworkable(false))) };
        let Some(callee) = running.functions.get(interface, function) else {
            let sentence = format!("{whose} does not serve `{function}` of `{interface}` for its planet");
            return Err(Unanswered::Failed(Failure::new(Kind::Absent, sentence)));
        };
        seat.begin(&running, callee, arguments).map_err(|error| {
            let sentence = format!("there is no memory for what `{function}` of {whose} is passed: {error}");
            Unanswered::Failed(Failure::new(Kind::Limited, sentence))
        })?;
        self.is_amid = true;
        let reply = seat.exchange(&running).await;
        self.is_amid = false;
        let reply = reply.map_err(Unanswered::Lost)?;
        seat.executing = None;
        running.connection.give_back(arguments.len());
        self.shared.result(&running, callee, reply)
    }
}

/// The turn, with a process whose memory is to be written.
struct Claimed {
    turn: Turn,
    running: Arc<Running>,
}

impl Receiver for Satellite {
    fn claim(&self) -> Option<Box<dyn Claim>> {
        let seat = Arc::clone(&self.seat).try_lock_owned().ok()?;
        let running = Arc::clone(seat.running.as_ref().filter(|running| running.is_usable())?);
        Some(Box::new(Claimed { turn: Turn::new(seat, &self.shared), running }))
    }

    fn inline(&self) -> usize {
        MOST_INLINE
    }
}

impl Claim for Claimed {
    fn outlet(&mut self) -> Box<dyn Write + '_> {
        Box::new(self.running.connection.arguments())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take_if(|_| self.is_amid) {
            self.shared.terms.runtime.spawn(give_up(seat, Arc::clone(&self.shared)));
        }
    }
}

/// Leaves nothing of a process that has ended, even if nobody calls it again.
async fn tidy(seat: Weak<Mutex<Seat>>, running: Arc<Running>, shared: Arc<Shared>) {
    running.process.ended().await;
    let Some(seat) = seat.upgrade() else { return };
    let mut seat = seat.lock().await;
    if !seat.running.as_ref().is_some_and(|known| Arc::ptr_eq(known, &running)) {
        return;
    }
    let failure = seat.bury(&shared, None).await;
    if let Some(failure) = failure.filter(|_| !running.was_asked()) {
        // Nobody else hears of it.
        let (planet, satellite) = (&*shared.whose.planet, &*shared.whose.program);
        tracing::warn!(target: "kokoro::satellite", planet, satellite, "{failure}");
    }
}

/// Waits until the Satellite has given up the call that is under way, or ends it.
async fn give_up(mut seat: OwnedMutexGuard<Seat>, shared: Arc<Shared>) {
    let Some(running) = seat.running.clone() else { return };
    running.connection.cancel();
    let broken = match timeout(shared.terms.limits.grace, seat.exchange(&running)).await {
        Ok(Ok(reply)) => {
            if let Reply::Answer(Carried::Shared(length)) = reply {
                running.connection.leave(length);
            }
            seat.executing = None;
            return;
        }
        Ok(Err(broken)) => Some(broken),
        Err(_) => {
            running.end(Because::Stuck);
            None
        }
    };
    seat.bury(&shared, broken.as_ref()).await;
}

impl Shared {
    /// What a call gives whose function has replied.
    fn result(&self, running: &Running, callee: &Function, reply: Reply) -> Result<Buffer, Unanswered> {
        let (whose, name, most) = (&self.whose, &callee.name, self.terms.limits.value);
        let carried = match reply {
            Reply::Answer(carried) => carried,
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

impl Seat {
    fn begin(&mut self, running: &Running, callee: &Function, arguments: Passed<'_>) -> std::io::Result<()> {
        running.connection.begin(&mut self.frame, self.number + 1, callee.number, arguments)?;
        self.number += 1;
        self.sent = 0;
        self.executing = Some(Arc::clone(&callee.name));
        Ok(())
    }

    /// Sends what is left of the call, and waits for the reply. May be given up and begun again.
    async fn exchange(&mut self, running: &Running) -> Result<Reply, Broken> {
        running.connection.send(&self.frame, &mut self.sent).await?;
        running.connection.answered().await
    }

    /// Has a process ready.
    async fn make_ready(&mut self, shared: &Arc<Shared>, mut leases: watch::Receiver<Leases>) -> Result<(), Failure> {
        self.bury(shared, None).await;
        let held = *leases.borrow();
        self.budget.wait(shared, held, Leases::gone(&mut leases)).await?;
        match Running::start(shared, &mut leases).await {
            Ok(running) => {
                self.running = Some(running);
                Ok(())
            }
            Err(unready) => {
                // Where no process ran there is nothing to be had by waiting.
                if unready.ran {
                    self.budget.spend(&shared.terms.restarts, &unready.failure, None);
                }
                Err(unready.failure)
            }
        }
    }

    /// Waits until there is nothing left of a process that is of no use any more, and says what became of it.
    async fn bury(&mut self, shared: &Shared, broken: Option<&Broken>) -> Option<Failure> {
        let running = self.running.clone()?;
        let ending = match broken.cloned().or_else(|| running.connection.broken()) {
            Some(broken) => running.wind_up(&broken).await,
            None => {
                running.end_unless_asked(Because::Abandoned);
                running.process.ended().await
            }
        };
        self.running = None;
        let failure = running.failure(shared, &ending, self.executing.take().as_deref());
        if !running.was_asked() {
            self.budget.spend(&shared.terms.restarts, &failure, Some((running.began, ending.when)));
        }
        Some(failure)
    }
}

impl fmt::Debug for Satellite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Satellite").field(&self.shared.whose).finish()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.0.shared.whose).finish()
    }
}
