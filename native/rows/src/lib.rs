//! Batches at the border between the JVM and Python.
//!
//! In: a *layout*, the depth-first list of a batch's buffers as the JVM lent them. Out: a C Data
//! Interface struct that Python imports without a copy ([`lend()`]). And back: the struct Python
//! exported becomes a checked batch whose layout the JVM wraps ([`Returned`]).
//!
//! A layout is a run of longs: `rows, columns`, then for each column, depth first,
//! `length, null_count, n_buffers, n_children, (address, bytes) * n_buffers` and its children. The
//! buffers stand in the order of the Arrow columnar format; offsets are already applied.

mod as_read;
mod columns;
mod gathered;
pub mod pages;
mod returned;
mod row_columns;

pub use columns::{SharedBatch, column_type, share};
pub use ember_wire::{Lender, lend, lent_bytes};
pub use gathered::{Checked, Gathered};
pub use returned::{Returned, ReturnedSchema};
pub use row_columns::RowColumns;

/// Why a batch cannot cross.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// A type that Spark's own reader would not take either.
    #[error("a column of type {0} cannot be read by Spark")]
    Carried(String),
    /// The JVM's layout does not describe a batch; please report it.
    #[error("the batch layout is malformed: {0}")]
    Layout(&'static str),
    /// The same of a layout that was to be lent; please report it.
    #[error(transparent)]
    Lent(#[from] ember_wire::WireError),
    /// Python's result is not a sound Arrow batch.
    #[error("the function returned a malformed Arrow batch: {0}")]
    Malformed(#[from] arrow_schema::ArrowError),
}
