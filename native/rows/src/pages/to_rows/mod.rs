//! Arrow to rows: what Spark's own `UnsafeProjection` writes for each input row joined with its
//! result, byte for byte.

mod column;
mod input;
mod put;
mod reader;
mod slate;
mod tail;

use arrow_buffer::MutableBuffer;
use arrow_data::ArrayData;

use self::column::Target;
use self::input::Input;
use self::reader::Reader;
use self::slate::Slate;
use super::block::{BLOCK, Block};
use super::page::{bits_width, fixed_width};
use super::{PageError, Rows, SparkField};

/// Writes rows of one schema: the fields of an input row, then those of its result.
#[derive(Debug)]
pub struct ToRows {
    input: Input,
    results: Vec<SparkField>,
    wrapped: bool,
}

/// Spark refuses to grow a row past this.
const LARGEST: usize = i32::MAX as usize - 15;

impl ToRows {
    /// Rows of `input` joined with `results`.
    pub fn joined(input: &[SparkField], results: Vec<SparkField>) -> Self {
        Self {
            input: Input::new(input),
            results,
            wrapped: false,
        }
    }

    /// Rows of the results alone, as the map kinds give them: the fields of the batch's one struct
    /// column when `wrapped`, else its columns.
    pub fn alone(results: Vec<SparkField>, wrapped: bool) -> Self {
        Self {
            input: Input::new(&[]),
            results,
            wrapped,
        }
    }

    /// Replaces the contents of `page` by one row for each row of `batch`, a checked struct array.
    /// Rows that are joined come from `inputs`, which must hold exactly as many.
    pub fn write(
        &self,
        inputs: &[Rows<'_>],
        batch: &ArrayData,
        page: &mut MutableBuffer,
    ) -> Result<usize, PageError> {
        let count = batch.len();
        let readers = self.readers(batch)?;
        let given: usize = inputs.iter().map(Rows::left).sum();
        if self.input.fields() > 0 && given != count {
            return Err(PageError::Count {
                rows: given,
                results: count,
            });
        }
        page.clear();
        let mut work = Work::new(self.input.fields(), self.results.len());
        let mut done = 0;
        if self.input.fields() == 0 {
            while done < count {
                let sources = [&[][..]; BLOCK];
                let sources = sources.get(..BLOCK.min(count - done)).unwrap_or_default();
                work.block(&self.input, sources, &readers, done, page)?;
                done += sources.len();
            }
            return Ok(done);
        }
        let mut room = vec![&[][..]; BLOCK];
        let mut rewritten = Vec::new();
        for rows in inputs {
            let mut rows = *rows;
            while rows.left() > 0 {
                let block = Block::read(&mut rows, self.input.fields(), &mut room)?;
                let places = self.input.rewrite(block.rows(), &mut rewritten)?;
                let sources = input::sources(block.rows(), &places, &rewritten);
                work.block(&self.input, &sources, &readers, done, page)?;
                done += sources.len();
            }
        }
        Ok(done)
    }

    fn readers<'batch>(&self, batch: &'batch ArrayData) -> Result<Vec<Reader<'batch>>, PageError> {
        let (mut columns, mut from) = (batch, batch.offset());
        if self.wrapped {
            columns = reader::child(batch, 0)?;
            from += columns.offset();
        }
        if columns.child_data().len() != self.results.len() {
            return Err(PageError::Batch("results and schema differ in number"));
        }
        let columns = columns.child_data().iter();
        columns
            .zip(&self.results)
            .map(|(column, field)| Reader::new(field, column, from, batch.len()))
            .collect()
    }
}

/// Where the rows of the block at hand lie in the page.
struct Work {
    width: usize,
    fields: usize,
    joined: usize,
    /// Sizes, then starts.
    starts: Vec<usize>,
    /// Where each row's variable part goes on.
    cursors: Vec<usize>,
}

impl Work {
    fn new(joined: usize, results: usize) -> Self {
        let fields = joined + results;
        Self {
            width: fixed_width(fields),
            fields,
            joined,
            starts: Vec::with_capacity(BLOCK),
            cursors: Vec::with_capacity(BLOCK),
        }
    }

    fn block(
        &mut self,
        input: &Input,
        sources: &[&[u8]],
        readers: &[Reader<'_>],
        done: usize,
        page: &mut MutableBuffer,
    ) -> Result<(), PageError> {
        self.lay_out(input, sources, readers, done, page)?;
        let mut slate = Slate::new(page.as_slice_mut());
        if self.joined > 0 {
            let places = (&self.starts[..], &mut self.cursors[..]);
            input.copy(sources, self.fields, places, &mut slate);
        }
        for (index, reader) in readers.iter().enumerate() {
            let ordinal = self.joined + index;
            let mut target = Target {
                starts: &self.starts,
                cursors: &mut self.cursors,
                ordinal,
                slot: bits_width(self.fields) + 8 * ordinal,
            };
            reader.put_column(done, &mut target, &mut slate)?;
        }
        slate.check()
    }

    /// Makes zeroed room for the block's rows and writes their lengths.
    fn lay_out(
        &mut self,
        input: &Input,
        sources: &[&[u8]],
        readers: &[Reader<'_>],
        done: usize,
        page: &mut MutableBuffer,
    ) -> Result<(), PageError> {
        self.starts.clear();
        let sizes = sources.iter().map(|row| self.width + input.tail(row));
        self.starts.extend(sizes);
        for reader in readers {
            reader.add_tails(done, &mut self.starts)?;
        }
        let first = page.len();
        let bytes: usize = self.starts.iter().map(|size| 8 + size).sum();
        page.resize(first + bytes, 0);
        let mut slate = Slate::new(page.as_slice_mut());
        let mut at = first;
        for start in &mut self.starts {
            let size = *start;
            if size > LARGEST {
                return Err(PageError::RowSize(size));
            }
            slate.word(at, size as u64);
            *start = at + 8;
            at += 8 + size;
        }
        self.cursors.clear();
        let tails = self.starts.iter().map(|start| start + self.width);
        self.cursors.extend(tails);
        slate.check()
    }
}
