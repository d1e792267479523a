//! Calls whose types are only known at run time.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Val;
use wasmtime::component::types::{ComponentFunc, ComponentItem};

use super::handle::withheld;
use super::{Primary, Shared, ToTheEnd};
use crate::engine::Code;
use crate::error::{self, Error, Kind, nearest};
use crate::inspect::{self, Named, Type, is_core};
use crate::interface::InterfaceName;
use crate::link::call_dynamic;
use crate::planet::{Call, CallError, FunctionName, Target, Terms, Turn};
use crate::registry::Entry;

/// The type of a function at run time: its parameters and results.
pub type FunctionType = ComponentFunc;

/// A function of a running Planet (plugin), found by name. It follows: if that Planet goes, and another one that provides the
/// same takes its place, it goes there.
#[derive(Debug, Clone)]
pub struct Function {
    /// As it was asked for.
    path: String,
    target: Target,
    name: FunctionName,
    ty: FunctionType,
    signature: inspect::Function,
    terms: Terms,
    primary: Weak<Shared>,
    runtime: runtime::Handle,
}

impl Function {
    /// Its type, by which values can be parsed and checked.
    pub fn ty(&self) -> &FunctionType {
        &self.ty
    }

    /// Its type as WIT writes it: `func(name: string) -> option<u32>`.
    pub fn signature(&self) -> String {
        self.signature.to_string()
    }

    /// Its type as structure, down to the names of fields and cases.
    pub fn structure(&self) -> &inspect::Function {
        &self.signature
    }

    /// The name of the Planet that answered when this was found.
    pub fn planet(&self) -> &str {
        self.target.planet.name()
    }

    /// The same function, whose calls may take no longer than `time` each.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.terms.within = time;
        self
    }

    /// The same function, to whose calls a value is attached, as by [`Handle::with`](crate::Handle::with).
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.terms.attached = Some(Arc::new(value));
        self
    }

    /// The same function, whose calls can be taken back, as by [`Handle::cancelled_by`](crate::Handle::cancelled_by).
    #[must_use]
    pub fn cancelled_by(mut self, token: &CancellationToken) -> Self {
        self.terms.cancel = Some(token.clone());
        self
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// If `arguments` are not of the function's parameters' number and types, if it has other types by now, or as for every
    /// call.
    pub async fn call(&self, arguments: &[Val]) -> Result<Vec<Val>, Error> {
        self.check(arguments)?;
        let call = Call::by_application(&self.terms);
        let given_up = call.detach();
        let (function, arguments) = (self.clone(), arguments.to_vec());
        let mut results = vec![Val::Bool(false); self.ty.results().len()];
        let work = async move {
            let (mut target, mut name) = (function.target.clone(), function.name.clone());
            loop {
                // Of the same release the types are known to be the same.
                let fits = |turn: &mut Turn| {
                    turn.release() == function.target.release || turn.signature() == Some(&function.signature)
                };
                match call_dynamic(&target, &call, name, fits, &arguments, &mut results).await {
                    Ok(()) => return Ok(results),
                    Err(error) if error.has_not_begun() => {
                        match function.found_again().filter(|f| !f.target.is(&target)) {
                            Some(next) => (target, name) = (next.target, next.name),
                            None => return Err(error),
                        }
                    }
                    Err(error) => return Err::<_, CallError>(error),
                }
            }
        };
        Ok(ToTheEnd::new(work, &self.runtime, given_up).await?)
    }

    /// The function as it would be found now.
    fn found_again(&self) -> Option<Self> {
        let primary = Primary { shared: self.primary.upgrade()? };
        function(&primary, &self.path, &self.name.function).ok()
    }
}

impl Function {
    /// What does not fit must not get as far as the Planet: a value that cannot be lowered ends the instance.
    fn check(&self, arguments: &[Val]) -> Result<(), Error> {
        let params = &self.signature.params;
        let handle = self.signature.types().find_map(|ty| ty.resource(&|_| true));
        let problem = if let Some(resource) = handle {
            Some(format!(
                "it passes handles of `{}`, which have no value here: call it with a typed handle (`bindings!`)",
                resource.name
            ))
        } else if params.len() != arguments.len() {
            Some(format!("it takes {} arguments, and {} were given", params.len(), arguments.len()))
        } else {
            let mut wrong = params.iter().zip(arguments).filter(|((_, ty), value)| !is_of(value, ty));
            wrong.next().map(|((name, ty), _)| format!("the argument `{name}` has to be of the type `{ty}`"))
        };
        match problem {
            Some(problem) => {
                let function = self.name.function.to_string();
                Err(Kind::Arguments { function, signature: self.signature(), problem }.into())
            }
            None => Ok(()),
        }
    }
}

