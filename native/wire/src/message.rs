//! What crosses the socket: a few words, each message a packet of its own.

use crate::WireError;

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Kind(pub u32);

impl Kind {
    /// To the worker: a session begins; its block has the header, the schema and the environment.
    pub const OPEN: Self = Self(1);
    /// To the worker: the next input batch.
    pub const BATCH: Self = Self(2);
    /// To the worker: there is no further input.
    pub const END_OF_INPUT: Self = Self(3);
    /// To the worker: there is room for output again.
    pub const GO: Self = Self(4);
    /// To the worker: nobody wants the rest of this session.
    pub const CANCEL: Self = Self(5);
    /// From the worker: it has taken all input, and the executor was waiting for that.
    pub const WANT: Self = Self(6);
    /// From the worker: the schema of the output, an Arrow IPC message.
    pub const SCHEMA: Self = Self(7);
    /// From the worker: the next output batch.
    pub const PUSH: Self = Self(8);
    /// From the worker: the session is over; its block has the tail.
    pub const END: Self = Self(9);
    /// From the worker: shared memory failed it; its block says how. The end follows.
    pub const FAILED: Self = Self(10);
}

/// On [`Kind::END`]: the worker is ready for another session.
pub const REUSABLE: u32 = 1;
/// On [`Kind::OPEN`]: segments were given back, so mappings that nobody uses are to go.
pub const TRIMMED: u32 = 2;

/// One message. The last four numbers lead to a block; without one they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// What it says.
    pub kind: Kind,
    /// More of it.
    pub flags: u32,
    /// Where the segment begins in its file.
    pub segment: u64,
    /// Bytes of the segment.
    pub segment_bytes: u64,
    /// Where the block begins in the segment.
    pub block: u64,
    /// Bytes of the block.
    pub bytes: u64,
}

impl Message {
    /// Bytes of every message.
    pub(crate) const BYTES: usize = 40;

    /// A message without a block.
    pub const fn plain(kind: Kind) -> Self {
        Self {
            kind,
            flags: 0,
            segment: 0,
            segment_bytes: 0,
            block: 0,
            bytes: 0,
        }
    }

    /// The same with flags.
    #[must_use]
    pub const fn with(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    /// The bytes that are sent.
    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let first = u64::from(self.kind.0) | u64::from(self.flags) << 32;
        let words = [
            first,
            self.segment,
            self.segment_bytes,
            self.block,
            self.bytes,
        ];
        let mut encoded = [0; Self::BYTES];
        for (place, word) in encoded.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        encoded
    }

    /// Reads what was received.
    pub(crate) fn decode(received: &[u8]) -> Result<Self, WireError> {
        if received.len() != Self::BYTES {
            return Err(WireError::Layout("a message of another length"));
        }
        let mut words = [0_u64; 5];
        for (word, bytes) in words.iter_mut().zip(received.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        let [first, segment, segment_bytes, block, bytes] = words;
        let half = |shift: u32| u32::try_from(first >> shift & u64::from(u32::MAX)).unwrap_or(0);
        Ok(Self {
            kind: Kind(half(0)),
            flags: half(32),
            segment,
            segment_bytes,
            block,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_as_it_was_sent() {
        let sent = Message {
            kind: Kind::END,
            flags: REUSABLE,
            segment: 1 << 40,
            segment_bytes: 2,
            block: 3,
            bytes: u64::MAX,
        };
        assert_eq!(Message::decode(&sent.encode()).unwrap(), sent);
    }

    #[test]
    fn a_message_of_another_length_is_refused() {
        assert!(Message::decode(&[0; 39]).is_err());
    }
}
