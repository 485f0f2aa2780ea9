//! How many bytes each value takes behind the slots.

use super::super::PageError;
use super::super::page::fixed_width;
use super::input::round;
use super::put::{at, minimal};
use super::reader::{Elements, Reader, Values};
use super::text::{Offsets, Text};

impl Reader<'_> {
    /// Adds what the rows from `first` on need to the sizes of their rows.
    pub(super) fn add_tails(&self, first: usize, sizes: &mut [usize]) -> Result<(), PageError> {
        match &self.values {
            values if values.in_slot() => {}
            Values::Text(Text::Offsets(Offsets::Short(offsets), _)) => {
                let offsets = offsets.get(first..).unwrap_or_default().iter();
                let mut ends = offsets.map(|offset| u32::from_le_bytes(*offset));
                let mut start = ends.next().unwrap_or(0);
                let nulls = !self.no_nulls();
                for (row, (size, end)) in sizes.iter_mut().zip(ends).enumerate() {
                    let len = round(end.wrapping_sub(start) as usize);
                    *size += if nulls && self.is_null(first + row) {
                        0
                    } else {
                        len
                    };
                    start = end;
                }
            }
            _ => {
                for (index, size) in sizes.iter_mut().enumerate() {
                    *size += self.tail(first + index)?;
                }
            }
        }
        Ok(())
    }

    /// Bytes behind the slot of a row.
    fn tail(&self, row: usize) -> Result<usize, PageError> {
        match &self.values {
            Values::Decimal(_, digits) if !digits.in_slot() => Ok(16),
            Values::Interval(_) | Values::Nanos(_) => Ok(16),
            _ if self.is_null(row) => Ok(0),
            _ => self.size(row),
        }
    }

    /// Bytes outside the packed elements of an array.
    fn element_tail(&self, row: usize) -> Result<usize, PageError> {
        match &self.values {
            _ if self.is_null(row) => Ok(0),
            Values::Interval(_) | Values::Nanos(_) => Ok(16),
            Values::Decimal(values, digits) => {
                let (_, first) = minimal(digits.check(*at(values, row)?)?);
                Ok(round(16 - first))
            }
            _ => self.size(row),
        }
    }

    /// Bytes of a value that is there and has no other form in arrays.
    fn size(&self, row: usize) -> Result<usize, PageError> {
        Ok(match &self.values {
            Values::Text(text) => round(text.get(row)?.len()),
            Values::Variant(value, metadata) => {
                round(4 + value.get(row)?.len() + metadata.get(row)?.len())
            }
            Values::Array(offsets, elements) => elements.size(offsets.range(row)?)?,
            Values::Map(offsets, entries) => {
                let range = offsets.range(row)?;
                let [keys, values] = entries.as_ref();
                8 + keys.size(range)? + values.size(range)?
            }
            Values::Struct(fields) => {
                let mut size = fixed_width(fields.len());
                for field in fields {
                    size += field.tail(row)?;
                }
                size
            }
            _ => 0,
        })
    }
}

impl Values<'_> {
    /// Whether values never lie outside their slot.
    pub(super) const fn in_slot(&self) -> bool {
        match self {
            Self::Decimal(_, digits) => digits.in_slot(),
            Self::Null
            | Self::Boolean { .. }
            | Self::One(_)
            | Self::Two(_)
            | Self::Four(_)
            | Self::Eight(_) => true,
            _ => false,
        }
    }
}

impl Elements<'_> {
    /// Bytes of the array of these elements.
    fn size(&self, (start, end): (usize, usize)) -> Result<usize, PageError> {
        let count = end - start;
        let mut size = Self::header(count) + round(count * self.width);
        if !self.reader.values.in_slot() {
            for row in start..end {
                size += self.reader.element_tail(row)?;
            }
        }
        Ok(size)
    }

    /// Bytes before the packed elements: their number and their null bits.
    pub(super) const fn header(count: usize) -> usize {
        8 + count.div_ceil(64) * 8
    }
}
