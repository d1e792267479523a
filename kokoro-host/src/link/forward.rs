//! Carries a call from a Planet's import to the Planet, or to the Satellite of its own, that serves it: out of the one's memory, into the
//! other's.

use std::future::pending;
use std::sync::Arc;

use tracing::Instrument as _;
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Val};

use kokoro_value::{Encode as _, Encoder};

use super::binding::Binding;
use super::fit::has_function;
use crate::inspect::{Function, Interface, Named, Type};
use crate::interface::InterfaceName;
use crate::planet::{
    Call, CallError, Cause, FunctionName, Interruption, Late, Resource, State, Target, Turn, Use, call_span,
    note_outcome,
};
use crate::satellite::{Progress, Satellite};
use crate::value::{Answer, Arguments, Asked, Buffer, Delivered, Given, Lifted, Parcel, Passed, Sent};

/// One function of an import.
struct Import {
    way: Way,
    interface: InterfaceName,
    function: FunctionName,
    ty: Function,
    /// Whether it is a method: of the handle that it is passed first.
    is_method: bool,
    place: FailurePlace,
}

/// Who answers calls of an import.
pub(super) enum Way {
    /// The Planet that the binding points at today.
    Planet(Arc<Binding>),
    /// Always this one.
    Satellite(Arc<Satellite>),
}

/// What crosses in a call: the form of it, and the handles in it.
#[derive(Debug)]
pub(crate) struct Value<H, B = Buffer> {
    pub(crate) bytes: B,
    pub(crate) handles: Vec<H>,
}

/// The arguments of a call, until they have arrived.
pub(crate) type Passing = Value<(Arc<Resource>, Use), Parcel>;

/// Defines the function `name` of an import as a call that goes this way.
pub(super) fn define(
    instance: &mut LinkerInstance<'_, State>,
    way: Way,
    (import, full): (&InterfaceName, &Arc<str>),
    name: &str,
    ty: &Function,
) -> wasmtime::Result<()> {
    let is_satellite = matches!(way, Way::Satellite(_));
    let import = Arc::new(Import {
        way,
        interface: import.clone(),
        function: FunctionName { interface: Some(Arc::clone(full)), function: Arc::<str>::from(name).into() },
        ty: ty.clone(),
        is_method: name.starts_with("[method]"),
        place: FailurePlace::of(ty),
    });
    let params = ty.params.iter().map(|(_, ty)| ty.flat_count()).fold(0, usize::saturating_add);
    let is_flat_result = ty.result.as_ref().is_some_and(|ty| ty.flat_count() == 1);
    // Wasmtime has to know how many core values there are: none where they are more than it passes, and lie in memory.
    macro_rules! define {
        ($($count:literal)*) => {
            match (params, is_flat_result) {
                $(($count, false) => define_as::<$count, 0>(instance, name, import, is_satellite),
                  ($count, true) => define_as::<$count, 1>(instance, name, import, is_satellite),)*
                (_, false) => define_as::<0, 0>(instance, name, import, is_satellite),
                (_, true) => define_as::<0, 1>(instance, name, import, is_satellite),
            }
        };
    }
    define!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

fn define_as<const N: usize, const M: usize>(
    instance: &mut LinkerInstance<'_, State>,
    name: &str,
    import: Arc<Import>,
    is_satellite: bool,
) -> wasmtime::Result<()> {
    if is_satellite {
        return instance.func_wrap_async(name, move |store: StoreContextMut<'_, State>, sent: Sent<N>| {
            let import = Arc::clone(&import);
            Box::new(async move {
                let Sent { lifted, delivered } = sent;
                let Value { bytes, handles: numbers } = import.call(store, lifted, delivered).await?;
                Ok(Given::<M> { bytes, numbers })
            })
        });
    }
    instance.func_wrap_async(name, move |store: StoreContextMut<'_, State>, Asked::<N>(asked)| {
        let import = Arc::clone(&import);
        Box::new(async move {
            let Value { bytes, handles: numbers } = import.call(store, asked, None).await?;
            Ok(Given::<M> { bytes, numbers })
        })
    })
}

