//! Looks after workers that nobody holds: those that are idle, and those whose session was left early.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ember_wire::{Kind, Message};

use crate::stop::poll;
use crate::worker::Worker;
use crate::workers::Workers;

/// How often idle workers are looked at.
const ROUND: Duration = Duration::from_secs(5);
/// How long one look at workers that were left takes; a new one waits so long to be seen.
const GLANCE: Duration = Duration::from_millis(20);

/// The one thread that does it.
#[derive(Debug)]
pub(crate) struct Keeper {
    left: Sender<Left>,
    pools: Arc<Mutex<Vec<Weak<Workers>>>>,
}

/// A worker whose session nobody wants any more. It has until `due` to come to an end by itself.
#[derive(Debug)]
struct Left {
    worker: Worker,
    home: Arc<Workers>,
    due: Instant,
}

impl Keeper {
    pub(crate) fn get() -> &'static Self {
        static KEEPER: OnceLock<Keeper> = OnceLock::new();
        KEEPER.get_or_init(|| {
            let (left, arrivals) = channel();
            let pools = Arc::new(Mutex::new(Vec::new()));
            let kept = Arc::clone(&pools);
            let started = thread::Builder::new()
                .name("ember-workers".to_owned())
                .spawn(move || keep(&arrivals, &kept));
            // Without the thread nothing is kept: a worker that is left is dropped with the channel.
            drop(started);
            Self { left, pools }
        })
    }

    pub(crate) fn look_after(&self, workers: &Arc<Workers>) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.push(Arc::downgrade(workers));
    }

    /// Takes a worker in the middle of a session: it may end that within `grace`, or is killed.
    pub(crate) fn leave(&self, worker: Worker, home: Arc<Workers>, grace: Duration) {
        worker.control.cancel();
        // If it has gone, it will be seen to have gone.
        let _told = worker
            .life
            .socket
            .send(&Message::plain(Kind::CANCEL))
            .is_ok();
        let due = Instant::now() + grace;
        drop(self.left.send(Left { worker, home, due }));
    }
}

fn keep(arrivals: &Receiver<Left>, pools: &Mutex<Vec<Weak<Workers>>>) {
    let (mut watched, mut looked): (Vec<Left>, _) = (Vec::new(), Instant::now());
    loop {
        let wait = if watched.is_empty() {
            ROUND
        } else {
            Duration::ZERO
        };
        match arrivals.recv_timeout(wait) {
            Ok(left) => watched.push(left),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        watched.extend(arrivals.try_iter());
        watched = glance(watched);
        if looked.elapsed() >= ROUND {
            looked = Instant::now();
            let mut pools = pools.lock().unwrap_or_else(PoisonError::into_inner);
            pools.retain(|pool| {
                pool.upgrade().is_some_and(|pool| {
                    pool.trim(looked);
                    true
                })
            });
        }
    }
}

/// Sends home who has come to an end, drops who is overdue, and keeps the others.
fn glance(watched: Vec<Left>) -> Vec<Left> {
    if watched.is_empty() {
        return watched;
    }
    let sockets: Vec<_> = watched
        .iter()
        .map(|left| left.worker.life.socket.as_fd().as_raw_fd())
        .collect();
    poll(&sockets, Some(GLANCE));
    let now = Instant::now();
    watched
        .into_iter()
        .filter_map(|left| match left.worker.came_back() {
            Some(true) => {
                left.home.give(left.worker);
                None
            }
            Some(false) => None,
            None => Some(left).filter(|left| now < left.due),
        })
        .collect()
}
