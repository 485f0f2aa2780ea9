//! Row functions: Arrow buffers to Python objects, the user's function, and back to Arrow buffers.
//!
//! ```text
//! Column (a batch's column) --> Rows (what the function takes) --evaluate--> Results --> pa.Array
//! ```
//!
//! Nothing here decides whether it applies: `ember_worker.rowfn` does, and keeps `PySpark`'s own
//! objects wherever this module says no (`None` from [`column_over`] and [`rows`], a plain list
//! from [`evaluate`]).

mod asked;
mod calendar;
mod call;
mod cells;
mod column;
mod engineering;
mod exported;
mod groups;
mod java_text;
mod kind;
mod lent;
mod nested;
mod parts;
mod results;
mod shape;
mod tables;
mod text;
mod values;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use call::Rows;
use column::Column;
use results::Results;

/// The functions and classes that `ember_worker.rowfn.use` takes, and what a worker process serves with.
#[pymodule]
pub(crate) mod ember_bridge {
    #[pymodule_export]
    use crate::process::{Link, end_with_parent, serve};

    #[pymodule_export]
    use super::cells::{fill_objects, gather_objects};

    #[pymodule_export]
    use super::groups::evaluate_groups;

    #[pymodule_export]
    use super::tables::evaluate_table;

    #[pymodule_export]
    use super::{Column, Results, Rows, column_over, evaluate, repeated, rows};
}

/// The lazy list of one pyarrow array's values, or `None` where only pyarrow can make that list.
#[pyfunction(name = "column")]
fn column_over(array: &Bound<'_, PyAny>, shape: &Bound<'_, PyAny>) -> PyResult<Option<Column>> {
    Column::over(array, shape)
}

/// The rows of `columns`, each a column or a list, or `None` when they are not of one length.
#[pyfunction]
fn rows(columns: &Bound<'_, PyTuple>) -> Option<Rows> {
    Rows::of(columns)
}

/// `length` rows without values.
#[pyfunction]
const fn repeated(length: usize) -> Rows {
    Rows::without_values(length)
}

/// Calls `function` with each row.
///
/// The outcome is `Results` if every result is what `shape` holds without conversion, else the
/// list of the results. `breathe` is called after every `every` rows, so that a function that never
/// runs Python code still lets other threads run and is interrupted when it should be.
#[pyfunction]
fn evaluate<'py>(
    function: &Bound<'py, PyAny>,
    rows: &Bound<'py, Rows>,
    shape: Option<&Bound<'py, PyAny>>,
    breathe: &Bound<'py, PyAny>,
    every: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, every) = (rows.get(), every.max(1));
    let mut outcome = match shape.and_then(|shape| shape::results(shape, rows.len())) {
        Some(results) => Outcome::Built(results),
        None => Outcome::Listed(PyList::empty(function.py())),
    };
    rows.each(function, |row, result| {
        if row % every == every - 1 {
            breathe.call0()?;
        }
        outcome.add(result)
    })?;
    outcome.finish(function.py())
}

/// Results so far: in buffers, until the first one that does not fit.
enum Outcome<'py> {
    Built(Results),
    Listed(Bound<'py, PyList>),
}

impl<'py> Outcome<'py> {
    #[inline]
    fn add(&mut self, result: Bound<'py, PyAny>) -> PyResult<()> {
        match self {
            Self::Built(results) => {
                if results.add(&result) {
                    return Ok(());
                }
                let list = results.list(result.py())?;
                list.append(result)?;
                *self = Self::Listed(list);
                Ok(())
            }
            Self::Listed(list) => list.append(result),
        }
    }

    fn finish(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Built(results) => Ok(Bound::new(py, results)?.into_any()),
            Self::Listed(list) => Ok(list.into_any()),
        }
    }
}
