//! One session in a worker: the same callbacks that a session in the executor offers the bridge.
//!
//! Invariant: `context` is a pointer that came from `Arc::as_ptr` of a live [`Job`]: the worker holds one
//! count for as long as it runs, and every `retain` adds one until its `release`.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, SessionCalls, Span, Spent};

use crate::ahead::Ahead;
use crate::batch::{Draft, read};
use crate::check::offset_at;
use crate::{Kind, Link, Message, Received, Shape, WireError};

/// A session that the executor opened.
#[derive(Debug)]
pub struct Job {
    link: Arc<Link>,
    header: Vec<u8>,
    input_schema: Vec<u8>,
    environment: Vec<u8>,
    /// Set at the end; a function may keep its input for longer. Apart from the state, which a thread holds while
    /// it waits for input.
    over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Messages that came while the worker waited for another.
    waiting: VecDeque<Message>,
    input_ended: bool,
    output: Ahead,
    shape: Option<Shape>,
    draft: Draft,
    tail: Vec<u8>,
}

/// The session wants no more.
struct Stopped;

impl Job {
    /// Reads the block of an open message: depth, then three texts, each behind its length.
    pub(crate) fn read(link: Arc<Link>, block: &[u8]) -> Result<Self, WireError> {
        let mut rest = block;
        let mut number = || {
            let number = offset_at(rest, 0, 8).and_then(|number| usize::try_from(number).ok());
            rest = rest.get(8..).unwrap_or_default();
            number.ok_or(WireError::Layout("an open message that is too short"))
        };
        let depth = number()?;
        let lengths = [number()?, number()?, number()?];
        let mut texts = lengths.into_iter().map(|length| {
            let (text, after) = rest
                .split_at_checked(length)
                .ok_or(WireError::Layout("an open message that is too short"))?;
            rest = after;
            Ok(text.to_vec())
        });
        let mut text = || texts.next().unwrap_or_else(|| Ok(Vec::new()));
        Ok(Self {
            header: text()?,
            input_schema: text()?,
            environment: text()?,
            link,
            over: AtomicBool::new(false),
            state: Mutex::new(State {
                output: Ahead::new(depth),
                ..State::default()
            }),
        })
    }

    /// The callbacks, to be used while the caller holds the job.
    pub fn calls(self: &Arc<Self>) -> SessionCalls {
        SessionCalls {
            size: u32::try_from(size_of::<SessionCalls>()).unwrap_or(0),
            context: Arc::as_ptr(self).cast_mut().cast(),
            header: Span::of(&self.header),
            input_schema: Span::of(&self.input_schema),
            environment: Span::of(&self.environment),
            pull,
            push,
            cancelled,
            retain,
            release,
            tail,
            spent: Some(spent),
        }
    }

    /// Ends the session and tells the executor; what is called afterwards hears that it is over.
    pub fn finish(&self, tail: &[u8], reusable: bool) -> Result<(), WireError> {
        self.over.store(true, Ordering::SeqCst);
        let mut state = self.state();
        for message in std::mem::take(&mut state.waiting) {
            self.link.discard(&message)?;
        }
        let unsent = state.output.unsent();
        drop(state);
        self.link.finish(unsent, tail, reusable)
    }

    fn is_cancelled(&self) -> bool {
        self.over.load(Ordering::SeqCst) || self.link.control.cancelled()
    }

    fn pull(&self) -> Result<Option<ArrowArray>, Stopped> {
        let Some(message) = self.next_input(&mut self.state())? else {
            return Ok(None);
        };
        self.link.control.count_taken();
        let block = self.link.input.block(&message);
        let batch = block.and_then(|block| read(block, None));
        batch.map(Some).map_err(|error| self.failed(&error))
    }

    /// Waits for the next input batch; `None` when there is no more. What a function forks gets none.
    fn next_input(&self, state: &mut State) -> Result<Option<Message>, Stopped> {
        loop {
            if self.is_cancelled() || self.link.input.is_inherited() {
                return Err(Stopped);
            }
            if let Some(message) = state.waiting.pop_front() {
                return Ok(Some(message));
            }
            if state.input_ended {
                return Ok(None);
            }
            self.wait(state)?;
        }
    }

