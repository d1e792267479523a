//! What stands behind a Planet's imports: bindings to other Planets, services of the application, `kokoro:core`, WASI.

mod binding;
mod core;
mod fit;
mod forward;
mod service;
mod wasi;

use std::sync::Arc;

use wasmtime::component::{Component, Linker, ResourceType};

pub(crate) use self::binding::{Binding, Bindings};
pub(crate) use self::fit::{fit, fit_served, fits_somewhere, has_function, passes_nothing_served};
use self::forward::Way;
pub(crate) use self::forward::{Passing, Value, call_dynamic, call_target};
pub use self::service::{Caller, Functions, Service};
use crate::inspect::{Inspection, is_core};
use crate::planet::{Linked, State};

/// Stands for a resource of another Planet.
#[derive(Debug)]
struct OfPlanet;

/// Defines what all Planets are served alike: WASI.
pub(crate) fn base(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::define(&mut linker)?;
    Ok(linker)
}

/// Links a component's imports: those in `bindings` late, to whomever they point at when a call comes.
pub(crate) fn link(
    base: &Linker<State>,
    component: &Component,
    inspection: &Inspection,
    bindings: &Arc<Bindings>,
    services: &[Service],
) -> wasmtime::Result<Linked> {
    let mut linker = base.clone();
    for (import, interface) in &inspection.imports {
        let name = import.to_string();
        if is_core(import) {
            if !interface.is_types_only() {
                core::define(&mut linker.instance(&name)?, import, bindings)?;
            }
        } else if let Some(served) = bindings.served.get(import) {
            if let Some(service) = services.iter().find(|service| service.name == *served) {
                service.link(linker.instance(&name)?)?;
            }
        } else if let Some(binding) = bindings.planets.get(import) {
            let mut instance = linker.instance(&name)?;
            for resource in &interface.resources {
                instance.resource(resource, ResourceType::host::<OfPlanet>(), |mut store, number| {
                    // Its owner is told, and nobody waits for that.
                    drop(store.data_mut().holdings().remove(number));
                    Ok(())
                })?;
            }
            let full: Arc<str> = name.into();
            for (function, ty) in &interface.functions {
                let way = Way::Planet(Arc::clone(binding));
                forward::define(&mut instance, way, (import, &full), function, ty)?;
            }
        } else if let Some(satellite) = bindings.satellites.get(import) {
            let mut instance = linker.instance(&name)?;
            let full: Arc<str> = name.into();
            for (function, ty) in &interface.functions {
                let way = Way::Satellite(Arc::clone(satellite));
                forward::define(&mut instance, way, (import, &full), function, ty)?;
            }
        }
    }
    Ok(Linked::new(linker.instantiate_pre(component)?, component, inspection))
}
