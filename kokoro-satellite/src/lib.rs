//! Write Satellites: native child processes that belong to a Planet (plugin).
//!
//! A Planet runs in a sandbox, on one core. Where it needs all cores, a native library or the operating system, and the application
//! permits it, a program of its own can do that: a *Satellite*. It is a process, and its interface is WIT. To the Planet it is an
//! ordinary import.
//!
//! ```no_run
//! kokoro_satellite::satellite! { state: Codec, exports: ["images:native/codec@0.1.0"],
//! # wit: "doc/wit",
//! }
//!
//! #[derive(Default)]
//! struct Codec;
//!
//! impl codec::Guest for Codec {
//!     fn add(&mut self, a: u32, b: u32) -> u32 { a + b }
//! #   fn shrink(&mut self, _: Vec<u8>, _: u32) -> Result<Vec<u8>, String> { Err(String::new()) }
//! }
//!
//! fn main() -> std::process::ExitCode { kokoro_satellite::run::<Codec>() }
//! ```
//!
//! That is a whole program, with this crate as its one dependency. [`satellite!`] says what it serves, and [`run`] serves it. On the
//! other side, the Planet names the interface and the program in one line:
//! `satellites: ["images:native/codec@0.1.0" in "image-codec"]`.
//!
//! Do not write one unless you have to: it has to be built for every system and processor, its user has to trust it with everything,
//! and a call takes tens of microseconds. [The page on Satellites](https://github.com/BERADQ/kokoro-rs/blob/main/docs/satellites.md) says
//! more, and how to write one in another language; `kokoro new planet-with-satellite NAME` makes a project.
//!
//! # Where the program goes
//!
//! Beside the Planet's component, in a folder for each target that is shipped:
//!
//! ```text
//! images.wasm
//! images.satellites/x86_64-unknown-linux-gnu/image-codec
//! images.satellites/aarch64-apple-darwin/image-codec
//! ```
//!
//! It runs from a copy of it, so it finds no files beside itself: what it needs belongs into it. The application decides about
//! arguments, environment (empty unless it says otherwise) and working directory.
//!
//! # Calls
//!
//! One at a time, on the main thread; a function may use as many threads as it likes. An `Err` of the interface is an answer. A panic
//! is an error for the caller, with its message and its place, and the process goes on: with a new value, made by `Default`, as
//! nobody knows in what state the old one is. (So programs are not to be built with `panic = "abort"`.)
//!
//! When the application waits no more, [`is_cancelled`] says so, and [`give_up_if_cancelled`] leaves a function in one line. Who goes on
//! for longer than the application allows is ended.
//!
//! A value is copied once on its way in and once on its way out, however large it is.
//!
//! # Logging
//!
//! What goes through [`log`] or [`tracing`], from any thread, reaches the application's log, with its level and target. Nothing needs to
//! be set up, and nothing is installed where the program has installed a logger or a subscriber of its own. A line has at most 8 KiB.
//! What is printed gets there, too, line by line, and does no harm.
//!
//! # Tests
//!
//! [`testing`] calls the functions in the test's own process, through the same bytes that would cross.
//!
//! # Features
//!
//! `run`, which is on by default, is all of this. Without it there are [`protocol`] and [`memory`] alone, for the application's side.
//!
//! # Systems
//!
//! Linux and macOS. On Windows the crate compiles, and [`run`] says that Satellites are not supported there yet.

// Generated code says `::kokoro_satellite`, in this crate as well.
extern crate self as kokoro_satellite;

#[cfg(feature = "run")]
mod cancelled;
#[cfg(feature = "run")]
mod failure;
#[cfg(unix)]
pub mod memory;
pub mod protocol;
#[cfg(feature = "run")]
#[doc(hidden)]
pub mod rt;
#[cfg(feature = "run")]
mod run;
#[cfg(feature = "run")]
mod satellite;
#[cfg(feature = "run")]
pub mod testing;

#[cfg(feature = "run")]
pub use self::{
    cancelled::{Cancelled, give_up_if_cancelled, is_cancelled},
    failure::{Failure, FailureKind},
    run::run,
    satellite::Satellite,
};
/// Makes a Satellite of a type: the types and traits of the interfaces that it serves, and the way to call them.
///
/// ```
/// kokoro_satellite::satellite! {
///     state:   Codec,
///     exports: ["images:native/codec@0.1.0"],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Codec {
///     pictures: u32,
/// }
///
/// impl codec::Guest for Codec {
///     fn add(&mut self, a: u32, b: u32) -> u32 {
///         a + b
///     }
///
///     fn shrink(&mut self, picture: Vec<u8>, width: u32) -> Result<Vec<u8>, String> {
///         self.pictures += 1;
///         if picture.is_empty() {
///             return Err(format!("there is no picture {} to be made {width} wide", self.pictures));
///         }
///         Ok(picture)
///     }
/// }
/// # fn main() {}
/// ```
///
/// | field | what | if it is left out |
/// |---|---|---|
/// | `state` | the type whose one value serves; it starts from its [`Default`], and ends by its [`Drop`] | an error |
/// | `exports` | the interfaces that it serves, in full | an error |
/// | `wit` | the folder (or single file) with the WIT, relative to Cargo.toml, or else to the file of the call | `wit` |
///
/// WIT is found, and names are made, as `kokoro_guest::planet!` does it: `images:native/codec@0.1.0` becomes the module `codec`
/// with the interface's types, such as `codec::Size`, and the trait `codec::Guest`. `"images:native/codec@0.1.0" as native` gives
/// the module another name. [`Failure`] of `kokoro:core` is one type in all interfaces.
///
/// Values alone cross to another process: an interface with resources (or one whose functions pass handles of some) is refused where
/// it is listed, and so is one that is asynchronous.
///
/// The types of the functions are told to the application at the start, and compared with those that the Planet's component was built
/// with. If they differ, the call says how, and that one of them has to be built anew.
#[cfg(feature = "run")]
pub use kokoro_macros::satellite;
#[cfg(feature = "run")]
pub use log;
#[cfg(feature = "run")]
pub use tracing;
