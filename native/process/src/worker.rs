//! A worker as whoever holds it sees it: nobody else talks to it meanwhile.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ember_session::SessionSpec;
use ember_wire::{
    Arena, Control, Kind, REUSABLE, Received, Socket, TRIMMED, View, WireError, shared_file,
    wide_file,
};

use crate::ProcessError;
use crate::life::Life;
use crate::zygote::Zygote;

/// Who may end a worker: it alone knows whether a number is still that process's.
pub(crate) trait Parent: std::fmt::Debug + Send + Sync {
    /// Ends it, if it has not ended.
    fn kill(&self, pid: i32);
}

/// Bytes of input memory that an idle worker keeps.
const KEPT: u64 = 16 << 20;
/// How long a fork may take.
const FORKING: Duration = Duration::from_secs(30);

/// How many of this process's workers have not been let go.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How many worker processes there are, with a session or without.
pub fn worker_processes() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// A live worker process. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) life: Arc<Life>,
    pub(crate) control: Control,
    pub(crate) input: Arena,
    pub(crate) output: View,
    parent: Arc<dyn Parent>,
    trimmed: bool,
    pub(crate) since: Instant,
}

/// The three descriptors that a new worker gets.
#[derive(Debug)]
pub(crate) struct Gift {
    pub(crate) socket: OwnedFd,
    pub(crate) input: File,
    pub(crate) output: File,
}

impl Worker {
    /// Has the zygote fork a worker.
    pub(crate) fn fork(zygote: &Arc<Zygote>) -> Result<Self, ProcessError> {
        let (here, there) = Socket::pair()?;
        let (input, output) = (shared_file(c"ember-input")?, wide_file(c"ember-output")?);
        let control = Control::create(&input)?;
        let copy = |file: &File| {
            file.try_clone()
                .map_err(|error| ProcessError::System("dup", error))
        };
        let gift = Gift {
            socket: there.into_inner(),
            input: copy(&input)?,
            output: copy(&output)?,
        };
        let life = zygote.fork(&gift, here, FORKING)?;
        Ok(Self::new(
            life,
            control,
            input,
            output,
            Arc::clone(zygote) as Arc<dyn Parent>,
        ))
    }

    /// A worker that has been given its descriptors.
    pub(crate) fn new(
        life: Arc<Life>,
        control: Control,
        input: File,
        output: File,
        parent: Arc<dyn Parent>,
    ) -> Self {
        HELD.fetch_add(1, Ordering::Relaxed);
        Self {
            life,
            control,
            input: Arena::new(input),
            output: View::new(output),
            parent,
            trimmed: false,
            since: Instant::now(),
        }
    }

    /// Opens a session.
    pub(crate) fn open(&mut self, spec: &SessionSpec) -> Result<(), WireError> {
        self.control.reset();
        let lengths = [
            spec.depth,
            spec.header.len(),
            spec.input_schema.len(),
            spec.environment.len(),
        ];
        let lengths: Vec<u8> = lengths
            .iter()
            .flat_map(|length| (*length as u64).to_le_bytes())
            .collect();
        let parts = [
            &lengths,
            &spec.header,
            &spec.input_schema,
            &spec.environment,
        ];
        let room = self.input.bytes(&parts.map(Vec::as_slice))?;
        let flags = if std::mem::take(&mut self.trimmed) {
            TRIMMED
        } else {
            0
        };
        self.life.socket.send(&room.message(Kind::OPEN).with(flags))
    }

    /// Takes what a worker without a listener still says; whether it has ended its session, ready for another.
    pub(crate) fn came_back(&self) -> Option<bool> {
        loop {
            match self.life.socket.try_receive() {
                Ok(Received::Message(message)) => {
                    // Its block goes back unread.
                    let _unread = self.output.block(&message).is_ok();
                    if message.kind == Kind::END {
                        return Some(message.flags & REUSABLE != 0);
                    }
                }
                Ok(Received::Nothing) => return None,
                Ok(Received::Gone) | Err(_) => return Some(false),
            }
        }
    }

    /// Whether the idle process is there and silent.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.life.socket.try_receive(), Ok(Received::Nothing))
    }

    /// Makes it as small as an idle worker is.
    pub(crate) fn rest(&mut self) {
        self.since = Instant::now();
        self.output.trim();
        self.trimmed |= self.input.trim(KEPT).unwrap_or(false);
    }

    /// Bytes of memory that the process holds, as the kernel counts them.
    pub(crate) fn resident(&self) -> u64 {
        let read = std::fs::read_to_string(format!("/proc/{}/statm", self.life.pid));
        let pages = read
            .ok()
            .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
        pages.unwrap_or(0) * 4096
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.life.socket.shut();
        self.parent.kill(self.life.pid);
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}
