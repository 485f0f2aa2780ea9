//! Values into rows and arrays, as Spark's writers put them.

use super::super::PageError;
use super::super::page::{bits_width, fixed_width};
use super::input::round;
use super::reader::{Elements, Reader, Values, bit};
use super::slate::Slate;

/// A field of a row, or an element of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where the row or array begins: offsets count from here.
    pub(super) base: usize,
    /// Where its null bits begin.
    pub(super) nulls: usize,
    pub(super) ordinal: usize,
    pub(super) slot: usize,
    pub(super) in_array: bool,
}

impl Place {
    /// The slot of a value of `size` bytes at `cursor`.
    const fn points_to(self, cursor: usize, size: usize) -> u64 {
        ((cursor - self.base) as u64) << 32 | size as u64
    }
}

impl Reader<'_> {
    pub(super) fn put(
        &self,
        row: usize,
        place: Place,
        cursor: &mut usize,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        if self.is_null(row) {
            return self.put_null(place, cursor, slate);
        }
        match &self.values {
            Values::Null => {}
            Values::Boolean { bits, from } => {
                slate.value(place.slot, [u8::from(bit(bits, from + row))]);
            }
            Values::One(values) => slate.value(place.slot, *at(values, row)?),
            Values::Two(values) => slate.value(place.slot, *at(values, row)?),
            Values::Four(values) => slate.value(place.slot, *at(values, row)?),
            Values::Eight(values) => slate.value(place.slot, *at(values, row)?),
            Values::Decimal(values, digits) if digits.in_slot() => {
                let [low, _] = words(digits.check(*at(values, row)?)?);
                slate.word(place.slot, low);
            }
            Values::Text(text) => {
                let text = text.get(row)?;
                slate.few(*cursor, text);
                slate.word(place.slot, place.points_to(*cursor, text.len()));
                *cursor += round(text.len());
            }
            _ => {
                let start = *cursor;
                let size = self.put_behind(row, place.in_array, cursor, slate)?;
                slate.word(place.slot, place.points_to(start, size));
            }
        }
        Ok(())
    }

    /// Some types keep their reserved bytes in a row even when null; in an array none does.
    fn put_null(
        &self,
        place: Place,
        cursor: &mut usize,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        if !self.nullable {
            return Err(PageError::Null);
        }
        slate.set_null(place.nulls, place.ordinal);
        let size = match &self.values {
            _ if place.in_array => return Ok(()),
            Values::Decimal(_, digits) if !digits.in_slot() => 0,
            Values::Interval(_) | Values::Nanos(_) => 16,
            _ => return Ok(()),
        };
        slate.word(place.slot, place.points_to(*cursor, size));
        *cursor += 16;
        Ok(())
    }

    /// Puts a value that lies outside its slot at the cursor; returns its size without padding.
    fn put_behind(
        &self,
        row: usize,
        in_array: bool,
        cursor: &mut usize,
        slate: &mut Slate<'_>,
    ) -> Result<usize, PageError> {
        let start = *cursor;
        match &self.values {
            Values::Decimal(values, digits) => {
                let (bytes, first) = minimal(digits.check(*at(values, row)?)?);
                let bytes = bytes.get(first..).unwrap_or_default();
                slate.bytes(start, bytes);
                *cursor += if in_array { round(bytes.len()) } else { 16 };
                return Ok(bytes.len());
            }
            Values::Interval(values) => {
                let [months_days, nanos] = words(i128::from_le_bytes(*at(values, row)?));
                slate.word(start, months_days);
                slate.word(start + 8, (nanos.cast_signed() / 1000).cast_unsigned());
                *cursor += 16;
            }
            Values::Nanos(values) => {
                let nanos = i64::from_le_bytes(*at(values, row)?);
                slate.word(start, nanos.div_euclid(1000).cast_unsigned());
                slate.word(start + 8, nanos.rem_euclid(1000).cast_unsigned());
                *cursor += 16;
            }
            Values::Variant(value, metadata) => {
                let (value, metadata) = (value.get(row)?, metadata.get(row)?);
                let size = u32::try_from(value.len()).map_err(|_| PageError::Overflow)?;
                slate.value(start, size.to_le_bytes());
                slate.bytes(start + 4, value);
                slate.bytes(start + 4 + value.len(), metadata);
                let size = 4 + value.len() + metadata.len();
                *cursor += round(size);
                return Ok(size);
            }
            Values::Array(offsets, elements) => {
                elements.put(offsets.range(row)?, cursor, slate)?;
            }
            Values::Map(offsets, entries) => {
                let range = offsets.range(row)?;
                let [keys, values] = entries.as_ref();
                *cursor += 8;
                keys.put(range, cursor, slate)?;
                slate.word(start, (*cursor - start - 8) as u64);
                values.put(range, cursor, slate)?;
            }
            Values::Struct(fields) => put_struct(fields, row, cursor, slate)?,
            _ => return Err(PageError::Batch("a value that lies in its slot")),
        }
        Ok(*cursor - start)
    }
}