    /// Takes the next message; if there is none, it says what it has to say, and waits.
    fn wait(&self, state: &mut State) -> Result<(), Stopped> {
        let socket = &self.link.socket;
        let message = match socket.try_receive() {
            Ok(Received::Nothing) => {
                if self.link.control.executor_waits() {
                    state.output.word(Message::plain(Kind::WANT));
                }
                self.send_all(state)?;
                socket.receive()
            }
            other => other,
        };
        match message {
            Ok(Received::Message(message)) => match message.kind {
                Kind::BATCH => state.waiting.push_back(message),
                Kind::END_OF_INPUT => state.input_ended = true,
                _ => {}
            },
            _ => return Err(Stopped),
        }
        Ok(())
    }

    /// # Safety
    ///
    /// As for the callback: `array` is live, and `schema` too unless it is null.
    unsafe fn push(
        &self,
        state: &mut State,
        array: *const ArrowArray,
        schema: *const ArrowSchema,
        message: &[u8],
    ) -> Result<(), Stopped> {
        // SAFETY: live or null, by this function's contract.
        if let Some(schema) = unsafe { schema.as_ref() } {
            // SAFETY: as above.
            state.shape = unsafe { Shape::of(schema) }.ok();
            self.send(
                Kind::SCHEMA,
                &[&(message.len() as u64).to_le_bytes(), message],
            )?;
        }
        // Without a shape nobody can read the type; the executor has just been told, and says so.
        if let Some(shape) = state.shape.take() {
            // SAFETY: live, by this function's contract.
            let written = unsafe { self.write(&mut state.draft, &shape, array) };
            state.shape = Some(shape);
            if state.output.batch(written?) {
                self.send_all(state)?;
            }
        }
        self.wait_for_room(state)
    }

    /// # Safety
    ///
    /// `array` must be live and of the type of `shape`.
    unsafe fn write(
        &self,
        draft: &mut Draft,
        shape: &Shape,
        array: *const ArrowArray,
    ) -> Result<Message, Stopped> {
        // SAFETY: live, by this function's contract.
        let array = unsafe { array.as_ref() }.ok_or(Stopped)?;
        // SAFETY: as above, and of this type.
        let bytes = unsafe { draft.measure(shape, array) }.map_err(|error| self.failed(&error))?;
        let mut room = self.link.room(bytes).map_err(|error| self.failed(&error))?;
        // SAFETY: the array lives for this call.
        unsafe { draft.write(&mut room) }.map_err(|error| self.failed(&error))?;
        Ok(room.message(Kind::PUSH))
    }

    /// Sends the output that was kept back.
    fn send_all(&self, state: &mut State) -> Result<(), Stopped> {
        let unsent = state.output.unsent();
        self.link.socket.send_all(&unsent).map_err(|_| Stopped)
    }

    /// Tells the executor why the session cannot go on, if it can still be told.
    fn failed(&self, error: &WireError) -> Stopped {
        let text = error.to_string();
        let _told = self
            .send(
                Kind::FAILED,
                &[&(text.len() as u64).to_le_bytes(), text.as_bytes()],
            )
            .is_ok();
        Stopped
    }

    fn send(&self, kind: Kind, parts: &[&[u8]]) -> Result<(), Stopped> {
        let room = self.link.output().bytes(parts).map_err(|_| Stopped)?;
        self.link.send(room.message(kind)).map_err(|_| Stopped)
    }

