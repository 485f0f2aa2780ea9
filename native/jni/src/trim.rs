//! Memory that was freed and is still the process's.
//!
//! The C library keeps freed memory in arenas, one for every few threads: what a lane's thread and a
//! task's have freed, and what the JVM's compilers have. A worker process of Spark's would have ended
//! with it at some time; this process does not end, so the memory goes back while it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At most this part of the time goes to it: one in so many.
const SHARE: u32 = 200;
/// And not more often than this.
const LEAST: Duration = Duration::from_secs(1);

/// Whether a session has begun or ended since the last time: if not, there is nothing to be had.
static WORKED: AtomicBool = AtomicBool::new(false);
static NOT_BEFORE: Mutex<Option<Instant>> = Mutex::new(None);

/// Says that a session begins or ends.
pub(crate) fn worked() {
    WORKED.store(true, Ordering::Relaxed);
}

/// Gives freed memory back to the kernel, if the last time is long enough ago.
pub(crate) fn trim() {
    let mut not_before = NOT_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let start = Instant::now();
    if not_before.is_some_and(|moment| start < moment) {
        return;
    }
    if !WORKED.swap(false, Ordering::Relaxed) {
        return;
    }
    give_back();
    let took = start.elapsed();
    *not_before = Some(start + LEAST.max(took * SHARE));
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: takes no pointer; the C library allows it at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}
