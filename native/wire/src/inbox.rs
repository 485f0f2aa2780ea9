//! What the executor has said to a worker. Several of its threads may wait for more: one listens, and wakes the
//! others with whatever it hears.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::{Kind, Message, Received, Socket, WireError};

/// Messages that were heard and that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    heard: Mutex<Heard>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    /// Those that are there to be taken, in order. The others are nothing but a reason to look again.
    kept: VecDeque<Message>,
    /// How many there were, of either sort.
    count: u64,
    /// Whether a thread waits at the socket.
    listening: bool,
    /// How many wait for it to hear something.
    sleeping: usize,
    gone: bool,
}

/// The next message is not what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What it is, if there is one.
    pub(crate) next: Option<Kind>,
    /// How much had been heard then.
    pub(crate) seen: u64,
}

impl Inbox {
    /// How much was heard. Who waits for more looks first at this, and then at what it waits for.
    pub(crate) fn count(&self) -> u64 {
        self.heard().count
    }

    /// Takes the next message if it is `wanted`, which is asked when no other thread can take it.
    pub(crate) fn take(&self, wanted: impl FnOnce(Kind) -> bool) -> Result<Message, Missing> {
        let mut heard = self.heard();
        let next = heard.kept.front().map(|message| message.kind);
        let message = if next.is_some_and(wanted) {
            heard.kept.pop_front()
        } else {
            None
        };
        let seen = heard.count;
        drop(heard);
        message.ok_or(Missing { next, seen })
    }

    /// Takes all there is.
    pub(crate) fn take_all(&self) -> VecDeque<Message> {
        std::mem::take(&mut self.heard().kept)
    }

    /// Whether more than `seen` was heard, or is at the socket.
    pub(crate) fn has_more(&self, socket: &Socket, seen: u64) -> bool {
        let mut heard = self.heard();
        if heard.count == seen && !heard.listening {
            heard.note(&socket.try_receive());
        }
        heard.count != seen
    }

    /// Waits until more than `seen` was heard; false if that will never be.
    pub(crate) fn wait(&self, socket: &Socket, seen: u64) -> bool {
        let mut heard = self.heard();
        while heard.listening && heard.count == seen {
            heard.sleeping += 1;
            heard = self
                .more
                .wait(heard)
                .unwrap_or_else(PoisonError::into_inner);
            heard.sleeping -= 1;
        }
        if heard.count == seen && !heard.gone {
            heard.listening = true;
            drop(heard);
            let received = socket.receive();
            heard = self.heard();
            heard.listening = false;
            heard.note(&received);
            if heard.sleeping > 0 {
                self.more.notify_all();
            }
        }
        heard.count != seen
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Keeps what was received.
    fn note(&mut self, received: &Result<Received, WireError>) {
        match received {
            Ok(Received::Nothing) => {}
            Ok(Received::Message(message)) => {
                self.count += 1;
                if matches!(message.kind, Kind::OPEN | Kind::BATCH | Kind::END_OF_INPUT) {
                    self.kept.push_back(*message);
                }
            }
            Ok(Received::Gone) | Err(_) => self.gone = true,
        }
    }
}
