//! What Wasmtime is told of values that it does not know: types of ours that carry the form, whatever the component's type is.
//!
//! Wasmtime's traits for values are public and `unsafe`, and their methods are hidden: they may change with its major versions,
//! which is why the long-term line is pinned. This is the only module that implements them. What it relies on, of Wasmtime 48:
//!
//! - A host function's parameters and results are of exactly as many core values as the component's type has, or lie in memory:
//!   then `Lower` is not used, and of the memory a slice is given that begins where they lie, `SIZE32` long.
//! - A call of an export passes a pointer to `Lower` of the parameters, of which the component reads as many as its type has.
//!   More than there are may be there; Wasmtime's own dynamic calls always pass 16.
//! - A result that lies in memory is one core value: its address.
#![expect(unsafe_code, reason = "Wasmtime's traits for values are unsafe to implement; all of it is here")]

use std::mem::MaybeUninit;

use wasmtime::component::__internal::wasmtime_environ::component::{MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, TypeTupleIndex};
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext};
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};
use wasmtime::{Error, Result, ValRaw};

use super::lift::{Fault, Lifting};
use super::lower::{Handles, Lowering};
use super::outlet::Outlet;
use super::plan::Plan;
use super::{Arguments, Buffer, Crossing, Delivered, Lifted, Side};

/// The parameters of an import, lifted: of `N` core values, or of none if they lie in memory.
pub(crate) struct Asked<const N: usize>(pub(crate) Lifted);

/// The parameters of an import that a Satellite serves, lifted; where they are large and it can take them, into its memory.
pub(crate) struct Sent<const N: usize> {
    pub(crate) lifted: Lifted,
    /// All of them, if they are there. Then `lifted` has no bytes.
    pub(crate) delivered: Option<Delivered>,
}

/// The result of an import, to be lowered: of `M` core values, or of none if it lies in memory.
pub(crate) struct Given<const M: usize> {
    pub(crate) bytes: Buffer,
    pub(crate) numbers: Vec<u32>,
}

/// The result of an export, lifted.
pub(crate) struct Answer(pub(crate) Lifted);

// SAFETY, of all five `ComponentType`s: `Lower` is an array of `ValRaw`. `SIZE32` and `ALIGN32` are those of nothing: Wasmtime uses
// them for what lies in memory, and there these types look at the type of the component, and check bounds and alignment
// themselves. `typecheck` accepts exactly those types whose core values fit into `Lower`, as the module's documentation says.

unsafe impl<const N: usize> ComponentType for Asked<N> {
    type Lower = [ValRaw; N];

    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        check(ty, types, MAX_FLAT_PARAMS, N)
    }
}

unsafe impl<const N: usize> ComponentType for Sent<N> {
    type Lower = [ValRaw; N];

    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        check(ty, types, MAX_FLAT_PARAMS, N)
    }
}

unsafe impl<const M: usize> ComponentType for Given<M> {
    type Lower = [ValRaw; M];

    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        check(ty, types, MAX_FLAT_RESULTS, M)
    }
}

unsafe impl ComponentType for Arguments<'_> {
    type Lower = [ValRaw; MAX_FLAT_PARAMS];

    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        tuple(*ty).map(drop)
    }
}

unsafe impl ComponentType for Answer {
    type Lower = [ValRaw; MAX_FLAT_RESULTS];

    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        tuple(*ty).map(drop)
    }
}

// SAFETY, of all five: they stand for the whole list of parameters or results, which `typecheck` compares.
unsafe impl<const N: usize> ComponentNamedList for Asked<N> {}
unsafe impl<const N: usize> ComponentNamedList for Sent<N> {}
unsafe impl<const M: usize> ComponentNamedList for Given<M> {}
unsafe impl ComponentNamedList for Arguments<'_> {}
unsafe impl ComponentNamedList for Answer {}

// SAFETY: lifting is safe code; that the trait is unsafe is due to `ComponentType`.
unsafe impl<const N: usize> Lift for Asked<N> {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &[ValRaw; N]) -> Result<Self> {
        asked(cx, ty, |lifting, plan| lifting.flat(plan, src)).map(Self)
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        let at = bytes.as_ptr() as usize - cx.memory().as_ptr() as usize;
        asked(cx, ty, |lifting, plan| lifting.memory(plan, at)).map(Self)
    }
}

// SAFETY: as above.
unsafe impl<const N: usize> Lift for Sent<N> {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &[ValRaw; N]) -> Result<Self> {
        sent(cx, ty, |lifting, plan| lifting.flat(plan, src))
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        let at = bytes.as_ptr() as usize - cx.memory().as_ptr() as usize;
        sent(cx, ty, |lifting, plan| lifting.memory(plan, at))
    }
}

