//! Counters that both processes see: they say how far the other one is without a message.
//!
//! ```text
//! executor waits: waiting = 1, look at `taken` again, poll      worker took: taken + 1, waiting == 1 -> WANT
//! worker waits:   blocked = 1, look at `read` again, receive    executor read: read + 1, blocked == 1 -> GO
//! ```
//!
//! Who waits says so before it looks a last time, and who moves on looks after it has counted, so one of the
//! two always sees the other. A worker whose memory was overwritten can upset the counts, which lead to no
//! memory: then too much or too little is sent, and nothing else.

use std::fs::File;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ember_abi::Spent;

use crate::WireError;
use crate::memory::{Mapping, PAGE, reserve};

/// The first page of the input's file.
#[derive(Debug)]
pub struct Control(Mapping);

/// Bytes of a file before its first segment.
pub(crate) const HEAD: u64 = PAGE;

#[derive(Clone, Copy)]
enum Word {
    Taken,
    Waiting,
    Read,
    Blocked,
    Cancelled,
    Rows,
    Busy,
    Cpu,
    Lock,
    Idle,
    Delay,
    Known,
}

impl Word {
    /// Those that are counts of [`Spent`], in its order.
    const SPENT: [Self; 6] = [
        Self::Rows,
        Self::Busy,
        Self::Cpu,
        Self::Lock,
        Self::Idle,
        Self::Delay,
    ];
}

impl Control {
    /// The counters in a new file, all zero.
    pub fn create(file: &File) -> Result<Self, WireError> {
        reserve(file, 0, HEAD)?;
        Self::open(file)
    }

    /// The counters in a file that the other process made.
    pub fn open(file: &File) -> Result<Self, WireError> {
        Mapping::new(file, 0, HEAD).map(Self)
    }

    /// Executor: before a session opens, while the worker has none.
    pub fn reset(&self) {
        for word in [
            Word::Taken,
            Word::Waiting,
            Word::Read,
            Word::Blocked,
            Word::Cancelled,
        ] {
            self.word(word).store(0, Ordering::SeqCst);
        }
        for word in Word::SPENT.into_iter().chain([Word::Known]) {
            self.long(word).store(0, Ordering::SeqCst);
        }
    }

    /// Worker: its function has used this since the last time.
    pub fn spend(&self, more: &Spent) {
        let amounts = [
            more.rows, more.busy, more.cpu, more.lock, more.idle, more.delay,
        ];
        for (word, amount) in Word::SPENT.into_iter().zip(amounts) {
            self.long(word).fetch_add(amount, Ordering::Relaxed);
        }
        self.long(Word::Known)
            .fetch_or(more.known, Ordering::Relaxed);
    }

    /// What the worker's function has used.
    pub fn spent(&self) -> Spent {
        let read = |word| self.long(word).load(Ordering::Relaxed);
        let [rows, busy, cpu, lock, idle, delay] = Word::SPENT.map(read);
        Spent {
            rows,
            busy,
            cpu,
            lock,
            idle,
            delay,
            known: read(Word::Known),
        }
    }

    /// Worker: it has taken one more input batch.
    pub fn count_taken(&self) {
        self.word(Word::Taken).fetch_add(1, Ordering::SeqCst);
    }

    /// Input batches that the worker has taken.
    pub fn taken(&self) -> u32 {
        self.word(Word::Taken).load(Ordering::SeqCst)
    }

    /// Executor: it is about to wait for room. Look at [`taken`](Self::taken) after this.
    pub fn wait_for_room(&self) {
        self.word(Word::Waiting).store(1, Ordering::SeqCst);
    }

    /// Worker: whether the executor waits; true once for each wait.
    pub fn executor_waits(&self) -> bool {
        self.word(Word::Waiting).load(Ordering::SeqCst) == 1
            && self.word(Word::Waiting).swap(0, Ordering::SeqCst) == 1
    }

    /// Executor: it has read one more output batch.
    pub fn count_read(&self) {
        self.word(Word::Read).fetch_add(1, Ordering::SeqCst);
    }

    /// Output batches that the executor has read.
    pub fn read(&self) -> u32 {
        self.word(Word::Read).load(Ordering::SeqCst)
    }

    /// Worker: it is about to wait for room. Look at [`read`](Self::read) after this.
    pub fn block(&self) {
        self.word(Word::Blocked).store(1, Ordering::SeqCst);
    }

    /// Executor: whether the worker waits; true once for each wait.
    pub fn worker_waits(&self) -> bool {
        self.word(Word::Blocked).load(Ordering::SeqCst) == 1
            && self.word(Word::Blocked).swap(0, Ordering::SeqCst) == 1
    }

    /// Executor: nobody wants the rest.
    pub fn cancel(&self) {
        self.word(Word::Cancelled).store(1, Ordering::SeqCst);
    }

    /// Whether nobody wants the rest.
    pub fn cancelled(&self) -> bool {
        self.word(Word::Cancelled).load(Ordering::SeqCst) != 0
    }

    fn word(&self, word: Word) -> &AtomicU32 {
        let address: *const AtomicU32 = self.0.address(word as usize * 64).cast();
        // SAFETY: within the mapped page, aligned, and only ever used as an atomic by either side.
        unsafe { &*address }
    }

    fn long(&self, word: Word) -> &AtomicU64 {
        let address: *const AtomicU64 = self.0.address(word as usize * 64).cast();
        // SAFETY: as above; a word has 64 bytes to itself.
        unsafe { &*address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_file;

    #[test]
    fn either_side_sees_what_the_other_counts() {
        let file = shared_file(c"control").unwrap();
        let (here, there) = (
            Control::create(&file).unwrap(),
            Control::open(&file).unwrap(),
        );
        there.count_taken();
        here.wait_for_room();
        assert_eq!(
            (here.taken(), there.executor_waits(), there.executor_waits()),
            (1, true, false)
        );
        here.cancel();
        assert!(there.cancelled());
        let spent = Spent {
            rows: 7,
            busy: 1 << 40,
            cpu: 3,
            lock: 2,
            idle: 9,
            delay: 4,
            known: Spent::KEEPS_NOTHING,
        };
        there.spend(&spent);
        assert_eq!(here.spent(), spent);
        here.reset();
        assert_eq!((there.taken(), there.cancelled()), (0, false));
        assert_eq!(there.spent(), Spent::default());
    }
}
