//! The interfaces that a declaration lists, found and checked.

use std::fmt;

use proc_macro2::{Ident, Span};
use syn::Error;
use wit_parser::{FunctionKind, InterfaceId, Type, TypeDefKind};

use crate::bindgen::walk;
use crate::fields::Listed;
use crate::satellite::servable::{self, Unservable};
use crate::wit::{Wit, WitError};

/// The list that an interface is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Export,
    Required,
    Optional,
}

/// A listed interface.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) role: Role,
    pub(crate) id: InterfaceId,
    /// The full name.
    pub(crate) name: String,
    /// What its module is called at the call site.
    pub(crate) shown: Ident,
    /// The literal that lists it.
    pub(crate) span: Span,
    /// Whether it is something that another Planet can provide: `kokoro:core` is not, nor are types alone.
    pub(crate) is_dependency: bool,
    /// Whether a Satellite serves it.
    pub(crate) native: bool,
}

/// An interface that is to be found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) role: Role,
    pub(crate) listed: &'a Listed,
    /// Whether a Satellite serves it.
    pub(crate) native: bool,
}

/// Looks up everything that is listed. What cannot be used is left out, and `errors` says why. `saved` says whether the
/// macro exports `kokoro:core/saved-state` itself.
pub(crate) fn find(wanted: &[Wanted<'_>], saved: bool, wit: &Wit, errors: &mut Vec<Error>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for wanted in wanted {
        let found = found(wanted, wit).and_then(|found| match found.role {
            Role::Export if saved && found.name == kokoro_wit::SAVED_STATE => Err(Unusable::Saved(found.name)),
            _ => fits(&found, &all).map(|()| found),
        });
        match found {
            Ok(found) => all.push(found),
            Err(error) => errors.push(Error::new(wanted.listed.name.span(), error)),
        }
    }
    all
}

/// Why a listed interface cannot be used.
#[derive(Debug)]
enum Unusable {
    Unknown(WitError),
    /// `kokoro:core/lifecycle`, which is nobody's to export.
    Lifecycle(String),
    /// `kokoro:core/saved-state`, which `saved` exports.
    Saved(String),
    /// An interface that no Satellite can serve, and why.
    Native(String, Unservable),
    /// Listed as a Satellite's and as any other.
    NativeAndNot(String),
    /// An interface, and what is asynchronous in it.
    Asynchronous(String, String),
    /// It cannot be optional.
    AlwaysThere(String),
    Twice(String),
    RequiredAndOptional(String),
    /// Two interfaces, and what both modules would be called.
    SameModule(String, String, Ident),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(error) => error.fmt(f),
            Self::Lifecycle(name) => write!(
                f,
                "`{name}` is exported by every planet already\n  \
                 help: remove it, and write `impl Planet` for a start that can fail"
            ),
            Self::Saved(name) => write!(
                f,
                "`{name}` is exported by `saved` already\n  \
                 help: keep `saved` to have the whole state saved, or this to `impl saved_state::Guest` yourself"
            ),
            Self::Native(name, why) => write!(f, "no satellite can serve `{name}`: {why}"),
            Self::NativeAndNot(name) => write!(
                f,
                "`{name}` is listed under `satellites` and elsewhere\n  \
                 help: keep it under `satellites` if a program of this planet's own serves it"
            ),
            Self::Asynchronous(name, what) => write!(
                f,
                "`{name}` is asynchronous ({what}), which is not supported yet\n  \
                 help: declare it without `async`, `future` and `stream`"
            ),
            Self::AlwaysThere(name) => {
                write!(f, "`{name}` is always there: it needs no provider\n  help: list it under `requires` to use it")
            }
            Self::Twice(name) => write!(f, "`{name}` is listed twice\n  help: remove one of them"),
            Self::RequiredAndOptional(name) => write!(
                f,
                "`{name}` cannot be both required and optional\n  \
                 help: keep it under `requires` if the planet cannot do without, else under `optional`"
            ),
            Self::SameModule(old, new, module) => write!(
                f,
                "`{old}` and `{new}` would both be the module `{module}`\n  help: write `\"{new}\" as another_name`"
            ),
        }
    }
}

fn found(wanted: &Wanted<'_>, wit: &Wit) -> Result<Found, Unusable> {
    let Wanted { role, listed, native } = *wanted;
    let id = wit.interface(&listed.name.value()).map_err(Unusable::Unknown)?;
    let name = wit.name(id);
    if native && let Some(why) = servable::unservable(wit, id) {
        return Err(Unusable::Native(name, why));
    }
    if role == Role::Export && name == kokoro_wit::LIFECYCLE {
        return Err(Unusable::Lifecycle(name));
    }
    if let Some(asynchronous) = asynchronous(wit, id) {
        return Err(Unusable::Asynchronous(name, asynchronous));
    }
    let interface = &wit.resolve.interfaces[id];
    let has_resource = interface.types.values().any(|ty| matches!(wit.resolve.types[*ty].kind, TypeDefKind::Resource));
    let is_core = name.starts_with(&format!("{}/", kokoro_wit::PACKAGE_NAME));
    let is_dependency = !is_core && (has_resource || !interface.functions.is_empty());
    if role == Role::Optional && !is_dependency {
        return Err(Unusable::AlwaysThere(name));
    }
    let shown = match &listed.alias {
        Some(alias) => alias.clone(),
        None => {
            let own = interface.name.as_deref().unwrap_or_default();
            Ident::new(&wit_bindgen_rust::to_rust_ident(own), listed.name.span())
        }
    };
    Ok(Found { role, id, name, shown, span: listed.name.span(), is_dependency, native })
}

/// Whether a listed interface goes together with those before it.
fn fits(new: &Found, before: &[Found]) -> Result<(), Unusable> {
    let is_import = |found: &Found| found.role != Role::Export;
    for old in before {
        let same_side = is_import(old) == is_import(new);
        if old.id == new.id && same_side && old.native != new.native {
            return Err(Unusable::NativeAndNot(new.name.clone()));
        }
        if old.id == new.id && old.role == new.role {
            return Err(Unusable::Twice(new.name.clone()));
        }
        if old.id == new.id && same_side {
            return Err(Unusable::RequiredAndOptional(new.name.clone()));
        }
        if old.shown == new.shown {
            return Err(Unusable::SameModule(old.name.clone(), new.name.clone(), new.shown.clone()));
        }
    }
    Ok(())
}

/// What makes an interface asynchronous, if anything does.
fn asynchronous(wit: &Wit, id: InterfaceId) -> Option<String> {
    let interface = &wit.resolve.interfaces[id];
    let holds_async = |ty: Type| {
        let mut found = false;
        walk(&wit.resolve, ty, &mut |id| {
            found |= matches!(wit.resolve.types[id].kind, TypeDefKind::Future(_) | TypeDefKind::Stream(_));
        });
        found
    };
    for (name, function) in &interface.functions {
        let kind = &function.kind;
        let is_async = matches!(
            kind,
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) | FunctionKind::AsyncStatic(_)
        );
        let mut types = function.params.iter().map(|param| param.ty).chain(function.result);
        if is_async || types.any(holds_async) {
            return Some(format!("function `{name}`"));
        }
    }
    interface.types.iter().find(|(_, ty)| holds_async(Type::Id(**ty))).map(|(name, _)| format!("type `{name}`"))
}
