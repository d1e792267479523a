//! How values of one type lie in a component's memory, worked out once.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wasmtime::component::__internal::wasmtime_environ::component::{TypeResourceTableIndex, TypeTupleIndex};
use wasmtime::component::__internal::{CanonicalAbiInfo, ComponentTypes, InterfaceType};

use super::Unplanned;

/// The parameters or the results of a function, as one component has them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) parts: Box<[Arc<Node>]>,
    /// The same, as they lie in memory.
    pub(super) steps: Box<[Step]>,
    pub(super) size: usize,
    pub(super) align: usize,
    /// How many core values they are, if that is no more than Wasmtime ever passes so.
    pub(super) flat: Option<usize>,
    /// Whether handles may be given away in it.
    pub(super) gives: bool,
}

/// The types that a component's values are of, each once: they may be nested so that they would be astronomically many.
pub(super) type Nodes = FxHashMap<InterfaceType, Arc<Node>>;

/// A type of a value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) size: usize,
    pub(super) align: usize,
    /// How many core values it is, where it is passed as such.
    pub(super) flat: usize,
    /// Whether its bytes in memory are those of the form, whatever they are.
    pub(super) plain: bool,
    gives: bool,
}

#[derive(Debug)]
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
    List(Arc<Node>),
    FixedList(Arc<Node>, usize),
    Record {
        fields: Box<[Arc<Node>]>,
        steps: Box<[Step]>,
    },
    Variant(Box<Variant>),
    Own(TypeResourceTableIndex),
    Borrow(TypeResourceTableIndex),
}

/// A variant, an option or a result.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) cases: Box<[Option<Arc<Node>>]>,
    /// Of the discriminant, in bytes.
    pub(super) width: usize,
    /// Where the payload begins.
    pub(super) payload: usize,
}

/// A part of a record in memory, and where it is there.
#[derive(Debug)]
pub(super) enum Step {
    /// So many bytes that are those of the form: one field or several beside each other.
    Copy {
        offset: usize,
        size: usize,
    },
    Part {
        offset: usize,
        node: Arc<Node>,
    },
}

/// Records of so few parts become parts of the record that they are in.
const FEW: usize = 8;

impl Plan {
    /// The plan of a tuple of parameters or results.
    pub(super) fn new(types: &ComponentTypes, tuple: TypeTupleIndex, nodes: &mut Nodes) -> Result<Self, Unplanned> {
        let ty = &types[tuple];
        let mut planning = Planning { types, nodes };
        let parts = planning.nodes(ty.types.iter())?;
        let (steps, size) = steps(&parts);
        let align = ty.abi.align32 as usize;
        if size.next_multiple_of(align) != ty.abi.size32 as usize {
            return Err(Unplanned::TooLarge);
        }
        Ok(Self {
            gives: parts.iter().any(|node| node.gives),
            steps,
            parts,
            size: ty.abi.size32 as usize,
            align,
            flat: ty.abi.flat_count.map(usize::from),
        })
    }
}

/// The types of a component, as far as they are known.
struct Planning<'p> {
    types: &'p ComponentTypes,
    nodes: &'p mut Nodes,
}

