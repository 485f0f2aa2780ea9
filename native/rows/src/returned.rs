//! What Python gave back, checked before the JVM reads a byte of it.
//!
//! The C Data Interface carries no buffer sizes, so the Python side has already compared each
//! buffer with its array (`RecordBatch.validate`); here the *contents* that lead to other memory are
//! checked: offsets, views, lengths. Text is not checked for UTF-8, because Spark takes any bytes.
//! The layout written for the JVM has no offsets left: slices are applied, odd bitmaps are copied.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_data::ffi::FFI_ArrowArray;
use arrow_data::transform::MutableArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit};
use ember_abi::{ArrowArray, ArrowSchema};

use crate::RowsError;
use crate::as_read::{as_read, changes};
use crate::gathered::Checked;

/// The type of a session's output batches, as it is checked: text as bytes, everything nullable.
///
/// A type that Spark's reader refuses has none: Spark is to say so, and its batches are empty here.
#[derive(Debug, Clone)]
pub struct ReturnedSchema(Option<DataType>);

impl ReturnedSchema {
    /// Takes the exported schema of a record batch and releases it.
    ///
    /// # Safety
    ///
    /// `schema` must be a live struct of the C Data Interface, and is empty afterwards.
    pub unsafe fn take(schema: *mut ArrowSchema) -> Result<Self, RowsError> {
        // SAFETY: live by this function's contract; `from_raw` moves it out and leaves it empty.
        let schema = unsafe { FFI_ArrowSchema::from_raw(schema.cast()) };
        match readable(&DataType::try_from(&schema)?) {
            Ok(of) => Ok(Self(Some(of))),
            Err(RowsError::Carried(_)) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }

    /// Checks the next batch of this type.
    ///
    /// # Safety
    ///
    /// `array` must be a live struct of the C Data Interface exported with this schema, whose
    /// buffers are as long as its lengths say. It is empty afterwards.
    pub unsafe fn check(&self, array: *mut ArrowArray) -> Result<Checked, RowsError> {
        // SAFETY: live by this function's contract; `from_raw` moves it out and leaves it empty.
        let array = unsafe { FFI_ArrowArray::from_raw(array.cast()) };
        let Some(of) = &self.0 else {
            return Ok(Checked(ArrayData::new_empty(&DataType::Struct(
                Fields::empty(),
            ))));
        };
        let DataType::Struct(fields) = of else {
            return Err(RowsError::Carried(of.to_string()));
        };
        same_shape(&array, fields)?;
        // SAFETY: exported with this schema, and of the shape just compared.
        let mut data = unsafe { from_ffi_and_data_type(array, of.clone()) }?;
        if changes(of) {
            data = as_read(data)?;
        }
        check_contents(&data)?;
        Ok(Checked(data))
    }
}

/// A checked output batch and the layout that leads to it.
#[derive(Debug)]
pub struct Returned {
    /// `rows, columns` and the columns' records; the first entry of the JVM's copy is the handle.
    layout: Vec<i64>,
    /// Bytes behind the layout.
    bytes: u64,
    data: ArrayData,
    /// Of Python's.
    batches: usize,
    _copies: Vec<Buffer>,
}

impl Returned {
    /// The layout; its addresses stay valid for as long as this value lives.
    pub fn layout(&self) -> &[i64] {
        &self.layout
    }

    /// The checked batch itself, a struct array.
    pub const fn data(&self) -> &ArrayData {
        &self.data
    }

    /// How many batches of Python's these are.
    pub const fn batches(&self) -> usize {
        self.batches
    }

