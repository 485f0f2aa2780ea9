//! A session's face towards the bridge: callbacks that never unwind.
//!
//! Invariant: `context` is a pointer that came from `Arc::as_ptr` of a live [`Session`]: the lane
//! holds one count for as long as it runs, and every `retain` adds one until its `release`.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, SessionCalls, Span, Spent};
use ember_rows::{ReturnedSchema, RowsError};

use crate::Session;

/// The callbacks of `session`, to be used while the caller holds it.
pub(crate) fn calls(session: &Arc<Session>) -> SessionCalls {
    SessionCalls {
        size: u32::try_from(size_of::<SessionCalls>()).unwrap_or(0),
        context: context(session),
        header: Span::of(&session.spec.header),
        input_schema: Span::of(&session.spec.input_schema),
        environment: Span::of(&session.spec.environment),
        pull,
        push,
        cancelled,
        retain,
        release,
        tail,
        spent: Some(spent),
    }
}

/// What the bridge knows a session by.
pub(crate) fn context(session: &Arc<Session>) -> *mut c_void {
    Arc::as_ptr(session).cast_mut().cast()
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn pull(context: *mut c_void, array: *mut ArrowArray) -> PullStatus {
    // SAFETY: a live session, by this module's invariant.
    let session = unsafe { &*context.cast::<Session>() };
    match catch_unwind(AssertUnwindSafe(|| session.pull())) {
        Ok(Ok(Some(batch))) => {
            // SAFETY: the bridge's own struct, empty and exclusively lent for this call.
            unsafe { array.write(batch) };
            PullStatus::BATCH
        }
        Ok(Ok(None)) => PullStatus::END,
        Ok(Err(_)) | Err(_) => PullStatus::CANCELLED,
    }
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn push(
    context: *mut c_void,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    message: Span,
) -> PushStatus {
    // SAFETY: a live session, by this module's invariant.
    let session = unsafe { &*context.cast::<Session>() };
    // SAFETY: what `take` asks of its caller is what this callback asks of the bridge.
    let taken = catch_unwind(AssertUnwindSafe(|| unsafe {
        take(session, array, schema, message)
    }));
    match taken {
        Ok(Ok(true)) => PushStatus::TAKEN,
        Ok(Ok(false)) => PushStatus::CANCELLED,
        Ok(Err(error)) => {
            session.refuse(&error);
            PushStatus::CANCELLED
        }
        Err(_) => {
            session.refuse(&RowsError::Layout("its check panicked"));
            PushStatus::CANCELLED
        }
    }
}

/// Checks and queues one batch; false when the session wants no more.
///
/// # Safety
///
/// `array`, and `schema` unless null, must be live structs of the C Data Interface.
unsafe fn take(
    session: &Session,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    message: Span,
) -> Result<bool, RowsError> {
    if !schema.is_null() {
        // SAFETY: live, by this function's contract.
        let schema = unsafe { ReturnedSchema::take(schema) }?;
        // SAFETY: lent for the length of the callback.
        session.output_has(schema, unsafe { message.bytes() });
    }
    let schema = session
        .returned_schema()
        .ok_or(RowsError::Layout("a batch before its schema"))?;
    // SAFETY: live, and exported with that schema, by this function's contract.
    let batch = unsafe { schema.check(array) }?;
    session.push(&batch)
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn cancelled(context: *mut c_void) -> i32 {
    // SAFETY: a live session, by this module's invariant.
    let session = unsafe { &*context.cast::<Session>() };
    i32::from(session.is_cancelled())
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn retain(context: *mut c_void) {
    // SAFETY: a live session in an `Arc`, by this module's invariant.
    unsafe { Arc::increment_strong_count(context.cast::<Session>()) };
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: gives back one `retain`, by the contract of `SessionCalls`.
    unsafe { Arc::decrement_strong_count(context.cast::<Session>()) };
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn tail(context: *mut c_void, bytes: Span) {
    // SAFETY: a live session, by this module's invariant.
    let session = unsafe { &*context.cast::<Session>() };
    // SAFETY: lent for the length of the callback.
    session.worker_ended(unsafe { bytes.bytes() });
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live session's.
unsafe extern "C" fn spent(context: *mut c_void, spent: *const Spent) {
    // SAFETY: a live session, by this module's invariant.
    let session = unsafe { &*context.cast::<Session>() };
    // SAFETY: lent for the length of the callback.
    session.has_spent(unsafe { &*spent });
}
