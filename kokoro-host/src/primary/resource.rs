//! Resources of Planets that the application holds.
//!
//! A function that passes handles is called with the self-contained form of what it takes and gives, in which a handle is its place in
//! a table. That table goes along with the value; while a value is written or read it is here, since the form has no place for it.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kokoro_value::{Decode, DecodeError, Decoder, Encode, Encoder, from_bytes};
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::ToTheEnd;
use super::handle::Description;
use crate::error::Error;
use crate::link::{Passing, Value, call_target};
use crate::planet::{Call, CallError, Cause, FunctionName, Resource, Target, Terms, Use, call_span, note_outcome};
use crate::value::Buffer;

/// What the types that [`bindings!`](crate::bindings) makes of resources consist of.
#[derive(Clone)]
pub struct Held {
    resource: Arc<Resource>,
    with: Setting,
}

/// What goes from a handle to those that it gives out.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) terms: Terms,
    pub(super) runtime: runtime::Handle,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("planet", self.resource.owner().name()).finish_non_exhaustive()
    }
}

/// Equal if they are handles of the same resource.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.resource, &other.resource)
    }
}

impl Eq for Held {}

impl Held {
    /// The Planet that the resource belongs to.
    pub fn planet(&self) -> String {
        self.resource.owner().name().to_string()
    }

    /// The same resource, whose calls may take no longer than `time` each.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.with.terms.within = time;
        self
    }

    /// The same resource, to whose calls a value is attached.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.with.terms.attached = Some(Arc::new(value));
        self
    }

    /// The same resource, whose calls can be taken back.
    #[must_use]
    pub fn cancelled_by(mut self, token: &CancellationToken) -> Self {
        self.with.terms.cancel = Some(token.clone());
        self
    }

    /// Calls a method of the resource, which the interface `of` defines: at its owner, whoever provides the interface today.
    pub async fn call<R: Decode>(
        &self,
        of: &'static Description,
        name: &'static str,
        arguments: Arguments,
    ) -> Result<R, Error> {
        let call = Call::by_application(&self.with.terms);
        let Some(target) = self.resource.target(of.name(), |offered| of.is_in(offered, name)) else {
            let function = FunctionName { interface: Some(of.name().to_string().into()), function: name.into() };
            let planet = Some(Arc::clone(self.resource.owner().name()));
            return Err(CallError { planet, function, chain: Arc::clone(call.chain()), cause: Cause::Absent }.into());
        };
        let given_up = call.detach();
        let work = async move { call_at(&target, &call, name, &arguments).await };
        let answer = ToTheEnd::new(work, &self.with.runtime, given_up).await?;
        answer.read(&self.with)
    }
}

/// A resource as `bindings!` makes a type of it.
pub trait IsHeld: Sized {
    /// The type's value.
    fn of(held: Held) -> Self;

    /// What it consists of.
    fn held(&self) -> &Held;
}

/// A handle that is lent for a call, where it stands in a list, a record or the like: of `borrow<cursor>`. (Alone it is
/// `&Cursor`.)
///
/// ```
/// # mod bindings {
/// #     kokoro_host::bindings!({ path: "tests/guests/wit", interfaces: ["test:guests/shelf@0.1.0"] });
/// # }
/// # use bindings::shelf::{Book, Shelf};
/// // The WIT has `pages: func(of: list<borrow<book>>) -> result<list<u32>, string>`.
/// async fn pages(shelf: Shelf, books: &[Book]) -> Result<(), kokoro_host::Error> {
///     let lent: Vec<_> = books.iter().map(kokoro_host::Lent::from).collect();
///     println!("{:?}", shelf.pages(&lent).await?);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent<T>(T);

impl<T> From<T> for Lent<T> {
    fn from(handle: T) -> Self {
        Self(handle)
    }
}

impl<T: Clone> From<&T> for Lent<T> {
    fn from(handle: &T) -> Self {
        Self(handle.clone())
    }
}

