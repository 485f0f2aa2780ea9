//! Small batches of one schema, copied behind one another as they come from Python.
//!
//! What Python returns is copied before its thread goes on ([`Checked::copied`]). Where batches have a few
//! rows, all that follows costs as much for one of them as for a hundred: so they are copied into one.

use arrow_buffer::{
    ArrowNativeType, BooleanBufferBuilder, Buffer, MutableBuffer, NullBufferBuilder,
};
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::DataType;

use crate::RowsError;
use crate::returned::{Returned, copied};

/// Bytes of a batch that is gathered no more, but copied by itself.
const SMALL: usize = 16 << 10;

/// A batch that was checked, in Python's memory.
#[derive(Debug)]
pub struct Checked(pub(crate) ArrayData);

impl Checked {
    /// The batch in memory of ours. A function may keep what it returned and write to it again, as it may in
    /// Spark's worker, which has sent it by then.
    pub fn copied(&self) -> Result<Returned, RowsError> {
        Returned::lay_out(copied(&self.0)?, 1)
    }
}

/// Rows of small batches, in the order in which they came.
#[derive(Debug, Default)]
pub struct Gathered {
    column: Option<Column>,
    rows: usize,
    bytes: u64,
    batches: usize,
}

impl Gathered {
    /// Copies the rows of `batch` behind those that are here; false, and nothing is copied, where it is large or
    /// of another type, or has values that do not lie one after the other.
    pub fn add(&mut self, batch: &Checked) -> bool {
        let (data, rows) = (&batch.0, batch.0.len());
        let Some(bytes) = size(data, 0, rows).filter(|bytes| *bytes < SMALL) else {
            return false;
        };
        let column = self.column.get_or_insert_with(|| Column::of(data));
        if column.of != *data.data_type() || column.add(data, 0, rows).is_none() {
            return false;
        }
        self.rows += rows;
        self.bytes += bytes as u64;
        self.batches += 1;
        true
    }

    /// Bytes of the rows.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Batches whose rows these are.
    pub const fn batches(&self) -> usize {
        self.batches
    }

    /// All rows as one batch, if there are some; none are left.
    pub fn take(&mut self) -> Result<Option<Returned>, RowsError> {
        let all = std::mem::take(self);
        let column = all.column.filter(|_| all.batches > 0);
        column
            .map(|column| Returned::lay_out(column.data(all.rows), all.batches))
            .transpose()
    }
}

/// The rows of one column.
#[derive(Debug)]
struct Column {
    of: DataType,
    nulls: NullBufferBuilder,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// So many bytes each.
    Fixed(usize, MutableBuffer),
    Bits(BooleanBufferBuilder),
    /// Where each value ends, and the bytes.
    Bytes(Vec<i32>, MutableBuffer),
    LargeBytes(Vec<i64>, MutableBuffer),
    Fields(Vec<Column>),
}

impl Column {
    fn of(data: &ArrayData) -> Self {
        let values = match data.data_type() {
            DataType::Boolean => Values::Bits(BooleanBufferBuilder::new(0)),
            DataType::Binary => Values::Bytes(vec![0], MutableBuffer::new(0)),
            DataType::LargeBinary => Values::LargeBytes(vec![0], MutableBuffer::new(0)),
            DataType::Struct(_) => Values::Fields(data.child_data().iter().map(Self::of).collect()),
            other => Values::Fixed(other.primitive_width().unwrap_or(0), MutableBuffer::new(0)),
        };
        Self {
            of: data.data_type().clone(),
            nulls: NullBufferBuilder::new(0),
            values,
        }
    }

    /// Copies `rows` rows of `data` from row `from` on. There is room for all of them, and `data` was checked.
    fn add(&mut self, data: &ArrayData, from: usize, rows: usize) -> Option<()> {
        match data.nulls() {
            Some(nulls) => self.nulls.append_buffer(&nulls.slice(from, rows)),
            None => self.nulls.append_n_non_nulls(rows),
        }
        let first = data.offset() + from;
        match &mut self.values {
            Values::Fixed(width, values) => {
                let bytes = data.buffers().first()?.as_slice();
                values.extend_from_slice(bytes.get(first * *width..(first + rows) * *width)?);
            }
            Values::Bits(values) => {
                let bits = data.buffers().first()?.as_slice();
                values.append_packed_range(first..first + rows, bits);
            }
            Values::Bytes(ends, bytes) => extend(ends, bytes, data, first, rows)?,
            Values::LargeBytes(ends, bytes) => extend(ends, bytes, data, first, rows)?,
            Values::Fields(columns) => {
                for (column, child) in columns.iter_mut().zip(data.child_data()) {
                    column.add(child, first, rows)?;
                }
            }
        }
        Some(())
    }

    fn data(mut self, rows: usize) -> ArrayData {
        let made = ArrayDataBuilder::new(self.of)
            .len(rows)
            .nulls(self.nulls.finish());
        let made = match self.values {
            Values::Fixed(_, values) => made.add_buffer(values.into()),
            Values::Bits(mut values) => made.add_buffer(values.finish().into_inner()),
            Values::Bytes(ends, bytes) => made
                .add_buffer(Buffer::from_vec(ends))
                .add_buffer(bytes.into()),
            Values::LargeBytes(ends, bytes) => made
                .add_buffer(Buffer::from_vec(ends))
                .add_buffer(bytes.into()),
            Values::Fields(columns) => {
                let columns = columns.into_iter().map(|column| column.data(rows));
                made.child_data(columns.collect())
            }
        };
        // SAFETY: `add` has put `rows` values of this type here, of which each ends where the next begins.
        unsafe { made.build_unchecked() }
    }
}

