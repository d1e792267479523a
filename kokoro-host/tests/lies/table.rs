//! Lies that a component can tell about a value.

use wit_component::StringEncoding;

use crate::types::Type;

/// Where the value lies, for those that lie in memory.
pub const AREA: u32 = 1024;
/// Where what the value points at lies.
const HEAP: u32 = 4096;
/// The size of a component's memory.
pub const END: u32 = 65536;

/// A value that is none, or that is another one than it seems.
#[derive(Debug)]
pub struct Lie {
    pub name: &'static str,
    pub ty: Type,
    pub encoding: StringEncoding,
    /// The value as core values: the bits of each.
    pub flat: Vec<u64>,
    /// The value as it lies in memory; none for lies that have no place there.
    pub memory: Option<Vec<u8>>,
    /// Where it is said to lie there.
    pub area: u32,
    /// What else is in memory, and where.
    pub heap: Vec<(u32, Vec<u8>)>,
    pub verdict: Verdict,
}

/// What is to come of a lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The canonical ABI forbids it: the liar has ended.
    Refused,
    /// The canonical ABI lets it pass, as some value.
    Taken,
    /// It is larger than values may be.
    TooLarge,
}

use Verdict::{Refused, Taken, TooLarge};

impl Lie {
    fn new(name: &'static str, ty: Type, verdict: Verdict, flat: &[u64], memory: &[u8]) -> Self {
        Self {
            name,
            ty,
            encoding: StringEncoding::UTF8,
            flat: flat.to_vec(),
            memory: Some(memory.to_vec()),
            area: AREA,
            heap: Vec::new(),
            verdict,
        }
    }

    /// A string or a list that is said to be there.
    fn pair(name: &'static str, ty: Type, verdict: Verdict, (at, len): (u32, u32)) -> Self {
        Self::new(name, ty, verdict, &[at.into(), len.into()], &words(&[at, len]))
    }

    fn heap(mut self, bytes: &[u8]) -> Self {
        self.heap.push((HEAP, bytes.to_vec()));
        self
    }

    fn also(mut self, at: u32, bytes: Vec<u8>) -> Self {
        self.heap.push((at, bytes));
        self
    }

