//! A word from another thread that wakes a thread which waits for its worker.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ember_wire::Socket;

use crate::ProcessError;

/// Said once, heard for ever.
#[derive(Debug)]
pub(crate) struct Stop {
    said: AtomicBool,
    event: File,
}

impl Stop {
    pub(crate) fn new() -> Result<Self, ProcessError> {
        // SAFETY: two numbers.
        let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if event < 0 {
            let error = std::io::Error::last_os_error();
            return Err(ProcessError::System("eventfd", error));
        }
        Ok(Self {
            said: AtomicBool::new(false),
            // SAFETY: a new descriptor that nobody else owns.
            event: unsafe { File::from_raw_fd(event) },
        })
    }

    /// Wakes whoever waits, now and from now on.
    pub(crate) fn say(&self) {
        if !self.said.swap(true, Ordering::SeqCst) {
            // Its counter is zero, so there is room for one.
            let _written = (&self.event).write(&1_u64.to_ne_bytes()).is_ok();
        }
    }

    pub(crate) fn is_said(&self) -> bool {
        self.said.load(Ordering::SeqCst)
    }

    /// Waits until `socket` has something to receive, or this was said.
    pub(crate) fn or_ready(&self, socket: &Socket) {
        poll(&[socket.as_fd().as_raw_fd(), self.event.as_raw_fd()], None);
    }
}

/// Waits until one of the descriptors can be read or has ended, at most for `limit`; which of them are so.
pub(crate) fn poll(descriptors: &[i32], limit: Option<Duration>) -> Vec<bool> {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|fd| libc::pollfd {
            fd: *fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let limit = limit.map_or(-1, |limit| {
        i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
    });
    // SAFETY: so many structs; a signal or an error wakes too early, and the caller looks again.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, limit) };
    polled.iter().map(|one| one.revents != 0).collect()
}