fn extend<O: ArrowNativeType>(
    ends: &mut Vec<O>,
    bytes: &mut MutableBuffer,
    data: &ArrayData,
    first: usize,
    rows: usize,
) -> Option<()> {
    if rows == 0 {
        return Some(()); // it may have no offsets
    }
    let [offsets, values] = data.buffers() else {
        return None;
    };
    let offsets = offsets.typed_data::<O>().get(first..=first + rows)?;
    let (start, base) = (offsets.first()?.as_usize(), bytes.len());
    bytes.extend_from_slice(values.as_slice().get(start..offsets.last()?.as_usize())?);
    for end in offsets.iter().skip(1) {
        ends.push(O::from_usize(base + end.as_usize() - start)?);
    }
    Some(())
}

/// Bytes of these rows, if values of such a column lie one after the other.
fn size(data: &ArrayData, from: usize, rows: usize) -> Option<usize> {
    let first = data.offset() + from;
    match data.data_type() {
        DataType::Boolean => Some(rows.div_ceil(8)),
        DataType::Binary => spans::<i32>(data, first, rows),
        DataType::LargeBinary => spans::<i64>(data, first, rows),
        DataType::Struct(_) => {
            let children = data.child_data().iter();
            let sizes = children.map(|child| size(child, first, rows));
            sizes.sum()
        }
        other => Some(other.primitive_width()? * rows),
    }
}

fn spans<O: ArrowNativeType>(data: &ArrayData, first: usize, rows: usize) -> Option<usize> {
    if rows == 0 {
        return Some(0);
    }
    let offsets = data
        .buffers()
        .first()?
        .typed_data::<O>()
        .get(first..=first + rows)?;
    let bytes = offsets.last()?.as_usize() - offsets.first()?.as_usize();
    Some(bytes + size_of_val(offsets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::builder::StringBuilder;
    use arrow_array::{
        Array, ArrayRef, BooleanArray, Decimal128Array, Int64Array, LargeBinaryArray, ListArray,
        RecordBatch, StructArray, types::Int32Type,
    };
    use arrow_data::transform::MutableArrayData;

    /// Rows with nulls, of every form that is gathered; text as it is checked, which is as bytes.
    fn batch() -> RecordBatch {
        let mut texts = StringBuilder::new();
        texts.extend([
            Some("a"),
            None,
            Some(""),
            Some("née"),
            Some("x"),
            None,
            Some("yz"),
        ]);
        let texts = texts.finish().into_data();
        // SAFETY: text is bytes.
        let bytes = unsafe {
            texts
                .into_builder()
                .data_type(DataType::Binary)
                .build_unchecked()
        };
        let longs = Int64Array::from(vec![
            Some(1),
            None,
            Some(3),
            Some(4),
            None,
            Some(6),
            Some(7),
        ]);
        let truths: Vec<_> = (0..7)
            .map(|row| (row % 3 > 0).then_some(row % 2 == 0))
            .collect();
        let large: Vec<Option<&[u8]>> = (0..7)
            .map(|row| (row != 4).then_some(&b"bytes"[..row % 5]))
            .collect();
        let decimals = Decimal128Array::from_iter_values(0..7);
        let inner = RecordBatch::try_from_iter([
            ("t", Arc::new(BooleanArray::from(truths)) as ArrayRef),
            ("n", Arc::new(decimals)),
        ]);
        RecordBatch::try_from_iter([
            ("l", Arc::new(longs) as ArrayRef),
            ("b", arrow_array::make_array(bytes)),
            ("g", Arc::new(LargeBinaryArray::from(large))),
            ("s", Arc::new(StructArray::from(inner.unwrap()))),
        ])
        .unwrap()
    }

    fn piece(of: &RecordBatch, from: usize, rows: usize) -> Checked {
        Checked(StructArray::from(of.clone()).into_data().slice(from, rows))
    }

    #[test]
    fn pieces_come_back_as_one_batch_in_their_order() {
        let whole = batch();
        let cuts = [(3, 4), (0, 1), (1, 5), (5, 0), (0, 7), (6, 1)];
        let pieces: Vec<Checked> = cuts
            .iter()
            .map(|(from, rows)| piece(&whole, *from, *rows))
            .collect();
        let mut gathered = Gathered::default();
        assert!(gathered.take().unwrap().is_none());
        for _ in 0..2 {
            assert!(pieces.iter().all(|piece| gathered.add(piece)));
            let all = gathered.take().unwrap().unwrap();
            let datas: Vec<&ArrayData> = pieces.iter().map(|piece| &piece.0).collect();
            let mut expected = MutableArrayData::new(datas, false, 0);
            for (index, (_, rows)) in cuts.iter().enumerate() {
                expected.try_extend(index, 0, *rows).unwrap();
            }
            assert_eq!(*all.data(), expected.freeze());
            all.data().validate_full().unwrap();
            assert_eq!((all.batches(), all.data().len()), (cuts.len(), 18));
        }
    }

    #[test]
    fn what_is_large_of_another_type_or_of_lists_is_left_alone() {
        let mut gathered = Gathered::default();
        let longs = |rows: i64| {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
            RecordBatch::try_from_iter([("a", column)]).unwrap()
        };
        assert!(gathered.add(&piece(&longs(9), 0, 9)));
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
        let lists = RecordBatch::try_from_iter([("a", Arc::new(lists) as ArrayRef)]).unwrap();
        for other in [batch(), longs(1 << 12), lists] {
            let rows = other.num_rows();
            assert!(!gathered.add(&piece(&other, 0, rows)));
        }
        assert_eq!((gathered.batches(), gathered.bytes()), (1, 72));
    }
}