    /// Bytes of all buffers.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lays a batch out that was checked, or is our own; `batches` of Python's are in it.
    pub fn lay_out(data: ArrayData, batches: usize) -> Result<Self, RowsError> {
        let mut writer = Writer::default();
        writer.count(data.len());
        writer.count(data.child_data().len());
        for column in data.child_data() {
            writer.column(column, data.offset(), data.len())?;
        }
        let Writer {
            layout,
            bytes,
            copies,
        } = writer;
        Ok(Self {
            layout,
            bytes,
            data,
            batches,
            _copies: copies,
        })
    }
}

#[derive(Default)]
struct Writer {
    layout: Vec<i64>,
    bytes: u64,
    copies: Vec<Buffer>,
}

impl Writer {
    /// Writes the record of rows `from..from + len` of `data`, then of its children.
    fn column(&mut self, data: &ArrayData, from: usize, len: usize) -> Result<(), RowsError> {
        let nulls = data.nulls().map(|nulls| nulls.slice(from, len));
        let first = data.offset() + from;
        let rows = first..first + len;
        self.count(len);
        self.count(nulls.as_ref().map_or(0, NullBuffer::null_count));
        match data.data_type() {
            DataType::Null => self.shape(0, 0),
            DataType::Boolean => {
                self.shape(2, 0);
                self.validity(nulls.as_ref());
                let values = BooleanBuffer::new(buffer(data, 0)?.clone(), first, len);
                self.bits(&values);
            }
            DataType::Binary | DataType::Utf8 => self.variable(data, nulls.as_ref(), rows, 4)?,
            DataType::LargeBinary | DataType::LargeUtf8 => {
                self.variable(data, nulls.as_ref(), rows, 8)?;
            }
            DataType::BinaryView | DataType::Utf8View => {
                self.shape(1 + data.buffers().len(), 0);
                self.validity(nulls.as_ref());
                self.slice(buffer(data, 0)?, first * 16, len * 16)?;
                for variadic in data.buffers().iter().skip(1) {
                    self.slice(variadic, 0, variadic.len())?;
                }
            }
            DataType::List(_) | DataType::Map(_, _) => self.list(data, nulls.as_ref(), rows, 4)?,
            DataType::LargeList(_) => self.list(data, nulls.as_ref(), rows, 8)?,
            DataType::FixedSizeList(_, size) => {
                let size = usize::try_from(*size).unwrap_or(0);
                self.shape(1, 1);
                self.validity(nulls.as_ref());
                self.column(child(data, 0)?, first * size, len * size)?;
            }
            DataType::Struct(fields) => {
                self.shape(1, fields.len());
                self.validity(nulls.as_ref());
                for column in data.child_data() {
                    self.column(column, first, len)?;
                }
            }
            other => {
                let width = width(other)?;
                self.shape(2, 0);
                self.validity(nulls.as_ref());
                self.slice(buffer(data, 0)?, first * width, len * width)?;
            }
        }
        Ok(())
    }

    fn variable(
        &mut self,
        data: &ArrayData,
        nulls: Option<&NullBuffer>,
        rows: Range<usize>,
        width: usize,
    ) -> Result<(), RowsError> {
        self.shape(3, 0);
        self.validity(nulls);
        self.offsets(data, rows, width)?;
        let bytes = buffer(data, 1)?;
        self.slice(bytes, 0, bytes.len())
    }

    fn list(
        &mut self,
        data: &ArrayData,
        nulls: Option<&NullBuffer>,
        rows: Range<usize>,
        width: usize,
    ) -> Result<(), RowsError> {
        self.shape(2, 1);
        self.validity(nulls);
        self.offsets(data, rows, width)?;
        let values = child(data, 0)?;
        self.column(values, 0, values.len())
    }

    /// An empty array may come without offsets; its one offset is then 0.
    fn offsets(
        &mut self,
        data: &ArrayData,
        rows: Range<usize>,
        width: usize,
    ) -> Result<(), RowsError> {
        let offsets = buffer(data, 0)?;
        if offsets.is_empty() {
            return self.copied(Buffer::from_vec(vec![0_u64]), width);
        }
        self.slice(offsets, rows.start * width, (rows.len() + 1) * width)
    }

    fn validity(&mut self, nulls: Option<&NullBuffer>) {
        match nulls {
            Some(nulls) if nulls.null_count() > 0 => self.bits(nulls.inner()),
            _ => self.pair(0, 0),
        }
    }

    /// A bitmap, copied when its first bit is not the first of a byte.
    fn bits(&mut self, bits: &BooleanBuffer) {
        let bytes = bits.len().div_ceil(8);
        if bits.offset().is_multiple_of(8) {
            let start = bits.values().as_ptr().wrapping_add(bits.offset() / 8);
            self.pair(start.expose_provenance(), bytes);
        } else {
            let copy = bits.sliced();
            self.pair(copy.as_ptr().expose_provenance(), bytes);
            self.copies.push(copy);
        }
    }

    fn slice(&mut self, buffer: &Buffer, start: usize, len: usize) -> Result<(), RowsError> {
        let end = start.checked_add(len).filter(|end| *end <= buffer.len());
        if end.is_none() {
            return Err(RowsError::Layout("a slice past the end of its buffer"));
        }
        self.pair(buffer.as_ptr().wrapping_add(start).expose_provenance(), len);
        Ok(())
    }

    fn copied(&mut self, copy: Buffer, len: usize) -> Result<(), RowsError> {
        self.slice(&copy, 0, len)?;
        self.copies.push(copy);
        Ok(())
    }

    fn shape(&mut self, buffers: usize, children: usize) {
        self.count(buffers);
        self.count(children);
    }

    fn pair(&mut self, address: usize, len: usize) {
        self.count(address);
        self.count(len);
        self.bytes += len as u64;
    }

