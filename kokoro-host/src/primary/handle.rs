//! The application's typed handles to what Planets provide.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime;
use tokio::time::timeout_at;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use super::{Primary, lock};
use crate::error::{Error, Kind};
use crate::inspect;
use crate::interface::InterfaceName;
use crate::link::{Binding, Target, fit};
use crate::planet::{Call, CallError, Cause, FunctionName};

/// An interface that the application calls. [`bindings!`](crate::bindings) makes one type for each.
pub trait Interface: Sized {
    /// The interface's full name: `acme:geo/locate@1.0.0`.
    const NAME: &'static str;

    /// The WIT package that it is from, in binary form.
    #[doc(hidden)]
    fn package() -> &'static [u8];

    #[doc(hidden)]
    fn from_handle(handle: Handle) -> Self;
}

/// What a handle points at; it changes when providers come and go.
#[derive(Debug)]
pub(super) struct Pointer {
    interface: InterfaceName,
    wanted: inspect::Interface,
    /// The only Planet that will do, if the handle is for one.
    only: Option<String>,
    binding: Binding,
}

/// What the types that [`bindings!`](crate::bindings) makes consist of: a way to whoever provides the interface today.
#[derive(Clone)]
pub struct Handle {
    pointer: Arc<Pointer>,
    within: Duration,
    runtime: runtime::Handle,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("interface", &self.pointer.interface)
            .field("planet", &self.planet())
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// The name of the Planet (plugin) that answers at present; none if nobody does.
    pub fn planet(&self) -> Option<String> {
        let target = self.pointer.binding.target()?;
        target.planet.ended().is_none().then(|| target.planet.name().to_string())
    }

    /// The same handle, whose calls may take no longer than `time` each.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Calls the function `name` (its name in WIT).
    #[doc(hidden)]
    pub async fn call<P, R>(&self, name: &'static str, params: P) -> Result<R, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let call = Call::by_application(self.within);
        let function = |interface| FunctionName { interface: Some(interface), function: name.into() };
        let Some(Target { planet, export }) = self.pointer.binding.target() else {
            let function = function(self.pointer.interface.to_string().into());
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
    let (interface, wanted) = wanted::<I>();
    let pointer = Pointer { interface, wanted, only: None, binding: Binding::default() };
    let best = best(primary, &pointer)?;
    pointer.binding.point_at(Some(best));
    Ok(I::from_handle(register(primary, pointer)))
}

pub(super) fn all<I: Interface>(primary: &Primary) -> Vec<I> {
    let (interface, wanted) = wanted::<I>();
    let names: Vec<String> = primary.registry().entries.keys().cloned().collect();
    let pointers = names.into_iter().filter_map(|name| {
        let pointer = Pointer {
            interface: interface.clone(),
            wanted: wanted.clone(),
            only: Some(name),
            binding: Binding::default(),
        };
        let target = best(primary, &pointer).ok()?;
        pointer.binding.point_at(Some(target));
        Some(I::from_handle(register(primary, pointer)))
    });
    pointers.collect()
}

/// The interface as the application knows it.
fn wanted<I: Interface>() -> (InterfaceName, inspect::Interface) {
    inspect::interface_of_package(I::NAME, I::package())
}

fn register(primary: &Primary, pointer: Pointer) -> Handle {
    let pointer = Arc::new(pointer);
    let mut handles = lock(&primary.shared.handles);
    handles.retain(|handle| handle.strong_count() > 0);
    handles.push(Arc::downgrade(&pointer));
    Handle { pointer, within: primary.shared.limits.call, runtime: primary.shared.runtime.clone() }
}

/// After Planets came or went: handles whose provider is gone go to the best that is left.
pub(super) fn repoint(primary: &Primary) {
    let pointers: Vec<Arc<Pointer>> = lock(&primary.shared.handles).iter().filter_map(|weak| weak.upgrade()).collect();
    for pointer in pointers {
        if pointer.binding.target().is_none_or(|target| target.planet.ended().is_some())
            && let Ok(best) = best(primary, &pointer)
        {
            pointer.binding.point_at(Some(best));
        }
    }
}

/// The best running provider whose types fit, or an error that says who there is and why not.
fn best(primary: &Primary, pointer: &Pointer) -> Result<Target, Error> {
    let registry = primary.registry();
    let mut fitting = BTreeMap::new();
    let mut mismatches = Vec::new();
    let mut others = Vec::new();
    let mut elsewhere = Vec::new();
    for (name, entry) in &registry.entries {
        if pointer.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let Some(inspection) = &entry.inspection else { continue };
        for (export, offered) in &inspection.exports {
            if !export.can_serve(&pointer.interface) {
                if export.path() == pointer.interface.path() {
                    elsewhere.push(format!("`{export}` from `{name}`"));
                }
                continue;
            }
            match (&entry.planet, fit(&pointer.wanted, offered)) {
                (_, Err(mismatch)) => mismatches.push(format!("planet `{name}`: {mismatch}")),
                (Some(planet), Ok(())) if entry.is_running() => {
                    let target = Target { planet: Arc::clone(planet), export: export.to_string().into() };
                    fitting.insert(primary.preference(name, export), target);
                }
                _ => others.push(format!("planet `{name}` is {}", entry.summary())),
            }
        }
    }
    match fitting.pop_first() {
        Some((_, best)) => Ok(best),
        None if !mismatches.is_empty() => {
            Err(Kind::Mismatch { interface: pointer.interface.clone(), reasons: mismatches }.into())
        }
        None => {
            let interface = pointer.interface.clone();
            Err(Kind::NoProvider { interface, others, closest: elsewhere }.into())
        }
    }
}

/// A future that, if it is dropped half-way, runs on elsewhere: cutting off a call would cost the called Planet its
/// instance. Its own deadline ends it.
pub(super) struct ToTheEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    begun: bool,
    runtime: runtime::Handle,
}

impl<T: Send + 'static> ToTheEnd<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, runtime: &runtime::Handle) -> Self {
        Self { work: Some(Box::pin(work)), begun: false, runtime: runtime.clone() }
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        let work = self.work.as_mut().expect("a future is not polled after it is done");
        let poll = work.as_mut().poll(context);
        if poll.is_ready() {
            self.work = None;
        }
        poll
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.begun) {
            self.runtime.spawn(async move { drop(work.await) });
        }
    }
}
