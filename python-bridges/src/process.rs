//! The worker's end of a session in a process of its own: the same [`Endpoint`], over shared memory.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;

use ember_wire::{Job, WireError};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::endpoint::Endpoint;
use crate::start::serve_with;

/// A worker's connection with its executor.
#[pyclass(frozen, module = "ember_worker")]
pub(crate) struct Link(Arc<ember_wire::Link>);

/// One session of the connection.
#[pyclass(frozen, module = "ember_worker")]
pub(crate) struct Session(Arc<Job>);

#[pymethods]
impl Link {
    /// Takes three descriptors, which belong to it from then on: socket, input and output.
    #[new]
    fn new(socket: i32, input: i32, output: i32) -> PyResult<Self> {
        // SAFETY: the caller received these three for this one purpose, and gives them away here.
        let [socket, input, output] =
            [socket, input, output].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        let link = ember_wire::Link::new(socket, File::from(input), File::from(output));
        Ok(Self(Arc::new(link.map_err(|error| failed(&error))?)))
    }

    /// Waits for the next session; `None` when the executor has gone.
    fn open(&self, py: Python<'_>) -> PyResult<Option<Session>> {
        let job = py
            .detach(|| self.0.open())
            .map_err(|error| failed(&error))?;
        Ok(job.map(Session))
    }
}

#[pymethods]
impl Session {
    /// What `ember_worker` runs the session with.
    fn endpoint(&self, py: Python<'_>) -> Endpoint {
        Endpoint::new(py, &self.0.calls())
    }

    /// Ends the session with what the worker wrote besides batches.
    fn finish(&self, py: Python<'_>, tail: &[u8], reusable: bool) -> PyResult<()> {
        py.detach(|| self.0.finish(tail, reusable))
            .map_err(|error| failed(&error))
    }
}

/// Takes what runs a session and what is raised in a cancelled one.
#[pyfunction]
pub(crate) fn serve(py: Python<'_>, run: Py<PyAny>, cancelled: Py<PyType>) {
    serve_with(py, run, cancelled);
}

/// Has the kernel end this process with `parent`; false if that has ended already.
#[pyfunction]
pub(crate) fn end_with_parent(parent: i32) -> bool {
    // SAFETY: two numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // SAFETY: asks a number.
    unsafe { libc::getppid() == parent }
}

fn failed(error: &WireError) -> PyErr {
    PyOSError::new_err(error.to_string())
}
