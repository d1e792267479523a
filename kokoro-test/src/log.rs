//! What the Planets (plugins) of one test have logged and printed.
//!
//! Each test has a runtime of its own, and each of that runtime's threads a subscriber of `tracing` of the test's own: so tests that run
//! at the same time do not mix, and an application's own subscriber is left alone.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

/// A line that a Planet (plugin) has logged or printed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// Who: the Planet's name. Empty for what Kokoro itself has to say.
    pub planet: String,
    /// How much it matters. What is printed to standard output is `INFO`, to standard error `WARN`.
    pub level: Level,
    /// Where in the Planet: what `log` and `tracing` call the target. For what is printed `stdout` or `stderr`.
    pub module: String,
    /// The line itself.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5} ", self.level)?;
        if !self.planet.is_empty() {
            write!(f, "{}: ", self.planet)?;
        }
        if !self.module.is_empty() && self.module != self.planet.replace('-', "_") {
            write!(f, "[{}] ", self.module)?;
        }
        f.write_str(&self.text)
    }
}

/// The lines of one test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Line>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What writes to this log.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(Registry::default().with(self.clone().with_filter(OfKokoro)))
    }
}

const OF_PLANETS: &str = "kokoro::planet";
const OF_KOKORO: &str = "kokoro";

/// Lets through what Planets say, and Kokoro's own warnings.
struct OfKokoro;

impl OfKokoro {
    fn wants(metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            OF_PLANETS => metadata.is_event(),
            OF_KOKORO => metadata.is_event() && *metadata.level() <= Level::WARN,
            _ => false,
        }
    }
}

impl<S> Filter<S> for OfKokoro {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        match Self::wants(metadata) {
            true => tracing::subscriber::Interest::always(),
            false => tracing::subscriber::Interest::never(),
        }
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            planet: String::new(),
            level: *event.metadata().level(),
            module: String::new(),
            text: String::new(),
        };
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

struct Fields<'l>(&'l mut Line);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "planet" => self.0.planet = value.to_owned(),
            "module" | "stream" => self.0.module = value.to_owned(),
            "message" => self.0.text = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

thread_local! {
    static GUARD: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// From now on what this thread does is written to `dispatch`.
pub(crate) fn begin(dispatch: &Dispatch) {
    GUARD.set(Some(tracing::dispatcher::set_default(dispatch)));
}

/// Ends that, while the thread still has what it needs for it.
pub(crate) fn end() {
    drop(GUARD.take());
}
