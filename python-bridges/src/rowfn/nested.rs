//! Results that have parts: lists, maps and structs, each part a column of its own.
//!
//! `PySpark` converts results when a batch is over, so it sees what a function did to a list after it
//! had returned it. Here they are taken at once: only a list or a dictionary that nobody else holds,
//! and that nobody can reach by what holds it, cannot change any more.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use super::asked;
use super::exported::{Buffer, Exported};
use super::results::Results;

/// References to a result that only the caller holds.
const RETURNED: isize = 1;
/// References to a part of a value, which is held by the value and by the loop over its parts.
const PART: isize = 2;

/// A value, and whether nobody but its taker can reach it.
pub(super) struct Given<'a, 'py> {
    pub(super) value: &'a Bound<'py, PyAny>,
    alone: bool,
}

impl<'a, 'py> Given<'a, 'py> {
    /// What a function returned.
    pub(super) fn returned(value: &'a Bound<'py, PyAny>) -> Self {
        Self::held(value, true, RETURNED)
    }

    fn held(value: &'a Bound<'py, PyAny>, alone: bool, references: isize) -> Self {
        Self {
            value,
            alone: alone && asked::references(value) == references,
        }
    }

    /// Something inside of it.
    fn part<'b>(&self, value: &'b Bound<'py, PyAny>) -> Given<'b, 'py> {
        Given::held(value, self.alone, PART)
    }
}

/// Elements of lists, back to back.
pub(super) struct Lists {
    ends: Vec<usize>,
    elements: Box<Results>,
}

impl Lists {
    pub(super) fn new(elements: Results) -> Self {
        Self {
            ends: vec![0],
            elements: Box::new(elements),
        }
    }

    pub(super) fn add(&mut self, given: &Given<'_, '_>) -> Option<()> {
        let list = given.value.cast_exact::<PyList>().ok()?;
        given.alone.then_some(())?;
        for element in list {
            self.elements.take(&given.part(&element))?;
        }
        self.add_empty();
        within_offsets(&self.ends)
    }

    /// A list without elements, or what stands in the place of a null; or the end of a list whose
    /// elements were added one by one.
    pub(super) fn add_empty(&mut self) {
        self.ends.push(self.elements.len());
    }

    /// The elements of all lists, and of one that has not ended.
    pub(super) const fn elements(&mut self) -> &mut Results {
        &mut self.elements
    }

    /// How many elements the lists have that ended.
    pub(super) fn ended(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.elements.truncate(cut(&mut self.ends, rows));
    }

    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let elements = span(&self.ends, row).map(|index| self.elements.object(py, index));
        let elements = elements.collect::<PyResult<Vec<_>>>()?;
        Ok(PyList::new(py, elements)?.into_any())
    }

    pub(super) fn offsets(&self) -> Buffer {
        offsets(&self.ends)
    }

    pub(super) fn children(&self) -> Vec<Exported> {
        vec![self.elements.exported()]
    }
}

/// Entries of dictionaries, back to back.
pub(super) struct Maps {
    ends: Vec<usize>,
    keys: Box<Results>,
    values: Box<Results>,
}

impl Maps {
    pub(super) fn new(keys: Results, values: Results) -> Self {
        Self {
            ends: vec![0],
            keys: Box::new(keys),
            values: Box::new(values),
        }
    }

    pub(super) fn add(&mut self, given: &Given<'_, '_>) -> Option<()> {
        let entries = given.value.cast_exact::<PyDict>().ok()?;
        given.alone.then_some(())?;
        for (key, value) in entries {
            self.keys.take(&given.part(&key))?;
            self.values.take(&given.part(&value))?;
        }
        self.add_empty();
        within_offsets(&self.ends)
    }

    /// A map without entries, or what stands in the place of a null.
    pub(super) fn add_empty(&mut self) {
        self.ends.push(self.keys.len());
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let entries = cut(&mut self.ends, rows);
        self.keys.truncate(entries);
        self.values.truncate(entries);
    }

    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let entries = PyDict::new(py);
        for index in span(&self.ends, row) {
            entries.set_item(self.keys.object(py, index)?, self.values.object(py, index)?)?;
        }
        Ok(entries.into_any())
    }

    pub(super) fn offsets(&self) -> Buffer {
        offsets(&self.ends)
    }

    pub(super) fn children(&self) -> Vec<Exported> {
        let columns = vec![self.keys.exported(), self.values.exported()];
        let no_nulls = Buffer::of(Vec::<u8>::new());
        vec![Exported::new(self.keys.len(), 0, vec![no_nulls], columns)]
    }
}

