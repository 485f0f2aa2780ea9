//! The meeting place of a task thread and a lane thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ember_abi::{ArrowArray, Spent};
use ember_rows::{Checked, Returned, ReturnedSchema, RowsError};

use crate::hand::Hand;
use crate::lock_waits::Thread;
use crate::queue::Queue;

/// What a session is opened with.
#[derive(Debug)]
pub struct SessionSpec {
    /// Spark's command header.
    pub header: Vec<u8>,
    /// Arrow IPC schema message of the input.
    pub input_schema: Vec<u8>,
    /// `KEY=VALUE` entries joined by NUL.
    pub environment: Vec<u8>,
    /// Batches that may wait in each direction, small ones apart, of which more may. With 0 there is
    /// no pipeline: the task thread is asked for a batch only when the lane waits for one.
    pub depth: usize,
    /// Small output batches may come as one.
    pub gathers: bool,
}

/// What the task thread should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every case must be handled at the border"
)]
pub enum Next {
    /// Give a batch, or say that there are none left.
    Input = 1,
    /// Take the batch that is ready.
    Output = 2,
    /// Take the end.
    End = 3,
}

/// How a session ended. The first end to arrive wins; later ones are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every case must be handled at the border"
)]
pub enum End {
    /// Somebody asked for it.
    Cancelled,
    /// The function returned something that is no sound batch.
    Malformed(String),
    /// The embedded path itself broke.
    Broken(String),
    /// The process that ran the function has gone.
    Died(String),
    /// The worker came to its end, by itself or by an error of the function: its tail tells.
    Worker(Vec<u8>),
}

/// One function over one partition.
///
/// ```text
///   open --first End--> ended          (queued output is still given after a Worker end)
///   lane: running ----> left           (independent of the end: a cancelled lane leaves later)
/// ```
#[derive(Debug)]
pub struct Session {
    pub(crate) spec: SessionSpec,
    state: Mutex<State>,
    /// Woken when the task thread may have something to do.
    task: Condvar,
    /// Woken when the lane thread may have something to do, and when the lane has left.
    lane: Condvar,
    /// Whether there is an end.
    ended: AtomicBool,
    /// The lane's own.
    hand: Mutex<Hand<Lent>>,
    spent: Mutex<Spent>,
    /// That of its lane, once one serves it.
    thread: OnceLock<Thread>,
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is said by one side and asked by the other"
)]
struct State {
    input: Queue<Lent>,
    input_closed: bool,
    /// The lane has asked for a batch and not got it.
    lane_wants: bool,
    /// Asleep, and nobody has woken it yet. Of the lane, any of its threads: a function may read its input on
    /// another than the one that gives its results.
    lane_sleeps: bool,
    /// The lane has had no room for its output.
    lane_wants_room: bool,
    task_sleeps: bool,
    output: Queue<Returned>,
    /// The IPC schema message of the output.
    schema: Option<Vec<u8>>,
    end: Option<End>,
    lane_left: bool,
    /// Output the JVM is done with, to be dropped on the lane: it may need the GIL.
    spent: Vec<Returned>,
}

impl State {
    fn new(depth: usize) -> Self {
        Self {
            input: Queue::new(depth),
            input_closed: false,
            lane_wants: false,
            lane_sleeps: false,
            lane_wants_room: false,
            task_sleeps: false,
            output: Queue::new(depth),
            schema: None,
            end: None,
            lane_left: false,
            spent: Vec::new(),
        }
    }

    /// Whether the task thread sleeps and was not woken yet: whoever asks has to.
    fn wakes_task(&mut self) -> bool {
        std::mem::take(&mut self.task_sleeps)
    }

    /// The same of the lane.
    fn wakes_lane(&mut self) -> bool {
        self.lane_wants_room = false;
        std::mem::take(&mut self.lane_sleeps)
    }
}

/// A lent batch on its way to Python; releases itself if it never gets there.
#[derive(Debug)]
struct Lent(ArrowArray);

// SAFETY: the array was made by `ember_rows::lend`, whose owner is `Send`.
unsafe impl Send for Lent {}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: live, and released once because `release` clears itself.
            unsafe { release(&raw mut self.0) };
        }
    }
}

impl Session {
    /// A session no lane has picked up yet.
    pub fn new(spec: SessionSpec) -> Self {
        Self {
            state: Mutex::new(State::new(spec.depth)),
            spec,
            task: Condvar::new(),
            lane: Condvar::new(),
            ended: AtomicBool::new(false),
            hand: Mutex::default(),
            spent: Mutex::default(),
            thread: OnceLock::new(),
        }
    }

