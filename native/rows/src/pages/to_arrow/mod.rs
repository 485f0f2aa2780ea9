//! Rows to Arrow: a tree of columns that grows block by block, then leaves as one C struct.
//!
//! Layouts are those of Spark's own `ArrowWriter`: zeroes under nulls, fields of a null struct null
//! themselves, entries of a map never null.

mod bytes;
mod column;
mod export;
mod fixed;
mod nested;
mod variable;

use std::sync::Arc;

use ember_abi::ArrowArray;

use self::column::Column;
use self::export::Home;
pub(super) use self::fixed::big_endian;
use super::block::{BLOCK, Block};
use super::{PageError, Rows, SparkType};

/// Which columns of which rows, and in which of Spark's forms.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Shape {
    /// Fields of a row.
    pub fields: usize,
    /// The columns of the batch: which field, of which type.
    pub columns: Vec<(usize, SparkType)>,
    /// 64-bit offsets for text and bytes (`spark.sql.execution.arrow.useLargeVarTypes`).
    pub large: bool,
    /// All columns as the fields of one struct column, as the map kinds take them.
    pub wrapped: bool,
    /// One column more, behind all others: how the rows fall into pieces of groups.
    pub grouped: bool,
}

impl Shape {
    /// The given columns of rows of `fields`, with 32-bit offsets, side by side.
    pub const fn new(fields: usize, columns: Vec<(usize, SparkType)>) -> Self {
        Self {
            fields,
            columns,
            large: false,
            wrapped: false,
            grouped: false,
        }
    }

    /// With 64-bit offsets for text and bytes, or without.
    #[must_use]
    pub const fn large(mut self, large: bool) -> Self {
        self.large = large;
        self
    }

    /// With all columns in one struct column, or without.
    #[must_use]
    pub const fn wrapped(mut self, wrapped: bool) -> Self {
        self.wrapped = wrapped;
        self
    }

    /// With a column that tells pieces of groups, or without.
    #[must_use]
    pub const fn grouped(mut self, grouped: bool) -> Self {
        self.grouped = grouped;
        self
    }
}

/// Makes batches of one shape; buffers come back to it when a batch is released.
#[derive(Debug)]
pub struct ToArrow {
    shape: Shape,
    home: Arc<Home>,
}

impl ToArrow {
    /// Takes the shape of every batch to come.
    pub fn new(shape: Shape) -> Result<Self, PageError> {
        if shape.columns.iter().any(|(at, _)| *at >= shape.fields) {
            return Err(PageError::Malformed("a column that the rows do not have"));
        }
        Ok(Self {
            shape,
            home: Arc::default(),
        })
    }

    /// Makes one batch of all rows of `pages`; it may be released on any thread, at any time.
    pub fn convert(&self, pages: &[Rows<'_>]) -> Result<ArrowArray, PageError> {
        self.convert_groups(pages, &[])
    }

    /// The same, with the rows of each piece of a group if the shape has a column for them; zeroes
    /// stand behind the last. There cannot be more pieces than rows.
    pub fn convert_groups(
        &self,
        pages: &[Rows<'_>],
        pieces: &[i32],
    ) -> Result<ArrowArray, PageError> {
        let mut tree = self.home.take().unwrap_or_else(|| self.shape.tree());
        let most = pages.iter().map(Rows::left).max().unwrap_or(0);
        let mut room = vec![&[][..]; most.min(BLOCK)];
        let mut count = 0;
        for rows in pages {
            let mut rows = *rows;
            count += rows.left();
            while rows.left() > 0 {
                let block = Block::read(&mut rows, self.shape.fields, &mut room)?;
                for (column, (ordinal, _)) in tree.iter_mut().zip(&self.shape.columns) {
                    column.append(&block.column(*ordinal)?)?;
                }
            }
        }
        if let (true, Some(Column::Four(told))) = (self.shape.grouped, tree.last_mut()) {
            if pieces.len() > count {
                return Err(PageError::Malformed("it has fewer rows than pieces"));
            }
            told.append_values(pieces.iter().map(|piece| piece.to_le_bytes()), count);
        }
        Ok(export::seal(tree, count, &self.shape, &self.home))
    }

    /// Bytes of buffers now held: by batches that live, and by those kept for the next.
    pub fn held(&self) -> u64 {
        self.home.held()
    }
}

impl Shape {
    fn tree(&self) -> Vec<Column> {
        let columns = self.columns.iter();
        let columns = columns.map(|(_, of)| Column::new(of, self.large));
        let pieces = self.grouped.then(|| Column::new(&SparkType::Int, false));
        columns.chain(pieces).collect()
    }
}
