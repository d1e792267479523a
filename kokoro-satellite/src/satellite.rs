//! What a program has to be.

use crate::rt::{Arguments, Interface, Malformed, Reply};

/// A program that serves interfaces. [`satellite!`](crate::satellite!) makes one of the type that it is given.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no satellite",
    label = "serves no interface",
    note = "name it in `kokoro_satellite::satellite! {{ state: {Self}, exports: [..] }}`"
)]
pub trait Satellite: Sized + 'static {
    #[doc(hidden)]
    const INTERFACES: &'static [Interface];

    #[doc(hidden)]
    fn start() -> Self;

    #[doc(hidden)]
    fn call(&mut self, function: u32, arguments: &mut Arguments<'_>, reply: &mut Reply<'_>) -> Result<(), Malformed>;
}
