//! The two structs of the Arrow C Data Interface, as its specification lays them out.

use std::ffi::{c_char, c_void};
use std::ptr;

/// `struct ArrowArray` of the C Data Interface. A null `release` marks an empty struct.
#[derive(Debug)]
#[repr(C)]
#[expect(
    clippy::partial_pub_fields,
    reason = "only the owner may look into private_data"
)]
pub struct ArrowArray {
    /// Rows.
    pub length: i64,
    /// Nulls among the rows, or -1 when not counted.
    pub null_count: i64,
    /// Rows to skip at the start of each buffer.
    pub offset: i64,
    /// Entries of `buffers`.
    pub n_buffers: i64,
    /// Entries of `children`.
    pub n_children: i64,
    /// Buffers in the order of the columnar format.
    pub buffers: *mut *const c_void,
    /// Children, owned by this struct.
    pub children: *mut *mut ArrowArray,
    /// The dictionary, or null.
    pub dictionary: *mut ArrowArray,
    /// Frees everything; null once called.
    pub release: Option<unsafe extern "C" fn(array: *mut ArrowArray)>,
    private_data: *mut c_void,
}

impl ArrowArray {
    /// A struct that owns nothing, for a producer to fill.
    pub const fn empty() -> Self {
        Self {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: ptr::null_mut(),
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }

    /// What the producer stored for its own `release`.
    pub const fn private_data(&self) -> *mut c_void {
        self.private_data
    }

    /// Stores what `release` will need; for producers.
    pub const fn set_private_data(&mut self, data: *mut c_void) {
        self.private_data = data;
    }
}

/// `struct ArrowSchema` of the C Data Interface. A null `release` marks an empty struct.
#[derive(Debug)]
#[repr(C)]
#[expect(
    clippy::partial_pub_fields,
    reason = "only the owner may look into private_data"
)]
pub struct ArrowSchema {
    /// The type, in the specification's format language.
    pub format: *const c_char,
    /// The field's name, or null.
    pub name: *const c_char,
    /// Key-value metadata, or null.
    pub metadata: *const c_char,
    /// Bit 1: dictionary ordered; bit 2: nullable; bit 4: map keys sorted.
    pub flags: i64,
    /// Entries of `children`.
    pub n_children: i64,
    /// Children, owned by this struct.
    pub children: *mut *mut ArrowSchema,
    /// The dictionary's type, or null.
    pub dictionary: *mut ArrowSchema,
    /// Frees everything; null once called.
    pub release: Option<unsafe extern "C" fn(schema: *mut ArrowSchema)>,
    private_data: *mut c_void,
}

impl ArrowSchema {
    /// A struct that owns nothing, for a producer to fill.
    pub const fn empty() -> Self {
        Self {
            format: ptr::null(),
            name: ptr::null(),
            metadata: ptr::null(),
            flags: 0,
            n_children: 0,
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }

    /// What the producer stored for its own `release`.
    pub const fn private_data(&self) -> *mut c_void {
        self.private_data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn the_structs_are_laid_out_as_the_specification_says() {
        assert_eq!(
            (size_of::<ArrowArray>(), size_of::<ArrowSchema>()),
            (80, 72)
        );
        assert_eq!(
            (
                offset_of!(ArrowArray, buffers),
                offset_of!(ArrowArray, children),
                offset_of!(ArrowArray, release)
            ),
            (40, 48, 64)
        );
        assert_eq!(
            (
                offset_of!(ArrowSchema, flags),
                offset_of!(ArrowSchema, release)
            ),
            (24, 56)
        );
    }
}
