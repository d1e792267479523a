//! Out of a component: core values and memory become the form.
//!
//! Whatever is read here was written by a stranger.

use std::slice::Iter;

use wasmtime::ValRaw;
use wasmtime::component::__internal::wasmtime_environ::component::{StringEncoding, TypeResourceTableIndex};
use wasmtime::component::__internal::{InterfaceType, LiftContext};
use wasmtime::component::{Lift, ResourceAny};

use super::outlet::{LARGE, Outlet};
use super::plan::{Kind, Node, Plan, Step, Variant};
use super::{Lifted, Passed, Side};

/// Why a value does not come out.
pub(super) enum Fault {
    /// It is larger than values may be. The component has done nothing wrong.
    TooLarge,
    /// There is no memory for it where it goes. The component has done nothing wrong either.
    NoMemory(std::io::Error),
    /// The component does not keep to the rules.
    Lie(wasmtime::Error),
}

type Done = Result<(), Fault>;

fn lie(message: &'static str) -> Fault {
    Fault::Lie(wasmtime::Error::msg(message))
}

/// A lift that is under way.
pub(super) struct Lifting<'m, 'c> {
    pub(super) cx: &'c mut LiftContext<'m>,
    pub(super) value: &'c mut Lifted,
    /// How many bytes it may become.
    pub(super) most: usize,
    pub(super) side: Side,
    pub(super) outlet: Option<Outlet<'c>>,
}