    fn wait_for_room(&self, state: &mut State) -> Result<(), Stopped> {
        let full = |state: &mut State| !state.output.has_room(self.link.control.read());
        while full(state) {
            self.link.control.block();
            if self.is_cancelled() {
                return Err(Stopped);
            }
            if full(state) {
                self.wait(state)?;
            }
        }
        if self.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// What the callback of the tail was given.
    pub fn tail(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().tail)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn pull(context: *mut c_void, array: *mut ArrowArray) -> PullStatus {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    match catch_unwind(AssertUnwindSafe(|| job.pull())) {
        Ok(Ok(Some(batch))) => {
            // SAFETY: the bridge's own struct, empty and exclusively lent for this call.
            unsafe { array.write(batch) };
            PullStatus::BATCH
        }
        Ok(Ok(None)) => PullStatus::END,
        Ok(Err(Stopped)) | Err(_) => PullStatus::CANCELLED,
    }
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn push(
    context: *mut c_void,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    message: Span,
) -> PushStatus {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    // SAFETY: lent for the length of the callback.
    let message = unsafe { message.bytes() };
    // SAFETY: what `push` asks of its caller is what this callback asks of the bridge.
    let pushed = catch_unwind(AssertUnwindSafe(|| unsafe {
        job.push(&mut job.state(), array, schema, message)
    }));
    match pushed {
        Ok(Ok(())) => PushStatus::TAKEN,
        Ok(Err(Stopped)) | Err(_) => PushStatus::CANCELLED,
    }
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn cancelled(context: *mut c_void) -> i32 {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    i32::from(job.is_cancelled())
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn retain(context: *mut c_void) {
    // SAFETY: a live job in an `Arc`, by this module's invariant.
    unsafe { Arc::increment_strong_count(context.cast::<Job>()) };
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: gives back one `retain`, by the contract of `SessionCalls`.
    unsafe { Arc::decrement_strong_count(context.cast::<Job>()) };
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn tail(context: *mut c_void, bytes: Span) {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    // SAFETY: lent for the length of the callback.
    job.state().tail = unsafe { bytes.bytes() }.to_vec();
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn spent(context: *mut c_void, spent: *const Spent) {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    // SAFETY: lent for the length of the callback.
    job.link.control.spend(unsafe { &*spent });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fork::tests::Child;
    use crate::{Control, Socket, shared_file};
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn what_a_function_forks_takes_no_input_from_it() {
        let (executor, worker) = Socket::pair().unwrap();
        let files = [c"input", c"output"].map(|name| shared_file(name).unwrap());
        let [input, output] = files;
        let _control = Control::create(&input).unwrap();
        let link = Arc::new(Link::new(worker.into_inner(), input, output).unwrap());
        let opened = [2_u64, 0, 0, 0].map(u64::to_le_bytes).concat();
        let job = Job::read(link, &opened).unwrap();
        executor.send(&Message::plain(Kind::BATCH)).unwrap();
        let child = Child::fork(|| u8::from(job.next_input(&mut job.state()).is_err()));
        assert_eq!(child.answer(), 1);
        assert!(matches!(
            job.link.socket.try_receive(),
            Ok(Received::Message(_))
        ));
    }

    #[test]
    fn whether_it_is_cancelled_is_told_while_another_thread_waits_for_input() {
        let (executor, worker) = Socket::pair().unwrap();
        let (input, output) = (
            shared_file(c"input").unwrap(),
            shared_file(c"output").unwrap(),
        );
        let control = Control::create(&input).unwrap();
        let link = Arc::new(Link::new(worker.into_inner(), input, output).unwrap());
        let opened = [2_u64, 0, 0, 0].map(u64::to_le_bytes).concat();
        let job = Arc::new(Job::read(link, &opened).unwrap());

        let pulls = Arc::clone(&job);
        let waiting = thread::spawn(move || pulls.pull().is_err());
        while job.state.try_lock().is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
        let (told, answer) = channel();
        for is_cancelled in [0, 1] {
            let (asks, told) = (Arc::clone(&job), told.clone());
            thread::spawn(move || {
                let calls = asks.calls();
                // SAFETY: the job lives.
                told.send(unsafe { (calls.cancelled)(calls.context) })
            });
            let limit = Duration::from_secs(10);
            assert_eq!(answer.recv_timeout(limit), Ok(is_cancelled));
            control.cancel();
        }
        drop(executor);
        assert!(waiting.join().unwrap());
    }
}
