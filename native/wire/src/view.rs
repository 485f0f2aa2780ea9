//! The reader's side of shared memory: blocks as the other process wrote them.
//!
//! Invariant: a writer does not touch a block between its message and the reader's flag. [`Block::bytes`] relies
//! on it. A worker whose function writes wildly through pointers of its own can break it as it can break its
//! own memory; what leads from a block to other memory is therefore checked when it is read.

use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::arena::{ALIGNMENT, BLOCK_HEAD, FREE, state};
use crate::check::offset_at;
use crate::fork::{Live, Region, is_inherited, watch};
use crate::memory::Mapping;
use crate::{Message, WireError};

/// Maps what messages speak of, each segment once.
#[derive(Debug)]
pub struct View {
    file: File,
    segments: Mutex<HashMap<u64, Arc<Segment>>>,
    /// Whether what this process forks shall have the blocks for itself.
    forks: bool,
}

/// Forgotten by forks before it is unmapped.
#[derive(Debug)]
struct Segment {
    _region: Option<Region>,
    mapping: Mapping,
}

/// A block that was received. Dropping it gives it back.
#[derive(Debug)]
pub struct Block {
    live: Option<Live>,
    segment: Arc<Segment>,
    at: usize,
    bytes: usize,
}

impl View {
    /// The blocks of `file`, which another process writes.
    pub fn new(file: File) -> Self {
        Self {
            file,
            segments: Mutex::default(),
            forks: false,
        }
    }

    /// The same in a worker, whose function may fork: a child keeps the blocks of the fork as they are, and gives
    /// none back.
    pub(crate) fn of_worker(file: File) -> Result<Self, WireError> {
        watch()?;
        let forks = true;
        Ok(Self {
            forks,
            ..Self::new(file)
        })
    }

    /// Whether this is a child's, for which no more blocks come.
    pub(crate) fn is_inherited(&self) -> bool {
        self.forks && is_inherited()
    }

    /// The block that `message` brought, if it lies where a block can lie.
    pub fn block(&self, message: &Message) -> Result<Block, WireError> {
        if self.is_inherited() {
            return Err(WireError::Gone);
        }
        let segment = self.segment(message.segment, message.segment_bytes)?;
        let misplaced = WireError::Layout("a block outside its segment");
        let (Ok(at), Ok(bytes)) = (
            usize::try_from(message.block),
            usize::try_from(message.bytes),
        ) else {
            return Err(misplaced);
        };
        let end = at
            .checked_add(bytes)
            .filter(|end| *end <= segment.mapping.len());
        if end.is_none() || bytes < BLOCK_HEAD || !at.is_multiple_of(ALIGNMENT) {
            return Err(misplaced);
        }
        let live = self.forks.then(|| Live::new(&segment.mapping, at, bytes));
        Ok(Block {
            live,
            segment,
            at,
            bytes,
        })
    }

    /// Lets go of mappings that no block needs.
    pub fn trim(&self) {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        segments.retain(|_, segment| Arc::strong_count(segment) > 1);
    }

    /// Bytes of the writer's memory that are mapped.
    pub fn held(&self) -> u64 {
        let segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |segment: &Arc<Segment>| segment.mapping.len() as u64;
        segments.values().map(bytes).sum()
    }

    fn segment(&self, at: u64, bytes: u64) -> Result<Arc<Segment>, WireError> {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = segments.get(&at) {
            if known.mapping.len() as u64 == bytes {
                return Ok(Arc::clone(known));
            }
            return Err(WireError::Layout("a segment of another length than before"));
        }
        let mapping = Mapping::new(&self.file, at, bytes)?;
        let segment = Arc::new(Segment {
            _region: self.forks.then(|| Region::new(&mapping)),
            mapping,
        });
        segments.insert(at, Arc::clone(&segment));
        drop(segments);
        Ok(segment)
    }
}

