//! The input half of a joined row.
//!
//! Rows that Spark's writers made are copied in two pieces. Others (a value out of order, a slot with
//! dirt in it) are first rewritten as the writers would have written them.

use std::borrow::Cow;
use std::ops::Range;

use super::super::block::Block;
use super::super::page::{bits_width, fixed_width, offset, region, size, word};
use super::super::{PageError, SparkField, SparkType};
use super::put::minimal;
use super::slate::Slate;

/// The fields of an input row, sorted by what must be looked at.
#[derive(Debug)]
pub(super) struct Input {
    fields: Vec<Form>,
    /// Slots whose upper bytes must be zero: where, and the mask of those bytes.
    narrow: Vec<(usize, u64)>,
    /// Ordinals whose values lie behind the slots.
    behind: Vec<(usize, Behind)>,
    /// For each word of null bits: the fields whose slot must be zero when null, and no fields.
    zeroed: Vec<(u64, u64)>,
    width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the slot; the bytes that count.
    Slot(u64),
    Behind(Behind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// Of any length, padded with zeroes to whole words.
    Padded,
    /// In whole words.
    Whole,
    /// A decimal in its sixteen reserved bytes.
    Decimal,
    /// Two words, reserved even for a null.
    Pair,
}

impl Input {
    pub(super) fn new(fields: &[SparkField]) -> Self {
        let forms: Vec<Form> = fields.iter().map(|field| form(&field.of)).collect();
        let mut input = Self {
            narrow: Vec::new(),
            behind: Vec::new(),
            zeroed: vec![(0, !0); forms.len().div_ceil(64)],
            width: fixed_width(forms.len()),
            fields: forms,
        };
        let slots = bits_width(input.fields.len());
        for (ordinal, form) in input.fields.iter().enumerate() {
            match form {
                Form::Slot(u64::MAX) => {}
                Form::Slot(mask) => input.narrow.push((slots + 8 * ordinal, !mask)),
                Form::Behind(behind) => input.behind.push((ordinal, *behind)),
            }
            if let Some((zeroed, outside)) = input.zeroed.get_mut(ordinal / 64) {
                *zeroed |= u64::from(matches!(form, Form::Slot(_))) << (ordinal % 64);
                *outside &= !(1 << (ordinal % 64));
            }
        }
        input
    }

    /// How a field lies in a row.
    pub(super) fn form(&self, ordinal: usize) -> Form {
        self.fields.get(ordinal).copied().unwrap_or(Form::Slot(0))
    }

    pub(super) const fn fields(&self) -> usize {
        self.fields.len()
    }

    /// Whether no value lies behind the slots.
    pub(super) const fn in_slots(&self) -> bool {
        self.behind.is_empty()
    }

    /// Bytes behind the slots of a row as [`Self::rewrite`] left it.
    pub(super) const fn tail(&self, row: &[u8]) -> usize {
        row.len().saturating_sub(self.width)
    }

    /// Copies rows to the front of joined rows of `fields`, and notes where their tails end.
    pub(super) fn copy(
        &self,
        rows: &[&[u8]],
        fields: usize,
        (starts, cursors): (&[usize], &mut [usize]),
        slate: &mut Slate<'_>,
    ) {
        let (old, new) = (bits_width(self.fields.len()), bits_width(fields));
        let wider = fixed_width(fields);
        let moved = ((wider - self.width) as u64) << 32;
        for ((row, start), cursor) in rows.iter().zip(starts).zip(cursors) {
            let tail = start + wider;
            let (fixed, values) = row.split_at_checked(self.width).unwrap_or((row, &[]));
            *cursor = tail + values.len();
            if old == new {
                slate.few(*start, fixed);
            } else {
                let (bits, slots) = fixed.split_at_checked(old).unwrap_or((fixed, &[]));
                slate.bytes(*start, bits);
                slate.bytes(start + new, slots);
            }
            if self.behind.is_empty() {
                continue;
            }
            slate.few(tail, values);
            for (ordinal, behind) in &self.behind {
                let slot = word(fixed, old + 8 * ordinal).unwrap_or(0);
                // Only a null that reserves nothing leads nowhere.
                if !is_null(fixed, *ordinal) || matches!(behind, Behind::Decimal | Behind::Pair) {
                    slate.word(start + new + 8 * ordinal, slot.wrapping_add(moved));
                }
            }
        }
    }

