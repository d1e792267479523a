//! What travels with a call: the Planets that it came through, and until when it has to be done.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::circle::Errand;
use crate::limits::margin;

/// A function as error messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// The export's full name: `acme:geo/locate@1.0.0`. None for a function outside of any interface.
    pub(crate) interface: Option<Arc<str>>,
    pub(crate) function: Arc<str>,
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}.{}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

/// One call, as far as it has come.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    chain: Arc<[Arc<str>]>,
    deadline: Instant,
    errand: Arc<Errand>,
    attached: Option<Attached>,
}

/// A value of the application's that goes along with a call.
pub(crate) type Attached = Arc<dyn Any + Send + Sync>;

tokio::task_local! {
    /// The call that the application's own code runs in, while a function that it serves to Planets is executed.
    static SERVING: Call;
}

impl Call {
    /// A call that starts or stops a Planet. It has its own time, whoever waits for it, but must not come back to a Planet
    /// that does.
    pub(crate) fn of_life_cycle(within: Duration) -> Self {
        let chain = SERVING.try_with(|outer| Arc::clone(&outer.chain));
        Self { chain: chain.unwrap_or_else(|_| Arc::new([])), ..Self::new(within, None) }
    }

    fn new(within: Duration, attached: Option<Attached>) -> Self {
        Self { chain: Arc::new([]), deadline: after(within), errand: Arc::default(), attached }
    }

    /// A call by the application. Inside a function that the application serves it goes on from the Planet that called, with
    /// what is attached to that call unless something else is.
    pub(crate) fn by_application(within: Duration, attached: Option<Attached>) -> Self {
        match SERVING.try_with(Call::clone) {
            Ok(outer) => Self {
                deadline: after(within).min(outer.nested_deadline()),
                // An errand of its own: the application can do several things at once.
                errand: Arc::default(),
                attached: attached.or(outer.attached),
                chain: outer.chain,
            },
            Err(_) => Self::new(within, attached),
        }
    }

    /// Runs a function that the application serves, so that calls that it makes are known to go on from this one.
    pub(crate) async fn serving<T>(self, future: impl Future<Output = T>) -> T {
        SERVING.scope(self, future).await
    }

    /// The names of the Planets that the call came through, the innermost last.
    pub(crate) fn chain(&self) -> &Arc<[Arc<str>]> {
        &self.chain
    }

    /// What the application attached.
    pub(crate) fn attached(&self) -> Option<&Attached> {
        self.attached.as_ref()
    }

    pub(super) fn errand(&self) -> &Arc<Errand> {
        &self.errand
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn is_overdue(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Whether the call came through the Planet of this very name: of two Primaries' Planets that are called alike, each
    /// has a name of its own.
    pub(crate) fn came_through(&self, planet: &Arc<str>) -> bool {
        self.chain.iter().any(|name| Arc::ptr_eq(name, planet))
    }

    /// The call inside of `planet`.
    pub(crate) fn entered(&self, planet: &Arc<str>) -> Self {
        let chain = self.chain.iter().chain([planet]).cloned().collect();
        Self { chain, ..self.clone() }
    }

    /// A call out of the Planet that is executing: it has to be done a little earlier.
    pub(crate) fn nested(&self) -> Self {
        Self { deadline: self.nested_deadline(), ..self.clone() }
    }

    fn nested_deadline(&self) -> Instant {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.deadline.checked_sub(margin(left)).unwrap_or(self.deadline)
    }
}

/// When a span that begins now ends. One that is too long for the clock ends in thirty years.
fn after(span: Duration) -> Instant {
    let now = Instant::now();
    let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now.checked_add(span.min(far)).unwrap_or(now)
}
