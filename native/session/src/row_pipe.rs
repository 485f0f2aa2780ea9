//! Rows in and rows out of a session, without the JVM's help.
//!
//! In: pages the JVM filled with rows, one per batch (and a second one where the function's
//! arguments are not plain columns). Out: one page per output batch, with the input rows joined to
//! the function's results. Both conversions happen on the task thread, beside Python's work.

use arrow_buffer::MutableBuffer;
use ember_abi::ArrowArray;
use ember_rows::pages::{Page, PageError, RowPage, Rows};
use ember_rows::{Returned, RowColumns};

use crate::RowPlan;
use crate::beside::shown;
use crate::pickles::Pickles;
use crate::waiting::WaitingRows;

/// Which of the two pages of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a batch has no third page")]
pub enum Side {
    /// The input rows, as they will be joined.
    Input,
    /// The function's arguments, where they are not plain columns of the input.
    Arguments,
}

/// The pages of one session. Belongs to the task thread.
#[derive(Debug)]
pub struct RowPipe {
    plan: RowPlan,
    input: MutableBuffer,
    arguments: MutableBuffer,
    waiting: WaitingRows,
    spare: Vec<MutableBuffer>,
    /// The page being read, and the one before it: a row stays readable while its successor is
    /// looked for.
    output: RowPage,
    previous: RowPage,
    /// What came beside the rows of the last output batch.
    pickles: Option<Pickles>,
}

/// How the rows of a batch fall into groups.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "its makers name all of it")]
pub struct Groups<'call> {
    /// Rows of each piece of a group, negative where the group goes on with the next piece.
    pub pieces: &'call [i32],
    /// Rows that wait in the input's page: one for each group or for each row.
    pub joined: usize,
}

impl Groups<'_> {
    const fn none(rows: usize) -> Self {
        Self {
            pieces: &[],
            joined: rows,
        }
    }
}

/// Pages kept for the next batches.
const SPARE: usize = 4;
/// Rows of a batch that may be little of its page.
const FEW: usize = 256;

/// One page of output rows; readable until the one after the next is asked for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct OutputPage {
    /// Address of the first row's length.
    pub address: usize,
    /// Bytes of the page.
    pub bytes: usize,
    /// Rows in it.
    pub rows: usize,
    /// Address and bytes of the pickles beside them; readable until the next page is asked for.
    pub pickles: (usize, usize),
    /// Only Spark's own code can read these results: the page has the input rows that they belong to, alone, or
    /// nothing if they are not joined.
    pub for_spark: bool,
}

impl OutputPage {
    /// Takes the place of no other page: a row before it may still be read when the next one comes.
    pub(crate) const EMPTY: Self = Self {
        address: 0,
        bytes: 0,
        rows: 0,
        pickles: (0, 0),
        for_spark: false,
    };
}

impl RowPipe {
    /// A pipe without pages.
    pub fn new(plan: RowPlan) -> Self {
        Self {
            waiting: WaitingRows::new(plan.spill_folder.clone()),
            plan,
            input: MutableBuffer::new(0),
            arguments: MutableBuffer::new(0),
            spare: Vec::new(),
            output: RowPage::default(),
            previous: RowPage::default(),
            pickles: None,
        }
    }

    /// Bytes of memory that the pages take, and the batches that were made of them.
    pub fn held(&self) -> u64 {
        let pages = [&self.input, &self.arguments]
            .into_iter()
            .chain(&self.spare)
            .map(MutableBuffer::capacity);
        let output = [self.output.capacity(), self.previous.capacity()];
        let pages: usize = pages.chain(output).chain([self.waiting.held()]).sum();
        let columns = self.plan.to_columns.as_ref().map_or(0, RowColumns::held);
        self.plan.to_arrow.held() + columns + pages as u64
    }

    /// Address of a page with room for `wanted` bytes; what was written into it before stays.
    pub fn room(&mut self, side: Side, wanted: usize) -> usize {
        let page = match side {
            Side::Input => &mut self.input,
            Side::Arguments => &mut self.arguments,
        };
        if page.len() < wanted {
            if page.is_empty()
                && let Some(spare) = self.spare.pop()
            {
                *page = spare;
            }
            page.resize(wanted.max(page.len()), 0);
        }
        page.as_mut_ptr().expose_provenance()
    }

