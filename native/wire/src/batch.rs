//! A batch in a block: first the count of its layout's longs, then these, then the buffers.
//!
//! Only the rows of a batch are copied, so nothing in a block has an offset: bitmaps are shifted, offsets
//! count from 0. Addresses in the layout count from the block's first byte.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use ember_abi::ArrowArray;

use crate::arena::ALIGNMENT;
use crate::check::{check, offset_at};
use crate::lend::lend_within;
use crate::shape::{Form, Shape};
use crate::{Block, Lender, Room, WireError};

/// What will be written for one batch. Keeps its lists for the next.
#[derive(Debug, Default)]
pub struct Draft {
    layout: Vec<i64>,
    pieces: Vec<Piece>,
    /// Bytes of the buffers so far, each padded to the alignment.
    bytes: usize,
}

/// One buffer, or a part of one.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: *const u8,
    /// Where its address stands in the layout.
    entry: usize,
    to: usize,
    work: Work,
}

#[derive(Debug, Clone, Copy)]
enum Work {
    /// So many bytes as they are.
    Copy(usize),
    /// Bits from the first one on.
    Bits { first: usize, count: usize },
    /// 32-bit offsets, less the first of them.
    Narrow { base: i32, count: usize },
    /// 64-bit offsets, less the first of them.
    Wide { base: i64, count: usize },
}

// SAFETY: the pointers are followed by `write` only, whose caller vouches for the array they came
// from; a draft at rest holds none.
unsafe impl Send for Draft {}
// SAFETY: as above; a shared draft can do nothing.
unsafe impl Sync for Draft {}

/// Some rows of an array.
#[derive(Clone, Copy)]
struct Window {
    /// Counted from the start of the array's buffers.
    start: usize,
    len: usize,
}

impl Draft {
    /// Finds out what a struct array's rows are made of, and how many bytes a block needs for them.
    ///
    /// # Safety
    ///
    /// `array` must be a live array of the type that `shape` was made from.
    pub unsafe fn measure(
        &mut self,
        shape: &Shape,
        array: &ArrowArray,
    ) -> Result<usize, WireError> {
        self.layout.clear();
        self.pieces.clear();
        self.bytes = 0;
        // SAFETY: as this function's contract says.
        let array = unsafe { Live::of(array) };
        let window = array.rows();
        self.count(window.len);
        self.count(shape.children.len());
        self.children(shape, array, window)?;
        Ok(self.head() + self.bytes)
    }

    /// Copies what was measured.
    ///
    /// # Safety
    ///
    /// The array must still live.
    pub unsafe fn write(&mut self, room: &mut Room) -> Result<(), WireError> {
        let head = self.head();
        for piece in &self.pieces {
            if let Some(entry) = self.layout.get_mut(piece.entry) {
                *entry = long(head + piece.to);
            }
        }
        room.put(0, &(self.layout.len() as u64).to_le_bytes());
        for (index, long) in self.layout.iter().enumerate() {
            room.put(8 + 8 * index, &long.to_le_bytes());
        }
        for piece in self.pieces.drain(..) {
            let to = room
                .slice_mut(head + piece.to, piece.work.bytes())
                .ok_or(WireError::Layout("a block shorter than its batch"))?;
            // SAFETY: the array lives, and its buffers are as long as was measured.
            unsafe { piece.work.run(piece.from, to) };
        }
        Ok(())
    }

    /// Bytes before the first buffer.
    const fn head(&self) -> usize {
        (8 + 8 * self.layout.len()).next_multiple_of(ALIGNMENT)
    }

    fn children(&mut self, shape: &Shape, of: Live<'_>, window: Window) -> Result<(), WireError> {
        if of.children() != shape.children.len() {
            return Err(WireError::Layout("columns and schema differ in number"));
        }
        for (index, shape) in shape.children.iter().enumerate() {
            self.child(shape, of.child(index)?, window)?;
        }
        Ok(())
    }

    /// Adds rows of a child, counted from its own first one.
    fn child(&mut self, shape: &Shape, child: Live<'_>, window: Window) -> Result<(), WireError> {
        let start = child.rows().start + window.start;
        let len = window.len;
        self.column(shape, child, Window { start, len })
    }

