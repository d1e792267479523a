//! Types of WIT, random ones, and what the canonical ABI makes of them, written slowly and obviously.

use std::fmt::Write as _;

use super::random::Random;

/// A type, by structure. The parts of those with names have numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Char,
    String,
    List(Box<Type>),
    FixedList(Box<Type>, u32),
    Map(Box<Type>, Box<Type>),
    Tuple(Vec<Type>),
    Record(Vec<Type>),
    Variant(Vec<Option<Type>>),
    Enum(u32),
    Flags(u32),
    Option(Box<Type>),
    Result(Option<Box<Type>>, Option<Box<Type>>),
}

/// The types that have no parts.
pub const SCALARS: [Type; 12] = [
    Type::Bool,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::S8,
    Type::S16,
    Type::S32,
    Type::S64,
    Type::F32,
    Type::F64,
    Type::Char,
];

/// What may key a map.
const KEYS: [Type; 11] = [
    Type::Bool,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::S8,
    Type::S16,
    Type::S32,
    Type::S64,
    Type::Char,
    Type::String,
];

impl Type {
    /// A random type of no more than so many levels.
    pub fn random(random: &mut Random, levels: u32) -> Self {
        if levels == 0 || random.once(3) {
            return match random.below(14) {
                kind @ 0..12 => SCALARS[kind].clone(),
                _ => Self::String,
            };
        }
        let deeper = |random: &mut Random| Self::random(random, levels - 1);
        let boxed = |random: &mut Random| Box::new(deeper(random));
        let maybe = |random: &mut Random| (!random.once(3)).then(|| boxed(random));
        let several = |random: &mut Random| -> Vec<Self> {
            let count = if random.once(12) { 17 + random.below(8) } else { 1 + random.below(4) };
            (0..count).map(|_| deeper(random)).collect()
        };
        match random.below(12) {
            0 | 1 => Self::List(boxed(random)),
            2 => Self::Tuple(several(random)),
            3 | 4 => Self::Record(several(random)),
            5 | 6 => {
                // More cases than a byte can tell apart, now and then.
                let cases = if random.once(20) { 250 + random.below(20) } else { 1 + random.below(6) };
                let case = |_| (!random.once(if cases > 10 { 100 } else { 3 })).then(|| deeper(random));
                let cases: Vec<Option<Self>> = (0..cases).map(case).collect();
                Self::Variant(match cases.len() > 10 {
                    // Most of so many cases have no payload.
                    true => cases.into_iter().enumerate().map(|(n, ty)| ty.filter(|_| n % 100 == 7)).collect(),
                    false => cases,
                })
            }
            7 => Self::Enum(random.one_of(&[1, 2, 3, 7, 255, 256, 257, 300])),
            8 => Self::Flags(random.one_of(&[1, 2, 7, 8, 9, 15, 16, 17, 31, 32])),
            9 => Self::Option(boxed(random)),
            10 => Self::Result(maybe(random), maybe(random)),
            _ if random.once(2) => Self::FixedList(boxed(random), 1 + random.below(5) as u32),
            _ => Self::Map(Box::new(KEYS[random.below(KEYS.len())].clone()), boxed(random)),
        }
    }

    /// Size and alignment in memory.
    pub fn size_and_align(&self) -> (u32, u32) {
        let variant = |cases: &mut dyn Iterator<Item = Option<&Self>>| {
            let (mut count, mut size, mut align) = (0, 0, 1);
            for case in cases {
                let (s, a) = case.map_or((0, 1), Self::size_and_align);
                (count, size, align) = (count + 1, size.max(s), align.max(a));
            }
            let tag = discriminant_size(count);
            let align_all = align.max(tag);
            ((tag.next_multiple_of(align) + size).next_multiple_of(align_all), align_all)
        };
        match self {
            Self::Bool | Self::U8 | Self::S8 => (1, 1),
            Self::U16 | Self::S16 => (2, 2),
            Self::U32 | Self::S32 | Self::F32 | Self::Char => (4, 4),
            Self::U64 | Self::S64 | Self::F64 => (8, 8),
            Self::String | Self::List(_) | Self::Map(..) => (8, 4),
            Self::FixedList(ty, count) => {
                let (size, align) = ty.size_and_align();
                (size * count, align)
            }
            Self::Tuple(types) | Self::Record(types) => {
                let (mut size, mut align) = (0_u32, 1);
                for ty in types {
                    let (s, a) = ty.size_and_align();
                    (size, align) = (size.next_multiple_of(a) + s, align.max(a));
                }
                (size.next_multiple_of(align), align)
            }
            Self::Variant(cases) => variant(&mut cases.iter().map(Option::as_ref)),
            Self::Enum(count) => variant(&mut (0..*count).map(|_| None)),
            Self::Option(ty) => variant(&mut [None, Some(&**ty)].into_iter()),
            Self::Result(ok, err) => variant(&mut [ok.as_deref(), err.as_deref()].into_iter()),
            Self::Flags(count) => match flags_size(*count) {
                size @ (1 | 2) => (size, size),
                size => (size, 4),
            },
        }
    }