impl Import {
    /// Calls whoever provides the import, for the Planet whose store this is.
    /// What it is passed may have been delivered already.
    async fn call(
        &self,
        mut store: StoreContextMut<'_, State>,
        asked: Lifted,
        delivered: Option<Delivered>,
    ) -> wasmtime::Result<Value<u32>> {
        let call = store.data().call().nested();
        let held = self.function.interface.as_ref().and_then(|import| store.data().held(import)).cloned();
        let answer = match self.taken(store.data_mut(), asked, &call) {
            Ok(arguments) => match &self.way {
                Way::Planet(binding) => self.forward(binding, held, &call, arguments).await,
                Way::Satellite(satellite) => self.call_satellite(satellite, &call, arguments, delivered).await,
            },
            Err(error) => Err(error),
        };
        match answer {
            Ok(Value { bytes, handles }) => {
                let holdings = store.data_mut().holdings();
                Ok(Value { bytes, handles: handles.into_iter().map(|resource| holdings.add(resource)).collect() })
            }
            Err(error) => match self.place.deliver(&error) {
                Some(bytes) => Ok(Value { bytes, handles: Vec::new() }),
                None => Err(wasmtime::Error::new(Interruption::Dependency(error))),
            },
        }
    }

    /// What the Planet passes, with the resources behind its handles. What it gives away is its own no more.
    fn taken(&self, state: &mut State, asked: Lifted, call: &Call) -> Result<Passing, CallError> {
        let mut handles = Vec::with_capacity(asked.handles.len());
        for passed in &asked.handles {
            let (resource, use_of_it) = match passed {
                Passed::Number(number) => (state.holdings().remove(*number), Use::Give),
                Passed::Lent(number) => (state.holdings().get(*number), Use::Lend),
                Passed::Resource(_) => (None, Use::Give),
            };
            let Some(resource) = resource else {
                let problem = "it is passed a handle of a resource that no other planet has given out";
                return Err(self.error(call, Cause::Handle(problem.into())));
            };
            handles.push((resource, use_of_it));
        }
        match (asked.too_large, asked.no_memory, &self.way) {
            (Some(most), ..) => Err(self.error(call, Cause::TooLarge { most, answered: false })),
            (None, Some(error), Way::Satellite(satellite)) => {
                let failure = satellite.without_memory(&self.function.function, &error.to_string());
                Err(self.error(call, Cause::Satellite(Arc::new(failure))))
            }
            _ => Ok(Value { bytes: asked.bytes.into(), handles }),
        }
    }

    fn error(&self, call: &Call, cause: Cause) -> CallError {
        CallError { planet: None, function: self.function.clone(), chain: Arc::clone(call.chain()), cause }
    }

    /// Calls the owner of the handle that a method is called of; else who is held, or today's provider. If that one has gone, or
    /// has become another release, while the call waited for it, the next one is called.
    async fn forward(
        &self,
        binding: &Binding,
        held: Option<Target>,
        call: &Call,
        arguments: Passing,
    ) -> Result<Value<Arc<Resource>>, CallError> {
        let target = held.or_else(|| binding.target());
        let receiver = arguments.handles.first().filter(|_| self.is_method).map(|(receiver, _)| receiver);
        let target = match receiver {
            Some(receiver) => {
                let fits = |offered: &Interface| has_function(offered, &self.function.function, &self.ty);
                let bound = target.filter(|target| target.planet.is(receiver.owner()));
                bound.or_else(|| receiver.target(&self.interface, fits))
            }
            None => target,
        };
        let Some(mut target) = target else { return Err(self.error(call, Cause::Absent)) };
        let mut again;
        let mut call = call;
        loop {
            match self.call_target(&target, call, &arguments).await {
                Err(error) if error.has_not_begun() && receiver.is_none() => match binding.other_than(&target) {
                    Some(next) => {
                        target = next;
                        again = call.again();
                        call = &again;
                    }
                    None => return Err(error),
                },
                outcome => return outcome,
            }
        }
    }