    fn column(&mut self, shape: &Shape, of: Live<'_>, window: Window) -> Result<(), WireError> {
        let nulls = match shape.form {
            Form::Null => 0,
            _ if window.len == of.rows().len => of.0.null_count,
            _ => -1,
        };
        self.count(window.len);
        self.layout.push(nulls);
        let (buffers, children) = match shape.form {
            Form::Null => (0, 0),
            Form::Bits | Form::Fixed(_) => (2, 0),
            Form::Variable(_) => (3, 0),
            Form::ListView(_) => (3, 1),
            Form::Views => (of.buffers(), 0),
            Form::List(_) => (2, 1),
            Form::FixedList(_) => (1, 1),
            Form::Struct => (1, shape.children.len()),
        };
        self.count(buffers);
        self.count(children);
        if shape.form != Form::Null {
            self.validity(of.buffer(0)?, nulls, window);
        }
        let item = || {
            shape
                .children
                .first()
                .ok_or(WireError::Layout("a list without its child"))
        };
        match shape.form {
            Form::Null => {}
            Form::Bits => self.bits(of.buffer(1)?, window),
            Form::Fixed(width) => {
                self.copy(of.buffer(1)?, window.start * width, window.len * width);
            }
            Form::Variable(width) => {
                let bytes = self.offsets(of.buffer(1)?, width, window)?;
                self.copy(of.buffer(2)?, bytes.start, bytes.len);
            }
            Form::Views => self.views(of, window)?,
            Form::List(width) => {
                let values = self.offsets(of.buffer(1)?, width, window)?;
                self.child(item()?, of.child(0)?, values)?;
            }
            Form::ListView(width) => {
                for index in [1, 2] {
                    self.copy(of.buffer(index)?, window.start * width, window.len * width);
                }
                let (values, start) = (of.child(0)?, 0);
                let len = values.rows().len;
                self.child(item()?, values, Window { start, len })?;
            }
            Form::FixedList(size) => {
                let (start, len) = (window.start * size, window.len * size);
                self.child(item()?, of.child(0)?, Window { start, len })?;
            }
            Form::Struct => self.children(shape, of, window)?,
        }
        Ok(())
    }

    fn validity(&mut self, bits: *const u8, nulls: i64, window: Window) {
        if nulls == 0 {
            self.absent();
        } else {
            self.bits(bits, window);
        }
    }

    fn views(&mut self, of: Live<'_>, window: Window) -> Result<(), WireError> {
        let last = of.buffers().checked_sub(1).filter(|last| *last >= 2);
        let last = last.ok_or(WireError::Layout("views without buffers"))?;
        self.copy(of.buffer(1)?, window.start * 16, window.len * 16);
        let lengths = of.buffer(last)?;
        for index in 2..last {
            // SAFETY: the last buffer of views has the lengths of those between, in their order.
            let bytes = unsafe { offset(lengths.wrapping_add(8 * (index - 2)), 8) };
            self.copy(of.buffer(index)?, 0, usize::try_from(bytes).unwrap_or(0));
        }
        self.copy(lengths, 0, 8 * (last - 2));
        Ok(())
    }

    /// Adds offsets of `width` bytes, and gives the range of what they lead to.
    fn offsets(
        &mut self,
        offsets: *const u8,
        width: usize,
        window: Window,
    ) -> Result<Window, WireError> {
        if offsets.is_null() || window.len == 0 {
            self.absent();
            return Ok(Window { start: 0, len: 0 });
        }
        let from = offsets.wrapping_add(window.start * width);
        // SAFETY: an array has one offset more than rows.
        let first = unsafe { offset(from, width) };
        // SAFETY: as above; the last of them.
        let last = unsafe { offset(from.wrapping_add(window.len * width), width) };
        let (Ok(start), Ok(end)) = (usize::try_from(first), usize::try_from(last)) else {
            return Err(WireError::Layout("a negative offset"));
        };
        let len = end
            .checked_sub(start)
            .ok_or(WireError::Layout("offsets that decrease"))?;
        let count = window.len + 1;
        let work = match i32::try_from(first) {
            _ if start == 0 => Work::Copy(count * width),
            Ok(base) if width == 4 => Work::Narrow { base, count },
            _ => Work::Wide { base: first, count },
        };
        self.piece(from, work);
        Ok(Window { start, len })
    }

