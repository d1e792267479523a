//! One Planet (plugin) as its callers meet it: who has its turn, who waits, and the instance that answers at present.

mod call;
mod circle;
mod failure;
mod handles;
mod hold;
mod instance;
mod memory;
mod output;
mod refusals;
mod resource;
mod turn;
mod wasi;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard, watch};
use tokio::time::timeout_at;
use tracing::Span;
use tracing::field::Empty;

pub(crate) use self::call::{Attached, Call, Changing, FunctionName, Late, Terms};
use self::circle::Errand;
pub(crate) use self::failure::{CallError, Cause, End, Interruption, span};
pub use self::handles::Handles;
use self::hold::Holders;
pub(crate) use self::hold::Target;
pub(crate) use self::instance::{Instance, Linked, Saved, Start, State};
pub(crate) use self::refusals::beginning;
use self::resource::{Released, Releases};
pub(crate) use self::resource::{Resource, Use};
pub(crate) use self::turn::Turn;
use self::turn::{DESTRUCTOR, Seat};

/// One Planet, from its start until it is stopped or has failed for good. Instances may come and go meanwhile; one at a time
/// answers, one call at a time.
#[derive(Debug)]
pub(crate) struct Planet {
    name: Arc<str>,
    /// Whoever has the guard has the instance.
    seat: Arc<Mutex<Option<Box<Instance>>>>,
    condition: watch::Sender<Condition>,
    /// What the call that it executes belongs to.
    holder: std::sync::Mutex<Option<Arc<Errand>>>,
    holders: Holders,
    waiting: AtomicUsize,
    most_waiting: usize,
    /// Held by who starts or stops instances.
    changing: Mutex<()>,
    watcher: Watcher,
    /// Its resources that nobody holds any more.
    releases: Releases,
    tidying: Tidying,
}

/// How resources are dropped that nobody holds any more, while nobody calls their Planet.
#[derive(Debug, Clone)]
pub(crate) struct Tidying {
    pub(crate) runtime: runtime::Handle,
    /// How long it may take.
    pub(crate) within: Duration,
}

/// What callers meet.
#[derive(Debug, Clone)]
enum Condition {
    /// They are let in, one after another.
    Open,
    /// They wait, except for those who have held the Planet since before this change.
    Held { change: u64 },
    /// The instance has ended in an error, and another one is on its way.
    Restarting { end: End, calls_wait: bool },
    /// Nobody is let in any more.
    Ended(End),
}

/// Is told when an instance ends in an error, and says what callers meet from then on.
#[derive(Clone)]
pub(crate) struct Watcher(pub(crate) Arc<Watch>);

type Watch = dyn Fn(&Arc<Planet>, &Loss) -> Outlook + Send + Sync;

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// What comes after the end of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Another instance is on its way, and calls wait for it or not.
    Restart { calls_wait: bool },
    /// This was the last one.
    Over,
}

/// The end of an instance in an error.
#[derive(Debug)]
pub(crate) struct Loss {
    /// A sentence.
    pub(crate) reason: Arc<str>,
    /// Whether it was the Planet's own doing.
    pub(crate) pays: bool,
    /// Since when the instance had answered calls.
    pub(crate) began: Instant,
}

/// Why a Planet cannot be had for a change.
#[derive(Debug)]
pub(crate) enum Busy {
    /// A call is executed, or many are.
    Calls,
    /// These Planets hold it.
    Held(Vec<Arc<str>>),
    /// It ends in an error over and over again, or has ended.
    Ended,
}

