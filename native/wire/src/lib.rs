//! What an executor and its worker processes share.
//!
//! ```text
//! executor: Arena (input) --messages--> worker: View (input) -> ArrowArray -> Python
//! executor: View (output) <--messages-- worker: Arena (output) <- ArrowArray <- Python
//! ```
//!
//! In: batches as C Data Interface structs on the one side. Out: the same batches over memory that
//! both processes map. Bytes stay where they were written: a message of a few words says in which
//! block of which segment, and the reader gives the block back by a flag in the block itself. Nothing here
//! knows Spark, Python or the JVM; the bridge links it for the worker's end ([`Link`]).

mod ahead;
mod arena;
mod batch;
mod check;
mod control;
mod fork;
mod inbox;
mod job;
mod lend;
mod link;
mod memory;
mod message;
mod shape;
mod socket;
mod view;

pub use ahead::Ahead;
pub use arena::{Arena, Room};
pub use batch::{Draft, read};
pub use control::Control;
pub use job::Job;
pub use lend::{Lender, Records, lend, lent_bytes};
pub use link::Link;
pub use memory::{shared_file, wide_file};
pub use message::{Kind, Message, REUSABLE, TRIMMED};
pub use shape::Shape;
pub use socket::{Received, Socket};
pub use view::{Block, View};

/// Why a batch or a message cannot cross.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The operating system refused memory or a socket.
    #[error("{0}: {1}")]
    System(&'static str, #[source] std::io::Error),
    /// A layout, a block or a message that cannot be right; please report it.
    #[error("the batch layout is malformed: {0}")]
    Layout(&'static str),
    /// A type that has no way through shared memory; Spark does not read it either.
    #[error("a column of Arrow format {0} cannot cross to another process")]
    Unsupported(String),
    /// The other process has gone.
    #[error("the other process has gone")]
    Gone,
}

impl WireError {
    /// The operating system's last error, with what was asked of it.
    pub(crate) fn last(of: &'static str) -> Self {
        Self::System(of, std::io::Error::last_os_error())
    }
}
