//! The worker's end of the conversation: one session after the other, until the executor goes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::inbox::Inbox;
use crate::{Arena, Control, Job, Kind, Message, REUSABLE, Room, Socket, TRIMMED, View, WireError};

/// A worker's connection with its executor.
#[derive(Debug)]
pub struct Link {
    pub(crate) socket: Socket,
    pub(crate) inbox: Inbox,
    pub(crate) control: Control,
    pub(crate) input: View,
    output: Mutex<Arena>,
}

/// Bytes of output memory that an idle worker keeps.
const KEPT: u64 = 16 << 20;

impl Link {
    /// The connection over three descriptors that the executor sent.
    pub fn new(socket: OwnedFd, input: File, output: File) -> Result<Self, WireError> {
        Ok(Self {
            socket: Socket::of(socket),
            inbox: Inbox::default(),
            control: Control::open(&input)?,
            input: View::of_worker(input)?,
            output: Mutex::new(Arena::new(output)),
        })
    }

    /// Waits for the next session; `None` when the executor has gone. A thread of the last session's function may
    /// still be listening, and then hears of it first.
    pub fn open(self: &Arc<Self>) -> Result<Option<Arc<Job>>, WireError> {
        loop {
            let message = match self.inbox.take(|_| true) {
                Ok(message) => message,
                Err(missing) if self.inbox.wait(&self.socket, missing.seen) => continue,
                Err(_) => return Ok(None),
            };
            if message.kind == Kind::OPEN {
                if message.flags & TRIMMED != 0 {
                    self.input.trim();
                }
                let block = self.input.block(&message)?;
                return Job::read(Arc::clone(self), block.bytes()).map(|job| Some(Arc::new(job)));
            }
            self.discard(&message)?;
        }
    }

    /// Ends a session: `before` was not sent yet, `tail` is what the worker wrote besides batches.
    pub(crate) fn finish(
        &self,
        mut before: Vec<Message>,
        tail: &[u8],
        reusable: bool,
    ) -> Result<(), WireError> {
        let length = (tail.len() as u64).to_le_bytes();
        let room = self.output().bytes(&[&length, tail])?;
        let flags = if reusable { REUSABLE } else { 0 };
        before.push(room.message(Kind::END).with(flags));
        self.socket.send_all(&before)?;
        // The block of the tail may still be unread; it goes with the next session.
        self.output().trim(KEPT).map(|_trimmed| ())
    }

    /// Gives back the block of a message that came too late, unless that is the parent's to do.
    pub(crate) fn discard(&self, message: &Message) -> Result<(), WireError> {
        if message.bytes > 0 && !self.input.is_inherited() {
            drop(self.input.block(message)?);
        }
        Ok(())
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), WireError> {
        self.socket.send(&message)
    }

    /// A block for output.
    pub(crate) fn room(&self, bytes: usize) -> Result<Room, WireError> {
        self.output().room(bytes)
    }

    pub(crate) fn output(&self) -> MutexGuard<'_, Arena> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
