//! The page the JVM lent, and the walk over its rows.

use std::slice;

use super::PageError;

/// A run of bytes the JVM lent for the length of one native call.
#[derive(Debug, Clone, Copy)]
pub struct Page<'call>(&'call [u8]);

impl<'call> Page<'call> {
    /// Takes the JVM's word for `start..start + len`.
    ///
    /// # Safety
    ///
    /// Those bytes must stay readable and unwritten for `'call`.
    pub unsafe fn lend(start: *const u8, len: usize) -> Self {
        if start.is_null() || len == 0 {
            return Self(&[]);
        }
        // SAFETY: readable and unwritten for 'call by this function's contract.
        Self(unsafe { slice::from_raw_parts(start, len) })
    }

    /// The bytes of a page that Rust owns.
    pub const fn of(bytes: &'call [u8]) -> Self {
        Self(bytes)
    }
}

/// Bytes of the null bits of a row of `fields`.
pub(super) const fn bits_width(fields: usize) -> usize {
    fields.div_ceil(64) * 8
}

/// Bytes of a row of `fields` before its variable part.
pub(super) const fn fixed_width(fields: usize) -> usize {
    bits_width(fields) + 8 * fields
}

/// The little-endian word at `at`, or `None` past the end.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*word))
}

/// What a slot's `offset << 32 | size` leads to inside its row or array.
pub(super) fn region(container: &[u8], slot: u64) -> Result<&[u8], PageError> {
    let (offset, size) = (offset(slot), size(slot));
    container
        .get(offset..offset + size)
        .ok_or(PageError::Malformed("a value lies outside its row"))
}

/// The upper half of a slot.
pub(super) const fn offset(slot: u64) -> usize {
    (slot >> 32) as usize
}

/// The lower half of a slot.
pub(super) const fn size(slot: u64) -> usize {
    (slot & 0xFFFF_FFFF) as usize
}

/// The unread rows of a page.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'call> {
    rest: &'call [u8],
    left: usize,
    read: usize,
}

impl<'call> Rows<'call> {
    /// The first `count` rows of `page`.
    pub const fn new(page: Page<'call>, count: usize) -> Self {
        Self {
            rest: page.0,
            left: count,
            read: 0,
        }
    }

    /// Rows not read yet.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Bytes read so far: where the next row begins, for a caller who goes on in another call.
    pub const fn read(&self) -> usize {
        self.read
    }

    /// The rest of the page, from the next row on.
    pub const fn bytes(&self) -> &'call [u8] {
        self.rest
    }

    /// These rows without the first `count`.
    pub fn skip(mut self, count: usize) -> Result<Self, PageError> {
        for _ in 0..count.min(self.left) {
            self.next(0)?;
        }
        Ok(self)
    }

    /// These rows, but no more than `count` of them.
    #[must_use]
    pub fn take(mut self, count: usize) -> Self {
        self.left = self.left.min(count);
        self
    }

    /// The next row, at least `least` bytes long.
    #[inline]
    pub(super) fn next(&mut self, least: usize) -> Result<&'call [u8], PageError> {
        const SHORT: PageError = PageError::Malformed("it ends inside a row");
        let (len, rest) = self.rest.split_first_chunk::<8>().ok_or(SHORT)?;
        let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| SHORT)?;
        if len < least || !len.is_multiple_of(8) {
            return Err(PageError::Malformed("a row of impossible length"));
        }
        let (row, rest) = rest.split_at_checked(len).ok_or(SHORT)?;
        self.rest = rest;
        self.left -= 1;
        self.read += 8 + len;
        Ok(row)
    }

    /// Fills `room` with the next rows as far as they are as long as the first of them, which is at least `least`
    /// bytes. Gives their number, and the first words of all or-ed.
    ///
    /// Where a row begins is known here before the one ahead of it was read, so that the processor need not wait for
    /// one length to look for the next.
    #[inline]
    pub(super) fn next_even(&mut self, least: usize, room: &mut [&'call [u8]]) -> (usize, u64) {
        let (mut taken, mut all) = (0, 0);
        let first = word(self.rest, 0).unwrap_or(u64::MAX);
        let Some(stride) = usize::try_from(first)
            .ok()
            .and_then(|len| len.checked_add(8))
        else {
            return (0, 0);
        };
        if stride < 8 + least || !stride.is_multiple_of(8) {
            return (0, 0);
        }
        let rows = self.rest.chunks_exact(stride).take(self.left);
        for (place, bytes) in room.iter_mut().zip(rows) {
            let (length, row) = bytes.split_at(8);
            if word(length, 0) != Some(first) {
                break;
            }
            all |= word(row, 0).unwrap_or(0);
            *place = row;
            taken += 1;
        }
        self.rest = self.rest.get(taken * stride..).unwrap_or_default();
        self.left -= taken;
        self.read += taken * stride;
        (taken, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_walked_to_their_count_and_no_further() {
        let mut bytes = vec![8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
        bytes.extend([0; 8]);
        let mut rows = Rows::new(Page::of(&bytes), 2);
        assert_eq!(rows.next(8).unwrap(), [1; 8]);
        assert_eq!((rows.left(), rows.read()), (1, 16));
        assert!(rows.next(8).is_err(), "shorter than its fields");
        assert_eq!(rows.skip(1).unwrap().left(), 0);
        assert_eq!(rows.take(0).left(), 0);
    }

    #[test]
    fn rows_of_one_length_are_taken_together_and_no_other() {
        let words = |row: &[u64]| row.iter().flat_map(|word| word.to_le_bytes()).collect();
        let bytes: Vec<u8> = words(&[8, 1, 8, 2, 16, 4, 4, 8, 8, 8, 16]);
        let mut rows = Rows::new(Page::of(&bytes), 4);
        let mut room = [&[][..]; 4];
        assert_eq!(
            rows.next_even(16, &mut room),
            (0, 0),
            "shorter than its fields"
        );
        assert_eq!(rows.next_even(8, &mut room[..1]), (1, 1));
        assert_eq!(rows.next_even(8, &mut room), (1, 2));
        assert_eq!(
            (rows.left(), rows.read(), room[0]),
            (2, 32, &[2, 0, 0, 0, 0, 0, 0, 0][..])
        );
        assert_eq!(rows.next_even(8, &mut room), (1, 4));
        assert_eq!(rows.next_even(8, &mut room), (1, 8));
        assert_eq!(
            rows.next_even(8, &mut room),
            (0, 0),
            "no more than are left"
        );
        for len in [7, 9, 24, u64::MAX, u64::MAX - 7] {
            let bytes: Vec<u8> = words(&[len, 0]);
            let mut rows = Rows::new(Page::of(&bytes), 1);
            assert_eq!(rows.next_even(0, &mut [&[][..]]), (0, 0), "{len}");
        }
    }

    #[test]
    fn a_length_that_is_odd_or_crosses_the_end_is_refused() {
        for len in [7_u64, 9, 16, u64::MAX, u64::MAX - 7] {
            let bytes = [len.to_le_bytes(), [0; 8]].concat();
            assert!(Rows::new(Page::of(&bytes), 1).skip(1).is_err(), "{len}");
        }
        assert!(Rows::new(Page::of(&[0; 7]), 1).skip(1).is_err());
    }

    #[test]
    fn a_region_past_its_row_is_refused() {
        assert!(region(&[0; 8], (4 << 32) | 4).is_ok());
        assert!(region(&[0; 8], (4 << 32) | 5).is_err());
        assert!(region(&[0; 8], u64::MAX).is_err());
    }
}
