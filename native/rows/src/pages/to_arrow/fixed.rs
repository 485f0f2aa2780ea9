//! Columns whose values have one width.

use std::fmt::Debug;
use std::marker::PhantomData;

use arrow_buffer::MutableBuffer;

use super::super::PageError;
use super::super::bits::{Bits, Validity};
use super::super::cells::{Cell, Cells};
use super::super::page::region;
use super::column::View;

/// Zeroed room for `count` more values of `W` bytes.
pub(super) fn grow<const W: usize>(buffer: &mut MutableBuffer, count: usize) -> &mut [[u8; W]] {
    let start = buffer.len();
    buffer.resize(start + count * W, 0);
    let (room, _) = buffer.get_mut(start..).unwrap_or_default().as_chunks_mut();
    room
}

/// Values taken as they are.
#[derive(Debug, Default)]
pub(super) struct Fixed<const W: usize> {
    validity: Validity,
    values: MutableBuffer,
}

impl<const W: usize> Fixed<W> {
    pub(super) fn append<'call, C: Cells<'call>>(&mut self, cells: &C) {
        let count = cells.count();
        let room = grow::<W>(&mut self.values, count).iter_mut();
        if cells.any_null() {
            for (place, cell) in room.zip(cells.cells()) {
                let value = cell.value();
                *place = if cell.is_null() { [0; W] } else { value };
            }
            let valid = cells.cells().map(|cell| !cell.is_null());
            self.validity.extend(count, valid);
        } else {
            for (place, cell) in room.zip(cells.cells()) {
                *place = cell.value();
            }
            self.validity.valid(count);
        }
    }

    /// Appends the values, and zeroes behind them until there are `count` more.
    pub(super) fn append_values(&mut self, values: impl Iterator<Item = [u8; W]>, count: usize) {
        let room = grow::<W>(&mut self.values, count).iter_mut();
        for (place, value) in room.zip(values) {
            *place = value;
        }
        self.validity.valid(count);
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        grow::<W>(&mut self.values, count);
        self.validity.null(count);
    }

    pub(super) fn clear(&mut self) {
        self.validity.clear();
        self.values.clear();
    }

    pub(super) fn capacity(&self) -> usize {
        self.validity.capacity() + self.values.capacity()
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            len: self.validity.len(),
            nulls: self.validity.nulls(),
            buffers: [
                self.validity.start(),
                self.values.as_ptr(),
                std::ptr::null(),
            ],
            used: 2,
            children: &[],
        }
    }
}

/// Booleans, one bit each.
#[derive(Debug, Default)]
pub(super) struct Booleans {
    validity: Validity,
    values: Bits,
}

impl Booleans {
    pub(super) fn append<'call, C: Cells<'call>>(&mut self, cells: &C) {
        let valid = cells.cells().map(|cell| !cell.is_null());
        if cells.any_null() {
            let values = cells.cells();
            self.values
                .extend(values.map(|cell| !cell.is_null() && cell.value() != [0]));
            self.validity.extend(cells.count(), valid);
        } else {
            self.values
                .extend(cells.cells().map(|cell| cell.value() != [0]));
            self.validity.valid(cells.count());
        }
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        self.values.repeat(false, count);
        self.validity.null(count);
    }

    pub(super) fn clear(&mut self) {
        self.validity.clear();
        self.values.clear();
    }

    pub(super) fn capacity(&self) -> usize {
        self.validity.capacity() + self.values.capacity()
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            len: self.validity.len(),
            nulls: self.validity.nulls(),
            buffers: [self.validity.start(), self.values.start(), std::ptr::null()],
            used: 2,
            children: &[],
        }
    }
}

/// How a value that Spark stores in one form becomes Arrow's form of `W` bytes.
pub(super) trait Recode<const W: usize>: Debug + Default {
    fn recode<'call>(cell: impl Cell<'call>) -> Result<[u8; W], PageError>;
}

/// Values that change their form.
#[derive(Debug, Default)]
pub(super) struct Recoded<const W: usize, R> {
    fixed: Fixed<W>,
    how: PhantomData<R>,
}

/// Decimals of at most 18 digits, which Spark stores as longs.
pub(super) type Small = Recoded<16, FromLong>;
/// Decimals of more digits.
pub(super) type Great = Recoded<16, FromBigEndian>;
/// Calendar intervals.
pub(super) type Intervals = Recoded<16, FromMicros>;
/// Timestamps to the nanosecond.
pub(super) type Nanos = Recoded<8, FromParts>;