    fn bits(&mut self, from: *const u8, window: Window) {
        if from.is_null() || window.len == 0 {
            return self.absent();
        }
        let first = window.start % 8;
        let count = window.len;
        self.piece(
            from.wrapping_add(window.start / 8),
            Work::Bits { first, count },
        );
    }

    fn copy(&mut self, from: *const u8, start: usize, bytes: usize) {
        if from.is_null() || bytes == 0 {
            return self.absent();
        }
        self.piece(from.wrapping_add(start), Work::Copy(bytes));
    }

    fn absent(&mut self) {
        self.layout.extend([0, 0]);
    }

    fn piece(&mut self, from: *const u8, work: Work) {
        self.pieces.push(Piece {
            from,
            entry: self.layout.len(),
            to: self.bytes,
            work,
        });
        self.bytes += work.bytes().next_multiple_of(ALIGNMENT);
        self.layout.push(0);
        self.count(work.bytes());
    }

    fn count(&mut self, count: usize) {
        self.layout.push(long(count));
    }
}

/// An array that lives, of the type that it is read as.
#[derive(Clone, Copy)]
struct Live<'array>(&'array ArrowArray);

impl<'array> Live<'array> {
    /// # Safety
    ///
    /// The array must be live, and of the type that it will be read as.
    const unsafe fn of(array: &'array ArrowArray) -> Self {
        Self(array)
    }

    /// Its own rows, counted from the start of its buffers.
    fn rows(self) -> Window {
        Window {
            start: usize::try_from(self.0.offset).unwrap_or(0),
            len: usize::try_from(self.0.length).unwrap_or(0),
        }
    }

    fn buffers(self) -> usize {
        usize::try_from(self.0.n_buffers).unwrap_or(0)
    }

    fn children(self) -> usize {
        usize::try_from(self.0.n_children).unwrap_or(0)
    }

    fn buffer(self, index: usize) -> Result<*const u8, WireError> {
        if index >= self.buffers() {
            return Err(WireError::Layout("a buffer is missing"));
        }
        // SAFETY: a live array has `n_buffers` pointers there.
        let buffer: *mut *const c_void = unsafe { self.0.buffers.add(index) };
        // SAFETY: as above.
        Ok(unsafe { buffer.read() }.cast())
    }

    fn child(self, index: usize) -> Result<Self, WireError> {
        let missing = WireError::Layout("a child is missing");
        if index >= self.children() {
            return Err(missing);
        }
        // SAFETY: a live array has `n_children` pointers there.
        let child = unsafe { self.0.children.add(index) };
        // SAFETY: as above.
        let child = unsafe { child.read() };
        // SAFETY: children of a live array live as long as it does.
        unsafe { child.as_ref() }.map(Live).ok_or(missing)
    }
}

impl Work {
    const fn bytes(self) -> usize {
        match self {
            Self::Copy(bytes) => bytes,
            Self::Bits { count, .. } => count.div_ceil(8),
            Self::Narrow { count, .. } => count * 4,
            Self::Wide { count, .. } => count * 8,
        }
    }

    /// # Safety
    ///
    /// `from` must be readable for what this work reads; `to` has the bytes that it writes.
    unsafe fn run(self, from: *const u8, to: &mut [u8]) {
        match self {
            // SAFETY: readable for as many bytes as `to` has; the arena is nobody's buffer.
            Self::Copy(bytes) => unsafe { ptr::copy_nonoverlapping(from, to.as_mut_ptr(), bytes) },
            Self::Bits { first, count } => {
                let read = (first + count).div_ceil(8);
                // SAFETY: a bitmap has whole bytes.
                let bits = unsafe { std::slice::from_raw_parts(from, read) };
                shift(bits, first, to);
            }
            Self::Narrow { base, .. } => {
                for (index, place) in to.chunks_exact_mut(4).enumerate() {
                    let from = from.wrapping_add(4 * index);
                    // SAFETY: one offset for each place.
                    let offset = unsafe { from.cast::<i32>().read_unaligned() };
                    place.copy_from_slice(&offset.wrapping_sub(base).to_le_bytes());
                }
            }
            Self::Wide { base, .. } => {
                for (index, place) in to.chunks_exact_mut(8).enumerate() {
                    let from = from.wrapping_add(8 * index);
                    // SAFETY: one offset for each place.
                    let offset = unsafe { from.cast::<i64>().read_unaligned() };
                    place.copy_from_slice(&offset.wrapping_sub(base).to_le_bytes());
                }
            }
        }
    }
}

