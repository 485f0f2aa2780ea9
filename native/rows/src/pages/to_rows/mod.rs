//! Arrow to rows: what Spark's own `UnsafeProjection` writes for each input row joined with its
//! result, byte for byte.

mod column;
mod even;
mod input;
mod ordered;
mod put;
mod reader;
mod slate;
mod tail;
mod text;

use std::ops::Range;

use arrow_buffer::MutableBuffer;
use arrow_data::ArrayData;

use self::column::Target;
use self::even::Even;
use self::input::Input;
use self::ordered::Ordered;
use self::reader::Reader;
use self::slate::Slate;
use super::block::{BLOCK, Block};
use super::page::{bits_width, fixed_width};
use super::{PageError, Rows, SparkField};

/// Writes rows of one schema: fields of an input row, and those of its result.
#[derive(Debug)]
pub struct ToRows {
    /// The fields of the input, which stand in front.
    input: Input,
    /// Which fields are written, where they are not all in that order.
    ordered: Option<Ordered>,
    results: Vec<SparkField>,
    wrapped: bool,
}

/// Rows that Rust wrote, for the JVM to read in place; one page serves batch after batch.
#[derive(Debug, Default)]
pub struct RowPage(MutableBuffer);

impl RowPage {
    /// The rows back to back, each behind its length. They move when the page is written again.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Replaces the contents by these rows as they are.
    pub fn copy(&mut self, rows: &[Rows<'_>]) -> Result<(), PageError> {
        self.0.clear();
        for part in rows {
            let end = part.skip(part.left())?.read() - part.read();
            let part = part.bytes().get(..end);
            self.0.extend_from_slice(part.unwrap_or_default());
        }
        Ok(())
    }

    /// Bytes allocated.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

/// Spark refuses to grow a row past this.
const LARGEST: usize = i32::MAX as usize - 15;

impl ToRows {
    /// Rows of `input` joined with `results`.
    pub fn joined(input: &[SparkField], results: Vec<SparkField>) -> Self {
        Self {
            input: Input::new(input),
            ordered: None,
            results,
            wrapped: false,
        }
    }

    /// Rows of some fields, by their places in a joined row, in this order; nothing if one is not there.
    pub fn chosen(
        input: &[SparkField],
        places: &[usize],
        results: Vec<SparkField>,
    ) -> Option<Self> {
        let (first, all) = (input.len(), input.len() + results.len());
        let are = |range: Range<usize>| places.iter().copied().eq(range);
        if are(0..all) {
            return Some(Self::joined(input, results));
        }
        if are(first..all) {
            return Some(Self::alone(results, false));
        }
        let ordered = Ordered::new(input, results.len(), places)?;
        Some(Self {
            ordered: Some(ordered),
            ..Self::alone(results, false)
        })
    }

    /// Rows of the results alone, as the map kinds give them: the fields of the batch's one struct
    /// column when `wrapped`, else its columns.
    pub fn alone(results: Vec<SparkField>, wrapped: bool) -> Self {
        Self {
            input: Input::new(&[]),
            ordered: None,
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
        page: &mut RowPage,
    ) -> Result<usize, PageError> {
        let count = batch.len();
        let readers = self.readers(batch)?;
        let given: usize = inputs.iter().map(Rows::left).sum();
        if self.joins() && given != count {
            return Err(PageError::Count {
                rows: given,
                results: count,
            });
        }
        page.0.clear();
        let mut blocks = Blocks {
            even: Even::of(&self.input, &readers).filter(|_| self.ordered.is_none()),
            work: match &self.ordered {
                Some(ordered) => Work::new(0, ordered.fields()),
                None => Work::new(self.input.fields(), self.results.len()),
            },
            readers,
            done: 0,
            page: &mut page.0,
        };
        if self.joins() {
            for rows in inputs {
                self.join(*rows, &mut blocks)?;
            }
        } else {
            while blocks.done < count {
                let sources = [&[][..]; BLOCK];
                let sources = sources.get(..BLOCK.min(count - blocks.done));
                self.block(sources.unwrap_or_default(), &mut blocks)?;
            }
        }
        Ok(blocks.done)
    }

    fn joins(&self) -> bool {
        let ordered = self.ordered.as_ref().is_some_and(Ordered::joins);
        ordered || self.input.fields() > 0
    }

    fn join(&self, mut rows: Rows<'_>, blocks: &mut Blocks<'_, '_>) -> Result<(), PageError> {
        let mut room = vec![&[][..]; rows.left().min(BLOCK)];
        let mut rewritten = Vec::new();
        while rows.left() > 0 {
            if let Some(ordered) = &self.ordered {
                let block = Block::read(&mut rows, ordered.input.fields(), &mut room)?;
                self.block(block.rows(), blocks)?;
            } else {
                let block = Block::read(&mut rows, self.input.fields(), &mut room)?;
                let places = self.input.rewrite(&block, &mut rewritten)?;
                let sources = input::sources(block.rows(), &places, &rewritten);
                self.block(&sources, blocks)?;
            }
        }
        Ok(())
    }

    fn block(&self, sources: &[&[u8]], blocks: &mut Blocks<'_, '_>) -> Result<(), PageError> {
        let (readers, done, page) = (&blocks.readers, blocks.done, &mut *blocks.page);
        match (&blocks.even, &self.ordered) {
            (Some(even), _) => even.put(sources.len(), sources, readers, done, page)?,
            (None, Some(by)) => blocks.work.ordered(by, sources, readers, done, page)?,
            (None, None) => blocks
                .work
                .block(&self.input, sources, readers, done, page)?,
        }
        blocks.done += sources.len();
        Ok(())
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

/// What is written, block by block.
struct Blocks<'page, 'batch> {
    even: Option<Even>,
    work: Work,
    readers: Vec<Reader<'batch>>,
    /// Rows that are written.
    done: usize,
    page: &'page mut MutableBuffer,
}

/// Where the rows of the block at hand lie in the page.
struct Work {
    width: usize,
    fields: usize,
    joined: usize,
    sizes: Vec<usize>,
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
            sizes: Vec::with_capacity(BLOCK),
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
        self.sizes.clear();
        let sizes = sources.iter().map(|row| self.width + input.tail(row));
        self.sizes.extend(sizes);
        for reader in readers {
            reader.add_tails(done, &mut self.sizes)?;
        }
        self.make_room(page)?;
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
    fn make_room(&mut self, page: &mut MutableBuffer) -> Result<(), PageError> {
        let mut end = page.len();
        self.starts.clear();
        for size in &self.sizes {
            if *size > LARGEST {
                return Err(PageError::RowSize(*size));
            }
            self.starts.push(end + 8);
            end += 8 + size;
        }
        page.resize(end, 0);
        let mut slate = Slate::new(page.as_slice_mut());
        self.cursors.clear();
        for (start, size) in self.starts.iter().zip(&self.sizes) {
            slate.word(start - 8, *size as u64);
            self.cursors.push(start + self.width);
        }
        slate.check()
    }
}
