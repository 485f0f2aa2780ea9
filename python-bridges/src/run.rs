//! Runs one session on the calling lane thread.

use ember_abi::{SessionCalls, Span};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::endpoint::Endpoint;
use crate::interrupt::Interruptible;
use crate::start::{explain, worker};

/// Runs the worker to its end and hands over its tail.
pub(crate) fn run(calls: &SessionCalls) -> Result<(), String> {
    Python::attach(|py| {
        let worker = worker(py).ok_or("Python was not started")?;
        let endpoint =
            Bound::new(py, Endpoint::new(py, calls)).map_err(|error| explain(py, &error))?;
        let interruptible = Interruptible::enter(calls.context);
        let tail = worker.run.bind(py).call1((endpoint,));
        interruptible.leave(py);
        let tail = tail.map_err(|error| explain(py, &error))?;
        let tail = tail
            .cast::<PyBytes>()
            .map_err(|_| "the worker returned no tail")?;
        // SAFETY: the session is alive while the loader is inside `run`; the bytes are copied.
        unsafe { (calls.tail)(calls.context, Span::of(tail.as_bytes())) };
        Ok(())
    })
}