/// Copies bits from bit `first` of `from` on to the first of `to`.
fn shift(from: &[u8], first: usize, to: &mut [u8]) {
    if first == 0 {
        let bytes = to.len().min(from.len());
        if let (Some(to), Some(from)) = (to.get_mut(..bytes), from.get(..bytes)) {
            to.copy_from_slice(from);
        }
        return;
    }
    for (index, place) in to.iter_mut().enumerate() {
        let low = from.get(index).map_or(0, |byte| byte >> first);
        let high = from.get(index + 1).map_or(0, |byte| byte << (8 - first));
        *place = low | high;
    }
}

/// The array over the memory of `block`, which is given back when the array's last reference goes. With a
/// `shape`, nothing that the layout says of it is believed before it was checked.
pub fn read(block: Block, shape: Option<&Shape>) -> Result<ArrowArray, WireError> {
    let bytes = block.bytes();
    let layout = layout_of(bytes).ok_or(WireError::Layout("a block shorter than its layout"))?;
    if let Some(shape) = shape {
        check(&layout, bytes, shape)?;
    }
    let (base, room) = (bytes.as_ptr(), bytes.len());
    // SAFETY: the block's memory stays as it is until the block is dropped, with its holder.
    unsafe { lend_within(&layout, base, room, Arc::new(Held(block))) }
}

/// The longs of the layout, copied: what was checked must not change.
fn layout_of(block: &[u8]) -> Option<Vec<i64>> {
    let longs = usize::try_from(offset_at(block, 0, 8)?).ok()?;
    let bytes = block.get(8..)?.get(..longs.checked_mul(8)?)?;
    let longs = bytes
        .chunks_exact(8)
        .map(|long| i64::from_le_bytes(long.try_into().unwrap_or_default()));
    Some(longs.collect())
}

/// Keeps a block until the array over it is released.
struct Held(Block);

impl Lender for Held {
    fn returned(&self, _token: i64) {
        // The block goes back when its holder is dropped, right after this.
        debug_assert!(!self.0.bytes().is_empty(), "a block has bytes");
    }
}

