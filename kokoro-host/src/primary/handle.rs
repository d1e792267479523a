//! The application's typed handles to what Planets provide.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use kokoro_value::Decode;
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use super::resource::{self, Arguments, Setting};
use super::{Primary, Shared, ToTheEnd, lock};
use crate::error::{Error, Kind};
use crate::inspect::{self, interface_of_package};
use crate::interface::InterfaceName;
use crate::link::{Binding, fit, fits_somewhere, has_function};
use crate::planet::{Call, CallError, Cause, FunctionName, Planet, Target, Terms, call_span, note_outcome};
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

    pub(super) fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// Whether an interface that is offered has the function `name` of this one, and of the same type.
    pub(super) fn is_in(&self, offered: &inspect::Interface, name: &str) -> bool {
        self.interface.functions.get(name).is_some_and(|wanted| has_function(offered, name, wanted))
    }
}

/// What the types that [`bindings!`](crate::bindings) makes consist of: a way to whoever provides the interface today.
#[derive(Clone)]
pub struct Handle {
    provider: Arc<Follow>,
    terms: Terms,
}

/// A way to whoever provides an interface.
struct Follow {
    wanted: &'static Description,
    /// The only Planet that will do, if there is one.
    only: Option<Arc<str>>,
    /// Today's provider. Another is looked for when it has ended.
    binding: Arc<Binding>,
    primary: Weak<Shared>,
    runtime: runtime::Handle,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("interface", &self.provider.wanted.name)
            .field("planet", &self.planet())
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// The name of the Planet (plugin) that answers at present; none if nobody does.
    pub fn planet(&self) -> Option<String> {
        Some(self.provider.target()?.planet.name().to_string())
    }

    /// The same handle, whose calls may take no longer than `time` each.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.terms.within = time;
        self
    }

    /// The same handle, to whose calls a value is attached: functions that the application serves see it
    /// ([`Caller::attached`](crate::Caller::attached)), however many Planets lie between. A value that was attached before
    /// gives way. (An `Arc` is seen as that: of what is attached as `Arc<Request>`, the type is `Arc<Request>`.)
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.terms.attached = Some(Arc::new(value));
        self
    }

    /// The same handle, whose calls can be taken back: once `token` is cancelled, a call that has not begun, or that waits for its
    /// turn, ends at once.
    /// One that is executed goes on for [`Limits::grace`](crate::Limits::grace) at the most. The Planet can see it
    /// (`kokoro:core/current-call`) and give up; if it does not, its instance is ended and started anew. So are all Planets
    /// that the call has led to and that do not give up. A token that was given before gives way.
    ///
    /// ```
    /// # mod bindings {
    /// #     kokoro_host::bindings!({
    /// #         path: "../examples/greeter/planet/wit",
    /// #         interfaces: ["acme:greeter/greeting@0.1.0"],
    /// #     });
    /// # }
    /// # use bindings::greeting::Greeting;
    /// use kokoro_host::CancellationToken;
    ///
    /// # async fn example(primary: kokoro_host::Primary) -> Result<(), kokoro_host::Error> {
    /// let cancel = CancellationToken::new();
    /// let greeting = primary.get::<Greeting>()?.cancelled_by(&cancel);
    /// // Elsewhere, perhaps: cancel.cancel();
    /// match greeting.greet("Ada").await {
    ///     Err(error) if error.is_cancelled() => println!("given up"),
    ///     answer => println!("{}", answer?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancelled_by(mut self, token: &CancellationToken) -> Self {
        self.terms.cancel = Some(token.clone());
        self
    }

    /// Calls the function `name` (its name in WIT).
    #[doc(hidden)]
    pub async fn call<P, R>(&self, name: &'static str, params: P) -> Result<R, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let call = Call::by_application(&self.terms);
        let given_up = call.detach();
        let provider = Arc::clone(&self.provider);
        let work = async move { provider.call(call, name, params).await };
        Ok(ToTheEnd::new(work, &self.provider.runtime, given_up).await?)
    }
}