// SAFETY: as above.
unsafe impl Lift for Answer {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[ValRaw; MAX_FLAT_RESULTS],
    ) -> Result<Self> {
        Crossing::with(|crossing| {
            let plan = crossing.results(cx.types, tuple(ty)?)?;
            crossing.lifted(plan, |value| {
                let mut lifting = Lifting { cx, value, most: crossing.most, side: Side::Exporter, outlet: None };
                match plan.flat {
                    Some(flat) if flat <= MAX_FLAT_RESULTS => lifting.flat(plan, src),
                    _ => lifting.memory(plan, src[0].get_u32() as usize),
                }
            })
        })
        .map(Self)
    }

    fn linear_lift_from_memory(_: &mut LiftContext<'_>, _: InterfaceType, _: &[u8]) -> Result<Self> {
        Err(Error::msg("results are never passed in memory without their address"))
    }
}

// SAFETY: all of `dst` is written where this succeeds, and of `slots` all that the type has.
unsafe impl Lower for Arguments<'_> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<[ValRaw; MAX_FLAT_PARAMS]>,
    ) -> Result<()> {
        let mut slots = [ValRaw::u64(0); MAX_FLAT_PARAMS];
        let crossing = Crossing::current()?;
        let plan = crossing.params(cx.types, tuple(ty)?)?;
        let bytes = self.parcel.take();
        Lowering { cx, rest: &bytes, behind: bytes.rest(), handles: Handles::Resources(self.resources) }
            .arguments(plan, &mut slots)?;
        dst.write(slots);
        Ok(())
    }

    fn linear_lower_to_memory<T>(&self, _: &mut LowerContext<'_, T>, _: InterfaceType, _: usize) -> Result<()> {
        Err(Error::msg("parameters of an export are never asked for in memory"))
    }
}

// SAFETY: as above.
unsafe impl<const M: usize> Lower for Given<M> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<[ValRaw; M]>,
    ) -> Result<()> {
        let mut slots = [ValRaw::u64(0); M];
        let plan = Crossing::current()?.plans.plan(cx.types, tuple(ty)?)?;
        self.lowering(cx).flat(&plan, &mut slots)?;
        dst.write(slots);
        Ok(())
    }

    fn linear_lower_to_memory<T>(&self, cx: &mut LowerContext<'_, T>, ty: InterfaceType, offset: usize) -> Result<()> {
        let plan = Crossing::current()?.plans.plan(cx.types, tuple(ty)?)?;
        self.lowering(cx).memory(&plan, offset)
    }
}

impl<const M: usize> Given<M> {
    fn lowering<'l, 'c, 's, T>(&'l self, cx: &'c mut LowerContext<'s, T>) -> Lowering<'l, 'c, 's, T> {
        Lowering { cx, rest: &self.bytes, behind: self.bytes.rest(), handles: Handles::Numbers(&self.numbers) }
    }
}

/// Lifts parameters of an import.
fn asked(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    lift: impl FnOnce(&mut Lifting<'_, '_>, &Plan) -> std::result::Result<(), Fault>,
) -> Result<Lifted> {
    Crossing::with(|crossing| {
        let plan = crossing.plans.plan(cx.types, tuple(ty)?)?;
        crossing.lifted(&plan, |value| {
            let mut lifting = Lifting { cx, value, most: crossing.most, side: Side::Importer, outlet: None };
            lift(&mut lifting, &plan)
        })
    })
}

/// Lifts parameters of an import that a Satellite serves.
fn sent<const N: usize>(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    lift: impl FnOnce(&mut Lifting<'_, '_>, &Plan) -> std::result::Result<(), Fault>,
) -> Result<Sent<N>> {
    Crossing::with(|crossing| {
        let plan = crossing.plans.plan(cx.types, tuple(ty)?)?;
        let (mut claim, mut length) = (None, 0);
        let lifted = crossing.lifted(&plan, |value| {
            let outlet = crossing.receiver.as_deref().map(|receiver| Outlet::new(receiver, &mut claim));
            let mut lifting = Lifting { cx, value, most: crossing.most, side: Side::Importer, outlet };
            lift(&mut lifting, &plan)?;
            length = lifting.finish()?;
            Ok(())
        })?;
        Ok(Sent { lifted, delivered: claim.map(|claim| Delivered { claim, length }) })
    })
}

/// What Wasmtime makes of a value that it knows, as core values.
pub(super) fn to_core<V: Lower + ?Sized, T>(
    value: &V,
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
) -> Result<V::Lower> {
    let mut core = MaybeUninit::uninit();
    value.linear_lower_to_flat(cx, ty, &mut core)?;
    // SAFETY: the trait promises that it is initialised where the call succeeds.
    Ok(unsafe { core.assume_init() })
}

/// Parameters and results are tuples, of types of which there are plans.
fn tuple(ty: InterfaceType) -> Result<TypeTupleIndex> {
    match ty {
        InterfaceType::Tuple(tuple) => Ok(tuple),
        _ => Err(Error::msg("parameters and results are tuples")),
    }
}

/// Whether parameters or results are passed as `count` core values, or as none because there would be more than `most`.
fn check(ty: &InterfaceType, types: &InstanceType<'_>, most: usize, count: usize) -> Result<()> {
    match types.types[tuple(*ty)?].abi.flat_count(most).unwrap_or(0) == count {
        true => Ok(()),
        false => Err(Error::msg("it has another number of core values")),
    }
}