    /// Has the Satellite answer. A call that has no time left is cancelled there.
    async fn call_satellite(
        &self,
        satellite: &Satellite,
        call: &Call,
        arguments: Passing,
        delivered: Option<Delivered>,
    ) -> Result<Value<Arc<Resource>>, CallError> {
        let function = &self.function.function;
        let span = call_span(satellite.program(), &self.function);
        let answer = async {
            let arguments = arguments.bytes.take();
            let progress = Progress::new(call.deadline());
            let work = async {
                match delivered {
                    Some(delivered) => satellite.call_delivered(&self.interface, function, delivered, &progress).await,
                    None => satellite.call(&self.interface, function, &arguments, &progress).await,
                }
            };
            let taken_back = async {
                // What is called after that is for tidying up, and has the rest of the grace.
                if call.is_cancelled() {
                    return pending().await;
                }
                call.cancelled().await;
                if progress.cancel() {
                    pending().await
                }
            };
            let work = async {
                tokio::select! {
                    biased;
                    answer = work => Ok(answer),
                    () = taken_back => Err(Late::Cancelled),
                }
            };
            let outcome = match call.late() {
                Some(late) => Err(late),
                None => call.until(work).await.flatten(),
            };
            let failure = match outcome {
                Ok(Ok(bytes)) => return Ok(Value { bytes, handles: Vec::new() }),
                Ok(Err(failure)) => failure,
                Err(late) => satellite.late(function, late == Late::Cancelled, &progress),
            };
            Err(self.error(call, Cause::Satellite(Arc::new(failure))))
        };
        if span.is_disabled() {
            return answer.await;
        }
        let outcome = Box::pin(answer.instrument(span.clone())).await;
        note_outcome(&span, &outcome);
        outcome
    }

    async fn call_target(
        &self,
        target: &Target,
        call: &Call,
        arguments: &Passing,
    ) -> Result<Value<Arc<Resource>>, CallError> {
        let function =
            FunctionName { interface: Some(Arc::clone(&target.export)), function: self.function.function.clone() };
        let span = call_span(target.planet.name(), &function);
        if span.is_disabled() {
            return call_target(target, call, function, arguments).await;
        }
        let outcome = Box::pin(call_target(target, call, function, arguments).instrument(span.clone())).await;
        note_outcome(&span, &outcome);
        outcome
    }
}

/// Calls an export of a release whose types are known to fit.
pub(crate) async fn call_target(
    target: &Target,
    call: &Call,
    function: FunctionName,
    arguments: &Passing,
) -> Result<Value<Arc<Resource>>, CallError> {
    let planet = &target.planet;
    if let Some((foreign, _)) = arguments.handles.iter().find(|(handle, _)| !handle.owner().is(planet)) {
        let problem = format!(
            "it is passed a handle of planet `{}`, and planet `{}` is called",
            foreign.owner().name(),
            planet.name()
        );
        let (planet, chain) = (Some(Arc::clone(planet.name())), Arc::clone(call.chain()));
        return Err(CallError { planet, function, chain, cause: Cause::Handle(problem.into()) });
    }
    let mut turn = planet.enter(call, function).await?;
    if let Err(stale) = turn.check(&arguments.handles) {
        return Err(turn.not_called(Cause::Handle(stale.sentence(planet.name()).into())));
    }
    if turn.release() != target.release {
        return Err(turn.has_changed());
    }
    let Some((func, place)) = turn.function() else { return Err(turn.has_no_function()) };
    let typed = match func.typed::<Arguments<'_>, Answer>(turn.store()) {
        Ok(typed) => typed,
        Err(error) => return Err(turn.has_another_type(&error)),
    };
    // Nothing is between the caller and the callee any more: what is given away is so from here on.
    let resources = match turn.resources(&arguments.handles) {
        Ok(resources) => resources,
        Err(stale) => return Err(turn.not_called(Cause::Handle(stale.sentence(planet.name()).into()))),
    };
    let arguments = Arguments { parcel: &arguments.bytes, resources: &resources };
    let (bytes, handles) = turn.call_with(typed, place, arguments).await?;
    Ok(Value { bytes, handles })
}

