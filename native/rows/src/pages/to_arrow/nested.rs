//! Arrays, maps, structs and variants.

use std::slice;

use arrow_buffer::MutableBuffer;

use super::super::PageError;
use super::super::bits::Validity;
use super::super::block::Block;
use super::super::cells::{ArrayCells, Cell, Cells};
use super::super::page::{region, word};
use super::column::{Column, View};
use super::fixed::grow;
use super::variable::{offset, repeat_last};

/// Arrays, or maps: then the one child is the struct of entries.
#[derive(Debug)]
pub(super) struct List {
    validity: Validity,
    offsets: MutableBuffer,
    elements: usize,
    element: Box<Column>,
    /// Widths of the packed elements; of keys and values in a map.
    widths: [usize; 2],
}

impl List {
    pub(super) fn new(element: Column, widths: [usize; 2]) -> Self {
        Self {
            validity: Validity::default(),
            offsets: MutableBuffer::from_len_zeroed(4),
            elements: 0,
            element: Box::new(element),
            widths,
        }
    }

    pub(super) fn append_arrays<'call, C: Cells<'call>>(
        &mut self,
        cells: &C,
    ) -> Result<(), PageError> {
        let [width, _] = self.widths;
        self.append(cells, |element, bytes| {
            let array = ArrayCells::open(bytes, width)?;
            element.append(&array)?;
            Ok(array.count())
        })
    }

    pub(super) fn append_maps<'call, C: Cells<'call>>(
        &mut self,
        cells: &C,
    ) -> Result<(), PageError> {
        let widths = self.widths;
        self.append(cells, |entries, bytes| match entries {
            Column::Struct(entries) => entries.append_map(bytes, widths),
            _ => Err(PageError::Malformed("a map without entries")),
        })
    }

    fn append<'call, C: Cells<'call>>(
        &mut self,
        cells: &C,
        mut one: impl FnMut(&mut Column, &'call [u8]) -> Result<usize, PageError>,
    ) -> Result<(), PageError> {
        let count = cells.count();
        let any_null = cells.any_null();
        let room = grow::<4>(&mut self.offsets, count).iter_mut();
        for (place, cell) in room.zip(cells.cells()) {
            if !(any_null && cell.is_null()) {
                let bytes = region(cell.container(), u64::from_le_bytes(cell.value()))?;
                self.elements += one(&mut self.element, bytes)?;
            }
            *place = offset(self.elements)?;
        }
        if any_null {
            let valid = cells.cells().map(|cell| !cell.is_null());
            self.validity.extend(count, valid);
        } else {
            self.validity.valid(count);
        }
        Ok(())
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        repeat_last::<4>(&mut self.offsets, count);
        self.validity.null(count);
    }

    pub(super) fn clear(&mut self) {
        self.validity.clear();
        self.offsets.truncate(4);
        self.elements = 0;
        self.element.clear();
    }

    pub(super) fn capacity(&self) -> usize {
        self.validity.capacity() + self.offsets.capacity() + self.element.capacity()
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            len: self.validity.len(),
            nulls: self.validity.nulls(),
            buffers: [
                self.validity.start(),
                self.offsets.as_ptr(),
                std::ptr::null(),
            ],
            used: 2,
            children: slice::from_ref(&self.element),
        }
    }
}

/// Structs, the entries of maps, or the two parts of variants.
#[derive(Debug)]
pub(super) struct Group {
    validity: Validity,
    fields: Vec<Column>,
}

/// Structs that are read together.
const RUN: usize = 64;

impl Group {
    pub(super) fn new(fields: Vec<Column>) -> Self {
        Self {
            validity: Validity::default(),
            fields,
        }
    }

