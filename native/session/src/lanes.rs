//! The threads that run Python: kept for ever, each with one thread state.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use ember_loader::{Bridge, LoadError, StartConfig};

use crate::calls::calls;
use crate::interrupts::Interrupts;
use crate::lock_waits::Thread;
use crate::{End, Session};

/// Stack of a lane thread, in bytes. A Python recursion that hits its default limit inside C code
/// kills a thread of 1 or 2 MiB and is an ordinary error from 8 MiB on.
const STACK: usize = 64 << 20;

/// How long the interpreter may take to say whether it is as new.
const SAYING: Duration = Duration::from_secs(5);

/// Why there is no lane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaneError {
    /// The interpreter did not start.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The operating system refused a thread.
    #[error("a lane thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The starting thread died; please report it.
    #[error("the starting thread died")]
    Died,
}

/// All lane threads of this process. The first is Python's main thread and is preferred.
#[derive(Debug)]
pub struct Lanes {
    bridge: Arc<Bridge>,
    idle: Arc<Mutex<BTreeMap<usize, Sender<Arc<Session>>>>>,
    made: Mutex<usize>,
    abandoned: Mutex<Vec<Weak<Session>>>,
    interrupts: Interrupts,
}

impl Lanes {
    /// Starts the interpreter on the first lane and waits for it.
    pub fn start(bridge: Bridge, config: StartConfig) -> Result<Self, LaneError> {
        let bridge = Arc::new(bridge);
        let idle = Arc::new(Mutex::new(BTreeMap::new()));
        let (started, outcome) = channel();
        let main = Lane {
            number: 0,
            bridge: Arc::clone(&bridge),
            idle: Arc::clone(&idle),
            thread: OnceLock::new(),
        };
        main.spawn(move |lane| {
            let outcome = catch_unwind(AssertUnwindSafe(|| lane.bridge.start(&config)))
                .unwrap_or_else(|_| Err(LoadError::Python("starting Python panicked".into())));
            let ready = outcome.is_ok();
            // Nobody waits any more only if the starter died.
            let told = started.send(outcome).is_ok();
            ready && told
        })?;
        outcome.recv().map_err(|_| LaneError::Died)??;
        let interrupts = Interrupts::start(Arc::clone(&bridge))?;
        Ok(Self {
            bridge,
            idle,
            made: Mutex::new(1),
            abandoned: Mutex::default(),
            interrupts,
        })
    }

    /// Gives `session` to an idle lane, or to a new one: there is always one to be had.
    pub fn run(&self, session: &Arc<Session>) -> Result<(), LaneError> {
        while let Some(lane) = self.take_idle() {
            if lane.send(Arc::clone(session)).is_ok() {
                return Ok(());
            }
        }
        let number = self.next_number();
        let lane = Lane {
            number,
            bridge: Arc::clone(&self.bridge),
            idle: Arc::clone(&self.idle),
            thread: OnceLock::new(),
        };
        let first = Arc::clone(session);
        lane.spawn(move |lane| {
            let attached = lane.bridge.attach();
            match &attached {
                Ok(()) => lane.serve(&first),
                Err(error) => first.lane_left(Some(error.to_string())),
            }
            attached.is_ok()
        })?;
        Ok(())
    }

    /// Cancels `session`, and raises in its function if that goes on running.
    pub fn cancel(&self, session: &Arc<Session>) {
        if session.cancel() {
            self.interrupts.watch(Arc::clone(session));
        }
    }

    /// Ends `session` for its task, which waits at most `grace` for the lane; false if it is
    /// abandoned, to come back when its function lets it.
    pub fn close(&self, session: &Arc<Session>, grace: Duration) -> bool {
        self.cancel(session);
        let came_back = session.wait_for_lane(grace);
        if !came_back {
            let mut abandoned = self
                .abandoned
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            abandoned.push(Arc::downgrade(session));
        }
        came_back
    }

    /// How many lanes are out: their sessions were closed, and they have not come back. All of them, as it were,
    /// while a function keeps the GIL.
    pub fn abandoned(&self) -> usize {
        if self.interrupts.stuck() {
            return usize::MAX;
        }
        let mut abandoned = self
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        abandoned.retain(|session| session.upgrade().is_some_and(|it| it.holds_lane()));
        abandoned.len()
    }

    /// Whether functions of another application find what they would find in a new interpreter. Not while one of the
    /// last application's does not stop, nor if that keeps the interpreter from saying it.
    pub fn are_as_new(&self) -> bool {
        if self.abandoned() > 0 {
            return false;
        }
        let (told, answer) = channel();
        let bridge = Arc::clone(&self.bridge);
        // What it frees may be anybody's, with a `__del__` that needs the stack of a lane.
        let asked = thread::Builder::new()
            .name("ember-as-new".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let _heard = told.send(bridge.is_as_new()).is_ok();
            });
        asked.is_ok() && answer.recv_timeout(SAYING).unwrap_or(false)
    }

    /// Whether the function of a closed session does not stop: its lane is out, and not because the function of
    /// another one keeps the GIL.
    pub(crate) fn runs_on(&self, session: &Session) -> bool {
        session.holds_lane() && !(self.interrupts.stuck() && session.waits_for_lock())
    }

    fn take_idle(&self) -> Option<Sender<Arc<Session>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop_first().map(|(_, lane)| lane)
    }

    fn next_number(&self) -> usize {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        *made - 1
    }
}

struct Lane {
    number: usize,
    bridge: Arc<Bridge>,
    idle: Arc<Mutex<BTreeMap<usize, Sender<Arc<Session>>>>>,
    /// Its own, once it runs.
    thread: OnceLock<Option<Thread>>,
}

impl Lane {
    /// Starts the thread; it serves sessions for ever if `prepare` says that it is ready.
    fn spawn(
        self,
        prepare: impl FnOnce(&Self) -> bool + Send + 'static,
    ) -> Result<(), std::io::Error> {
        let name = format!("ember-lane-{}", self.number);
        thread::Builder::new()
            .name(name)
            .stack_size(STACK)
            .spawn(move || {
                let (sender, sessions) = channel();
                if prepare(&self) {
                    self.serve_all(&sender, &sessions);
                }
            })?;
        Ok(())
    }

    fn serve_all(&self, sender: &Sender<Arc<Session>>, sessions: &Receiver<Arc<Session>>) {
        loop {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.insert(self.number, sender.clone());
            drop(idle);
            let Ok(session) = sessions.recv() else { return };
            self.serve(&session);
        }
    }

    fn serve(&self, session: &Arc<Session>) {
        if let Some(thread) = self.thread.get_or_init(Thread::current) {
            session.runs_on(thread);
        }
        if session.end() == Some(End::Cancelled) {
            session.lane_left(None);
            return;
        }
        let ran = catch_unwind(AssertUnwindSafe(|| self.bridge.run(&calls(session))));
        session.lane_left(match ran {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("running the session panicked".to_owned()),
        });
    }
}
