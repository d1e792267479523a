//! From the validator's picture of a component to the interfaces that [`super::types`] describes.
//!
//! Imports and exports are read each for itself: a component may import and export one interface, with different parts of
//! it on either side.

use std::collections::HashMap;
use std::sync::Arc;

use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType, ComponentFuncTypeId,
    ComponentInstanceTypeId, ComponentValType, ResourceId,
};
use wasmparser::types::TypesRef;

use super::Side;
use super::types::{Function, Interface, Named, ResourceName, Type};

/// How deep types may be nested. No toolchain comes near it.
const MAX_DEPTH: usize = 100;

/// The size of values that no toolchain comes near, in bytes. Wasmtime counts in 32 bits.
const MAX_SIZE: u64 = 1 << 31;

/// Types that cannot be handled.
#[derive(Debug)]
pub(super) enum Unwieldy {
    /// They are nested too deep.
    Deep,
    /// Their values are too large: parameters, or a result, of the function of this type.
    Large(String),
}

/// Reads types, each named type once.
pub(super) struct Reader<'a> {
    types: TypesRef<'a>,
    names: HashMap<ComponentDefinedTypeId, Arc<str>>,
    /// Where each resource was met first, which is where it is defined: interfaces come before those that use them.
    resources: HashMap<ResourceId, ResourceName>,
    seen: HashMap<ComponentDefinedTypeId, Type>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(types: TypesRef<'a>) -> Self {
        Self { types, names: HashMap::new(), resources: HashMap::new(), seen: HashMap::new() }
    }

    /// The interface of the name `path` (without version).
    pub(super) fn interface(
        &mut self,
        path: &str,
        id: ComponentInstanceTypeId,
        side: Side,
    ) -> Result<Interface, Unwieldy> {
        let is_imported = side == Side::Import;
        let mut interface = Interface::default();
        let types = self.types;
        let items = &types[id].exports;
        for (name, item) in items {
            if let ComponentEntityType::Type { referenced, created } = item.ty {
                for id in [created, referenced] {
                    match id {
                        ComponentAnyTypeId::Defined(id) => {
                            self.names.entry(id).or_insert_with(|| name.as_str().into());
                        }
                        ComponentAnyTypeId::Resource(id) => {
                            let here =
                                || ResourceName { interface: path.into(), name: name.as_str().into(), is_imported };
                            let defined = self.resources.entry(id.resource()).or_insert_with(here);
                            if *defined == here() {
                                interface.resources.insert(name.clone());
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        for (name, item) in items {
            if let ComponentEntityType::Func(id) = item.ty {
                interface.functions.insert(name.clone(), self.function(id)?);
            }
        }
        Ok(interface)
    }

    pub(super) fn function(&mut self, id: ComponentFuncTypeId) -> Result<Function, Unwieldy> {
        let types = self.types;
        let function = &types[id];
        let mut params = Vec::new();
        for (name, ty) in &function.params {
            params.push((name.to_string(), self.value(ty, 0)?));
        }
        let result = function.result.as_ref().map(|ty| self.value(ty, 0)).transpose()?;
        let function = Function { params, result, is_async: function.async_ };
        let size = function.types().map(Type::size).fold(0, u64::saturating_add);
        if size > MAX_SIZE { Err(Unwieldy::Large(function.to_string())) } else { Ok(function) }
    }

    fn value(&mut self, ty: &ComponentValType, depth: usize) -> Result<Type, Unwieldy> {
        match ty {
            ComponentValType::Primitive(ty) => Ok(primitive(*ty)),
            ComponentValType::Type(id) => {
                if let Some(ty) = self.seen.get(id) {
                    return Ok(ty.clone());
                }
                if depth == MAX_DEPTH {
                    return Err(Unwieldy::Deep);
                }
                let ty = self.definition(*id, depth + 1)?;
                self.seen.insert(*id, ty.clone());
                Ok(ty)
            }
        }
    }

    fn shared(&mut self, ty: &ComponentValType, depth: usize) -> Result<Arc<Type>, Unwieldy> {
        Ok(Arc::new(self.value(ty, depth)?))
    }

    fn optional(&mut self, ty: &Option<ComponentValType>, depth: usize) -> Result<Option<Arc<Type>>, Unwieldy> {
        ty.as_ref().map(|ty| self.shared(ty, depth)).transpose()
    }

    fn definition(&mut self, id: ComponentDefinedTypeId, depth: usize) -> Result<Type, Unwieldy> {
        let types = self.types;
        let name = self.names.get(&id).cloned().unwrap_or_else(|| "?".into());
        let plain = |parts: &mut dyn Iterator<Item = String>| Named {
            name: name.clone(),
            parts: parts.map(|part| (part, ())).collect(),
        };
        Ok(match &types[id] {
            ComponentDefinedType::Primitive(ty) => primitive(*ty),
            ComponentDefinedType::Record(record) => {
                let mut parts = Vec::new();
                for (field, ty) in &record.fields {
                    parts.push((field.to_string(), self.value(ty, depth)?));
                }
                Type::Record(Named { name, parts: parts.into() })
            }
            ComponentDefinedType::Variant(variant) => {
                let mut parts = Vec::new();
                for (case, ty) in &variant.cases {
                    let value = ty.ty.as_ref().map(|ty| self.value(ty, depth)).transpose()?;
                    parts.push((case.to_string(), value));
                }
                Type::Variant(Named { name, parts: parts.into() })
            }
            ComponentDefinedType::Enum(cases) => Type::Enum(plain(&mut cases.iter().map(ToString::to_string))),
            ComponentDefinedType::Flags(flags) => Type::Flags(plain(&mut flags.iter().map(ToString::to_string))),
            ComponentDefinedType::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.value(ty, depth));
                Type::Tuple(types.collect::<Result<Vec<_>, _>>()?.into())
            }
            ComponentDefinedType::List { element, .. } => Type::List(self.shared(element, depth)?),
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                Type::FixedList(self.shared(element, depth)?, *length)
            }
            ComponentDefinedType::Map { key, value, .. } => {
                Type::Map(self.shared(key, depth)?, self.shared(value, depth)?)
            }
            ComponentDefinedType::Option { ty, .. } => Type::Option(self.shared(ty, depth)?),
            ComponentDefinedType::Result { ok, err, .. } => {
                Type::Result { ok: self.optional(ok, depth)?, err: self.optional(err, depth)? }
            }
            ComponentDefinedType::Own(id) => Type::Own(self.resource(id.resource())),
            ComponentDefinedType::Borrow(id) => Type::Borrow(self.resource(id.resource())),
            ComponentDefinedType::Future { ty, .. } => Type::Future(self.optional(ty, depth)?),
            ComponentDefinedType::Stream { ty, .. } => Type::Stream(self.optional(ty, depth)?),
        })
    }

    fn resource(&self, id: ResourceId) -> ResourceName {
        let unknown = || ResourceName { interface: "".into(), name: "?".into(), is_imported: true };
        self.resources.get(&id).cloned().unwrap_or_else(unknown)
    }
}

fn primitive(ty: PrimitiveValType) -> Type {
    match ty {
        PrimitiveValType::Bool => Type::Bool,
        PrimitiveValType::U8 => Type::U8,
        PrimitiveValType::U16 => Type::U16,
        PrimitiveValType::U32 => Type::U32,
        PrimitiveValType::U64 => Type::U64,
        PrimitiveValType::S8 => Type::S8,
        PrimitiveValType::S16 => Type::S16,
        PrimitiveValType::S32 => Type::S32,
        PrimitiveValType::S64 => Type::S64,
        PrimitiveValType::F32 => Type::F32,
        PrimitiveValType::F64 => Type::F64,
        PrimitiveValType::Char => Type::Char,
        PrimitiveValType::String => Type::String,
        PrimitiveValType::ErrorContext => Type::ErrorContext,
    }
}
