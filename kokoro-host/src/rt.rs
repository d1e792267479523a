//! What the code that [`bindings!`](crate::bindings) generates calls. Not for anybody else: it can change at any time.

use std::collections::BTreeMap;

pub use wasmtime;

use crate::inspect::{Interface, package_interfaces};
use crate::interface::InterfaceName;
pub use crate::link::Functions;
use crate::link::Service;

/// The interfaces of a WIT package that the macro encoded.
pub(crate) fn interfaces(package: &[u8]) -> BTreeMap<InterfaceName, Interface> {
    package_interfaces(package).expect("`bindings!` encodes a well-formed package")
}

/// A service for the interface `name` of `package`.
pub fn service(
    name: &str,
    package: &[u8],
    define: impl Fn(&mut Functions<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> Service {
    let name = name.parse().expect("`bindings!` writes well-formed names");
    Service::new(name, &mut interfaces(package), define)
}
