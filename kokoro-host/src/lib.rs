//! Kokoro gives a Rust application plugins: WebAssembly components that depend on each other.
//!
//! A [`Primary`] manages the *Planets* (plugins) of an application. Each Planet is one component, sandboxed, a singleton in
//! its Primary. It says in WIT what it provides and what it needs; the Primary starts it when all that it requires is
//! there, carries its calls to whoever serves them, and can always say why one does not run.
//!
//! ```no_run
//! use kokoro_host::Primary;
//!
//! # async fn example() -> Result<(), kokoro_host::Error> {
//! let primary = Primary::builder().build()?;
//! let report = primary.load_dir("plugins").await?;
//! println!("{report}"); // who runs, who waits and why
//! # Ok(())
//! # }
//! ```
//!
//! Interfaces become types through [`bindings!`]: those that the application calls ([`Primary::get`],
//! [`Primary::all`]) and those that it serves to its Planets ([`Builder::serve`]). Where types are only known at run time
//! there is [`Primary::function`].
//!
//! [The guide](https://github.com/BERADQ/kokoro-rs/blob/main/docs/guide/src/embedding.md) makes an application step by step. Planets in Rust
//! are written with the crate `kokoro-guest`; those in other languages are components as their own toolchains make them.
//!
//! # What to rely on
//!
//! - **A Planet is on its own.** A trap, a panic, a runaway loop or a leak stays with one Planet. Whoever called it gets an
//!   [`Error`] that names the Planet, the interface and the function.
//! - **The application is in charge.** It decides which Planets may load, as what and with what ([`Builder::admit`]). Nothing is
//!   granted by default: no files, no network, no environment, no arguments. What a Planet prints goes to `tracing` with its name.
//! - **Satellites are off.** An application that turns them on ([`Builder::allow_satellites`]) can let a Planet own a native process, by
//!   program and hash ([`SatelliteGrant`]); it is started, watched and ended for it.
//! - **Types are checked when Planets are bound to each other**, not at the first call. (A Satellite's are when it is started.)
//! - **Planets come and go while the application runs** ([`Primary::load`], [`unload`](Primary::unload),
//!   [`reload`](Primary::reload), [`prefer`](Primary::prefer)). Dependents follow, stop or wait; a call is answered by the old
//!   provider or by the new one, never by none in between. A new release takes over the old one's state, and if anything about it
//!   fails, the old one goes on (or, if it ended in an error itself while it saved, is started anew).
//! - **Who ends in an error is started anew**, with growing pauses, until its [`Restarts`] are used up.
//! - **Nobody hangs.** Every call has a deadline, nested calls a smaller one; a call that would come back to a Planet that
//!   waits for it, or wait in a circle, is refused with the chain; and a call can be cancelled ([`Handle::cancelled_by`]).
//! - **Nothing is skipped silently.** [`Primary::graph`] has a reason for every Planet that does not run, and
//!   [`Primary::events`] tells every change as it happens.
//! - **A call that is given up hurts nobody**: if its future is dropped it runs to its end elsewhere.
//!
//! A Primary needs a tokio runtime with a clock (`enable_time`), which `#[tokio::main]` gives. Applications without one use
//! [`blocking`].
//!
//! # Features
//!
//! All are on by default. Without them the rest stays as it is, and what would have needed them is told so.
//!
//! - `http`: `wasi:http`, for Planets that send requests. Without it a Planet that imports it waits for another that exports it.
//! - `pictures`: `Graph::to_svg` and `Graph::to_mermaid`.
//! - `satellites`: native processes of Planets. Without it none can be started, as on systems that they are not supported on yet.

#![cfg_attr(
    not(all(satellites, feature = "http")),
    allow(
        dead_code,
        unused_imports,
        reason = "what only they use is in many places, and costs nothing where nobody calls it"
    )
)]

mod admission;
pub mod blocking;
mod engine;
mod error;
mod graph;
mod inspect;
mod interface;
mod limits;
mod link;
mod manifest;
mod planet;
mod primary;
mod registry;
mod resolve;
mod restarts;
#[doc(hidden)]
pub mod rt;
mod satellite;
mod value;

