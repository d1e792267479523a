//! What becomes of a call that nobody waits for any more.

use std::fmt;

use crate::rt::core::kokoro::core::current_call;
use crate::{Failure, FailureKind};

/// The application cancelled the call that this Planet executes. Made by [`give_up_if_cancelled`].
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

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self { kind: FailureKind::Cancelled, message: cancelled.to_string(), chain: Vec::new() }
    }
}

/// Whether the application has cancelled the call that this Planet executes, or one that led to it.
///
/// After a `true` the answer stays so until the exported call ends. Natively, as in `cargo test`, nothing is ever cancelled.
#[must_use]
pub fn is_cancelled() -> bool {
    cfg!(target_arch = "wasm32") && current_call::is_cancelled()
}

/// Lets `?` leave a function whose call the application has cancelled.
///
/// ```
/// use kokoro_guest::Failure;
///
/// fn count(words: &[&str]) -> Result<u32, Failure> {
///     let mut count = 0;
///     for word in words {
///         kokoro_guest::give_up_if_cancelled()?;
///         count += u32::from(word.starts_with('k'));
///     }
///     Ok(count)
/// }
/// # assert_eq!(count(&["kokoro", "heart"]), Ok(1));
/// ```
///
/// Asking is a call into the host: little for a page or a chunk of work, much for the smallest step of a loop.
///
/// # Errors
///
/// [`Cancelled`], if [`is_cancelled`].
pub fn give_up_if_cancelled() -> Result<(), Cancelled> {
    if is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn into<E: From<Cancelled>>() -> Result<(), E> {
        Err(Cancelled)?
    }

    #[test]
    fn natively_nothing_is_cancelled() {
        assert!(!is_cancelled());
        assert_eq!(give_up_if_cancelled(), Ok(()));
    }

    #[test]
    fn the_question_mark_makes_of_it_what_the_function_returns() {
        let sentence = "the application cancelled this call";
        assert_eq!(into::<String>(), Err(sentence.to_owned()));
        let failure = Failure { kind: FailureKind::Cancelled, message: sentence.to_owned(), chain: Vec::new() };
        assert_eq!(into::<Failure>(), Err(failure));
        let boxed = into::<crate::StartError>().unwrap_err();
        assert_eq!(boxed.to_string(), sentence);
        assert!(boxed.is::<Cancelled>());
    }
}
