//! Who has the turn to call a Satellite, and what it takes that there is a process then.

use std::any::Any;
use std::cell::OnceCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{self, Arc, MutexGuard, PoisonError, Weak};

use kokoro_satellite::protocol::Carried;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::task::JoinError;
use tokio::time::timeout;

use super::Terms;
use super::budget::Budget;
use super::census::Counted;
use super::connection::{Broken, Passed, Reply};
use super::doing::Doing;
use super::failure::{Failure, Kind, Whose};
use super::functions::{Function, Wanted};
use super::progress::Progress;
use super::running::{Because, Running};
use super::turn::{Claimed, Turn, Unanswered};
use crate::interface::{InterfaceName, in_one_line};
use crate::value::{Buffer, Delivered};

/// One program of one Planet. At most one process of it is there at a time.
pub(crate) struct Satellite {
    pub(super) shared: Arc<Shared>,
    /// Those of today. Where there are none any more the next one begins a channel of its own, so that a process that lived by the last
    /// ones ends in any case.
    leases: sync::Mutex<Arc<watch::Sender<Leases>>>,
    pub(super) seat: Arc<Mutex<Seat>>,
}

/// What all who have to do with it know.
pub(super) struct Shared {
    pub(super) terms: Terms,
    pub(super) whose: Whose,
    pub(super) wanted: Wanted,
    /// How often somebody wanted it to have all its starts again.
    pub(super) renewals: AtomicU64,
    pub(super) doing: sync::Mutex<Doing>,
}

/// Lets a Satellite have a process. When the last one is dropped that is asked to end, and ended after a grace period.
pub(crate) struct Lease {
    satellite: Arc<Satellite>,
    leases: Arc<watch::Sender<Leases>>,
}

/// How many leases there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leases {
    pub(super) count: usize,
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
pub(super) struct Seat {
    pub(super) running: Option<Arc<Running>>,
    /// By which that lives.
    leases: Option<watch::Receiver<Leases>>,
    /// The number of the last call.
    number: u64,
    /// The frame of the call that is under way, and how much of it has been sent.
    frame: Vec<u8>,
    pub(super) sent: usize,
    /// The function that is under way, and how many bytes it is passed.
    pub(super) executing: Option<Arc<str>>,
    passed: usize,
    budget: Budget,
    /// What became of the last process, unless it ended with its Planet.
    before: Option<Arc<str>>,
}

impl Satellite {
    pub(crate) fn new(terms: Terms) -> Arc<Self> {
        let whose = Whose { planet: Arc::clone(&terms.planet), program: Arc::clone(&terms.program) };
        let wanted = Wanted::new(&terms.interfaces);
        let shared =
            Arc::new(Shared { terms, whose, wanted, renewals: AtomicU64::default(), doing: sync::Mutex::default() });
        Arc::new(Self { shared, leases: sync::Mutex::default(), seat: Arc::default() })
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
        let mut leases = lock(&self.leases);
        if leases.borrow().count == 0 {
            *leases = Arc::default();
        }
        leases.send_modify(|leases| leases.count += 1);
        Lease { satellite: Arc::clone(self), leases: Arc::clone(&leases) }
    }