fn put_struct(
    fields: &[Reader<'_>],
    row: usize,
    cursor: &mut usize,
    slate: &mut Slate<'_>,
) -> Result<(), PageError> {
    let base = *cursor;
    *cursor += fixed_width(fields.len());
    for (ordinal, field) in fields.iter().enumerate() {
        let place = Place {
            base,
            nulls: base,
            ordinal,
            slot: base + bits_width(fields.len()) + 8 * ordinal,
            in_array: false,
        };
        field.put(row, place, cursor, slate)?;
    }
    Ok(())
}

impl Elements<'_> {
    /// Puts the array of these elements at the cursor.
    fn put(
        &self,
        (start, end): (usize, usize),
        cursor: &mut usize,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        let (base, count) = (*cursor, end - start);
        let slots = base + Self::header(count);
        *cursor = slots + round(count * self.width);
        slate.word(base, count as u64);
        if self.reader.no_nulls() && self.put_packed((start, end), slots, slate)? {
            return Ok(());
        }
        for ordinal in 0..count {
            let place = Place {
                base,
                nulls: base + 8,
                ordinal,
                slot: slots + ordinal * self.width,
                in_array: true,
            };
            self.reader.put(start + ordinal, place, cursor, slate)?;
        }
        Ok(())
    }

    /// Copies elements that are packed here as there; false if these are not.
    fn put_packed(
        &self,
        (start, end): (usize, usize),
        slots: usize,
        slate: &mut Slate<'_>,
    ) -> Result<bool, PageError> {
        let packed = match &self.reader.values {
            Values::One(values) => values.get(start..end).map(<[_]>::as_flattened),
            Values::Two(values) => values.get(start..end).map(<[_]>::as_flattened),
            Values::Four(values) => values.get(start..end).map(<[_]>::as_flattened),
            Values::Eight(values) => values.get(start..end).map(<[_]>::as_flattened),
            _ => return Ok(false),
        };
        slate.bytes(slots, packed.ok_or(SHORT)?);
        Ok(true)
    }
}

const SHORT: PageError = PageError::Batch("a column is shorter than its batch");

pub(super) fn at<T>(values: &[T], row: usize) -> Result<&T, PageError> {
    values.get(row).ok_or(SHORT)
}

/// How many digits a decimal may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits {
    precision: u8,
    limit: u128,
}

impl Digits {
    pub(super) fn new(precision: u8) -> Self {
        let limit = 10_u128.checked_pow(u32::from(precision));
        Self {
            precision,
            limit: limit.unwrap_or(u128::MAX),
        }
    }

    /// Whether Spark stores the value as a long.
    pub(super) const fn in_slot(self) -> bool {
        self.precision <= 18
    }

    /// The unscaled value, which must have no more digits than declared.
    pub(super) const fn check(self, value: [u8; 16]) -> Result<i128, PageError> {
        let value = i128::from_le_bytes(value);
        if value.unsigned_abs() >= self.limit {
            return Err(PageError::Precision(self.precision));
        }
        Ok(value)
    }
}

/// Java's `BigInteger.toByteArray`: big-endian bytes, and the first of them that is needed.
pub(super) const fn minimal(value: i128) -> ([u8; 16], usize) {
    let spare = (value ^ (value >> 127)).leading_zeros() - 1;
    (value.to_be_bytes(), (spare / 8) as usize)
}

/// Low and high word.
pub(super) fn words(value: i128) -> [u64; 2] {
    let bytes = value.to_le_bytes();
    let (halves, _) = bytes.as_chunks::<8>();
    let word = |index: usize| u64::from_le_bytes(*halves.get(index).unwrap_or(&[0; 8]));
    [word(0), word(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_as_many_bytes_as_java_gives_it() {
        let length = |value: i128| 16 - minimal(value).1;
        for (value, bytes) in [(0, 1), (127, 1), (128, 2), (-128, 1), (-129, 2), (32767, 2)] {
            assert_eq!(length(value), bytes, "{value}");
        }
        assert_eq!((length(i128::MAX), length(i128::MIN)), (16, 16));
    }

    #[test]
    fn too_many_digits_are_refused() {
        let check = |value: i128| Digits::new(2).check(value.to_le_bytes());
        assert_eq!((check(99).unwrap(), check(-99).unwrap()), (99, -99));
        assert!(matches!(check(-100), Err(PageError::Precision(2))));
        assert!(check(i128::MIN).is_err());
    }
}