    fn encoded(mut self, encoding: StringEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Of values that never lie in memory.
    fn only_flat(mut self) -> Self {
        self.memory = None;
        self
    }

    /// The value itself is said to be somewhere else.
    fn at(mut self, area: u32) -> Self {
        self.area = area;
        self
    }

    /// Whether the value itself is said to be where it cannot be: then it is one only as it lies in memory.
    pub fn is_of_area(&self) -> bool {
        self.area != AREA
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn units(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

/// So many strings or lists in the same place.
fn same(count: usize, at: u32, len: u32) -> Vec<u8> {
    words(&[at, len].repeat(count))
}

pub fn lies() -> Vec<Lie> {
    [strings(), lists(), scalars(), variants(), areas(), floods()].into_iter().flatten().collect()
}

fn strings() -> Vec<Lie> {
    let string = |name, verdict, pair| Lie::pair(name, Type::String, verdict, pair);
    let utf8 = |name, bytes: &[u8]| string(name, Refused, (HEAP, bytes.len() as u32)).heap(bytes);
    let utf16 = |name, verdict, pair| string(name, verdict, pair).encoded(StringEncoding::UTF16);
    let compact = |name, verdict, pair| string(name, verdict, pair).encoded(StringEncoding::CompactUTF16);
    let tag = 1 << 31;
    vec![
        string("a string that ends one byte beyond the end", Refused, (END - 9, 10)),
        string("a string that ends at the end", Taken, (END - 10, 10)),
        string("an empty string at the end", Taken, (END, 0)),
        string("an empty string beyond the end", Refused, (END + 1, 0)),
        string("a string whose end is beyond 32 bits", Refused, (!0, !0)),
        string("a string of 4 GiB", Refused, (HEAP, !0)),
        utf8("a byte that is never in UTF-8", b"abc\xffdef"),
        utf8("UTF-8 that is too long for what it says", b"\xc0\x80"),
        utf8("a surrogate in UTF-8", b"\xed\xa0\x80"),
        utf8("a character that ends half-way", b"\xe2\x82"),
        utf8("a character beyond the last", b"\xf4\x90\x80\x80"),
        utf16("UTF-16 at an odd address", Refused, (HEAP + 1, 2)),
        utf16("an empty string of UTF-16 at an odd address", Refused, (HEAP + 1, 0)),
        utf16("UTF-16 that ends one unit beyond the end", Refused, (END - 4, 3)),
        utf16("UTF-16 whose size is beyond 32 bits", Refused, (HEAP, tag + 8)),
        utf16("a high surrogate at the end", Refused, (HEAP, 2)).heap(&units(&[0x61, 0xd800])),
        utf16("a high surrogate before something else", Refused, (HEAP, 2)).heap(&units(&[0xd800, 0x61])),
        utf16("a low surrogate alone", Refused, (HEAP, 1)).heap(&units(&[0xdc00])),
        utf16("surrogates the wrong way round", Refused, (HEAP, 2)).heap(&units(&[0xdc00, 0xd800])),
        utf16("surrogates as they should be", Taken, (HEAP, 2)).heap(&units(&[0xd83d, 0xde00])),
        compact("latin1 at an odd address", Refused, (HEAP + 1, 2)),
        compact("latin1 that ends one byte beyond the end", Refused, (END - 2, 3)),
        compact("any bytes of latin1", Taken, (HEAP, 4)).heap(b"\x00\x80\xff\xa0"),
        compact("tagged UTF-16 at an odd address", Refused, (HEAP + 1, tag | 1)),
        compact("tagged UTF-16 of 4 GiB", Refused, (HEAP, !0)),
        compact("a low surrogate alone in tagged UTF-16", Refused, (HEAP, tag | 1)).heap(&units(&[0xdfff])),
    ]
}

fn lists() -> Vec<Lie> {
    let u64s = |name, verdict, pair| Lie::pair(name, list(Type::U64), verdict, pair);
    let strings = |name, verdict, strings: &[u32]| {
        let count = strings.len() as u32 / 2;
        Lie::pair(name, list(Type::String), verdict, (HEAP, count)).heap(&words(strings))
    };
    let of = |name, ty, verdict, count, bytes: &[u8]| Lie::pair(name, list(ty), verdict, (HEAP, count)).heap(bytes);
    vec![
        u64s("a list at no multiple of its elements' alignment", Refused, (HEAP + 4, 1)),
        u64s("an empty list at no multiple of that", Refused, (HEAP + 4, 0)),
        u64s("a list that ends one element beyond the end", Refused, (END - 8, 2)),
        u64s("a list that ends at the end", Taken, (END - 8, 1)),
        u64s("an empty list at the end", Taken, (END, 0)),
        u64s("an empty list beyond the end", Refused, (END + 8, 0)),
        u64s("a list whose size in bytes is beyond 32 bits", Refused, (HEAP, 0x2000_0001)),
        u64s("a list whose end is beyond 32 bits", Refused, (0xffff_fff8, 0x1fff_ffff)),
        Lie::pair("a list of 4 GiB", list(Type::U8), Refused, (0, !0)),
        strings("a list whose last string is beyond the end", Refused, &[0, 1, 0, 2, END, 1]),
        strings("a list of strings at the same place", Taken, &[8, 1, 8, 2, 8, 3]),
        of("a list of booleans that are 2 and 255", Type::Bool, Taken, 3, &[0, 2, 255]),
        of("a list with a surrogate for a char", Type::Char, Refused, 2, &words(&[0x61, 0xdfff])),
        of("a list whose last element is of no case", Type::Enum(3), Refused, 4, &[0, 1, 2, 3]),
        of("a list of flags with bits for no label", Type::Flags(3), Taken, 2, &[0xff, 0xf8]),
        of("a list of options that are neither", Type::Option(Box::new(Type::U8)), Refused, 2, &[1, 7, 2, 7]),
        of("a list of lists beyond the end", list(Type::U16), Refused, 1, &words(&[END - 2, 2])),
        // The two nested lists overlap each other and the outer one.
        of("lists that overlap", list(Type::U8), Taken, 2, &words(&[HEAP, 16, HEAP + 4, 8])),
    ]
}

fn scalars() -> Vec<Lie> {
    let char = |name, value: u32| Lie::new(name, Type::Char, Refused, &[value.into()], &value.to_le_bytes());
    vec![
        char("the first surrogate", 0xd800),
        char("the last surrogate", 0xdfff),
        char("the number after the last character", 0x11_0000),
        char("no character by far", !0),
        Lie::new("a boolean that is 2", Type::Bool, Taken, &[2], &[2]),
        Lie::new("a boolean that is 256", Type::Bool, Taken, &[256], &[]).only_flat(),
        Lie::new("a byte that is 511", Type::U8, Taken, &[511], &[]).only_flat(),
        Lie::new("a signed byte that is 128", Type::S8, Taken, &[128], &[]).only_flat(),
        Lie::new("flags with bits for no label", Type::Flags(3), Taken, &[0xffff_ffff], &[0xff]),
        Lie::new("many flags with bits for no label", Type::Flags(17), Taken, &[!0], &[0xff; 4]),
    ]
}

fn variants() -> Vec<Lie> {
    let variant = || Type::Variant(vec![Some(Type::U32), None, Some(Type::F64)]);
    let option = || Type::Option(Box::new(Type::String));
    let result = || Type::Result(Some(Box::new(Type::U8)), None);
    let none = [0; 12];
    let with = |case: &[u8], size: usize| [case, &none[..size - case.len()]].concat();
    vec![
        Lie::new("one case too many", Type::Enum(3), Refused, &[3], &[3]),
        Lie::new("a case far away", Type::Enum(3), Refused, &[0xffff_ffff], &[0xff]),
        Lie::new("a case that is one in its lowest byte", Type::Enum(3), Refused, &[0x100], &[]).only_flat(),
        Lie::new("one case too many of 300", Type::Enum(300), Refused, &[300], &300_u16.to_le_bytes()),
        Lie::new("the last of 256 cases", Type::Enum(256), Taken, &[255], &[255]),
        Lie::new("one case too many of 256", Type::Enum(256), Refused, &[256], &[]).only_flat(),
        Lie::new(
            "a variant of no case",
            variant(),
            Refused,
            &[3, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        Lie::new("an option that is neither", option(), Refused, &[2, 0, 0], &with(&[2], 12)),
        Lie::new(
            "no option, and a string that is none",
            option(),
            Taken,
            &[0, !0, !0],
            &[&[0; 4][..], &[255; 8]].concat(),
        ),
        Lie::new("a result that is neither", result(), Refused, &[2, 0], &[2, 0]),
        Lie::new("a payload that is no string", option(), Refused, &[1, END.into(), 1], &words(&[1, END, 1])),
        Lie::new("a byte in more than it has room for", result(), Taken, &[0, 0x1ff], &[0, 0xff]),
    ]
}

/// The value itself is not where it is said to be.
fn areas() -> Vec<Lie> {
    let of = |name, verdict, area| {
        Lie::new(name, Type::Tuple(vec![Type::U64, Type::U64]), verdict, &[0, 0], &[0; 16]).at(area)
    };
    vec![
        of("a value that ends beyond the end", Refused, END - 8),
        of("a value far beyond the end", Refused, 0xffff_fff0),
        of("a value at no multiple of its alignment", Refused, AREA + 4),
    ]
}

/// Much more than memory has room for, by way of the same place told a thousand times over.
fn floods() -> Vec<Lie> {
    let place = 0x4000;
    let of = |name, ty, inner: Vec<u8>| {
        Lie::pair(name, list(list(ty)), TooLarge, (HEAP, 1000)).heap(&same(1000, place, 1000)).also(place, inner)
    };
    vec![
        of("65 GB of bytes in 64 KiB", list(Type::U8), same(1000, 0, END)),
        of("65 GB of strings", Type::String, same(1000, 0x7000, 0x8000)),
        of("booleans", list(Type::Bool), same(1000, 0, END)),
        of("records with a gap", list(Type::Record(vec![Type::U8, Type::U32])), same(1000, 0, END / 8)),
        of("options", list(Type::Option(Box::new(Type::U8))), same(1000, 0x8000, END / 4)),
        of("empty lists", list(Type::U8), same(1000, 0, 0)),
    ]
}
