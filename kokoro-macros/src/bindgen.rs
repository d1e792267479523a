//! Runs `wit-bindgen-rust` on a world and gives its output as a syntax tree.

use std::collections::HashSet;
use std::fmt;

use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};
use wit_parser::{Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem};

use crate::wit::Wit;

/// Where generated code finds what it needs.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// wit-bindgen's runtime; wit-bindgen wants it to end in `rt`.
    path: &'static str,
    /// The types of `kokoro:core`, the one `Failure` among them. Without it they are generated, too.
    core_types: Option<&'static str>,
}

/// In a Planet.
pub(crate) const PLANET: Runtime = Runtime {
    path: "::kokoro_guest::rt::wit_bindgen::rt",
    core_types: Some("::kokoro_guest::rt::core::kokoro::core::types"),
};

/// In `kokoro-guest`.
pub(crate) const GUEST: Runtime = Runtime { core_types: None, ..PLANET };

/// In a Satellite.
pub(crate) const SATELLITE: Runtime =
    Runtime { path: "::kokoro_satellite::rt", core_types: Some("::kokoro_satellite::rt::core::kokoro::core::types") };

/// In `kokoro-satellite`.
pub(crate) const NATIVE: Runtime = Runtime { core_types: None, ..SATELLITE };

/// Why there are no bindings.
#[derive(Debug)]
pub(crate) enum BindgenError {
    /// wit-bindgen says why.
    Failed(String),
    /// It wrote no file.
    Nothing,
    /// It wrote something else than Rust.
    NotRust(syn::Error),
}

impl fmt::Display for BindgenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => f.write_str(reason),
            Self::Nothing => f.write_str("wit-bindgen generated nothing"),
            Self::NotRust(error) => write!(f, "wit-bindgen's output does not parse: {error}"),
        }
    }
}

/// Generates the bindings of `world`.
pub(crate) fn generate(wit: &mut Wit, world: WorldId, runtime: &Runtime) -> Result<syn::File, BindgenError> {
    let mut with = Vec::new();
    let imported = wit.resolve.worlds[world].imports.keys().map(|key| wit.resolve.name_world_key(key));
    if let Some(path) = runtime.core_types
        && imported.into_iter().any(|name| name == kokoro_wit::TYPES)
    {
        with.push((kokoro_wit::TYPES.to_owned(), WithOption::Path(path.to_owned())));
    }
    let options = Opts {
        generate_all: true,
        generate_unused_types: true,
        runtime_path: Some(runtime.path.to_owned()),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        additional_derive_ignore: incomparable(&wit.resolve),
        // A decorator hands on what it gets, so the types of both sides must be the same ones.
        merge_structurally_equal_types: Some(Some(is_decorator(&wit.resolve, world))),
        with,
        ..Opts::default()
    };
    let mut files = Files::default();
    options
        .build()
        .generate(&mut wit.resolve, world, &mut files)
        .map_err(|error| BindgenError::Failed(format!("{error:#}")))?;
    let (_, code) = files.iter().next().ok_or(BindgenError::Nothing)?;
    syn::parse_str(&String::from_utf8_lossy(code)).map_err(BindgenError::NotRust)
}

/// Whether a world imports and exports one interface.
fn is_decorator(resolve: &Resolve, world: WorldId) -> bool {
    let world = &resolve.worlds[world];
    let interface = |item: &WorldItem| if let WorldItem::Interface { id, .. } = item { Some(*id) } else { None };
    let imported: HashSet<_> = world.imports.values().filter_map(interface).collect();
    world.exports.values().filter_map(interface).any(|exported| imported.contains(&exported))
}

/// The names of all types that hold a handle and so cannot be compared with `==`.
fn incomparable(resolve: &Resolve) -> Vec<String> {
    let named = resolve.types.iter().filter(|(id, ty)| ty.name.is_some() && holds_handle(resolve, Type::Id(*id)));
    named.filter_map(|(_, ty)| ty.name.clone()).collect()
}

/// Whether values of a type hold a handle of a resource.
pub(crate) fn holds_handle(resolve: &Resolve, ty: Type) -> bool {
    let mut found = false;
    walk(resolve, ty, &mut |id| {
        found |= matches!(resolve.types[id].kind, TypeDefKind::Handle(_) | TypeDefKind::Resource);
    });
    found
}

/// Calls `visit` with each type that `ty` is made of. (WIT has no recursive types.)
pub(crate) fn walk(resolve: &Resolve, ty: Type, visit: &mut dyn FnMut(TypeId)) {
    let Type::Id(id) = ty else { return };
    visit(id);
    let mut inner = |ty: &Type| walk(resolve, *ty, visit);
    match &resolve.types[id].kind {
        TypeDefKind::Record(record) => record.fields.iter().for_each(|field| inner(&field.ty)),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().for_each(inner),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).for_each(inner),
        TypeDefKind::Option(ty)
        | TypeDefKind::List(ty)
        | TypeDefKind::FixedLengthList(ty, _)
        | TypeDefKind::Type(ty) => {
            inner(ty);
        }
        TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).for_each(inner),
        TypeDefKind::Map(key, value) => [key, value].into_iter().for_each(inner),
        TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => ty.iter().for_each(inner),
        TypeDefKind::Resource
        | TypeDefKind::Handle(_)
        | TypeDefKind::Flags(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Unknown => {}
    }
}
