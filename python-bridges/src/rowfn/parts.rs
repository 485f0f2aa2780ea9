//! Values that have parts: lists, dictionaries, and rows of Spark's, each part a column of its own.
//!
//! ```text
//! "l" | ("list", element) | ("map", (key, value)) | ("row", ((name, field), ...))
//! ```
//!
//! A function may change such a value, so each is made once and belongs to one call.

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use super::column::Column;
use super::lent::Lent;
use super::values::{Values, at};

/// The values of an array whose type has parts; `None` if some of them are not for this side to make.
pub(super) fn values(
    array: &Bound<'_, PyAny>,
    lent: &Lent,
    shape: &Bound<'_, PyAny>,
) -> PyResult<Option<Values>> {
    let (name, inner): (String, Bound<'_, PyAny>) = shape.extract()?;
    Ok(match name.as_str() {
        "list" => Lists::of(array, lent, &inner)?.map(Values::Lists),
        "map" => Maps::of(array, lent, &inner)?.map(Values::Maps),
        "row" => Rows::of(array, &inner)?.map(Values::Rows),
        _ => None,
    })
}

/// Where the parts of each value lie, back to back.
struct Spans(&'static [i32]);

impl Spans {
    fn of(lent: &Lent) -> Option<Self> {
        let offsets = lent.slice(1, lent.offset() + lent.len() + 1)?;
        Some(Self(offsets.get(lent.offset()..)?))
    }

    /// The parts of one value, of so many of all.
    fn at(&self, row: usize, all: usize) -> Range<usize> {
        let place = |row| usize::try_from(at(self.0, row)).unwrap_or(0);
        place(row)..place(row + 1).min(all)
    }
}

/// Elements of lists.
pub(super) struct Lists {
    spans: Spans,
    elements: Box<Column>,
}

impl Lists {
    fn of(
        array: &Bound<'_, PyAny>,
        lent: &Lent,
        element: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Self>> {
        let elements = Column::over(&array.getattr("values")?, element)?;
        Ok(elements.zip(Spans::of(lent)).map(|(elements, spans)| Self {
            spans,
            elements: Box::new(elements),
        }))
    }

    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let span = self.spans.at(row, self.elements.len());
        let mut objects = Objects::of(py, span, |index| self.elements.object(py, index));
        let list = PyList::new(py, &mut objects)?;
        objects.gathered(list.into_any())
    }
}

/// Entries of dictionaries.
pub(super) struct Maps {
    spans: Spans,
    keys: Box<Column>,
    values: Box<Column>,
}

impl Maps {
    fn of(
        array: &Bound<'_, PyAny>,
        lent: &Lent,
        entry: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Self>> {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry.extract()?;
        let keys = Column::over(&array.getattr("keys")?, &key)?;
        let values = Column::over(&array.getattr("items")?, &value)?;
        let entries = keys.zip(values).zip(Spans::of(lent));
        Ok(entries.map(|((keys, values), spans)| Self {
            spans,
            keys: Box::new(keys),
            values: Box::new(values),
        }))
    }

    /// With the entries put in one after the other, as out of a pickle: of equal keys the first, with the last value.
    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let entries = PyDict::new(py);
        for index in self.spans.at(row, self.keys.len()) {
            entries.set_item(self.keys.object(py, index)?, self.values.object(py, index)?)?;
        }
        Ok(entries.into_any())
    }
}

/// Fields of rows.
pub(super) struct Rows {
    names: Py<PyList>,
    fields: Vec<Column>,
}

impl Rows {
    fn of(array: &Bound<'_, PyAny>, shape: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let names = PyList::empty(array.py());
        let mut fields = Vec::new();
        for (index, field) in shape.try_iter()?.enumerate() {
            let (name, shape): (Bound<'_, PyString>, Bound<'_, PyAny>) = field?.extract()?;
            let Some(field) = Column::over(&array.call_method1("field", (index,))?, &shape)? else {
                return Ok(None);
            };
            names.append(name)?;
            fields.push(field);
        }
        let names = names.unbind();
        Ok(Some(Self { names, fields }))
    }

    /// As `_create_row` of `PySpark` makes it.
    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        static ROW: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let new = NEW.get_or_try_init(py, || {
            PyResult::Ok(py.get_type::<PyTuple>().getattr("__new__")?.unbind())
        })?;
        let field = |index: usize| match self.fields.get(index) {
            Some(field) => field.object(py, row),
            None => Ok(py.None().into_bound(py)),
        };
        let mut objects = Objects::of(py, 0..self.fields.len(), field);
        let values = PyTuple::new(py, &mut objects)?;
        let values = objects.gathered(values)?;
        let class = ROW.import(py, "pyspark.sql.types", "Row")?;
        let made = new.bind(py).call1((class, values))?;
        made.setattr(pyo3::intern!(py, "__fields__"), self.names.bind(py))?;
        Ok(made)
    }
}

/// What `object` makes of each index; after its first error, only `None`.
struct Objects<'py, F> {
    py: Python<'py>,
    span: Range<usize>,
    object: F,
    failed: Option<PyErr>,
}

impl<'py, F: Fn(usize) -> PyResult<Bound<'py, PyAny>>> Objects<'py, F> {
    const fn of(py: Python<'py>, span: Range<usize>, object: F) -> Self {
        Self {
            py,
            span,
            object,
            failed: None,
        }
    }

    /// What all of them were gathered in, unless there was an error.
    fn gathered<C>(self, whole: C) -> PyResult<C> {
        self.failed.map_or(Ok(whole), Err)
    }
}

impl<'py, F: Fn(usize) -> PyResult<Bound<'py, PyAny>>> Iterator for Objects<'py, F> {
    type Item = Bound<'py, PyAny>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let index = self.span.next()?;
        let made = match self.failed {
            None => (self.object)(index),
            Some(_) => Ok(self.py.None().into_bound(self.py)),
        };
        Some(made.unwrap_or_else(|error| {
            self.failed = Some(error);
            self.py.None().into_bound(self.py)
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.span.size_hint()
    }
}

impl<'py, F: Fn(usize) -> PyResult<Bound<'py, PyAny>>> ExactSizeIterator for Objects<'py, F> {}
