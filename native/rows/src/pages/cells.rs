//! Values to read, wherever they lie: a column of rows, or the elements of one array.

use super::PageError;
use super::page::word;

/// A run of values of one type.
pub(super) trait Cells<'call> {
    type One: Cell<'call>;

    fn count(&self) -> usize;
    /// False only where none of them is null.
    fn any_null(&self) -> bool;
    fn cells(&self) -> impl Iterator<Item = Self::One>;
}

/// One value.
pub(super) trait Cell<'call>: Copy {
    fn is_null(self) -> bool;
    /// The value itself, or where it lies (eight bytes); `W` is at most 8.
    fn value<const W: usize>(self) -> [u8; W];
    /// The row or array that offsets count from.
    fn container(self) -> &'call [u8];
}

/// The elements of one array: a count, null bits, then values of one width.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArrayCells<'call> {
    array: &'call [u8],
    count: usize,
    bits: &'call [u8],
    values: &'call [u8],
    width: usize,
    any_null: bool,
}

impl<'call> ArrayCells<'call> {
    /// Parses the array that fills `array`, of values `width` bytes wide.
    pub(super) fn open(array: &'call [u8], width: usize) -> Result<Self, PageError> {
        const WRONG: PageError = PageError::Malformed("an array is shorter than its elements");
        let count = word(array, 0).ok_or(WRONG)?;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= array.len())
            .ok_or(PageError::Malformed("an array of impossible length"))?;
        let header = 8 + count.div_ceil(64) * 8;
        let bits = array.get(8..header).ok_or(WRONG)?;
        let values = array.get(header..header + count * width).ok_or(WRONG)?;
        Ok(Self {
            array,
            count,
            bits,
            values,
            width,
            any_null: bits.iter().any(|byte| *byte != 0),
        })
    }
}

impl<'call> Cells<'call> for ArrayCells<'call> {
    type One = ArrayCell<'call>;

    fn count(&self) -> usize {
        self.count
    }

    fn any_null(&self) -> bool {
        self.any_null
    }

    fn cells(&self) -> impl Iterator<Item = ArrayCell<'call>> {
        let cells = self.values.chunks_exact(self.width).enumerate();
        cells.map(|(index, value)| ArrayCell {
            array: self.array,
            bits: self.bits,
            value,
            index,
        })
    }
}

/// One element of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArrayCell<'call> {
    array: &'call [u8],
    bits: &'call [u8],
    value: &'call [u8],
    index: usize,
}

impl<'call> Cell<'call> for ArrayCell<'call> {
    fn is_null(self) -> bool {
        let byte = self.bits.get(self.index / 8).copied().unwrap_or(0);
        byte & (1 << (self.index % 8)) != 0
    }

    fn value<const W: usize>(self) -> [u8; W] {
        *self.value.first_chunk().unwrap_or(&[0; W])
    }

    fn container(self) -> &'call [u8] {
        self.array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_their_null_bits_are_read() {
        let mut array = vec![0; 16];
        array[0] = 3;
        array[8] = 0b010;
        array.extend([1, 0, 0, 0, 2, 0]);
        let cells = ArrayCells::open(&array, 2).unwrap();
        let values: Vec<_> = cells
            .cells()
            .map(|cell| (cell.is_null(), cell.value::<2>()))
            .collect();
        assert_eq!(values, [(false, [1, 0]), (true, [0, 0]), (false, [2, 0])]);
        assert!(cells.any_null());
    }

    #[test]
    fn an_array_longer_than_its_bytes_is_refused() {
        let mut array = vec![0; 24];
        array[0] = 3;
        assert!(ArrayCells::open(&array, 8).is_err());
        array[..8].fill(0xFF);
        assert!(ArrayCells::open(&array, 1).is_err());
        assert!(ArrayCells::open(&[], 1).is_err());
    }
}
