//! One session in a worker: the same callbacks that a session in the executor offers the bridge.
//!
//! Invariant: `context` is a pointer that came from `Arc::as_ptr` of a live [`Job`]: the worker holds one
//! count for as long as it runs, and every `retain` adds one until its `release`.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, SessionCalls, Span, Spent};

use crate::ahead::Ahead;
use crate::batch::{Draft, read};
use crate::check::offset_at;
use crate::{Kind, Link, Message, Shape, WireError};

/// A session that the executor opened.
#[derive(Debug)]
pub struct Job {
    link: Arc<Link>,
    header: Vec<u8>,
    input_schema: Vec<u8>,
    environment: Vec<u8>,
    /// Set at the end; a function may keep its input for longer.
    over: AtomicBool,
    output: Mutex<Output>,
    tail: Mutex<Vec<u8>>,
}

/// What is said to the executor. No thread holds it while it waits for the executor to say something.
#[derive(Debug, Default)]
struct Output {
    ahead: Ahead,
    shape: Option<Shape>,
    draft: Draft,
    /// How many threads wait, before whom there is nothing to be kept back.
    waiting: usize,
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
            output: Mutex::new(Output {
                ahead: Ahead::new(depth),
                ..Output::default()
            }),
            tail: Mutex::default(),
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
        let unsent = self.last_output();
        for message in self.link.inbox.take_all() {
            self.link.discard(&message)?;
        }
        self.link.finish(unsent, tail, reusable)
    }

    /// What is to be said before the end. No thread that the function has left behind adds to it.
    fn last_output(&self) -> Vec<Message> {
        let mut output = self.output();
        self.over.store(true, Ordering::SeqCst);
        output.ahead.unsent()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn is_cancelled(&self) -> bool {
        self.is_over() || self.link.control.cancelled()
    }

    fn pull(&self) -> Result<Option<ArrowArray>, Stopped> {
        let Some(message) = self.next_input()? else {
            return Ok(None);
        };
        self.link.control.count_taken();
        let block = self.link.input.block(&message);
        let batch = block.and_then(|block| read(block, None));
        batch.map(Some).map_err(|error| self.failed(&error))
    }

    /// Waits for the next input batch; `None` when there is no more. What a function forks gets none.
    fn next_input(&self) -> Result<Option<Message>, Stopped> {
        loop {
            if self.is_cancelled() || self.link.input.is_inherited() {
                return Err(Stopped);
            }
            // What comes after the end is another session's.
            let next = self
                .link
                .inbox
                .take(|kind| kind == Kind::BATCH && !self.is_over());
            match next {
                Ok(message) => return Ok(Some(message)),
                Err(missing) if missing.next == Some(Kind::END_OF_INPUT) => return Ok(None),
                Err(missing) => self.wait(missing.seen)?,
            }
        }
    }

    /// Waits until more than `seen` was heard. If that is not so at once, it says before what it has to say.
    fn wait(&self, seen: u64) -> Result<(), Stopped> {
        if self.is_cancelled() || self.link.input.is_inherited() {
            return Err(Stopped);
        }
        let (inbox, socket) = (&self.link.inbox, &self.link.socket);
        if inbox.has_more(socket, seen) {
            return Ok(());
        }
        self.begin_to_wait()?;
        let heard = inbox.wait(socket, seen);
        self.output().waiting -= 1;
        if heard { Ok(()) } else { Err(Stopped) }
    }

    fn begin_to_wait(&self) -> Result<(), Stopped> {
        let mut output = self.open_output()?;
        if self.link.control.executor_waits() {
            output.ahead.word(Message::plain(Kind::WANT));
        }
        self.send_all(&mut output)?;
        output.waiting += 1;
        drop(output);
        Ok(())
    }

    /// # Safety
    ///
    /// As for the callback: `array` is live, and `schema` too unless it is null.
    unsafe fn push(
        &self,
        array: *const ArrowArray,
        schema: *const ArrowSchema,
        message: &[u8],
    ) -> Result<(), Stopped> {
        let mut output = self.open_output()?;
        // SAFETY: live or null, by this function's contract.
        if let Some(schema) = unsafe { schema.as_ref() } {
            // SAFETY: as above.
            output.shape = unsafe { Shape::of(schema) }.ok();
            self.send(
                Kind::SCHEMA,
                &[&(message.len() as u64).to_le_bytes(), message],
            )?;
        }
        // Without a shape nobody can read the type; the executor has just been told, and says so.
        if let Some(shape) = output.shape.take() {
            // SAFETY: live, by this function's contract.
            let written = unsafe { self.write(&mut output.draft, &shape, array) };
            output.shape = Some(shape);
            if output.ahead.batch(written?) || output.waiting > 0 {
                self.send_all(&mut output)?;
            }
        }
        drop(output);
        self.wait_for_room()
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
    fn send_all(&self, output: &mut Output) -> Result<(), Stopped> {
        let unsent = output.ahead.unsent();
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

    fn wait_for_room(&self) -> Result<(), Stopped> {
        let mut seen = self.link.inbox.count();
        while !self.has_room() {
            self.link.control.block();
            if self.is_cancelled() {
                return Err(Stopped);
            }
            if !self.has_room() {
                self.wait(seen)?;
            }
            seen = self.link.inbox.count();
        }
        if self.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    fn has_room(&self) -> bool {
        let read = self.link.control.read();
        self.output().ahead.has_room(read)
    }

    /// What the callback of the tail was given.
    pub fn tail(&self) -> Vec<u8> {
        std::mem::take(&mut self.tail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The output while the session lasts, which it does until this is let go.
    fn open_output(&self) -> Result<MutexGuard<'_, Output>, Stopped> {
        let output = self.output();
        if self.is_over() {
            Err(Stopped)
        } else {
            Ok(output)
        }
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
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
        job.push(array, schema, message)
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
    let bytes = unsafe { bytes.bytes() }.to_vec();
    *job.tail.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
}

/// # Safety
///
/// As [`SessionCalls`] says of this callback; `context` is a live job's.
unsafe extern "C" fn spent(context: *mut c_void, spent: *const Spent) {
    // SAFETY: a live job, by this module's invariant.
    let job = unsafe { &*context.cast::<Job>() };
    if !job.is_over() {
        // SAFETY: lent for the length of the callback.
        job.link.control.spend(unsafe { &*spent });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fork::tests::Child;
    use crate::{Arena, Control, Received, Socket, shared_file};
    use arrow_array::ffi::to_ffi;
    use arrow_array::{Array, Int64Array};
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::thread;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(10);

    /// A session's two ends.
    struct Sides {
        executor: Socket,
        control: Control,
        input: Arena,
        job: Arc<Job>,
    }

    impl Sides {
        fn of_depth(depth: u64) -> Self {
            let (executor, worker) = Socket::pair().unwrap();
            let (input, output) = (
                shared_file(c"input").unwrap(),
                shared_file(c"output").unwrap(),
            );
            let control = Control::create(&input).unwrap();
            let arena = Arena::new(input.try_clone().unwrap());
            let link = Arc::new(Link::new(worker.into_inner(), input, output).unwrap());
            Self {
                executor,
                control,
                input: arena,
                job: Job::read(link, &opening(depth)).map(Arc::new).unwrap(),
            }
        }

        /// Has another thread of the worker pull, and waits until it waits; whether it was stopped.
        fn pulling(&self) -> thread::JoinHandle<bool> {
            self.control.wait_for_room();
            let job = Arc::clone(&self.job);
            let pulling = thread::spawn(move || job.pull().is_err());
            assert_eq!(self.said(), Kind::WANT);
            pulling
        }

        fn said(&self) -> Kind {
            match self.executor.receive().unwrap() {
                Received::Message(message) => message.kind,
                other => panic!("{other:?}"),
            }
        }

        /// What comes of it, unless it takes too long.
        fn answer<T: Send + 'static>(
            &self,
            ask: impl FnOnce(&Arc<Job>) -> T + Send + 'static,
        ) -> Result<T, RecvTimeoutError> {
            let ((tell, answer), job) = (channel(), Arc::clone(&self.job));
            thread::spawn(move || tell.send(ask(&job)));
            answer.recv_timeout(LIMIT)
        }
    }

    fn opening(depth: u64) -> Vec<u8> {
        [depth, 0, 0, 0].map(u64::to_le_bytes).concat()
    }

    /// Whether a result was taken.
    fn push(job: &Arc<Job>, first: bool) -> bool {
        let (mut array, mut schema) = to_ffi(&Int64Array::from(vec![1, 2]).into_data()).unwrap();
        let schema: *mut ArrowSchema = (&raw mut schema).cast();
        let schema = if first { schema } else { std::ptr::null_mut() };
        let calls = job.calls();
        let array: *mut ArrowArray = (&raw mut array).cast();
        // SAFETY: the job and the structs live.
        let status = unsafe { (calls.push)(calls.context, array, schema, Span::of(b"schema")) };
        status == PushStatus::TAKEN
    }

    #[test]
    fn what_a_function_forks_takes_no_input_from_it() {
        let sides = Sides::of_depth(2);
        let plain = Message::plain(Kind::BATCH);
        sides.executor.send(&plain).unwrap();
        let child = Child::fork(|| u8::from(sides.job.next_input().is_err()));
        assert_eq!(child.answer(), 1);
        assert!(matches!(sides.job.next_input(), Ok(Some(message)) if message == plain));
    }

    #[test]
    fn whether_it_is_cancelled_is_told_while_another_thread_waits_for_input() {
        let sides = Sides::of_depth(2);
        let waiting = sides.pulling();
        for is_cancelled in [0, 1] {
            let answer = sides.answer(|job| {
                let calls = job.calls();
                // SAFETY: the job lives.
                unsafe { (calls.cancelled)(calls.context) }
            });
            assert_eq!(answer, Ok(is_cancelled));
            sides.control.cancel();
        }
        drop(sides.executor);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn results_are_handed_over_while_another_thread_waits_for_input() {
        let sides = Sides::of_depth(2);
        let waiting = sides.pulling();
        for first in [true, false, false] {
            assert_eq!(sides.answer(move |job| push(job, first)), Ok(true));
        }
        // Those that follow quickly, too: nobody else would send them.
        for said in [Kind::SCHEMA, Kind::PUSH, Kind::PUSH, Kind::PUSH] {
            let message = sides.executor.try_receive().unwrap();
            assert!(matches!(message, Received::Message(it) if it.kind == said));
        }
        drop(sides.executor);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn input_is_taken_while_another_thread_waits_for_room() {
        let sides = Sides::of_depth(0);
        let (tell, pushed) = channel();
        let job = Arc::clone(&sides.job);
        thread::spawn(move || tell.send(push(&job, true)));
        assert_eq!([sides.said(), sides.said()], [Kind::SCHEMA, Kind::PUSH]);
        sides.executor.send(&Message::plain(Kind::BATCH)).unwrap();
        let taken = sides.answer(|job| matches!(job.next_input(), Ok(Some(_))));
        assert_eq!((taken, pushed.try_recv().is_err()), (Ok(true), true));
        sides.control.count_read();
        sides.executor.send(&Message::plain(Kind::GO)).unwrap();
        assert_eq!(pushed.recv_timeout(LIMIT), Ok(true));
    }

    #[test]
    fn a_thread_that_still_waits_for_input_holds_no_session_up() {
        let mut sides = Sides::of_depth(2);
        let waiting = sides.pulling();
        let finished = sides.answer(|job| job.finish(b"tail", true).is_ok());
        assert_eq!((finished, sides.said()), (Ok(true), Kind::END));
        assert_eq!(sides.answer(|job| push(job, true)), Ok(false));
        let told = sides.answer(|job| {
            let (calls, spent) = (
                job.calls(),
                Spent {
                    cpu: 5,
                    ..Spent::default()
                },
            );
            // SAFETY: the job and the struct live.
            unsafe { (calls.spent.unwrap())(calls.context, &raw const spent) };
        });
        assert_eq!((told, sides.control.spent().cpu), (Ok(()), 0));
        assert_eq!(sides.executor.try_receive().unwrap(), Received::Nothing);
        let opening = sides.input.bytes(&[&opening(2)]).unwrap();
        sides.executor.send(&opening.message(Kind::OPEN)).unwrap();
        let opened = sides.answer(|job| matches!(job.link.open(), Ok(Some(_))));
        assert_eq!(opened, Ok(true));
        assert!(waiting.join().unwrap());
    }
}
