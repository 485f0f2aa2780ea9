//! One session, as the bridge sees it: bytes to read and callbacks to call.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

use crate::{ArrowArray, ArrowSchema};

/// Bytes lent for the length of a call.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Span {
    /// First byte; null only when `len` is 0.
    pub start: *const u8,
    /// Bytes.
    pub len: usize,
}

impl Span {
    /// Lends `bytes`.
    pub const fn of(bytes: &[u8]) -> Self {
        Self {
            start: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes again.
    ///
    /// # Safety
    ///
    /// The lender's call must still be running, so that `start..start + len` is readable.
    pub const unsafe fn bytes<'call>(self) -> &'call [u8] {
        if self.len == 0 || self.start.is_null() {
            return &[];
        }
        // SAFETY: not null, and readable for `len` bytes by this function's contract.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// Why a call failed. Filled by the callee; the caller gives it back through `free`.
#[derive(Debug)]
#[repr(C)]
pub struct Failure {
    /// UTF-8 text, or null.
    pub text: *mut u8,
    /// Bytes of `text`.
    pub len: usize,
    /// Frees `text`; called at most once, null when there is nothing to free.
    pub free: Option<unsafe extern "C" fn(text: *mut u8, len: usize)>,
}

impl Failure {
    /// No failure yet.
    pub const fn none() -> Self {
        Self {
            text: ptr::null_mut(),
            len: 0,
            free: None,
        }
    }
}

/// What [`SessionCalls::pull`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct PullStatus(pub i32);

impl PullStatus {
    /// The session was cancelled; the array is empty.
    pub const CANCELLED: Self = Self(-1);
    /// No further input; the array is empty.
    pub const END: Self = Self(0);
    /// The array holds the next batch.
    pub const BATCH: Self = Self(1);
}

/// What [`SessionCalls::push`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct PushStatus(pub i32);

impl PushStatus {
    /// The session was cancelled, or the batch was malformed; either way it wants no more.
    pub const CANCELLED: Self = Self(-1);
    /// Taken.
    pub const TAKEN: Self = Self(0);
}

/// What a session's function has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Spent {
    /// Input rows that it was given.
    pub rows: u64,
    /// Wall time between the callbacks, in nanoseconds.
    pub busy: u64,
    /// CPU time of its thread, in nanoseconds; read now and then.
    pub cpu: u64,
    /// Waits for the GIL after callbacks, in nanoseconds; no part of `busy`.
    pub lock: u64,
    /// Wall time in callbacks, for the next batch or for room, in nanoseconds.
    pub idle: u64,
    /// Wall time in which its thread was ready and had no core, in nanoseconds; read now and then.
    pub delay: u64,
    /// What is known of its function: a bit for each of the constants here.
    pub known: u64,
}

impl Spent {
    /// It keeps nothing between batches.
    pub const KEEPS_NOTHING: u64 = 1;

    /// It has ended, and threads that it started run on.
    pub const LEFT_THREADS: u64 = 2;

    /// Adds what was used since.
    pub const fn add(&mut self, more: &Self) {
        self.rows = self.rows.saturating_add(more.rows);
        self.busy = self.busy.saturating_add(more.busy);
        self.cpu = self.cpu.saturating_add(more.cpu);
        self.lock = self.lock.saturating_add(more.lock);
        self.idle = self.idle.saturating_add(more.idle);
        self.delay = self.delay.saturating_add(more.delay);
        self.known |= more.known;
    }
}

/// A session: what it is, and how its batches travel. Lent for the length of `run`, except that
/// the bridge may keep `context` for as long as it holds a [`retain`](Self::retain).
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct SessionCalls {
    /// Bytes of this struct as the loader knows it.
    pub size: u32,
    /// First argument of every callback.
    pub context: *mut c_void,
    /// Spark's command header, as its own runner wrote it.
    pub header: Span,
    /// The input batches' schema: an Arrow IPC schema message.
    pub input_schema: Span,
    /// The worker's environment: `KEY=VALUE` entries joined by NUL.
    pub environment: Span,
    /// Waits for the next input batch. Call without the GIL.
    pub pull: unsafe extern "C" fn(context: *mut c_void, array: *mut ArrowArray) -> PullStatus,
    /// Gives an output batch, and with the first one the schema and its IPC message; waits while
    /// the queue is full. Call without the GIL. Whatever is left in the structs is the caller's.
    pub push: unsafe extern "C" fn(
        context: *mut c_void,
        array: *mut ArrowArray,
        schema: *mut ArrowSchema,
        message: Span,
    ) -> PushStatus,
    /// 1 once the session was cancelled.
    pub cancelled: unsafe extern "C" fn(context: *mut c_void) -> i32,
    /// Keeps `context` alive until [`release`](Self::release).
    pub retain: unsafe extern "C" fn(context: *mut c_void),
    /// Gives up one `retain`.
    pub release: unsafe extern "C" fn(context: *mut c_void),
    /// Hands over what the worker wrote besides batches; once, at the end.
    pub tail: unsafe extern "C" fn(context: *mut c_void, bytes: Span),
    /// Hears what the function has used since the last time; null if nobody asks. Call without the GIL.
    pub spent: Option<unsafe extern "C" fn(context: *mut c_void, spent: *const Spent)>,
}

impl SessionCalls {
    /// The struct as this side knows it: what an older loader does not have is null.
    ///
    /// # Safety
    ///
    /// `calls` must be live, and at least as long as version 1 of the struct.
    pub unsafe fn read(calls: *const Self) -> Self {
        // SAFETY: the size is the first field of every version.
        let size = unsafe { (*calls).size } as usize;
        let mut known = MaybeUninit::<Self>::zeroed();
        // SAFETY: both are that long; what is left stays zero, and so a null callback.
        unsafe {
            ptr::copy_nonoverlapping(
                calls.cast::<u8>(),
                known.as_mut_ptr().cast::<u8>(),
                size.min(size_of::<Self>()),
            );
        }
        // SAFETY: complete, for only fields that may be null came after version 1.
        unsafe { known.assume_init() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn layout_of_version_1_never_moves() {
        assert_eq!((size_of::<Span>(), size_of::<Failure>()), (16, 24));
        assert_eq!(
            (
                offset_of!(SessionCalls, size),
                offset_of!(SessionCalls, context),
                offset_of!(SessionCalls, header),
                offset_of!(SessionCalls, pull),
                offset_of!(SessionCalls, tail),
                offset_of!(SessionCalls, spent),
                size_of::<SessionCalls>()
            ),
            (0, 8, 16, 64, 104, 112, 120)
        );
        assert_eq!((offset_of!(Spent, delay), size_of::<Spent>()), (40, 56));
    }

    #[test]
    fn what_an_older_loader_does_not_have_is_null() {
        let mut calls = calls();
        for (size, heard) in [(112, false), (120, true), (999, true)] {
            calls.size = size;
            // SAFETY: live and complete.
            let read = unsafe { SessionCalls::read(&raw const calls) };
            assert_eq!((read.size, read.spent.is_some()), (size, heard));
            assert_eq!(read.context, calls.context);
        }
    }

    /// Callbacks that nobody calls.
    fn calls() -> SessionCalls {
        extern "C" fn pull(_: *mut c_void, _: *mut ArrowArray) -> PullStatus {
            PullStatus::END
        }
        extern "C" fn push(
            _: *mut c_void,
            _: *mut ArrowArray,
            _: *mut ArrowSchema,
            _: Span,
        ) -> PushStatus {
            PushStatus::TAKEN
        }
        extern "C" fn cancelled(_: *mut c_void) -> i32 {
            0
        }
        extern "C" fn count(_: *mut c_void) {}
        extern "C" fn tail(_: *mut c_void, _: Span) {}
        extern "C" fn spent(_: *mut c_void, _: *const Spent) {}
        SessionCalls {
            size: 120,
            context: ptr::dangling_mut::<u8>().cast(),
            header: Span::of(b"h"),
            input_schema: Span::of(b""),
            environment: Span::of(b""),
            pull,
            push,
            cancelled,
            retain: count,
            release: count,
            tail,
            spent: Some(spent),
        }
    }

    #[test]
    fn an_empty_span_has_no_bytes() {
        let span = Span {
            start: ptr::null(),
            len: 0,
        };
        // SAFETY: an empty span reads nothing.
        assert!(unsafe { span.bytes() }.is_empty());
    }
}