impl<T: IsHeld> Encode for Lent<T> {
    fn encode(&self, to: &mut Encoder) {
        pass(&self.0, Use::Lend, to);
    }
}

/// What a function is called with that passes handles.
#[derive(Debug)]
pub struct Arguments(Passing);

/// What such a function has answered.
#[derive(Debug)]
pub(super) struct Answer {
    value: Value<Arc<Resource>>,
    planet: Arc<str>,
    function: FunctionName,
    chain: Arc<[Arc<str>]>,
}

/// Handles that are passed, by their places.
type Passed = Vec<(Arc<Resource>, Use)>;

/// The handles of the value that is being read, and what handles of the application's are made of them with.
struct Arrived {
    handles: Vec<Arc<Resource>>,
    with: Setting,
}

thread_local! {
    /// The handles of the value that is being written.
    static PASSED: RefCell<Option<Passed>> = const { RefCell::new(None) };
    static ARRIVED: RefCell<Option<Arrived>> = const { RefCell::new(None) };
}

impl Arguments {
    /// Those that `write` writes.
    pub fn of(write: impl FnOnce(&mut Encoder)) -> Self {
        // What a panic may have left is of no use to anybody.
        PASSED.set(Some(Vec::new()));
        let mut encoder = Encoder::new();
        write(&mut encoder);
        let handles = PASSED.take().unwrap_or_default();
        Self(Value { bytes: Buffer::from(encoder.into_bytes()).into(), handles })
    }
}

impl Answer {
    /// As a Rust type.
    pub(super) fn read<R: Decode>(self, with: &Setting) -> Result<R, Error> {
        let Self { value: Value { bytes, handles }, planet, function, chain } = self;
        ARRIVED.set(Some(Arrived { handles, with: with.clone() }));
        let value = from_bytes(&bytes);
        ARRIVED.set(None);
        value.map_err(|error| {
            let problem = format!("what `{function}` answers has another type: {error}");
            CallError { planet: Some(planet), function, chain, cause: Cause::NoFunction(problem.into()) }.into()
        })
    }
}

/// Writes a handle that is given away.
pub fn give(handle: &impl IsHeld, to: &mut Encoder) {
    pass(handle, Use::Give, to);
}

/// Writes a handle that is lent.
pub fn lend(handle: &impl IsHeld, to: &mut Encoder) {
    pass(handle, Use::Lend, to);
}

fn pass(handle: &impl IsHeld, use_of_it: Use, to: &mut Encoder) {
    let place = PASSED.with_borrow_mut(|passed| {
        let passed = passed.as_mut()?;
        passed.push((Arc::clone(&handle.held().resource), use_of_it));
        u32::try_from(passed.len() - 1).ok()
    });
    // Outside of a call a handle is no value, and this is the place of none.
    place.unwrap_or(u32::MAX).encode(to);
}

/// Reads a handle.
pub fn receive<T: IsHeld>(from: &mut Decoder<'_>) -> Result<T, DecodeError> {
    let place = u32::decode(from)?;
    let held = ARRIVED.with_borrow(|arrived| {
        let arrived = arrived.as_ref()?;
        let resource = arrived.handles.get(usize::try_from(place).ok()?)?;
        Some(Held { resource: Arc::clone(resource), with: arrived.with.clone() })
    });
    held.map(T::of).ok_or_else(|| from.refuse("there is no such handle"))
}

/// Calls a function that passes handles.
pub(super) async fn call_at(
    target: &Target,
    call: &Call,
    name: &'static str,
    arguments: &Arguments,
) -> Result<Answer, CallError> {
    let function = FunctionName { interface: Some(Arc::clone(&target.export)), function: name.into() };
    let span = call_span(target.planet.name(), &function);
    let outcome = call_target(target, call, function.clone(), &arguments.0).instrument(span.clone()).await;
    note_outcome(&span, &outcome);
    Ok(Answer { value: outcome?, planet: Arc::clone(target.planet.name()), function, chain: Arc::clone(call.chain()) })
}
