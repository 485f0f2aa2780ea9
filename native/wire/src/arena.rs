//! The writer's side of shared memory: segments of one file, cut into blocks.

use std::collections::BTreeMap;
use std::fs::File;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::control::HEAD;
use crate::memory::{Mapping, PAGE, discard, reserve};
use crate::{Kind, Message, WireError};

/// Bytes at the start of a block that belong to its two sides and not to what it holds.
pub(crate) const BLOCK_HEAD: usize = 64;
/// What every block and every buffer in it is aligned to.
pub(crate) const ALIGNMENT: usize = 64;
/// The first word of a block that its reader has given back.
pub(crate) const FREE: u32 = 0;
/// The first word of a block that its reader has, or will get.
const TAKEN: u32 = 1;

/// The least that the file grows by, and the most that it grows by ahead of need.
const SMALLEST: u64 = 1 << 20;
const LARGEST: u64 = 64 << 20;

/// Blocks in a file that grows as needed. One thread writes; another process reads.
#[derive(Debug)]
pub struct Arena {
    file: File,
    end: u64,
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    at: u64,
    mapping: Arc<Mapping>,
    /// Where blocks begin, and how long they are.
    blocks: BTreeMap<usize, usize>,
}

/// A block in the making: its bytes are the writer's until its message is sent.
#[derive(Debug)]
pub struct Room {
    mapping: Arc<Mapping>,
    segment: u64,
    at: usize,
    bytes: usize,
    sent: bool,
}

impl Arena {
    /// Blocks in `file`, which nobody else grows.
    pub const fn new(file: File) -> Self {
        Self {
            file,
            end: HEAD,
            segments: Vec::new(),
        }
    }

    /// A block with room for `bytes`, where the reader has given one back or in new memory.
    pub fn room(&mut self, bytes: usize) -> Result<Room, WireError> {
        let wanted = bytes
            .checked_add(BLOCK_HEAD)
            .and_then(|bytes| bytes.checked_next_multiple_of(ALIGNMENT))
            .ok_or(WireError::Layout("a block too long"))?;
        for segment in &mut self.segments {
            segment.reclaim();
            if let Some(room) = segment.take(wanted) {
                return Ok(room);
            }
        }
        self.grow(wanted)?;
        let newest = self
            .segments
            .last_mut()
            .and_then(|segment| segment.take(wanted));
        newest.ok_or(WireError::Layout("a segment without room"))
    }

    /// A block that holds `parts`, one after the other.
    pub fn bytes(&mut self, parts: &[&[u8]]) -> Result<Room, WireError> {
        let mut room = self.room(parts.iter().map(|part| part.len()).sum())?;
        let mut at = 0;
        for part in parts {
            room.put(at, part);
            at += part.len();
        }
        Ok(room)
    }

    /// Gives segments that hold nothing back to the system, beyond `keep` bytes; tells whether it did.
    pub fn trim(&mut self, keep: u64) -> Result<bool, WireError> {
        self.segments.iter_mut().for_each(Segment::reclaim);
        let (mut kept, mut trimmed) = (0, false);
        let mut staying = Vec::with_capacity(self.segments.len());
        for segment in self.segments.drain(..) {
            let bytes = segment.mapping.len() as u64;
            if segment.blocks.is_empty() && kept + bytes > keep {
                discard(&self.file, segment.at, bytes)?;
                trimmed = true;
            } else {
                kept += bytes;
                staying.push(segment);
            }
        }
        self.segments = staying;
        Ok(trimmed)
    }

    /// Bytes of memory behind the arena.
    pub fn held(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.mapping.len() as u64)
            .sum()
    }

    fn grow(&mut self, wanted: usize) -> Result<(), WireError> {
        let ahead = self.held().clamp(SMALLEST, LARGEST);
        let bytes = (wanted as u64).max(ahead).next_multiple_of(PAGE);
        reserve(&self.file, self.end, bytes)?;
        let mapping = Arc::new(Mapping::new(&self.file, self.end, bytes)?);
        self.segments.push(Segment {
            at: self.end,
            mapping,
            blocks: BTreeMap::new(),
        });
        self.end += bytes;
        Ok(())
    }
}

impl Segment {
    /// Forgets the blocks that the reader has given back.
    fn reclaim(&mut self) {
        let mapping = &self.mapping;
        self.blocks
            .retain(|at, _| state(mapping, *at).load(Ordering::Acquire) != FREE);
    }

    fn take(&mut self, wanted: usize) -> Option<Room> {
        let mut at = 0;
        for (start, bytes) in &self.blocks {
            if start - at >= wanted {
                break;
            }
            at = start + bytes;
        }
        if self.mapping.len() - at < wanted {
            return None;
        }
        self.blocks.insert(at, wanted);
        state(&self.mapping, at).store(TAKEN, Ordering::Release);
        Some(Room {
            mapping: Arc::clone(&self.mapping),
            segment: self.at,
            at,
            bytes: wanted,
            sent: false,
        })
    }
}

impl Room {
    /// The message that gives this block to the reader.
    pub fn message(mut self, kind: Kind) -> Message {
        self.sent = true;
        Message {
            segment: self.segment,
            segment_bytes: self.mapping.len() as u64,
            block: self.at as u64,
            bytes: self.bytes as u64,
            ..Message::plain(kind)
        }
    }

    /// Writes `bytes` at `at`; what does not fit is left out.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(to) = self.slice_mut(at, bytes.len()) {
            to.copy_from_slice(bytes);
        }
    }

    /// The `len` bytes from `at` on, if they are within the block.
    pub fn slice_mut(&mut self, at: usize, len: usize) -> Option<&mut [u8]> {
        let start = at.checked_add(BLOCK_HEAD)?;
        let end = start.checked_add(len)?;
        if end > self.bytes {
            return None;
        }
        let address = self.mapping.address(self.at + start);
        // SAFETY: within the block, as was just checked, and the block is this value's alone: the
        // arena gives no byte out twice, and the reader hears of it with the message.
        Some(unsafe { std::slice::from_raw_parts_mut(address, len) })
    }
}

impl Drop for Room {
    /// A block that is never sent is free again.
    fn drop(&mut self) {
        if !self.sent {
            state(&self.mapping, self.at).store(FREE, Ordering::Release);
        }
    }
}

/// The word that says whose the block is.
pub(crate) fn state(mapping: &Mapping, at: usize) -> &AtomicU32 {
    let address: *const AtomicU32 = mapping.address(at).cast();
    debug_assert!(
        !ptr::eq(address, mapping.address(mapping.len()).cast()),
        "a block is within"
    );
    // SAFETY: a block begins at a multiple of 64 within the mapping, and both sides use its first
    // word as an atomic only.
    unsafe { &*address }
}
