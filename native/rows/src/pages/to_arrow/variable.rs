//! Text and bytes.

use arrow_buffer::MutableBuffer;

use super::super::PageError;
use super::super::bits::Validity;
use super::super::cells::{Cell, Cells};
use super::super::page::region;
use super::bytes::Bytes;
use super::column::View;
use super::fixed::grow;

/// The end of a value as an offset of `W` bytes.
pub(super) fn offset<const W: usize>(end: usize) -> Result<[u8; W], PageError> {
    let wide = end.to_le_bytes();
    let most = if W == 4 {
        i32::MAX as usize
    } else {
        usize::MAX
    };
    match wide.first_chunk() {
        Some(offset) if end <= most => Ok(*offset),
        _ => Err(PageError::Overflow),
    }
}

/// Values of no length: as many times the last offset again.
pub(super) fn repeat_last<const W: usize>(offsets: &mut MutableBuffer, count: usize) {
    let last = *offsets.last_chunk().unwrap_or(&[0; W]);
    grow(offsets, count).fill(last);
}

/// Values of any length behind offsets of `W` bytes.
#[derive(Debug)]
pub(super) struct Text<const W: usize> {
    validity: Validity,
    offsets: MutableBuffer,
    bytes: Bytes,
}

impl<const W: usize> Default for Text<W> {
    fn default() -> Self {
        Self {
            validity: Validity::default(),
            offsets: MutableBuffer::from_len_zeroed(W),
            bytes: Bytes::default(),
        }
    }
}

impl<const W: usize> Text<W> {
    pub(super) fn append<'call, C: Cells<'call>>(&mut self, cells: &C) -> Result<(), PageError> {
        let count = cells.count();
        let any_null = cells.any_null();
        let room = grow::<W>(&mut self.offsets, count).iter_mut();
        for (place, cell) in room.zip(cells.cells()) {
            if !(any_null && cell.is_null()) {
                let slot = u64::from_le_bytes(cell.value());
                self.bytes.append(region(cell.container(), slot)?);
            }
            *place = offset(self.bytes.len())?;
        }
        if any_null {
            let valid = cells.cells().map(|cell| !cell.is_null());
            self.validity.extend(count, valid);
        } else {
            self.validity.valid(count);
        }
        Ok(())
    }

    /// Appends one value that is there.
    pub(super) fn append_one(&mut self, value: &[u8]) -> Result<(), PageError> {
        self.bytes.append(value);
        let end = offset::<W>(self.bytes.len())?;
        self.offsets.extend_from_slice(&end);
        self.validity.valid(1);
        Ok(())
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        repeat_last::<W>(&mut self.offsets, count);
        self.validity.null(count);
    }

    pub(super) fn clear(&mut self) {
        self.validity.clear();
        self.offsets.truncate(W);
        self.bytes.clear();
    }

    pub(super) fn capacity(&self) -> usize {
        self.validity.capacity() + self.offsets.capacity() + self.bytes.capacity()
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            len: self.validity.len(),
            nulls: self.validity.nulls(),
            buffers: [
                self.validity.start(),
                self.offsets.as_ptr(),
                self.bytes.start(),
            ],
            used: 3,
            children: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_past_two_gib_is_an_error_in_the_short_form_only() {
        let past = i32::MAX as usize + 1;
        assert!(offset::<4>(past - 1).is_ok());
        assert!(matches!(offset::<4>(past), Err(PageError::Overflow)));
        assert_eq!(offset::<8>(past).unwrap(), past.to_le_bytes());
    }
}
