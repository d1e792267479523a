//! Where the one value of a Planet lives.

use std::cell::RefCell;
use std::fmt;

use super::logger;
use crate::{Planet, StartError};

/// The place of a Planet's value.
pub struct Cell<P>(RefCell<Life<P>>);

/// How far a Planet has come.
enum Life<P> {
    Unborn,
    Running(P),
    Failed(String),
    Stopped,
}

/// A type that has a place for its one value.
pub trait Singleton: Sized + 'static {
    /// Gives the place to a function.
    fn cell<R>(use_cell: impl FnOnce(&Cell<Self>) -> R) -> R;
}

impl<P> Cell<P> {
    /// An empty place.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only ever made in a constant")]
    pub const fn new() -> Self {
        Self(RefCell::new(Life::Unborn))
    }

    fn use_life<R>(&self, use_life: impl FnOnce(&mut Life<P>) -> R) -> R {
        let Ok(mut life) = self.0.try_borrow_mut() else {
            panic!(
                "this planet was called while another call was still running in it, and its calls come one at a time"
            );
        };
        use_life(&mut life)
    }
}

impl<P> fmt::Debug for Cell<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}

impl<P: Planet> Life<P> {
    /// Makes the value, if that has not been tried yet.
    fn begin(&mut self) {
        if matches!(self, Self::Unborn) {
            logger::install();
            *self = match P::start() {
                Ok(planet) => Self::Running(planet),
                Err(error) => Self::Failed(with_causes(&error)),
            };
        }
    }

    /// The value, made now if need be, or else why there is none.
    fn planet(&mut self) -> Result<&mut P, String> {
        self.begin();
        match self {
            Self::Running(planet) => Ok(planet),
            Self::Failed(reason) => Err(reason.clone()),
            Self::Stopped | Self::Unborn => Err("this planet has stopped already".to_owned()),
        }
    }
}

/// `lifecycle.start`.
///
/// # Errors
///
/// The reason that the Planet gave.
pub fn start<P: Planet + Singleton>() -> Result<(), String> {
    with(|_: &mut P| Ok(()))
}

/// Uses the value where an error can be said.
///
/// # Errors
///
/// That of the function, or the reason why there is no value.
pub(super) fn with<P: Planet + Singleton, R>(function: impl FnOnce(&mut P) -> Result<R, String>) -> Result<R, String> {
    P::cell(|cell| cell.use_life(|life| life.planet().and_then(function)))
}

/// `lifecycle.stop`.
pub fn stop<P: Singleton>() {
    let last = P::cell(|cell| cell.use_life(|life| std::mem::replace(life, Life::Stopped)));
    drop(last);
}

/// Calls an exported function. A host that knows nothing of `lifecycle` gets the Planet started now.
///
/// # Panics
///
/// If the Planet cannot start or has stopped, or if a call is running already.
pub fn call<P: Planet + Singleton, R>(function: impl FnOnce(&mut P) -> R) -> R {
    P::cell(|cell| {
        cell.use_life(|life| {
            life.begin();
            match life {
                Life::Running(planet) => function(planet),
                Life::Failed(reason) => panic!("this planet could not start: {reason}"),
                Life::Stopped | Life::Unborn => panic!("this planet was called after it had been stopped"),
            }
        })
    })
}

/// An error as one sentence.
pub(super) fn with_causes(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// A Planet type with its own place, so that tests do not share one.
    macro_rules! place {
        ($planet:ty) => {
            impl Singleton for $planet {
                fn cell<R>(use_cell: impl FnOnce(&Cell<Self>) -> R) -> R {
                    thread_local!(static CELL: Cell<$planet> = const { Cell::new() });
                    CELL.with(use_cell)
                }
            }
        };
    }

    #[derive(Default)]
    struct Counter(u32);
    place!(Counter);

    struct Broken;
    place!(Broken);

    impl Planet for Broken {
        fn start() -> Result<Self, StartError> {
            Err(Box::new(io::Error::other("no words")))
        }
    }

    #[test]
    fn a_call_without_start_starts_the_planet_and_later_calls_see_the_same_value() {
        for expected in 1..=3 {
            let count = call(|counter: &mut Counter| {
                counter.0 += 1;
                counter.0
            });
            assert_eq!(count, expected);
        }
        assert_eq!(start::<Counter>(), Ok(()));
    }

    #[test]
    fn a_failed_start_gives_its_reason_to_start_and_to_calls() {
        assert_eq!(start::<Broken>(), Err("no words".to_owned()));
        let message = message_of(|| call(|_: &mut Broken| ()));
        assert_eq!(message, "this planet could not start: no words");
    }

    #[test]
    fn a_call_within_a_call_panics_with_a_sentence() {
        let message = message_of(|| call(|_: &mut Counter| call(|_: &mut Counter| ())));
        assert!(message.contains("its calls come one at a time"), "{message}");
    }

    #[test]
    fn a_stopped_planet_answers_no_more() {
        assert_eq!(start::<Counter>(), Ok(()));
        stop::<Counter>();
        let message = message_of(|| call(|_: &mut Counter| ()));
        assert!(message.contains("stopped"), "{message}");
        assert!(start::<Counter>().is_err());
    }

    fn message_of(function: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(function).expect_err("a panic");
        panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap_or(&"")).to_owned())
    }
}