    pub(super) fn append_structs<'call, C: Cells<'call>>(
        &mut self,
        cells: &C,
    ) -> Result<(), PageError> {
        let mut run = [&[][..]; RUN];
        let mut filled = 0;
        for cell in cells.cells() {
            if cell.is_null() {
                self.append_run(run.get(..filled).unwrap_or_default())?;
                filled = 0;
                self.append_nulls(1);
                continue;
            }
            if filled == RUN {
                self.append_run(&run)?;
                filled = 0;
            }
            if let Some(place) = run.get_mut(filled) {
                *place = region(cell.container(), u64::from_le_bytes(cell.value()))?;
            }
            filled += 1;
        }
        self.append_run(run.get(..filled).unwrap_or_default())
    }

    fn append_run(&mut self, run: &[&[u8]]) -> Result<(), PageError> {
        if run.is_empty() {
            return Ok(());
        }
        let block = Block::nested(run, self.fields.len())?;
        for (ordinal, field) in self.fields.iter_mut().enumerate() {
            field.append(&block.column(ordinal)?)?;
        }
        self.validity.valid(run.len());
        Ok(())
    }

    /// Appends the entries of one map: the size of the keys' array, the keys, the values.
    fn append_map(&mut self, bytes: &[u8], widths: [usize; 2]) -> Result<usize, PageError> {
        const WRONG: PageError = PageError::Malformed("a map is shorter than its keys");
        let keys = word(bytes, 0).ok_or(WRONG)?;
        let keys = usize::try_from(keys).map_err(|_| WRONG)?;
        let arrays = bytes.get(8..).ok_or(WRONG)?;
        let (keys, values) = arrays.split_at_checked(keys).ok_or(WRONG)?;
        let [key_width, value_width] = widths;
        let keys = ArrayCells::open(keys, key_width)?;
        let values = ArrayCells::open(values, value_width)?;
        if keys.count() != values.count() {
            return Err(PageError::Malformed("a map with more keys or more values"));
        }
        let [key, value] = self.fields.as_mut_slice() else {
            return Err(WRONG);
        };
        key.append(&keys)?;
        value.append(&values)?;
        self.validity.valid(keys.count());
        Ok(keys.count())
    }

    pub(super) fn append_variants<'call, C: Cells<'call>>(
        &mut self,
        cells: &C,
    ) -> Result<(), PageError> {
        for cell in cells.cells() {
            if cell.is_null() {
                self.append_nulls(1);
                continue;
            }
            let bytes = region(cell.container(), u64::from_le_bytes(cell.value()))?;
            let parts = variant_parts(bytes)?;
            for (column, part) in self.fields.iter_mut().zip(parts) {
                match column {
                    Column::Text(text) => text.append_one(part)?,
                    Column::LargeText(text) => text.append_one(part)?,
                    _ => return Err(PageError::Malformed("a variant of other parts")),
                }
            }
            self.validity.valid(1);
        }
        Ok(())
    }

    pub(super) fn append_nulls(&mut self, count: usize) {
        for field in &mut self.fields {
            field.append_nulls(count);
        }
        self.validity.null(count);
    }

    pub(super) fn clear(&mut self) {
        self.validity.clear();
        self.fields.iter_mut().for_each(Column::clear);
    }

    pub(super) fn capacity(&self) -> usize {
        let fields = self.fields.iter().map(Column::capacity);
        self.validity.capacity() + fields.sum::<usize>()
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            len: self.validity.len(),
            nulls: self.validity.nulls(),
            buffers: [self.validity.start(), std::ptr::null(), std::ptr::null()],
            used: 1,
            children: &self.fields,
        }
    }
}

/// Value and metadata of a variant: the size of the value in four bytes, the value, the metadata.
pub(in super::super) fn variant_parts(bytes: &[u8]) -> Result<[&[u8]; 2], PageError> {
    const WRONG: PageError = PageError::Malformed("a variant is shorter than its value");
    let (size, parts) = bytes.split_first_chunk::<4>().ok_or(WRONG)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| WRONG)?;
    let (value, metadata) = parts.split_at_checked(size).ok_or(WRONG)?;
    Ok([value, metadata])
}
