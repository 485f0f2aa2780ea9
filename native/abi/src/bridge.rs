//! The table a bridge hands out, and what it needs to start.

use std::ffi::c_void;

use crate::{Failure, SessionCalls, Span};

/// Changes when an old bridge cannot serve a new loader.
pub const MAJOR: u16 = 1;
/// Grows with each entry appended to [`BridgeTable`].
pub const MINOR: u16 = 1;

/// The one symbol a bridge exports: `extern "C" fn() -> *const BridgeTable`.
pub const BRIDGE_SYMBOL: &[u8] = b"ember_bridge_v1\0";

/// What the interpreter is started with. All text is UTF-8.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct StartSpec {
    /// Bytes of this struct as the loader knows it.
    pub size: u32,
    /// Absolute path of the Python executable; its environment decides prefix and path.
    pub executable: Span,
    /// What `PYTHONPATH` would be for a worker process.
    pub python_path: Span,
    /// Folder that holds the package `ember_worker`.
    pub worker_package: Span,
    /// The whole configuration, a JSON object, for `ember_worker.boot.start`.
    pub config: Span,
}

/// What `ember_bridge_v1` returns. Append only; never reorder.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct BridgeTable {
    /// Bytes of the table the bridge filled in; lets an old bridge serve a new loader.
    pub size: u32,
    /// [`MAJOR`] the bridge was built with.
    pub major: u16,
    /// [`MINOR`] the bridge was built with.
    pub minor: u16,
    /// Python the bridge was built for: `0x030B` is 3.11.
    pub python: u32,
    /// Starts the interpreter on the calling thread, which becomes Python's main thread and must
    /// never end. 0, or -1 with the failure.
    pub start: Option<unsafe extern "C" fn(spec: *const StartSpec, failure: *mut Failure) -> i32>,
    /// Gives the calling thread a Python thread state that it keeps for ever. 0, or -1.
    pub attach: Option<unsafe extern "C" fn() -> i32>,
    /// Runs one session on the calling thread to its end. 0, or -1 with the failure.
    pub run: Option<unsafe extern "C" fn(calls: *const SessionCalls, failure: *mut Failure) -> i32>,
    /// Raises `SessionCancelled` in the session with this context, if it is running Python. Waits
    /// for the GIL. 1 if it was raised.
    pub interrupt: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
    /// 1 if nothing is loaded but what is installed, and as it is installed: another application may use the
    /// interpreter. Waits for the GIL.
    pub is_as_new: Option<unsafe extern "C" fn() -> i32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn layout_of_version_1_never_moves() {
        assert_eq!(
            (
                offset_of!(BridgeTable, size),
                offset_of!(BridgeTable, major),
                offset_of!(BridgeTable, minor),
                offset_of!(BridgeTable, python),
                offset_of!(BridgeTable, start),
                offset_of!(BridgeTable, interrupt),
                offset_of!(BridgeTable, is_as_new),
                size_of::<BridgeTable>()
            ),
            (0, 4, 6, 8, 16, 40, 48, 56)
        );
        assert_eq!(
            (offset_of!(StartSpec, executable), size_of::<StartSpec>()),
            (8, 72)
        );
    }
}
