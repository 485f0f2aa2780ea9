//! The bridge's one exported symbol.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ember_abi::{BridgeTable, Failure, MAJOR, MINOR, SessionCalls, StartSpec};

use crate::{failure, interrupt, run, start};

static TABLE: BridgeTable = BridgeTable {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a table of a few dozen bytes"
    )]
    size: size_of::<BridgeTable>() as u32,
    major: MAJOR,
    minor: MINOR,
    python: built_for(),
    start: Some(table_start),
    attach: Some(table_attach),
    run: Some(table_run),
    interrupt: Some(table_interrupt),
    is_as_new: Some(table_is_as_new),
};

/// The table; static, so it may be kept.
#[unsafe(no_mangle)]
extern "C" fn ember_bridge_v1() -> *const BridgeTable {
    &raw const TABLE
}

/// The Python this library was built for: `0x030B` is 3.11.
const fn built_for() -> u32 {
    let minor = if cfg!(Py_3_15) {
        15
    } else if cfg!(Py_3_14) {
        14
    } else if cfg!(Py_3_13) {
        13
    } else if cfg!(Py_3_12) {
        12
    } else if cfg!(Py_3_11) {
        11
    } else if cfg!(Py_3_10) {
        10
    } else {
        9
    };
    3 << 8 | minor
}

/// # Safety
///
/// As [`BridgeTable::start`] says.
unsafe extern "C" fn table_start(spec: *const StartSpec, failure: *mut Failure) -> i32 {
    // SAFETY: the loader lends it for the length of the call.
    let spec = unsafe { &*spec };
    // SAFETY: as above.
    let failure = unsafe { &mut *failure };
    guarded(failure, || start::start(spec))
}

/// # Safety
///
/// The interpreter must have been started.
unsafe extern "C" fn table_attach() -> i32 {
    start::keep_thread_state();
    0
}

/// # Safety
///
/// As [`BridgeTable::run`] says.
unsafe extern "C" fn table_run(calls: *const SessionCalls, failure: *mut Failure) -> i32 {
    // SAFETY: the loader lends it for the length of the call.
    let calls = unsafe { SessionCalls::read(calls) };
    // SAFETY: as above.
    let failure = unsafe { &mut *failure };
    guarded(failure, || run::run(&calls))
}

/// # Safety
///
/// The interpreter must have been started.
unsafe extern "C" fn table_interrupt(context: *mut c_void) -> i32 {
    let raised = catch_unwind(AssertUnwindSafe(|| interrupt::interrupt(context)));
    i32::from(raised.unwrap_or(false))
}

/// # Safety
///
/// The interpreter must have been started.
unsafe extern "C" fn table_is_as_new() -> i32 {
    i32::from(catch_unwind(start::is_as_new).unwrap_or(false))
}

fn guarded(failure: &mut Failure, work: impl FnOnce() -> Result<(), String>) -> i32 {
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the bridge panicked".to_owned()));
    match outcome {
        Ok(()) => 0,
        Err(text) => {
            failure::fill(failure, text);
            -1
        }
    }
}
