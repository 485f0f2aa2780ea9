//! Questions that only C answers: what a Python integer is worth, how many hold an object, and what the
//! clock shows.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// The value of an integer, if it has one of 64 bits.
#[inline]
pub(super) fn value(int: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow: c_int = 0;
    // SAFETY: a live integer, whose value is read without running Python code.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// References to an object, that of the caller among them.
#[inline]
pub(super) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: a live object, of which a number is read.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// Seconds that local time is ahead of UTC, at this time.
pub(super) fn local_offset(seconds: i64) -> i64 {
    let mut fields = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: fills the struct it is given, or returns null.
    let filled = unsafe { libc::localtime_r(&raw const seconds, fields.as_mut_ptr()) };
    if filled.is_null() {
        return 0;
    }
    // SAFETY: filled, by the check above.
    let fields = unsafe { fields.assume_init() };
    fields.tm_gmtoff
}
