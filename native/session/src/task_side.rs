//! What a task thread does with a session, on whichever lane it runs.

use std::sync::Arc;
use std::time::Duration;

use ember_abi::{ArrowArray, Spent};
use ember_rows::Returned;

use crate::{End, Lanes, Next, Session};

/// One function over one partition, seen from its task's thread. Only [`cancel`](Self::cancel) may be called
/// from another.
pub trait TaskSide: std::fmt::Debug + Send + Sync {
    /// Waits for what the task thread should do next.
    fn next(&self) -> Next;

    /// Gives a batch of so many bytes to the function. After the end it is released at once.
    fn offer(&self, batch: ArrowArray, bytes: u64);

    /// Says that no further batch will come.
    fn end_input(&self);

    /// The output batch that [`next`](Self::next) spoke of.
    fn take_output(&self) -> Option<Returned>;

    /// Takes back an output batch that was read.
    fn give_back(&self, batch: Returned);

    /// The IPC schema message of the output; there from the first output batch on.
    fn output_schema(&self) -> Option<Vec<u8>>;

    /// Bytes of memory that the session takes beyond its pages.
    fn held(&self) -> u64 {
        0
    }

    /// The end, once there is one.
    fn end(&self) -> Option<End>;

    /// What the function has used, until it is closed.
    fn spent(&self) -> Spent;

    /// Asks the function to stop.
    fn cancel(&self);

    /// Ends the session for its task, which waits at most `grace`; false if the function goes on in this
    /// process.
    fn close(&self, grace: Duration) -> bool;

    /// Whether the function still goes on in this process, by its own doing.
    fn runs_on(&self) -> bool {
        false
    }
}

/// A session on a lane thread of this process.
#[derive(Debug)]
pub struct LaneSession {
    session: Arc<Session>,
    lanes: &'static Lanes,
}

impl LaneSession {
    /// A session that `lanes` run.
    pub const fn new(session: Arc<Session>, lanes: &'static Lanes) -> Self {
        Self { session, lanes }
    }
}

impl TaskSide for LaneSession {
    fn next(&self) -> Next {
        self.session.next()
    }

    fn offer(&self, batch: ArrowArray, bytes: u64) {
        self.session.offer(batch, bytes);
    }

    fn end_input(&self) {
        self.session.end_input();
    }

    fn take_output(&self) -> Option<Returned> {
        self.session.take_output()
    }

    fn give_back(&self, batch: Returned) {
        self.session.give_back(batch);
    }

    fn output_schema(&self) -> Option<Vec<u8>> {
        self.session.output_schema()
    }

    fn end(&self) -> Option<End> {
        self.session.end()
    }

    fn spent(&self) -> Spent {
        self.session.spent()
    }

    fn cancel(&self) {
        self.lanes.cancel(&self.session);
    }

    fn close(&self, grace: Duration) -> bool {
        self.lanes.close(&self.session, grace)
    }

    fn runs_on(&self) -> bool {
        self.lanes.runs_on(&self.session)
    }
}