    fn count(&mut self, count: usize) {
        self.layout.push(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

fn buffer(data: &ArrayData, index: usize) -> Result<&Buffer, RowsError> {
    data.buffers()
        .get(index)
        .ok_or(RowsError::Layout("a buffer is missing"))
}

fn child(data: &ArrayData, index: usize) -> Result<&ArrayData, RowsError> {
    data.child_data()
        .get(index)
        .ok_or(RowsError::Layout("a child is missing"))
}

fn width(of: &DataType) -> Result<usize, RowsError> {
    match of {
        DataType::FixedSizeBinary(size) => Ok(usize::try_from(*size).unwrap_or(0)),
        other => other
            .primitive_width()
            .ok_or_else(|| RowsError::Carried(other.to_string())),
    }
}

/// The rows of a checked batch in memory of ours.
pub(crate) fn copied(data: &ArrayData) -> Result<ArrayData, RowsError> {
    let mut copy = MutableArrayData::new(vec![data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    Ok(copy.freeze())
}

/// Offsets, views and lengths lead to memory that is there; in children too.
fn check_contents(data: &ArrayData) -> Result<(), RowsError> {
    data.validate()?;
    data.validate_values()?;
    data.child_data().iter().try_for_each(check_contents)
}

/// `from_ffi` asserts what is compared here: a wrong number of children must be an error instead.
fn same_shape(array: &FFI_ArrowArray, fields: &Fields) -> Result<(), RowsError> {
    if array.num_children() != fields.len() {
        return Err(RowsError::Layout("columns and schema differ in number"));
    }
    for (index, field) in fields.iter().enumerate() {
        same_child_shape(array.child(index), field)?;
    }
    Ok(())
}

fn same_child_shape(array: &FFI_ArrowArray, field: &Field) -> Result<(), RowsError> {
    match field.data_type() {
        DataType::Struct(fields) => same_shape(array, fields),
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::FixedSizeList(inner, _)
        | DataType::Map(inner, _) => {
            if array.num_children() != 1 {
                return Err(RowsError::Layout("a list without its one child"));
            }
            same_child_shape(array.child(0), inner)
        }
        _ => Ok(()),
    }
}

/// The type as it is checked and laid out, or the refusal of a type Spark cannot read.
fn readable(of: &DataType) -> Result<DataType, RowsError> {
    Ok(match of {
        DataType::Utf8 => DataType::Binary,
        DataType::LargeUtf8 => DataType::LargeBinary,
        DataType::Utf8View => DataType::BinaryView,
        DataType::List(field) => DataType::List(readable_field(field)?),
        DataType::LargeList(field) => DataType::LargeList(readable_field(field)?),
        DataType::FixedSizeList(field, size) => {
            DataType::FixedSizeList(readable_field(field)?, *size)
        }
        DataType::Map(field, sorted) => DataType::Map(readable_entries(field)?, *sorted),
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(readable_field)
                .collect::<Result<_, _>>()?,
        ),
        DataType::ListView(field) => DataType::ListView(readable_field(field)?),
        DataType::Union(_, _)
        | DataType::RunEndEncoded(_, _)
        | DataType::LargeListView(_)
        | DataType::Interval(IntervalUnit::DayTime) => {
            return Err(RowsError::Carried(of.to_string()));
        }
        other => other.clone(),
    })
}

/// The entries of a map, whose keys may not be nullable in any schema.
fn readable_entries(entries: &FieldRef) -> Result<FieldRef, RowsError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(RowsError::Carried(entries.data_type().to_string()));
    };
    let fields = fields.iter().enumerate().map(|(index, field)| {
        let of = readable(field.data_type())?;
        Ok::<FieldRef, RowsError>(Arc::new(Field::new(field.name(), of, index > 0)))
    });
    let of = DataType::Struct(fields.collect::<Result<_, _>>()?);
    Ok(Arc::new(Field::new(entries.name(), of, false)))
}

fn readable_field(field: &FieldRef) -> Result<FieldRef, RowsError> {
    Ok(Arc::new(Field::new(
        field.name(),
        readable(field.data_type())?,
        // Checked nowhere here, but a map whose entries or keys could be null has no valid layout.
        field.is_nullable(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, MapBuilder, StringBuilder};
    use arrow_array::ffi::to_ffi;
    use arrow_array::{
        Array, ArrayRef, BooleanArray, Int64Array, LargeStringArray, RecordBatch, StringArray,
        StructArray,
    };

    fn checked(batch: &RecordBatch) -> Result<Returned, RowsError> {
        let data = StructArray::from(batch.clone()).into_data();
        let (array, schema) = to_ffi(&data).unwrap();
        let (mut array, mut schema) = (
            std::mem::ManuallyDrop::new(array),
            std::mem::ManuallyDrop::new(schema),
        );
        let schema: *mut FFI_ArrowSchema = &raw mut *schema;
        let array: *mut FFI_ArrowArray = &raw mut *array;
        // SAFETY: both were just exported, and are moved out exactly once.
        let schema = unsafe { ReturnedSchema::take(schema.cast()) }?;
        // SAFETY: as above; exported with this schema.
        unsafe { schema.check(array.cast()) }?.copied()
    }

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn longs(address: i64, count: usize) -> Vec<i64> {
        let address: *const i64 =
            std::ptr::with_exposed_provenance(usize::try_from(address).unwrap());
        // SAFETY: the layout's address leads to `count` longs of a live batch.
        unsafe { std::slice::from_raw_parts(address, count) }.to_vec()
    }

    #[test]
    fn a_slice_is_laid_out_from_its_first_row() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
        let returned = checked(&batch(vec![("a", column)]).slice(1, 2)).unwrap();
        let layout = returned.layout();
        assert_eq!(layout[..6], [2, 1, 2, 0, 2, 0]);
        assert_eq!(layout[6..8], [0, 0]);
        assert_eq!((longs(layout[8], 2), layout[9]), (vec![2, 3], 16));
    }

    #[test]
    fn odd_bitmaps_are_copied_to_whole_bytes() {
        let values = vec![Some(true), None, Some(false), Some(true), None];
        let column: ArrayRef = Arc::new(BooleanArray::from(values));
        let returned = checked(&batch(vec![("a", column)]).slice(1, 4)).unwrap();
        let layout = returned.layout();
        assert_eq!(layout[2..6], [4, 2, 2, 0]);
        let byte = |address: i64| {
            let address: *const u8 =
                std::ptr::with_exposed_provenance(usize::try_from(address).unwrap());
            // SAFETY: a bitmap of four rows has one byte.
            unsafe { *address }
        };
        assert_eq!(
            (byte(layout[6]) & 0xF, byte(layout[8]) & 0b0110),
            (0b0110, 0b0100)
        );
    }

    #[test]
    fn nested_and_empty_columns_have_a_layout() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("x"), None]);
        lists.append_null();
        let lists: ArrayRef = Arc::new(lists.finish());
        let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["é", "y"]));
        let whole = batch(vec![("l", lists), ("s", large)]);
        assert_eq!(checked(&whole).unwrap().layout()[..2], [2, 2]);
        assert_eq!(checked(&whole.slice(0, 0)).unwrap().layout()[..2], [0, 2]);
    }

