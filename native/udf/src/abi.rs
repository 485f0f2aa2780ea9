//! The table of `include/ember_udf.h`. It only grows.

use std::ffi::c_char;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// Another major number is another contract.
pub const MAJOR: u16 = 1;
/// A greater minor number has more at the end of the table.
pub const MINOR: u16 = 0;
/// One column of results, with a row for each row of the arguments.
pub const SCALAR: u32 = 0;
/// Columns of results, with as many rows as the function likes.
pub const MAP: u32 = 1;

/// Writes the schema of the results for arguments of a schema.
pub type Results = unsafe extern "C" fn(
    arguments: *const FFI_ArrowSchema,
    results: *mut FFI_ArrowSchema,
    error: *mut c_char,
    room: usize,
) -> i32;

/// Gives the results for a batch, which is the callee's.
pub type Call = unsafe extern "C" fn(
    schema: *const FFI_ArrowSchema,
    arguments: *mut FFI_ArrowArray,
    results: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32;

/// What a symbol of a library gives.
#[repr(C)]
#[derive(Debug)]
pub struct EmberUdf {
    /// Bytes of the table, as the library was compiled.
    pub size: u32,
    /// [`MAJOR`].
    pub major: u16,
    /// [`MINOR`].
    pub minor: u16,
    /// [`SCALAR`] or [`MAP`].
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// The schema of the results.
    pub results: Results,
    /// The results of a batch.
    pub call: Call,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn layout_of_version_1_never_moves() {
        let at = (
            offset_of!(EmberUdf, major),
            offset_of!(EmberUdf, minor),
            offset_of!(EmberUdf, kind),
            offset_of!(EmberUdf, results),
            offset_of!(EmberUdf, call),
        );
        assert_eq!(at, (4, 6, 8, 16, 24));
        assert_eq!(size_of::<EmberUdf>(), 32);
    }
}
