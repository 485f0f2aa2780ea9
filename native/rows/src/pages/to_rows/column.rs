//! One column of a batch into the rows of a block.

use super::super::PageError;
use super::input::round;
use super::put::{Digits, Place, words};
use super::reader::{Reader, Values};
use super::slate::Slate;
use super::text::{Offsets, Text};

/// Where a column goes: the rows' starts, their cursors, and the column's own slot.
pub(super) struct Target<'rows> {
    pub(super) starts: &'rows [usize],
    pub(super) cursors: &'rows mut [usize],
    pub(super) ordinal: usize,
    /// From the start of a row.
    pub(super) slot: usize,
}

impl Reader<'_> {
    /// Puts the column's rows from `first` on.
    pub(super) fn put_column(
        &self,
        first: usize,
        target: &mut Target<'_>,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        if self.no_nulls() {
            self.put_hot::<false>(first, target, slate)
        } else if self.nullable {
            self.put_hot::<true>(first, target, slate)
        } else {
            self.put_each(first, target, slate)
        }
    }

    /// The types that most columns have, column by column.
    fn put_hot<const NULLS: bool>(
        &self,
        first: usize,
        target: &mut Target<'_>,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        let null = |row: usize| NULLS && self.is_null(first + row);
        match &self.values {
            Values::Two(values) => target.slots::<_, NULLS>(from(values, first), slate, null),
            Values::Four(values) => target.slots::<_, NULLS>(from(values, first), slate, null),
            Values::Eight(values) => target.slots::<_, NULLS>(from(values, first), slate, null),
            Values::Decimal(values, digits) if digits.in_slot() => {
                return target.decimals::<NULLS>(from(values, first), *digits, slate, null);
            }
            Values::Text(Text::Offsets(Offsets::Short(offsets), bytes)) => {
                return target.text(from(offsets, first), bytes, slate, null);
            }
            _ => return self.put_each(first, target, slate),
        }
        Ok(())
    }

    fn put_each(
        &self,
        first: usize,
        target: &mut Target<'_>,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        let rows = target.starts.iter().zip(&mut *target.cursors);
        for (index, (base, cursor)) in rows.enumerate() {
            let place = Place {
                base: *base,
                nulls: *base,
                ordinal: target.ordinal,
                slot: base + target.slot,
                in_array: false,
            };
            self.put(first + index, place, cursor, slate)?;
        }
        Ok(())
    }
}

impl Target<'_> {
    fn slots<const W: usize, const NULLS: bool>(
        &self,
        values: &[[u8; W]],
        slate: &mut Slate<'_>,
        null: impl Fn(usize) -> bool,
    ) {
        for (row, (start, value)) in self.starts.iter().zip(values).enumerate() {
            let null = null(row);
            if NULLS {
                slate.set_null_if(null, *start, self.ordinal);
            }
            let value = if null { [0; W] } else { *value };
            slate.value(start + self.slot, value);
        }
    }

    fn decimals<const NULLS: bool>(
        &self,
        values: &[[u8; 16]],
        digits: Digits,
        slate: &mut Slate<'_>,
        null: impl Fn(usize) -> bool,
    ) -> Result<(), PageError> {
        for (row, (start, value)) in self.starts.iter().zip(values).enumerate() {
            let null = null(row);
            if NULLS {
                slate.set_null_if(null, *start, self.ordinal);
            }
            // Whatever lies under a null is not a value.
            let value = if null { [0; 16] } else { *value };
            let [low, _] = words(digits.check(value)?);
            slate.word(start + self.slot, low);
        }
        Ok(())
    }

    fn text(
        &mut self,
        offsets: &[[u8; 4]],
        bytes: &[u8],
        slate: &mut Slate<'_>,
        null: impl Fn(usize) -> bool,
    ) -> Result<(), PageError> {
        let offsets = offsets.iter();
        let mut ends = offsets.map(|offset| u32::from_le_bytes(*offset) as usize);
        let mut from = ends.next().unwrap_or(0);
        let rows = self.starts.iter().zip(&mut *self.cursors);
        for (row, ((start, cursor), end)) in rows.zip(ends).enumerate() {
            if null(row) {
                slate.set_null(*start, self.ordinal);
            } else {
                let text = bytes.get(from..end);
                let text = text.ok_or(PageError::Batch("text that lies outside its buffer"))?;
                slate.few(*cursor, text);
                let points_to = (((*cursor - start) as u64) << 32) | text.len() as u64;
                slate.word(start + self.slot, points_to);
                *cursor += round(text.len());
            }
            from = end;
        }
        Ok(())
    }
}

fn from<T>(values: &[T], first: usize) -> &[T] {
    values.get(first..).unwrap_or_default()
}
