//! A worker process as a process: its number, its end of the socket, and how it ended.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ember_wire::Socket;

/// Shared by whoever talks to the worker and by the thread that hears of its end.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) pid: i32,
    pub(crate) socket: Socket,
    /// The wait status, once it is known.
    status: Mutex<Option<i32>>,
    ended: Condvar,
}

impl Life {
    pub(crate) fn new(pid: i32, socket: Socket) -> Self {
        Self {
            pid,
            socket,
            status: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// The process has ended. Its children may hold its socket open, so the conversation is ended from here.
    pub(crate) fn end(&self, status: i32) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        self.ended.notify_all();
        self.socket.shut();
    }

    /// How the process ended, in words; waits for a moment if that has not been told yet.
    pub(crate) fn epitaph(&self) -> String {
        let pid = self.pid;
        match self.wait(Duration::from_secs(2)) {
            Some(status) => format!("worker process {pid} {}", words(status)),
            None => format!("worker process {pid} closed its connection"),
        }
    }

    fn wait(&self, limit: Duration) -> Option<i32> {
        let waited = self.ended.wait_timeout_while(
            self.status.lock().unwrap_or_else(PoisonError::into_inner),
            limit,
            |status| status.is_none(),
        );
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn words(status: i32) -> String {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        return match name(signal) {
            Some(name) => format!("was ended by signal {signal} ({name})"),
            None => format!("was ended by signal {signal}"),
        };
    }
    format!("left with exit status {}", libc::WEXITSTATUS(status))
}

fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGSEGV => "SIGSEGV: a pointer that leads nowhere, or a stack that overflowed",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGKILL => "SIGKILL: by hand, or because memory ran out",
        libc::SIGTERM => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words_and_shuts_the_socket() {
        let (here, there) = Socket::pair().unwrap();
        let life = Life::new(7, here);
        life.end(libc::SIGKILL);
        assert!(
            life.epitaph()
                .starts_with("worker process 7 was ended by signal 9 (SIGKILL")
        );
        assert_eq!(there.receive().unwrap(), ember_wire::Received::Gone);
    }

    #[test]
    fn an_exit_is_told_with_its_status() {
        assert_eq!(words(3 << 8), "left with exit status 3");
    }
}