    /// Rewrites the rows that need it to `rewritten`; gives the place of each that was.
    pub(super) fn rewrite(
        &self,
        block: &Block<'_, '_>,
        rewritten: &mut Vec<u8>,
    ) -> Result<Vec<Option<Range<usize>>>, PageError> {
        rewritten.clear();
        let mut places = Vec::new();
        let no_nulls = block.without_nulls();
        if no_nulls && self.in_slots() && block.all_have(self.width) && self.is_clean(block.rows())
        {
            return Ok(places);
        }
        for (index, row) in block.rows().iter().enumerate() {
            if !((no_nulls || self.nulls_as_written(row)) && self.as_written(row)) {
                places.resize(index, None);
                places.push(Some(self.rewrite_one(row, rewritten)?));
            }
        }
        Ok(places)
    }

    /// Whether no slot of any row has dirt in it.
    fn is_clean(&self, rows: &[&[u8]]) -> bool {
        let clean = |(slot, mask): &(usize, u64)| {
            let words = rows.iter().map(|row| word(row, *slot).unwrap_or(0));
            words.fold(0, |all, word| all | word) & mask == 0
        };
        self.narrow.iter().all(clean)
    }

    /// Whether null bits and the slots under them are what Spark's writer would make of them.
    fn nulls_as_written(&self, row: &[u8]) -> bool {
        let written = |(index, (zeroed, outside)): (usize, &(u64, u64))| {
            let nulls = word(row, index * 8).unwrap_or(0);
            nulls == 0 || (nulls & outside == 0 && self.zero_slots(row, index, nulls & zeroed))
        };
        self.zeroed.iter().enumerate().all(written)
    }

    /// Whether values and their places are what Spark's writer would make of them.
    fn as_written(&self, row: &[u8]) -> bool {
        let dirt = |(slot, mask): &(usize, u64)| word(row, *slot).unwrap_or(0) & mask != 0;
        if self.narrow.iter().any(dirt) {
            return false;
        }
        let mut cursor = self.width;
        for (ordinal, behind) in &self.behind {
            match self.end_of(row, *ordinal, *behind, cursor) {
                Some(end) => cursor = end,
                None => return false,
            }
        }
        cursor == row.len()
    }

    /// Whether the slots of the fields `nulls` of word `index` are zero.
    fn zero_slots(&self, row: &[u8], index: usize, mut nulls: u64) -> bool {
        while nulls != 0 {
            let ordinal = index * 64 + nulls.trailing_zeros() as usize;
            if self.slot(row, ordinal) != 0 {
                return false;
            }
            nulls &= nulls - 1;
        }
        true
    }

    pub(super) fn slot(&self, row: &[u8], ordinal: usize) -> u64 {
        word(row, bits_width(self.fields.len()) + 8 * ordinal).unwrap_or(0)
    }

    /// Where the value ends if it begins at `cursor` and is as written, padding included.
    fn end_of(&self, row: &[u8], ordinal: usize, behind: Behind, cursor: usize) -> Option<usize> {
        let slot = self.slot(row, ordinal);
        let null = is_null(row, ordinal);
        if null && matches!(behind, Behind::Padded | Behind::Whole) {
            return (slot == 0).then_some(cursor);
        }
        if offset(slot) != cursor {
            return None;
        }
        let bytes = row.get(cursor..)?;
        match behind {
            Behind::Padded => {
                let padded = bytes.get(..round(size(slot)))?;
                let last = padded
                    .last_chunk::<8>()
                    .map_or(0, |it| u64::from_le_bytes(*it));
                let used = size(slot) % 8;
                (used == 0 || last >> (8 * used) == 0).then_some(cursor + padded.len())
            }
            Behind::Whole => {
                let whole = size(slot).is_multiple_of(8) && bytes.len() >= size(slot);
                whole.then(|| cursor + size(slot))
            }
            Behind::Decimal => {
                let (value, rest) = bytes.get(..16)?.split_at_checked(size(slot))?;
                let short = value.is_empty() == null && is_minimal(value);
                (short && rest.iter().all(|byte| *byte == 0)).then_some(cursor + 16)
            }
            Behind::Pair => {
                let pair = bytes.get(..16)?;
                let clean = !null || pair.iter().all(|byte| *byte == 0);
                (clean && size(slot) == 16).then_some(cursor + 16)
            }
        }
    }

