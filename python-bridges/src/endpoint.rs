//! A session as `ember_worker` sees it.
//!
//! Invariant: the context of `calls` stays alive while this object does, because it is retained in
//! [`Endpoint::new`] and released on drop. A function may keep its input iterator, and with it this
//! object, for ever: after the session's end every call is answered with `SessionCancelled`.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::time::Instant;

use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, SessionCalls, Span, Spent};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::start::worker;
use crate::stopwatch::Stopwatch;

/// One end of a session: pull batches from it, push batches into it.
#[pyclass(frozen, module = "ember_worker")]
pub(crate) struct Endpoint {
    calls: Callbacks,
    header: Py<PyBytes>,
    input_schema: Py<PyBytes>,
    environment: Py<PyBytes>,
    incoming: Slot<ArrowArray>,
    outgoing: Slot<ArrowArray>,
    schema: Slot<ArrowSchema>,
    watch: Stopwatch,
}

/// The callbacks, free to travel: the loader made them callable from any thread.
#[derive(Clone, Copy)]
struct Callbacks(SessionCalls);

// SAFETY: `SessionCalls` promises callbacks for any thread, and the context is retained.
unsafe impl Send for Callbacks {}
// SAFETY: as above; the struct itself is never written.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    fn tell(self, spent: &Spent) {
        if let Some(hear) = self.0.spent {
            // SAFETY: the context is retained, and the struct is lent for this call.
            unsafe { hear(self.0.context, std::ptr::from_ref(spent)) };
        }
    }
}

/// A C struct at a fixed address, filled by one side and emptied by the other.
struct Slot<T>(Box<UnsafeCell<T>>);

// SAFETY: a slot is reached by address only, by one call at a time: PySpark's worker pulls and
// pushes from one thread, and a second thread that pulled at once would have to hold the GIL
// between its pull and its import, as the first does.
unsafe impl<T> Send for Slot<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Slot<T> {}

impl<T> Slot<T> {
    fn new(empty: T) -> Self {
        Self(Box::new(UnsafeCell::new(empty)))
    }

    fn address(&self) -> usize {
        self.0.get().expose_provenance()
    }
}

impl Slot<ArrowArray> {
    /// Frees what an importer or exporter left behind.
    fn clear(&self) {
        // SAFETY: the slot's own struct; nobody else looks at it during this call.
        let array = unsafe { &mut *self.0.get() };
        if let Some(release) = array.release {
            // SAFETY: live, and released once because `release` clears itself.
            unsafe { release(array) };
        }
    }
}

impl Slot<ArrowSchema> {
    /// Frees what an importer or exporter left behind.
    fn clear(&self) {
        // SAFETY: the slot's own struct; nobody else looks at it during this call.
        let schema = unsafe { &mut *self.0.get() };
        if let Some(release) = schema.release {
            // SAFETY: live, and released once because `release` clears itself.
            unsafe { release(schema) };
        }
    }
}

/// A pointer on its way into a section without the GIL.
struct Carried<T>(*mut T);

// SAFETY: the pointer leads to a slot of the endpoint whose call this is, which stays alive.
unsafe impl<T> Send for Carried<T> {}

impl<T> Carried<T> {
    /// By method, so that a closure captures the whole and not the bare pointer.
    const fn pointer(&self) -> *mut T {
        self.0
    }
}

impl Endpoint {
    /// The endpoint of the session that `calls` belongs to.
    pub(crate) fn new(py: Python<'_>, calls: &SessionCalls) -> Self {
        // SAFETY: the session is alive: the loader is inside `run`.
        unsafe { (calls.retain)(calls.context) };
        // SAFETY: the loader's spans live for the length of `run`; the bytes are copied.
        let copied = |span: Span| PyBytes::new(py, unsafe { span.bytes() }).unbind();
        Self {
            header: copied(calls.header),
            input_schema: copied(calls.input_schema),
            environment: copied(calls.environment),
            calls: Callbacks(*calls),
            incoming: Slot::new(ArrowArray::empty()),
            outgoing: Slot::new(ArrowArray::empty()),
            schema: Slot::new(ArrowSchema::empty()),
            watch: Stopwatch::default(),
        }
    }

    fn tell_known(&self, py: Python<'_>, known: u64) {
        let calls = self.calls;
        let told = Spent {
            known,
            ..Spent::default()
        };
        py.detach(move || calls.tell(&told));
    }

