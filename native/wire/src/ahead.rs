//! What one side has written and the other has not taken yet.
//!
//! To wake the other process costs more than a small batch is worth. So small ones may wait in greater number
//! than the session's depth says, as the queues in the executor let them, and several go in one packet: when
//! they are many, when they come slowly, and always before the side that wrote them waits itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Message;

/// Bytes of small batches that may wait beyond the depth: six of 10,000 numbers.
const SMALL: u64 = 512 << 10;
/// Their number.
const MOST: usize = 64;
/// Batches that follow one another faster than this need no packet each.
const QUICK: Duration = Duration::from_millis(1);

/// The batches of one direction.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Batches that may wait whatever their size. With 0, one may.
    depth: usize,
    written: u32,
    /// Bytes of each batch that waits, and of all of them.
    sizes: VecDeque<u64>,
    bytes: u64,
    unsent: Vec<Message>,
    last: Option<Instant>,
}

impl Ahead {
    /// Nothing yet.
    pub fn new(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// Whether another batch may be written when the other side has taken so many. Its count may be anything.
    pub fn has_room(&mut self, taken: u32) -> bool {
        let waiting = usize::try_from(self.written.wrapping_sub(taken)).unwrap_or(usize::MAX);
        while self.sizes.len() > waiting {
            self.bytes -= self.sizes.pop_front().unwrap_or(0);
        }
        let small = self.depth > 0 && self.sizes.len() < MOST && self.bytes < SMALL;
        self.sizes.len() < self.depth.max(1) || small
    }

    /// Whether the other side has left so few unread that it is worth waking who fills them up.
    pub fn is_low(&self, unread: usize) -> bool {
        unread < self.depth.max(MOST / 2)
    }

    /// A batch was written; whether it is worth sending what there is. If not, that is for the moment before
    /// this side waits.
    pub fn batch(&mut self, message: Message) -> bool {
        self.written = self.written.wrapping_add(1);
        self.sizes.push_back(message.bytes);
        self.bytes += message.bytes;
        self.unsent.push(message);
        let now = Instant::now();
        let last = self.last.replace(now);
        let quick = last.is_some_and(|last| now.duration_since(last) < QUICK);
        let much = self.unsent.len() >= MOST / 2 || self.bytes >= SMALL / 2;
        self.depth == 0 || !quick || much
    }

    /// Something else is to be said after the batches.
    pub fn word(&mut self, message: Message) {
        self.unsent.push(message);
    }

    /// What is to be sent now.
    pub fn unsent(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.unsent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn of(bytes: u64) -> Message {
        Message {
            bytes,
            ..Message::plain(Kind::BATCH)
        }
    }

    fn full_after(depth: usize, bytes: u64) -> usize {
        let mut ahead = Ahead::new(depth);
        let mut count = 0;
        while ahead.has_room(0) {
            ahead.batch(of(bytes));
            count += 1;
        }
        count
    }

    #[test]
    fn large_batches_wait_as_many_as_the_depth_says_and_small_ones_more() {
        assert_eq!(full_after(2, SMALL), 2);
        assert_eq!(full_after(2, SMALL / 4), 4);
        assert_eq!(full_after(2, 100), MOST);
        assert_eq!(full_after(0, 100), 1);
    }

    #[test]
    fn what_the_other_side_takes_makes_room() {
        let mut ahead = Ahead::new(1);
        for _ in 0..2 {
            ahead.batch(of(SMALL));
        }
        assert!(!ahead.has_room(0));
        assert!(!ahead.has_room(1));
        assert!(ahead.has_room(2));
        assert!(!ahead.has_room(7) || ahead.sizes.is_empty());
    }

    #[test]
    fn quick_small_batches_go_together_and_others_at_once() {
        let mut ahead = Ahead::new(2);
        assert!(ahead.batch(of(SMALL)));
        assert_eq!(ahead.unsent().len(), 1);
        assert!(ahead.has_room(1));
        let sent = (1..MOST / 2).filter(|_| ahead.batch(of(1))).count();
        assert!(sent < 5, "{sent} of {MOST} went at once"); // the machine may have stopped in between
        assert!(ahead.batch(of(1)));
        ahead.word(Message::plain(Kind::END_OF_INPUT));
        let unsent = ahead.unsent();
        assert_eq!(unsent.len(), MOST / 2 + 1);
        assert_eq!(unsent.last(), Some(&Message::plain(Kind::END_OF_INPUT)));
        std::thread::sleep(QUICK);
        assert!(ahead.batch(of(1)));
        assert!(ahead.is_low(1) && !ahead.is_low(MOST / 2));
    }

    #[test]
    fn without_a_pipeline_every_batch_goes_at_once() {
        let mut ahead = Ahead::new(0);
        assert!(ahead.batch(of(1)) && ahead.batch(of(1)));
    }
}
