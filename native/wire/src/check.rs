//! Whether a layout's buffers are as long as its lengths ask for.
//!
//! Offsets are only checked to end within what they lead to. That they never decrease is for the reader of
//! the batch to check, which knows its type.

use crate::WireError;
use crate::shape::{Form, Shape};

const SHORT: WireError = WireError::Layout("a buffer shorter than its column");

/// Checks the columns of a batch, whose buffers count from the first byte of `block`.
pub(crate) fn check(layout: &[i64], block: &[u8], shape: &Shape) -> Result<(), WireError> {
    let mut columns = Columns {
        rest: layout,
        block,
    };
    let rows = columns.count()?;
    if columns.count()? != shape.children.len() {
        return Err(WireError::Layout("columns and schema differ in number"));
    }
    for shape in &shape.children {
        if columns.column(shape)? < rows {
            return Err(WireError::Layout("a column shorter than its batch"));
        }
    }
    Ok(())
}

struct Columns<'block> {
    rest: &'block [i64],
    block: &'block [u8],
}

/// Where a buffer begins, and its bytes.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    bytes: usize,
}

impl Columns<'_> {
    /// Checks one column and gives its length.
    fn column(&mut self, shape: &Shape) -> Result<usize, WireError> {
        let len = self.count()?;
        let _nulls = self.next()?;
        let (buffers, children) = (self.count()?, self.count()?);
        if children != shape.children.len() {
            return Err(WireError::Layout(
                "a column with another number of children",
            ));
        }
        let mut places = Vec::with_capacity(buffers.min(self.rest.len()));
        for _ in 0..buffers {
            places.push(self.place()?);
        }
        let reach = self.buffers(shape.form, len, &places)?;
        for child in &shape.children {
            if self.column(child)? < reach {
                return Err(WireError::Layout("a child shorter than its column"));
            }
        }
        Ok(len)
    }

    /// Checks a column's own buffers; gives how many values its children must have.
    fn buffers(&self, form: Form, len: usize, places: &[Place]) -> Result<usize, WireError> {
        let expected = match form {
            Form::Null => 0,
            Form::FixedList(_) | Form::Struct => 1,
            Form::Bits | Form::Fixed(_) | Form::List(_) => 2,
            Form::Variable(_) | Form::ListView(_) => 3,
            Form::Views => places.len().max(3),
        };
        if places.len() != expected {
            return Err(WireError::Layout("a column with another number of buffers"));
        }
        let bytes = |index: usize| places.get(index).map_or(0, |place| place.bytes);
        let times = |width: usize| len.checked_mul(width).ok_or(SHORT);
        if bytes(0) != 0 && bytes(0) < len.div_ceil(8) {
            return Err(SHORT);
        }
        let (needed, reach) = match form {
            Form::Null => (0, 0),
            Form::Struct => (0, len),
            Form::FixedList(size) => (0, times(size)?),
            Form::Bits => (len.div_ceil(8), 0),
            Form::ListView(width) if bytes(2) < times(width)? => return Err(SHORT),
            Form::Fixed(width) | Form::ListView(width) => (times(width)?, 0),
            Form::Views => {
                self.view_buffers(places)?;
                (times(16)?, 0)
            }
            Form::Variable(_) | Form::List(_) if len == 0 => (0, 0),
            Form::Variable(width) => {
                if self.last_offset(places, len, width)? > bytes(2) {
                    return Err(SHORT);
                }
                (0, 0)
            }
            Form::List(width) => (0, self.last_offset(places, len, width)?),
        };
        if needed > 0 && bytes(1) < needed {
            return Err(SHORT);
        }
        Ok(reach)
    }

    fn last_offset(&self, places: &[Place], len: usize, width: usize) -> Result<usize, WireError> {
        let place = places.get(1).copied().ok_or(SHORT)?;
        let at = len.checked_mul(width).ok_or(SHORT)?;
        if place.bytes < at + width {
            return Err(SHORT);
        }
        let last = offset_at(self.block, place.at + at, width).ok_or(SHORT)?;
        usize::try_from(last).map_err(|_| WireError::Layout("a negative offset"))
    }

    /// Compares the lengths in the last buffer with those of the buffers between.
    fn view_buffers(&self, places: &[Place]) -> Result<(), WireError> {
        let Some((lengths, between)) = places.get(2..).and_then(<[Place]>::split_last) else {
            return Err(WireError::Layout("views without buffers"));
        };
        if lengths.bytes < 8 * between.len() {
            return Err(SHORT);
        }
        for (index, place) in between.iter().enumerate() {
            let told = offset_at(self.block, lengths.at + 8 * index, 8).ok_or(SHORT)?;
            if usize::try_from(told).is_ok_and(|told| told > place.bytes) || told < 0 {
                return Err(SHORT);
            }
        }
        Ok(())
    }

    fn place(&mut self) -> Result<Place, WireError> {
        let (at, bytes) = (self.count()?, self.count()?);
        if at == 0 && bytes > 0
            || at
                .checked_add(bytes)
                .is_none_or(|end| end > self.block.len())
        {
            return Err(WireError::Layout("a buffer outside its block"));
        }
        Ok(Place { at, bytes })
    }

    fn count(&mut self) -> Result<usize, WireError> {
        usize::try_from(self.next()?).map_err(|_| WireError::Layout("a negative count"))
    }

    fn next(&mut self) -> Result<i64, WireError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(WireError::Layout("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }
}

/// The number of `width` bytes, 4 or 8, at byte `at`.
pub(crate) fn offset_at(bytes: &[u8], at: usize, width: usize) -> Option<i64> {
    let number = bytes.get(at..)?.get(..width)?;
    match width {
        4 => Some(i64::from(i32::from_le_bytes(number.try_into().ok()?))),
        _ => Some(i64::from_le_bytes(number.try_into().ok()?)),
    }
}
