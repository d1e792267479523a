//! The WIT package `kokoro:core`: what a Planet (plugin) may ask of its surroundings, and what it may be told.
//!
//! The text in `wit/core.wit` is the only copy there is. Everything else, in whatever language, is generated from it
//! or names it through the constants below. Planets in Rust get it with `kokoro-guest`; those in other languages have a copy of the file
//! in their folder `wit/deps`, and import and export of it what they want to
//! ([the guide](https://github.com/BERADQ/kokoro-rs/blob/main/docs/guide/src/languages.md#more-than-imports-and-exports)).
//!
//! ```
//! assert!(kokoro_wit::PACKAGE.contains("package kokoro:core@0.1.0;"));
//! ```

/// The text of the package `kokoro:core`, in [WIT](https://component-model.bytecodealliance.org/design/wit.html).
pub const PACKAGE: &str = include_str!("../wit/core.wit");

/// The namespace and name of the package, without its version: `kokoro:core`.
pub const PACKAGE_NAME: &str = "kokoro:core";

/// The interface of types that others may use; it holds the failure type.
pub const TYPES: &str = "kokoro:core/types@0.1.0";

/// The interface through which a Planet asks about its dependencies.
pub const DEPENDENCIES: &str = "kokoro:core/dependencies@0.1.0";

/// The interface through which a Planet asks about the call that it executes.
pub const CURRENT_CALL: &str = "kokoro:core/current-call@0.1.0";

/// The interface through which a Planet logs.
pub const LOG: &str = "kokoro:core/log@0.1.0";

/// The interface through which a Planet is told of its start and stop.
pub const LIFECYCLE: &str = "kokoro:core/lifecycle@0.1.0";

/// The interface through which a Planet saves and restores its state.
pub const SAVED_STATE: &str = "kokoro:core/saved-state@0.1.0";

/// The custom section of a component (or of a core module in it) that holds a Planet's manifest, as JSON.
pub const MANIFEST_SECTION: &str = "kokoro:planet";
