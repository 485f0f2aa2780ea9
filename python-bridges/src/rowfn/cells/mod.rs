//! Columns of pandas that numpy keeps as objects: made of Arrow buffers, and gathered in them.
//!
//! ```text
//! pa.Array --fill_objects--> numpy's objects --the function--> numpy's objects --gather_objects--> pa.Array
//! ```
//!
//! Text both ways, and decimals on the way back: making them takes Python longer than all the rest. What
//! pyarrow would have to convert, refuse or complain about is left to it: `fill_objects` says false,
//! `gather_objects` gives nothing.

mod decimals;
mod texts;
mod view;

use pyo3::prelude::*;

use super::kind::Kind;
use super::lent::Lent;
use super::results::{Results, array_of};
use super::values::Spans;

use decimals::Decimals;
use view::Cells;

/// Fills `cells`, an array of objects of the same length, with the text of a pyarrow array.
///
/// False if it is for pyarrow to make; the cells hold any objects then.
#[pyfunction]
pub(crate) fn fill_objects(
    array: &Bound<'_, PyAny>,
    format: &str,
    cells: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let lent = Lent::export(array)?;
    let spans = match Kind::of(format) {
        Some(Kind::Text) => Spans::short(&lent),
        Some(Kind::LargeText) => Spans::long(&lent),
        _ => None,
    };
    match (spans, Cells::writable(cells)?) {
        (Some(spans), Some(cells)) if cells.len() == lent.len() => {
            texts::fill(&lent, &spans, &cells)
        }
        _ => Ok(false),
    }
}

/// The objects of `cells` as a pyarrow array of type `of`, which has this format; nothing if one of
/// them is not exactly what the type holds, or one of pandas' nulls.
#[pyfunction]
pub(crate) fn gather_objects<'py>(
    cells: &Bound<'py, PyAny>,
    format: &str,
    of: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(cells) = Cells::readable(cells)? else {
        return Ok(None);
    };
    let gathered = match Kind::of(format) {
        Some(kind @ (Kind::Text | Kind::LargeText)) => {
            texts::gathered(Results::new(kind, cells.len()), &cells).map(|texts| texts.exported())
        }
        Some(Kind::Decimal(precision, scale)) => {
            Decimals::gathered(precision, scale, &cells)?.map(Decimals::into_exported)
        }
        _ => None,
    };
    gathered.map(|exported| array_of(exported, of)).transpose()
}
