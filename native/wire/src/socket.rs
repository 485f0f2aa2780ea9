//! One end of a pair of sockets that keep messages apart and tell when the other end has gone.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use crate::{Message, WireError};

/// Messages that go in one packet at most.
const PACKET: usize = 64;

/// One end. Sending and receiving may happen on different threads.
#[derive(Debug)]
pub struct Socket {
    end: OwnedFd,
    /// What came in a packet with a message before it.
    received: Mutex<VecDeque<Message>>,
}

/// What [`Socket::try_receive`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is a message, or none, or never again one"
)]
pub enum Received {
    /// A message.
    Message(Message),
    /// None yet.
    Nothing,
    /// The other end is closed.
    Gone,
}

impl Socket {
    /// Two ends, neither of which any program started later inherits.
    pub fn pair() -> Result<(Self, Self), WireError> {
        let mut ends = [0; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: room for two descriptors.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } < 0 {
            return Err(WireError::last("socketpair"));
        }
        // SAFETY: new descriptors that nobody else owns.
        let [first, second] = ends.map(|end| Self::of(unsafe { OwnedFd::from_raw_fd(end) }));
        Ok((first, second))
    }

    /// An end that was handed over.
    pub const fn of(end: OwnedFd) -> Self {
        Self {
            end,
            received: Mutex::new(VecDeque::new()),
        }
    }

    /// The end itself, to hand it over.
    pub fn into_inner(self) -> OwnedFd {
        self.end
    }

    /// Sends one message. An end that nobody reads any more is [`WireError::Gone`].
    pub fn send(&self, message: &Message) -> Result<(), WireError> {
        self.send_packet(&message.encode())
    }

    /// Sends messages in as few packets as hold them.
    pub fn send_all(&self, messages: &[Message]) -> Result<(), WireError> {
        for packet in messages.chunks(PACKET) {
            let bytes: Vec<u8> = packet.iter().flat_map(Message::encode).collect();
            self.send_packet(&bytes)?;
        }
        Ok(())
    }

    fn send_packet(&self, bytes: &[u8]) -> Result<(), WireError> {
        loop {
            // SAFETY: an open socket and bytes that live through the call.
            let sent = unsafe {
                libc::send(
                    self.end.as_raw_fd(),
                    bytes.as_ptr().cast(),
                    bytes.len(),
                    libc::MSG_NOSIGNAL,
                )
            };
            if sent >= 0 {
                return Ok(());
            }
            let error = Error::last_os_error();
            match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => {
                    return Err(WireError::Gone);
                }
                _ => return Err(WireError::System("sending to the other process", error)),
            }
        }
    }

    /// The next message if there is one.
    pub fn try_receive(&self) -> Result<Received, WireError> {
        self.receive_with(libc::MSG_DONTWAIT)
    }

    /// Waits for the next message.
    pub fn receive(&self) -> Result<Received, WireError> {
        self.receive_with(0)
    }

    fn receive_with(&self, flags: i32) -> Result<Received, WireError> {
        if let Some(message) = self.kept(&[])? {
            return Ok(Received::Message(message));
        }
        let mut bytes = [0_u8; Message::BYTES * PACKET];
        loop {
            // SAFETY: an open socket and room for the bytes.
            let received = unsafe {
                libc::recv(
                    self.end.as_raw_fd(),
                    bytes.as_mut_ptr().cast(),
                    bytes.len(),
                    flags,
                )
            };
            if let Ok(received) = usize::try_from(received) {
                let packet = bytes.get(..received).unwrap_or_default();
                let first = self.kept(packet)?;
                return Ok(first.map_or(Received::Gone, Received::Message));
            }
            let error = Error::last_os_error();
            match error.kind() {
                // Told once, of an end that closed before it had read everything. What it had sent
                // is still to be had.
                ErrorKind::Interrupted | ErrorKind::ConnectionReset => {}
                ErrorKind::WouldBlock => return Ok(Received::Nothing),
                _ => return Err(WireError::System("receiving from the other process", error)),
            }
        }
    }

    /// Keeps the messages of a packet, and gives the first of all that are kept.
    fn kept(&self, packet: &[u8]) -> Result<Option<Message>, WireError> {
        let mut kept = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        for message in packet.chunks(Message::BYTES) {
            kept.push_back(Message::decode(message)?);
        }
        Ok(kept.pop_front())
    }

    /// Ends the conversation for whoever waits at either end, without closing the descriptor.
    pub fn shut(&self) {
        // SAFETY: an open socket; that it is shut already is no matter.
        unsafe { libc::shutdown(self.end.as_raw_fd(), libc::SHUT_RDWR) };
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn what_was_sent_before_an_end_closed_with_messages_unread_is_received() {
        let (here, there) = Socket::pair().unwrap();
        here.send(&Message::plain(Kind::GO)).unwrap();
        there.send(&Message::plain(Kind::END)).unwrap();
        drop(there);
        let end = Received::Message(Message::plain(Kind::END));
        assert_eq!(here.try_receive().unwrap(), end);
        // Waited for: a child that another test forked holds the end open for a moment.
        assert_eq!(here.receive().unwrap(), Received::Gone);
    }

    #[test]
    fn messages_that_go_together_come_one_by_one() {
        let (here, there) = Socket::pair().unwrap();
        let sent: Vec<_> = (0..150)
            .map(|flags| Message::plain(Kind::BATCH).with(flags))
            .collect();
        here.send_all(&sent).unwrap();
        drop(here);
        for message in sent {
            assert_eq!(there.receive().unwrap(), Received::Message(message));
        }
        assert_eq!(there.receive().unwrap(), Received::Gone);
    }

    #[test]
    fn messages_come_in_order_and_then_the_end() {
        let (here, there) = Socket::pair().unwrap();
        assert_eq!(there.try_receive().unwrap(), Received::Nothing);
        here.send(&Message::plain(Kind::GO)).unwrap();
        here.send(&Message::plain(Kind::CANCEL)).unwrap();
        drop(here);
        for kind in [Kind::GO, Kind::CANCEL] {
            assert_eq!(
                there.receive().unwrap(),
                Received::Message(Message::plain(kind))
            );
        }
        assert_eq!(there.receive().unwrap(), Received::Gone);
        assert!(matches!(
            there.send(&Message::plain(Kind::GO)),
            Err(WireError::Gone)
        ));
    }
}