impl Planning<'_> {
    fn node(&mut self, ty: &InterfaceType) -> Result<Arc<Node>, Unplanned> {
        if let Some(node) = self.nodes.get(ty) {
            return Ok(Arc::clone(node));
        }
        let node = Arc::new(self.plan(ty)?);
        self.nodes.insert(*ty, Arc::clone(&node));
        Ok(node)
    }

    fn nodes<'t>(&mut self, types: impl Iterator<Item = &'t InterfaceType>) -> Result<Box<[Arc<Node>]>, Unplanned> {
        types.map(|ty| self.node(ty)).collect()
    }

    fn plan(&mut self, ty: &InterfaceType) -> Result<Node, Unplanned> {
        let types = self.types;
        let (mut plain, mut gives) = (false, false);
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
            InterfaceType::List(index) => {
                let element = self.node(&types[*index].element)?;
                gives = element.gives;
                Kind::List(element)
            }
            InterfaceType::Map(index) => {
                let map = &types[*index];
                let fields = self.nodes([&map.key, &map.value].into_iter())?;
                let entry = Node::record(fields, &map.entry_abi)?;
                gives = entry.gives;
                Kind::List(Arc::new(entry))
            }
            InterfaceType::FixedLengthList(index) => {
                let list = &types[*index];
                let element = self.node(&list.element)?;
                (plain, gives) = (element.plain, element.gives);
                Kind::FixedList(element, list.size as usize)
            }
            InterfaceType::Record(index) => {
                let record = &types[*index];
                return Node::record(self.nodes(record.fields.iter().map(|field| &field.ty))?, &record.abi);
            }
            InterfaceType::Tuple(index) => {
                let tuple = &types[*index];
                return Node::record(self.nodes(tuple.types.iter())?, &tuple.abi);
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
                let cases = variant.cases.values().map(|case| self.payload(case)).collect::<Result<_, _>>()?;
                variant_of(cases, variant.info.payload_offset32)
            }
            InterfaceType::Option(index) => {
                let option = &types[*index];
                let cases = [None, Some(self.node(&option.ty)?)];
                variant_of(Box::new(cases), option.info.payload_offset32)
            }
            InterfaceType::Result(index) => {
                let result = &types[*index];
                let cases = [self.payload(&result.ok)?, self.payload(&result.err)?];
                variant_of(Box::new(cases), result.info.payload_offset32)
            }
            InterfaceType::Own(resource) => {
                gives = true;
                Kind::Own(*resource)
            }
            InterfaceType::Borrow(resource) => Kind::Borrow(*resource),
            InterfaceType::Future(_) | InterfaceType::Stream(_) | InterfaceType::ErrorContext(_) => {
                return Err(Unplanned::Asynchronous);
            }
        };
        if let Kind::Variant(variant) = &kind {
            gives = variant.cases.iter().flatten().any(|payload| payload.gives);
        }
        Ok(Node::new(kind, types.canonical_abi(ty), plain, gives))
    }

    fn payload(&mut self, ty: &Option<InterfaceType>) -> Result<Option<Arc<Node>>, Unplanned> {
        ty.as_ref().map(|ty| self.node(ty)).transpose()
    }
}

impl Node {
    fn new(kind: Kind, abi: &CanonicalAbiInfo, plain: bool, gives: bool) -> Self {
        Self {
            kind,
            size: abi.size32 as usize,
            align: abi.align32 as usize,
            flat: abi.flat_count.map_or(usize::MAX, usize::from),
            plain,
            gives,
        }
    }

    fn record(fields: Box<[Arc<Self>]>, abi: &CanonicalAbiInfo) -> Result<Self, Unplanned> {
        let (steps, end) = steps(&fields);
        let size = abi.size32 as usize;
        if end.next_multiple_of(abi.align32 as usize) != size {
            return Err(Unplanned::TooLarge);
        }
        let plain = matches!(&*steps, [Step::Copy { offset: 0, size: all }] if *all == size);
        let gives = fields.iter().any(|field| field.gives);
        Ok(Self::new(Kind::Record { fields, steps }, abi, plain, gives))
    }
}

fn variant_of(cases: Box<[Option<Arc<Node>>]>, payload: u32) -> Kind {
    let width = kokoro_value::discriminant_size(cases.len());
    Kind::Variant(Box::new(Variant { cases, width, payload: payload as usize }))
}

/// The fields of a record in memory, those of small records in it among them, and where they end. Bytes beside each other that are
/// those of the form become one step.
fn steps(fields: &[Arc<Node>]) -> (Box<[Step]>, usize) {
    let mut steps = Vec::new();
    let mut offset = 0_usize;
    for field in fields {
        offset = offset.next_multiple_of(field.align);
        match &field.kind {
            _ if field.plain => add(&mut steps, Step::Copy { offset, size: field.size }),
            Kind::Record { steps: inner, .. } if inner.len() <= FEW => {
                for step in inner {
                    let step = match step {
                        Step::Copy { offset: inside, size } => Step::Copy { offset: offset + inside, size: *size },
                        Step::Part { offset: inside, node } => {
                            Step::Part { offset: offset + inside, node: Arc::clone(node) }
                        }
                    };
                    add(&mut steps, step);
                }
            }
            _ => steps.push(Step::Part { offset, node: Arc::clone(field) }),
        }
        offset += field.size;
    }
    (steps.into(), offset)
}

fn add(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), &step) {
        (Some(Step::Copy { offset, size }), Step::Copy { offset: next, size: more }) if *offset + *size == *next => {
            *size += more;
        }
        _ => steps.push(step),
    }
}
