//! Offsets, and text or bytes in any of Arrow's forms.

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;

use super::super::{PageError, SparkType};
use super::reader::{buffer, mismatch, slots};

/// Offsets of either width.
#[derive(Debug)]
pub(super) enum Offsets<'batch> {
    /// An empty array may come without any.
    None,
    Short(&'batch [[u8; 4]]),
    Long(&'batch [[u8; 8]]),
}

impl<'batch> Offsets<'batch> {
    pub(super) fn new(
        data: &'batch ArrayData,
        first: usize,
        len: usize,
    ) -> Result<Self, PageError> {
        if len == 0 {
            return Ok(Self::None);
        }
        Ok(match data.data_type() {
            DataType::LargeUtf8 | DataType::LargeBinary => {
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
    pub(super) fn new(
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
