//! The C contract between the loader (one library per platform) and the bridges (one per Python
//! minor version).
//!
//! In: what the loader knows (paths, a session's bytes, callbacks). Out: a table of functions that
//! only grows. The two sides are built apart and may be of different ages, so every struct is
//! `repr(C)`, starts with its own size, and a test pins its bytes.

mod arrow;
mod bridge;
mod session;

pub use arrow::{ArrowArray, ArrowSchema};
pub use bridge::{BRIDGE_SYMBOL, BridgeTable, MAJOR, MINOR, StartSpec};
pub use session::{Failure, PullStatus, PushStatus, SessionCalls, Span, Spent};
