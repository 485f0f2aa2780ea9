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
    /// An exception was sent to it, which may still be on its way.
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
        let mut all = running();
        let at = all.iter().position(|entry| entry.context == self.context);
        let interrupted = at.is_some_and(|at| all.swap_remove(at).interrupted);
        drop(all);
        if interrupted {
            drop(attached.eval(c"None", None, None));
        }
    }
}

/// Raises `SessionCancelled` in the session with this context, if it is running.
pub(crate) fn interrupt(context: *mut c_void) -> bool {
    Python::attach(|py| {
        let Some(worker) = worker(py) else {
            return false;
        };
        let mut all = running();
        let Some(found) = all.iter_mut().find(|it| it.context == context.addr()) else {
            return false;
        };
        let exception = worker.cancelled.as_ptr();
        // SAFETY: the GIL is held and the class lives as long as the interpreter.
        let raised = unsafe { ffi::PyThreadState_SetAsyncExc(ident(found.thread), exception) == 1 };
        found.interrupted |= raised;
        raised
    })
}

fn running() -> std::sync::MutexGuard<'static, Vec<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The identifier as the binding spells C's `unsigned long`: with the sign bit in use.
const fn ident(thread: u64) -> c_long {
    thread.cast_signed()
}