impl Planet {
    /// A Planet whose instance has been started.
    pub(crate) fn new(
        name: Arc<str>,
        instance: Box<Instance>,
        most_waiting: usize,
        watcher: Watcher,
        tidying: Tidying,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            seat: Arc::new(Mutex::new(Some(instance))),
            condition: watch::Sender::new(Condition::Open),
            holder: std::sync::Mutex::default(),
            holders: Holders::default(),
            waiting: AtomicUsize::new(0),
            most_waiting,
            changing: Mutex::new(()),
            watcher,
            releases: Releases::default(),
            tidying,
        })
    }

    /// Has a resource dropped that nobody holds any more. That takes a time of its own, and no call is answered before.
    fn release(self: &Arc<Self>, released: Released) {
        if self.ended().is_none() && self.releases.add(released) {
            let planet = Arc::clone(self);
            self.tidying.runtime.spawn(async move { planet.tidy_up().await });
        }
    }

    /// Drops what nobody holds any more, as long as there is something.
    async fn tidy_up(self: Arc<Self>) {
        loop {
            // However long others take: there is no hurry.
            let waits = Call::of_life_cycle(Duration::MAX);
            match self.wait_for_seat(&waits, false).await {
                Ok((seat, entered)) => {
                    let call = Call::of_life_cycle(self.tidying.within);
                    let function = FunctionName { interface: None, function: DESTRUCTOR.into() };
                    Turn::new(&self, seat, &call, function, entered).tidy_up().await;
                }
                // It has ended, or another instance is on its way.
                Err(_) => self.restarted().await,
            }
            if self.releases.is_done(self.ended().is_none()) {
                return;
            }
        }
    }

    /// Whether it is this very one.
    pub(crate) fn is(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other)
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn holder(&self) -> Option<Arc<Errand>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_holder(&self, errand: Option<&Arc<Errand>>) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = errand.cloned();
    }

    /// The errand has the Planet no more, if it still had it.
    fn free_from(&self, errand: &Arc<Errand>) {
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        if holder.as_ref().is_some_and(|holder| Arc::ptr_eq(holder, errand)) {
            *holder = None;
        }
    }

    fn holders(&self) -> &Holders {
        &self.holders
    }

    /// How the Planet ended for good, if it did.
    pub(crate) fn ended(&self) -> Option<End> {
        match &*self.condition.borrow() {
            Condition::Ended(end) => Some(end.clone()),
            _ => None,
        }
    }

    /// Whether it has no instance, but gets one.
    pub(crate) fn is_restarting(&self) -> bool {
        matches!(&*self.condition.borrow(), Condition::Restarting { .. })
    }

    /// Waits until it has an instance, or has ended for good.
    pub(crate) async fn restarted(&self) {
        let restarting = |condition: &Condition| matches!(condition, Condition::Restarting { .. });
        // The sender is this very Planet.
        let _ = self.condition.subscribe().wait_for(|condition| !restarting(condition)).await;
    }

    /// Waits until it has ended for good.
    pub(crate) async fn closed(&self) {
        // The sender is this very Planet.
        let _ = self.condition.subscribe().wait_for(|condition| matches!(condition, Condition::Ended(_))).await;
    }

    /// The right to start and stop instances.
    pub(crate) async fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Ends the instance at once, unless a call is in there: then that is the last one.
    pub(crate) fn abandon(&self, reason: &str) {
        self.close(End { reason: reason.into(), stopped: true });
        self.vacate_if_ended();
    }

    /// Lets no call in any more. The first reason is the one that counts.
    pub(crate) fn close(&self, end: End) {
        self.condition.send_if_modified(|condition| match condition {
            Condition::Ended(_) => false,
            _ => {
                *condition = Condition::Ended(end);
                true
            }
        });
    }

    /// Whoever lets go of the seat of a Planet that has ended leaves it empty.
    fn vacate_if_ended(&self) {
        if self.ended().is_some()
            && let Ok(mut seat) = self.seat.try_lock()
        {
            self.vacate(&mut seat);
        }
    }

    fn vacate(&self, seat: &mut Option<Box<Instance>>) {
        if let Some(instance) = seat.take() {
            instance.last_words();
        }
    }

    /// Takes an instance out that has ended in an error.
    fn lose(self: &Arc<Self>, seat: &mut Option<Box<Instance>>, reason: String, pays: bool) {
        if let Some(instance) = seat.take() {
            let began = instance.began();
            // The application's own `Drop` may run here, of a resource of its own.
            if catch_unwind(AssertUnwindSafe(|| drop(instance))).is_err() {
                tracing::error!(target: "kokoro", planet = &*self.name, "a `Drop` of the application's panicked");
            }
            self.has_lost(Loss { reason: reason.into(), pays, began });
        }
    }

    /// An instance has ended in an error, and is out of its seat.
    pub(crate) fn has_lost(self: &Arc<Self>, loss: Loss) {
        let end = End { reason: Arc::clone(&loss.reason), stopped: false };
        // Nobody comes in before it is decided what is to become of it.
        let is_over = |condition: &Condition| matches!(condition, Condition::Ended(_));
        let first = self.condition.send_if_modified(|condition| {
            let first = !is_over(condition);
            if first {
                *condition = Condition::Restarting { end: end.clone(), calls_wait: true };
            }
            first
        });
        if !first {
            return;
        }
        match self.watcher.0(self, &loss) {
            Outlook::Restart { calls_wait: true } => {}
            Outlook::Restart { calls_wait } => {
                self.condition.send_if_modified(|condition| match condition {
                    Condition::Restarting { calls_wait: waits, .. } => {
                        *waits = calls_wait;
                        true
                    }
                    _ => false,
                });
            }
            Outlook::Over => self.close(end),
        }
    }

    /// Waits until the Planet is free, and takes it for one call of `function`.
    pub(crate) async fn enter<'c>(
        self: &'c Arc<Self>,
        call: &'c Call,
        function: FunctionName,
    ) -> Result<Turn<'c>, CallError> {
        let error = |cause| CallError {
            planet: Some(Arc::clone(&self.name)),
            function: function.clone(),
            chain: Arc::clone(call.chain()),
            cause,
        };
        if call.came_through(&self.name) {
            return Err(error(Cause::Reentered));
        }
        // A Planet's own calls go on until its grace is over: it may have something to tidy up.
        if call.chain().is_empty() && call.is_cancelled() {
            return Err(error(Cause::CancelledInQueue));
        }
        let (mut seat, mut entered) = match self.seat_at_once(call) {
            Some(seat) => (seat, call.made()),
            // The others' turns are longer than it takes to put this aside.
            None => Box::pin(self.wait_for_seat(call, true)).await.map_err(error)?,
        };
        while !self.releases.is_empty() {
            drop(seat);
            (seat, entered) = Box::pin(self.wait_until_tidy(call)).await.map_err(error)?;
        }
        Ok(Turn::new(self, seat, call, function, entered))
    }

    /// Lets those drop first what nobody holds any more, and waits for the seat once more.
    async fn wait_until_tidy(self: &Arc<Self>, call: &Call) -> Result<(Seat<'_>, Instant), Cause> {
        self.vacate_if_ended();
        {
            let _wait = call.errand().wait_for(self).map_err(Cause::Circle)?;
            let tidy = call.until_cancelled(self.releases.done()).await;
            tidy.map_err(|late| Cause::late_in_queue(late, None))?;
        }
        self.wait_for_seat(call, true).await
    }

    /// The seat, if nobody has it and nobody waits for it.
    fn seat_at_once(&self, call: &Call) -> Option<Seat<'_>> {
        let seat = self.seat.try_lock().ok()?;
        let may = seat.is_some() && call.late_at(call.made()).is_none() && matches!(self.lets_in(call), LetsIn::Now);
        may.then_some(seat)
    }

    /// Waits for the seat, and says when it came free. Only calls are counted among those who wait.
    async fn wait_for_seat(self: &Arc<Self>, call: &Call, counts: bool) -> Result<(Seat<'_>, Instant), Cause> {
        let mut place = None;
        loop {
            match self.lets_in(call) {
                LetsIn::Now => {}
                LetsIn::Never(end) => {
                    self.vacate_if_ended();
                    return Err(Cause::Gone(end));
                }
                LetsIn::Later(because) => {
                    if counts {
                        self.queue(&mut place)?;
                    }
                    let _wait = call.errand().wait_for(self).map_err(Cause::Circle)?;
                    let mut condition = self.condition.subscribe();
                    if matches!(self.lets_in(call), LetsIn::Later(_)) {
                        let changed = call.until_cancelled(condition.changed()).await;
                        changed.map_err(|late| Cause::late_in_queue(late, because)).map(drop)?;
                    }
                    continue;
                }
            }
            let seat = match self.seat.try_lock() {
                Ok(seat) => seat,
                Err(_) => {
                    if counts {
                        self.queue(&mut place)?;
                    }
                    let _wait = call.errand().wait_for(self).map_err(Cause::Circle)?;
                    let seat = call.until_cancelled(self.seat.lock()).await;
                    seat.map_err(|late| Cause::late_in_queue(late, None))?
                }
            };
            // The time may be up, and it was not spent in this Planet.
            let now = Instant::now();
            if let Some(late) = call.late_at(now) {
                return Err(Cause::late_in_queue(late, None));
            }
            if seat.is_some() && matches!(self.lets_in(call), LetsIn::Now) {
                return Ok((seat, now));
            }
        }
    }

    fn lets_in(&self, call: &Call) -> LetsIn {
        match &*self.condition.borrow() {
            Condition::Open => LetsIn::Now,
            Condition::Held { change } if call.errand().holds_from_before(&self.name, *change) => LetsIn::Now,
            Condition::Held { .. } => LetsIn::Later(None),
            Condition::Restarting { end, calls_wait: true } => LetsIn::Later(Some(Arc::clone(&end.reason))),
            Condition::Restarting { end, calls_wait: false } | Condition::Ended(end) => LetsIn::Never(end.clone()),
        }
    }

    /// Takes a place among those who wait, unless it has one.
    fn queue<'a>(&'a self, place: &mut Option<Place<'a>>) -> Result<(), Cause> {
        if place.is_none() {
            if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most_waiting {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                return Err(Cause::TooManyWait(self.most_waiting));
            }
            *place = Some(Place(&self.waiting));
        }
        Ok(())
    }

    /// Calls `stop`, if the Planet wants to be told, and ends it whatever comes of it. Waits at most until `drained` for calls in
    /// flight and for those who hold it, and only then asks for the `call` that tells it.
    pub(crate) async fn stop(self: &Arc<Self>, drained: Instant, call: impl FnOnce() -> Call) -> Result<(), CallError> {
        const REASON: &str = "it has been stopped";
        let end = || End { reason: REASON.into(), stopped: true };
        let had_none = self.condition.send_if_modified(|condition| {
            let restarting = matches!(condition, Condition::Restarting { .. });
            if restarting {
                *condition = Condition::Ended(end());
            }
            restarting
        });
        if had_none {
            self.vacate_if_ended();
            return Ok(());
        }
        let change = self.hold_calls();
        let seat = match self.drain(change, drained).await {
            Ok(seat) => Some(seat),
            // Whoever holds it has had its time.
            Err(Busy::Held(_)) => Arc::clone(&self.seat).try_lock_owned().ok(),
            Err(_) => None,
        };
        let Some(mut seat) = seat else {
            // A call is still in there. It runs on to its own deadline, and is the last one.
            self.abandon(REASON);
            return Ok(());
        };
        let call = call();
        self.set_holder(Some(call.errand()));
        let told = match &mut *seat {
            Some(instance) => instance.stop(&call).await,
            None => Ok(()),
        };
        self.set_holder(None);
        self.close(end());
        self.vacate(&mut seat);
        told
    }

    /// Has new calls wait from now on, and gives the number of the change that they wait for.
    pub(crate) fn hold_calls(&self) -> u64 {
        let change = self.holders.announce();
        self.condition.send_if_modified(|condition| {
            let open = matches!(condition, Condition::Open);
            if open {
                *condition = Condition::Held { change };
            }
            open
        });
        change
    }

    /// Lets the calls go on that a change has held up.
    pub(crate) fn let_calls_in(&self) {
        self.condition.send_if_modified(|condition| {
            let held = matches!(condition, Condition::Held { .. });
            if held {
                *condition = Condition::Open;
            }
            held
        });
    }

    /// Lets calls in, after an instance has been put into the seat.
    pub(crate) fn open(&self) {
        self.condition.send_if_modified(|condition| {
            let ended = matches!(condition, Condition::Ended(_));
            if !ended {
                *condition = Condition::Open;
            }
            !ended
        });
    }

    /// Waits until no call is executed, and nobody holds the Planet from before the change.
    pub(crate) async fn drain(
        &self,
        change: u64,
        until: Instant,
    ) -> Result<OwnedMutexGuard<Option<Box<Instance>>>, Busy> {
        let mut condition = self.condition.subscribe();
        let is_lost = |condition: &Condition| matches!(condition, Condition::Restarting { .. } | Condition::Ended(_));
        let let_go = async {
            tokio::select! {
                () = self.holders.gone(change) => {}
                // There is nothing left to keep.
                _ = condition.wait_for(is_lost) => {}
            }
        };
        if timeout_at(until.into(), let_go).await.is_err() {
            return Err(Busy::Held(self.holders.names(change)));
        }
        let seat = timeout_at(until.into(), Arc::clone(&self.seat).lock_owned()).await.map_err(|_| Busy::Calls)?;
        match self.ended() {
            Some(_) => Err(Busy::Ended),
            None => Ok(seat),
        }
    }

    /// Makes it known that `call`, of the life cycle, has the Planet: who waits for it waits for that.
    pub(crate) fn note_turn_of(&self, call: Option<&Call>) {
        self.set_holder(call.map(Call::errand));
    }

    /// Puts an instance into the empty seat, and lets calls in. Gives it back if the Planet has ended meanwhile.
    pub(crate) async fn seat(&self, instance: Box<Instance>) -> Result<(), Box<Instance>> {
        let mut seat = self.seat.lock().await;
        let mut instance = Some(instance);
        self.condition.send_if_modified(|condition| match condition {
            Condition::Ended(_) => false,
            _ => {
                *seat = instance.take();
                *condition = Condition::Open;
                true
            }
        });
        match instance {
            None => Ok(()),
            Some(instance) => Err(instance),
        }
    }

    /// Says that an instance, which was taken from the seat, has ended in an error.
    pub(crate) fn lost(self: &Arc<Self>, seat: &mut Option<Box<Instance>>, error: &CallError) {
        self.lose(seat, error.sentence(), error.cause.is_own_doing());
    }
}

/// Whether a call may come in.
enum LetsIn {
    Now,
    /// Not yet; perhaps because an instance has ended: why.
    Later(Option<Arc<str>>),
    Never(End),
}

/// A place among those who wait, until this is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The span of one call, for those who listen.
pub(crate) fn call_span(planet: &str, function: &FunctionName) -> Span {
    tracing::debug_span!(
        target: "kokoro::call",
        "call",
        planet,
        interface = function.interface.as_deref(),
        function = &*function.function,
        outcome = Empty,
    )
}

/// Notes in its span how a call has ended.
pub(crate) fn note_outcome<R>(span: &Span, outcome: &Result<R, CallError>) {
    if !span.is_disabled() {
        span.record("outcome", outcome.as_ref().map_or_else(CallError::kind, |_| "answered"));
    }
}
