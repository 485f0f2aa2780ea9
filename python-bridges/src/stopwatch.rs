//! What a session's function uses, measured where it stops for a batch and where it goes on.
//!
//! ```text
//! function | stop .. callback without the GIL .. back, wait for the GIL .. resume | function
//!   busy          idle                                       lock                    busy
//! ```
//!
//! Nothing counts before the first batch: until then code is loaded. What the kernel says of the thread takes
//! system calls, so it is asked once in a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ember_abi::Spent;

/// How long an answer of the kernel will do.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// Runs while the function does.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Mutex<Readings>);

#[derive(Debug, Default)]
struct Readings {
    /// Since when the function has been running; nothing before its first batch.
    since: Option<Instant>,
    /// Since when it has been waiting in a callback.
    stopped: Option<Instant>,
    /// What the kernel said of its thread last, and when.
    thread: Option<(Thread, Instant)>,
    untold: Spent,
}

impl Stopwatch {
    /// The function calls: what it has used and was not told before.
    pub(crate) fn stop(&self) -> Spent {
        self.take(Instant::now(), ASK_EVERY)
    }

    /// What is left to tell when no further batch will come.
    pub(crate) fn rest(&self) -> Spent {
        self.take(Instant::now(), Duration::ZERO)
    }

    /// The function runs again, with so many more rows; its callback was over at `back`.
    pub(crate) fn resume(&self, back: Instant, rows: u64) {
        let now = Instant::now();
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if readings.thread.is_none() {
            readings.thread = Some((Thread::ask(), now));
        }
        readings.since = Some(now);
        let stopped = readings.stopped.take().unwrap_or(back);
        readings.untold.add(&Spent {
            rows,
            lock: nanos(now.saturating_duration_since(back)),
            idle: nanos(back.saturating_duration_since(stopped)),
            ..Spent::default()
        });
    }

    fn take(&self, now: Instant, every: Duration) -> Spent {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = readings.since.take() {
            readings.untold.busy += nanos(now.saturating_duration_since(since));
            readings.stopped = Some(now);
        }
        if let Some((before, at)) = readings.thread
            && now.saturating_duration_since(at) >= every
        {
            let thread = Thread::ask();
            // Less than before if the function has changed threads.
            readings.untold.cpu += thread.cpu.saturating_sub(before.cpu);
            readings.untold.delay += thread.delay.saturating_sub(before.delay);
            readings.thread = Some((thread, now));
        }
        std::mem::take(&mut readings.untold)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What the calling thread has used since it began, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Thread {
    cpu: u64,
    delay: u64,
}

impl Thread {
    fn ask() -> Self {
        Self {
            cpu: cpu_time(),
            delay: run_delay().unwrap_or(0),
        }
    }
}

/// The second of the three numbers: CPU time, time in the queue for a core, turns.
fn run_delay() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn cpu_time() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: fills the struct it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_first_batch_is_not_counted() {
        let watch = Stopwatch::default();
        assert_eq!(watch.stop(), Spent::default());
        watch.resume(Instant::now(), 3);
        let until = Instant::now() + 2 * ASK_EVERY;
        while Instant::now() < until {}
        let spent = watch.stop();
        assert!(spent.rows == 3 && spent.busy >= 10_000_000, "{spent:?}");
        assert!(spent.cpu > 0, "{spent:?}");
        let again = watch.stop();
        assert_eq!((again.rows, again.busy), (0, 0));
        std::thread::sleep(Duration::from_millis(3));
        watch.resume(Instant::now(), 0);
        assert!(watch.stop().idle >= 3_000_000);
    }

    #[test]
    fn the_wait_after_a_callback_is_told_apart() {
        let watch = Stopwatch::default();
        let back = Instant::now();
        std::thread::sleep(Duration::from_millis(5));
        watch.resume(back, 0);
        let spent = watch.rest();
        assert!(
            spent.lock >= 5_000_000 && spent.busy < spent.lock,
            "{spent:?}"
        );
    }
}
