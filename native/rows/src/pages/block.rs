//! Rows whose null bits and slots are all there: behind [`Block`] there is only proof.

use std::marker::PhantomData;

use super::cells::{Cell, Cells};
use super::page::{bits_width, fixed_width, word};
use super::{PageError, Rows};

/// Some rows of the same number of fields.
///
/// Invariant: each is at least as long as its null bits and slots.
pub(super) struct Block<'rows, 'call> {
    rows: &'rows [&'call [u8]],
    fields: usize,
    /// The first words of null bits, or-ed.
    nulls: u64,
    /// The bytes of each row, where they were seen to be the same.
    width: Option<usize>,
}

/// Rows that make one block: few enough to stay in the fastest cache through all columns.
pub(super) const BLOCK: usize = 256;

impl<'rows, 'call> Block<'rows, 'call> {
    /// Reads the next rows, at most as many as `room` has places.
    pub(super) fn read(
        from: &mut Rows<'call>,
        fields: usize,
        room: &'rows mut [&'call [u8]],
    ) -> Result<Self, PageError> {
        let least = fixed_width(fields);
        let count = from.left().min(room.len());
        let room = room.get_mut(..count).unwrap_or(&mut []);
        let (even, mut nulls) = from.next_even(least, room);
        for place in room.get_mut(even..).unwrap_or_default() {
            let row = from.next(least)?;
            nulls |= word(row, 0).unwrap_or(0);
            *place = row;
        }
        let width = room.first().map(|row| row.len());
        Ok(Self {
            width: width.filter(|_| even == count),
            rows: room,
            fields,
            nulls,
        })
    }

    /// Takes nested structs, each with all of its fields.
    pub(super) fn nested(rows: &'rows [&'call [u8]], fields: usize) -> Result<Self, PageError> {
        let least = fixed_width(fields);
        let mut nulls = 0;
        for row in rows {
            if row.len() < least {
                return Err(PageError::Malformed("a struct is shorter than its fields"));
            }
            nulls |= word(row, 0).unwrap_or(0);
        }
        Ok(Self {
            rows,
            fields,
            nulls,
            width: None,
        })
    }

    pub(super) const fn rows(&self) -> &'rows [&'call [u8]] {
        self.rows
    }

    /// Whether every row has exactly so many bytes, as far as was seen.
    pub(super) fn all_have(&self, bytes: usize) -> bool {
        self.width == Some(bytes)
    }

    /// Whether no row has a null bit set.
    pub(super) const fn without_nulls(&self) -> bool {
        self.fields <= 64 && self.nulls == 0
    }

    /// The column `ordinal` of these rows.
    pub(super) fn column(&self, ordinal: usize) -> Result<RowCells<'rows, 'call>, PageError> {
        if ordinal >= self.fields {
            return Err(PageError::Malformed("a column that the rows do not have"));
        }
        let bits = ordinal / 64 * 8;
        let nulls = if bits == 0 {
            self.nulls
        } else {
            let words = self.rows.iter().map(|row| word(row, bits).unwrap_or(0));
            words.fold(0, |all, word| all | word)
        };
        Ok(RowCells {
            rows: self.rows,
            null_word: bits,
            mask: 1 << (ordinal % 64),
            slot: bits_width(self.fields) + 8 * ordinal,
            nulls,
            checked: PhantomData,
        })
    }
}

/// One column of a block.
///
/// Invariant: `null_word + 8` and `slot + 8` are within every row.
pub(super) struct RowCells<'rows, 'call> {
    rows: &'rows [&'call [u8]],
    null_word: usize,
    mask: u64,
    slot: usize,
    nulls: u64,
    checked: PhantomData<Block<'rows, 'call>>,
}

impl<'call> Cells<'call> for RowCells<'_, 'call> {
    type One = RowCell<'call>;

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn any_null(&self) -> bool {
        self.nulls & self.mask != 0
    }

    fn cells(&self) -> impl Iterator<Item = RowCell<'call>> {
        self.rows.iter().map(|row| RowCell {
            row,
            null_word: self.null_word,
            mask: self.mask,
            slot: self.slot,
        })
    }
}

/// One field of one row; made by [`RowCells`] only, whose invariant it carries.
#[derive(Clone, Copy)]
pub(super) struct RowCell<'call> {
    row: &'call [u8],
    null_word: usize,
    mask: u64,
    slot: usize,
}

impl<'call> Cell<'call> for RowCell<'call> {
    fn is_null(self) -> bool {
        // SAFETY: eight bytes from `null_word` are within the row, by the invariant of `RowCells`.
        u64::from_le_bytes(unsafe { self.bytes(self.null_word) }) & self.mask != 0
    }

    fn value<const W: usize>(self) -> [u8; W] {
        const { assert!(W <= 8, "a slot has eight bytes") };
        // SAFETY: eight bytes from `slot` are within the row, by the invariant of `RowCells`.
        unsafe { self.bytes(self.slot) }
    }

    fn container(self) -> &'call [u8] {
        self.row
    }
}

impl RowCell<'_> {
    /// # Safety
    ///
    /// `at + W` must be within the row.
    unsafe fn bytes<const W: usize>(self, at: usize) -> [u8; W] {
        // SAFETY: within the row by this function's contract.
        let start = unsafe { self.row.as_ptr().add(at) };
        // SAFETY: as above; an array of bytes has no alignment to get wrong.
        unsafe { start.cast::<[u8; W]>().read() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Page;

    fn page(rows: &[&[u8]]) -> Vec<u8> {
        let mut page = Vec::new();
        for row in rows {
            page.extend((row.len() as u64).to_le_bytes());
            page.extend(*row);
        }
        page
    }

    #[test]
    fn a_block_holds_rows_and_reads_their_fields() {
        let row = |null: u8, value: u8| [[null, 0, 0, 0, 0, 0, 0, 0], [value; 8]].concat();
        let bytes = page(&[&row(0, 5), &row(1, 0)]);
        let mut room = [&[][..]; BLOCK];
        let block = Block::read(&mut Rows::new(Page::of(&bytes), 2), 1, &mut room).unwrap();
        let column = block.column(0).unwrap();
        let cells: Vec<_> = column
            .cells()
            .map(|it| (it.is_null(), it.value()))
            .collect();
        assert_eq!(cells, [(false, [5; 4]), (true, [0; 4])]);
        assert!(column.any_null());
    }

    #[test]
    fn a_row_shorter_than_its_fields_is_refused() {
        let bytes = page(&[&[0; 16]]);
        for fields in [2, 65] {
            let mut room = [&[][..]; 1];
            let read = Block::read(&mut Rows::new(Page::of(&bytes), 1), fields, &mut room);
            assert!(read.is_err());
            assert!(Block::nested(&[&[0; 16]], fields).is_err());
        }
    }

    #[test]
    fn a_column_past_the_last_is_refused() {
        let bytes = page(&[&[0; 16]]);
        let mut room = [&[][..]; 1];
        let block = Block::read(&mut Rows::new(Page::of(&bytes), 1), 1, &mut room).unwrap();
        assert!(block.column(0).is_ok() && block.column(1).is_err());
    }
}
