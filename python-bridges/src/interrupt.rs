//! Raises in a function that goes on after its session was cancelled.
//!
//! Entering, leaving and raising all happen with the GIL held, so an exception never reaches a
//! session that came after the one it was meant for.

use std::ffi::{c_long, c_void};
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::start::worker;

/// Contexts that run Python now, each with its thread's identifier.
static RUNNING: Mutex<Vec<(usize, u64)>> = Mutex::new(Vec::new());

/// A session that may be interrupted until it leaves.
pub(crate) struct Interruptible {
    context: usize,
    thread: u64,
}

impl Interruptible {
    /// The calling thread begins to run the session with this context.
    pub(crate) fn enter(context: *mut c_void) -> Self {
        // SAFETY: asks for the calling thread's own identifier.
        let thread = unsafe { ffi::PyThread_get_thread_ident() };
        let entered = Self {
            context: context.addr(),
            thread,
        };
        running().push((entered.context, entered.thread));
        entered
    }

    /// The session is over; an exception on its way is called back.
    pub(crate) fn leave(self, _attached: Python<'_>) {
        running().retain(|entry| *entry != (self.context, self.thread));
        // SAFETY: the GIL is held; a null exception withdraws one that is pending.
        unsafe { ffi::PyThreadState_SetAsyncExc(ident(self.thread), std::ptr::null_mut()) };
    }
}

/// Raises `SessionCancelled` in the session with this context, if it is running.
pub(crate) fn interrupt(context: *mut c_void) -> bool {
    Python::attach(|py| {
        let found = running()
            .iter()
            .find(|(running, _)| *running == context.addr())
            .copied();
        let (Some((_, thread)), Some(worker)) = (found, worker(py)) else {
            return false;
        };
        let exception = worker.cancelled.as_ptr();
        // SAFETY: the GIL is held and the class lives as long as the interpreter.
        unsafe { ffi::PyThreadState_SetAsyncExc(ident(thread), exception) == 1 }
    })
}

fn running() -> std::sync::MutexGuard<'static, Vec<(usize, u64)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The identifier as the binding spells C's `unsigned long`: with the sign bit in use.
const fn ident(thread: u64) -> c_long {
    thread.cast_signed()
}
