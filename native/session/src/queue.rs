//! Batches on their way from one thread to the other.
//!
//! To wake a thread costs as much as a small batch is worth. So small ones may wait in greater number
//! than the session's depth says, and the thread at the other end may be let asleep until there is more
//! for it: but never while this end sleeps itself, and never when batches come slowly.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes of small batches that may wait beyond the depth: six of 10,000 numbers.
pub(crate) const SMALL: u64 = 512 << 10;
/// Their number.
pub(crate) const MOST: usize = 64;
/// Batches that follow one another faster than this need no wake-up each.
pub(crate) const QUICK: Duration = Duration::from_millis(1);

/// First in, first out; each entry with its bytes.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    entries: VecDeque<(T, u64)>,
    bytes: u64,
    /// Entries that may wait whatever their size. With 0, one may.
    depth: usize,
    last: Option<Instant>,
}

impl<T> Queue<T> {
    pub(crate) const fn new(depth: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            depth,
            last: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether another entry may wait.
    pub(crate) fn has_room(&self) -> bool {
        let small = self.depth > 0 && self.entries.len() < MOST && self.bytes < SMALL;
        self.entries.len() < self.depth.max(1) || small
    }

    /// Whether there is so much room that it is worth waking who fills it.
    pub(crate) fn is_low(&self) -> bool {
        self.entries.len() < self.depth.max(1) || !self.is_half()
    }

    /// Adds an entry; whether it is worth waking who takes it. If not, that is for the moment when this end
    /// sleeps.
    pub(crate) fn push(&mut self, entry: T, bytes: u64) -> bool {
        self.entries.push_back((entry, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
        if self.depth == 0 {
            return true;
        }
        let now = Instant::now();
        let quick = self
            .last
            .replace(now)
            .is_some_and(|last| now.duration_since(last) < QUICK);
        !quick || self.is_half()
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let (entry, bytes) = self.entries.pop_front()?;
        self.bytes -= bytes.min(self.bytes);
        Some(entry)
    }

    /// Gives `take` the first entry, and small ones that follow it.
    pub(crate) fn pop_some(&mut self, mut take: impl FnMut(T)) {
        let mut given = 0;
        while let Some((_, bytes)) = self.entries.front() {
            given += bytes;
            if given > *bytes && (self.depth == 0 || given > SMALL / 2) {
                return;
            }
            if let Some(entry) = self.pop() {
                take(entry);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    fn is_half(&self) -> bool {
        self.bytes >= SMALL / 2 || self.entries.len() >= MOST / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_after(depth: usize, bytes: u64) -> usize {
        let mut queue = Queue::new(depth);
        let mut count = 0;
        while queue.has_room() {
            queue.push((), bytes);
            count += 1;
        }
        count
    }

    #[test]
    fn large_batches_wait_as_many_as_the_depth_says_and_small_ones_more() {
        assert_eq!(full_after(2, SMALL), 2);
        assert_eq!(full_after(5, u64::MAX), 5);
        assert_eq!(full_after(2, SMALL / 4), 4);
        assert_eq!(full_after(2, 100), MOST);
        assert_eq!(full_after(0, 100), 1);
    }

    #[test]
    fn a_large_batch_wakes_at_once_and_quick_small_ones_when_they_are_many() {
        let mut queue = Queue::new(2);
        assert!(queue.push(1, SMALL));
        assert_eq!(queue.pop(), Some(1));
        let mut woken = 0;
        for number in 0..MOST / 2 - 1 {
            woken += usize::from(queue.push(number, 1));
        }
        assert!(woken < 5, "{woken} of {MOST} woke"); // the machine may have stopped in between
        assert!(queue.push(0, 1));
        assert!(!queue.is_low());
        queue.pop();
        assert!(queue.is_low());
    }

    #[test]
    fn batches_that_come_slowly_wake_each() {
        let mut queue = Queue::new(2);
        for number in 0..3 {
            assert!(queue.push(number, 1));
            std::thread::sleep(QUICK);
        }
    }

    #[test]
    fn without_a_pipeline_every_batch_wakes() {
        let mut queue = Queue::new(0);
        assert!(queue.push(1, 1));
        assert!(!queue.has_room());
        queue.pop();
        assert!(queue.push(2, 1));
    }
}
