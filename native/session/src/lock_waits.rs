//! Tells a thread that waits for Python's lock from one that keeps it.
//!
//! `CPython` wakes who waits for the lock after every switch interval, 5 ms unless a function sets
//! another, to ask for it anew. A thread in C code that computes or sleeps does not wake so often.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// How long a thread is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// A waiting thread wakes forty times meanwhile; fewer where the machine is busy.
const LEAST_WAKES: u64 = 8;

/// The kernel's account of one thread of this process.
#[derive(Debug, Clone)]
pub(crate) struct Thread {
    status: PathBuf,
}

impl Thread {
    /// The calling thread; nothing where the kernel does not name it.
    pub(crate) fn current() -> Option<Self> {
        let named = fs::read_link("/proc/thread-self").ok()?;
        Some(Self {
            status: PathBuf::from("/proc").join(named).join("status"),
        })
    }

    /// Whether it wakes as only a thread does that waits for the lock. Takes a fifth of a second.
    pub(crate) fn waits_for_lock(&self) -> bool {
        let Some(before) = self.wakes() else {
            return false;
        };
        thread::sleep(LOOK);
        self.wakes()
            .is_some_and(|after| after.saturating_sub(before) >= LEAST_WAKES)
    }

    fn wakes(&self) -> Option<u64> {
        let status = fs::read_to_string(&self.status).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn looked_at(pause: Duration) -> bool {
        let (tell, told) = channel();
        let (stop, stopped) = channel::<()>();
        let running = thread::spawn(move || {
            tell.send(Thread::current().unwrap()).unwrap();
            while stopped.try_recv().is_err() {
                thread::sleep(pause);
            }
        });
        let waits = told.recv().unwrap().waits_for_lock();
        stop.send(()).unwrap();
        running.join().unwrap();
        waits
    }

    #[test]
    fn a_thread_that_wakes_again_and_again_waits() {
        assert!(looked_at(Duration::from_millis(5)));
    }

    #[test]
    fn a_thread_that_sleeps_on_does_not_wait() {
        assert!(!looked_at(Duration::from_millis(300)));
    }

    #[test]
    fn a_thread_that_has_gone_does_not_wait() {
        let gone = thread::spawn(|| Thread::current().unwrap()).join().unwrap();
        assert!(!gone.waits_for_lock());
    }
}
