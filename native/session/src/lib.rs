//! One function over one partition, between two threads.
//!
//! In: batches the task thread lends, in order. Out: batches the function returned, in order, and
//! at the end what the worker wrote besides them. The task thread never runs Python and the lane
//! thread never pulls input: they meet in a [`Session`], two bounded queues and an end. A lane
//! thread is held for as long as its session is open, and there is always one to be had
//! ([`Lanes`]), so functions that pull from functions cannot deadlock.

mod beside;
mod calls;
mod column_pipe;
mod hand;
mod interrupts;
mod lanes;
mod lock_waits;
mod pickles;
mod queue;
mod released;
mod row_pipe;
mod row_plan;
mod session;
mod task_side;
mod waiting;

pub use column_pipe::{ColumnPipe, ColumnPlan};
pub use lanes::{LaneError, Lanes};
pub use released::Released;
pub use row_pipe::{Groups, OutputPage, RowPipe, Side};
pub use row_plan::RowPlan;
pub use session::{End, Next, Session, SessionSpec};
pub use task_side::{LaneSession, TaskSide};