    /// Waits for what the task thread should do next.
    pub fn next(&self) -> Next {
        let mut state = self.state();
        loop {
            let cut_short = state
                .end
                .as_ref()
                .is_some_and(|end| !matches!(end, End::Worker(_)));
            if !cut_short && !state.output.is_empty() {
                return Next::Output;
            }
            if state.end.is_some() {
                return Next::End;
            }
            if !state.input_closed && self.takes_input(&state) {
                return Next::Input;
            }
            self.wake_lane(&mut state);
            state = self.task_sleeps(state);
        }
    }

    fn takes_input(&self, state: &State) -> bool {
        state.input.has_room() && (self.spec.depth > 0 || state.lane_wants)
    }

    /// Queues a lent batch of so many bytes. After the end it is released at once.
    pub fn offer(&self, batch: ArrowArray, bytes: u64) {
        let batch = Lent(batch);
        let mut state = self.state();
        let taken = state.end.is_none() && !state.input_closed;
        let wakes = taken && state.input.push(batch, bytes) && state.wakes_lane();
        drop(state);
        self.notify_lane(wakes);
    }

    /// Says that no further batch will come.
    pub fn end_input(&self) {
        let mut state = self.state();
        state.input_closed = true;
        self.wake_lane(&mut state);
        drop(state);
    }

    /// The output batch [`next`](Self::next) spoke of.
    pub fn take_output(&self) -> Option<Returned> {
        let mut state = self.state();
        let taken = state.output.pop();
        // A lane that sleeps for want of input is left asleep.
        let has_room = state.lane_wants_room && state.output.is_low();
        let wakes = has_room && state.wakes_lane();
        drop(state);
        self.notify_lane(wakes);
        taken
    }

    /// Takes back an output batch: the lane drops it while it holds the GIL anyway, or, when the
    /// lane has left, this thread does.
    pub fn give_back(&self, batch: Returned) {
        let mut state = self.state();
        if state.lane_left {
            drop(state);
            drop(batch);
        } else {
            state.spent.push(batch);
        }
    }

    /// The IPC schema message of the output; there from the first output batch on.
    pub fn output_schema(&self) -> Option<Vec<u8>> {
        self.state().schema.clone()
    }

    /// The end, once there is one.
    pub fn end(&self) -> Option<End> {
        self.state().end.clone()
    }

    /// True once the session wants no more of the worker.
    pub fn is_cancelled(&self) -> bool {
        self.state().end.is_some()
    }

    /// Ends the session from outside; false if it had already ended.
    pub fn cancel(&self) -> bool {
        self.settle(End::Cancelled)
    }

    /// Waits at most `grace` for the lane to leave; false if it has not.
    pub fn wait_for_lane(&self, grace: Duration) -> bool {
        let (state, _timed_out) = self
            .lane
            .wait_timeout_while(self.state(), grace, |state| !state.lane_left)
            .unwrap_or_else(PoisonError::into_inner);
        state.lane_left
    }

    /// What the function has used so far.
    pub fn spent(&self) -> Spent {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lane: the function has used this since the last time.
    pub(crate) fn has_spent(&self, more: &Spent) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.add(more);
    }

    /// Lane: the session runs on this thread.
    pub(crate) fn runs_on(&self, thread: &Thread) {
        let _first = self.thread.set(thread.clone()).is_ok();
    }

    /// Whether its function waits for Python's lock. Takes a fifth of a second.
    pub(crate) fn waits_for_lock(&self) -> bool {
        self.thread.get().is_some_and(Thread::waits_for_lock)
    }

    /// Whether its lane has still to leave.
    pub(crate) fn holds_lane(&self) -> bool {
        !self.state().lane_left
    }

