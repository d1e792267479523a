//! An interface that the application itself serves to Planets.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower, ResourceType, Val};

use crate::inspect::{Interface, interface_of_package};
use crate::interface::InterfaceName;
use crate::planet::{Attached, Call, CallError, Cause, FunctionName, Handles, Interruption, Late, State, Terms};

/// An interface that the application serves to Planets (plugins). Made by what [`bindings!`](crate::bindings) generates;
/// given to [`Builder::serve`](crate::Builder::serve).
#[derive(Clone)]
pub struct Service {
    pub(crate) name: InterfaceName,
    pub(crate) interface: Interface,
    define: Arc<Define>,
    behind: Vec<Behind>,
}

/// The type of the application's that is behind the handles of a resource.
#[derive(Debug, Clone, Copy)]
struct Behind {
    resource: &'static str,
    tag: TypeId,
    value: TypeId,
    value_name: &'static str,
}

type Define = dyn Fn(&mut Functions<'_>) -> wasmtime::Result<()> + Send + Sync;

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Who calls a function that the application serves.
#[derive(Debug, Clone)]
pub struct Caller {
    planet: Arc<str>,
    call: Call,
}

impl Caller {
    /// A caller that has not called, for tests of what an application serves. `attached` is what
    /// [`attached`](Caller::attached) gives.
    ///
    /// ```
    /// let caller = kokoro_host::Caller::for_tests("page", "Ada".to_owned());
    /// assert_eq!((caller.planet(), caller.chain().len()), ("page", 1));
    /// assert_eq!(*caller.attached::<String>().unwrap(), "Ada");
    /// ```
    pub fn for_tests<T: Any + Send + Sync>(planet: &str, attached: T) -> Self {
        let planet: Arc<str> = planet.into();
        let attached: Attached = Arc::new(attached);
        let terms = Terms { within: Duration::MAX, attached: Some(attached), cancel: None, grace: Duration::ZERO };
        let call = Call::by_application(&terms).entered(&planet);
        Self { planet, call }
    }

    /// The name of the Planet (plugin) that calls.
    pub fn planet(&self) -> &str {
        &self.planet
    }

    /// The names of all Planets that the call came through; the one that calls is the last.
    pub fn chain(&self) -> &[Arc<str>] {
        self.call.chain()
    }

    /// The value that the application attached, by `with`, to the call of its own that led here; none if it attached none or
    /// one of another type.
    pub fn attached<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.call.attached()?).downcast().ok()
    }

    /// Whether the application has cancelled the call of its own that led here: the answer is not wanted any more.
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Makes a future part of this call, wherever it is polled: what it calls has this call's chain, its deadline and what is
    /// attached to it. The function that is being answered is part of it anyway; this is for work that it gives to
    /// `tokio::spawn`.
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        self.call.clone().serving(work)
    }
}

impl Service {
    /// The interface `name` of `package` (as `bindings!` encodes it); `define` defines each of its resources and functions.
    pub(crate) fn new(
        name: &str,
        package: &[u8],
        define: impl Fn(&mut Functions<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (name, interface) = interface_of_package(name, package);
        Self { name, interface, define: Arc::new(define), behind: Vec::new() }
    }

    /// An interface whose types are only known at run time, and which has no resources. `answer` gets a function's name and type, and
    /// the arguments. What it returns has to be of that type; an error ends the instance that has called.
    pub(crate) fn dynamic<F, Fut>(name: InterfaceName, interface: Interface, answer: F) -> Self
    where
        F: Fn(Caller, Arc<str>, ComponentFunc, Vec<Val>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Val>, String>> + Send + 'static,
    {
        let answer = Arc::new(answer);
        let functions: Vec<Arc<str>> = interface.functions.keys().map(|name| name.as_str().into()).collect();
        let define = move |to: &mut Functions<'_>| {
            functions.iter().try_for_each(|function| {
                let (answer, name) = (Arc::clone(&answer), Arc::clone(function));
                to.define_dynamic(function, move |caller, ty, params| answer(caller, Arc::clone(&name), ty, params))
            })
        };
        Self { name, interface, define: Arc::new(define), behind: Vec::new() }
    }

    /// The same under another name.
    pub(crate) fn named(self, name: InterfaceName) -> Self {
        Self { name, ..self }
    }

    /// Stands for a service of this name and these types. There is nothing behind it, so that it serves only where nothing is linked.
    pub(crate) fn of_types(name: InterfaceName, interface: Interface) -> Self {
        Self { name, interface, define: Arc::new(|_| Ok(())), behind: Vec::new() }
    }

    /// Says that values of the type `T` are behind handles of the type `Resource<Tag>`. Only generated code calls it.
    #[doc(hidden)]
    #[must_use]
    pub fn behind<Tag: 'static, T: 'static>(mut self, resource: &'static str) -> Self {
        let value_name = std::any::type_name::<T>();
        self.behind.push(Behind { resource, tag: TypeId::of::<Tag>(), value: TypeId::of::<T>(), value_name });
        self
    }

    /// The name of a resource that both pass and serve by values of different types, and these types.
    pub(crate) fn disagrees(&self, other: &Self) -> Option<[&'static str; 3]> {
        let pairs = self.behind.iter().flat_map(|one| other.behind.iter().map(move |two| (one, two)));
        let mut different = pairs.filter(|(one, two)| one.tag == two.tag && one.value != two.value);
        different.next().map(|(one, two)| [one.resource, one.value_name, two.value_name])
    }

    /// Defines the resources and functions under the name that a Planet's import has.
    pub(super) fn link(&self, instance: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
        (self.define)(&mut Functions { instance, interface: self.name.to_string().into() })
    }
}

/// Takes the resources and functions of a service, one by one. Only generated code sees it.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "lives only inside of generated code")]
pub struct Functions<'l> {
    instance: LinkerInstance<'l, State>,
    interface: Arc<str>,
}

