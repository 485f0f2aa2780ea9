//! Row functions whose results Spark takes in groups of rows, each group as one pickle.
//!
//! A group counts as a whole. One in which a result needs Spark's own conversion, or in which a
//! function raises, is left to `PySpark`'s own loop, together with the results that are known, so
//! that no function is called twice.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::call::{Call, Rows};
use super::results::Results;
use super::shape;

/// A function, the rows of its arguments, the names of the last of these, and the shape of its
/// results.
type Asked<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, Rows>,
    Bound<'py, PyTuple>,
    Bound<'py, PyAny>,
);

/// First row, row after the last, rows of a group, and seconds after which no group is begun.
type Range = (usize, usize, usize, f64);

/// Calls each function of `asked` with row after row, the functions in turn.
///
/// Gives the `Results` of each function over whole groups, then what is known of each later row
/// that was begun, and the error of the last of them, if it raised. `breathe` is called after
/// every `every` rows, as in [`evaluate`](super::evaluate).
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes the values of the call"
)]
pub(super) fn evaluate_groups<'py>(
    py: Python<'py>,
    asked: Vec<Asked<'py>>,
    range: Range,
    breathe: &Bound<'py, PyAny>,
    every: usize,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyList>, Option<PyErr>)> {
    let (from, to, group, seconds) = range;
    let (group, every) = (group.max(1), every.max(1));
    let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let begun = Instant::now();
    let rows = to.saturating_sub(from);
    let functions = asked.iter().map(|each| Function::of(each, rows));
    let mut turn = Turn::new(functions.collect::<PyResult<_>>()?);
    while turn.done < rows && turn.one_row(from + turn.done)? {
        if turn.done.is_multiple_of(every) {
            breathe.call0()?;
        }
        if turn.done.is_multiple_of(group) && begun.elapsed() >= patience {
            break;
        }
    }
    turn.finish(py, group)
}

/// The rows that were gone through.
struct Turn<'a, 'py> {
    functions: Vec<Function<'a, 'py>>,
    done: usize,
    stop: Option<Stop<'py>>,
}

/// How the row after those that are done began, and why it was left.
struct Stop<'py> {
    functions: usize,
    end: PyResult<Bound<'py, PyAny>>,
}

impl<'a, 'py> Turn<'a, 'py> {
    const fn new(functions: Vec<Function<'a, 'py>>) -> Self {
        Self {
            functions,
            done: 0,
            stop: None,
        }
    }

    /// Calls each function with a row; false if that row has to be left.
    #[inline]
    fn one_row(&mut self, row: usize) -> PyResult<bool> {
        for (index, function) in self.functions.iter_mut().enumerate() {
            function.rows.give(row, &mut function.call)?;
            let end = match function.call.done() {
                Ok(result) if function.results.add(&result) => continue,
                other => other,
            };
            self.stop = Some(Stop {
                functions: index,
                end,
            });
            return Ok(false);
        }
        self.done += 1;
        Ok(true)
    }

    /// Parts what is whole from what is known of the rest.
    fn finish(
        self,
        py: Python<'py>,
        group: usize,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyList>, Option<PyErr>)> {
        let whole = match self.stop {
            Some(_) => self.done - self.done % group,
            None => self.done,
        };
        let rest = PyList::empty(py);
        for row in whole..self.done {
            rest.append(self.known(py, row, self.functions.len())?)?;
        }
        let mut error = None;
        if let Some(stop) = self.stop.as_ref() {
            let begun = self.known(py, self.done, stop.functions)?;
            match &stop.end {
                Ok(result) => begun.append(result)?,
                Err(raised) => error = Some(raised.clone_ref(py)),
            }
            rest.append(begun)?;
        }
        let results = self
            .functions
            .into_iter()
            .map(|each| Bound::new(py, each.results.truncated(whole)))
            .collect::<PyResult<Vec<_>>>()?;
        Ok((PyTuple::new(py, results)?, rest, error))
    }

    /// What the first so many functions returned for a row.
    fn known(&self, py: Python<'py>, row: usize, first: usize) -> PyResult<Bound<'py, PyList>> {
        let results = self.functions.iter().take(first);
        let results = results.map(|each| each.results.object(py, row));
        PyList::new(py, results.collect::<PyResult<Vec<_>>>()?)
    }
}

/// A function on its way through the rows.
struct Function<'a, 'py> {
    call: Call<'a, 'py>,
    rows: &'a Rows,
    results: Results,
}

impl<'a, 'py> Function<'a, 'py> {
    fn of(asked: &'a Asked<'py>, rows: usize) -> PyResult<Self> {
        let (function, arguments, names, shape) = asked;
        let results =
            shape::results(shape, rows).ok_or_else(|| PyValueError::new_err(shape.to_string()))?;
        let arguments = arguments.get();
        Ok(Self {
            call: Call::with_names(function, arguments.width(), names),
            rows: arguments,
            results,
        })
    }
}
