//! What travels with a call: the Planets that it came through, and until when it has to be done.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::circle::Errand;
use crate::limits::margin;

/// A function as error messages name it.
#[derive(Debug, Clone)]
pub(crate) struct FunctionName {
    /// The export's full name: `acme:geo/locate@1.0.0`. None for a function outside of any interface.
    pub(crate) interface: Option<Arc<str>>,
    pub(crate) function: Name,
}

/// A name that is passed around.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    Constant(&'static str),
    Shared(Arc<str>),
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Constant(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::Constant(name)
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Self::Shared(name)
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}.{}", &*self.function),
            None => f.write_str(&self.function),
        }
    }
}

/// One call, as far as it has come.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    chain: Arc<[Arc<str>]>,
    made: Instant,
    deadline: Instant,
    errand: Arc<Errand>,
    /// What only some calls have.
    company: Option<Arc<Company>>,
}

/// What goes along with some calls.
#[derive(Debug, Clone, Default)]
struct Company {
    attached: Option<Attached>,
    cancels: Vec<Cancel>,
    /// The Primary whose change (a load, an unload, ..) this call is a part of.
    changes: Option<Changing>,
    /// In a function that the application serves: whether that is still executed.
    serves: Option<Arc<AtomicBool>>,
}

/// A value of the application's that goes along with a call.
pub(crate) type Attached = Arc<dyn Any + Send + Sync>;

/// Stands for one Primary: equal only to itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changing(Arc<()>);

impl PartialEq for Changing {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How the application can take a call back.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    token: CancellationToken,
    grace: Duration,
    /// When that was noticed.
    since: Arc<OnceLock<Instant>>,
}

impl Cancel {
    pub(crate) fn new(token: CancellationToken, grace: Duration) -> Self {
        Self { token, grace, since: Arc::default() }
    }

    /// Waits until the call is cancelled, and says until when it may still go on.
    async fn cancelled(&self) -> Instant {
        self.token.cancelled().await;
        self.ends()
    }

    fn ends(&self) -> Instant {
        later(*self.since.get_or_init(Instant::now), self.grace)
    }
}

/// What the application says about a call of its own.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// How long it may take.
    pub(crate) within: Duration,
    pub(crate) attached: Option<Attached>,
    pub(crate) cancel: Option<CancellationToken>,
    /// How long it may still take once it is cancelled.
    pub(crate) grace: Duration,
}

/// Why a call has no time left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    Overdue,
    Cancelled,
}

/// A function that the application serves and that is executed, until this is dropped.
#[derive(Debug)]
pub(crate) struct Serves(Arc<AtomicBool>);

impl Drop for Serves {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

tokio::task_local! {
    /// The call that the application's own code runs in, while a function that it serves to Planets is executed.
    static SERVING: Call;
}

impl Call {
    /// A call of a Planet's life cycle. It has its own time, whoever waits for it, but must not come back to a Planet
    /// that does.
    pub(crate) fn of_life_cycle(within: Duration) -> Self {
        let outer = SERVING.try_with(Call::clone).ok();
        let errand = outer.as_ref().map_or_else(Arc::default, Self::errand_inside);
        let chain = outer.as_ref().map(|outer| Arc::clone(&outer.chain)).unwrap_or_default();
        let changes = outer.and_then(|outer| outer.company?.changes.clone());
        let company = changes.map(|changes| Arc::new(Company { changes: Some(changes), ..Company::default() }));
        let made = Instant::now();
        Self { chain, made, deadline: later(made, within), errand, company }
    }

    /// The same call in other company.
    fn accompanied(self, change: impl FnOnce(&mut Company)) -> Self {
        let mut company = self.company.as_deref().cloned().unwrap_or_default();
        change(&mut company);
        Self { company: Some(Arc::new(company)), ..self }
    }

    fn cancels(&self) -> &[Cancel] {
        self.company.as_ref().map_or(&[], |company| &company.cancels)
    }

    /// The same call, as a part of a change of a Primary.
    pub(crate) fn changing(self, primary: &Changing) -> Self {
        self.accompanied(|company| company.changes = Some(primary.clone()))
    }

