//! One column of a batch into the rows of a block.

use super::super::PageError;
use super::input::round;
use super::put::{Place, words};
use super::reader::{Offsets, Reader, Text, Values};
use super::slate::Slate;

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
        if !self.no_nulls() {
            return self.put_each(first, target, slate);
        }
        match &self.values {
            Values::Two(values) => target.slots(values, first, slate),
            Values::Four(values) => target.slots(values, first, slate),
            Values::Eight(values) => target.slots(values, first, slate),
            Values::Decimal(values, digits) if digits.in_slot() => {
                let values = values.get(first..).unwrap_or_default();
                for (start, value) in target.starts.iter().zip(values) {
                    let [low, _] = words(digits.check(*value)?);
                    slate.word(start + target.slot, low);
                }
            }
            Values::Text(Text::Offsets(Offsets::Short(offsets), bytes)) => {
                let offsets = offsets.get(first..).unwrap_or_default();
                return target.text(offsets, bytes, slate);
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
    fn slots<const W: usize>(&self, values: &[[u8; W]], first: usize, slate: &mut Slate<'_>) {
        let values = values.get(first..).unwrap_or_default();
        for (start, value) in self.starts.iter().zip(values) {
            slate.value(start + self.slot, *value);
        }
    }

    fn text(
        &mut self,
        offsets: &[[u8; 4]],
        bytes: &[u8],
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        let mut ends = offsets
            .iter()
            .map(|offset| u32::from_le_bytes(*offset) as usize);
        let mut from = ends.next().unwrap_or(0);
        let rows = self.starts.iter().zip(&mut *self.cursors);
        for ((start, cursor), end) in rows.zip(ends) {
            let text = bytes.get(from..end);
            let text = text.ok_or(PageError::Batch("text that lies outside its buffer"))?;
            slate.few(*cursor, text);
            let points_to = ((*cursor - start) as u64) << 32 | text.len() as u64;
            slate.word(start + self.slot, points_to);
            *cursor += round(text.len());
            from = end;
        }
        Ok(())
    }
}
