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
//! The crate is a `cdylib` that is built for `wasm32-wasip2`; `kokoro new planet NAME` makes one, and `kokoro build` builds it.
//! [The guide](https://github.com/BERADQ/kokoro-rs/blob/main/docs/guide/src/first-planet.md) begins there. The crate
//! `kokoro-test` tests the component, and `kokoro-host` is the application's side.
//!
//! # Failing dependencies
//!
//! A call to another Planet can fail: that one may have crashed, or not be there any more. An interface that wants its
//! callers to live on says so with the failure type of `kokoro:core`, or with `result<_, string>`, which has room for errors of its
//! own as well (a [`Failure`] means that there was no answer at all; its kinds are those of [`FailureKind`]):
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
//! # Cancelled calls
//!
//! The application can cancel a call that it made, and all that the call has led to. A Planet that works for long looks now and
//! then ([`is_cancelled`]), or gives up in one line:
//!
//! ```
//! fn sum(pages: &[String]) -> Result<usize, String> {
//!     let mut bytes = 0;
//!     for page in pages {
//!         kokoro_guest::give_up_if_cancelled()?;
//!         bytes += page.len();
//!     }
//!     Ok(bytes)
//! }
//! # assert_eq!(sum(&["page".to_owned()]), Ok(4));
//! ```
//!
//! [`Cancelled`] becomes a `String`, a [`Failure`] or a boxed error, so that `?` works in functions that fail with one of
//! these. A Planet that does not look has a grace period to end in; then its instance is ended and started anew.
//!
//! # New releases
//!
//! The application can put a new release of a Planet in the place of the running one. What the old instance knows is then lost,
//! unless one line says that it is carried over, and in which version of its form: `saved: 1`. See
//! [the section on saved state](planet!#saved-state).
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

mod cancelled;
mod failure;
mod planet;
#[doc(hidden)]
pub mod rt;
mod saved;

