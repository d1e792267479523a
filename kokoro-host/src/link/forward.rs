//! Carries a call from a Planet's import to the Planet that serves it, by way of Wasmtime's dynamic values.

use std::sync::Arc;

use tracing::Instrument as _;
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Val};

use super::binding::Binding;
use crate::inspect::{Function, Named, Type};
use crate::planet::{Call, CallError, Cause, FunctionName, Interruption, State, Target, Turn, call_span, note_outcome};

/// Defines the function `name` of an import as a call through `binding`.
pub(super) fn define(
    instance: &mut LinkerInstance<'_, State>,
    binding: &Arc<Binding>,
    interface: &Arc<str>,
    name: &str,
    ty: &Function,
) -> wasmtime::Result<()> {
    let binding = Arc::clone(binding);
    let function = FunctionName { interface: Some(Arc::clone(interface)), function: name.into() };
    let interface = Arc::clone(interface);
    let place = FailurePlace::of(ty);
    instance.func_new_async(name, move |store: StoreContextMut<'_, State>, _, params, results| {
        let call = store.data().call().nested();
        let held = store.data().held(&interface).cloned();
        let (binding, function) = (Arc::clone(&binding), function.clone());
        Box::new(async move {
            match forward(&binding, held, &call, function, params, results).await {
                Ok(()) => Ok(()),
                Err(error) => match place.deliver(&error) {
                    Some(value) => {
                        results[0] = value;
                        Ok(())
                    }
                    None => Err(wasmtime::Error::new(Interruption::Dependency(error))),
                },
            }
        })
    })
}

/// Calls whoever provides the import: who is held, else today's provider. If that one has gone, or has become another release,
/// while the call waited for it, the next one is called.
async fn forward(
    binding: &Binding,
    held: Option<Target>,
    call: &Call,
    function: FunctionName,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), CallError> {
    let Some(mut target) = held.or_else(|| binding.target()) else {
        return Err(CallError { planet: None, function, chain: Arc::clone(call.chain()), cause: Cause::Absent });
    };
    loop {
        let name = FunctionName { interface: Some(Arc::clone(&target.export)), ..function.clone() };
        let fits = |turn: &mut Turn| turn.release() == target.release;
        match call_dynamic(&target, call, name, fits, params, results).await {
            Err(error) if error.has_not_begun() => match binding.other_than(&target) {
                Some(next) => target = next,
                None => return Err(error),
            },
            outcome => return outcome,
        }
    }
}

/// Calls an export with dynamic values, if it `fits`: values of other types would cost the Planet its instance.
pub(crate) async fn call_dynamic(
    target: &Target,
    call: &Call,
    function: FunctionName,
    fits: impl FnOnce(&mut Turn) -> bool,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), CallError> {
    let planet = &target.planet;
    let span = call_span(planet.name(), &function);
    let work = async {
        let mut turn = planet.enter(call, function.clone()).await?;
        let Some(func) = turn.function() else {
            return Err(turn.no_function(format!("planet `{}` exports no function `{function}`", planet.name())));
        };
        if !fits(&mut turn) {
            let problem = format!("planet `{}` has changed, and `{function}` with it", planet.name());
            return Err(turn.no_function(problem));
        }
        let outcome = call.until(func.call_async(turn.store(), params, results)).await;
        turn.finish(outcome)
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

    fn deliver(self, error: &CallError) -> Option<Val> {
        let err = match self {
            Self::None => return None,
            Self::Text => Val::String(error.sentence()),
            Self::Failure => Val::Record(vec![
                ("kind".to_owned(), Val::Enum(error.kind().to_owned())),
                ("message".to_owned(), Val::String(error.sentence())),
                ("chain".to_owned(), Val::List(error.whole_chain().into_iter().map(Val::String).collect())),
            ]),
        };
        Some(Val::Result(Err(Some(Box::new(err)))))
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
    fn a_string_is_room_enough_and_other_types_are_not() {
        let interface = interface_from_wit(
            "a: func() -> result<u8, string>; b: func() -> string; c: func() -> result<string, u8>; d: func();",
        );
        let places = interface.functions.values().map(FailurePlace::of);
        assert!(places.eq([FailurePlace::Text, FailurePlace::None, FailurePlace::None, FailurePlace::None]));
    }
}
