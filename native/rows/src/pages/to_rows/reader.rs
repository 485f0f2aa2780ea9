//! A column of a checked batch, read as Spark's `ArrowColumnVector` reads it.

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::super::{PageError, SparkField, SparkType};
use super::put::Digits;
use super::text::{Offsets, Text};

/// A column, a field of a struct, or the elements of an array: rows `0..` of it.
#[derive(Debug)]
pub(super) struct Reader<'batch> {
    pub(super) values: Values<'batch>,
    /// A bit for each row that is there, and which bit is row 0's; `None` where all are.
    valid: Option<(&'batch [u8], usize)>,
    pub(super) nullable: bool,
}

/// The values behind the null bits.
#[derive(Debug)]
pub(super) enum Values<'batch> {
    Null,
    Boolean { bits: &'batch [u8], from: usize },
    One(&'batch [[u8; 1]]),
    Two(&'batch [[u8; 2]]),
    Four(&'batch [[u8; 4]]),
    Eight(&'batch [[u8; 8]]),
    Nanos(&'batch [[u8; 8]]),
    Decimal(&'batch [[u8; 16]], Digits),
    Interval(&'batch [[u8; 16]]),
    Text(Text<'batch>),
    Variant(Text<'batch>, Text<'batch>),
    Array(Offsets<'batch>, Box<Elements<'batch>>),
    Map(Offsets<'batch>, Box<[Elements<'batch>; 2]>),
    Struct(Vec<Reader<'batch>>),
}

/// The elements of all arrays of a column, and how wide they are packed in a row.
#[derive(Debug)]
pub(super) struct Elements<'batch> {
    pub(super) reader: Reader<'batch>,
    pub(super) width: usize,
}

impl<'batch> Reader<'batch> {
    /// Rows `from..from + len` of `data`, which must be of the field's type.
    pub(super) fn new(
        field: &SparkField,
        data: &'batch ArrayData,
        from: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        if from.checked_add(len).is_none_or(|end| end > data.len()) {
            return Err(PageError::Batch("a column is shorter than its batch"));
        }
        let first = data.offset() + from;
        Ok(Self {
            values: Values::new(&field.of, data, first, len)?,
            valid: data
                .nulls()
                .filter(|nulls| nulls.null_count() > 0)
                .map(|nulls| (nulls.validity(), nulls.offset() + from)),
            nullable: field.nullable,
        })
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self.valid {
            None => matches!(self.values, Values::Null),
            Some((bits, first)) => !bit(bits, first + row),
        }
    }

    pub(super) const fn no_nulls(&self) -> bool {
        self.valid.is_none() && !matches!(self.values, Values::Null)
    }
}

impl<'batch> Values<'batch> {
    fn new(
        of: &SparkType,
        data: &'batch ArrayData,
        first: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        use DataType as Arrow;
        use SparkType as Spark;
        Ok(match (of, data.data_type()) {
            (Spark::Null, Arrow::Null) => Self::Null,
            (Spark::Boolean, Arrow::Boolean) => Self::Boolean {
                bits: buffer(data, 0)?,
                from: first,
            },
            (Spark::Byte, Arrow::Int8) => Self::One(slots(data, 0, first, len)?),
            (Spark::Short, Arrow::Int16) => Self::Two(slots(data, 0, first, len)?),
            (Spark::Int, Arrow::Int32)
            | (Spark::Float, Arrow::Float32)
            | (Spark::Date, Arrow::Date32)
            | (Spark::YearMonth, Arrow::Interval(IntervalUnit::YearMonth)) => {
                Self::Four(slots(data, 0, first, len)?)
            }
            (Spark::Long, Arrow::Int64)
            | (Spark::Double, Arrow::Float64)
            | (Spark::Timestamp, Arrow::Timestamp(TimeUnit::Microsecond, Some(_)))
            | (Spark::TimestampNtz, Arrow::Timestamp(TimeUnit::Microsecond, None))
            | (Spark::Time, Arrow::Time64(TimeUnit::Nanosecond))
            | (Spark::DayTime, Arrow::Duration(TimeUnit::Microsecond)) => {
                Self::Eight(slots(data, 0, first, len)?)
            }
            (Spark::TimestampLtzNanos, Arrow::Timestamp(TimeUnit::Nanosecond, Some(_)))
            | (Spark::TimestampNtzNanos, Arrow::Timestamp(TimeUnit::Nanosecond, None)) => {
                Self::Nanos(slots(data, 0, first, len)?)
            }
            (Spark::Decimal { precision, scale }, Arrow::Decimal128(digits, behind))
                if precision == digits && scale == behind =>
            {
                Self::Decimal(slots(data, 0, first, len)?, Digits::new(*precision))
            }
            (Spark::Interval, Arrow::Interval(IntervalUnit::MonthDayNano)) => {
                Self::Interval(slots(data, 0, first, len)?)
            }
            (Spark::String | Spark::Binary, _) => Self::Text(Text::new(of, data, first, len)?),
            _ => return Self::nested(of, data, first, len),
        })
    }

    fn nested(
        of: &SparkType,
        data: &'batch ArrayData,
        first: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        use DataType as Arrow;
        use SparkType as Spark;
        Ok(match (of, data.data_type()) {
            (Spark::Array { element, nulls }, Arrow::List(_)) => {
                let elements = child(data, 0)?;
                let elements = Elements::new(element, *nulls, elements, 0, elements.len())?;
                Self::Array(Offsets::new(data, first, len)?, Box::new(elements))
            }
            (Spark::Map { key, value, nulls }, Arrow::Map(_, _)) => {
                let entries = child(data, 0)?;
                let (from, len_of) = (entries.offset(), entries.len());
                let keys = Elements::new(key, false, child(entries, 0)?, from, len_of)?;
                let values = Elements::new(value, *nulls, child(entries, 1)?, from, len_of)?;
                let offsets = Offsets::new(data, first, len)?;
                Self::Map(offsets, Box::new([keys, values]))
            }
            (Spark::Struct(fields), Arrow::Struct(_))
                if fields.len() == data.child_data().len() =>
            {
                let columns = data.child_data().iter().zip(fields);
                let columns = columns.map(|(column, field)| Reader::new(field, column, first, len));
                Self::Struct(columns.collect::<Result<_, _>>()?)
            }
            (Spark::Variant, Arrow::Struct(_)) => {
                let (value, metadata) = (child(data, 0)?, child(data, 1)?);
                let at = |data: &ArrayData| data.offset() + first;
                Self::Variant(
                    Text::new(of, value, at(value), len)?,
                    Text::new(of, metadata, at(metadata), len)?,
                )
            }
            _ => return Err(mismatch(of, data)),
        })
    }
}

impl<'batch> Elements<'batch> {
    fn new(
        of: &SparkType,
        nulls: bool,
        data: &'batch ArrayData,
        from: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        let field = SparkField::new(of.clone(), nulls);
        Ok(Self {
            reader: Reader::new(&field, data, from, len)?,
            width: of.element_width(),
        })
    }
}

pub(super) fn child(data: &ArrayData, index: usize) -> Result<&ArrayData, PageError> {
    let child = data.child_data().get(index);
    child.ok_or(PageError::Batch("a child is missing"))
}

pub(super) fn bit(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8)
        .is_some_and(|byte| byte & (1 << (at % 8)) != 0)
}

pub(super) fn buffer(data: &ArrayData, index: usize) -> Result<&[u8], PageError> {
    let buffer = data.buffers().get(index).map(Buffer::as_slice);
    buffer.ok_or(PageError::Batch("a buffer is missing"))
}

/// Values `first..first + len` of `W` bytes each.
pub(super) fn slots<const W: usize>(
    data: &ArrayData,
    index: usize,
    first: usize,
    len: usize,
) -> Result<&[[u8; W]], PageError> {
    if len == 0 {
        return Ok(&[]);
    }
    let (all, _) = buffer(data, index)?.as_chunks();
    all.get(first..first + len)
        .ok_or(PageError::Batch("a buffer is shorter than its array"))
}

pub(super) fn mismatch(of: &SparkType, data: &ArrayData) -> PageError {
    PageError::Mismatch {
        declared: of.to_string(),
        returned: data.data_type().to_string(),
    }
}