pub use cancelled::{Cancelled, give_up_if_cancelled, is_cancelled};
pub use failure::{Failure, FailureKind};
/// Makes a Planet (plugin) of the crate: a component that exports some interfaces and depends on others.
///
/// ```
/// kokoro_guest::planet! {
///     state:    Outline,
///     exports:  ["site:content/outline@0.1.0"],
///     requires: ["site:content/markdown@0.1.0"],
///     optional: ["site:content/glossary@0.1.0"],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Outline {
///     pages: u32,
/// }
///
/// impl outline::Guest for Outline {
///     fn headings(&mut self, source: String) -> Vec<outline::Heading> {
///         self.pages += 1;
///         let document = markdown::parse(&source);
///         let document = match glossary::if_bound() {
///             Some(glossary) => glossary.link(&document),
///             None => document,
///         };
///         document.headings
///     }
/// }
/// # fn main() {}
/// ```
///
/// Call it once, at the top of `src/lib.rs`, in a crate with
///
/// ```toml
/// [lib]
/// crate-type = ["cdylib"]
/// ```
///
/// (without it the build succeeds and makes no `.wasm` file) and build with `cargo build --release --target wasm32-wasip2`. What
/// it is given:
///
/// | field | what | if it is left out |
/// |---|---|---|
/// | `state` | the type whose one value is the running Planet: see [`Planet`](trait@crate::Planet) | an error |
/// | `exports` | the interfaces that the Planet serves | none |
/// | `requires` | the interfaces that it cannot do without: it starts only when all of them have a provider | none |
/// | `optional` | the interfaces that it uses when they have a provider | none |
/// | `satellites` | the interfaces that native programs of its own serve: see [below](#satellites) | none |
/// | `name` | what the Planet is called | the crate's name |
/// | `version` | the Planet's version, as in `1.2.3` | the crate's version |
/// | `wit` | the folder (or single file) with the WIT, relative to Cargo.toml, or else to the file of the call | `wit` |
/// | `app` | a JSON file with whatever the application wants to know before it runs the Planet | `app.json`, if there is one |
/// | `permissions` | what the Planet asks to be allowed: see [below](#permissions) | nothing |
/// | `saved` | that the state is carried over when a new release takes the Planet's place, and the version of its form: see [below](#saved-state) | each instance begins anew |
///
/// # Interfaces
///
/// An interface is named in full, as in `"site:content/outline@0.1.0"`. It must be declared by a `.wit` file in the folder `wit`
/// or in `wit/deps`, where other packages are (one folder or file each). `kokoro:core` need not be there. No world is written:
/// the macro puts it together.
///
/// Names become Rust's: `price-cents` is the field `price_cents`, `saved-state` the module `saved_state`, `item` the type `Item`.
/// Records, variants and enums can be cloned, compared and shown by `{:?}`, as far as there are no handles in them.
///
/// Each listed interface becomes a module that is called like the interface (`outline`), with everything that wit-bindgen
/// makes of it. Where two are called alike, `as` renames one:
///
/// ```
/// kokoro_guest::planet! {
///     state: Shouting,
///     exports: ["site:content/markdown@0.1.0"],
///     requires: ["site:content/markdown@0.1.0" as inner],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Shouting;
///
/// impl markdown::Guest for Shouting {
///     fn parse(&mut self, source: String) -> markdown::Document {
///         inner::parse(&source.to_uppercase())
///     }
/// }
/// # fn main() {}
/// ```
///
/// This one decorates: it exports what it imports, so it is never its own provider. The types of both sides are the same
/// ones then (and types that are built alike are one type throughout such a Planet).
///
/// An interface that has types alone needs no provider; listed under `requires` it becomes a module all the same. Asynchronous
/// functions, futures and streams are not supported yet.
///
/// # Required interfaces
///
/// Their functions are plain functions of the module, their resources plain types. Arguments are borrowed (`&str`, `&[T]`,
/// `&Document`), results are owned. Where the function returns `result<_, failure>` with the failure type of
/// `kokoro:core/types` ([`Failure`] here, in every interface), or `result<_, string>`, a provider that crashes
/// or takes too long is an `Err`. With any other result the Planet ends with it.
///
/// A resource belongs to the instance that made it. Once its Planet has been started anew, reloaded or unloaded, calls with a handle
/// are errors as above, and the thing to do is to get another one. Methods go to the Planet that a handle came from; what
/// takes several handles takes those of one Planet only. A handle that is dropped is released there, and nobody waits for that. To pass
/// on a handle to a third Planet is refused when they are bound.
///
/// # Optional interfaces
///
/// They can be called only through what `if_bound()` gives, so that forgetting to ask does not compile. It holds until the
/// exported call in which it was asked for has ended: ask again in each call, and do not keep it.
///
/// | in WIT | in Rust |
/// |---|---|
/// | `link: func(..)` | `glossary::if_bound()?.link(..)` |
/// | `resource entry { constructor(..) }` | `glossary::if_bound()?.new_entry(..)` |
/// | `resource entry { find: static func(..) }` | `glossary::if_bound()?.entry_find(..)` |
/// | `resource entry { text: func() }` | `entry.text()`, on the handle |
///
/// # Exported interfaces
///
/// `state` implements the trait `Guest` of each exported interface: the interface's functions, on `&mut self`, with owned
/// arguments. Calls come one at a time.
///
/// A resource has a trait of its own, which a type of yours implements. Its functions get the Planet as well. Handles are
/// made by `new`; those that come as arguments give access to the value by `get`, `get_mut` and, if they are owned,
/// `into_inner`:
///
/// ```
/// use walk::{Cursor, CursorBorrow, Heading};
///
/// kokoro_guest::planet! {
///     state: Walks,
///     exports: ["site:content/walk@0.1.0"],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Walks {
///     cursors: u32,
/// }
///
/// #[derive(Clone)]
/// struct Place {
///     rest: Vec<Heading>,
/// }
///
/// impl walk::Guest for Walks {
///     type Cursor = Place;
///
///     fn count(&mut self) -> u32 {
///         self.cursors
///     }
///
///     fn fork(&mut self, cursor: CursorBorrow<'_>) -> Cursor {
///         self.cursors += 1;
///         Cursor::new(cursor.get().clone())
///     }
/// }
///
/// impl walk::GuestCursor<Walks> for Place {
///     fn new(planet: &mut Walks, source: String) -> Self {
///         planet.cursors += 1;
///         let headings = source.lines().filter_map(|line| line.strip_prefix("# "));
///         Place { rest: headings.rev().map(|text| Heading { level: 1, text: text.to_owned() }).collect() }
///     }
///
///     fn next(&mut self, _planet: &mut Walks) -> Option<Heading> {
///         self.rest.pop()
///     }
/// }
/// # fn main() {}
/// ```
///
/// Other Planets and the application can hold such handles. When they let go of one, or end, the value is dropped here, before the next
/// call at the latest; a panic in its `Drop` ends the instance. Handles that are out do not survive a restart or a reload.
///
/// `kokoro:core/lifecycle` is always exported, and is [`Planet`](trait@crate::Planet) here. `kokoro:core/saved-state` is exported
/// by `saved`, or like any other interface.
///
/// # Saved state
///
/// When the application reloads a Planet, it asks the old instance to save its state, and the new one, which has started
/// already, to restore it. `saved` does both for a state that [serde](https://serde.rs) can write and read:
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// kokoro_guest::planet! {
///     state: Visits,
///     saved: 1,
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Visits {
///     pages: Vec<String>,
///     #[serde(skip)]
///     cache: Vec<u8>, // begins anew in each instance
/// }
/// # fn main() {}
/// ```
///
/// with
///
/// ```toml
/// [dependencies]
/// serde = { version = "1", features = ["derive"] }
/// ```
///
/// The restored value takes the place of the one that the new instance started with, which is dropped. Parts that are not to be
/// carried over are `#[serde(skip)]`; they get their [`Default`]. Handles of resources cannot be carried over, neither
/// one's own nor those of others.
///
/// The form of the bytes is [CBOR](https://www.rfc-editor.org/rfc/rfc8949), whose structs carry the names of their fields: a
/// release that gives up a field, or adds one that is an [`Option`] or has `#[serde(default)]`, reads what older ones saved,
/// and the version stays. (Other languages read it, too. A `Vec<u8>` is an array of numbers there, about twice as large as with
/// `#[serde(with = "serde_bytes")]`.) When a form changes in another way, count the version up, and say what becomes of older ones:
///
/// ```
/// use std::collections::BTreeMap;
///
/// use kokoro_guest::{Saved, StartError};
/// use serde::{Deserialize, Serialize};
///
/// kokoro_guest::planet! {
///     state: Visits,
///     saved: { version: 2, migrate: Visits::from_older },
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Visits {
///     pages: BTreeMap<String, u64>,
/// }
///
/// impl Visits {
///     /// All that version 1 had were names.
///     fn from_older(saved: &Saved) -> Result<Self, StartError> {
///         #[derive(Deserialize)]
///         struct First {
///             pages: Vec<String>,
///         }
///         let First { pages } = saved.read()?;
///         Ok(Self { pages: pages.into_iter().map(|page| (page, 1)).collect() })
///     }
/// }
/// # fn main() {
/// #     let first = BTreeMap::from([("pages", ["home"])]);
/// #     let visits = Visits::from_older(&Saved::write(1, &first).unwrap()).unwrap();
/// #     assert_eq!(visits.pages["home"], 1);
/// # }
/// ```
///
/// `migrate` gets the versions before its own; [`Saved::version`] says which, and [`Saved::write`] makes what a test needs.
/// What cannot be restored is an error that says why, and the old instance goes on: data that does not fit, a version from the
/// future, an older one without `migrate`.
///
/// `saved` adds about 80 KB to a component, for serde and the reading of CBOR. A Planet that wants only a part of its state saved, or
/// another form, lists `kokoro:core/saved-state@0.1.0` under `exports` and implements `saved_state::Guest`; [`Saved`] helps
/// there, too.
///
/// # Permissions
///
/// Nothing is granted to a Planet unless the application decides so, and `permissions` is how a Planet asks:
///
/// ```
/// kokoro_guest::planet! {
///     state: Weather,
///     permissions: {
///         read: ["places"],
///         env: ["LANG"],
///         http: ["api.example.com"],
///     },
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Weather;
/// # fn main() {}
/// ```
///
/// | part | what |
/// |---|---|
/// | `read` | directories to read |
/// | `write` | directories to read and to write |
/// | `env` | names of environment variables |
/// | `http` | hosts to reach by HTTP: `example.com`, `example.com:8080`, `*.example.com` or `*` |
/// | `net` | `true` to ask for sockets |
///
/// The application and the people who use it read this before the Planet runs. What was not granted fails as it does in any other
/// program: opening a file is an [`std::io::Error`], a variable is not there.
///
/// # Satellites
///
/// A Satellite is a native program of the Planet's own, for what the sandbox cannot do: to use all cores, a native library, or what
/// only the operating system has. It serves an interface like any provider, in a process of its own, where the application permits
/// that:
///
/// ```
/// kokoro_guest::planet! {
///     state: Album,
///     exports: ["site:content/album@0.1.0"],
///     satellites: ["images:native/codec@0.1.0" in "image-codec" { optional }],
/// #   wit: "doc/wit",
/// }
///
/// #[derive(Default)]
/// struct Album;
///
/// impl album::Guest for Album {
///     fn thumbnail(&mut self, picture: Vec<u8>) -> Result<Vec<u8>, String> {
///         match codec::if_bound() {
///             Some(codec) => codec.shrink(&picture, 240),
///             None => Ok(picture),
///         }
///     }
/// }
/// # fn main() {}
/// ```
///
/// Without `optional` it is required: `codec::shrink(&picture, 240)` is a plain call, and the Planet does not start without it. What
/// may stand in the braces, separated by commas:
///
/// | option | what | if it is left out |
/// |---|---|---|
/// | `optional` | the Planet can do without, and asks by `if_bound()` | it is required |
/// | `start` | when the program is started: `"first-call"`, or with the Planet, `"planet"` | `"first-call"` |
/// | `reload` | what becomes of the process when a new release takes the Planet's place: `"renew"`, or `"keep"` if program, interfaces and grant are the same | `"renew"` |
///
/// One program may serve several interfaces, which are then listed with the same program and the same options. Where the program lies:
/// `PLANET.satellites/TARGET/image-codec` beside `PLANET.wasm`, for each `TARGET` that is shipped (such as `x86_64-unknown-linux-gnu`).
/// The crate `kokoro-satellite` is for writing it.
///
/// Values alone cross to another process. An interface with resources is refused where it is listed.
///
/// A call takes tens of microseconds, and can fail: the program may crash or be late. Where the function returns `result<_, string>` or
/// `result<_, failure>` that is an `Err`, as with other dependencies.
///
/// # Native builds
///
/// The crate compiles for the computer that builds it, too, so that `cargo test` tests it. There `if_bound()` gives `None`, and
/// calling anything else that is imported panics. `use outline::Guest` and call the functions on a value of the state.
pub use kokoro_macros::planet;
pub use planet::{Planet, StartError};
pub use saved::{Saved, SavedError};

pub use log;
pub use tracing;
