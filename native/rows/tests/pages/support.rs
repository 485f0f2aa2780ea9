//! What the tests of pages share.
use arrow_array::ffi::from_ffi_and_data_type;
use arrow_data::ArrayData;
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use ember_abi::ArrowArray;
use ember_rows::pages::{
    Page, PageError, RowPage, Rows, Shape, SparkField, SparkType, ToArrow, ToRows,
};

/// Imports what `ToArrow` exported, as Python would.
pub(crate) fn import(array: ArrowArray, of: DataType) -> ArrayData {
    let mut array = std::mem::ManuallyDrop::new(array);
    let array: *mut ArrowArray = &raw mut *array;
    // SAFETY: the struct is live, and is moved out exactly once.
    let array = unsafe { FFI_ArrowArray::from_raw(array.cast()) };
    // SAFETY: the test names the type the array was made for.
    unsafe { from_ffi_and_data_type(array, of) }.unwrap()
}

/// All columns of `page`, imported.
pub(crate) fn to_arrow(
    fields: &[SparkField],
    page: &[u8],
    rows: usize,
    large: bool,
) -> Result<ArrayData, PageError> {
    let columns = fields.iter().map(|field| field.of.clone()).enumerate();
    let shape = Shape::new(fields.len(), columns.collect()).large(large);
    let array = ToArrow::new(shape)?.convert(&[Rows::new(Page::of(page), rows)])?;
    Ok(import(array, DataType::Struct(arrow_fields(fields, large))))
}

/// The rows of the batch alone.
pub(crate) fn alone(fields: &[SparkField], batch: &ArrayData) -> Result<Vec<u8>, PageError> {
    let mut page = RowPage::default();
    ToRows::alone(fields.to_vec(), false).write(&[], batch, &mut page)?;
    Ok(page.as_slice().to_vec())
}

/// The Arrow fields that Spark gives these types.
pub(crate) fn arrow_fields(fields: &[SparkField], large: bool) -> Fields {
    let field = |(index, field): (usize, &SparkField)| {
        Field::new(format!("c{index}"), arrow(&field.of, large), true)
    };
    fields.iter().enumerate().map(field).collect()
}

fn arrow(of: &SparkType, large: bool) -> DataType {
    match of {
        SparkType::Boolean => DataType::Boolean,
        SparkType::Byte => DataType::Int8,
        SparkType::Short => DataType::Int16,
        SparkType::Int => DataType::Int32,
        SparkType::Long => DataType::Int64,
        SparkType::Float => DataType::Float32,
        SparkType::Double => DataType::Float64,
        SparkType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
        SparkType::String if large => DataType::LargeUtf8,
        SparkType::String => DataType::Utf8,
        SparkType::Binary if large => DataType::LargeBinary,
        SparkType::Binary => DataType::Binary,
        SparkType::Date => DataType::Date32,
        SparkType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        SparkType::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
        SparkType::TimestampLtzNanos => {
            DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
        }
        SparkType::TimestampNtzNanos => DataType::Timestamp(TimeUnit::Nanosecond, None),
        SparkType::Time => DataType::Time64(TimeUnit::Nanosecond),
        SparkType::YearMonth => DataType::Interval(IntervalUnit::YearMonth),
        SparkType::DayTime => DataType::Duration(TimeUnit::Microsecond),
        SparkType::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
        SparkType::Null => DataType::Null,
        SparkType::Variant => {
            let part = SparkField::new(SparkType::Binary, false);
            DataType::Struct(arrow_fields(&[part.clone(), part], large))
        }
        SparkType::Array { element, .. } => DataType::new_list(arrow(element, large), true),
        SparkType::Map { key, value, .. } => {
            let entries = [
                SparkField::new(key.as_ref().clone(), false),
                SparkField::new(value.as_ref().clone(), true),
            ];
            let entries = DataType::Struct(arrow_fields(&entries, large));
            DataType::Map(Field::new("entries", entries, false).into(), false)
        }
        SparkType::Struct(fields) => DataType::Struct(arrow_fields(fields, large)),
        other => panic!("no Arrow type for {other}"),
    }
}
