//! Calls a function with row after row.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::column::Column;

/// The rows that a function is called with, as `list(zip(*columns))` would hold them.
#[pyclass(frozen, module = "ember_bridge")]
pub(crate) struct Rows {
    arguments: Vec<Argument>,
    length: usize,
}

enum Argument {
    Column(Py<Column>),
    List(Py<PyList>),
    /// The very object that an earlier argument is.
    Same(usize),
}

impl Rows {
    pub(super) fn of(columns: &Bound<'_, PyTuple>) -> Option<Self> {
        let length = columns.get_item(0).ok()?.len().ok()?;
        let mut arguments = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let same = columns
                .iter()
                .take(index)
                .position(|earlier| earlier.is(&column));
            let (argument, len) = match (same, column.cast_exact::<Column>()) {
                (Some(earlier), _) => (Argument::Same(earlier), length),
                (None, Ok(column)) => {
                    let len = column.get().len();
                    (Argument::Column(column.clone().unbind()), len)
                }
                (None, Err(_)) => {
                    let list = column.cast_exact::<PyList>().ok()?;
                    (Argument::List(list.clone().unbind()), list.len())
                }
            };
            if len != length || length == 0 {
                return None;
            }
            arguments.push(argument);
        }
        Some(Self { arguments, length })
    }

    pub(super) const fn without_values(length: usize) -> Self {
        Self {
            arguments: Vec::new(),
            length,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// How many arguments a row has.
    pub(super) const fn width(&self) -> usize {
        self.arguments.len()
    }

    /// Gives the arguments of one row to `call`.
    #[inline]
    pub(super) fn give(&self, row: usize, call: &mut Call<'_, '_>) -> PyResult<()> {
        for argument in &self.arguments {
            let object = argument.object(row, call)?;
            call.give(object);
        }
        Ok(())
    }

    /// Calls `function` with each row, and `take` with the row and each result.
    pub(super) fn each<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        mut take: impl FnMut(usize, Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        let mut call = Call::of(function, self.arguments.len());
        for row in 0..self.length {
            self.give(row, &mut call)?;
            take(row, call.done()?)?;
        }
        Ok(())
    }
}

impl Argument {
    #[inline]
    fn object<'py>(&self, row: usize, call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        let py = call.function.py();
        match self {
            Self::Column(column) => column.get().object(py, row),
            Self::List(list) => list.bind(py).get_item(row),
            Self::Same(earlier) => call.given(*earlier),
        }
    }
}

#[pymethods]
impl Rows {
    const fn __len__(&self) -> usize {
        self.length
    }
}

/// One call at a time: arguments are given, then it is done.
///
/// Invariant: slots `1..=count` hold references that this struct owns; the slot before them is the
/// callee's to write to while it runs.
pub(super) struct Call<'a, 'py> {
    function: &'a Bound<'py, PyAny>,
    /// The names of the last arguments, where they have some.
    names: Option<&'a Bound<'py, PyTuple>>,
    slots: Vec<*mut ffi::PyObject>,
    count: usize,
}

impl<'a, 'py> Call<'a, 'py> {
    fn of(function: &'a Bound<'py, PyAny>, arguments: usize) -> Self {
        Self {
            function,
            names: None,
            slots: vec![ptr::null_mut(); arguments + 1],
            count: 0,
        }
    }

    /// Calls with as many arguments, of which the last have these names.
    pub(super) fn with_names(
        function: &'a Bound<'py, PyAny>,
        arguments: usize,
        names: &'a Bound<'py, PyTuple>,
    ) -> Self {
        let mut call = Self::of(function, arguments);
        call.names = (!names.is_empty()).then_some(names);
        call
    }

    #[inline]
    fn give(&mut self, object: Bound<'py, PyAny>) {
        if let Some(slot) = self.slots.get_mut(self.count + 1) {
            *slot = object.into_ptr();
            self.count += 1;
        }
    }

    /// An argument that was given before, once more.
    fn given(&self, index: usize) -> PyResult<Bound<'py, PyAny>> {
        let pointer = self
            .slots
            .get(index + 1)
            .copied()
            .unwrap_or(ptr::null_mut());
        // SAFETY: null, which is an error, or a live object by the invariant; a new reference.
        unsafe { Bound::from_borrowed_ptr_or_err(self.function.py(), pointer) }
    }

    #[inline]
    pub(super) fn done(&mut self) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: there is one slot more than arguments.
        let arguments = unsafe { self.slots.as_ptr().add(1) };
        let by_name = self.names.map_or(0, PyTupleMethods::len);
        let flags = self.count.saturating_sub(by_name) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        let names = self.names.map_or(ptr::null_mut(), Bound::as_ptr);
        // SAFETY: `count` live arguments and a writable slot before them, by the invariant.
        let result =
            unsafe { ffi::PyObject_Vectorcall(self.function.as_ptr(), arguments, flags, names) };
        // SAFETY: a new reference, or null with the error set.
        let result = unsafe { Bound::from_owned_ptr_or_err(self.function.py(), result) };
        self.take_back();
        result
    }

    /// Drops the arguments.
    #[inline]
    fn take_back(&mut self) {
        for slot in self.slots.iter().skip(1).take(self.count) {
            // SAFETY: a reference that this struct owns, given up here.
            drop(unsafe { Bound::from_owned_ptr(self.function.py(), *slot) });
        }
        self.count = 0;
    }
}

impl Drop for Call<'_, '_> {
    fn drop(&mut self) {
        self.take_back();
    }
}
