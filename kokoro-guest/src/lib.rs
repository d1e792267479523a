//! Write Planets (plugins) for Kokoro applications: WebAssembly components, in Rust.
//!
//! A Planet is a value. [`planet!`] says which one, what it exports and what it depends on; the exported functions are
//! methods on `&mut self`; the value is made when the Planet starts ([`Planet`](trait@Planet)) and dropped when it stops.
//!
//! ```
//! kokoro_guest::planet! {
//!     state:    Outline,
//!     exports:  ["site:content/outline@0.1.0"],
//!     requires: ["site:content/markdown@0.1.0"],
//! #   wit: "doc/wit",
//! }
//!
//! #[derive(Default)]
//! struct Outline;
//!
//! impl outline::Guest for Outline {
//!     fn headings(&mut self, source: String) -> Vec<outline::Heading> {
//!         markdown::parse(&source).headings
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # Failing dependencies
//!
//! A call to another Planet can fail: that one may have crashed, or not be there any more. An interface that wants its
//! callers to live on says so with the failure type of `kokoro:core`:
//!
//! ```wit
//! use kokoro:core/types@0.1.0.{failure};
//! find: func(word: string) -> result<u32, failure>;
//! ```
//!
//! ```
//! # kokoro_guest::planet! {
//! #   state: Page,
//! #   requires: ["site:content/search@0.1.0"],
//! #   wit: "doc/wit",
//! # }
//! # #[derive(Default)]
//! # struct Page;
//! use kokoro_guest::{Failure, FailureKind};
//!
//! fn times(word: &str) -> Result<u32, Failure> {
//!     match search::find(word) {
//!         Err(failure) if failure.kind == FailureKind::Crashed => Ok(0),
//!         other => other,
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # Logging
//!
//! What goes through the [`log`] facade, or through [`tracing`], reaches the application's log with the Planet's name,
//! its level and its target. Nothing needs to be set up. Lines that nobody listens to are not even formatted: the least
//! important level is asked for once, when the Planet starts.
//!
//! ```
//! # use kokoro_guest::{log, tracing};
//! log::info!("42 pages");
//! tracing::warn!(page = "index.md", "no title");
//! ```
//!
//! What is printed, and the message of a panic, gets there, too.

// Generated code says `::kokoro_guest`, in this crate as well.
extern crate self as kokoro_guest;

mod failure;
mod planet;
#[doc(hidden)]
pub mod rt;

pub use failure::{Failure, FailureKind};
#[doc = include_str!("planet.md")]
pub use kokoro_macros::planet;
pub use planet::{Planet, StartError};

pub use log;
pub use tracing;