impl Follow {
    /// Today's provider, if there is one that runs.
    fn target(&self) -> Option<Target> {
        if let Some(target) = self.binding.target().filter(|target| target.planet.ended().is_none()) {
            return Some(target);
        }
        let primary = Primary { shared: self.primary.upgrade()? };
        let registry = primary.registry();
        let next = best(&registry, self.wanted, self.only.as_deref()).ok()?;
        self.binding.point_at(Some(next.clone()));
        Some(next)
    }

    /// Another provider than `tried`, if there is one by now.
    fn other_than(&self, tried: &Target) -> Option<Target> {
        self.target().filter(|today| !today.is(tried))
    }

    /// Whom to call: today's provider, or another than the one that was `tried` and had gone meanwhile.
    fn next<'t>(
        &self,
        tried: &'t mut Option<Target>,
        call: &mut Call,
        name: &'static str,
    ) -> Result<&'t Target, CallError> {
        *tried = match tried {
            // Whether it has ended is found out when it is entered.
            None => self.binding.target().or_else(|| self.target()),
            Some(_) => {
                *call = call.again();
                self.target()
            }
        };
        tried.as_ref().ok_or_else(|| {
            let function = FunctionName { interface: Some(self.wanted.name.to_string().into()), function: name.into() };
            CallError { planet: None, function, chain: Arc::clone(call.chain()), cause: Cause::Absent }
        })
    }

    async fn call<P, R>(&self, mut call: Call, name: &'static str, params: P) -> Result<R, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let (mut params, mut target) = (Some(params), None);
        loop {
            let today = self.next(&mut target, &mut call, name)?;
            match call_typed(today, &call, name, &mut params).await {
                Err(error) if error.has_not_begun() && self.other_than(today).is_some() => {}
                outcome => return outcome,
            }
        }
    }
}

/// Calls an export. `params` are taken once it is sure that it is of these types.
async fn call_typed<P, R>(
    target: &Target,
    call: &Call,
    function: &'static str,
    params: &mut Option<P>,
) -> Result<R, CallError>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let function = FunctionName { interface: Some(Arc::clone(&target.export)), function: function.into() };
    let span = call_span(target.planet.name(), &function);
    let work = async {
        let mut turn = target.planet.enter(call, function).await?;
        let Some((func, _)) = turn.function() else { return Err(turn.has_no_function()) };
        let typed = match func.typed::<P, R>(turn.store()) {
            Ok(typed) => typed,
            Err(error) => return Err(turn.has_another_type(&error)),
        };
        let params = params.take().expect("nobody has been called yet");
        turn.call(typed, params).await
    };
    let work = pin!(work);
    if span.is_disabled() {
        return work.await;
    }
    let outcome = work.instrument(span.clone()).await;
    note_outcome(&span, &outcome);
    outcome
}

/// Functions that pass handles of resources.
impl Handle {
    /// Calls the function `name` (its name in WIT).
    #[doc(hidden)]
    pub async fn call_with_handles<R: Decode>(&self, name: &'static str, arguments: Arguments) -> Result<R, Error> {
        let call = Call::by_application(&self.terms);
        let given_up = call.detach();
        let provider = Arc::clone(&self.provider);
        let work = async move {
            let (mut call, mut target) = (call, None);
            loop {
                let today = provider.next(&mut target, &mut call, name)?;
                match resource::call_at(today, &call, name, &arguments).await {
                    Err(error) if error.has_not_begun() && provider.other_than(today).is_some() => {}
                    outcome => return outcome,
                }
            }
        };
        let answer = ToTheEnd::new(work, &self.provider.runtime, given_up).await?;
        answer.read(&Setting { terms: self.terms.clone(), runtime: self.provider.runtime.clone() })
    }
}

/// Whether a handle is to point at another provider.
#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    No,
    /// Only if the Planet of the same name is not there any more, or does not fit.
    IfItDoesNotFit,
    ToTheBest,
}

/// The handles that the application has, which follow their providers.
#[derive(Debug, Default)]
pub(super) struct Handles(Vec<Follower>);

#[derive(Debug)]
struct Follower {
    binding: Weak<Binding>,
    wanted: &'static Description,
    only: Option<Arc<str>>,
}

