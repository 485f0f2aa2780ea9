//! What the JVM holds: numbers that are looked up, never followed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::errors::NativeError;
use crate::locked::locked;

/// Handles never repeat within a process, so a stale one is found out. 0 is never a handle.
static NEXT: AtomicI64 = AtomicI64::new(1);

/// The live values of one kind.
#[derive(Debug)]
pub(crate) struct Handles<T>(Mutex<Option<HashMap<i64, T>>>);

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Keeps `value` until it is taken.
    pub(crate) fn keep(&self, value: T) -> i64 {
        let handle = NEXT.fetch_add(1, Ordering::Relaxed);
        self.keep_as(handle, value);
        handle
    }

    /// Keeps `value` under a handle of another kind's.
    pub(crate) fn keep_as(&self, handle: i64, value: T) {
        let mut live = locked(&self.0);
        live.get_or_insert_default().insert(handle, value);
    }

    /// Takes the value back; the handle is dead from here on.
    pub(crate) fn take(&self, handle: i64) -> Result<T, NativeError> {
        let mut live = locked(&self.0);
        let value = live.as_mut().and_then(|live| live.remove(&handle));
        drop(live);
        value.ok_or(NativeError::Argument("a handle that is not live"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        let live = locked(&self.0);
        live.as_ref().is_none_or(HashMap::is_empty)
    }
}

impl<T: Clone> Handles<T> {
    /// The value behind a live handle.
    pub(crate) fn get(&self, handle: i64) -> Result<T, NativeError> {
        let live = locked(&self.0);
        let value = live.as_ref().and_then(|live| live.get(&handle)).cloned();
        drop(live);
        value.ok_or(NativeError::Argument("a handle that is not live"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_handle_is_an_error_and_never_comes_again() {
        let handles = Handles::new();
        let first = handles.keep('a');
        assert_eq!(handles.get(first).unwrap(), 'a');
        assert!(!handles.is_empty());
        assert_eq!(handles.take(first).unwrap(), 'a');
        assert!(handles.is_empty());
        assert!(handles.get(first).is_err());
        assert!(handles.take(first).is_err());
        assert_ne!(handles.keep('b'), first);
    }

    #[test]
    fn zero_is_never_a_handle() {
        assert!(Handles::<u8>::new().get(0).is_err());
    }
}