/// Whether a value is of a type.
fn is_of(value: &Val, ty: &Type) -> bool {
    let boxed = |value: &Option<Box<Val>>, ty: &Option<Arc<Type>>| match (value, ty) {
        (Some(value), Some(ty)) => is_of(value, ty),
        (None, None) => true,
        _ => false,
    };
    match (value, ty) {
        (Val::Bool(_), Type::Bool)
        | (Val::S8(_), Type::S8)
        | (Val::U8(_), Type::U8)
        | (Val::S16(_), Type::S16)
        | (Val::U16(_), Type::U16)
        | (Val::S32(_), Type::S32)
        | (Val::U32(_), Type::U32)
        | (Val::S64(_), Type::S64)
        | (Val::U64(_), Type::U64)
        | (Val::Float32(_), Type::F32)
        | (Val::Float64(_), Type::F64)
        | (Val::Char(_), Type::Char)
        | (Val::String(_), Type::String) => true,
        (Val::List(values), Type::List(ty)) => values.iter().all(|value| is_of(value, ty)),
        (Val::FixedLengthList(values), Type::FixedList(ty, len)) => {
            values.len() == *len as usize && values.iter().all(|value| is_of(value, ty))
        }
        (Val::Map(pairs), Type::Map(key, value)) => pairs.iter().all(|(k, v)| is_of(k, key) && is_of(v, value)),
        (Val::Tuple(values), Type::Tuple(types)) => {
            values.len() == types.len() && values.iter().zip(types.iter()).all(|(value, ty)| is_of(value, ty))
        }
        (Val::Record(values), Type::Record(Named { parts, .. })) => {
            let field =
                |((name, value), (wanted, ty)): (&(String, Val), &(String, Type))| name == wanted && is_of(value, ty);
            values.len() == parts.len() && values.iter().zip(parts.iter()).all(field)
        }
        (Val::Variant(case, value), Type::Variant(Named { parts, .. })) => {
            let ty = parts.iter().find(|(name, _)| name == case);
            match (ty, value) {
                (Some((_, Some(ty))), Some(value)) => is_of(value, ty),
                (Some((_, None)), None) => true,
                _ => false,
            }
        }
        (Val::Enum(case), Type::Enum(Named { parts, .. })) => parts.iter().any(|(name, ())| name == case),
        (Val::Flags(set), Type::Flags(Named { parts, .. })) => {
            set.iter().all(|flag| parts.iter().any(|(name, ())| name == flag))
        }
        (Val::Option(value), Type::Option(ty)) => value.as_ref().is_none_or(|value| is_of(value, ty)),
        (Val::Result(Ok(value)), Type::Result { ok, .. }) => boxed(value, ok),
        (Val::Result(Err(value)), Type::Result { err, .. }) => boxed(value, err),
        _ => false,
    }
}

pub(super) fn function(primary: &Primary, path: &str, function: &str) -> Result<Function, Error> {
    let found = find(primary, path, function)?;
    let ty = found.ty().expect("a compiled component has the exports that were read");
    let name = FunctionName { interface: found.interface, function: Arc::<str>::from(function).into() };
    Ok(Function {
        path: path.to_owned(),
        target: found.target,
        name,
        ty,
        signature: found.signature,
        terms: primary.terms(),
        primary: Arc::downgrade(&primary.shared),
        runtime: primary.shared.runtime.clone(),
    })
}

/// A function of a running Planet.
struct Found {
    target: Target,
    component: Code,
    interface: Option<Arc<str>>,
    function: String,
    signature: inspect::Function,
}

