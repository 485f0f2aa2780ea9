//! Memory that was freed and is still the process's.
//!
//! The C library keeps freed memory in arenas, one for every few threads: what a lane's thread and a
//! task's have freed, and what the JVM's compilers have. A worker process of Spark's would have ended
//! with it at some time; this process does not end, so the memory goes back while it runs: in the
//! pauses between sessions. Where there are none it is wanted again at once, and each page that went
//! back costs a fault then.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::locked::locked;

/// There was no session for so long: a pause.
const PAUSE: Duration = Duration::from_secs(1);
/// Without a pause, memory goes back not more often than this.
const BUSY: Duration = Duration::from_secs(30);
/// At most this part of the time goes to it: one in so many.
const SHARE: u32 = 200;

/// When a session last began or ended, unless memory went back since: then there is none to be had.
static WORKED: Mutex<Option<Instant>> = Mutex::new(None);
static LAST: Mutex<Option<Trim>> = Mutex::new(None);

/// When memory last went back, and how long that took.
#[derive(Clone, Copy)]
struct Trim {
    start: Instant,
    took: Duration,
}

/// Says that a session begins or ends.
pub(crate) fn worked() {
    *locked(&WORKED) = Some(Instant::now());
}

/// Gives freed memory back to the kernel, if it is time to; `working` if there are sessions.
pub(crate) fn trim(working: bool) {
    let mut last = locked(&LAST);
    let start = Instant::now();
    let taken = locked(&WORKED).take_if(|moment| {
        let pause = !working && start.duration_since(*moment) >= PAUSE;
        due(start, pause, *last)
    });
    if taken.is_some() {
        give_back();
        let took = start.elapsed();
        *last = Some(Trim { start, took });
    }
}

fn due(now: Instant, pause: bool, last: Option<Trim>) -> bool {
    let wait = if pause { PAUSE } else { BUSY };
    last.is_none_or(|last| now.duration_since(last.start) >= wait.max(last.took * SHARE))
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: takes no pointer; the C library allows it at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_due(ms: u64, pause: bool, took: u64) -> bool {
        let start = Instant::now();
        let last = Trim {
            start,
            took: Duration::from_millis(took),
        };
        due(start + Duration::from_millis(ms), pause, Some(last))
    }

    #[test]
    fn memory_goes_back_in_a_pause() {
        assert!(is_due(1_000, true, 3));
        assert!(!is_due(999, true, 3));
    }

    #[test]
    fn without_a_pause_it_goes_back_now_and_then() {
        assert!(is_due(30_000, false, 3));
        assert!(!is_due(29_999, false, 3));
    }

    #[test]
    fn what_takes_long_happens_less_often() {
        assert!(is_due(20_000, true, 100));
        assert!(!is_due(19_999, true, 100));
    }

    #[test]
    fn the_first_time_is_due() {
        assert!(due(Instant::now(), false, None));
    }
}
