//! What a Planet holds of the application: a table from its handles to the application's values.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{Resource, ResourceTable};

/// The application's values that one Planet holds handles of. It ends with the Planet, and lets go of all of them then.
///
/// A clone is the same table. Only generated code sees it.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct Handles(Arc<Mutex<ResourceTable>>);

/// A value of a type that the generated code knows.
type Value = Arc<dyn Any + Send + Sync>;

impl Handles {
    /// Gives the Planet a handle of `value`.
    pub fn give<Tag, T: Send + Sync + 'static>(&self, value: Arc<T>) -> wasmtime::Result<Resource<Tag>> {
        let value: Value = value;
        let pushed = self.table().push(value);
        let handle =
            pushed.map_err(|_| wasmtime::Error::msg("it holds as many handles of the application as a planet may"))?;
        Ok(Resource::new_own(handle.rep()))
    }

    /// The value that a handle is of, which the Planet keeps.
    pub fn borrowed<Tag, T: Send + Sync + 'static>(&self, handle: Resource<Tag>) -> wasmtime::Result<Arc<T>> {
        let value = self.table().get::<Value>(&key(handle.rep()))?.clone();
        known(value)
    }

    /// The value that a handle was of, which the Planet has given away.
    pub fn owned<Tag, T: Send + Sync + 'static>(&self, handle: Resource<Tag>) -> wasmtime::Result<Arc<T>> {
        let value = self.table().delete::<Value>(key(handle.rep()))?;
        known(value)
    }

    /// Takes back the handle that the Planet knows by this number, since it has dropped it.
    pub(crate) fn drop(&self, number: u32) {
        // The application's own `Drop` may run here, and may take its time: not while the table is locked.
        let value = self.table().delete::<Value>(key(number));
        drop(value);
    }

    /// Nothing of the application's runs while the table is locked, so it is whole even after a panic.
    fn table(&self) -> MutexGuard<'_, ResourceTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(number: u32) -> Resource<Value> {
    Resource::new_own(number)
}

fn known<T: Send + Sync + 'static>(value: Value) -> wasmtime::Result<Arc<T>> {
    let wrong = |_| {
        wasmtime::Error::msg(
            "a handle came back to another type of the application than the one that gave it out: interfaces that share a \
             resource have to be served by one type",
        )
    };
    value.downcast().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What generated code has for each resource.
    enum Tag {}

    #[test]
    fn a_value_lives_until_its_handle_is_dropped_or_the_table_ends() {
        let handles = Handles::default();
        let value = Arc::new("value");
        let one = handles.give::<Tag, _>(Arc::clone(&value)).unwrap();
        let two = handles.give::<Tag, _>(Arc::clone(&value)).unwrap();
        let three = handles.give::<Tag, _>(Arc::clone(&value)).unwrap();
        assert_eq!(Arc::strong_count(&value), 4);
        assert_eq!(*handles.borrowed::<Tag, &str>(Resource::new_borrow(one.rep())).unwrap(), "value");
        handles.drop(one.rep());
        assert_eq!(Arc::strong_count(&value), 3);
        drop(handles.owned::<Tag, &str>(two).unwrap());
        assert_eq!(Arc::strong_count(&value), 2);
        drop(handles);
        assert_eq!((Arc::strong_count(&value), three.owned()), (1, true));
    }

    #[test]
    fn a_handle_that_is_not_there_is_an_error_and_its_drop_is_none() {
        let handles = Handles::default();
        handles.drop(7);
        assert!(handles.borrowed::<Tag, u32>(Resource::new_borrow(7)).is_err());
        let handle = handles.give::<Tag, _>(Arc::new("text")).unwrap();
        let error = handles.owned::<Tag, u32>(handle).unwrap_err().to_string();
        assert!(error.contains("served by one type"), "{error}");
    }
}
