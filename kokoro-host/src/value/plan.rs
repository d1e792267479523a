//! How values of one type lie in a component's memory, worked out once.

use wasmtime::component::__internal::wasmtime_environ::component::{TypeResourceTableIndex, TypeTupleIndex};
use wasmtime::component::__internal::{CanonicalAbiInfo, ComponentTypes, InterfaceType};

use super::Unplanned;

/// The parameters or the results of a function, as one component has them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) parts: Box<[Node]>,
    /// The same, as they lie in memory.
    pub(super) steps: Box<[Step]>,
    pub(super) size: usize,
    pub(super) align: usize,
    /// How many core values they are, if that is no more than Wasmtime ever passes so.
    pub(super) flat: Option<usize>,
}

/// A type of a value.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) size: usize,
    pub(super) align: usize,
    /// How many core values it is, where it is passed as such.
    pub(super) flat: usize,
    /// Whether its bytes in memory are those of the form, whatever they are.
    pub(super) plain: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// An integer or a float.
    Number {
        signed: bool,
    },
    Bool,
    Char,
    String,
    /// The number of cases.
    Enum(u32),
    /// The bits that are no label, of the last word.
    Flags {
        unused: u32,
    },
    List(Box<Node>),
    FixedList(Box<Node>, usize),
    Record {
        fields: Box<[Node]>,
        steps: Box<[Step]>,
    },
    Variant(Box<Variant>),
    Own(TypeResourceTableIndex),
    Borrow(TypeResourceTableIndex),
}

/// A variant, an option or a result.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub(super) cases: Box<[Option<Node>]>,
    /// Of the discriminant, in bytes.
    pub(super) width: usize,
    /// Where the payload begins.
    pub(super) payload: usize,
}

/// A part of a record in memory, and where it is there.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// So many bytes that are those of the form: one field or several beside each other.
    Copy {
        offset: usize,
        size: usize,
    },
    Part {
        offset: usize,
        node: Node,
    },
}

impl Plan {
    /// The plan of a tuple of parameters or results.
    pub(super) fn new(types: &ComponentTypes, tuple: TypeTupleIndex) -> Result<Self, Unplanned> {
        let ty = &types[tuple];
        let parts = nodes(types, ty.types.iter())?;
        Ok(Self {
            steps: steps(&parts),
            parts,
            size: ty.abi.size32 as usize,
            align: ty.abi.align32 as usize,
            flat: ty.abi.flat_count.map(usize::from),
        })
    }
}