    /// Lane: waits for the next input batch. `Ok(None)` at the end of input, `Err` when cancelled.
    pub(crate) fn pull(&self) -> Result<Option<ArrowArray>, Stopped> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        let mut next = self.hand().input.pop_front();
        if next.is_none() {
            if self.hand().goes_for_input() {
                self.hand_over()?;
            }
            let mut taken = self.take_input()?;
            next = taken.pop_front();
            self.hand().input.append(&mut taken);
        }
        Ok(next.map(|mut batch| std::mem::replace(&mut batch.0, ArrowArray::empty())))
    }

    /// Waits until there is input, or none will come, and takes as much as is small.
    fn take_input(&self) -> Result<VecDeque<Lent>, Stopped> {
        let mut taken = VecDeque::new();
        let mut state = self.state();
        loop {
            if state.end.is_some() {
                return Err(Stopped);
            }
            if !state.input.is_empty() {
                state.lane_wants = false;
                state.input.pop_some(|batch| taken.push_back(batch));
                let has_room = !state.input_closed && self.spec.depth > 0 && state.input.is_low();
                let wakes = has_room && state.wakes_task();
                drop(state);
                self.notify_task(wakes);
                return Ok(taken);
            }
            self.wake_task(&mut state);
            if state.input_closed {
                return Ok(taken);
            }
            state.lane_wants = true;
            state = self.lane_sleeps(state);
        }
    }

    /// Lane: remembers the output's schema; the first one counts.
    pub(crate) fn output_has(&self, schema: ReturnedSchema, message: &[u8]) {
        self.hand().schema.get_or_insert(schema);
        self.state().schema.get_or_insert_with(|| message.to_vec());
    }

    /// Lane: the schema that output is checked with.
    pub(crate) fn returned_schema(&self) -> Option<ReturnedSchema> {
        self.hand().schema.clone()
    }

    /// Lane: takes a batch into memory of ours and queues it, waiting while the queue is full. False when the
    /// session wants no more.
    pub(crate) fn push(&self, batch: &Checked) -> Result<bool, RowsError> {
        if self.ended.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if self.spec.gathers && self.spec.depth > 0 {
            let mut hand = self.hand();
            if hand.add(batch) {
                let due = hand.is_due();
                drop(hand);
                return Ok(!due || self.hand_over().is_ok());
            }
        }
        let own = batch.copied()?;
        Ok(self.hand_over().and_then(|()| self.queue(own)).is_ok())
    }

    fn gathered(&self) -> Result<Option<Returned>, Stopped> {
        let gathered = self.hand().gathered();
        gathered.map_err(|error| {
            self.refuse(&error);
            Stopped
        })
    }

    /// Queues what was gathered.
    fn hand_over(&self) -> Result<(), Stopped> {
        self.gathered()?.map_or(Ok(()), |batch| self.queue(batch))
    }

    fn queue(&self, batch: Returned) -> Result<(), Stopped> {
        let mut state = self.state();
        let spent = std::mem::take(&mut state.spent);
        while state.end.is_none() && !state.output.has_room() {
            self.wake_task(&mut state);
            state.lane_wants_room = true;
            state = self.lane_sleeps(state);
        }
        if state.end.is_some() {
            return Err(Stopped);
        }
        let bytes = batch.bytes();
        let wakes = state.output.push(batch, bytes) && state.wakes_task();
        drop(state);
        self.notify_task(wakes);
        drop(spent);
        Ok(())
    }

    /// Lane: the function's result is refused.
    pub(crate) fn refuse(&self, error: &RowsError) {
        self.settle(End::Malformed(error.to_string()));
    }

    /// Lane: the worker's own end.
    pub(crate) fn worker_ended(&self, tail: &[u8]) {
        if let Ok(Some(batch)) = self.gathered() {
            let bytes = batch.bytes();
            self.state().output.push(batch, bytes); // it does not wait: the caller holds the GIL
        }
        self.settle(End::Worker(tail.to_vec()));
    }

    /// Lane: the thread is free again. `failure` tells why the bridge did not run the session.
    pub(crate) fn lane_left(&self, failure: Option<String>) {
        let reason = failure.unwrap_or_else(|| "the worker ended without a word".to_owned());
        self.settle(End::Broken(reason));
        let mut state = self.state();
        state.lane_left = true;
        state.input.clear();
        drop(state);
        self.hand().input.clear();
        self.drop_spent();
        self.lane.notify_all();
    }

    fn drop_spent(&self) {
        let spent = std::mem::take(&mut self.state().spent);
        drop(spent);
    }

    fn task_sleeps<'state>(&self, mut state: Locked<'state>) -> Locked<'state> {
        state.task_sleeps = true;
        let mut state = self
            .task
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
        state.task_sleeps = false;
        state
    }

    fn lane_sleeps<'state>(&self, mut state: Locked<'state>) -> Locked<'state> {
        state.lane_sleeps = true;
        // Who wakes says that it did: a thread that woke does not know of another that went to sleep meanwhile.
        self.lane
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does nothing if the task thread is awake, or was woken already.
    fn wake_task(&self, state: &mut State) {
        self.notify_task(state.wakes_task());
    }

    /// Does nothing if the lane is awake, or was woken already.
    fn wake_lane(&self, state: &mut State) {
        self.notify_lane(state.wakes_lane());
    }

    /// Who does not sleep next lets go of the lock first, or the thread that wakes waits for it again.
    fn notify_task(&self, wakes: bool) {
        if wakes {
            self.task.notify_all();
        }
    }

    fn notify_lane(&self, wakes: bool) {
        if wakes {
            self.lane.notify_all();
        }
    }

    fn settle(&self, end: End) -> bool {
        let mut state = self.state();
        let first = state.end.is_none();
        if first {
            state.end = Some(end);
            self.ended.store(true, Ordering::Relaxed);
        }
        drop(state);
        self.task.notify_all();
        self.lane.notify_all();
        first
    }

    fn hand(&self) -> MutexGuard<'_, Hand<Lent>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Locked<'_> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Locked<'session> = MutexGuard<'session, State>;

/// The session wants no more of the lane.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