impl<'m> Lifting<'m, '_> {
    /// Lifts parameters or results that are passed as core values.
    pub(super) fn flat(&mut self, plan: &Plan, slots: &[ValRaw]) -> Done {
        let mut slots = slots.iter();
        plan.parts.iter().try_for_each(|node| self.lift_flat(node, &mut slots))
    }

    /// Lifts parameters or results that are passed in memory.
    pub(super) fn memory(&mut self, plan: &Plan, at: usize) -> Done {
        if !at.is_multiple_of(plan.align) {
            return Err(lie("what is passed in memory is not aligned"));
        }
        let bytes = self.bytes(at, plan.size, "what is passed in memory lies beyond its end")?;
        self.steps(&plan.steps, bytes)
    }

    fn bytes(&self, at: usize, size: usize, beyond: &'static str) -> Result<&'m [u8], Fault> {
        let end = at.checked_add(size);
        end.and_then(|end| self.cx.memory().get(at..end)).ok_or_else(|| lie(beyond))
    }

    /// Makes sure that there is room for so many more bytes, and that they may be there.
    fn room(&mut self, more: usize) -> Done {
        let bytes = &mut self.value.bytes;
        let (used, capacity) = (bytes.len(), bytes.capacity());
        if more > self.most - used.min(self.most) {
            return Err(Fault::TooLarge);
        }
        if more > capacity - used {
            let capacity = (capacity * 2).max(64).min(self.most).max(used + more);
            bytes.reserve_exact(capacity - used);
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Done {
        self.room(bytes.len())?;
        self.value.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The same for what may be large.
    fn put_all(&mut self, bytes: &[u8]) -> Done {
        let gathered = &mut self.value.bytes;
        if bytes.len() < LARGE || self.outlet.as_mut().is_none_or(|outlet| !outlet.takes(gathered.len(), bytes.len())) {
            return self.put(bytes);
        }
        let all = gathered.len() + bytes.len();
        self.most = self.most.checked_sub(all).ok_or(Fault::TooLarge)?;
        match &mut self.outlet {
            Some(outlet) => outlet.put(gathered, bytes).map_err(Fault::NoMemory),
            None => Ok(()),
        }
    }

    /// Ends the value, and says how many bytes of it are where its outlet leads: all or none.
    pub(super) fn finish(&mut self) -> Result<usize, Fault> {
        match self.outlet.take() {
            Some(outlet) => outlet.finish(&mut self.value.bytes).map_err(Fault::NoMemory),
            None => Ok(0),
        }
    }

    fn lift_flat(&mut self, node: &Node, slots: &mut Iter<'_, ValRaw>) -> Done {
        let mut next = || *slots.next().expect("there are as many core values as the type has");
        match &node.kind {
            Kind::Number { .. } => match node.size {
                8 => self.put(&next().get_u64().to_le_bytes()),
                size => self.put(&next().get_u32().to_le_bytes()[..size]),
            },
            Kind::Bool => self.put(&[u8::from(next().get_u32() != 0)]),
            Kind::Char => self.char(next().get_u32()),
            Kind::Enum(cases) => self.discriminant(next().get_u32(), *cases as usize, node.size),
            Kind::Flags { unused } => {
                let words = node.size.div_ceil(4);
                for word in 1..=words {
                    let bits = next().get_u32();
                    let bits = if word == words { bits & !unused } else { bits };
                    self.put(&bits.to_le_bytes()[..node.size.min(4)])?;
                }
                Ok(())
            }
            Kind::String => {
                let (at, len) = (next().get_u32(), next().get_u32());
                self.string(at, len)
            }
            Kind::List(element) => {
                let (at, len) = (next().get_u32(), next().get_u32());
                self.list(element, at, len)
            }
            Kind::FixedList(element, count) => (0..*count).try_for_each(|_| self.lift_flat(element, slots)),
            Kind::Record { fields, .. } => fields.iter().try_for_each(|field| self.lift_flat(field, slots)),
            Kind::Variant(variant) => {
                let case = next().get_u32();
                self.discriminant(case, variant.cases.len(), variant.width)?;
                let payload = variant.cases[case as usize].as_ref();
                let after = slots.as_slice().get(node.flat - 1..).unwrap_or_default().iter();
                if let Some(payload) = payload {
                    self.lift_flat(payload, slots)?;
                }
                *slots = after;
                Ok(())
            }
            Kind::Own(table) => self.own(*table, next().get_u32()),
            Kind::Borrow(table) => self.borrow(*table, next().get_u32()),
        }
    }

    /// Lifts a value out of the bytes of memory where it lies.
    fn load(&mut self, node: &Node, bytes: &'m [u8]) -> Done {
        if node.plain {
            return self.put(bytes);
        }
        match &node.kind {
            Kind::Number { .. } => self.put(bytes),
            Kind::Bool => self.put(&[u8::from(bytes[0] != 0)]),
            Kind::Char => self.char(word(bytes, 0)),
            Kind::Enum(cases) => self.discriminant(small(bytes), *cases as usize, node.size),
            Kind::Flags { unused } => {
                let (first, last) = bytes.split_at(bytes.len() - bytes.len().min(4));
                self.put(first)?;
                let bits = small(last) & !unused;
                self.put(&bits.to_le_bytes()[..last.len()])
            }
            Kind::String => self.string(word(bytes, 0), word(bytes, 4)),
            Kind::List(element) => self.list(element, word(bytes, 0), word(bytes, 4)),
            Kind::FixedList(element, _) => self.each(element, bytes),
            Kind::Record { steps, .. } => self.steps(steps, bytes),
            Kind::Variant(variant) => self.variant(variant, bytes),
            Kind::Own(table) => self.own(*table, word(bytes, 0)),
            Kind::Borrow(table) => self.borrow(*table, word(bytes, 0)),
        }
    }

    fn steps(&mut self, steps: &[Step], bytes: &'m [u8]) -> Done {
        for step in steps {
            match step {
                Step::Copy { offset, size } => self.put(&bytes[*offset..][..*size])?,
                Step::Part { offset, node } => self.load(node, &bytes[*offset..][..node.size])?,
            }
        }
        Ok(())
    }

    fn variant(&mut self, variant: &Variant, bytes: &'m [u8]) -> Done {
        let case = small(&bytes[..variant.width]);
        self.discriminant(case, variant.cases.len(), variant.width)?;
        match &variant.cases[case as usize] {
            Some(payload) => self.load(payload, &bytes[variant.payload..][..payload.size]),
            None => Ok(()),
        }
    }

    fn list(&mut self, element: &Node, at: u32, len: u32) -> Done {
        let beyond = "a list lies beyond the end of memory";
        let size = (len as usize).checked_mul(element.size).ok_or_else(|| lie(beyond))?;
        let bytes = self.bytes(at as usize, size, beyond)?;
        if !(at as usize).is_multiple_of(element.align) {
            return Err(lie("a list is not aligned"));
        }
        self.put(&len.to_le_bytes())?;
        self.each(element, bytes)
    }

    /// Lifts values that lie one after another.
    fn each(&mut self, element: &Node, bytes: &'m [u8]) -> Done {
        match element.kind {
            _ if element.plain => self.put_all(bytes),
            Kind::Bool => {
                self.room(bytes.len())?;
                self.value.bytes.extend(bytes.iter().map(|byte| u8::from(*byte != 0)));
                Ok(())
            }
            _ => bytes.chunks_exact(element.size).try_for_each(|bytes| self.load(element, bytes)),
        }
    }

    fn string(&mut self, at: u32, len: u32) -> Done {
        const BEYOND: &str = "a string lies beyond the end of memory";
        // The highest bit of a length in units of `latin1+utf16`.
        const UTF16: u32 = 1 << 31;
        let (at, units) = (at as usize, len as usize);
        match self.cx.options().string_encoding {
            StringEncoding::Utf8 => {
                let bytes = self.bytes(at, units, BEYOND)?;
                if std::str::from_utf8(bytes).is_err() {
                    return Err(lie("a string is not UTF-8"));
                }
                self.put(&len.to_le_bytes())?;
                self.put_all(bytes)
            }
            StringEncoding::CompactUtf16 if len & UTF16 == 0 => {
                let bytes = self.bytes(at, units, BEYOND)?;
                if !at.is_multiple_of(2) {
                    return Err(lie("a string is not aligned"));
                }
                self.chars(bytes.iter().map(|byte| Ok(char::from(*byte))))
            }
            encoding => {
                let units = if encoding == StringEncoding::Utf16 { units } else { (len ^ UTF16) as usize };
                let size = units.checked_mul(2).ok_or_else(|| lie(BEYOND))?;
                let bytes = self.bytes(at, size, BEYOND)?;
                if !at.is_multiple_of(2) {
                    return Err(lie("a string is not aligned"));
                }
                let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
                self.chars(char::decode_utf16(units).map(|char| char.map_err(|_| lie("a string is not UTF-16"))))
            }
        }
    }

    /// Lifts a string, whose length as UTF-8 is not known before.
    fn chars(&mut self, chars: impl Iterator<Item = Result<char, Fault>>) -> Done {
        let begin = self.value.bytes.len();
        self.put(&[0; 4])?;
        for char in chars {
            self.put(char?.encode_utf8(&mut [0; 4]).as_bytes())?;
        }
        let bytes = &mut self.value.bytes;
        let len = u32::try_from(bytes.len() - begin - 4).map_err(|_| Fault::TooLarge)?;
        bytes[begin..][..4].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    fn char(&mut self, value: u32) -> Done {
        match char::from_u32(value) {
            Some(_) => self.put(&value.to_le_bytes()),
            None => Err(lie("a `char` is no Unicode scalar value")),
        }
    }

    fn discriminant(&mut self, case: u32, cases: usize, width: usize) -> Done {
        if case as usize >= cases {
            return Err(lie("a discriminant is that of no case"));
        }
        self.put(&case.to_le_bytes()[..width])
    }

    fn own(&mut self, table: TypeResourceTableIndex, handle: u32) -> Done {
        let passed = match self.side {
            // Whoever defined the resource for the component gave it this number.
            Side::Importer => self.cx.guest_resource_lift_own(table, handle).map(|(number, ..)| Passed::Number(number)),
            Side::Exporter => {
                let ty = InterfaceType::Own(table);
                ResourceAny::linear_lift_from_flat(self.cx, ty, &ValRaw::u32(handle)).map(Passed::Resource)
            }
        };
        self.handle(passed.map_err(Fault::Lie)?)
    }

    fn borrow(&mut self, table: TypeResourceTableIndex, handle: u32) -> Done {
        match self.side {
            Side::Importer => {
                let number = self.cx.guest_resource_lift_borrow(table, handle).map_err(Fault::Lie)?;
                self.handle(Passed::Lent(number))
            }
            Side::Exporter => Err(lie("a borrowed handle is returned")),
        }
    }

    fn handle(&mut self, passed: Passed) -> Done {
        // One that is lent can be passed a million times over: what the host keeps of it counts.
        self.most = self.most.saturating_sub(size_of::<Passed>());
        let place = self.value.handles.len() as u32;
        self.put(&place.to_le_bytes())?;
        self.value.handles.push(passed);
        Ok(())
    }
}

/// The little-endian word at `at`.
fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..][..4]);
    u32::from_le_bytes(word)
}

/// A little-endian number of one, two or four bytes.
fn small(bytes: &[u8]) -> u32 {
    let mut word = [0; 4];
    word[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(word)
}
