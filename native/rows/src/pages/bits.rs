//! Bitmaps that grow by whole runs.

use arrow_buffer::MutableBuffer;

/// A growing bitmap, in words.
#[derive(Debug, Default)]
pub(super) struct Bits {
    words: MutableBuffer,
    len: usize,
}

impl Bits {
    /// Appends `bits`; returns how many of them were set.
    pub(super) fn extend(&mut self, bits: impl Iterator<Item = bool>) -> usize {
        let at = self.len % 64;
        let (mut word, mut shift) = (if at == 0 { 0 } else { self.pop() }, at);
        let mut set = 0;
        for bit in bits {
            word |= u64::from(bit) << shift;
            set += usize::from(bit);
            shift += 1;
            self.len += 1;
            if shift == 64 {
                self.words.extend_from_slice(&word.to_le_bytes());
                (word, shift) = (0, 0);
            }
        }
        if shift != 0 {
            self.words.extend_from_slice(&word.to_le_bytes());
        }
        set
    }

    /// Appends `count` times the same bit.
    pub(super) fn repeat(&mut self, bit: bool, count: usize) {
        let to_word = (64 - self.len % 64) % 64;
        let head = to_word.min(count);
        self.extend(std::iter::repeat_n(bit, head));
        let words = (count - head) / 64;
        let bytes = self.words.len() + words * 8;
        self.words.resize(bytes, if bit { 0xFF } else { 0 });
        self.len += words * 64;
        self.extend(std::iter::repeat_n(bit, (count - head) % 64));
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    pub(super) fn start(&self) -> *const u8 {
        self.words.as_ptr()
    }

    pub(super) fn capacity(&self) -> usize {
        self.words.capacity()
    }

    fn pop(&mut self) -> u64 {
        let last = self.words.as_slice().last_chunk::<8>();
        let word = last.map_or(0, |word| u64::from_le_bytes(*word));
        self.words.truncate(self.words.len().saturating_sub(8));
        word
    }
}

/// Which rows are there: a bitmap only once there is a null.
#[derive(Debug, Default)]
pub(super) struct Validity {
    bits: Bits,
    len: usize,
    nulls: usize,
}

impl Validity {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn nulls(&self) -> usize {
        self.nulls
    }

    /// Appends `count` rows that are there.
    pub(super) fn valid(&mut self, count: usize) {
        if self.nulls > 0 {
            self.bits.repeat(true, count);
        }
        self.len += count;
    }

    /// Appends `count` nulls.
    pub(super) fn null(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.materialise();
        self.bits.repeat(false, count);
        self.len += count;
        self.nulls += count;
    }

    /// Appends `count` rows, `true` for each that is there.
    pub(super) fn extend(&mut self, count: usize, valid: impl Iterator<Item = bool>) {
        self.materialise();
        let set = self.bits.extend(valid.take(count));
        self.len += count;
        self.nulls += count - set;
    }

    pub(super) fn clear(&mut self) {
        self.bits.clear();
        (self.len, self.nulls) = (0, 0);
    }

    /// The bitmap, or null where there is no null.
    pub(super) fn start(&self) -> *const u8 {
        if self.nulls == 0 {
            std::ptr::null()
        } else {
            self.bits.start()
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.bits.capacity()
    }

    fn materialise(&mut self) {
        if self.nulls == 0 {
            self.bits.clear();
            self.bits.repeat(true, self.len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_any_length_land_in_order() {
        let mut bits = Bits::default();
        let mut expected = Vec::new();
        for (count, bit) in [(3, true), (64, false), (61, true), (1, false), (200, true)] {
            bits.repeat(bit, count);
            expected.extend(std::iter::repeat_n(bit, count));
            assert_eq!(bits.extend([true, false, true].into_iter()), 2);
            expected.extend([true, false, true]);
        }
        let words = bits.words.as_slice();
        let read = |index: usize| words[index / 8] & (1 << (index % 8)) != 0;
        assert_eq!((0..bits.len).map(read).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_bitmap_appears_with_the_first_null() {
        let mut validity = Validity::default();
        validity.valid(70);
        assert!(validity.start().is_null());
        validity.extend(2, [false, true].into_iter());
        assert_eq!((validity.len(), validity.nulls()), (72, 1));
        assert_eq!(
            validity.bits.words.as_slice()[..9],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0b1011_1111]
        );
    }
}
