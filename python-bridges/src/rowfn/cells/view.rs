//! The memory of numpy's array of objects, by the buffer protocol.

use std::ffi::{CStr, c_int};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

/// One dimension of objects.
///
/// Invariant: `first` and every `stride` bytes after it, `length` times, is a pointer to an object
/// that the array owns a reference to, or null. The memory stays where it is while `view` is held.
pub(super) struct Cells<'py> {
    py: Python<'py>,
    view: Box<ffi::Py_buffer>,
    first: *mut u8,
    stride: isize,
    length: usize,
}

impl<'py> Cells<'py> {
    /// The cells of an array, to be read; nothing if it has no such memory.
    pub(super) fn readable(array: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        Self::of(array, ffi::PyBUF_STRIDES | ffi::PyBUF_FORMAT)
    }

    /// The cells of an array that nobody else writes to, to be filled.
    pub(super) fn writable(array: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        Self::of(
            array,
            ffi::PyBUF_STRIDES | ffi::PyBUF_FORMAT | ffi::PyBUF_WRITABLE,
        )
    }

    fn of(array: &Bound<'py, PyAny>, asked: c_int) -> PyResult<Option<Self>> {
        let py = array.py();
        let mut view = Box::new(ffi::Py_buffer::new());
        // SAFETY: a live object and an empty struct, which is filled or left alone.
        if unsafe { ffi::PyObject_GetBuffer(array.as_ptr(), &raw mut *view, asked) } != 0 {
            return Err(PyErr::fetch(py));
        }
        let mut cells = Self {
            py,
            first: view.buf.cast(),
            view,
            stride: 0,
            length: 0,
        };
        Ok(cells.describe().map(|()| cells))
    }

    /// Looks at what the memory holds; nothing if that is not one dimension of objects.
    fn describe(&mut self) -> Option<()> {
        let view = &self.view;
        if view.format.is_null() || view.shape.is_null() || view.strides.is_null() {
            return None;
        }
        // SAFETY: a string that the exporter keeps as long as the view.
        let format = unsafe { CStr::from_ptr(view.format) };
        if format != c"O" || view.ndim != 1 {
            return None;
        }
        // SAFETY: as many lengths as dimensions, which is one.
        self.length = usize::try_from(unsafe { *view.shape }).ok()?;
        // SAFETY: as above, for steps.
        self.stride = unsafe { *view.strides };
        Some(())
    }

    pub(super) const fn py(&self) -> Python<'py> {
        self.py
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    #[inline]
    fn cell(&self, row: usize) -> *mut *mut ffi::PyObject {
        debug_assert!(row < self.length, "{row} of {}", self.length);
        let steps = row.cast_signed() * self.stride;
        // numpy aligns objects unless it is told not to, hence the unaligned reads and writes below.
        self.first.wrapping_offset(steps).cast()
    }

    /// The object of one row, which must be below `len`.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Bound<'py, PyAny> {
        // SAFETY: one of the pointers of the invariant.
        let object = unsafe { self.cell(row).read_unaligned() };
        // SAFETY: null or a live object, by the invariant; a new reference.
        let object = unsafe { Bound::from_borrowed_ptr_or_opt(self.py, object) };
        object.unwrap_or_else(|| self.py.None().into_bound(self.py))
    }

    /// Puts an object in the place of that of a row, which must be below `len`.
    #[inline]
    pub(super) fn put(&self, row: usize, object: Bound<'py, PyAny>) {
        let cell = self.cell(row);
        // SAFETY: one of the pointers of the invariant; nobody else writes to this array.
        let before = unsafe { ptr::replace(cell, object.into_ptr()) };
        // SAFETY: null, or a reference that the cell held and no longer does.
        drop(unsafe { Bound::from_owned_ptr_or_opt(self.py, before) });
    }
}

impl Drop for Cells<'_> {
    fn drop(&mut self) {
        // SAFETY: filled by the exporter, released once.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.view) };
    }
}

/// Whether pandas takes an object for a null: `None` and not-a-number, of the nulls that are common.
#[inline]
pub(super) fn is_null(object: &Bound<'_, PyAny>) -> bool {
    object.is_none()
        || object
            .cast_exact::<PyFloat>()
            .is_ok_and(|float| float.value().is_nan())
}
