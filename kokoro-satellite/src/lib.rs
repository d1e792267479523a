//! Write Satellites: native child processes that belong to a Planet (plugin).

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
#[cfg(feature = "run")]
pub use kokoro_macros::satellite;
#[cfg(feature = "run")]
pub use log;
#[cfg(feature = "run")]
pub use tracing;
