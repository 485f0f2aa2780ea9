//! What results of a declared type are gathered in, as `ember_worker.rowfn.formats` writes it.
//!
//! ```text
//! "l" | ("list", element, nulls) | ("map", key, value, nulls) | ("struct", ((name, field, nulls), ...))
//! ```

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::kind::Kind;
use super::nested::{Lists, Maps, Structs};
use super::results::{Results, Values};

/// Empty results of this shape, for at most `rows`; nothing if there is no such shape.
pub(super) fn results(shape: &Bound<'_, PyAny>, rows: usize) -> Option<Results> {
    column(shape, true, rows)
}

fn column(shape: &Bound<'_, PyAny>, nullable: bool, rows: usize) -> Option<Results> {
    if let Ok(format) = shape.cast_exact::<PyString>() {
        let kind = Kind::of(format.to_str().ok()?)?;
        return Some(Results::new(kind, rows).with_nulls(nullable));
    }
    let parts = shape.cast_exact::<PyTuple>().ok()?;
    let name: String = part(parts, 0)?.extract().ok()?;
    let flag = |index| part(parts, index)?.extract::<bool>().ok();
    let inner = |index, nulls| column(&part(parts, index)?, nulls, 0);
    let values = match name.as_str() {
        "list" => Values::Lists(Lists::new(inner(1, flag(2)?)?)),
        "map" => Values::Maps(Maps::new(inner(1, false)?, inner(2, flag(3)?)?)),
        "struct" => Values::Structs(fields(&part(parts, 1)?, rows)?),
        _ => return None,
    };
    Some(Results::of_parts(values).with_nulls(nullable))
}

fn fields(shape: &Bound<'_, PyAny>, rows: usize) -> Option<Structs> {
    let (mut names, mut fields) = (Vec::new(), Vec::new());
    for field in shape.cast_exact::<PyTuple>().ok()? {
        let field = field.cast_exact::<PyTuple>().ok()?;
        names.push(part(field, 0)?.cast_into::<PyString>().ok()?.unbind());
        let nulls = part(field, 2)?.extract().ok()?;
        fields.push(column(&part(field, 1)?, nulls, rows)?);
    }
    Some(Structs::new(names, fields))
}

fn part<'py>(of: &Bound<'py, PyTuple>, index: usize) -> Option<Bound<'py, PyAny>> {
    of.get_item(index).ok()
}
