//! Which call is going on, and whether anybody still waits for it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::testing;

/// The number of the call that is going on, plus 1; 0 between calls.
static CURRENT: AtomicU64 = AtomicU64::new(0);
/// The number of the call that was cancelled last, plus 1.
static CANCELLED: AtomicU64 = AtomicU64::new(0);

/// Whether the application waits no more for the call that is going on.
///
/// A function that works for long asks now and then, from any thread, and returns soon once the answer is `true`; what it returns
/// then is not looked at. A process that goes on for longer than the application allows is ended, with all that its state knows.
///
/// ```
/// fn sum(numbers: &[u64]) -> Result<u64, String> {
///     let mut sum = 0;
///     for part in numbers.chunks(10_000) {
///         if kokoro_satellite::is_cancelled() {
///             return Err("cancelled".to_owned());
///         }
///         sum += part.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
/// # assert_eq!(sum(&[1, 2]), Ok(3));
/// ```
///
/// It costs next to nothing. In tests it is what [`testing::cancelled`] makes of it.
#[must_use]
pub fn is_cancelled() -> bool {
    let current = CURRENT.load(Ordering::Acquire);
    current != 0 && current == CANCELLED.load(Ordering::Acquire) || testing::is_cancelled()
}

/// The application cancelled the call that is going on. Made by [`give_up_if_cancelled`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the application cancelled this call")
    }
}

impl std::error::Error for Cancelled {}

impl From<Cancelled> for String {
    fn from(cancelled: Cancelled) -> Self {
        cancelled.to_string()
    }
}

/// Lets `?` leave a function whose call the application has cancelled.
///
/// ```
/// fn sum(numbers: &[u64]) -> Result<u64, String> {
///     let mut sum = 0;
///     for part in numbers.chunks(10_000) {
///         kokoro_satellite::give_up_if_cancelled()?;
///         sum += part.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
/// # assert_eq!(sum(&[1, 2]), Ok(3));
/// # assert!(kokoro_satellite::testing::cancelled(|| sum(&[1, 2])).is_err());
/// ```
///
/// # Errors
///
/// [`Cancelled`], if [`is_cancelled`].
pub fn give_up_if_cancelled() -> Result<(), Cancelled> {
    if is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// A call begins.
#[cfg(unix)]
pub(crate) fn begin(number: u64) {
    CURRENT.store(number.wrapping_add(1), Ordering::Release);
}

/// The call is over.
#[cfg(unix)]
pub(crate) fn end() {
    CURRENT.store(0, Ordering::Release);
}

/// The application waits no more for this call, which may not have begun yet.
#[cfg(unix)]
pub(crate) fn cancel(number: u64) {
    CANCELLED.store(number.wrapping_add(1), Ordering::Release);
}