impl Functions<'_> {
    /// Defines the resource `name` (its name in WIT), whose handles are of the type `Resource<Tag>`.
    pub fn resource<Tag: 'static>(&mut self, name: &str) -> wasmtime::Result<()> {
        self.instance.resource(name, ResourceType::host::<Tag>(), |store, number| {
            store.data().handles().drop(number);
            Ok(())
        })
    }

    /// Defines the function `name` (its name in WIT) as `answer`, which gets to know what handles the caller has. `late` makes
    /// a result that says why there is none, if the result's type has a place for that.
    pub fn define<P, R, F, Fut>(&mut self, name: &str, late: Option<fn(String) -> R>, answer: F) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + Send + Sync + 'static,
        R: ComponentNamedList + Lower + Send + Sync + 'static,
        F: Fn(Caller, Handles, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = wasmtime::Result<R>> + Send + 'static,
    {
        let function = self.function(name);
        self.instance.func_wrap_async(name, move |store: StoreContextMut<'_, State>, params: P| {
            let planet = Arc::clone(store.data().name());
            let (call, serves) = store.data().call().nested().served();
            let answer = answer(Caller { planet, call: call.clone() }, store.data().handles().clone(), params);
            let function = function.clone();
            Box::new(async move {
                let _serves = serves;
                match in_time(&call, function, answer).await {
                    Ok(results) => results,
                    Err(error) => match late {
                        Some(late) => Ok(late(error.sentence())),
                        None => Err(wasmtime::Error::new(Interruption::Dependency(error))),
                    },
                }
            })
        })
    }

    /// Defines the function `name` as `answer`, which gets to know its type.
    fn define_dynamic<F, Fut>(&mut self, name: &str, answer: F) -> wasmtime::Result<()>
    where
        F: Fn(Caller, ComponentFunc, Vec<Val>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Val>, String>> + Send + 'static,
    {
        let function = self.function(name);
        self.instance.func_new_async(name, move |store: StoreContextMut<'_, State>, ty, params, results| {
            let planet = Arc::clone(store.data().name());
            let (call, serves) = store.data().call().nested().served();
            let answer = answer(Caller { planet, call: call.clone() }, ty, params.to_vec());
            let function = function.clone();
            Box::new(async move {
                let _serves = serves;
                match in_time(&call, function, answer).await {
                    Ok(Ok(answer)) => {
                        results.iter_mut().zip(answer).for_each(|(result, answer)| *result = answer);
                        Ok(())
                    }
                    Ok(Err(why)) => Err(wasmtime::Error::msg(why)),
                    Err(error) => Err(wasmtime::Error::new(Interruption::Dependency(error))),
                }
            })
        })
    }

    fn function(&self, name: &str) -> FunctionName {
        FunctionName { interface: Some(Arc::clone(&self.interface)), function: Arc::<str>::from(name).into() }
    }
}

/// What the application answers, unless it is too late for that.
async fn in_time<F: Future>(call: &Call, function: FunctionName, answer: F) -> Result<F::Output, CallError> {
    let chain = Arc::clone(call.chain());
    call.until(call.clone().serving(answer)).await.map_err(|why| {
        let cause = match why {
            Late::Overdue => Cause::OverdueService,
            Late::Cancelled => Cause::CancelledService,
        };
        CallError { planet: None, function, chain, cause }
    })
}
