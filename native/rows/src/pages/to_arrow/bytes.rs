//! The bytes of a text column, appended piece by piece.

use arrow_buffer::MutableBuffer;

/// A growing run of bytes.
#[derive(Debug, Default)]
pub(super) struct Bytes(MutableBuffer);

/// The longest piece that is copied by two overlapping loads instead of a call.
const SHORT: usize = 32;

impl Bytes {
    pub(super) fn append(&mut self, piece: &[u8]) {
        let len = piece.len();
        if len > SHORT {
            self.0.extend_from_slice(piece);
            return;
        }
        self.0.reserve(SHORT);
        let end = self.0.as_mut_ptr().wrapping_add(self.0.len());
        // SAFETY: `reserve` made room for `SHORT >= len` bytes behind the length.
        unsafe { copy_short(piece, end) };
        // SAFETY: the `len` bytes behind the length were just written, within the capacity.
        unsafe { self.0.set_len(self.0.len() + len) };
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn start(&self) -> *const u8 {
        self.0.as_ptr()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

/// Copies a piece of at most [`SHORT`] bytes.
///
/// # Safety
///
/// As many bytes as the piece has must be writable at `to`.
#[inline]
unsafe fn copy_short(piece: &[u8], to: *mut u8) {
    let len = piece.len();
    if let (Some(first), Some(last)) = (piece.first_chunk::<16>(), piece.last_chunk::<16>()) {
        // SAFETY: the piece has at least 16 bytes, so both ends lie within it.
        unsafe { put_ends(*first, *last, to, len) };
    } else if let (Some(first), Some(last)) = (piece.first_chunk::<8>(), piece.last_chunk::<8>()) {
        // SAFETY: at least 8 bytes.
        unsafe { put_ends(*first, *last, to, len) };
    } else if let (Some(first), Some(last)) = (piece.first_chunk::<4>(), piece.last_chunk::<4>()) {
        // SAFETY: at least 4 bytes.
        unsafe { put_ends(*first, *last, to, len) };
    } else {
        for (index, byte) in piece.iter().enumerate() {
            // SAFETY: `index < len` bytes are writable.
            let to = unsafe { to.add(index) };
            // SAFETY: as above.
            unsafe { to.write(*byte) };
        }
    }
}

/// Writes the first and the last `W` bytes of a piece of `len`, which may overlap.
///
/// # Safety
///
/// `W <= len <= 2 * W`, and `len` bytes must be writable at `to`.
#[inline]
unsafe fn put_ends<const W: usize>(first: [u8; W], last: [u8; W], to: *mut u8, len: usize) {
    // SAFETY: `W <= len` bytes are writable.
    unsafe { to.cast::<[u8; W]>().write(first) };
    // SAFETY: `len - W` is within the writable bytes.
    let tail = unsafe { to.add(len - W) };
    // SAFETY: `W` bytes before the end of the writable bytes.
    unsafe { tail.cast::<[u8; W]>().write(last) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_length_are_appended_whole() {
        let mut bytes = Bytes::default();
        let mut expected = Vec::new();
        for len in 0..100_u8 {
            let piece: Vec<u8> = (len..len * 2).collect();
            bytes.append(&piece);
            expected.extend(piece);
        }
        assert_eq!(bytes.0.as_slice(), expected);
    }
}
