//! Table functions whose rows Spark pickles: any number of rows for each call.
//!
//! A call counts as a whole. One in which a row needs Spark's own conversion, or in which the
//! function raises, is left to `PySpark`'s own code, together with what it gave until then, so that
//! nothing is called or taken twice.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PyTuple, PyType};

use super::call::{Call, Rows};
use super::nested::Lists;
use super::results::{Results, Values};
use super::shape;

/// So many rows are enough for one batch.
const ENOUGH: usize = 10_000;

/// No call has more rows here, so that offsets are always 32 bits.
const MOST: usize = 1 << 24;

/// A function, the rows of its arguments, and the names of the last of these.
type Asked<'py> = (Bound<'py, PyAny>, Bound<'py, Rows>, Bound<'py, PyTuple>);

/// First row, row after the last, and seconds after which no call is begun.
type Range = (usize, usize, f64);

/// Of a call that was not taken: the rows it gave, what the others come from, and what it raised.
/// Without the first, nothing was taken from the second, which is what the call returned.
type Left<'py> = (
    Option<Bound<'py, PyList>>,
    Option<Bound<'py, PyAny>>,
    Option<PyErr>,
);

/// Calls the function with row after row.
///
/// Gives a list of structs for each call that was taken, and what is left of the one after them, if
/// one was begun. `shape` is that of a row, `breathe` is called after every `every` rows, as in
/// [`evaluate`](super::evaluate).
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes the values of the call"
)]
pub(super) fn evaluate_table<'py>(
    asked: Asked<'py>,
    shape: &Bound<'py, PyAny>,
    range: Range,
    breathe: &Bound<'py, PyAny>,
    every: usize,
) -> PyResult<(Results, Option<Left<'py>>)> {
    let (function, arguments, names) = &asked;
    let (from, to, seconds) = range;
    let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let begun = Instant::now();
    let rows = shape::results(shape, to.saturating_sub(from))
        .ok_or_else(|| PyValueError::new_err(shape.to_string()))?;
    let mut table = Table::new(function.py(), rows)?;
    let mut call = Call::with_names(function, arguments.get().width(), names);
    for row in from..to {
        arguments.get().give(row, &mut call)?;
        let left = match call.done() {
            Ok(result) => table.take(&result)?,
            Err(error) => Some((None, None, Some(error))),
        };
        if left.is_some() {
            return Ok((table.results(), left));
        }
        if table.calls.is_multiple_of(every.max(1)) {
            breathe.call0()?;
        }
        if table.rows.elements().len() >= ENOUGH || begun.elapsed() >= patience {
            break;
        }
    }
    Ok((table.results(), None))
}

/// The rows of the calls so far.
struct Table<'a, 'py> {
    rows: Lists,
    calls: usize,
    generator: &'a Bound<'py, PyType>,
    row: &'a Bound<'py, PyType>,
}

impl<'py> Table<'_, 'py> {
    fn new(py: Python<'py>, rows: Results) -> PyResult<Self> {
        static GENERATOR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        static ROW: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        Ok(Self {
            rows: Lists::new(rows),
            calls: 0,
            generator: GENERATOR.import(py, "types", "GeneratorType")?,
            row: ROW.import(py, "pyspark.sql.types", "Row")?,
        })
    }

    /// Takes what a call returned, or tells what is left of it.
    fn take(&mut self, result: &Bound<'py, PyAny>) -> PyResult<Option<Left<'py>>> {
        let left = if let Ok(list) = result.cast_exact::<PyList>() {
            self.take_all(list.iter(), result)
        } else if let Ok(tuple) = result.cast_exact::<PyTuple>() {
            self.take_all(tuple.iter(), result)
        } else if result.get_type().is(self.generator) {
            self.take_rest(result.try_iter()?)?
        } else if result.is_none() {
            None
        } else {
            Some((None, Some(result.clone()), None))
        };
        if left.is_some() {
            self.rows.truncate(self.calls);
        } else {
            self.rows.add_empty();
            self.calls += 1;
        }
        Ok(left)
    }

    fn take_all(
        &mut self,
        mut rows: impl Iterator<Item = Bound<'py, PyAny>>,
        result: &Bound<'py, PyAny>,
    ) -> Option<Left<'py>> {
        let fit = rows.all(|row| self.add(&row));
        (!fit).then(|| (None, Some(result.clone()), None))
    }

    fn take_rest(&mut self, mut rows: Bound<'py, PyIterator>) -> PyResult<Option<Left<'py>>> {
        while let Some(next) = rows.next() {
            match next {
                Ok(row) if self.add(&row) => {}
                Ok(row) => {
                    let given = self.given(rows.py())?;
                    given.append(row)?;
                    return Ok(Some((Some(given), Some(rows.into_any()), None)));
                }
                Err(error) => return Ok(Some((Some(self.given(rows.py())?), None, Some(error)))),
            }
        }
        Ok(None)
    }

    /// Takes one row; false if only `PySpark` knows what becomes of it.
    #[inline]
    fn add(&mut self, row: &Bound<'py, PyAny>) -> bool {
        let known = row.is_exact_instance_of::<PyTuple>() || row.get_type().is(self.row);
        let rows = self.rows.elements();
        known && rows.len() < MOST && rows.add(row)
    }

    /// The rows of the call that is not done, as objects again.
    fn given(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let first = self.rows.ended();
        let rows = self.rows.elements();
        let objects = (first..rows.len()).map(|row| rows.object(py, row));
        PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?)
    }

    fn results(self) -> Results {
        Results::of_parts(Values::Lists(self.rows)).with_length(self.calls)
    }
}