fn long(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// # Safety
///
/// `at` must be readable for `width` bytes, 4 or 8.
unsafe fn offset(at: *const u8, width: usize) -> i64 {
    if width == 4 {
        // SAFETY: four bytes, by this function's contract.
        i64::from(unsafe { at.cast::<i32>().read_unaligned() })
    } else {
        // SAFETY: eight bytes, by this function's contract.
        unsafe { at.cast::<i64>().read_unaligned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arena, Kind, View, shared_file};
    use arrow_array::builder::{
        FixedSizeListBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder,
    };
    use arrow_array::ffi::{from_ffi, to_ffi};
    use arrow_array::{
        Array, ArrayRef, BooleanArray, Decimal128Array, Int64Array, LargeStringArray, NullArray,
        RecordBatch, StringArray, StringViewArray, StructArray,
    };
    use arrow_data::ffi::FFI_ArrowArray;
    use arrow_schema::ffi::FFI_ArrowSchema;

    /// The batch as it comes out on the other side.
    fn crossed(batch: &RecordBatch) -> RecordBatch {
        let file = shared_file(c"batch").unwrap();
        let (mut arena, view) = (Arena::new(file.try_clone().unwrap()), View::new(file));
        let (array, schema) = to_ffi(&StructArray::from(batch.clone()).into_data()).unwrap();
        let (given, format): (*const FFI_ArrowArray, *const FFI_ArrowSchema) =
            (&raw const array, &raw const schema);
        // SAFETY: the same struct under another name, and it lives.
        let given: &ArrowArray = unsafe { &*given.cast() };
        // SAFETY: as above.
        let format: &ember_abi::ArrowSchema = unsafe { &*format.cast() };
        // SAFETY: complete: it was just exported.
        let shape = unsafe { Shape::of(format) }.unwrap();
        let mut draft = Draft::default();
        // SAFETY: exported with that schema.
        let bytes = unsafe { draft.measure(&shape, given) }.unwrap();
        let mut room = arena.room(bytes).unwrap();
        // SAFETY: the array lives.
        unsafe { draft.write(&mut room) }.unwrap();
        let block = view.block(&room.message(Kind::BATCH)).unwrap();
        let mut taken = read(block, Some(&shape)).unwrap();
        let taken: *mut ArrowArray = &raw mut taken;
        // SAFETY: moved out once: the struct is never released here.
        let taken = unsafe { FFI_ArrowArray::from_raw(taken.cast()) };
        // SAFETY: read with that schema.
        let data = unsafe { from_ffi(taken, &schema) }.unwrap();
        data.validate_full().unwrap();
        RecordBatch::from(StructArray::from(data))
    }

    const ROWS: i32 = 40;

    fn some(row: i32) -> Option<i32> {
        (row % 3 != 0).then_some(row)
    }

    fn text(row: i32) -> Option<String> {
        some(row).map(|row| "é".repeat(row.unsigned_abs() as usize))
    }

    fn every_form() -> RecordBatch {
        let mut columns = plain_columns();
        columns.extend(nested_columns());
        let inner = RecordBatch::try_from_iter(columns.clone()).unwrap();
        columns.push(("struct", Arc::new(StructArray::from(inner))));
        let nullable = columns
            .into_iter()
            .map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(nullable).unwrap()
    }

    fn plain_columns() -> Vec<(&'static str, ArrayRef)> {
        let rows = || 0..ROWS;
        let longs: Int64Array = rows().map(|row| some(row).map(i64::from)).collect();
        let decimals: Decimal128Array = rows().map(|row| some(row).map(i128::from)).collect();
        let even: BooleanArray = rows()
            .map(|row| some(row).map(|row| row % 2 == 0))
            .collect();
        vec![
            ("long", Arc::new(longs)),
            ("text", Arc::new(rows().map(text).collect::<StringArray>())),
            (
                "large",
                Arc::new(rows().map(text).collect::<LargeStringArray>()),
            ),
            (
                "view",
                Arc::new(rows().map(text).collect::<StringViewArray>()),
            ),
            ("bool", Arc::new(even)),
            ("decimal", Arc::new(decimals)),
            ("null", Arc::new(NullArray::new(40))),
        ]
    }

    fn nested_columns() -> Vec<(&'static str, ArrayRef)> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        let mut pairs = FixedSizeListBuilder::new(Int32Builder::new(), 2);
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for row in 0..ROWS {
            lists.append_option(some(row).map(|row| vec![text(row), None, text(row + 1)]));
            pairs.values().append_option(some(row));
            pairs.values().append_value(row);
            pairs.append(row % 5 != 0);
            maps.keys().append_value(format!("k{row}"));
            maps.values().append_option(some(row));
            maps.append(row % 4 != 0).unwrap();
        }
        vec![
            ("list", Arc::new(lists.finish())),
            ("pair", Arc::new(pairs.finish())),
            ("map", Arc::new(maps.finish())),
        ]
    }

    #[test]
    fn a_batch_of_every_form_crosses_and_so_does_each_slice_of_it() {
        let batch = every_form();
        for (start, rows) in [(0, 40), (0, 0), (1, 39), (8, 16), (13, 9), (39, 1)] {
            let slice = batch.slice(start, rows);
            assert_eq!(crossed(&slice), slice, "{rows} from {start}");
        }
    }

    #[test]
    fn only_the_rows_of_a_slice_are_copied() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1000); 1000]));
        let batch = RecordBatch::try_from_iter([("s", column)])
            .unwrap()
            .slice(500, 1);
        assert!(crossed(&batch).get_array_memory_size() < 10_000);
    }
}