    /// Appends a row of these fields; gives its place.
    fn rewrite_one(&self, row: &[u8], out: &mut Vec<u8>) -> Result<Range<usize>, PageError> {
        let (start, slots) = (out.len(), bits_width(self.fields.len()));
        out.resize(start + self.width, 0);
        for (ordinal, form) in self.fields.iter().enumerate() {
            let (slot, null) = (self.slot(row, ordinal), is_null(row, ordinal));
            let at = (((out.len() - start) as u64) << 32, out.len());
            let slot = match form {
                Form::Slot(_) | Form::Behind(Behind::Padded | Behind::Whole) if null => 0,
                Form::Slot(mask) => slot & mask,
                Form::Behind(Behind::Pair) => {
                    if null {
                        out.resize(at.1 + 16, 0);
                    } else {
                        let pair = region(row, slot)?.get(..16);
                        out.extend(pair.ok_or(PageError::Malformed("half a value"))?);
                    }
                    at.0 | 16
                }
                Form::Behind(Behind::Decimal) => {
                    let mut used = 0;
                    if !null {
                        let value = super::super::to_arrow::big_endian(region(row, slot)?);
                        let value = value.ok_or(PageError::Malformed("a decimal too long"))?;
                        let (bytes, first) = minimal(value);
                        out.extend(bytes.get(first..).unwrap_or_default());
                        used = 16 - first as u64;
                    }
                    out.resize(at.1 + 16, 0);
                    at.0 | used
                }
                Form::Behind(Behind::Padded | Behind::Whole) => {
                    let value = region(row, slot)?;
                    out.extend(value);
                    out.resize(at.1 + round(value.len()), 0);
                    at.0 | value.len() as u64
                }
            };
            let mut slate = Slate::new(out.get_mut(start..).unwrap_or_default());
            slate.word(slots + 8 * ordinal, slot);
            if null {
                slate.set_null(0, ordinal);
            }
        }
        Ok(start..out.len())
    }
}

/// The rows, with those that were rewritten in place of the originals.
pub(super) fn sources<'rows>(
    rows: &'rows [&'rows [u8]],
    places: &[Option<Range<usize>>],
    rewritten: &'rows [u8],
) -> Cow<'rows, [&'rows [u8]]> {
    if places.is_empty() {
        return Cow::Borrowed(rows);
    }
    let mut sources = rows.to_vec();
    for (source, place) in sources.iter_mut().zip(places) {
        if let Some(row) = place.clone().and_then(|place| rewritten.get(place)) {
            *source = row;
        }
    }
    Cow::Owned(sources)
}

fn form(of: &SparkType) -> Form {
    match of {
        SparkType::Boolean | SparkType::Byte => Form::Slot(0xFF),
        SparkType::Short => Form::Slot(0xFFFF),
        SparkType::Int | SparkType::Float | SparkType::Date | SparkType::YearMonth => {
            Form::Slot(0xFFFF_FFFF)
        }
        SparkType::Decimal { precision, .. } if *precision > 18 => Form::Behind(Behind::Decimal),
        SparkType::Interval | SparkType::TimestampLtzNanos | SparkType::TimestampNtzNanos => {
            Form::Behind(Behind::Pair)
        }
        SparkType::String | SparkType::Binary | SparkType::Variant => Form::Behind(Behind::Padded),
        SparkType::Array { .. } | SparkType::Map { .. } | SparkType::Struct(_) => {
            Form::Behind(Behind::Whole)
        }
        _ => Form::Slot(u64::MAX),
    }
}

pub(super) fn is_null(row: &[u8], ordinal: usize) -> bool {
    let byte = row.get(ordinal / 8).copied().unwrap_or(0);
    byte & (1 << (ordinal % 8)) != 0
}

/// Whether big-endian bytes hold no more than their number needs.
fn is_minimal(bytes: &[u8]) -> bool {
    match bytes {
        [0, second, ..] => *second >= 0x80,
        [0xFF, second, ..] => *second < 0x80,
        _ => true,
    }
}

/// Rounds up to whole words.
pub(super) const fn round(size: usize) -> usize {
    size.next_multiple_of(8)
}
