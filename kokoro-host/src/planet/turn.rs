//! A Planet, taken for one call: what can be done with it, and that it is given back.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::MutexGuard;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower, ResourceAny, TypedFunc, Val};

use super::Planet;
use super::call::{Call, FunctionName, Late};
use super::failure::{CallError, Cause};
use super::instance::{Instance, State};
use super::resource::{Resource, Stale, Use};
use crate::inspect;
use crate::value::{Answer, Arguments, Buffer, Passed};

/// A Planet, taken for one call. Dropped without [`Turn::finish`], the call was cut off half-way, and the instance with it.
pub(crate) struct Turn<'c> {
    planet: &'c Arc<Planet>,
    call: &'c Call,
    entered: Instant,
    /// There until this is dropped.
    seat: Option<Seat<'c>>,
    function: FunctionName,
    finished: bool,
}

/// Whoever has it has the instance.
pub(super) type Seat<'c> = MutexGuard<'c, Option<Box<Instance>>>;

impl<'c> Turn<'c> {
    pub(super) fn new(
        planet: &'c Arc<Planet>,
        seat: Seat<'c>,
        call: &'c Call,
        function: FunctionName,
        entered: Instant,
    ) -> Self {
        planet.set_holder(Some(call.errand()));
        let mut turn = Self { planet, call, entered, seat: Some(seat), function, finished: false };
        turn.instance().begin(call);
        turn
    }

    /// The called function, if the Planet has it, and its place among all that it exports.
    pub(crate) fn function(&self) -> Option<(Func, usize)> {
        self.seat.as_deref().and_then(Option::as_ref)?.function(&self.function)
    }

