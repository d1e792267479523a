//! Tests of Planets (plugins), in ordinary `#[test]` functions: load one, give it fake dependencies, call it, see what it did.
//!
//! ```
//! # mod wit { kokoro_test::bindings!({ path: "../examples/greeter/planet/wit", interfaces: ["acme:greeter/greeting@0.1.0"] }); }
//! # use wit::greeting;
//! // kokoro_test::bindings!({ interfaces: ["acme:greeter/greeting@0.1.0"] });
//! use greeting::Greeting;
//! use kokoro_test::{Fake, Harness};
//!
//! # #[cfg(any())]
//! #[test]
//! fn greets_with_the_glossarys_word() {
//! # }
//! # fn example() {
//!     let glossary = Fake::of("site:content/glossary")
//!         .answers("lookup", |word: String| Ok::<_, String>(word.to_uppercase()));
//!     let test = Harness::built() // this package's own component
//!         .dependency(&glossary)
//!         .directory("/content") // a temporary one, granted
//!         .start();
//!
//!     let greeting: Greeting = test.get();
//!     assert_eq!(test.wait(greeting.greet("ada")), "HELLO, ADA");
//!     assert_eq!(glossary.calls("lookup"), [r#""ada""#]);
//!     assert!(test.logged("greeted ada"));
//!
//!     glossary.answers_err("lookup", "no such word"); // from here on
//!     assert_eq!(test.wait(greeting.greet("ada")), "Hello, ada");
//!     glossary.goes();
//!     assert_eq!(test.wait(greeting.greet("ada")), "Hello, ada");
//! }
//! ```
//!
//! The test brings a Primary of its own, with everything that an application's has: what is faked here fails there in the same way. It needs
//! no other dev-dependency than this crate.
//!
//! `kokoro test` builds the Planets and runs the tests. [The guide](https://github.com/BERADQ/kokoro-rs/blob/main/docs/guide/src/testing.md) has
//! a whole project.
//!
//! - [`Harness`] says what there is: the Planet, other real ones, fakes, directories and other grants. Nothing unless told.
//! - [`Running`] calls the Planet: typed ([`get`](Running::get), [`wait`](Running::wait)) or in WAVE text ([`call`](Running::call)).
//! - [`Fake`] stands for another Planet, for what the application serves, or for a Satellite (a native process); it answers by
//!   closures, and is asked what it was asked. It can fail in all ways: [`answers_err`](Fake::answers_err), [`goes`](Fake::goes) and
//!   [`comes`](Fake::comes), [`crashes`](Fake::crashes), [`hangs`](Fake::hangs).
//! - [`for_each_wit`] runs a test against several versions of an application.
//!
//! # When a test fails
//!
//! A wrong answer is an ordinary `assert_eq!`. The test's output then has what the Planet asked its fakes, what it logged, and how all
//! stood:
//!
//! ```text
//! assertion `left == right` failed
//!   left: "Hello, ada"
//!  right: "HELLO, ADA"
//!
//! planet `greeter` is running
//!   what the fakes were asked:
//!     glossary.lookup("ada") -> err("no such word")
//!   what was logged:
//!     WARN  greeter: the glossary said: no such word
//! ```
//!
//! So does a call that got no answer, and a fake that was called otherwise than [expected](Fake::expects).
//!
//! # How fast it is
//!
//! Each test has its own Primary, so tests run side by side. Compiled code is shared by all tests of a process and kept on disk
//! (`kokoro-test` in the user's cache folder): a test takes about ten milliseconds, but for the first one after a change.

#![expect(clippy::test_attr_in_doctest, reason = "that is how it is used")]

mod component;
mod fake;
mod forwarder;
mod harness;
mod log;
#[doc(hidden)]
pub mod rt;
mod running;
mod start;
mod text;
mod value;
mod versions;
mod wit;

/// Makes types of WIT interfaces, exactly as [`kokoro_host::bindings!`] does: of those that the Planet (plugin) exports, under
/// `interfaces`, to [call](Running::get) it, and of those that it imports, under `serves`, for [`Fake::serving`] and
/// [`Harness::serve`].
///
/// The records, variants, enums and flags of all of them can be taken and returned by closures that answer for a [`Fake`].
///
/// ```
/// kokoro_test::bindings!({
///     path: "../examples/greeter/planet/wit",
///     interfaces: ["acme:greeter/greeting@0.1.0"],
/// });
/// # fn main() {}
/// ```
#[doc(inline)]
pub use kokoro_host::rt::test_bindings as bindings;
pub use kokoro_host::{self, Error, Graph, Limits, Restarts, State, Val};
/// How much a [`Line`] matters.
pub use tracing::Level;

pub use crate::fake::Fake;
pub use crate::harness::{Harness, StartError};
pub use crate::log::Line;
pub use crate::running::Running;
pub use crate::value::{Answer, Arguments, FromArguments, FromValue, IntoValue, Typed};
pub use crate::versions::for_each_wit;
