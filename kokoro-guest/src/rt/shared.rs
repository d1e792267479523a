//! Where the value of an exported resource lives.

use std::cell::{Ref, RefCell, RefMut};
use std::fmt;
use std::marker::PhantomData;

/// The value of a resource `T` of the Planet `P`: several handles may lead to it.
pub struct Shared<P, T>(RefCell<T>, PhantomData<fn() -> P>);

impl<P, T> Shared<P, T> {
    /// Makes a value reachable by handles.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(RefCell::new(value), PhantomData)
    }

    /// Borrows the value.
    ///
    /// # Panics
    ///
    /// If it is borrowed mutably.
    #[track_caller]
    pub fn get(&self) -> Ref<'_, T> {
        match self.0.try_borrow() {
            Ok(value) => value,
            Err(_) => panic!(
                "this resource is being changed at the moment (one handle was given twice, or a method got its own)"
            ),
        }
    }

    /// Borrows the value mutably.
    ///
    /// # Panics
    ///
    /// If it is borrowed.
    #[track_caller]
    pub fn get_mut(&self) -> RefMut<'_, T> {
        match self.0.try_borrow_mut() {
            Ok(value) => value,
            Err(_) => {
                panic!("this resource is in use at the moment (one handle was given twice, or a method got its own)")
            }
        }
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<P, T> fmt::Debug for Shared<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