impl<const W: usize, R: Recode<W>> Recoded<W, R> {
    pub(super) fn append<'call, C: Cells<'call>>(&mut self, cells: &C) -> Result<(), PageError> {
        let count = cells.count();
        let room = grow::<W>(&mut self.fixed.values, count).iter_mut();
        if cells.any_null() {
            for (place, cell) in room.zip(cells.cells()) {
                if !cell.is_null() {
                    *place = R::recode(cell)?;
                }
            }
            let valid = cells.cells().map(|cell| !cell.is_null());
            self.fixed.validity.extend(count, valid);
        } else {
            for (place, cell) in room.zip(cells.cells()) {
                *place = R::recode(cell)?;
            }
            self.fixed.validity.valid(count);
        }
        Ok(())
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        self.fixed.append_nulls(count);
    }

    pub(super) fn clear(&mut self) {
        self.fixed.clear();
    }

    pub(super) fn capacity(&self) -> usize {
        self.fixed.capacity()
    }

    pub(super) fn view(&self) -> View<'_> {
        self.fixed.view()
    }
}

/// A long, widened.
#[derive(Debug, Default)]
pub(super) struct FromLong;

impl Recode<16> for FromLong {
    fn recode<'call>(cell: impl Cell<'call>) -> Result<[u8; 16], PageError> {
        Ok(i128::from(i64::from_le_bytes(cell.value())).to_le_bytes())
    }
}

/// Java's `BigInteger` bytes: the highest first, as few as will do.
#[derive(Debug, Default)]
pub(super) struct FromBigEndian;

impl Recode<16> for FromBigEndian {
    fn recode<'call>(cell: impl Cell<'call>) -> Result<[u8; 16], PageError> {
        let bytes = region(cell.container(), u64::from_le_bytes(cell.value()))?;
        match big_endian(bytes) {
            Some(value) => Ok(value.to_le_bytes()),
            None => Err(PageError::Malformed("a decimal of impossible length")),
        }
    }
}

/// The number that one to sixteen bytes stand for.
pub(in super::super) fn big_endian(bytes: &[u8]) -> Option<i128> {
    let sign = if *bytes.first()? < 0x80 { 0 } else { 0xFF };
    let mut whole = [sign; 16];
    let start = 16_usize.checked_sub(bytes.len())?;
    whole.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(whole))
}

/// Months, days and microseconds to months, days and nanoseconds.
#[derive(Debug, Default)]
pub(super) struct FromMicros;

impl Recode<16> for FromMicros {
    fn recode<'call>(cell: impl Cell<'call>) -> Result<[u8; 16], PageError> {
        let (days, micros) = halves(cell)?;
        let nanos = i64::from_le_bytes(micros)
            .checked_mul(1000)
            .ok_or(PageError::Nanoseconds("a calendar interval"))?;
        let mut value = [0; 16];
        let (first, second) = value.split_at_mut(8);
        first.copy_from_slice(&days);
        second.copy_from_slice(&nanos.to_le_bytes());
        Ok(value)
    }
}

/// Microseconds and the nanoseconds behind them to nanoseconds.
#[derive(Debug, Default)]
pub(super) struct FromParts;

impl Recode<8> for FromParts {
    fn recode<'call>(cell: impl Cell<'call>) -> Result<[u8; 8], PageError> {
        let (micros, nanos) = halves(cell)?;
        let [low, high, ..] = nanos;
        i64::from_le_bytes(micros)
            .checked_mul(1000)
            .and_then(|whole| whole.checked_add(i64::from(i16::from_le_bytes([low, high]))))
            .map(i64::to_le_bytes)
            .ok_or(PageError::Nanoseconds("a timestamp"))
    }
}

/// The two words that a slot leads to.
fn halves<'call>(cell: impl Cell<'call>) -> Result<([u8; 8], [u8; 8]), PageError> {
    let words = region(cell.container(), u64::from_le_bytes(cell.value()))?;
    match words.as_chunks::<8>() {
        ([first, second], []) => Ok((*first, *second)),
        _ => Err(PageError::Malformed(
            "a value of two words has another size",
        )),
    }
}
