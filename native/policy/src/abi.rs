//! What the library's one symbol gives. The table only grows.

use std::ffi::{c_char, c_void};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// Another major number is another contract.
pub(crate) const MAJOR: u16 = 1;
/// A greater minor number has more at the end of the table.
pub(crate) const MINOR: u16 = 1;

/// What a call answers.
pub(crate) const DONE: i32 = 0;
/// The library or its caller is wrong.
pub(crate) const FAILED: i32 = 1;
/// The rows are not what the manifest allows.
pub(crate) const REFUSED: i32 = 2;

/// Frees what `open` gave, which nobody may use any more.
pub(crate) type Close = unsafe extern "C" fn(opened: *mut c_void) -> i32;
/// Reads a plan of `length` bytes, and gives what the other calls take.
pub(crate) type Open = unsafe extern "C" fn(
    plan: *const u8,
    length: usize,
    opened: *mut *mut c_void,
    error: *mut c_char,
    room: usize,
) -> i32;
/// Writes a score for each row and arm, row after row. Takes schema and batch away.
pub(crate) type Score = unsafe extern "C" fn(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    scores: *mut f64,
    length: usize,
    error: *mut c_char,
    room: usize,
) -> i32;
/// Counts the rows of a batch. Takes schema and batch away.
pub(crate) type Add = unsafe extern "C" fn(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32;
/// Copies what was counted.
pub(crate) type Cells = unsafe extern "C" fn(
    opened: *const c_void,
    cells: *mut i64,
    length: usize,
    error: *mut c_char,
    room: usize,
) -> i32;

/// Adds cells that were counted elsewhere. Takes schema and batch away. Since 1.1.
pub(crate) type Merge = Add;
/// Finds the best splits in what was counted; schema and batch are the caller's, who releases them. Since 1.1.
pub(crate) type Search = unsafe extern "C" fn(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32;

/// What `ember_policy_v1` gives.
#[repr(C)]
#[derive(Debug)]
pub struct EmberPolicy {
    /// Bytes of the table, as the library was compiled.
    pub(crate) size: u32,
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) close: Close,
    pub(crate) open: Open,
    pub(crate) score: Score,
    pub(crate) add: Add,
    pub(crate) cells: Cells,
    pub(crate) merge: Merge,
    pub(crate) search: Search,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn layout_of_version_1_never_moves() {
        let at = (
            offset_of!(EmberPolicy, major),
            offset_of!(EmberPolicy, minor),
            offset_of!(EmberPolicy, close),
            offset_of!(EmberPolicy, open),
            offset_of!(EmberPolicy, score),
            offset_of!(EmberPolicy, add),
            offset_of!(EmberPolicy, cells),
            offset_of!(EmberPolicy, merge),
            offset_of!(EmberPolicy, search),
        );
        assert_eq!(at, (4, 6, 8, 16, 24, 32, 40, 48, 56));
        assert_eq!(size_of::<EmberPolicy>(), 64);
    }
}
