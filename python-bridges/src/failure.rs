//! Texts that cross to the loader and are freed here.

use ember_abi::Failure;

/// Gives `text` to the loader.
pub(crate) fn fill(failure: &mut Failure, text: String) {
    let bytes: Box<[u8]> = text.into_bytes().into();
    failure.len = bytes.len();
    failure.text = Box::into_raw(bytes).cast();
    failure.free = Some(free);
}

/// # Safety
///
/// `text` and `len` must come from [`fill`], and not have been freed.
unsafe extern "C" fn free(text: *mut u8, len: usize) {
    let bytes = std::ptr::slice_from_raw_parts_mut(text, len);
    // SAFETY: the box that `fill` gave away, by this function's contract.
    drop(unsafe { Box::from_raw(bytes) });
}
