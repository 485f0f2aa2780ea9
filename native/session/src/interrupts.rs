//! Stops functions that go on after their session was cancelled.
//!
//! A thread of its own, because raising in another thread waits for the GIL, and a function deep in
//! C code may not give it up: neither the task thread nor a watcher may wait for that.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
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

/// A thread that has waited this long for the GIL will not get it soon.
const STUCK: Duration = Duration::from_secs(1);

/// Hands cancelled sessions to the interrupting thread.
#[derive(Debug)]
pub(crate) struct Interrupts {
    cancelled: Sender<Arc<Session>>,
    raising: Raising,
}

/// Since when the thread has been raising, which needs the GIL; nothing while it is not.
type Raising = Arc<Mutex<Option<Instant>>>;

impl Interrupts {
    pub(crate) fn start(bridge: Arc<Bridge>) -> Result<Self, std::io::Error> {
        let (sender, cancelled) = channel();
        let raising = Raising::default();
        let told = Arc::clone(&raising);
        thread::Builder::new()
            .name("ember-interrupts".to_owned())
            .spawn(move || serve(&bridge, &cancelled, &told))?;
        Ok(Self {
            cancelled: sender,
            raising,
        })
    }

    /// Whether some function keeps the GIL and does not give it up.
    pub(crate) fn stuck(&self) -> bool {
        let raising = self.raising.lock().unwrap_or_else(PoisonError::into_inner);
        raising.is_some_and(|since| since.elapsed() >= STUCK)
    }

    /// Raises in `session`'s function until its lane has left.
    pub(crate) fn watch(&self, session: Arc<Session>) {
        // It only fails if that thread has panicked, which was printed; the function then runs on.
        let _sent = self.cancelled.send(session).is_ok();
    }
}

struct Watched {
    session: Arc<Session>,
    due: Instant,
    attempt: u32,
}

fn serve(bridge: &Bridge, cancelled: &Receiver<Arc<Session>>, raising: &Raising) {
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
        watched.retain_mut(|one| {
            !one.session.wait_for_lane(Duration::ZERO) && one.raise(bridge, raising)
        });
    }
}

impl Watched {
    /// Raises if it is time; false when it was the last attempt.
    fn raise(&mut self, bridge: &Bridge, raising: &Raising) -> bool {
        if Instant::now() < self.due {
            return true;
        }
        let tell = |since| *raising.lock().unwrap_or_else(PoisonError::into_inner) = since;
        tell(Some(Instant::now()));
        bridge.interrupt(context(&self.session).addr());
        tell(None);
        self.attempt += 1;
        self.due = Instant::now() + PATIENCE * 2_u32.saturating_pow(self.attempt);
        self.attempt < ATTEMPTS
    }
}
