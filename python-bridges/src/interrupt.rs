//! Raises in a function that goes on after its session was cancelled.
//!
//! Entering, leaving and raising all happen with the GIL held, so an exception never reaches a
//! session that came after the one it was meant for.

use std::ffi::{c_long, c_void};
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::start::worker;

/// What runs Python now.
static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// A session on its thread.
struct Running {
    context: usize,
    thread: u64,
    /// An exception is sent to it, and may be on its way when it ends.
    interrupted: bool,
}

/// A session that may be interrupted until it leaves.
pub(crate) struct Interruptible {
    context: usize,
}

impl Interruptible {
    /// The calling thread begins to run the session with this context.
    pub(crate) fn enter(context: *mut c_void) -> Self {
        // SAFETY: asks for the calling thread's own identifier.
        let thread = unsafe { ffi::PyThread_get_thread_ident() };
        let context = context.addr();
        running().push(Running {
            context,
            thread,
            interrupted: false,
        });
        Self { context }
    }

    /// The session is over; an exception on its way arrives here and is dropped.
    ///
    /// It cannot be withdrawn: that leaves the interpreter's flag up, and up to 3.12 every call and
    /// loop of every thread asks what it is for, and asks for ever if the code is profiled.
    pub(crate) fn leave(self, attached: Python<'_>) {
        let mut interrupted = false;
        running().retain(|entry| {
            let other = entry.context != self.context;
            interrupted |= !other && entry.interrupted;
            other
        });
        if interrupted {
            drop(attached.eval(c"None", None, None));
        }
    }
}

/// Raises `SessionCancelled` in the session with this context, if it is running.
pub(crate) fn interrupt(context: *mut c_void) -> bool {
    Python::attach(|py| {
        let found = running()
            .iter_mut()
            .find(|entry| entry.context == context.addr())
            .map(|entry| {
                entry.interrupted = true;
                entry.thread
            });
        let (Some(thread), Some(worker)) = (found, worker(py)) else {
            return false;
        };
        let exception = worker.cancelled.as_ptr();
        // SAFETY: the GIL is held and the class lives as long as the interpreter.
        unsafe { ffi::PyThreadState_SetAsyncExc(ident(thread), exception) == 1 }
    })
}

fn running() -> std::sync::MutexGuard<'static, Vec<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The identifier as the binding spells C's `unsigned long`: with the sign bit in use.
const fn ident(thread: u64) -> c_long {
    thread.cast_signed()
}
