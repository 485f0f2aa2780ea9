//! A session in a worker, seen from its task's thread.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ember_abi::{ArrowArray, Spent};
use ember_rows::{Returned, ReturnedSchema, RowsError};
use ember_session::{End, Next, SessionSpec, TaskSide};
use ember_wire::{Ahead, Draft, Kind, Message, REUSABLE, Received, Shape, WireError, read};

use crate::ProcessError;
use crate::keeper::Keeper;
use crate::life::Life;
use crate::schema::BatchType;
use crate::stop::Stop;
use crate::worker::Worker;
use crate::workers::Workers;

/// One function over one partition in a worker process.
///
/// ```text
///   open --first End--> ended --close--> worker idle (it said END) | left to the keeper (it did not)
/// ```
#[derive(Debug)]
pub struct ProcessSession {
    home: Arc<Workers>,
    life: Arc<Life>,
    stop: Stop,
    end: Mutex<Option<End>>,
    talk: Mutex<Talk>,
}

/// What belongs to the task's thread. The lock is never waited for.
#[derive(Debug)]
struct Talk {
    worker: Option<Worker>,
    input: Shape,
    draft: Draft,
    sent: Ahead,
    input_closed: bool,
    output: Option<Output>,
    ready: VecDeque<Returned>,
    /// Set when the worker has said END: whether it can be used again.
    over: Option<bool>,
}

#[derive(Debug)]
struct Output {
    message: Vec<u8>,
    shape: Shape,
    schema: ReturnedSchema,
}

/// Why the conversation cannot go on.
enum Trouble {
    /// What the worker sent is no sound batch.
    Rows(RowsError),
    /// The connection failed.
    Wire(WireError),
}

