//! The zeroed bytes that rows are written to.

use super::super::PageError;

/// Bytes to write at given places; a place that is not there is remembered, and nothing is written.
#[derive(Debug)]
pub(super) struct Slate<'page> {
    bytes: &'page mut [u8],
    fits: bool,
}

impl<'page> Slate<'page> {
    pub(super) const fn new(bytes: &'page mut [u8]) -> Self {
        Self { bytes, fits: true }
    }

    pub(super) fn word(&mut self, at: usize, word: u64) {
        self.value(at, word.to_le_bytes());
    }

    pub(super) fn value<const W: usize>(&mut self, at: usize, value: [u8; W]) {
        match self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => *place = value,
            None => self.fits = false,
        }
    }

    pub(super) fn bytes(&mut self, at: usize, bytes: &[u8]) {
        match self.room(at, bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.fits = false,
        }
    }

    /// Bytes that are mostly few: without a call for up to 64 of them.
    #[inline]
    pub(super) fn few(&mut self, at: usize, bytes: &[u8]) {
        let len = bytes.len();
        match self.room(at, len) {
            None => self.fits = false,
            Some(place) if !(8..=64).contains(&len) => place.copy_from_slice(bytes),
            Some(place) if len > 32 => ends::<32>(bytes, place),
            Some(place) if len > 16 => ends::<16>(bytes, place),
            Some(place) => ends::<8>(bytes, place),
        }
    }

    /// Sets bit `ordinal` of the null bits at `at`.
    pub(super) fn set_null(&mut self, at: usize, ordinal: usize) {
        self.set_null_if(true, at, ordinal);
    }

    /// Sets the bit or leaves it, without a branch.
    #[inline]
    pub(super) fn set_null_if(&mut self, null: bool, at: usize, ordinal: usize) {
        match self.bytes.get_mut(at + ordinal / 8) {
            Some(byte) => *byte |= u8::from(null) << (ordinal % 8),
            None => self.fits = false,
        }
    }

    /// An error if anything was written to where there is no room: sizes and values disagree.
    pub(super) const fn check(&self) -> Result<(), PageError> {
        if self.fits {
            Ok(())
        } else {
            Err(PageError::Batch("a row is larger than its parts"))
        }
    }

    fn room(&mut self, at: usize, len: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(at..)?.get_mut(..len)
    }
}

/// Copies the first and the last `W` bytes, which may overlap and must cover the whole.
#[inline]
fn ends<const W: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<W>(), to.first_chunk_mut::<W>()) {
        *to = *from;
    }
    if let (Some(from), Some(to)) = (from.last_chunk::<W>(), to.last_chunk_mut::<W>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_are_put_whole_and_nowhere_else() {
        for len in 0..100_u8 {
            let bytes: Vec<u8> = (100..100 + len).collect();
            let mut page = [0; 128];
            let mut slate = Slate::new(&mut page);
            slate.few(9, &bytes);
            slate.check().unwrap();
            let end = 9 + bytes.len();
            assert_eq!(page[9..end], bytes[..]);
            assert!(page[..9].iter().chain(&page[end..]).all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written_and_remembered() {
        let mut page = [0; 8];
        let mut slate = Slate::new(&mut page);
        slate.word(1, u64::MAX);
        slate.few(usize::MAX, &[1]);
        assert!(slate.check().is_err());
        assert_eq!(page, [0; 8]);
    }
}