/// Calls an export with dynamic values, if it `fits`: values of other types would cost the Planet its instance.
pub(crate) async fn call_dynamic(
    target: &Target,
    call: &Call,
    function: FunctionName,
    fits: impl FnOnce(&mut Turn<'_>) -> bool,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), CallError> {
    let planet = &target.planet;
    let span = call_span(planet.name(), &function);
    let work = async {
        let mut turn = planet.enter(call, function).await?;
        let Some((func, _)) = turn.function() else { return Err(turn.has_no_function()) };
        if !fits(&mut turn) {
            return Err(turn.has_changed());
        }
        turn.call_dynamic(func, params, results).await
    };
    let outcome = work.instrument(span.clone()).await;
    note_outcome(&span, &outcome);
    outcome
}

/// Where a function's type has room for a failure of its provider.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FailurePlace {
    /// Nowhere: the caller's instance is lost with the call.
    None,
    /// `result<_, string>`.
    Text,
    /// `result<_, failure>`, with the shape of `kokoro:core/types`.
    Failure,
}

impl FailurePlace {
    fn of(function: &Function) -> Self {
        let Some(Type::Result { err: Some(err), .. }) = &function.result else { return Self::None };
        match &**err {
            Type::String => Self::Text,
            Type::Record(Named { parts, .. }) => match &parts[..] {
                [(kind, Type::Enum(kinds)), (message, Type::String), (chain, Type::List(names))]
                    if kind == "kind"
                        && message == "message"
                        && chain == "chain"
                        && **names == Type::String
                        && kinds.parts.iter().map(|(name, ())| name.as_str()).eq(FAILURE_KINDS) =>
                {
                    Self::Failure
                }
                _ => Self::None,
            },
            _ => Self::None,
        }
    }

    /// The form of an `err` that says what happened.
    fn deliver(self, error: &CallError) -> Option<Buffer> {
        let mut to = Encoder::new();
        match self {
            Self::None => return None,
            Self::Text => Err::<(), _>(error.told()).encode(&mut to),
            Self::Failure => {
                let kind = FAILURE_KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or_default();
                Err::<(), _>((kind as u8, error.told(), error.whole_chain())).encode(&mut to);
            }
        }
        Some(to.into_bytes().into())
    }
}

/// The cases of `failure-kind` in `kokoro:core/types`, in order.
const FAILURE_KINDS: [&str; 6] = ["absent", "crashed", "overdue", "reentered", "cancelled", "limited"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{interface_from_wit, interfaces_of_text};

    #[test]
    fn the_failure_kinds_are_those_of_the_wit_package() {
        let interfaces = interfaces_of_text(&format!(
            "{}\ninterface probe {{ use types.{{failure}}; f: func() -> result<_, failure>; }}",
            kokoro_wit::PACKAGE
        ));
        let probe = &interfaces[&"kokoro:core/probe@0.1.0".parse().unwrap()];
        assert_eq!(FailurePlace::of(&probe.functions["f"]), FailurePlace::Failure);
    }

    #[test]
    fn what_is_known_of_a_satellites_failure_is_told_once() {
        let failure = crate::satellite::Failure::for_tests("it ended", &["help: do not"], &["its last words"]);
        let function = FunctionName { interface: None, function: "f".into() };
        let error =
            CallError { planet: None, function, chain: Arc::default(), cause: Cause::Satellite(failure.into()) };
        assert_eq!(error.sentence(), "it ended");
        let all = "it ended\n  help: do not\n  last lines of its standard error:\n    its last words";
        assert_eq!((error.to_string().as_str(), error.told().as_str()), (all, all));
        let (cause, planet) = (Cause::Dependency(Box::new(error.clone())), Some("p".into()));
        let outer = CallError { cause, planet, ..error };
        let first = "planet `p` was lost in `f` with a call that it made: it ended";
        assert_eq!(outer.told(), first);
        let text = outer.to_string();
        assert!(text.starts_with(first) && text.matches("its last words").count() == 1, "{text}");
    }

    #[test]
    fn a_string_is_room_enough_and_other_types_are_not() {
        let interface = interface_from_wit(
            "a: func() -> result<u8, string>; b: func() -> string; c: func() -> result<string, u8>; d: func();",
        );
        let places = interface.functions.values().map(FailurePlace::of);
        assert!(places.eq([FailurePlace::Text, FailurePlace::None, FailurePlace::None, FailurePlace::None]));
    }
}
