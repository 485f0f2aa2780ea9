//! A column of a checked batch, read as Spark's `ArrowColumnVector` reads it.

use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::super::{PageError, SparkField, SparkType};
use super::put::Digits;

/// A column, a field of a struct, or the elements of an array: rows `0..` of it.
#[derive(Debug)]
pub(super) struct Reader<'batch> {
    pub(super) values: Values<'batch>,
    nulls: Option<&'batch NullBuffer>,
    from: usize,
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
            nulls: data.nulls().filter(|nulls| nulls.null_count() > 0),
            from,
            nullable: field.nullable,
        })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self.nulls {
            None => matches!(self.values, Values::Null),
            Some(nulls) => !bit(
                nulls.inner().values(),
                nulls.inner().offset() + self.from + row,
            ),
        }
    }

    pub(super) const fn no_nulls(&self) -> bool {
        self.nulls.is_none() && !matches!(self.values, Values::Null)
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
            (Spark::Array { element, nulls }, Arrow::List(_) | Arrow::LargeList(_)) => {
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

/// Offsets of either width.
#[derive(Debug)]
pub(super) enum Offsets<'batch> {
    /// An empty array may come without any.
    None,
    Short(&'batch [[u8; 4]]),
    Long(&'batch [[u8; 8]]),
}

impl<'batch> Offsets<'batch> {
    fn new(data: &'batch ArrayData, first: usize, len: usize) -> Result<Self, PageError> {
        if len == 0 {
            return Ok(Self::None);
        }
        Ok(match data.data_type() {
            DataType::LargeList(_) | DataType::LargeUtf8 | DataType::LargeBinary => {
                Self::Long(slots(data, 0, first, len + 1)?)
            }
            _ => Self::Short(slots(data, 0, first, len + 1)?),
        })
    }

    /// Where row `row` begins and ends.
    pub(super) fn range(&self, row: usize) -> Result<(usize, usize), PageError> {
        let pair = match self {
            Self::None => None,
            Self::Short(offsets) => offsets.get(row).zip(offsets.get(row + 1)).map(|(a, b)| {
                let wide = |offset: &[u8; 4]| u64::from(u32::from_le_bytes(*offset));
                (wide(a), wide(b))
            }),
            Self::Long(offsets) => offsets
                .get(row)
                .zip(offsets.get(row + 1))
                .map(|(a, b)| (u64::from_le_bytes(*a), u64::from_le_bytes(*b))),
        };
        match pair.map(|(start, end)| (usize::try_from(start), usize::try_from(end))) {
            Some((Ok(start), Ok(end))) if start <= end => Ok((start, end)),
            _ => Err(PageError::Batch("offsets that run backwards")),
        }
    }
}

/// Text or bytes in any of Arrow's forms.
#[derive(Debug)]
pub(super) enum Text<'batch> {
    Offsets(Offsets<'batch>, &'batch [u8]),
    Views(&'batch [[u8; 16]], &'batch [Buffer]),
}

impl<'batch> Text<'batch> {
    fn new(
        of: &SparkType,
        data: &'batch ArrayData,
        first: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        use DataType as Arrow;
        match data.data_type() {
            Arrow::Utf8 | Arrow::Binary | Arrow::LargeUtf8 | Arrow::LargeBinary => {
                let offsets = Offsets::new(data, first, len)?;
                Ok(Self::Offsets(offsets, buffer(data, 1)?))
            }
            Arrow::Utf8View | Arrow::BinaryView => {
                let pieces = data.buffers().get(1..).unwrap_or_default();
                Ok(Self::Views(slots(data, 0, first, len)?, pieces))
            }
            _ => Err(mismatch(of, data)),
        }
    }

    pub(super) fn get(&self, row: usize) -> Result<&'batch [u8], PageError> {
        match self {
            Self::Offsets(offsets, bytes) => {
                let (start, end) = offsets.range(row)?;
                bytes.get(start..end)
            }
            Self::Views(views, pieces) => views.get(row).and_then(|view| look(view, pieces)),
        }
        .ok_or(PageError::Batch("text that lies outside its buffer"))
    }
}

/// Up to twelve bytes lie in the view itself.
fn look<'batch>(view: &'batch [u8; 16], pieces: &'batch [Buffer]) -> Option<&'batch [u8]> {
    let number = |at: usize| {
        let bytes = view.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let len = number(0)?;
    if len <= 12 {
        return view.get(4..4 + len);
    }
    let start = number(12)?;
    pieces.get(number(8)?)?.get(start..start + len)
}

pub(super) fn child(data: &ArrayData, index: usize) -> Result<&ArrayData, PageError> {
    let child = data.child_data().get(index);
    child.ok_or(PageError::Batch("a child is missing"))
}

pub(super) fn bit(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8)
        .is_some_and(|byte| byte & (1 << (at % 8)) != 0)
}

fn buffer(data: &ArrayData, index: usize) -> Result<&[u8], PageError> {
    let buffer = data.buffers().get(index).map(Buffer::as_slice);
    buffer.ok_or(PageError::Batch("a buffer is missing"))
}

/// Values `first..first + len` of `W` bytes each.
fn slots<const W: usize>(
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

fn mismatch(of: &SparkType, data: &ArrayData) -> PageError {
    PageError::Mismatch {
        declared: of.to_string(),
        returned: data.data_type().to_string(),
    }
}