    /// A call by the application. Inside a function that the application serves it goes on from the Planet that called, with
    /// what is attached to that call unless something else is.
    pub(crate) fn by_application(terms: &Terms) -> Self {
        let Terms { within, attached, cancel, grace } = terms;
        let call = match SERVING.try_with(Call::clone) {
            Ok(outer) => {
                let outer = outer.nested();
                let deadline = later(outer.made, *within).min(outer.deadline);
                // An errand of its own: the application can do several things at once.
                Self { deadline, errand: outer.errand_inside(), ..outer }
            }
            Err(_) => {
                let made = Instant::now();
                let deadline = later(made, *within);
                Self { chain: Arc::default(), made, deadline, errand: Arc::default(), company: None }
            }
        };
        if attached.is_none() && cancel.is_none() {
            return call;
        }
        call.accompanied(|company| {
            company.attached = attached.clone().or(company.attached.take());
            company.cancels.extend(cancel.clone().map(|token| Cancel::new(token, *grace)));
        })
    }

    /// A new errand, for which this call waits while the function that the application serves in it is executed.
    fn errand_inside(&self) -> Arc<Errand> {
        let serves = self.company.as_ref().and_then(|company| company.serves.as_ref());
        serves.map_or_else(Arc::default, |serves| Errand::inside(&self.errand, serves))
    }

    /// The call that the application's own code runs in, if it answers a Planet.
    pub(crate) fn around() -> Option<Self> {
        SERVING.try_with(Call::clone).ok()
    }

    /// The same call, for a function that the application serves. Until what comes with it is dropped, calls that are made by it
    /// are waited for.
    pub(crate) fn served(&self) -> (Self, Serves) {
        let serves = Arc::new(AtomicBool::new(true));
        let call = self.clone().accompanied(|company| company.serves = Some(Arc::clone(&serves)));
        (call, Serves(serves))
    }

    /// Runs what a function that the application serves does, so that calls that it makes are known to go on from this one.
    pub(crate) async fn serving<T>(self, future: impl Future<Output = T>) -> T {
        SERVING.scope(self, future).await
    }

    /// To be called when nobody waits for the call any more, and it goes on.
    pub(crate) fn detach(&self) -> impl FnOnce() + Send + 'static {
        let errand = Arc::clone(&self.errand);
        move || errand.give_up()
    }

    /// Whether the Planet of this name is kept as it is for this call.
    pub(crate) fn holds(&self, planet: &Arc<str>) -> bool {
        self.errand.holds_from_before(planet, u64::MAX)
    }

    /// Does some work, in whatever task, as a part of the call `around` it.
    pub(crate) async fn within<T>(around: Option<Self>, work: impl Future<Output = T>) -> T {
        match around {
            Some(call) => call.serving(work).await,
            None => work.await,
        }
    }

    /// The names of the Planets that the call came through, the innermost last.
    pub(crate) fn chain(&self) -> &Arc<[Arc<str>]> {
        &self.chain
    }

    /// What the application attached.
    pub(crate) fn attached(&self) -> Option<&Attached> {
        self.company.as_ref()?.attached.as_ref()
    }

    pub(super) fn errand(&self) -> &Arc<Errand> {
        &self.errand
    }

    /// Whether the call is a part of a change of this Primary.
    pub(crate) fn changes(&self, primary: &Changing) -> bool {
        self.company.as_ref().is_some_and(|company| company.changes.as_ref() == Some(primary))
    }

