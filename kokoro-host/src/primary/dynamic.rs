//! Calls whose types are only known at run time.

use std::sync::Arc;

use tokio::runtime;
use wasmtime::component::Val;
use wasmtime::component::types::ComponentFunc;

use super::Primary;
use super::handle::ToTheEnd;
use crate::error::{Error, Kind, nearest};
use crate::inspect;
use crate::link::call_dynamic;
use crate::planet::{Call, FunctionName, Planet};

/// The type of a function at run time: its parameters and results.
pub type FunctionType = ComponentFunc;

/// A function of a running Planet (plugin), found by name.
#[derive(Debug, Clone)]
pub struct Function {
    planet: Arc<Planet>,
    name: FunctionName,
    ty: FunctionType,
    signature: inspect::Function,
    within: std::time::Duration,
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

    /// The name of the Planet that answers.
    pub fn planet(&self) -> &str {
        self.planet.name()
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// If `arguments` are not of the function's parameters' number and types, or as for every call.
    pub async fn call(&self, arguments: &[Val]) -> Result<Vec<Val>, Error> {
        let call = Call::by_application(self.within);
        let (planet, name) = (Arc::clone(&self.planet), self.name.clone());
        let arguments = arguments.to_vec();
        let mut results = vec![Val::Bool(false); self.ty.results().len()];
        let work = async move {
            call_dynamic(&planet, &call, name, &arguments, &mut results).await?;
            Ok::<_, crate::planet::CallError>(results)
        };
        Ok(ToTheEnd::new(work, &self.runtime).await?)
    }
}

pub(super) async fn function(primary: &Primary, path: &str, function: &str) -> Result<Function, Error> {
    let (planet, interface, signature) = find(primary, path, function)?;
    let name = FunctionName { interface, function: function.into() };
    let within = primary.shared.limits.call;
    let mut entry = planet.enter(&Call::by_application(within), name.clone()).await?;
    let Some(func) = entry.function() else {
        return Err(entry.no_function(format!("planet `{}` exports no function `{name}`", planet.name())).into());
    };
    let ty = func.ty(&*entry.store().0);
    entry.finish(Ok(Ok(())))?;
    Ok(Function { planet, name, ty, signature, within, runtime: primary.shared.runtime.clone() })
}

type Found = (Arc<Planet>, Option<Arc<str>>, inspect::Function);

/// Finds the best running Planet for an interface, or the Planet of a name, and the function in it.
fn find(primary: &Primary, path: &str, function: &str) -> Result<Found, Error> {
    let registry = primary.registry();
    let no_function = |functions: Vec<&str>| -> Error {
        let nearest = nearest(function, functions.iter().copied());
        let there = functions.iter().map(|name| format!("`{name}`")).collect();
        Kind::NoFunction { path: path.to_owned(), function: function.to_owned(), nearest, there }.into()
    };
    if !path.contains('/') {
        let Some(entry) = registry.entries.get(path) else {
            let nearest = nearest(path, registry.entries.keys().map(String::as_str));
            return Err(Kind::NoPlanet { name: path.to_owned(), nearest }.into());
        };
        let (Some(planet), Some(inspection), true) = (&entry.planet, &entry.inspection, entry.is_running()) else {
            let reason = entry.state().1.unwrap_or_default();
            return Err(Kind::NotRunning { name: path.to_owned(), reason }.into());
        };
        return match inspection.functions.get(function) {
            Some(signature) => Ok((Arc::clone(planet), None, signature.clone())),
            None => Err(no_function(inspection.functions.keys().map(String::as_str).collect())),
        };
    }
    let wanted: crate::InterfaceName = path.parse()?;
    let exports = registry.entries.iter().flat_map(|(name, entry)| {
        let exports = entry.inspection.iter().flat_map(|inspection| &inspection.exports);
        exports.map(move |(export, interface)| (name, entry, export, interface))
    });
    let matching = exports.clone().filter(|(_, _, export, _)| match wanted.version() {
        Some(_) => export.can_serve(&wanted),
        None => export.path() == wanted.path(),
    });
    let running = matching.clone().filter(|(_, entry, ..)| entry.is_running());
    let best = running.min_by_key(|(name, _, export, _)| primary.preference(name, export));
    match best {
        Some((_, entry, export, interface)) => match (&entry.planet, interface.functions.get(function)) {
            (Some(planet), Some(signature)) => {
                Ok((Arc::clone(planet), Some(export.to_string().into()), signature.clone()))
            }
            _ => Err(no_function(interface.functions.keys().map(String::as_str).collect())),
        },
        None => {
            let others = matching.map(|(name, entry, ..)| {
                let (state, reason) = entry.state();
                format!("planet `{name}` is {state}: {}", reason.unwrap_or_default())
            });
            let others: Vec<String> = others.collect();
            let names: Vec<String> = exports.map(|(_, _, export, _)| export.to_string()).collect();
            let closest = nearest(path, names.iter().map(String::as_str));
            Err(Kind::NoProvider { interface: wanted, others, closest }.into())
        }
    }
}
