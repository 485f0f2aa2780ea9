//! Blocks whose rows all have one length: values in slots only, and no nulls among the results.
//!
//! Most batches of numbers are of this kind. Their rows are found by counting, so nothing has to be
//! laid out first, and the places of all values are checked once for a row.

use arrow_buffer::MutableBuffer;

use super::input::Input;
use super::put::{Digits, words};
use super::reader::{Reader, Values};
use super::{LARGEST, PageError};
use crate::pages::page::{bits_width, fixed_width};

/// Where the values of such rows lie.
#[derive(Debug)]
pub(super) struct Even {
    /// Bytes of a row without its length.
    width: usize,
    /// Bytes of it that are an input row's.
    input: usize,
    /// From the start of a row to the first result.
    results: usize,
}

impl Even {
    /// The places, if every row that `input` and `readers` make is of this kind.
    pub(super) fn of(input: &Input, readers: &[Reader<'_>]) -> Option<Self> {
        let (old, fields) = (input.fields(), input.fields() + readers.len());
        let plain = input.in_slots() && readers.iter().all(Reader::is_plain);
        let same_bits = old == 0 || bits_width(old) == bits_width(fields);
        (plain && same_bits && fixed_width(fields) <= LARGEST).then(|| Self {
            width: fixed_width(fields),
            input: if old == 0 { 0 } else { fixed_width(old) },
            results: bits_width(fields) + 8 * old,
        })
    }

    /// Appends `count` rows to the page, of `sources` (as Spark's writers wrote them) if there are
    /// input rows, and of the results from `done` on.
    pub(super) fn put(
        &self,
        count: usize,
        sources: &[&[u8]],
        readers: &[Reader<'_>],
        done: usize,
        page: &mut MutableBuffer,
    ) -> Result<(), PageError> {
        let (start, stride) = (page.len(), 8 + self.width);
        page.resize(start + count * stride, 0);
        let rows = page.as_slice_mut().get_mut(start..).unwrap_or_default();
        let length = (self.width as u64).to_le_bytes();
        if self.input == 0 {
            for row in rows.chunks_exact_mut(stride) {
                store(row, 0, length);
            }
        } else {
            let fronts = rows.chunks_exact_mut(stride).zip(sources);
            match self.input {
                16 => put_fronts::<16>(fronts, length)?,
                24 => put_fronts::<24>(fronts, length)?,
                32 => put_fronts::<32>(fronts, length)?,
                40 => put_fronts::<40>(fronts, length)?,
                48 => put_fronts::<48>(fronts, length)?,
                _ => self.put_long_fronts(fronts, length)?,
            }
        }
        for (index, reader) in readers.iter().enumerate() {
            let slot = 8 + self.results + 8 * index;
            reader.put_plain(done, rows.chunks_exact_mut(stride), slot)?;
        }
        Ok(())
    }

    fn put_long_fronts<'rows>(
        &self,
        fronts: impl Iterator<Item = (&'rows mut [u8], &'rows &'rows [u8])>,
        length: [u8; 8],
    ) -> Result<(), PageError> {
        for (row, source) in fronts {
            store(row, 0, length);
            let place = row.get_mut(8..8 + self.input).unwrap_or_default();
            if place.len() != source.len() {
                return Err(LONG);
            }
            place.copy_from_slice(source);
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Whether all values are there, and in slots as they are.
    fn is_plain(&self) -> bool {
        let slots = match &self.values {
            Values::One(_) | Values::Two(_) | Values::Four(_) | Values::Eight(_) => true,
            Values::Decimal(_, digits) => digits.in_slot(),
            _ => false,
        };
        slots && self.no_nulls()
    }

    fn put_plain<'rows>(
        &self,
        first: usize,
        rows: impl Iterator<Item = &'rows mut [u8]>,
        slot: usize,
    ) -> Result<(), PageError> {
        match &self.values {
            Values::One(values) => store_all(rows, slot, values, first),
            Values::Two(values) => store_all(rows, slot, values, first),
            Values::Four(values) => store_all(rows, slot, values, first),
            Values::Eight(values) => store_all(rows, slot, values, first),
            Values::Decimal(values, digits) => return decimals(rows, slot, values, first, *digits),
            _ => return Err(PageError::Batch("a value that lies outside its slot")),
        }
        Ok(())
    }
}

fn store_all<'rows, const W: usize>(
    rows: impl Iterator<Item = &'rows mut [u8]>,
    slot: usize,
    values: &[[u8; W]],
    first: usize,
) {
    let values = values.get(first..).unwrap_or_default();
    for (row, value) in rows.zip(values) {
        store(row, slot, *value);
    }
}

fn decimals<'rows>(
    rows: impl Iterator<Item = &'rows mut [u8]>,
    slot: usize,
    values: &[[u8; 16]],
    first: usize,
    digits: Digits,
) -> Result<(), PageError> {
    let values = values.get(first..).unwrap_or_default();
    for (row, value) in rows.zip(values) {
        let [low, _] = words(digits.check(*value)?);
        store(row, slot, low.to_le_bytes());
    }
    Ok(())
}

#[inline]
fn store<const W: usize>(row: &mut [u8], at: usize, value: [u8; W]) {
    if let Some(place) = row.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = value;
    }
}

/// Writes the length of each row, and the input row of so many bytes behind it. With their number known, no routine
/// is called to copy so few.
fn put_fronts<'rows, const BYTES: usize>(
    fronts: impl Iterator<Item = (&'rows mut [u8], &'rows &'rows [u8])>,
    length: [u8; 8],
) -> Result<(), PageError> {
    for (row, source) in fronts {
        let source: &[u8; BYTES] = (*source).try_into().map_err(|_| LONG)?;
        let (start, rest) = row.split_first_chunk_mut().ok_or(LONG)?;
        *start = length;
        *rest.first_chunk_mut().ok_or(LONG)? = *source;
    }
    Ok(())
}

const LONG: PageError = PageError::Malformed("a row has more than its slots");