    /// It has all its starts again, however often it has ended.
    pub(crate) fn renew(&self) {
        self.shared.renewals.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts a process if there is none.
    pub(crate) async fn start(&self) -> Result<(), Failure> {
        let seat = Arc::clone(&self.seat).lock_owned().await;
        self.turn(seat).await.map(drop)
    }

    /// Calls a function, with the form of the tuple of its arguments, and gives the form of its result, which is one of its
    /// type. If the future is dropped the Satellite is told, and ended unless it gives the call up in time; the next call waits
    /// for that.
    pub(crate) async fn call(
        &self,
        interface: &InterfaceName,
        function: &str,
        arguments: &[u8],
        progress: &Arc<Progress>,
    ) -> Result<Buffer, Failure> {
        let seat = Arc::clone(&self.seat).lock_owned().await;
        if progress.is_over() {
            return Err(self.late(function, false, progress));
        }
        let turn = self.turn(seat).await?;
        self.call_in(turn, interface, function, Passed::Bytes(arguments), progress).await
    }

    /// The same with arguments that have been lifted into its memory.
    pub(crate) async fn call_delivered(
        &self,
        interface: &InterfaceName,
        function: &str,
        delivered: Delivered,
        progress: &Arc<Progress>,
    ) -> Result<Buffer, Failure> {
        let Delivered { claim, length } = delivered;
        let claim: Box<dyn Any + Send + Sync> = claim;
        let turn = claim.downcast::<Claimed>().ok().and_then(|mut claimed| claimed.turn.take());
        let Some(turn) = turn else { return Err(self.shared.unworkable(None)) };
        self.call_in(turn, interface, function, Passed::There(length), progress).await
    }

    async fn call_in(
        &self,
        mut turn: Turn,
        interface: &InterfaceName,
        function: &str,
        mut arguments: Passed<'_>,
        progress: &Arc<Progress>,
    ) -> Result<Buffer, Failure> {
        let mut is_second = false;
        let taken_back = OnceCell::new();
        loop {
            let running = turn.seat.as_ref().and_then(|seat| seat.running.clone());
            let lost = match turn.call(interface, function, arguments, progress).await {
                Ok(result) => return Ok(result),
                Err(Unanswered::Failed(failure)) => return Err(failure),
                Err(Unanswered::Late) => return Err(self.late(function, false, progress)),
                Err(Unanswered::Lost(broken)) => broken,
            };
            let has_begun = turn.seat.as_ref().is_none_or(|seat| seat.sent > 0);
            let (seat, failure) = self.bury(turn, lost).await?;
            // It was about to end, and nothing of the call has reached it.
            if has_begun || is_second {
                return Err(failure);
            }
            is_second = true;
            progress.waits_again();
            if let (Passed::There(length), Some(running)) = (arguments, running) {
                let Ok(bytes) = running.connection.taken_back(length) else { return Err(failure) };
                arguments = Passed::Bytes(taken_back.get_or_init(|| bytes));
            }
            turn = self.make_ready(seat).await?;
        }
    }

    /// The failure of a call for whose arguments there is no memory.
    pub(crate) fn without_memory(&self, function: &str, why: &str) -> Failure {
        self.shared.without_memory(function, why)
    }

    /// Waits until there is no process, and none that is about to end.
    pub(crate) async fn ended(&self) {
        loop {
            let mut seat = self.seat.lock().await;
            let Some(running) = seat.running.clone() else { return };
            if running.process.has_ended() {
                seat.bury(&self.shared, None, true).await;
                return;
            }
            drop(seat);
            running.process.ended().await;
        }
    }

    /// Has a process ready for whoever has the turn.
    async fn turn(&self, seat: OwnedMutexGuard<Seat>) -> Result<Turn, Failure> {
        match seat.usable().is_some() {
            true => Ok(Turn::new(seat, &self.shared)),
            false => self.make_ready(seat).await,
        }
    }

    /// Has a process ready, in a task of its own: if the caller goes, the next one has it.
    async fn make_ready(&self, mut seat: OwnedMutexGuard<Seat>) -> Result<Turn, Failure> {
        let (shared, leases) = (Arc::clone(&self.shared), lock(&self.leases).subscribe());
        let own = Arc::downgrade(&self.seat);
        let task = self.shared.terms.runtime.spawn(async move {
            let counted = shared.terms.census.one();
            let ready = seat.make_ready(&shared, leases).await;
            if let Some(running) = &seat.running {
                tokio::spawn(tidy(own, Arc::clone(running), shared, counted));
            }
            (seat, ready)
        });
        let (seat, ready) = task.await.map_err(|error| self.shared.unworkable(Some(error)))?;
        ready.map(|()| Turn::new(seat, &self.shared))
    }

    /// Ends the process of a call that was lost, in a task of its own, and says what became of it.
    async fn bury(&self, mut turn: Turn, broken: Broken) -> Result<(OwnedMutexGuard<Seat>, Failure), Failure> {
        let Some(mut seat) = turn.seat.take() else { return Err(self.shared.unworkable(None)) };
        let shared = Arc::clone(&self.shared);
        let task = self.shared.terms.runtime.spawn(async move {
            let failure = seat.bury(&shared, Some(&broken), true).await;
            (seat, failure)
        });
        let (seat, failure) = task.await.map_err(|error| self.shared.unworkable(Some(error)))?;
        Ok((seat, failure.unwrap_or_else(|| self.shared.unworkable(None))))
    }
}

impl Shared {
    /// The tasks that start and end it do not do what they should.
    pub(super) fn unworkable(&self, error: Option<JoinError>) -> Failure {
        let panic = error.and_then(|error| error.try_into_panic().ok());
        let said = panic.as_ref().map(|panic| {
            let text = panic.downcast_ref::<&str>().copied();
            text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why")
        });
        let why = match said {
            None => "the application's async runtime is shut down".to_owned(),
            // So tokio panics; it cannot be asked.
            Some(said) if said.contains("IO is disabled") => {
                "the application's async runtime has no I/O: build it with `enable_all`".to_owned()
            }
            Some(said) => format!("what starts and ends it has panicked: {}", in_one_line(said)),
        };
        Failure::new(Kind::Absent, format!("{} cannot be used: {why}", self.whose))
    }

    pub(super) fn without_memory(&self, function: &str, why: impl fmt::Display) -> Failure {
        let sentence = format!("there is no memory for what `{function}` of {} is passed: {why}", self.whose);
        Failure::new(Kind::Limited, sentence)
    }
}

pub(super) fn lock<T>(of: &sync::Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Nobody adds to them meanwhile. Tasks of the process wait for this.
        let _today = lock(&self.satellite.leases);
        self.leases.send_modify(|leases| leases.count -= 1);
    }
}

