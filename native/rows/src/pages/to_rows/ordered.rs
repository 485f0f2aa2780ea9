//! Rows whose fields stand in any order: of the input row, of its result, more than once or not at
//! all. They are written field by field, because what lies behind the slots lies in their order.

use arrow_buffer::MutableBuffer;

use super::column::Target;
use super::input::{Behind, Form, Input, is_null, round};
use super::put::minimal;
use super::reader::Reader;
use super::slate::Slate;
use super::{PageError, Work};
use crate::pages::SparkField;
use crate::pages::page::{bits_width, region, size};

/// The fields of a row, in order.
#[derive(Debug)]
pub(super) struct Ordered {
    /// All fields of the input row.
    pub(super) input: Input,
    fields: Vec<Source>,
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Input(usize),
    Result(usize),
}

impl Ordered {
    /// Fields by their places in a row of the input and its results; nothing if one is not there.
    pub(super) fn new(input: &[SparkField], results: usize, places: &[usize]) -> Option<Self> {
        let source = |place: &usize| match place.checked_sub(input.len()) {
            None => Some(Source::Input(*place)),
            Some(result) => (result < results).then_some(Source::Result(result)),
        };
        Some(Self {
            input: Input::new(input),
            fields: places.iter().map(source).collect::<Option<_>>()?,
        })
    }

    /// How many they are.
    pub(super) const fn fields(&self) -> usize {
        self.fields.len()
    }

    /// Whether some are the input's.
    pub(super) fn joins(&self) -> bool {
        let of_input = |field: &Source| matches!(field, Source::Input(_));
        self.fields.iter().any(of_input)
    }
}

impl Work {
    /// Appends a row for each of `sources`, with the results from `done` on.
    pub(super) fn ordered(
        &mut self,
        by: &Ordered,
        sources: &[&[u8]],
        readers: &[Reader<'_>],
        done: usize,
        page: &mut MutableBuffer,
    ) -> Result<(), PageError> {
        self.sizes.clear();
        self.sizes.resize(sources.len(), self.width);
        for field in &by.fields {
            match *field {
                Source::Input(at) => by.input.add_tails(at, sources, &mut self.sizes),
                Source::Result(at) => result(readers, at)?.add_tails(done, &mut self.sizes)?,
            }
        }
        self.make_room(page)?;
        let mut slate = Slate::new(page.as_slice_mut());
        for (ordinal, field) in by.fields.iter().enumerate() {
            let mut target = Target {
                starts: &self.starts,
                cursors: &mut self.cursors,
                ordinal,
                slot: bits_width(self.fields) + 8 * ordinal,
            };
            match *field {
                Source::Input(at) => {
                    by.input.put_field(at, sources, &mut target, &mut slate)?;
                }
                Source::Result(at) => {
                    result(readers, at)?.put_column(done, &mut target, &mut slate)?;
                }
            }
        }
        slate.check()
    }
}

fn result<'all, 'batch>(
    readers: &'all [Reader<'batch>],
    at: usize,
) -> Result<&'all Reader<'batch>, PageError> {
    readers
        .get(at)
        .ok_or(PageError::Batch("a result that is not there"))
}

impl Input {
    /// Adds what one field needs behind the slots to the sizes of the rows.
    fn add_tails(&self, ordinal: usize, rows: &[&[u8]], sizes: &mut [usize]) {
        let Form::Behind(behind) = self.form(ordinal) else {
            return;
        };
        for (row, total) in rows.iter().zip(sizes) {
            *total += match behind {
                Behind::Decimal | Behind::Pair => 16,
                Behind::Padded | Behind::Whole if is_null(row, ordinal) => 0,
                Behind::Padded | Behind::Whole => round(size(self.slot(row, ordinal))),
            };
        }
    }

    /// Puts one field of all rows where `target` says, as Spark's writers would write it.
    fn put_field(
        &self,
        ordinal: usize,
        rows: &[&[u8]],
        target: &mut Target<'_>,
        slate: &mut Slate<'_>,
    ) -> Result<(), PageError> {
        let behind = match self.form(ordinal) {
            Form::Slot(mask) => {
                self.put_slots((ordinal, mask), rows, target, slate);
                return Ok(());
            }
            Form::Behind(behind) => behind,
        };
        let places = target.starts.iter().zip(&mut *target.cursors);
        for (row, (start, cursor)) in rows.iter().zip(places) {
            let (slot, null) = (self.slot(row, ordinal), is_null(row, ordinal));
            slate.set_null_if(null, *start, target.ordinal);
            let (bytes, room) = match behind {
                Behind::Padded | Behind::Whole if null => continue,
                Behind::Padded | Behind::Whole => {
                    let value = region(row, slot)?;
                    slate.few(*cursor, value);
                    (value.len(), round(value.len()))
                }
                Behind::Decimal => (put_decimal(row, slot, null, *cursor, slate)?, 16),
                Behind::Pair => {
                    if !null {
                        let pair = region(row, slot)?.get(..16);
                        let pair = pair.ok_or(PageError::Malformed("half a value"))?;
                        slate.bytes(*cursor, pair);
                    }
                    (16, 16)
                }
            };
            let points_to = ((*cursor - start) as u64) << 32 | bytes as u64;
            slate.word(start + target.slot, points_to);
            *cursor += room;
        }
        Ok(())
    }

    fn put_slots(
        &self,
        (ordinal, mask): (usize, u64),
        rows: &[&[u8]],
        target: &Target<'_>,
        slate: &mut Slate<'_>,
    ) {
        for (row, start) in rows.iter().zip(target.starts) {
            let null = is_null(row, ordinal);
            slate.set_null_if(null, *start, target.ordinal);
            let value = if null {
                0
            } else {
                self.slot(row, ordinal) & mask
            };
            slate.word(start + target.slot, value);
        }
    }
}

/// Puts a decimal's bytes, no more than its number needs; gives how many they are.
fn put_decimal(
    row: &[u8],
    slot: u64,
    null: bool,
    at: usize,
    slate: &mut Slate<'_>,
) -> Result<usize, PageError> {
    if null {
        return Ok(0);
    }
    let value = crate::pages::to_arrow::big_endian(region(row, slot)?);
    let value = value.ok_or(PageError::Malformed("a decimal too long"))?;
    let (bytes, first) = minimal(value);
    let used = bytes.get(first..).unwrap_or_default();
    slate.bytes(at, used);
    Ok(used.len())
}