/// Makes types of WIT interfaces: of those that the application calls, and of those that it serves to Planets (plugins).
///
/// ```
/// mod bindings {
///     kokoro_host::bindings!({
///         path: "../examples/greeter/planet/wit",
///         interfaces: ["acme:greeter/greeting@0.1.0"],
///     });
/// }
/// # async fn example(primary: kokoro_host::Primary) -> Result<(), kokoro_host::Error> {
/// use bindings::greeting::Greeting;
///
/// let greeting = primary.get::<Greeting>()?;
/// println!("{}", greeting.greet("Ada").await?);
/// # Ok(())
/// # }
/// ```
///
/// The fields, all optional:
///
/// - `path`: the folder with the WIT files and their `deps`, relative to the crate; `wit` unless given.
/// - `interfaces`: the full names of the interfaces that the application calls.
/// - `serves`: the full names of the interfaces that the application serves.
///
/// Each interface becomes a module of its name, as do those from which it takes types; `"acme:a/log@1.0.0" as other_log`
/// names it otherwise. In it are the interface's types and
///
/// - for one that is called, a handle of the interface's name (`Greeting` above), to be had by
///   [`Primary::get`] and [`Primary::all`]. Its methods take parameters by reference, copy them, and return
///   `Result<_, kokoro_host::Error>` around whatever the function itself returns. `planet()` tells who answers,
///   `within(duration)` sets the time that a call may take, `with(value)` attaches a value to it, and `cancelled_by(&token)` lets it
///   be taken back. If a type of the interface has the handle's name already, the handle's name ends in `Handle`.
/// - for one that is served, a trait `Host` to implement (each function also gets the [`Caller`]), and a function
///   `serve` that makes of it what [`Builder::serve`] takes.
///
/// # Resources of Planets
///
/// An interface that the application calls may define resources. Each is a type in the interface's module, and its methods are
/// methods of that type. Its constructor and its static functions are methods of the interface's handle. Where the WIT has
///
/// ```wit
/// interface shelf {
///     resource book {
///         constructor(title: string);
///         turn: func() -> result<u32, string>;
///         same: func(other: borrow<book>) -> result<bool, string>;
///         count: static func() -> u32;
///     }
///     record loan { book: book, days: u32 }
///     lend: func(title: string) -> result<loan, string>;
///     take: func(loan: loan) -> result<u32, string>;
/// }
/// ```
///
/// an application writes
///
/// ```
/// # mod bindings {
/// #     kokoro_host::bindings!({ path: "tests/guests/wit", interfaces: ["test:guests/shelf@0.1.0"] });
/// # }
/// use bindings::shelf::{Book, Shelf};
///
/// async fn read(shelf: Shelf) -> Result<(), kokoro_host::Error> {
///     let book: Book = shelf.book_new("Emma").await?;
///     println!("page {:?}, of {} books", book.turn().await?, shelf.book_count().await?);
///     if let Ok(loan) = shelf.lend("Dune").await? {
///         println!("{:?}", book.same(&loan.book).await?);
///         // `loan` is given back. `book` is released as it is dropped.
///         println!("{:?}", shelf.take(loan).await?);
///     }
///     Ok(())
/// }
/// ```
///
/// Such a value is a handle: clones are handles of the same resource, may be used by many tasks at once, and are equal. When the last is
/// dropped, the resource is dropped at its Planet, which nobody waits for. What is passed as `book` is given away, and its clones are
/// of no use any more; what is passed as `borrow<book>` is lent, as `&Book`, or as [`Lent<Book>`](Lent) in a list, record or variant.
///
/// A method goes to the Planet that the resource belongs to, whoever provides the interface today. `within`, `with` and `cancelled_by`
/// are those of the handle that gave it out, unless it is given its own. A resource ends with the instance that it belongs to: once that has been
/// restarted, reloaded or unloaded, or has crashed, calls with the handle are errors, and the Planet that has come in its place does not
/// notice. Handles of one Planet are of no use to another.
///
/// An interface that uses the resource of another one (`use shelf.{book}`) passes that one's type; both are under `interfaces`, in one
/// call of the macro. An interface with resources cannot be called and served in the same one.
///
/// # Resources of the application
///
/// A served interface may define resources: values of the application of which Planets hold handles. Each is an associated type
/// of `Host`, and its functions are methods of `Host`. Where the WIT has
///
/// ```wit
/// interface store {
///     resource cursor {
///         constructor(word: string);
///         next: func() -> option<char>;
///         count: static func() -> u32;
///     }
///     join: func(one: cursor, other: option<cursor>) -> cursor;
/// }
/// ```
///
/// an application writes
///
/// ```
/// # mod bindings {
/// #     kokoro_host::bindings!({ path: "tests/guests/wit", serves: ["test:guests/store@0.1.0"] });
/// # }
/// # use bindings::store;
/// # use kokoro_host::Caller;
/// # use std::sync::{Arc, Mutex};
/// struct Store;
///
/// struct Cursor {
///     rest: Mutex<String>,
/// }
///
/// impl store::Host for Store {
///     type Cursor = Cursor;
///
///     async fn cursor_new(&self, _: &Caller, word: String) -> Arc<Cursor> {
///         Arc::new(Cursor { rest: Mutex::new(word) })
///     }
///
///     async fn cursor_next(&self, _: &Caller, cursor: Arc<Cursor>) -> Option<char> {
///         cursor.rest.lock().unwrap().pop()
///     }
///
///     async fn cursor_count(&self, _: &Caller) -> u32 {
///         0 // They are not counted here.
///     }
///
///     async fn join(&self, _: &Caller, one: Arc<Cursor>, other: Option<Arc<Cursor>>) -> Arc<Cursor> {
///         let other = other.map(|other| other.rest.lock().unwrap().clone());
///         one.rest.lock().unwrap().push_str(&other.unwrap_or_default());
///         one
///     }
/// #     async fn cursor_same(&self, _: &Caller, one: Arc<Cursor>, two: Arc<Cursor>) -> bool { Arc::ptr_eq(&one, &two) }
/// #     async fn open(&self, caller: &Caller, word: String) -> Result<Arc<Cursor>, String> { Ok(self.cursor_new(caller, word).await) }
/// #     async fn split(&self, _: &Caller, one: Arc<Cursor>) -> Vec<(u32, Arc<Cursor>)> { vec![(0, one)] }
/// }
/// ```
///
/// Every handle is an [`Arc`](std::sync::Arc): of one that was passed as `cursor` the Planet has let go, one that was passed as
/// `borrow<cursor>` it keeps. When a Planet drops a handle its `Arc` is dropped, and when a Planet ends, however it ends, those of
/// all that it held. Handles stand alone or inside of `list`, `option`, `tuple` and `result`; not in records and variants, yet.
///
/// An interface that uses the resource of another one (`use store.{cursor}`) is served by the same type as that one: its `Host`
/// asks for the other's. Both are under `serves`, in one call of the macro.
///
/// Planets cannot pass such handles to each other yet, only those of resources that the called Planet exports itself.
///
/// # Mistakes
///
/// What is wrong is a compile error at the interface that is to blame. Async functions are not supported yet.
pub use kokoro_macros::bindings;
/// The text form of values, [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave).
pub use wasmtime::component::wasm_wave as wave;
/// A value, and the types of values, for calls whose types are only known at run time.
pub use wasmtime::component::{Val, types::Type};