/// Leaves nothing of a process that has ended, even if nobody calls it again.
async fn tidy(seat: Weak<Mutex<Seat>>, running: Arc<Running>, shared: Arc<Shared>, counted: Counted) {
    running.process.ended().await;
    drop(counted);
    let Some(seat) = seat.upgrade() else { return };
    let mut seat = seat.lock().await;
    if !seat.running.as_ref().is_some_and(|known| Arc::ptr_eq(known, &running)) {
        return;
    }
    let failure = seat.bury(&shared, None, true).await;
    if let Some(failure) = failure.filter(|_| !running.was_asked()) {
        // Nobody else hears of it.
        let (planet, satellite) = (&*shared.whose.planet, &*shared.whose.program);
        tracing::warn!(target: "kokoro::satellite", planet, satellite, "{failure}");
    }
}

/// Waits until the Satellite has given up the call that is under way, or ends it.
pub(super) async fn give_up(mut seat: OwnedMutexGuard<Seat>, shared: Arc<Shared>, progress: Arc<Progress>) {
    let Some(running) = seat.running.clone() else { return };
    let pays = progress.is_own_doing();
    let mut grace = shared.terms.limits.grace;
    match progress.told() {
        Some(since) => grace = grace.saturating_sub(since.elapsed()),
        None => running.connection.cancel(),
    }
    let broken = match timeout(grace, seat.exchange(&running)).await {
        Ok(Ok(reply)) => {
            seat.give_back(&running);
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
    // Who ends or breaks the protocol does that by itself.
    seat.bury(&shared, broken.as_ref(), pays || broken.is_some()).await;
}

impl Seat {
    /// The process, if it can be called.
    pub(super) fn usable(&self) -> Option<&Arc<Running>> {
        self.running.as_ref().filter(|running| running.is_usable() && !self.is_left())
    }

    /// Whether those have gone by whom the process lived: somebody asks it to end.
    fn is_left(&self) -> bool {
        self.leases.as_ref().is_none_or(|leases| leases.borrow().count == 0)
    }

    pub(super) fn begin(&mut self, running: &Running, callee: &Function, arguments: Passed<'_>) -> std::io::Result<()> {
        self.passed = arguments.len();
        running.connection.begin(&mut self.frame, self.number + 1, callee.number, arguments)?;
        self.number += 1;
        self.sent = 0;
        self.executing = Some(Arc::clone(&callee.name));
        Ok(())
    }

    /// Nobody needs any more what the function is passed.
    pub(super) fn give_back(&mut self, running: &Running) {
        running.connection.give_back(std::mem::take(&mut self.passed));
    }

    /// Sends what is left of the call, and waits for the reply. May be given up and begun again.
    pub(super) async fn exchange(&mut self, running: &Running) -> Result<Reply, Broken> {
        running.connection.send(&self.frame, &mut self.sent).await?;
        running.connection.answered().await
    }

    /// Has a process ready.
    async fn make_ready(&mut self, shared: &Arc<Shared>, mut leases: watch::Receiver<Leases>) -> Result<(), Failure> {
        self.bury(shared, None, true).await;
        let held = *leases.borrow();
        self.budget.wait(shared, held, self.before.clone(), Leases::gone(&mut leases)).await?;
        let _starts = shared.does(Doing::Starts(self.before.clone()));
        match Running::start(shared, &mut leases).await {
            Ok(running) => {
                self.running = Some(running);
                self.leases = Some(leases);
                Ok(())
            }
            Err(unready) => {
                // Where no process ran there is nothing to be had by waiting; nor is it to blame who was not let finish.
                if unready.ran && leases.borrow().count > 0 {
                    self.budget.spend(&shared.terms.restarts, &unready.failure, None, true);
                    self.before = Some(unready.failure.sentence().into());
                }
                Err(unready.failure)
            }
        }
    }

    /// Waits until there is nothing left of a process that is of no use any more, and says what became of it. Unless it `pays` its end was
    /// not its own doing.
    pub(super) async fn bury(&mut self, shared: &Shared, broken: Option<&Broken>, pays: bool) -> Option<Failure> {
        let running = self.running.clone()?;
        let ending = match broken.cloned().or_else(|| running.connection.broken()) {
            Some(broken) => running.wind_up(&broken).await,
            None => {
                if !self.is_left() {
                    running.end_unless_asked(Because::Abandoned);
                }
                running.process.ended().await
            }
        };
        self.running = None;
        let failure = running.failure(shared, &ending, self.executing.take().as_deref());
        self.before = None;
        if !running.was_asked() && !self.is_left() {
            self.budget.spend(&shared.terms.restarts, &failure, Some((running.began, ending.when)), pays);
            self.before = Some(failure.sentence().into());
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
        f.debug_tuple("Lease").field(&self.satellite.shared.whose).finish()
    }
}
