//! A pyarrow array whose buffers are read here, for as long as this side holds it.

use std::ffi::c_void;

use ember_abi::ArrowArray;
use pyo3::prelude::*;

/// An exported array. Its buffers stay where they are until it is dropped.
pub(super) struct Lent(Box<ArrowArray>);

// SAFETY: the struct is only read, and a C Data struct may be released from any thread.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Lent {
    /// Exports a pyarrow array.
    pub(super) fn export(array: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut lent = Self(Box::new(ArrowArray::empty()));
        let address = (&raw mut *lent.0).expose_provenance();
        array.call_method1("_export_to_c", (address,))?;
        Ok(lent)
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.0.length).unwrap_or(0)
    }

    /// Rows before the first.
    pub(super) fn offset(&self) -> usize {
        usize::try_from(self.0.offset).unwrap_or(0)
    }

    /// Which rows are null. To be held no longer than `self`, as a slice.
    pub(super) fn nulls(&self) -> Nulls {
        let first = self.offset();
        let valid = match self.0.null_count {
            0 => None,
            _ => self.slice(0, (first + self.len()).div_ceil(8)),
        };
        Nulls { valid, first }
    }

    /// The first `length` values of a buffer; `None` if it is absent or not aligned for them.
    ///
    /// The slice lives as long as `self`, not for ever: who holds it must hold `self` too.
    pub(super) fn slice<T: Plain>(&self, buffer: usize, length: usize) -> Option<&'static [T]> {
        let count = usize::try_from(self.0.n_buffers).unwrap_or(0);
        if buffer >= count || self.0.buffers.is_null() {
            return None;
        }
        // SAFETY: an exported array lists `n_buffers` pointers, and this is one of them.
        let first = unsafe { self.0.buffers.add(buffer) };
        // SAFETY: as above.
        let first: *const c_void = unsafe { *first };
        let first: *const T = first.cast();
        if first.is_null() || !first.is_aligned() {
            return None;
        }
        // SAFETY: the C Data Interface promises a buffer of `offset + length` values, and the
        // caller asks for no more; it stays in place until `release`, which `drop` calls.
        Some(unsafe { std::slice::from_raw_parts(first, length) })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: live, and released once because `release` clears itself.
            unsafe { release(&raw mut *self.0) };
        }
    }
}

/// The bitmap of validity, if there are nulls.
pub(super) struct Nulls {
    valid: Option<&'static [u8]>,
    first: usize,
}

impl Nulls {
    /// Whether a row is one of them.
    #[inline]
    pub(super) fn at(&self, row: usize) -> bool {
        let bit = self.first + row;
        self.valid
            .and_then(|bits| bits.get(bit / 8))
            .is_some_and(|byte| byte >> (bit % 8) & 1 == 0)
    }
}

/// What a buffer holds: numbers, for which any bytes are a value.
pub(super) trait Plain: Copy + 'static {}

impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for i16 {}
impl Plain for i32 {}
impl Plain for i64 {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for [u8; 16] {}
