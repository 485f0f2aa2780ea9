//! A column of a batch: the list that `PySpark` would make of it, made row by row when
//! it is needed.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyString};

use super::kind::Kind;
use super::lent::{Lent, Nulls};
use super::parts;
use super::values::Values;

/// Behaves as the list of its values; `Rows` takes the values without making the list.
#[pyclass(frozen, module = "ember_bridge")]
pub(crate) struct Column {
    values: Values,
    nulls: Nulls,
    /// Owns what the slices above lead to.
    lent: Lent,
}

impl Column {
    /// The column over a pyarrow array of this shape: a format, or what `parts` knows. `None` where only
    /// pyarrow can make the values.
    pub(super) fn over(
        array: &Bound<'_, PyAny>,
        shape: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Self>> {
        let lent = Lent::export(array)?;
        let values = match shape.cast::<PyString>() {
            _ if lent.len() == 0 => Some(Values::Nothing),
            Ok(format) => Kind::of(format.to_str()?).and_then(|kind| Values::of(&lent, kind)),
            Err(_) => parts::values(array, &lent, shape)?,
        };
        Ok(values.map(|values| Self {
            values,
            nulls: lent.nulls(),
            lent,
        }))
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.lent.len()
    }

    /// The object of one row.
    #[inline]
    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        if self.nulls.at(row) {
            return Ok(py.None().into_bound(py));
        }
        self.values.object(py, row)
    }
}

#[pymethods]
impl Column {
    fn __len__(&self) -> usize {
        self.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.list(py)?.try_iter()
    }

    /// The list of all values.
    fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.part(py, 0, self.len())
    }

    /// The list of the values from row `from` to row `to`.
    fn part<'py>(&self, py: Python<'py>, from: usize, to: usize) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for row in from..to.min(self.len()) {
            list.append(self.object(py, row)?)?;
        }
        Ok(list)
    }
}
