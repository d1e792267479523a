//! What the code that [`bindings!`](crate::bindings) generates calls, what `kokoro-test` needs, and what benchmarks measure. Not for
//! anybody else: it can change at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wasmtime::component::Val;
pub use {kokoro_macros::test_bindings, kokoro_value, wasmtime};

use crate::engine::Engine;
use crate::inspect::{self, Interface};
use crate::interface::InterfaceName;
pub use crate::link::Functions;
use crate::link::{Caller, Service};
use crate::manifest::{Manifest, Permissions};
pub use crate::planet::Handles;
use crate::primary::FunctionType;
pub use crate::primary::{Arguments, Description, Held, IsHeld, give, lend, receive};
use crate::resolve::{self, Member, Problem};

/// The WIT package `kokoro:core`.
pub const CORE_PACKAGE: &str = kokoro_wit::PACKAGE;

/// A service for the interface `name` of `package`, a WIT package in binary form.
pub fn service(
    name: &str,
    package: &[u8],
    define: impl Fn(&mut Functions<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> Service {
    Service::new(name, package, define)
}

/// A service whose types are only known at run time. `answer` gets a function's name and type, and the arguments; an error ends the
/// instance that has called.
pub fn dynamic_service<F, Fut>(name: &InterfaceName, interface: &Interface, answer: F) -> Service
where
    F: Fn(Caller, Arc<str>, FunctionType, Vec<Val>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Val>, String>> + Send + 'static,
{
    Service::dynamic(name.clone(), interface.clone(), answer)
}

/// The same service under another name.
pub fn renamed_service(service: Service, name: &InterfaceName) -> Service {
    service.named(name.clone())
}

/// What a service serves: the name, and the types.
pub fn served(service: &Service) -> (&InterfaceName, &Interface) {
    (&service.name, &service.interface)
}

/// The interface `name` of a WIT package in its binary form: of a world in it that imports that interface.
///
/// # Panics
///
/// If the name or the package is malformed, or the interface is not in it.
pub fn interface_of_package(name: &str, package: &[u8]) -> Interface {
    inspect::interface_of_package(name, package).1
}

/// What Kokoro is measured beside: Wasmtime alone, with the very same settings.
///
/// # Panics
///
/// Never: there is always one.
pub fn wasmtime_engine(engine: &Engine) -> &wasmtime::Engine {
    engine.wasmtime().last().expect("each engine has one without a pool")
}

/// A manifest that only has a name, and the interfaces that it requires, uses as options, and provides.
pub fn manifest(name: &str, [requires, optional, provides]: [BTreeSet<InterfaceName>; 3]) -> Manifest {
    Manifest {
        name: name.to_owned(),
        version: None,
        requires,
        optional,
        provides,
        satellites: Vec::new(),
        permissions: Permissions::default(),
        app: serde_json::Value::Null,
    }
}

/// How many Planets with these manifests would start, and how many would wait, if all their types fitted.
pub fn resolve(manifests: &[Manifest]) -> (usize, usize) {
    let withheld = BTreeSet::new();
    let members = manifests.iter().map(|manifest| {
        let member = Member { manifest, provides: &manifest.provides, withheld: &withheld, bound: None };
        (manifest.name.as_str(), member)
    });
    let plan = resolve::resolve(&Problem {
        members: members.collect(),
        outsiders: BTreeMap::new(),
        host: BTreeSet::new(),
        unfit: &BTreeMap::new(),
        preferred: &BTreeMap::new(),
    });
    (plan.order.len(), plan.waiting.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{manifest, resolve};

    #[test]
    fn a_long_way_and_a_large_circle_are_no_trouble() {
        const COUNT: usize = 5000;
        let interface = |number: usize| BTreeSet::from([format!("t:t/i{number}@1.0.0").parse().unwrap()]);
        let set = |required: bool, next: fn(usize) -> usize| -> Vec<_> {
            let planet = |number| {
                let (imports, none) = (interface(next(number)), BTreeSet::new());
                let [requires, optional] = if required { [imports, none] } else { [none, imports] };
                manifest(&format!("p{number}"), [requires, optional, interface(number)])
            };
            (0..COUNT).map(planet).collect()
        };
        // The last one requires what nobody has.
        let mut chain = set(true, |number| number + 1);
        assert_eq!(resolve(&chain), (0, COUNT));
        chain[COUNT - 1].requires.clear();
        assert_eq!(resolve(&chain), (COUNT, 0));
        assert_eq!(resolve(&set(false, |number| (number + 1) % COUNT)), (COUNT, 0));
    }
}