pub use crate::admission::{Addresses, AddressesError, Admission, Candidate, Granted, Grants, SatelliteGrant};
pub use crate::engine::{CacheStatistics, Engine, EngineBuilder, EngineError, Pool, PoolStatistics};
pub use crate::error::Error;
pub use crate::graph::{Edge, EdgeKind, EdgeProvider, Graph, Node};
pub use crate::inspect::{InspectError, Inspection, inspect};
pub use crate::interface::{InterfaceName, InterfaceNameError};
pub use crate::limits::Limits;
pub use crate::link::{Caller, Service};
pub use crate::manifest::{Manifest, Permissions, SatelliteReload, SatelliteRequest, SatelliteStart};
pub use crate::primary::{Builder, Check, Checked, Explanation, Handle, Interface, Lent, Primary, Reload, Report};
pub use crate::registry::{Event, Events, State};
pub use crate::resolve::{Contender, Dependency, Obstacle, Unmet, Waiting};
pub use crate::restarts::Restarts;
/// Cancels calls: see [`Handle::cancelled_by`].
pub use tokio_util::sync::CancellationToken;

/// Calls whose types are only known at run time. What is here comes from Wasmtime, and changes with its major versions.
pub mod dynamic {
    pub use wasmtime::component::Val;
    /// The text form of values, [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave).
    pub use wasmtime::component::wasm_wave as wave;

    pub use crate::primary::{Function, FunctionType};
}

/// The types of interfaces: what two components have to agree on.
pub mod types {
    pub use crate::inspect::{Function, Interface, Named, ResourceName, Type, Worlds, worlds_of_package};
}

/// The examples of the page on security, which compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/security.md")]
struct Security;
