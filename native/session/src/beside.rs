//! Columns of an input, and the results that belong to its rows.

use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};
use ember_rows::Returned;
use ember_rows::pages::PageError;

/// One batch of both, for the JVM. Each column of `before` has as many rows as `results`.
pub(crate) fn shown(before: Vec<ArrayData>, results: &Returned) -> Result<Returned, PageError> {
    let joined = beside(before, results.data());
    Returned::lay_out(joined, results.batches())
        .map_err(|_| PageError::Batch("its columns cannot be shown beside the input's"))
}

/// The same as an array.
pub(crate) fn beside(before: Vec<ArrayData>, results: &ArrayData) -> ArrayData {
    let (first, rows) = (results.offset(), results.len());
    let mut columns = before;
    let after = results.child_data().iter();
    columns.extend(after.map(|column| column.slice(first, rows)));
    side_by_side(columns, rows)
}

/// One array of columns that have `rows` rows each.
pub(crate) fn side_by_side(columns: Vec<ArrayData>, rows: usize) -> ArrayData {
    let fields = columns
        .iter()
        .map(|column| Field::new("", column.data_type().clone(), true));
    let joined = ArrayData::builder(DataType::Struct(fields.collect())).len(rows);
    // SAFETY: the fields were made of the columns, each of which has the same rows.
    unsafe { joined.child_data(columns).build_unchecked() }
}
