//! What the code that [`bindings!`](crate::bindings) generates calls. Not for anybody else: it can change at any time.

pub use wasmtime;

pub use crate::link::Functions;
use crate::link::Service;
pub use crate::planet::Handles;
pub use crate::primary::Description;

/// A service for the interface `name` of `package`, a WIT package in binary form.
pub fn service(
    name: &str,
    package: &[u8],
    define: impl Fn(&mut Functions<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> Service {
    Service::new(name, package, define)
}