impl From<RowsError> for Trouble {
    fn from(error: RowsError) -> Self {
        Self::Rows(error)
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl ProcessSession {
    /// The session that was just opened in `worker`.
    pub(crate) fn over(
        worker: Worker,
        home: Arc<Workers>,
        spec: &SessionSpec,
    ) -> Result<Self, ProcessError> {
        let unreadable = |error: RowsError| ProcessError::Schema(error.to_string());
        let input = BatchType::read(&spec.input_schema).and_then(|batch| batch.shape());
        Ok(Self {
            life: Arc::clone(&worker.life),
            home,
            stop: Stop::new()?,
            end: Mutex::default(),
            talk: Mutex::new(Talk {
                input: input.map_err(unreadable)?,
                worker: Some(worker),
                draft: Draft::default(),
                sent: Ahead::new(spec.depth),
                input_closed: false,
                output: None,
                ready: VecDeque::new(),
                over: None,
            }),
        })
    }

    /// The number of the process, for logs and tests.
    pub fn pid(&self) -> i32 {
        self.life.pid
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, end: End) {
        let mut settled = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get_or_insert(end);
    }

    /// Sending failed. That the worker has gone is for the next turn to find, after what it has said before.
    fn falter(&self, error: WireError) {
        if !matches!(error, WireError::Gone) {
            self.stumble(error.into());
        }
    }

    fn stumble(&self, trouble: Trouble) {
        self.settle(match trouble {
            Trouble::Rows(error) => End::Malformed(error.to_string()),
            Trouble::Wire(WireError::Gone) => End::Died(self.life.epitaph()),
            Trouble::Wire(error) => End::Broken(error.to_string()),
        });
    }

    /// Takes everything that the worker has said; whether there was anything.
    fn listen(&self, talk: &mut Talk) -> Result<bool, Trouble> {
        let mut heard = false;
        while talk.over.is_none() {
            match self.life.socket.try_receive()? {
                Received::Nothing => break,
                Received::Gone => return Err(WireError::Gone.into()),
                Received::Message(message) => {
                    heard = true;
                    self.hear(talk, &message)?;
                }
            }
        }
        Ok(heard)
    }

    fn hear(&self, talk: &mut Talk, message: &Message) -> Result<(), Trouble> {
        let Some(worker) = talk.worker.as_ref() else {
            return Ok(());
        };
        if message.bytes == 0 {
            return Ok(());
        }
        let block = worker.output.block(message)?;
        let text = || {
            block
                .text()
                .ok_or(WireError::Layout("a text longer than its block"))
        };
        match message.kind {
            Kind::SCHEMA => talk.output = Some(Output::of(text()?)?),
            Kind::PUSH => {
                let output = talk.output.as_ref();
                let output = output.ok_or(RowsError::Layout("a batch before its schema"))?;
                let mut array = read(block, Some(&output.shape)).map_err(RowsError::from)?;
                // SAFETY: live, and its buffers were checked to be as long as its lengths say.
                talk.ready
                    .push_back(unsafe { output.schema.check(&raw mut array) }?.copied()?);
            }
            Kind::FAILED => {
                let words = String::from_utf8_lossy(text()?).into_owned();
                self.settle(End::Broken(words));
            }
            Kind::END => {
                talk.over = Some(message.flags & REUSABLE != 0);
                self.settle(End::Worker(text()?.to_vec()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Waits for what there is to do.
    fn wait(&self, talk: &mut Talk) -> Next {
        loop {
            if self.stop.is_said() {
                self.settle(End::Cancelled);
            }
            if let Err(trouble) = self.listen(talk) {
                self.stumble(trouble);
            }
            if let Some(next) = self.due(talk) {
                return next;
            }
            if let Err(error) = talk.send_all() {
                self.falter(error);
            }
            if let Some(worker) = &talk.worker {
                worker.control.wait_for_room();
            }
            // It may have taken a batch in between, and will then not say so.
            if self.due(talk).is_none() {
                self.stop.or_ready(&self.life.socket);
            }
        }
    }

    /// What there is to do without waiting.
    fn due(&self, talk: &mut Talk) -> Option<Next> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let cut_short = end
            .as_ref()
            .is_some_and(|end| !matches!(end, End::Worker(_)));
        if !cut_short && !talk.ready.is_empty() {
            return Some(Next::Output);
        }
        if end.is_some() {
            return Some(Next::End);
        }
        drop(end);
        (!talk.input_closed && talk.has_room()).then_some(Next::Input)
    }
}

impl Talk {
    /// Whether the worker has taken enough of what was sent. Its count may be anything.
    fn has_room(&mut self) -> bool {
        let worker = self.worker.as_ref();
        self.sent
            .has_room(worker.map_or(0, |worker| worker.control.taken()))
    }

    /// Sends the input that was kept back, and what is to be said after it.
    fn send_all(&mut self) -> Result<(), WireError> {
        let unsent = self.sent.unsent();
        match &self.worker {
            Some(worker) => worker.life.socket.send_all(&unsent),
            None => Ok(()),
        }
    }

    fn offer(&mut self, batch: &ArrowArray) -> Result<(), WireError> {
        let Some(worker) = self.worker.as_mut() else {
            return Ok(());
        };
        // SAFETY: the session's own schema says the type; the task thread made the batch.
        let bytes = unsafe { self.draft.measure(&self.input, batch) }?;
        let mut room = worker.input.room(bytes)?;
        // SAFETY: the batch is borrowed for this call.
        unsafe { self.draft.write(&mut room) }?;
        if self.sent.batch(room.message(Kind::BATCH)) {
            self.send_all()?;
        }
        Ok(())
    }
}

impl Output {
    fn of(message: &[u8]) -> Result<Self, RowsError> {
        let batch = BatchType::read(message)?;
        let shape = batch.shape();
        // What Spark's reader does not take either has its own words.
        let schema = batch.returned()?;
        Ok(Self {
            message: message.to_vec(),
            shape: shape?,
            schema,
        })
    }
}

impl TaskSide for ProcessSession {
    fn next(&self) -> Next {
        self.wait(&mut self.talk())
    }

    fn offer(&self, mut batch: ArrowArray, _bytes: u64) {
        let mut talk = self.talk();
        if self.end().is_none()
            && !talk.input_closed
            && let Err(error) = talk.offer(&batch)
        {
            self.falter(error);
        }
        drop(talk);
        if let Some(release) = batch.release {
            // SAFETY: live, and released once because `release` clears itself.
            unsafe { release(&raw mut batch) };
        }
    }

    fn end_input(&self) {
        let mut talk = self.talk();
        talk.input_closed = true;
        talk.sent.word(Message::plain(Kind::END_OF_INPUT));
        if self.end().is_none()
            && let Err(error) = talk.send_all()
        {
            self.falter(error);
        }
    }

    fn take_output(&self) -> Option<Returned> {
        let mut talk = self.talk();
        let taken = talk.ready.pop_front();
        let low = talk.sent.is_low(talk.ready.len());
        if let Some(worker) = talk.worker.as_ref().filter(|_| taken.is_some()) {
            worker.control.count_read();
            if low && worker.control.worker_waits() {
                talk.sent.word(Message::plain(Kind::GO));
                // One that has gone will be seen to have gone.
                let _told = talk.send_all().is_ok();
            }
        }
        taken
    }

    fn give_back(&self, batch: Returned) {
        drop(batch);
    }

    fn output_schema(&self) -> Option<Vec<u8>> {
        self.talk()
            .output
            .as_ref()
            .map(|output| output.message.clone())
    }

    fn held(&self) -> u64 {
        let held = |worker: &Worker| worker.input.held() + worker.output.held();
        self.talk().worker.as_ref().map_or(0, held)
    }

    fn end(&self) -> Option<End> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn spent(&self) -> Spent {
        self.talk()
            .worker
            .as_ref()
            .map_or_else(Spent::default, |worker| worker.control.spent())
    }

    fn cancel(&self) {
        self.stop.say();
    }

    fn close(&self, grace: Duration) -> bool {
        self.settle(End::Cancelled);
        let mut talk = self.talk();
        talk.ready.clear();
        // The worker gives back the blocks of what it does not take.
        let _told = talk.send_all().is_ok();
        if let Some(worker) = talk.worker.take() {
            match talk.over {
                Some(true) => self.home.give(worker),
                Some(false) => drop(worker),
                None => Keeper::get().leave(worker, Arc::clone(&self.home), grace),
            }
        }
        true
    }
}
