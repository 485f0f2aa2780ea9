//! Stops functions that go on after their session was cancelled.
//!
//! A thread of its own, because raising in another thread waits for the GIL, and a function deep in
//! C code may not give it up: neither the task thread nor a watcher may wait for that.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ember_loader::Bridge;

use crate::Session;
use crate::calls::context;

/// Time for a function to end by itself, at its next batch.
const PATIENCE: Duration = Duration::from_millis(100);
/// A function may swallow the exception; it is raised again this often, twice as long apart each
/// time.
const ATTEMPTS: u32 = 8;

/// Hands cancelled sessions to the interrupting thread.
#[derive(Debug)]
pub(crate) struct Interrupts(Sender<Arc<Session>>);

impl Interrupts {
    pub(crate) fn start(bridge: Arc<Bridge>) -> Result<Self, std::io::Error> {
        let (sender, cancelled) = channel();
        thread::Builder::new()
            .name("ember-interrupts".to_owned())
            .spawn(move || serve(&bridge, &cancelled))?;
        Ok(Self(sender))
    }

    /// Raises in `session`'s function until its lane has left.
    pub(crate) fn watch(&self, session: Arc<Session>) {
        // It only fails if that thread has panicked, which was printed; the function then runs on.
        let _sent = self.0.send(session).is_ok();
    }
}

struct Watched {
    session: Arc<Session>,
    due: Instant,
    attempt: u32,
}

fn serve(bridge: &Bridge, cancelled: &Receiver<Arc<Session>>) {
    let mut watched: Vec<Watched> = Vec::new();
    loop {
        let next = watched.iter().map(|one| one.due).min();
        let news = match next {
            Some(due) => cancelled.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => cancelled.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match news {
            Ok(session) => {
                watched.push(Watched {
                    session,
                    due: Instant::now() + PATIENCE,
                    attempt: 0,
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        watched.retain_mut(|one| !one.session.wait_for_lane(Duration::ZERO) && one.raise(bridge));
    }
}

impl Watched {
    /// Raises if it is time; false when it was the last attempt.
    fn raise(&mut self, bridge: &Bridge) -> bool {
        if Instant::now() < self.due {
            return true;
        }
        bridge.interrupt(context(&self.session).addr());
        self.attempt += 1;
        self.due = Instant::now() + PATIENCE * 2_u32.saturating_pow(self.attempt);
        self.attempt < ATTEMPTS
    }
}
