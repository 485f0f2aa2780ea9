//! What the lane has taken out of a session's queues, and what it has not put there yet.
//!
//! Both threads of a session meet at one lock. For small batches they would meet at it more often than they work:
//! so the lane takes many at a time, and hands over the results of many.

use std::collections::VecDeque;
use std::thread::{self, ThreadId};
use std::time::Instant;

use ember_rows::{Checked, Gathered, Returned, ReturnedSchema, RowsError};

use crate::queue::{MOST, QUICK, SMALL};

/// Touched by the lane alone: its input by the thread that reads, all else by the one that gives results.
#[derive(Debug)]
pub(crate) struct Hand<T> {
    pub(crate) input: VecDeque<T>,
    pub(crate) output: Gathered,
    pub(crate) schema: Option<ReturnedSchema>,
    /// When the lane last handed over what it had, or had nothing.
    since: Option<Instant>,
    /// The thread whose results were gathered last.
    gatherer: Option<ThreadId>,
}

impl<T> Hand<T> {
    /// Gathers a batch of results; false where it is not to be gathered.
    pub(crate) fn add(&mut self, batch: &Checked) -> bool {
        self.gatherer = Some(thread::current().id());
        self.output.add(batch)
    }

    /// A thread goes for input, and may have to wait: tells whether it gathered something itself, to be handed over
    /// first. Another may not hand it over: results that this one gives meanwhile would come before it.
    pub(crate) fn goes_for_input(&mut self) -> bool {
        if self.output.batches() == 0 {
            self.since = Some(Instant::now());
            return false;
        }
        self.gatherer == Some(thread::current().id())
    }

    /// What was gathered; it is handed over.
    pub(crate) fn gathered(&mut self) -> Result<Option<Returned>, RowsError> {
        self.since = Some(Instant::now());
        self.output.take()
    }

    /// Whether the task thread should have the output now: it is much, or it came slowly.
    pub(crate) fn is_due(&self) -> bool {
        let slow = self.since.is_none_or(|since| since.elapsed() >= QUICK);
        slow || self.output.batches() >= MOST / 2 || self.output.bytes() >= SMALL / 2
    }
}

impl<T> Default for Hand<T> {
    fn default() -> Self {
        Self {
            input: VecDeque::new(),
            output: Gathered::default(),
            schema: None,
            since: None,
            gatherer: None,
        }
    }
}
