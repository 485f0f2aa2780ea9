//! Which lent batches Python has let go.

use std::sync::{Mutex, PoisonError};

use ember_rows::Lender;

/// Collects tokens on whatever thread drops a batch, until a task thread asks for them: no thread
/// of Python's ever calls into the JVM.
#[derive(Debug, Default)]
pub struct Released(Mutex<Vec<i64>>);

impl Released {
    /// The tokens since the last call.
    pub fn drain(&self) -> Vec<i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lender for Released {
    fn returned(&self, token: i64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(token);
    }
}
