//! Into a component: the form becomes core values and memory.
//!
//! The bytes are of the type that the plan is of: they were lifted by a plan of an equal type, or checked. The component
//! that they go into says where they are put, and may lie about it: Wasmtime checks each allocation.

use std::slice::IterMut;

use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{InterfaceType, LowerContext};
use wasmtime::component::ResourceAny;
use wasmtime::{Error, Result, ValRaw};

use super::bridge;
use super::buffer::Rest;
use super::plan::{Kind, Node, Plan, Step};

/// The handles beside the bytes, as the component that they go into needs them.
#[derive(Clone, Copy)]
pub(super) enum Handles<'h> {
    /// Numbers that stand for resources of others.
    Numbers(&'h [u32]),
    /// Its own resources.
    Resources(&'h [ResourceAny]),
}

/// A lowering that is under way.
pub(super) struct Lowering<'l, 'c, 's, T: 'static> {
    pub(super) cx: &'c mut LowerContext<'s, T>,
    /// What is left of the form.
    pub(super) rest: &'l [u8],
    /// What comes after that.
    pub(super) behind: Option<&'l dyn Rest>,
    pub(super) handles: Handles<'l>,
}

/// The largest string that Wasmtime lowers.
const LONGEST: usize = (1 << 31) - 1;

impl<'l, T> Lowering<'l, '_, '_, T> {
    /// Lowers parameters to core values; those of more than 16, to memory.
    pub(super) fn arguments(&mut self, plan: &Plan, slots: &mut [ValRaw; 16]) -> Result<()> {
        if plan.flat.is_some() {
            return self.flat(plan, slots);
        }
        let at = self.cx.realloc(0, 0, plan.align as u32, plan.size)?;
        self.memory(plan, at)?;
        slots[0] = ValRaw::u64(at as u64);
        Ok(())
    }

    /// Lowers parameters or results to core values.
    pub(super) fn flat(&mut self, plan: &Plan, slots: &mut [ValRaw]) -> Result<()> {
        let mut slots = slots.iter_mut();
        plan.parts.iter().try_for_each(|node| self.lower_flat(node, &mut slots))?;
        self.done()
    }

    /// Lowers parameters or results to memory.
    pub(super) fn memory(&mut self, plan: &Plan, at: usize) -> Result<()> {
        self.steps(&plan.steps, at)?;
        self.done()
    }

    fn done(&self) -> Result<()> {
        if self.rest.is_empty() && self.behind.is_none() { Ok(()) } else { Err(malformed()) }
    }

    fn take(&mut self, size: usize) -> Result<&'l [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or_else(malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of up to eight bytes.
    fn number(&mut self, size: usize) -> Result<u64> {
        let mut number = [0; 8];
        number[..size].copy_from_slice(self.take(size)?);
        Ok(u64::from_le_bytes(number))
    }

    fn length(&mut self) -> Result<usize> {
        Ok(self.number(4)? as usize)
    }

    fn lower_flat(&mut self, node: &Node, slots: &mut IterMut<'_, ValRaw>) -> Result<()> {
        match &node.kind {
            Kind::Number { signed: true } => {
                let unused = 32 - 8 * node.size as u32;
                let number = (self.number(node.size)? as u32) << unused;
                put(slots, u64::from((number.cast_signed() >> unused).cast_unsigned()))
            }
            Kind::Number { .. } | Kind::Bool | Kind::Char | Kind::Enum(_) => put(slots, self.number(node.size)?),
            Kind::Flags { .. } => {
                (0..node.size.div_ceil(4)).try_for_each(|_| put(slots, self.number(node.size.min(4))?))
            }
            Kind::String => {
                let (at, len) = self.string()?;
                put(slots, at)?;
                put(slots, len)
            }
            Kind::List(element) => {
                let (at, len) = self.list(element)?;
                put(slots, at)?;
                put(slots, len)
            }
            Kind::FixedList(element, count) => (0..*count).try_for_each(|_| self.lower_flat(element, slots)),
            Kind::Record { fields, .. } => fields.iter().try_for_each(|field| self.lower_flat(field, slots)),
            Kind::Variant(variant) => {
                let case = self.number(variant.width)?;
                put(slots, case)?;
                let payload = variant.cases.get(case as usize).ok_or_else(malformed)?;
                let mut left = node.flat - 1;
                if let Some(payload) = payload {
                    self.lower_flat(payload, slots)?;
                    left -= payload.flat;
                }
                // The slots that other cases would use.
                (0..left).try_for_each(|_| put(slots, 0))
            }
            Kind::Own(_) | Kind::Borrow(_) => put(slots, u64::from(self.handle(node)?)),
        }
    }

    fn store(&mut self, node: &Node, at: usize) -> Result<()> {
        match &node.kind {
            _ if node.plain => self.copy(node.size, at),
            Kind::Number { .. } | Kind::Bool | Kind::Char | Kind::Enum(_) | Kind::Flags { .. } => {
                self.copy(node.size, at)
            }
            Kind::String => {
                let pair = self.string()?;
                self.pair(pair, at);
                Ok(())
            }
            Kind::List(element) => {
                let pair = self.list(element)?;
                self.pair(pair, at);
                Ok(())
            }
            Kind::FixedList(element, count) => self.each(element, *count, at),
            Kind::Record { steps, .. } => self.steps(steps, at),
            Kind::Variant(variant) => {
                let before = self.rest;
                let case = self.number(variant.width)?;
                self.write(&before[..variant.width], at);
                match variant.cases.get(case as usize).ok_or_else(malformed)? {
                    Some(payload) => self.store(payload, at + variant.payload),
                    None => Ok(()),
                }
            }
            Kind::Own(_) | Kind::Borrow(_) => {
                let handle = self.handle(node)?;
                self.write(&handle.to_le_bytes(), at);
                Ok(())
            }
        }
    }

    fn steps(&mut self, steps: &[Step], at: usize) -> Result<()> {
        steps.iter().try_for_each(|step| match step {
            Step::Copy { offset, size } => self.copy(*size, at + offset),
            Step::Part { offset, node } => self.store(node, at + offset),
        })
    }

    fn copy(&mut self, size: usize, at: usize) -> Result<()> {
        let bytes = self.take(size)?;
        self.write(bytes, at);
        Ok(())
    }

    /// The same for elements of a list, which may be behind the bytes.
    fn copy_all(&mut self, size: usize, at: usize) -> Result<()> {
        match self.behind.take_if(|behind| self.rest.is_empty() && behind.length() == size) {
            None => self.copy(size, at),
            Some(behind) => Ok(behind.copy(&mut self.cx.as_slice_mut()[at..][..size])?),
        }
    }

    /// Writes into memory that the component has allocated: Wasmtime has seen that all of it is there.
    fn write(&mut self, bytes: &[u8], at: usize) {
        self.cx.as_slice_mut()[at..][..bytes.len()].copy_from_slice(bytes);
    }

    fn pair(&mut self, (one, two): (u64, u64), at: usize) {
        self.write(&(one | two << 32).to_le_bytes(), at);
    }

    /// Lowers a list, and gives its address and length.
    fn list(&mut self, element: &Node) -> Result<(u64, u64)> {
        let count = self.length()?;
        let too_large = || Error::msg("a list is too large for the memory of a component");
        let size = count.checked_mul(element.size).filter(|size| *size <= LONGEST).ok_or_else(too_large)?;
        let at = self.cx.realloc(0, 0, element.align as u32, size)?;
        self.each(element, count, at)?;
        Ok((at as u64, count as u64))
    }

    fn each(&mut self, element: &Node, count: usize, at: usize) -> Result<()> {
        match element.kind {
            _ if element.plain => self.copy_all(count * element.size, at),
            Kind::Bool | Kind::Char | Kind::Enum(_) | Kind::Flags { .. } => self.copy(count * element.size, at),
            _ => (0..count).try_for_each(|i| self.store(element, at + i * element.size)),
        }
    }

    /// Lowers a string, and gives its address and length.
    fn string(&mut self) -> Result<(u64, u64)> {
        let len = self.length()?;
        let bytes = self.take(len)?;
        if self.cx.options().string_encoding == StringEncoding::Utf8 {
            if len > LONGEST {
                return Err(Error::msg("a string is too large for the memory of a component"));
            }
            let at = self.cx.realloc(0, 0, 1, len)?;
            self.write(bytes, at);
            return Ok((at as u64, len as u64));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
        let [at, len] = bridge::to_core(text, self.cx, InterfaceType::String)?;
        Ok((u64::from(at.get_u32()), u64::from(len.get_u32())))
    }

    /// Gives the component a handle, and tells its number there.
    fn handle(&mut self, node: &Node) -> Result<u32> {
        let place = self.length()?;
        match (self.handles, &node.kind) {
            (Handles::Numbers(numbers), Kind::Own(table)) => {
                let number = *numbers.get(place).ok_or_else(malformed)?;
                self.cx.guest_resource_lower_own(*table, number)
            }
            (Handles::Resources(resources), kind) => {
                let resource = resources.get(place).ok_or_else(malformed)?;
                let ty = match kind {
                    Kind::Own(table) => InterfaceType::Own(*table),
                    Kind::Borrow(table) => InterfaceType::Borrow(*table),
                    _ => return Err(malformed()),
                };
                Ok(bridge::to_core(resource, self.cx, ty)?.get_u32())
            }
            _ => Err(malformed()),
        }
    }
}

fn put(slots: &mut IterMut<'_, ValRaw>, value: u64) -> Result<()> {
    *slots.next().ok_or_else(malformed)? = ValRaw::u64(value);
    Ok(())
}

/// The bytes are no value of the type. They were checked before, so this is a fault of Kokoro's own.
fn malformed() -> Error {
    Error::msg("a value does not have the form of its type")
}