impl Found {
    fn new(
        entry: &Entry,
        interface: Option<&InterfaceName>,
        function: &str,
        signature: &inspect::Function,
    ) -> Option<Self> {
        let interface: Option<Arc<str>> = interface.map(|interface| interface.to_string().into());
        let export = interface.clone().unwrap_or_else(|| "".into());
        Some(Self {
            target: Target { planet: entry.planet.clone()?, export, release: entry.release },
            component: entry.component.clone()?,
            interface,
            function: function.to_owned(),
            signature: signature.clone(),
        })
    }

    /// The function's type as Wasmtime knows it.
    fn ty(&self) -> Option<FunctionType> {
        let (engine, component) = (self.component.engine(), self.component.component_type());
        let item = match &self.interface {
            None => component.get_export(engine, &self.function)?.ty,
            Some(interface) => match component.get_export(engine, interface)?.ty {
                ComponentItem::ComponentInstance(instance) => instance.get_export(engine, &self.function)?.ty,
                _ => return None,
            },
        };
        match item {
            ComponentItem::ComponentFunc(ty) => Some(ty),
            _ => None,
        }
    }
}

/// Finds the best running Planet for an interface, or the Planet of a name, and the function in it.
fn find(primary: &Primary, path: &str, function: &str) -> Result<Found, Error> {
    let registry = primary.registry();
    let no_function = |functions: Vec<String>| -> Error {
        // A function of an interface is called like itself, whatever the interface.
        let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let (path, function) = (path.to_owned(), function.to_owned());
        let same = functions.iter().filter(|name| short(name) == function);
        let mut nearest: Vec<String> = same.map(|name| format!("`{name}`")).collect();
        if nearest.is_empty() {
            nearest = error::nearest(&function, functions.iter().map(String::as_str));
        }
        let there = functions.iter().map(|name| format!("`{name}`")).collect();
        Kind::NoFunction { path, function, nearest, there }.into()
    };
    let is_plain = |export: &InterfaceName| export.path() == path;
    let exports = |entry: &Entry| entry.inspection.as_ref().is_some_and(|i| i.exports.keys().any(is_plain));
    if !path.contains('/') && (registry.entries.contains_key(path) || !registry.entries.values().any(exports)) {
        let Some(entry) = registry.entries.get(path) else {
            let nearest = nearest(path, registry.entries.keys().map(String::as_str));
            return Err(Kind::NoPlanet { name: path.to_owned(), nearest }.into());
        };
        let Some(inspection) = entry.inspection.as_ref().filter(|_| entry.lives()) else {
            return Err(Kind::NotRunning { name: path.to_owned(), state: entry.summary() }.into());
        };
        let found = inspection.functions.get(function).and_then(|ty| Found::new(entry, None, function, ty));
        return match found {
            Some(found) => Ok(found),
            None => {
                let exports = inspection.exports.iter();
                let inside = exports.flat_map(|(name, i)| i.functions.keys().map(move |f| format!("{name}.{f}")));
                let there = inspection.functions.keys().cloned().chain(inside).collect();
                Err(no_function(there))
            }
        };
    }
    let wanted: InterfaceName = path.parse()?;
    if is_core(&wanted) {
        return Err(Kind::Core { interface: wanted }.into());
    }
    let exports = registry.entries.iter().flat_map(|(name, entry)| {
        let exports = entry.inspection.iter().flat_map(|inspection| &inspection.exports);
        exports.map(move |(export, interface)| (name, entry, export, interface))
    });
    let matching = exports.clone().filter(|(_, _, export, _)| match wanted.version() {
        Some(_) => export.can_serve(&wanted),
        None => export.path() == wanted.path(),
    });
    let running = matching.clone().filter(|(_, entry, ..)| entry.lives());
    let best = running.min_by_key(|(name, _, export, _)| registry.preference(name, export));
    match best {
        Some((_, entry, export, interface)) => {
            let found = interface.functions.get(function).and_then(|ty| Found::new(entry, Some(export), function, ty));
            found.ok_or_else(|| no_function(interface.functions.keys().cloned().collect()))
        }
        None => {
            let others = matching.map(|(name, entry, ..)| format!("planet `{name}` is {}", entry.summary()));
            let others: Vec<String> = others.chain(withheld(&registry, &wanted)).collect();
            let names: Vec<String> = exports.map(|(_, _, export, _)| export.to_string()).collect();
            let closest = nearest(path, names.iter().map(String::as_str));
            Err(Kind::NoProvider { interface: wanted, others, closest }.into())
        }
    }
}