    #[test]
    fn a_map_whose_keys_are_not_nullable_passes() {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        maps.keys().append_value("k");
        maps.values().append_null();
        maps.append(true).unwrap();
        maps.append(false).unwrap();
        let maps: ArrayRef = Arc::new(maps.finish());
        assert_eq!(
            checked(&batch(vec![("m", maps)])).unwrap().layout()[..2],
            [2, 1]
        );
    }

    #[test]
    fn text_that_is_not_utf8_passes() {
        let bytes = Buffer::from_slice_ref([0xFF_u8, 0xFE]);
        // SAFETY: deliberately not UTF-8; nothing in this test reads it as text.
        let data = unsafe {
            ArrayData::builder(DataType::Utf8)
                .len(1)
                .add_buffer(Buffer::from_vec(vec![0_i32, 2]))
                .add_buffer(bytes)
                .build_unchecked()
        };
        let column: ArrayRef = Arc::new(StringArray::from(data));
        assert!(checked(&batch(vec![("s", column)])).is_ok());
    }

    #[test]
    fn offsets_that_lead_nowhere_are_refused() {
        // SAFETY: deliberately wrong; only the check under test reads it.
        let data = unsafe {
            ArrayData::builder(DataType::Utf8)
                .len(2)
                .add_buffer(Buffer::from_vec(vec![0_i32, 1_000_000, 5]))
                .add_buffer(Buffer::from_slice_ref([0_u8; 5]))
                .build_unchecked()
        };
        let fields = Fields::from(vec![Field::new("s", DataType::Utf8, true)]);
        // SAFETY: as above.
        let data = unsafe {
            ArrayData::builder(DataType::Struct(fields))
                .len(2)
                .add_child_data(data)
                .build_unchecked()
        };
        let (array, schema) = to_ffi(&data).unwrap();
        let (mut array, mut schema) = (
            std::mem::ManuallyDrop::new(array),
            std::mem::ManuallyDrop::new(schema),
        );
        let schema: *mut FFI_ArrowSchema = &raw mut *schema;
        let array: *mut FFI_ArrowArray = &raw mut *array;
        // SAFETY: both were just exported, and are moved out exactly once.
        let schema = unsafe { ReturnedSchema::take(schema.cast()) }.unwrap();
        // SAFETY: as above; exported with this schema.
        let refused = unsafe { schema.check(array.cast()) };
        assert!(matches!(refused, Err(RowsError::Malformed(_))));
    }
}
