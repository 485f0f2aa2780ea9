//! Columns in and rows out of a session: what a columnar child gives never becomes a row before the
//! function has seen it.
//!
//! In: lent columns, one batch at a time. Out: one page per output batch, where the columns that came
//! in stand before the function's results. Both conversions happen on the task thread.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_data::ArrayData;
use ember_abi::ArrowArray;
use ember_rows::pages::{PageError, RowPage, SparkField, SparkType, ToRows};
use ember_rows::{Lender, Returned, RowsError, SharedBatch, column_type, share};
use serde::Deserialize;
use serde_json::Value;

use crate::OutputPage;
use crate::beside::{beside, shown, side_by_side};
use crate::row_plan::missing;

/// What a column session converts: the plan of a row session, read for columns.
#[derive(Debug)]
pub struct ColumnPlan {
    /// The columns that come beside the arguments; none if rows are not joined.
    beside: Vec<SparkType>,
    /// Which of them stand before the results, where columns are asked for.
    kept: Vec<usize>,
    large: bool,
    to_rows: ToRows,
    /// The columns beside the arguments alone.
    to_inputs: ToRows,
    joined: bool,
}

#[derive(Deserialize)]
struct Wire {
    input: Value,
    output: Value,
    large: bool,
    wrapped: bool,
    joined: bool,
    chosen: Option<Vec<usize>>,
}

impl ColumnPlan {
    /// Reads the plan, a JSON object.
    pub fn parse(json: &[u8]) -> Result<Self, PageError> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| PageError::Schema(error.to_string()))?;
        let output = SparkType::fields_from_json(&wire.output.to_string())?;
        let mut input = SparkType::fields_from_json(&wire.input.to_string())?;
        let fields = input.len();
        input.truncate(if wire.joined { fields } else { 0 });
        let beside: Vec<SparkType> = input.into_iter().map(|field| field.of).collect();
        // A column is written where it is null or not, whatever its schema promised.
        let input = beside.iter().map(|of| SparkField::new(of.clone(), true));
        let input: Vec<SparkField> = input.collect();
        let to_inputs = ToRows::alone(input.clone(), false);
        let all: Vec<SparkField> = input.into_iter().chain(output).collect();
        let to_rows = match &wire.chosen {
            Some(chosen) => {
                let there = chosen
                    .iter()
                    .map(|at| at.checked_sub(fields - beside.len()));
                let places: Option<Vec<usize>> = there.collect();
                ToRows::chosen(&[], &places.ok_or_else(missing)?, all).ok_or_else(missing)?
            }
            None => ToRows::alone(all, wire.wrapped),
        };
        let all = 0..beside.len();
        let kept = match wire.chosen {
            Some(chosen) => chosen.into_iter().filter(|at| all.contains(at)).collect(),
            None => all.collect(),
        };
        Ok(Self {
            kept,
            beside,
            large: wire.large,
            to_rows,
            to_inputs,
            joined: wire.joined,
        })
    }

    /// The columns that are joined, without rows.
    fn no_rows(&self) -> Result<Vec<ArrayData>, PageError> {
        let kept = self.kept.iter().filter_map(|at| self.beside.get(*at));
        let empty = kept.map(|of| {
            let column = column_type(of, self.large);
            let column = column.map_err(|_| PageError::Unsupported(of.to_string()))?;
            Ok(ArrayData::new_empty(&column))
        });
        empty.collect()
    }
}

/// The columns of one session. Belongs to the task thread.
#[derive(Debug)]
pub struct ColumnPipe {
    plan: ColumnPlan,
    waiting: VecDeque<Waiting>,
    /// The page being read, and the one before it: a row stays readable while its successor is
    /// looked for.
    output: RowPage,
    previous: RowPage,
}

/// Input columns whose results have not all come back.
#[derive(Debug)]
struct Waiting {
    columns: Vec<ArrayData>,
    rows: usize,
    /// Rows that were consumed.
    read: usize,
}

impl ColumnPipe {
    /// A pipe without columns.
    pub fn new(plan: ColumnPlan) -> Self {
        Self {
            plan,
            waiting: VecDeque::new(),
            output: RowPage::default(),
            previous: RowPage::default(),
        }
    }