    /// Makes the batch of the `rows` that the pages now hold, and keeps them for the join.
    pub fn batch(&mut self, bytes: usize, rows: usize, of: Side) -> Result<ArrowArray, PageError> {
        self.batch_of_groups(bytes, rows, of, Groups::none(rows))
    }

    /// The same for rows of many groups.
    pub fn batch_of_groups(
        &mut self,
        bytes: usize,
        rows: usize,
        of: Side,
        groups: Groups<'_>,
    ) -> Result<ArrowArray, PageError> {
        let source = match of {
            Side::Input => &self.input,
            Side::Arguments => &self.arguments,
        };
        let source = source
            .as_slice()
            .get(..bytes)
            .ok_or(PageError::Malformed("it is shorter"))?;
        let batch = self
            .plan
            .to_arrow
            .convert_groups(&[Rows::new(Page::of(source), rows)], groups.pieces)?;
        if self.plan.joined {
            let page = self.waiting_page(groups.joined)?;
            if let Some(page) = self.waiting.push(page, groups.joined)? {
                keep(&mut self.spare, page);
            }
        }
        Ok(batch)
    }

    /// The page that holds `rows` input rows; where they are little of it, a copy, and it serves again: many
    /// small batches may wait, and to make a page for each costs more than they do.
    fn waiting_page(&mut self, rows: usize) -> Result<MutableBuffer, PageError> {
        if rows <= FEW {
            let all = Rows::new(Page::of(self.input.as_slice()), rows);
            let used = all.skip(rows)?.read();
            if used <= self.input.len() / 8 {
                let mut copy = MutableBuffer::new(used);
                copy.extend_from_slice(self.input.as_slice().get(..used).unwrap_or_default());
                return Ok(copy);
            }
        }
        Ok(std::mem::replace(&mut self.input, MutableBuffer::new(0)))
    }

    /// The rows of one output batch, joined with the input rows that come next. Where a result has a null that its
    /// declared type forbids, only those input rows.
    pub fn rows(&mut self, batch: &Returned) -> Result<OutputPage, PageError> {
        let rows = batch.data().len();
        if rows == 0 {
            return Ok(OutputPage::EMPTY);
        }
        std::mem::swap(&mut self.output, &mut self.previous);
        let inputs = self.waiting.first(rows)?;
        let (results, pickles) = if self.plan.pickles {
            Pickles::beside(batch.data())?
        } else {
            (batch.data().clone(), None)
        };
        let written = self.plan.to_rows.write(&inputs, &results, &mut self.output);
        let for_spark = PageError::left_for_spark(written)?;
        if for_spark {
            self.output.copy(&inputs)?;
        }
        self.pickles = pickles;
        if self.plan.joined {
            let spare = &mut self.spare;
            self.waiting.forget(rows, |page| keep(spare, page))?;
        }
        let page = self.output.as_slice();
        Ok(OutputPage {
            address: page.as_ptr().expose_provenance(),
            bytes: page.len(),
            rows,
            pickles: self.pickles.as_ref().map_or((0, 0), Pickles::place),
            for_spark,
        })
    }

    /// One output batch as columns, behind those of the input rows that come next; nothing if they are not
    /// joined.
    pub fn joined(&mut self, batch: &Returned) -> Result<Option<Returned>, PageError> {
        let results = batch.data().len();
        let Some(columns) = &self.plan.to_columns else {
            return Ok(None);
        };
        let inputs = self.waiting.first(results)?;
        let rows = inputs.iter().map(Rows::left).sum();
        if rows != results {
            return Err(PageError::Count { rows, results });
        }
        let joined = shown(columns.of(&inputs)?, batch)?;
        let spare = &mut self.spare;
        self.waiting.forget(results, |page| keep(spare, page))?;
        Ok(Some(joined))
    }
}

fn keep(spare: &mut Vec<MutableBuffer>, page: MutableBuffer) {
    if spare.len() < SPARE {
        spare.push(page);
    }
}