impl Node {
    fn new(types: &ComponentTypes, ty: &InterfaceType) -> Result<Self, Unplanned> {
        let mut plain = false;
        let kind = match ty {
            InterfaceType::Bool => Kind::Bool,
            InterfaceType::U8
            | InterfaceType::U16
            | InterfaceType::U32
            | InterfaceType::U64
            | InterfaceType::S32
            | InterfaceType::S64
            | InterfaceType::Float32
            | InterfaceType::Float64 => {
                plain = true;
                Kind::Number { signed: false }
            }
            InterfaceType::S8 | InterfaceType::S16 => {
                plain = true;
                Kind::Number { signed: true }
            }
            InterfaceType::Char => Kind::Char,
            InterfaceType::String => Kind::String,
            InterfaceType::List(index) => Kind::List(Box::new(Self::new(types, &types[*index].element)?)),
            InterfaceType::Map(index) => {
                let map = &types[*index];
                let fields = nodes(types, [&map.key, &map.value].into_iter())?;
                Kind::List(Box::new(Self::record(fields, &map.entry_abi)))
            }
            InterfaceType::FixedLengthList(index) => {
                let list = &types[*index];
                let element = Self::new(types, &list.element)?;
                plain = element.plain;
                Kind::FixedList(Box::new(element), list.size as usize)
            }
            InterfaceType::Record(index) => {
                let record = &types[*index];
                return Ok(Self::record(nodes(types, record.fields.iter().map(|field| &field.ty))?, &record.abi));
            }
            InterfaceType::Tuple(index) => {
                let tuple = &types[*index];
                return Ok(Self::record(nodes(types, tuple.types.iter())?, &tuple.abi));
            }
            InterfaceType::Enum(index) => Kind::Enum(types[*index].names.len() as u32),
            InterfaceType::Flags(index) => {
                let labels = types[*index].names.len();
                let bits = kokoro_value::flags_size(labels) * 8;
                plain = labels == bits;
                let last = bits.min(32);
                let used = labels - (bits - last);
                Kind::Flags { unused: if used == 32 { 0 } else { (!0_u32 << used) & (!0_u32 >> (32 - last)) } }
            }
            InterfaceType::Variant(index) => {
                let variant = &types[*index];
                let cases = variant.cases.values().map(|case| payload(types, case)).collect::<Result<_, _>>()?;
                variant_of(cases, variant.info.payload_offset32)
            }
            InterfaceType::Option(index) => {
                let option = &types[*index];
                let cases = [None, Some(Self::new(types, &option.ty)?)];
                variant_of(Box::new(cases), option.info.payload_offset32)
            }
            InterfaceType::Result(index) => {
                let result = &types[*index];
                let cases = [payload(types, &result.ok)?, payload(types, &result.err)?];
                variant_of(Box::new(cases), result.info.payload_offset32)
            }
            InterfaceType::Own(resource) => Kind::Own(*resource),
            InterfaceType::Borrow(resource) => Kind::Borrow(*resource),
            InterfaceType::Future(_) | InterfaceType::Stream(_) | InterfaceType::ErrorContext(_) => {
                return Err(Unplanned);
            }
        };
        let abi = types.canonical_abi(ty);
        Ok(Self {
            kind,
            size: abi.size32 as usize,
            align: abi.align32 as usize,
            flat: abi.flat_count.map_or(usize::MAX, usize::from),
            plain,
        })
    }

    fn record(fields: Box<[Self]>, abi: &CanonicalAbiInfo) -> Self {
        let steps = steps(&fields);
        let size = abi.size32 as usize;
        let plain = matches!(&*steps, [Step::Copy { offset: 0, size: all }] if *all == size);
        Self {
            kind: Kind::Record { fields, steps },
            size,
            align: abi.align32 as usize,
            flat: abi.flat_count.map_or(usize::MAX, usize::from),
            plain,
        }
    }
}

fn nodes<'t>(types: &ComponentTypes, each: impl Iterator<Item = &'t InterfaceType>) -> Result<Box<[Node]>, Unplanned> {
    each.map(|ty| Node::new(types, ty)).collect()
}

fn payload(types: &ComponentTypes, ty: &Option<InterfaceType>) -> Result<Option<Node>, Unplanned> {
    ty.as_ref().map(|ty| Node::new(types, ty)).transpose()
}

fn variant_of(cases: Box<[Option<Node>]>, payload: u32) -> Kind {
    let width = kokoro_value::discriminant_size(cases.len());
    Kind::Variant(Box::new(Variant { cases, width, payload: payload as usize }))
}

/// The fields of a record in memory, those of records in it among them. Bytes beside each other that are those of the form become
/// one step.
fn steps(fields: &[Node]) -> Box<[Step]> {
    let mut steps = Vec::new();
    let mut offset = 0_usize;
    for field in fields {
        offset = offset.next_multiple_of(field.align);
        match &field.kind {
            _ if field.plain => add(&mut steps, Step::Copy { offset, size: field.size }),
            Kind::Record { steps: inner, .. } => {
                for step in inner {
                    let step = match step {
                        Step::Copy { offset: inside, size } => Step::Copy { offset: offset + inside, size: *size },
                        Step::Part { offset: inside, node } => {
                            Step::Part { offset: offset + inside, node: node.clone() }
                        }
                    };
                    add(&mut steps, step);
                }
            }
            _ => steps.push(Step::Part { offset, node: field.clone() }),
        }
        offset += field.size;
    }
    steps.into()
}

fn add(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), &step) {
        (Some(Step::Copy { offset, size }), Step::Copy { offset: next, size: more }) if *offset + *size == *next => {
            *size += more;
        }
        _ => steps.push(step),
    }
}
