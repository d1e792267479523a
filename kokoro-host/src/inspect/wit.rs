//! From wit-parser's picture of a component (or of a WIT package) to the interfaces that [`super::types`] describes.

use std::collections::HashMap;
use std::sync::Arc;

use wit_parser::{Handle, InterfaceId, Resolve, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey};

use super::types::{Function, Interface, Named, ResourceName, Type};
use crate::interface::InterfaceName;

/// Reads types out of one `Resolve`, each named type once.
pub(super) struct Reader<'a> {
    resolve: &'a Resolve,
    seen: HashMap<TypeId, Type>,
}

/// The imports or exports of a world.
#[derive(Default)]
pub(super) struct Items {
    pub(super) interfaces: Vec<(InterfaceName, Interface)>,
    /// Functions without an interface.
    pub(super) functions: Vec<(String, Function)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(resolve: &'a Resolve) -> Self {
        Self { resolve, seen: HashMap::new() }
    }

    pub(super) fn items<'w>(&mut self, items: impl Iterator<Item = (&'w WorldKey, &'w WorldItem)>) -> Items {
        let mut read = Items::default();
        for (key, item) in items {
            let name = self.resolve.name_world_key(key);
            match item {
                WorldItem::Interface { id, .. } => {
                    if let Ok(name) = name.parse() {
                        let interface = self.interface(*id);
                        read.interfaces.push((name, interface));
                    }
                }
                WorldItem::Function(function) => {
                    let function = self.function(function);
                    read.functions.push((name, function));
                }
                WorldItem::Type { .. } => {}
            }
        }
        read
    }

    pub(super) fn interface(&mut self, id: InterfaceId) -> Interface {
        let interface = &self.resolve.interfaces[id];
        let functions =
            interface.functions.iter().map(|(name, function)| (name.clone(), self.function(function))).collect();
        let resources = interface
            .types
            .iter()
            .filter(|(_, id)| matches!(self.resolve.types[**id].kind, TypeDefKind::Resource))
            .map(|(name, _)| name.clone())
            .collect();
        Interface { functions, resources }
    }

    fn function(&mut self, function: &wit_parser::Function) -> Function {
        Function {
            params: function.params.iter().map(|param| (param.name.clone(), self.ty(&param.ty))).collect(),
            result: function.result.as_ref().map(|ty| self.ty(ty)),
            is_async: function.kind.is_async(),
        }
    }

    fn ty(&mut self, ty: &wit_parser::Type) -> Type {
        match ty {
            wit_parser::Type::Bool => Type::Bool,
            wit_parser::Type::U8 => Type::U8,
            wit_parser::Type::U16 => Type::U16,
            wit_parser::Type::U32 => Type::U32,
            wit_parser::Type::U64 => Type::U64,
            wit_parser::Type::S8 => Type::S8,
            wit_parser::Type::S16 => Type::S16,
            wit_parser::Type::S32 => Type::S32,
            wit_parser::Type::S64 => Type::S64,
            wit_parser::Type::F32 => Type::F32,
            wit_parser::Type::F64 => Type::F64,
            wit_parser::Type::Char => Type::Char,
            wit_parser::Type::String => Type::String,
            wit_parser::Type::ErrorContext => Type::ErrorContext,
            wit_parser::Type::Id(id) => {
                if let Some(ty) = self.seen.get(id) {
                    return ty.clone();
                }
                let ty = self.definition(*id);
                self.seen.insert(*id, ty.clone());
                ty
            }
        }
    }

    fn definition(&mut self, id: TypeId) -> Type {
        let def = &self.resolve.types[id];
        let name = || -> Arc<str> { def.name.as_deref().unwrap_or("?").into() };
        let some = |reader: &mut Self, ty: &Option<wit_parser::Type>| ty.as_ref().map(|ty| Arc::new(reader.ty(ty)));
        match &def.kind {
            TypeDefKind::Record(record) => {
                let parts = record.fields.iter().map(|field| (field.name.clone(), self.ty(&field.ty))).collect();
                Type::Record(Named { name: name(), parts })
            }
            TypeDefKind::Variant(variant) => {
                let case = |case: &wit_parser::Case| (case.name.clone(), case.ty.as_ref().map(|ty| self.ty(ty)));
                Type::Variant(Named { name: name(), parts: variant.cases.iter().map(case).collect() })
            }
            TypeDefKind::Enum(def) => {
                let parts = def.cases.iter().map(|case| (case.name.clone(), ())).collect();
                Type::Enum(Named { name: name(), parts })
            }
            TypeDefKind::Flags(def) => {
                let parts = def.flags.iter().map(|flag| (flag.name.clone(), ())).collect();
                Type::Flags(Named { name: name(), parts })
            }
            TypeDefKind::Tuple(tuple) => Type::Tuple(tuple.types.iter().map(|ty| self.ty(ty)).collect()),
            TypeDefKind::Option(ty) => Type::Option(Arc::new(self.ty(ty))),
            TypeDefKind::Result(result) => Type::Result { ok: some(self, &result.ok), err: some(self, &result.err) },
            TypeDefKind::List(ty) => Type::List(Arc::new(self.ty(ty))),
            TypeDefKind::FixedLengthList(ty, len) => Type::FixedList(Arc::new(self.ty(ty)), *len),
            TypeDefKind::Map(key, value) => Type::Map(Arc::new(self.ty(key)), Arc::new(self.ty(value))),
            TypeDefKind::Future(ty) => Type::Future(some(self, ty)),
            TypeDefKind::Stream(ty) => Type::Stream(some(self, ty)),
            TypeDefKind::Handle(Handle::Own(id)) => Type::Own(self.resource(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => Type::Borrow(self.resource(*id)),
            TypeDefKind::Resource => Type::Own(self.resource(id)),
            TypeDefKind::Type(ty) => self.ty(ty),
            TypeDefKind::Unknown => unreachable!("a finished `Resolve` holds no unknown types"),
        }
    }

    /// Follows `use` to where the resource is defined.
    fn resource(&self, mut id: TypeId) -> ResourceName {
        while let TypeDefKind::Type(wit_parser::Type::Id(next)) = self.resolve.types[id].kind {
            id = next;
        }
        let def = &self.resolve.types[id];
        let interface = match def.owner {
            TypeOwner::Interface(id) => {
                let full = self.resolve.id_of(id).unwrap_or_default();
                full.split('@').next().unwrap_or_default().into()
            }
            _ => "".into(),
        };
        ResourceName { interface, name: def.name.as_deref().unwrap_or("?").into() }
    }
}
