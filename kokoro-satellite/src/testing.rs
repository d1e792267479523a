//! Calls a Satellite's functions in the same process, for `#[test]`s.
//!
//! ```
//! # kokoro_satellite::satellite! { state: Codec, exports: ["images:native/codec@0.1.0"], wit: "doc/wit" }
//! # #[derive(Default)]
//! # struct Codec;
//! # impl codec::Guest for Codec {
//! #     fn add(&mut self, a: u32, b: u32) -> u32 { a + b }
//! #     fn shrink(&mut self, picture: Vec<u8>, width: u32) -> Result<Vec<u8>, String> { Err("no picture".to_owned()) }
//! # }
//! use codec::Guest as _;
//! use kokoro_satellite::testing;
//!
//! # /*
//! #[test]
//! # */
//! fn adds() {
//!     let mut codec = testing::start::<Codec>();
//!     assert_eq!(codec.add(2, 3), 5);
//! }
//! # adds();
//! ```

use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use kokoro_value::{Decode, Encoder};

use crate::Satellite;
use crate::rt::{Arguments, Reply};

/// A Satellite without a process of its own: implements `Guest` of each interface, and hands every call to `S`.
///
/// Arguments and results go through the bytes that would go from process to process, and after a panic, which the caller gets, the
/// value is made anew: what a test sees is what a Planet (plugin) would.
pub struct InProcess<S> {
    satellite: S,
}

/// Makes a Satellite to be called in a test.
#[must_use]
pub fn start<S: Satellite>() -> InProcess<S> {
    InProcess { satellite: S::start() }
}

impl<S: Satellite> InProcess<S> {
    // None of these is a method: an interface may have functions of any name.

    /// The value that serves, to be looked at: `InProcess::state(&mut codec)`.
    pub fn state(of: &mut Self) -> &mut S {
        &mut of.satellite
    }

    #[doc(hidden)]
    pub fn call<T: Decode>(of: &mut Self, function: u32, arguments: impl FnOnce(&mut Encoder<'_>)) -> T {
        let mut bytes = Encoder::new();
        arguments(&mut bytes);
        let mut reply = Reply::new(Encoder::new());
        let mut arguments = Arguments::new(bytes.bytes());
        let satellite = &mut of.satellite;
        let called = panic::catch_unwind(AssertUnwindSafe(|| satellite.call(function, &mut arguments, &mut reply)));
        match called {
            Ok(Ok(())) => {}
            Ok(Err(malformed)) => panic!("{malformed}"),
            Err(panicked) => {
                of.satellite = S::start();
                panic::resume_unwind(panicked);
            }
        }
        match kokoro_value::from_bytes(reply.into_encoder().bytes()) {
            Ok(value) => value,
            Err(error) => panic!("the result cannot be read again: {error}"),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for InProcess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InProcess").field(&self.satellite).finish()
    }
}

thread_local! {
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test's part in which [`is_cancelled`](crate::is_cancelled) says yes on this thread.
pub fn cancelled<T>(part: impl FnOnce() -> T) -> T {
    /// Ends it, whatever way `part` ends.
    struct Until(bool);

    impl Drop for Until {
        fn drop(&mut self) {
            CANCELLED.set(self.0);
        }
    }

    let _until = Until(CANCELLED.replace(true));
    part()
}

pub(crate) fn is_cancelled() -> bool {
    CANCELLED.get()
}