    /// Makes the function's batch of lent columns, and keeps those of the join.
    ///
    /// # Safety
    ///
    /// As [`share`] says of its layouts, `[arguments, columns]`.
    pub unsafe fn batch(
        &mut self,
        layouts: [&[i64]; 2],
        token: i64,
        lender: Arc<dyn Lender>,
    ) -> Result<ArrowArray, RowsError> {
        // SAFETY: what this function asks of its caller.
        let shared = unsafe { share(layouts, &self.plan.beside, self.plan.large, token, lender) }?;
        let SharedBatch {
            arguments,
            columns,
            rows,
            ..
        } = shared;
        if self.plan.joined && rows > 0 {
            self.waiting.push_back(Waiting {
                columns,
                rows,
                read: 0,
            });
        }
        Ok(arguments)
    }

    /// The rows of one output batch, joined with the input that comes next. Where a result has a null that its
    /// declared type forbids, only the rows of that input.
    pub fn rows(&mut self, batch: &Returned) -> Result<OutputPage, PageError> {
        let rows = batch.data().len();
        if rows == 0 {
            return Ok(OutputPage::EMPTY);
        }
        std::mem::swap(&mut self.output, &mut self.previous);
        let write = |data: &ArrayData, page: &mut RowPage| self.plan.to_rows.write(&[], data, page);
        let written = if self.plan.joined {
            let before = next(self.waiting.front(), None, rows)?;
            write(&beside(before, batch.data()), &mut self.output)
        } else {
            write(batch.data(), &mut self.output)
        };
        let for_spark = PageError::left_for_spark(written)?;
        if for_spark {
            self.write_inputs(rows)?;
        }
        if self.plan.joined {
            self.consume(rows);
        }
        let page = self.output.as_slice();
        Ok(OutputPage {
            address: page.as_ptr().expose_provenance(),
            bytes: page.len(),
            rows,
            pickles: (0, 0),
            for_spark,
        })
    }

    /// The next `rows` rows of the input alone, or none if they are not joined.
    fn write_inputs(&mut self, rows: usize) -> Result<(), PageError> {
        self.output.copy(&[])?;
        if self.plan.joined {
            let before = side_by_side(next(self.waiting.front(), None, rows)?, rows);
            self.plan.to_inputs.write(&[], &before, &mut self.output)?;
        }
        Ok(())
    }

    /// One output batch behind the columns of the input that comes next; nothing if they are not joined.
    pub fn joined(&mut self, batch: &Returned) -> Result<Option<Returned>, PageError> {
        let rows = batch.data().len();
        if !self.plan.joined {
            return Ok(None);
        }
        if rows == 0 {
            return shown(self.plan.no_rows()?, batch).map(Some);
        }
        let before = next(self.waiting.front(), Some(&self.plan.kept), rows)?;
        self.consume(rows);
        shown(before, batch).map(Some)
    }

    /// Forgets the first `rows` rows of the first batch that waits.
    fn consume(&mut self, rows: usize) {
        let done = self.waiting.front_mut().is_some_and(|first| {
            first.read += rows;
            first.read >= first.rows
        });
        if done {
            self.waiting.pop_front();
        }
    }
}

/// The next `rows` of `input`, for as many results, in all columns or those that are `kept`. A function may
/// give back a batch in pieces, but no piece of two batches.
fn next(
    input: Option<&Waiting>,
    kept: Option<&[usize]>,
    rows: usize,
) -> Result<Vec<ArrayData>, PageError> {
    let left = input.map_or(0, |input| input.rows - input.read);
    let input = input.filter(|_| rows <= left).ok_or(PageError::Count {
        rows: left,
        results: rows,
    })?;
    let of = |column: &ArrayData| column.slice(input.read, rows);
    Ok(match kept {
        None => input.columns.iter().map(of).collect(),
        Some(kept) => {
            let columns = kept.iter().filter_map(|column| input.columns.get(*column));
            columns.map(of).collect()
        }
    })
}