    /// The cases of what is a variant in memory: their payloads.
    pub fn cases(&self) -> Option<Vec<Option<&Self>>> {
        Some(match self {
            Self::Variant(cases) => cases.iter().map(Option::as_ref).collect(),
            Self::Enum(count) => vec![None; *count as usize],
            Self::Option(ty) => vec![None, Some(ty)],
            Self::Result(ok, err) => vec![ok.as_deref(), err.as_deref()],
            _ => return None,
        })
    }

    /// Where the payload of what is a variant in memory begins.
    pub fn payload_offset(&self) -> u32 {
        let cases = self.cases().expect("a variant");
        let align = cases.iter().flatten().map(|ty| ty.size_and_align().1).max().unwrap_or(1);
        discriminant_size(cases.len()).next_multiple_of(align)
    }

    /// The core values that it is passed by, where there is room for them.
    pub fn flat(&self) -> Vec<Core> {
        match self {
            Self::Bool | Self::U8 | Self::U16 | Self::U32 | Self::S8 | Self::S16 | Self::S32 | Self::Char => {
                vec![Core::I32]
            }
            Self::U64 | Self::S64 => vec![Core::I64],
            Self::F32 => vec![Core::F32],
            Self::F64 => vec![Core::F64],
            Self::String | Self::List(_) | Self::Map(..) => vec![Core::I32; 2],
            Self::FixedList(ty, count) => (0..*count).flat_map(|_| ty.flat()).collect(),
            Self::Tuple(types) | Self::Record(types) => types.iter().flat_map(Self::flat).collect(),
            Self::Flags(count) => vec![Core::I32; count.div_ceil(32) as usize],
            Self::Variant(_) | Self::Enum(_) | Self::Option(_) | Self::Result(..) => {
                let mut joined: Vec<Core> = Vec::new();
                for ty in self.cases().expect("a variant").into_iter().flatten() {
                    for (place, core) in ty.flat().into_iter().enumerate() {
                        match joined.get_mut(place) {
                            Some(other) => *other = other.join(core),
                            None => joined.push(core),
                        }
                    }
                }
                [vec![Core::I32], joined].concat()
            }
        }
    }
}

