//! Rows as Spark stores them, and Arrow: both ways, without the JVM.
//!
//! ```text
//!   Rows (a page the JVM lent for one call) --ToArrow--> ArrowArray (buffers of ours, pooled)
//!   Rows (the input again) + a checked batch --ToRows--> joined rows in a page of ours
//! ```
//!
//! A page is rows back to back, each behind its length in eight little-endian bytes. Lengths, slots
//! and what they point to are parsed once; a page that lies gives a [`PageError`], never a read
//! outside of it.

mod bits;
mod block;
mod cells;
mod error;
mod page;
mod spark_type;
mod to_arrow;
mod to_rows;

pub use error::PageError;
pub use page::{Page, Rows};
pub use spark_type::{SparkField, SparkType};
pub use to_arrow::{Shape, ToArrow};
pub use to_rows::{RowPage, ToRows};