    fn context(&self) -> *mut c_void {
        self.calls.0.context
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.incoming.clear();
        self.outgoing.clear();
        self.schema.clear();
        // SAFETY: gives back the `retain` of `new`, once.
        unsafe { (self.calls.0.release)(self.context()) };
    }
}

#[pymethods]
impl Endpoint {
    /// Spark's command header, as its own runner wrote it.
    #[getter]
    fn header(&self, py: Python<'_>) -> Py<PyBytes> {
        self.header.clone_ref(py)
    }

    /// Arrow IPC schema message of the input batches.
    #[getter]
    fn input_schema(&self, py: Python<'_>) -> Py<PyBytes> {
        self.input_schema.clone_ref(py)
    }

    /// `KEY=VALUE` entries joined by NUL.
    #[getter]
    fn environment(&self, py: Python<'_>) -> Py<PyBytes> {
        self.environment.clone_ref(py)
    }

    /// Address of the empty `ArrowArray` to export the next output batch into.
    #[getter]
    fn array_address(&self) -> usize {
        self.outgoing.clear();
        self.outgoing.address()
    }

    /// Address of the empty `ArrowSchema` to export the output's schema into.
    #[getter]
    fn schema_address(&self) -> usize {
        self.schema.clear();
        self.schema.address()
    }

    /// True once the session wants no more.
    #[getter]
    fn cancelled(&self) -> bool {
        // SAFETY: the context is retained.
        unsafe { (self.calls.0.cancelled)(self.context()) != 0 }
    }

    /// Tells that what the function gives for a batch depends on that batch alone.
    fn keeps_nothing(&self, py: Python<'_>) {
        self.tell_known(py, Spent::KEEPS_NOTHING);
    }

    /// Tells that the function has ended, and that threads which it started have not.
    fn left_threads(&self, py: Python<'_>) {
        self.tell_known(py, Spent::LEFT_THREADS);
    }

    /// Waits for the next input batch: the address of an `ArrowArray` to import at once, or 0.
    fn pull(&self, py: Python<'_>) -> PyResult<usize> {
        self.incoming.clear();
        let calls = self.calls;
        let slot = Carried(self.incoming.0.get());
        let (spent, watch) = (self.watch.stop(), &self.watch);
        let (status, rows, back) = py.detach(move || {
            calls.tell(&spent);
            let Callbacks(known) = { calls };
            // SAFETY: the context is retained, and the slot is empty and this call's own.
            let status = unsafe { (known.pull)(known.context, slot.pointer()) };
            let rows = if status == PullStatus::BATCH {
                // SAFETY: the slot's own struct, just filled.
                unsafe { (*slot.pointer()).length }
            } else {
                calls.tell(&watch.rest());
                0
            };
            (status, rows, Instant::now())
        });
        self.watch.resume(back, u64::try_from(rows).unwrap_or(0));
        match status {
            PullStatus::BATCH => Ok(self.incoming.address()),
            PullStatus::END => Ok(0),
            _ => Err(cancelled(py)),
        }
    }

    /// Gives the batch that was just exported, and with the first one its schema's IPC message.
    #[pyo3(signature = (schema_message=None))]
    fn push(&self, py: Python<'_>, schema_message: Option<&Bound<'_, PyBytes>>) -> PyResult<()> {
        let calls = self.calls;
        let array = Carried(self.outgoing.0.get());
        let schema = Carried(match schema_message {
            Some(_) => self.schema.0.get(),
            None => std::ptr::null_mut(),
        });
        let message = schema_message.map_or(&[][..], |message| message.as_bytes());
        let spent = self.watch.stop();
        let (status, back) = py.detach(move || {
            calls.tell(&spent);
            let Callbacks(known) = { calls };
            // SAFETY: the context is retained; the slots were exported into by the caller.
            let status = unsafe {
                (known.push)(
                    known.context,
                    array.pointer(),
                    schema.pointer(),
                    Span::of(message),
                )
            };
            (status, Instant::now())
        });
        self.watch.resume(back, 0);
        self.outgoing.clear();
        self.schema.clear();
        match status {
            PushStatus::TAKEN => Ok(()),
            _ => Err(cancelled(py)),
        }
    }
}

fn cancelled(py: Python<'_>) -> PyErr {
    match worker(py) {
        Some(worker) => PyErr::from_type(worker.cancelled.bind(py).clone(), ()),
        None => pyo3::exceptions::PyRuntimeError::new_err("the session was cancelled"),
    }
}
