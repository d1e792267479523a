//! The application's typed handles to what Planets provide.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime;
use tokio::time::timeout_at;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use super::{Primary, Shared, ToTheEnd};
use crate::error::{Error, Kind};
use crate::inspect::{self, interface_of_package};
use crate::interface::InterfaceName;
use crate::link::{Binding, Target, fit};
use crate::planet::{Attached, Call, CallError, Cause, FunctionName};
use crate::registry::{Entry, Registry};

/// An interface that the application calls. [`bindings!`](crate::bindings) makes one type for each.
pub trait Interface: Sized {
    /// The interface's full name: `acme:geo/locate@1.0.0`.
    const NAME: &'static str;

    #[doc(hidden)]
    fn description() -> &'static Description;

    #[doc(hidden)]
    fn from_handle(handle: Handle) -> Self;
}

/// An interface as the application knows it. Only generated code makes one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Description {
    name: InterfaceName,
    interface: inspect::Interface,
}

impl Description {
    /// The interface `name` of `package`, as `bindings!` encodes it.
    pub fn of(name: &str, package: &[u8]) -> Self {
        let (name, interface) = interface_of_package(name, package);
        Self { name, interface }
    }
}

/// What the types that [`bindings!`](crate::bindings) makes consist of: a way to whoever provides the interface today.
#[derive(Clone)]
pub struct Handle {
    wanted: &'static Description,
    /// The only Planet that will do, if the handle is for one.
    only: Option<Arc<str>>,
    /// Today's provider. Another is looked for when it has ended.
    binding: Arc<Binding>,
    primary: Weak<Shared>,
    within: Duration,
    attached: Option<Attached>,
    runtime: runtime::Handle,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("interface", &self.wanted.name)
            .field("planet", &self.planet())
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// The name of the Planet (plugin) that answers at present; none if nobody does.
    pub fn planet(&self) -> Option<String> {
        Some(self.target()?.planet.name().to_string())
    }

    /// The same handle, whose calls may take no longer than `time` each.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// The same handle, to whose calls a value is attached: functions that the application serves see it
    /// ([`Caller::attached`](crate::Caller::attached)), however many Planets lie between. A value that was attached before
    /// gives way. (An `Arc` is seen as that: of what is attached as `Arc<Request>`, the type is `Arc<Request>`.)
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.attached = Some(Arc::new(value));
        self
    }

    /// Today's provider, if there is one that runs.
    fn target(&self) -> Option<Target> {
        if let Some(target) = self.binding.target().filter(|target| target.planet.ended().is_none()) {
            return Some(target);
        }
        let primary = Primary { shared: self.primary.upgrade()? };
        let next = best(&primary, self.wanted, self.only.as_deref()).ok()?;
        self.binding.point_at(Some(next.clone()));
        Some(next)
    }

    /// Calls the function `name` (its name in WIT).
    #[doc(hidden)]
    pub async fn call<P, R>(&self, name: &'static str, params: P) -> Result<R, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let call = Call::by_application(self.within, self.attached.clone());
        let function = |interface| FunctionName { interface: Some(interface), function: name.into() };
        // A provider that has ended can say why.
        let Some(Target { planet, export }) = self.target().or_else(|| self.binding.target()) else {
            let function = function(self.wanted.name.to_string().into());
            return Err(
                CallError { planet: None, function, chain: Arc::clone(call.chain()), cause: Cause::Absent }.into()
            );
        };
        let function = function(export);
        let work = async move {
            let mut entry = planet.enter(&call, function.clone()).await?;
            let Some(func) = entry.function() else {
                return Err(entry.no_function(format!("planet `{}` exports no function `{function}`", planet.name())));
            };
            let (store, deadline) = entry.store();
            let typed = match func.typed::<P, R>(&*store) {
                Ok(typed) => typed,
                Err(error) => return Err(entry.no_function(format!("`{function}` has another type: {error:#}"))),
            };
            let outcome = timeout_at(deadline.into(), typed.call_async(store, params)).await;
            entry.finish(outcome)
        };
        Ok(ToTheEnd::new(work, &self.runtime).await?)
    }
}

pub(super) fn get<I: Interface>(primary: &Primary) -> Result<I, Error> {
    let wanted = I::description();
    let best = best(primary, wanted, None)?;
    Ok(I::from_handle(handle(primary, wanted, best, None)))
}

pub(super) fn all<I: Interface>(primary: &Primary) -> Vec<I> {
    let wanted = I::description();
    let names: Vec<Arc<str>> = primary.registry().entries.keys().map(|name| name.as_str().into()).collect();
    let handles = names.into_iter().filter_map(|name| match best(primary, wanted, Some(&name)) {
        Ok(target) => Some(I::from_handle(handle(primary, wanted, target, Some(name)))),
        Err(error) => {
            if error.is_mismatch() {
                tracing::warn!(target: "kokoro", planet = &*name, "left out: {error}");
            }
            None
        }
    });
    handles.collect()
}

fn handle(primary: &Primary, wanted: &'static Description, target: Target, only: Option<Arc<str>>) -> Handle {
    let binding = Arc::new(Binding::default());
    binding.point_at(Some(target));
    Handle {
        wanted,
        only,
        binding,
        primary: Arc::downgrade(&primary.shared),
        within: primary.shared.limits.call,
        attached: None,
        runtime: primary.shared.runtime.clone(),
    }
}

/// The best running provider whose types fit, or an error that says who there is and why not.
fn best(primary: &Primary, wanted: &Description, only: Option<&str>) -> Result<Target, Error> {
    let registry = primary.registry();
    let mut fitting = BTreeMap::new();
    let mut mismatches = Vec::new();
    let mut others = Vec::new();
    let mut closest = Vec::new();
    for (name, entry) in &registry.entries {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let Some(inspection) = &entry.inspection else { continue };
        for (export, offered) in &inspection.exports {
            if !export.can_serve(&wanted.name) {
                if export.path() == wanted.name.path() {
                    closest.push(format!("`{export}` from `{name}`"));
                }
                continue;
            }
            match (&entry.planet, fit(&wanted.interface, offered)) {
                (_, Err(mismatch)) => mismatches.push(format!("planet `{name}`: {mismatch}")),
                (Some(planet), Ok(())) if entry.is_running() => {
                    let target = Target { planet: Arc::clone(planet), export: export.to_string().into() };
                    fitting.insert(primary.preference(name, export), target);
                }
                _ => others.push(format!("planet `{name}` is {}", entry.summary())),
            }
        }
    }
    others.extend(withheld(&registry, &wanted.name));
    let interface = || wanted.name.clone();
    match fitting.pop_first() {
        Some((_, best)) => Ok(best),
        None if !mismatches.is_empty() => Err(Kind::Mismatch { interface: interface(), reasons: mismatches }.into()),
        None => Err(Kind::NoProvider { interface: interface(), others, closest }.into()),
    }
}

/// Of those whose export of `wanted` does not count, a sentence each.
pub(super) fn withheld(registry: &Registry, wanted: &InterfaceName) -> Vec<String> {
    let exports = |entry: &Entry| entry.withheld.iter().any(|export| export.can_serve(wanted));
    let those = registry.entries.iter().filter(|(_, entry)| exports(entry));
    those.map(|(name, _)| format!("planet `{name}` exports it, but the application does not let that count")).collect()
}