    /// Whether the application has taken the call back.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancels().iter().any(|cancel| cancel.token.is_cancelled())
    }

    /// Until when it has to be done.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits until the application takes the call back.
    pub(crate) async fn cancelled(&self) {
        self.first_cancelled().await;
    }

    /// When it was made: what it waits for after that is somebody else's time.
    pub(super) fn made(&self) -> Instant {
        self.made
    }

    /// Whether the call has no time left, and why.
    pub(crate) fn late(&self) -> Option<Late> {
        self.late_at(Instant::now())
    }

    pub(super) fn late_at(&self, now: Instant) -> Option<Late> {
        let is_over = |cancel: &Cancel| cancel.token.is_cancelled() && now >= cancel.ends();
        match now >= self.deadline {
            true => Some(Late::Overdue),
            false => self.cancels().iter().any(is_over).then_some(Late::Cancelled),
        }
    }

    /// Does some work as long as the call has time.
    pub(crate) async fn until<T>(&self, work: impl Future<Output = T>) -> Result<T, Late> {
        self.with_deadline(work, async || {
            let ends = self.first_cancelled().await;
            sleep_until(ends.into()).await;
        })
        .await
    }

    /// Waits for something as long as the call has time, and no longer once it is cancelled.
    pub(super) async fn until_cancelled<T>(&self, wait: impl Future<Output = T>) -> Result<T, Late> {
        self.with_deadline(wait, async || {
            self.first_cancelled().await;
        })
        .await
    }

    async fn with_deadline<T>(&self, work: impl Future<Output = T>, cancelled: impl AsyncFnOnce()) -> Result<T, Late> {
        let mut work = pin!(work);
        // Most work is done at once, and needs no timer.
        if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return Ok(done);
        }
        let work = timeout_at(self.deadline.into(), work);
        let done = match self.cancels().is_empty() {
            true => work.await,
            false => tokio::select! {
                biased;
                done = work => done,
                () = cancelled() => return Err(Late::Cancelled),
            },
        };
        done.map_err(|_| Late::Overdue)
    }

    /// Waits until the call is cancelled by whomever, and says until when it may go on.
    async fn first_cancelled(&self) -> Instant {
        let mut waits: Vec<Pin<Box<dyn Future<Output = Instant> + Send + '_>>> =
            self.cancels().iter().map(|cancel| Box::pin(cancel.cancelled()) as _).collect();
        poll_fn(|context| {
            let ready = waits.iter_mut().find_map(|wait| match wait.as_mut().poll(context) {
                Poll::Ready(ends) => Some(ends),
                Poll::Pending => None,
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Whether the call came through the Planet of this very name: of two Primaries' Planets that are called alike, each
    /// has a name of its own.
    pub(crate) fn came_through(&self, planet: &Arc<str>) -> bool {
        self.chain.iter().any(|name| Arc::ptr_eq(name, planet))
    }

    /// The same call, made once more, of another Planet.
    pub(crate) fn again(&self) -> Self {
        Self { made: Instant::now(), ..self.clone() }
    }

    /// The same call, with this time from now on.
    pub(crate) fn with_time(&self, within: Duration) -> Self {
        let made = Instant::now();
        Self { made, deadline: later(made, within), ..self.clone() }
    }

    /// The call inside of `planet`.
    pub(crate) fn entered(&self, planet: &Arc<str>) -> Self {
        self.with_chain(self.chain_into(planet))
    }

    /// The chain that it has inside of `planet`.
    pub(super) fn chain_into(&self, planet: &Arc<str>) -> Arc<[Arc<str>]> {
        self.chain.iter().chain([planet]).cloned().collect()
    }

    /// The same call with another chain.
    pub(super) fn with_chain(&self, chain: Arc<[Arc<str>]>) -> Self {
        let Self { made, deadline, errand, company, .. } = self;
        Self { chain, made: *made, deadline: *deadline, errand: Arc::clone(errand), company: company.clone() }
    }

    /// A call out of the Planet that is executing: it has to be done a little earlier, also when it is cancelled.
    pub(crate) fn nested(&self) -> Self {
        let made = Instant::now();
        let left = self.deadline.saturating_duration_since(made);
        let deadline = self.deadline.checked_sub(margin(left)).unwrap_or(self.deadline);
        let nested = Self { made, deadline, ..self.clone() };
        if self.cancels().is_empty() {
            return nested;
        }
        nested.accompanied(|company| {
            company.cancels.iter_mut().for_each(|cancel| cancel.grace -= margin(cancel.grace).min(cancel.grace));
        })
    }
}

/// When a span ends. One that is too long for the clock ends in thirty years.
fn later(begin: Instant, span: Duration) -> Instant {
    let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    begin.checked_add(span.min(far)).unwrap_or(begin)
}
