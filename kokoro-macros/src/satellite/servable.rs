//! What a Satellite can serve: functions whose values are complete in themselves.

use std::fmt;

use wit_parser::{InterfaceId, Resolve, Type, TypeDefKind, TypeId};

use crate::bindgen::walk;
use crate::wit::Wit;

/// Why no Satellite can serve an interface.
#[derive(Debug)]
pub(crate) enum Unservable {
    /// It is one of `kokoro:core`.
    Core,
    /// It has no function.
    NothingToServe,
    /// It declares this resource.
    Resource(String),
    /// This function passes handles of a resource.
    Handle(String),
}

impl fmt::Display for Unservable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let help = "give what it stands for a number, as in `record job { id: u64 }`, and let functions take that";
        match self {
            Self::Core => write!(f, "it is between an application and its planets\n  help: remove it"),
            Self::NothingToServe => write!(f, "it declares no function\n  help: name the interface that has them"),
            Self::Resource(name) => write!(
                f,
                "it declares the resource `{name}`, and handles do not cross into another process\n  help: {help}"
            ),
            Self::Handle(name) => write!(
                f,
                "function `{name}` passes a handle of a resource, and those do not cross into another process\n  help: {help}"
            ),
        }
    }
}

/// Why no Satellite can serve an interface, if none can. (What is asynchronous is refused for other reasons.)
pub(crate) fn unservable(wit: &Wit, id: InterfaceId) -> Option<Unservable> {
    if wit.name(id).starts_with(&format!("{}/", kokoro_wit::PACKAGE_NAME)) {
        return Some(Unservable::Core);
    }
    let interface = &wit.resolve.interfaces[id];
    let is_resource = |id: &TypeId| matches!(wit.resolve.types[*id].kind, TypeDefKind::Resource);
    if let Some((name, _)) = interface.types.iter().find(|(_, id)| is_resource(id)) {
        return Some(Unservable::Resource(name.clone()));
    }
    if interface.functions.is_empty() {
        return Some(Unservable::NothingToServe);
    }
    let holds_handle = |ty| holds(&wit.resolve, ty, |kind| matches!(kind, TypeDefKind::Handle(_)));
    let (name, _) = interface
        .functions
        .iter()
        .find(|(_, function)| function.params.iter().map(|param| param.ty).chain(function.result).any(holds_handle))?;
    Some(Unservable::Handle(name.clone()))
}

/// Whether values of a type stand for themselves.
pub(super) fn has_form(resolve: &Resolve, ty: Type) -> bool {
    !holds(resolve, ty, |kind| {
        matches!(kind, TypeDefKind::Handle(_) | TypeDefKind::Resource | TypeDefKind::Future(_) | TypeDefKind::Stream(_))
    })
}

fn holds(resolve: &Resolve, ty: Type, is: impl Fn(&TypeDefKind) -> bool) -> bool {
    let mut found = false;
    walk(resolve, ty, &mut |id| found |= is(&resolve.types[id].kind));
    found
}
