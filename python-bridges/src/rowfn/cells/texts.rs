//! Text, in both directions. Equal texts of a column are one object, as pyarrow makes them.

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use pyo3::prelude::*;

use super::super::lent::Lent;
use super::super::results::Results;
use super::super::text::decoded;
use super::super::values::Spans;
use super::view::{Cells, is_null};

/// Fills the cells, as many as there are spans; false if some bytes are not UTF-8.
pub(super) fn fill(lent: &Lent, spans: &Spans, cells: &Cells<'_>) -> PyResult<bool> {
    let (py, nulls) = (cells.py(), lent.nulls());
    let mut room = Vec::new();
    let mut seen = Seen::new(cells.len());
    for row in 0..cells.len() {
        let object = if nulls.at(row) {
            py.None().into_bound(py)
        } else if let Some(same) = seen.row_like(row, spans) {
            cells.get(same)
        } else {
            match decoded(py, spans.at(row), &mut room)? {
                Some(made) => made,
                None => return Ok(false),
            }
        };
        cells.put(row, object);
    }
    Ok(true)
}

/// The rows whose text is the first of its kind.
struct Seen {
    rows: HashTable<u32>,
    hasher: RandomState,
}

impl Seen {
    fn new(rows: usize) -> Self {
        Self {
            rows: HashTable::with_capacity(rows),
            hasher: RandomState::new(),
        }
    }

    /// An earlier row with the text of this one; if there is none, this row is it from now on.
    #[inline]
    fn row_like(&mut self, row: usize, spans: &Spans) -> Option<usize> {
        let text = spans.at(row);
        let hash = |text: &[u8]| self.hasher.hash_one(text);
        let of = |row: &u32| spans.at(*row as usize);
        let number = u32::try_from(row).ok()?; // an array of text has not so many rows
        match self.rows.entry(
            hash(text),
            |known| of(known) == text,
            |known| hash(of(known)),
        ) {
            Entry::Occupied(known) => Some(*known.get() as usize),
            Entry::Vacant(free) => {
                free.insert(number);
                None
            }
        }
    }
}

/// The texts of the cells; nothing if one of them is something else.
pub(super) fn gathered(mut texts: Results, cells: &Cells<'_>) -> Option<Results> {
    let none = cells.py().None().into_bound(cells.py());
    for row in 0..cells.len() {
        let object = cells.get(row);
        let taken = if is_null(&object) {
            texts.add(&none)
        } else {
            texts.add(&object)
        };
        taken.then_some(())?;
    }
    Some(texts)
}