/// How many bytes tell so many cases apart.
pub fn discriminant_size(cases: usize) -> u32 {
    match cases {
        ..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// How many bytes so many flags take.
pub fn flags_size(labels: u32) -> u32 {
    match labels {
        ..=8 => 1,
        9..=16 => 2,
        _ => labels.div_ceil(32) * 4,
    }
}

/// The types of core WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    fn join(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::I32, Self::F32) | (Self::F32, Self::I32) => Self::I32,
            _ => Self::I64,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

/// A function of WIT.
#[derive(Debug, Clone)]
pub struct Function {
    pub params: Vec<Type>,
    pub result: Option<Type>,
}

impl Function {
    /// A function of random types.
    pub fn random(random: &mut Random) -> Self {
        Self { params: params(random), result: (!random.once(8)).then(|| Type::random(random, 4)) }
    }

    /// Whether it answers with what it was given inside of a `result`.
    pub fn is_wrapped(&self) -> bool {
        let given = if self.params.len() == 1 { self.params[0].clone() } else { Type::Tuple(self.params.clone()) };
        self.result.as_ref().is_some_and(|result| *result != given)
    }

    /// A function that can answer with what it was given: by itself if that is one value, else as a tuple; perhaps inside of a
    /// `result` whose type has room for a failure of who answers.
    pub fn echo(random: &mut Random) -> Self {
        let mut params = params(random);
        if params.is_empty() {
            params.push(Type::random(random, 4));
        }
        let given = if params.len() == 1 { params[0].clone() } else { Type::Tuple(params.clone()) };
        let result =
            if random.once(3) { Type::Result(Some(Box::new(given)), Some(Box::new(Type::String))) } else { given };
        Self { params, result: Some(result) }
    }
}

fn params(random: &mut Random) -> Vec<Type> {
    // About 16 core values there is an edge: more go through memory.
    let count = match random.below(8) {
        0..6 => random.below(4),
        6 => 4 + random.below(8),
        _ => 14 + random.below(6),
    };
    let levels = if count < 4 { 4 } else { 2 };
    (0..count).map(|_| Type::random(random, levels)).collect()
}

/// The text of interfaces with these names, of functions that are called `f0` and so on.
pub fn package(interfaces: &[(&str, &[Function])], worlds: &str) -> String {
    let mut text = "package t:values@1.0.0;\n".to_owned();
    for (interface, functions) in interfaces {
        let mut wit = Wit::default();
        let mut bodies = String::new();
        for (number, Function { params, result }) in functions.iter().enumerate() {
            let params = params.iter().enumerate().map(|(n, ty)| format!("p{n}: {}", wit.name(ty)));
            let params: Vec<_> = params.collect();
            let _ = write!(bodies, "  f{number}: func({})", params.join(", "));
            let result = result.as_ref().map(|ty| format!(" -> {}", wit.name(ty)));
            let _ = writeln!(bodies, "{};", result.unwrap_or_default());
        }
        let _ = write!(text, "interface {interface} {{\n{}{bodies}}}\n", wit.definitions);
    }
    text + worlds
}

/// Names for types, and the definitions of those that need one.
#[derive(Debug, Default)]
struct Wit {
    definitions: String,
    count: usize,
}

impl Wit {
    fn name(&mut self, ty: &Type) -> String {
        let simple = match ty {
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "s8",
            Type::S16 => "s16",
            Type::S32 => "s32",
            Type::S64 => "s64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::List(ty) => return format!("list<{}>", self.name(ty)),
            Type::FixedList(ty, count) => return format!("list<{}, {count}>", self.name(ty)),
            Type::Map(key, value) => return format!("map<{}, {}>", self.name(key), self.name(value)),
            Type::Tuple(types) => {
                let types: Vec<_> = types.iter().map(|ty| self.name(ty)).collect();
                return format!("tuple<{}>", types.join(", "));
            }
            Type::Option(ty) => return format!("option<{}>", self.name(ty)),
            Type::Result(None, None) => "result",
            Type::Result(Some(ok), None) => return format!("result<{}>", self.name(ok)),
            Type::Result(None, Some(err)) => return format!("result<_, {}>", self.name(err)),
            Type::Result(Some(ok), Some(err)) => return format!("result<{}, {}>", self.name(ok), self.name(err)),
            Type::Record(types) => {
                let fields = types.iter().enumerate().map(|(n, ty)| format!("x{n}: {}", self.name(ty)));
                let fields = fields.collect();
                return self.define("record", fields);
            }
            Type::Variant(cases) => {
                let case = |(n, ty): (usize, &Option<Type>)| match ty {
                    Some(ty) => format!("x{n}({})", self.name(ty)),
                    None => format!("x{n}"),
                };
                let cases = cases.iter().enumerate().map(case).collect();
                return self.define("variant", cases);
            }
            Type::Enum(count) => return self.define("enum", (0..*count).map(|n| format!("x{n}")).collect()),
            Type::Flags(count) => return self.define("flags", (0..*count).map(|n| format!("x{n}")).collect()),
        };
        simple.to_owned()
    }

    fn define(&mut self, kind: &str, parts: Vec<String>) -> String {
        let name = format!("t{}", self.count);
        self.count += 1;
        let _ = writeln!(self.definitions, "  {kind} {name} {{ {} }}", parts.join(", "));
        name
    }
}