    /// Calls the function, and gives the Planet back with the outcome. Any error ends the instance.
    pub(crate) async fn call<P, R>(mut self, typed: TypedFunc<P, R>, params: P) -> Result<R, CallError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        let outcome = self.run(typed, None, params).await;
        self.finish(outcome)
    }

    /// The same with dynamic values.
    pub(crate) async fn call_dynamic(
        mut self,
        func: Func,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<(), CallError> {
        let (call, crossing) = (self.call, self.instance().crossing(None));
        let outcome = call.until(crossing.scope(func.call_async(self.store(), params, results))).await;
        self.finish(outcome)
    }

    /// The same with the form of the parameters, of the function whose place this is.
    pub(crate) async fn call_with(
        mut self,
        typed: TypedFunc<Arguments<'_>, Answer>,
        place: usize,
        arguments: Arguments<'_>,
    ) -> Result<(Buffer, Vec<Arc<Resource>>), CallError> {
        let outcome = self.run(typed, Some(place), arguments).await;
        let mut too_large = None;
        let outcome = outcome.map(|done| {
            done.map(|Answer(answer)| {
                too_large = answer.too_large.map(|most| self.error(Cause::TooLarge { most, answered: true }));
                // Those of an answer that is not wanted are released again.
                (answer.bytes, self.lent(&answer.handles))
            })
        });
        let answer = self.finish(outcome)?;
        too_large.map_or(Ok(answer), Err)
    }

    async fn run<P, R>(
        &mut self,
        typed: TypedFunc<P, R>,
        place: Option<usize>,
        params: P,
    ) -> Result<wasmtime::Result<R>, Late>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        let (call, crossing) = (self.call, self.instance().crossing(place));
        let work = pin!(typed.call_async(self.store(), params));
        call.until(crossing.scope(work)).await
    }

    /// Has others hold what the Planet has given out in this turn.
    fn lent(&mut self, handles: &[Passed]) -> Vec<Arc<Resource>> {
        let planet = self.planet;
        let instance = self.instance();
        let own = |passed: &Passed| match passed {
            Passed::Resource(any) => Some(Resource::new(planet, instance, *any)),
            _ => None,
        };
        let lent: Vec<Arc<Resource>> = handles.iter().filter_map(own).collect();
        if !lent.is_empty() {
            self.instance().lends_more(lent.len());
        }
        lent
    }

    /// Gives the Planet back untouched, because the call would have made no sense.
    pub(crate) fn not_called(mut self, cause: Cause) -> CallError {
        self.leave();
        self.error(cause)
    }

    /// Drops what nobody holds any more.
    pub(super) async fn tidy_up(mut self) {
        let number = self.instance().number();
        for released in self.planet.releases.take() {
            if released.instance == number {
                self.instance().lends_less();
                let (call, crossing) = (self.call, self.instance().crossing(None));
                let outcome = call.until(crossing.scope(released.any.resource_drop_async(self.store()))).await;
                if !matches!(outcome, Ok(Ok(()))) {
                    // Its own doing, and of interest to nobody else: what becomes of it is told as of every instance.
                    let _ = self.finish(outcome);
                    return;
                }
            }
        }
        self.leave();
    }

    /// Whether all these handles are of the instance that is there, and none is given away that is passed twice.
    pub(crate) fn check(&mut self, handles: &[(Arc<Resource>, Use)]) -> Result<(), Stale> {
        let number = self.instance().number();
        let mut passed = HashMap::new();
        for (handle, _) in handles {
            handle.within(number, Use::Lend)?;
            *passed.entry(Arc::as_ptr(handle)).or_insert(0_usize) += 1;
        }
        let mut given = handles.iter().filter(|(_, use_of_it)| *use_of_it == Use::Give);
        if given.any(|(handle, _)| passed[&Arc::as_ptr(handle)] > 1) {
            return Err(Stale::GivenBack);
        }
        Ok(())
    }

    /// The resources of these handles, which have been checked, as the Planet itself knows them; those that it is given are its
    /// own again.
    pub(crate) fn resources(&mut self, handles: &[(Arc<Resource>, Use)]) -> Result<Vec<ResourceAny>, Stale> {
        let number = self.instance().number();
        let given = handles.iter().filter(|(_, use_of_it)| *use_of_it == Use::Give);
        given.for_each(|_| self.instance().lends_less());
        handles.iter().map(|(handle, use_of_it)| handle.within(number, *use_of_it)).collect()
    }

    /// The type of the called function, if the Planet has it.
    pub(crate) fn signature(&self) -> Option<&inspect::Function> {
        self.seat.as_deref().and_then(Option::as_ref)?.signature(&self.function)
    }

    /// Which release of the Planet answers.
    pub(crate) fn release(&mut self) -> u64 {
        self.instance().release()
    }

    /// The store to call into.
    pub(crate) fn store(&mut self) -> &mut Store<State> {
        self.instance().store()
    }

    fn instance(&mut self) -> &mut Instance {
        let instance = self.seat.as_deref_mut().and_then(Option::as_mut);
        instance.expect("a planet that was entered has an instance until the turn is over")
    }

    /// Gives the Planet back, with the outcome of the call. Any error ends the instance.
    pub(crate) fn finish<R>(mut self, outcome: Result<wasmtime::Result<R>, Late>) -> Result<R, CallError> {
        let (entered, queued) = (self.entered, self.entered.saturating_duration_since(self.call.made()));
        self.finished = true;
        match self.instance().concluded(outcome, entered, queued) {
            Ok(answer) => Ok(answer),
            Err(cause) => {
                let error = self.error(cause);
                if let Some(seat) = &mut self.seat {
                    self.planet.lost(seat, &error);
                }
                Err(error)
            }
        }
    }

    /// Gives the Planet back untouched, because it has no such function.
    pub(crate) fn has_no_function(self) -> CallError {
        let problem = format!("planet `{}` exports no function `{}`", self.planet.name, self.function);
        self.not_called(Cause::NoFunction(problem.into()))
    }

    /// Gives the Planet back untouched, because it is another release than the one that was asked for.
    pub(crate) fn has_changed(self) -> CallError {
        let problem = format!("planet `{}` has changed, and `{}` with it", self.planet.name, self.function);
        self.not_called(Cause::NoFunction(problem.into()))
    }

    /// Gives the Planet back untouched, because its function cannot be called like that.
    pub(crate) fn has_another_type(self, error: &wasmtime::Error) -> CallError {
        let problem = format!("`{}` has another type: {error:#}", self.function);
        self.not_called(Cause::NoFunction(problem.into()))
    }

    /// Gives the Planet back untouched.
    pub(crate) fn leave(&mut self) {
        self.finished = true;
        self.instance().lay_down();
    }

    fn error(&self, cause: Cause) -> CallError {
        CallError {
            planet: Some(Arc::clone(&self.planet.name)),
            function: self.function.clone(),
            chain: Arc::clone(self.call.chain()),
            cause,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let planet = self.planet;
        planet.free_from(self.call.errand());
        if let Some(mut seat) = self.seat.take() {
            if !self.finished {
                planet.lose(&mut seat, "a call into it was cut off half-way".to_owned(), false);
            }
            drop(seat);
            // It may have been stopped meanwhile, and this was the last call.
            planet.vacate_if_ended();
        }
    }
}

/// What a Planet executes while it drops resources, as errors name it.
pub(super) const DESTRUCTOR: &str = "(destructor)";
