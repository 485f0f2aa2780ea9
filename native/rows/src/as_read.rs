//! Forms of Arrow's that Spark's reader shows as something simpler: a dictionary as its indices,
//! and a list whose rows stand anywhere (a view) as any other list.

use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{DataType, FieldRef, Fields};

use crate::RowsError;

/// Whether a column of this type is shown in another form, or has one inside that is.
pub(crate) fn changes(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, _) | DataType::ListView(_) => true,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => changes(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| changes(field.data_type())),
        _ => false,
    }
}

/// The same values, as Spark shows them.
pub(crate) fn as_read(data: ArrayData) -> Result<ArrayData, RowsError> {
    if !changes(data.data_type()) {
        return Ok(data);
    }
    match data.data_type().clone() {
        DataType::Dictionary(index, _) => Ok(data
            .into_builder()
            .data_type(*index)
            .child_data(Vec::new())
            .build()?),
        DataType::ListView(field) => list(&data, &field),
        of => {
            let children = data.child_data().iter().cloned().map(as_read);
            let children = children.collect::<Result<Vec<_>, _>>()?;
            let of = around(&of, &children)?;
            let builder = data.into_builder().data_type(of).child_data(children);
            Ok(builder.build()?)
        }
    }
}

/// The nested type with the children's types as they are now.
fn around(of: &DataType, children: &[ArrayData]) -> Result<DataType, RowsError> {
    let only = |field: &FieldRef| {
        let child = children.first();
        let child = child.ok_or(RowsError::Layout("a list without its one child"))?;
        Ok::<FieldRef, RowsError>(retyped(field, child))
    };
    Ok(match of {
        DataType::List(field) => DataType::List(only(field)?),
        DataType::LargeList(field) => DataType::LargeList(only(field)?),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(only(field)?, *size),
        DataType::Map(field, sorted) => DataType::Map(only(field)?, *sorted),
        DataType::Struct(fields) => {
            let fields = fields.iter().zip(children);
            DataType::Struct(
                fields
                    .map(|(field, child)| retyped(field, child))
                    .collect::<Fields>(),
            )
        }
        other => other.clone(),
    })
}

fn retyped(field: &FieldRef, child: &ArrayData) -> FieldRef {
    Arc::new(
        field
            .as_ref()
            .clone()
            .with_data_type(child.data_type().clone()),
    )
}

/// A list view as a list: its rows in order, each copied from where it stands.
fn list(data: &ArrayData, field: &FieldRef) -> Result<ArrayData, RowsError> {
    let [starts, sizes] = data.buffers() else {
        return Err(RowsError::Layout("a list view without its two buffers"));
    };
    let child = data.child_data().first();
    let child = child.ok_or(RowsError::Layout("a list without its one child"))?;
    let child = as_read(child.clone())?;
    child.validate_full()?;
    let rows = data.offset()..data.offset() + data.len();
    let starts = starts.typed_data::<i32>().get(rows.clone());
    let sizes = sizes.typed_data::<i32>().get(rows);
    let (Some(starts), Some(sizes)) = (starts, sizes) else {
        return Err(RowsError::Layout("a list view shorter than its rows"));
    };
    let mut values = MutableArrayData::new(vec![&child], true, child.len());
    let mut ends = vec![0_i32];
    for (row, (start, size)) in starts.iter().zip(sizes).enumerate() {
        if data.is_valid(row) {
            let (start, end) = span(*start, *size, child.len())?;
            values.try_extend(0, start, end)?;
        }
        let end = i32::try_from(values.len());
        ends.push(end.map_err(|_| RowsError::Layout("a list of too many values"))?);
    }
    let builder = ArrayData::builder(DataType::List(retyped(field, &child)))
        .len(data.len())
        .nulls(data.nulls().cloned())
        .add_buffer(Buffer::from_vec(ends))
        .add_child_data(values.freeze());
    Ok(builder.build()?)
}

fn span(start: i32, size: i32, values: usize) -> Result<(usize, usize), RowsError> {
    let (start, size) = (usize::try_from(start), usize::try_from(size));
    match (start, size) {
        (Ok(start), Ok(size)) if start + size <= values => Ok((start, start + size)),
        _ => Err(RowsError::Layout(
            "a list view that leads out of its values",
        )),
    }
}