/// The fields of structs.
pub(super) struct Structs {
    names: Vec<Py<PyString>>,
    fields: Vec<Results>,
    /// A class whose values are read as tuples are, the last that was met.
    as_tuple: Option<Py<PyType>>,
}

impl Structs {
    pub(super) const fn new(names: Vec<Py<PyString>>, fields: Vec<Results>) -> Self {
        Self {
            names,
            fields,
            as_tuple: None,
        }
    }

    pub(super) fn add(&mut self, given: &Given<'_, '_>) -> Option<()> {
        if let Ok(dictionary) = given.value.cast_exact::<PyDict>() {
            given.alone.then_some(())?;
            return self.add_named(given, dictionary);
        }
        let tuple = given.value.cast::<PyTuple>().ok()?;
        let is_read_as_one = tuple.is_exact_instance_of::<PyTuple>()
            || self.reads_as_tuple(&tuple.get_type()).unwrap_or(false);
        (is_read_as_one && tuple.len() == self.fields.len()).then_some(())?;
        for (field, item) in self.fields.iter_mut().zip(tuple) {
            field.take(&given.part(&item))?;
        }
        Some(())
    }

    fn add_named(&mut self, given: &Given<'_, '_>, dictionary: &Bound<'_, PyDict>) -> Option<()> {
        let py = dictionary.py();
        for (field, name) in self.fields.iter_mut().zip(&self.names) {
            match dictionary.get_item(name.bind(py)).ok()? {
                Some(item) => field.take(&given.part(&item))?,
                None => field.take(&given.part(&py.None().into_bound(py)))?,
            }
        }
        Some(())
    }

    /// Whether fields of such values are what the tuple in them holds. A row of Spark's is one: it
    /// takes names, too.
    fn reads_as_tuple(&mut self, class: &Bound<'_, PyType>) -> PyResult<bool> {
        static ROW: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = class.py();
        if self.as_tuple.as_ref().is_some_and(|known| known.is(class)) {
            return Ok(true);
        }
        let tuple = py.get_type::<PyTuple>();
        let same = |name| PyResult::Ok(class.getattr(name)?.is(&tuple.getattr(name)?));
        let reads = class.is(ROW.import(py, "pyspark.sql.types", "Row")?)
            || (same("__getitem__")? && same("__len__")? && same("__iter__")?);
        if reads {
            self.as_tuple = Some(class.clone().unbind());
        }
        Ok(reads)
    }

    /// What lies under a null: fields that are there, and empty.
    pub(super) fn add_empty(&mut self) {
        for field in &mut self.fields {
            field.add_empty();
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        for field in &mut self.fields {
            field.truncate(rows);
        }
    }

    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let fields = self.fields.iter().map(|field| field.object(py, row));
        let fields = fields.collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, fields)?.into_any())
    }

    pub(super) fn children(&self) -> Vec<Exported> {
        self.fields.iter().map(Results::exported).collect()
    }
}

/// The elements of one row.
fn span(ends: &[usize], row: usize) -> std::ops::Range<usize> {
    let at = |row: usize| ends.get(row).copied().unwrap_or(0);
    at(row)..at(row + 1)
}

/// Forgets all rows but the first; the elements that these have.
fn cut(ends: &mut Vec<usize>, rows: usize) -> usize {
    ends.truncate(rows + 1);
    ends.last().copied().unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "each was looked at by `within_offsets`"
)]
fn offsets(ends: &[usize]) -> Buffer {
    Buffer::narrowed(ends, |end| end as i32)
}

/// Whether the last offset is one that Arrow can write.
fn within_offsets(ends: &[usize]) -> Option<()> {
    i32::try_from(ends.last().copied().unwrap_or(0))
        .ok()
        .map(|_| ())
}