impl Block {
    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        let start = self.segment.mapping.address(self.at + BLOCK_HEAD);
        // SAFETY: within the mapping, as `View::block` checked, and unwritten by this module's
        // invariant.
        unsafe { std::slice::from_raw_parts(start, self.bytes - BLOCK_HEAD) }
    }

    /// The text in it, behind its length.
    pub fn text(&self) -> Option<&[u8]> {
        let bytes = self.bytes();
        let length = usize::try_from(offset_at(bytes, 0, 8)?).ok()?;
        bytes.get(8..)?.get(..length)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        drop(self.live.take());
        state(&self.segment.mapping, self.at).store(FREE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arena, Kind, wide_file};

    fn sides() -> (Arena, View) {
        let file = wide_file(c"arena").unwrap();
        (Arena::new(file.try_clone().unwrap()), View::new(file))
    }

    #[test]
    fn a_block_is_read_where_it_was_written() {
        let (mut arena, view) = sides();
        let message = arena.bytes(&[b"ab", b"c"]).unwrap().message(Kind::BATCH);
        assert_eq!(view.block(&message).unwrap().bytes()[..3], *b"abc");
    }

    #[test]
    fn a_block_given_back_is_used_again_and_a_held_one_is_not() {
        let (mut arena, view) = sides();
        let first = arena.bytes(&[&[1; 1000]]).unwrap().message(Kind::BATCH);
        let held = view.block(&first).unwrap();
        let second = arena.bytes(&[&[2; 1000]]).unwrap().message(Kind::BATCH);
        assert_ne!(first.block, second.block);
        drop(view.block(&second).unwrap());
        assert_eq!(
            arena
                .bytes(&[&[3; 500]])
                .unwrap()
                .message(Kind::BATCH)
                .block,
            second.block
        );
        assert_eq!(held.bytes()[..1000], [1; 1000]);
    }

    #[test]
    fn an_arena_grows_by_segments_and_shrinks_by_those_that_are_empty() {
        let (mut arena, view) = sides();
        let small = arena.bytes(&[b"x"]).unwrap().message(Kind::BATCH);
        let large = arena
            .bytes(&[&vec![7; 3 << 20]])
            .unwrap()
            .message(Kind::BATCH);
        assert_ne!(small.segment, large.segment);
        assert_eq!(view.block(&large).unwrap().bytes()[3 << 19], 7);
        let held = arena.held();
        assert!(arena.trim(1 << 20).unwrap());
        assert!(arena.held() < held);
        view.trim();
        assert_eq!(view.block(&small).unwrap().bytes()[..1], *b"x");
        let again = arena
            .bytes(&[&vec![8; 3 << 20]])
            .unwrap()
            .message(Kind::BATCH);
        assert!(again.segment > large.segment);
        assert_eq!(view.block(&again).unwrap().bytes()[0], 8);
    }

    #[test]
    fn a_block_that_was_never_sent_is_free() {
        let (mut arena, _view) = sides();
        drop(arena.bytes(&[&[1; 100]]).unwrap());
        assert_eq!(arena.bytes(&[b"y"]).unwrap().message(Kind::BATCH).block, 0);
    }

    #[test]
    fn a_message_that_leads_elsewhere_is_refused() {
        let (mut arena, view) = sides();
        let sent = arena.bytes(&[b"abc"]).unwrap().message(Kind::BATCH);
        let wrong = [
            Message {
                block: sent.segment_bytes,
                ..sent
            },
            Message {
                bytes: u64::MAX,
                ..sent
            },
            Message { bytes: 8, ..sent },
            Message { block: 8, ..sent },
            Message {
                segment: 1 << 50,
                ..sent
            },
            Message {
                segment_bytes: 1 << 50,
                segment: 8192,
                ..sent
            },
            Message {
                segment_bytes: sent.segment_bytes + 8192,
                segment: 8192,
                ..sent
            },
        ];
        for message in wrong {
            assert!(view.block(&message).is_err(), "{message:?}");
        }
    }
}
