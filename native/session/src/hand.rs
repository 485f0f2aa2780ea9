//! What the lane has taken out of a session's queues, and what it has not put there yet.
//!
//! Both threads of a session meet at one lock. For small batches they would meet at it more often than they work:
//! so the lane takes many at a time, and hands over the results of many.

use std::collections::VecDeque;
use std::time::Instant;

use ember_rows::{Gathered, Returned, ReturnedSchema, RowsError};

use crate::queue::{MOST, QUICK, SMALL};

/// Touched by the lane alone.
#[derive(Debug)]
pub(crate) struct Hand<T> {
    pub(crate) input: VecDeque<T>,
    pub(crate) output: Gathered,
    pub(crate) schema: Option<ReturnedSchema>,
    /// When the lane last handed over what it had.
    since: Option<Instant>,
}

impl<T> Hand<T> {
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
        }
    }
}