impl Handles {
    fn add(&mut self, binding: &Arc<Binding>, wanted: &'static Description, only: Option<Arc<str>>) {
        // Now and then, those are forgotten that nobody has any more.
        if self.0.len() == self.0.capacity() {
            self.0.retain(|follower| follower.binding.strong_count() > 0);
        }
        self.0.push(Follower { binding: Arc::downgrade(binding), wanted, only });
    }

    /// Points handles at another provider, as `moves` says of today's, and the path of the interface.
    pub(super) fn rebind(&self, registry: &Registry, moves: impl Fn(&Target, &str) -> Move) {
        for follower in &self.0 {
            let Some(binding) = follower.binding.upgrade() else { continue };
            let Some(today) = binding.target() else {
                if let Ok(next) = best(registry, follower.wanted, follower.only.as_deref()) {
                    binding.point_at(Some(next));
                }
                continue;
            };
            let only = follower.only.as_deref();
            let next = match moves(&today, follower.wanted.name.path()) {
                Move::No => continue,
                Move::IfItDoesNotFit => best(registry, follower.wanted, Some(today.planet.name()))
                    .or_else(|_| best(registry, follower.wanted, only)),
                Move::ToTheBest => best(registry, follower.wanted, only),
            };
            match next {
                Ok(next) => _ = binding.point_at(Some(next)),
                // One that has ended can say why; one that does not fit any more is nobody.
                Err(_) if today.planet.ended().is_none() => _ = binding.point_at(None),
                Err(_) => {}
            }
        }
    }

    /// Of the handles that point at `planet`, what speaks against a new release of it, a sentence each.
    pub(super) fn misfits(&self, planet: &Arc<Planet>, inspection: &inspect::Inspection) -> Vec<String> {
        let mut problems = Vec::new();
        for follower in &self.0 {
            let points = |binding: Arc<Binding>| binding.points_at(planet);
            if !follower.binding.upgrade().is_some_and(points) {
                continue;
            }
            let wanted = follower.wanted;
            if let Err(why) = fits_somewhere(&wanted.name, &wanted.interface, inspection) {
                problems.push(format!("the application has a handle of `{}`: {why}", wanted.name));
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }
}

pub(super) fn get<I: Interface>(primary: &Primary) -> Result<I, Error> {
    let wanted = I::description();
    // Held until the handle is known, so that it follows from the first moment on.
    let registry = primary.registry();
    let best = best(&registry, wanted, None)?;
    Ok(I::from_handle(handle(primary, wanted, best, None)))
}

pub(super) fn all<I: Interface>(primary: &Primary) -> Vec<I> {
    let wanted = I::description();
    let names: Vec<Arc<str>> = primary.registry().entries.keys().map(|name| name.as_str().into()).collect();
    let mut handles = Vec::new();
    for name in names {
        let found = {
            let registry = primary.registry();
            best(&registry, wanted, Some(&name)).map(|target| handle(primary, wanted, target, Some(Arc::clone(&name))))
        };
        match found {
            Ok(handle) => handles.push(I::from_handle(handle)),
            Err(error) if error.is_mismatch() => {
                tracing::warn!(target: "kokoro", planet = &*name, "left out: {error}");
            }
            Err(_) => {}
        }
    }
    handles
}

fn handle(primary: &Primary, wanted: &'static Description, target: Target, only: Option<Arc<str>>) -> Handle {
    let binding = Arc::new(Binding::default());
    binding.point_at(Some(target));
    lock(&primary.shared.handles).add(&binding, wanted, only.clone());
    let (weak, runtime) = (Arc::downgrade(&primary.shared), primary.shared.runtime.clone());
    Handle { provider: Arc::new(Follow { wanted, only, binding, primary: weak, runtime }), terms: primary.terms() }
}

/// The best running provider whose types fit, or an error that says who there is and why not.
fn best(registry: &Registry, wanted: &Description, only: Option<&str>) -> Result<Target, Error> {
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
                (Some(planet), Ok(())) if entry.lives() => {
                    let export_name = export.to_string().into();
                    let target = Target { planet: Arc::clone(planet), export: export_name, release: entry.release };
                    fitting.insert(registry.preference(name, export), target);
                }
                _ => others.push(format!("planet `{name}` is {}", entry.summary())),
            }
        }
    }
    others.extend(withheld(registry, &wanted.name));
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
