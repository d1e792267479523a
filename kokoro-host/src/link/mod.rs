//! What stands behind a Planet's imports: bindings to other Planets, services of the application, `kokoro:core`, WASI.

mod binding;
mod core;
mod fit;
mod forward;
mod service;
mod wasi;

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker, ResourceType};

pub(crate) use self::binding::{Binding, Bindings};
pub(crate) use self::fit::{Mismatch, fit, fit_served, fits_somewhere};
pub(crate) use self::forward::call_dynamic;
pub use self::service::{Caller, Functions, Service};
use crate::engine::Engine;
use crate::inspect::{Inspection, is_core};
use crate::planet::State;

/// Stands for a resource that a Planet imports and nobody can give to it yet.
#[derive(Debug)]
struct Unsupported;

/// Defines what all Planets are served alike: WASI.
pub(crate) fn base(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine.wasmtime());
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
) -> wasmtime::Result<InstancePre<State>> {
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
            let full: Arc<str> = name.into();
            for resource in &interface.resources {
                instance.resource(resource, ResourceType::host::<Unsupported>(), |_, _| Ok(()))?;
            }
            for (function, ty) in &interface.functions {
                forward::define(&mut instance, binding, &full, function, ty)?;
            }
        }
    }
    linker.instantiate_pre(component)
}
