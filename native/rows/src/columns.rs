//! Columns the JVM lent, read on this side too: Python gets the function's arguments, and the join
//! reads every column of the input.
//!
//! Invariant: as in [`crate::lend`], the buffers named by a layout stay mapped and unwritten until the
//! lender is told that they are free. It is told once, when Python and the join have both let go.

use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_buffer::alloc::Allocation;
use arrow_data::ArrayData;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use ember_abi::ArrowArray;

use crate::RowsError;
use crate::pages::SparkType;
use ember_wire::{Lender, Records, lend};

/// One lent batch: what the function gets of it, and what its rows are made from.
#[derive(Debug)]
#[non_exhaustive]
pub struct SharedBatch {
    /// The function's arguments.
    pub arguments: ArrowArray,
    /// The input's columns; none where its rows are not joined.
    pub columns: Vec<ArrayData>,
    /// Rows of the batch.
    pub rows: usize,
}

/// Makes both halves of a batch: `arguments` is a layout for Python, `columns` one of the given types.
///
/// # Safety
///
/// Every `(address, bytes)` of both layouts must be readable and unwritten until `lender` is told
/// that `token` is returned.
pub unsafe fn share(
    [arguments, columns]: [&[i64]; 2],
    types: &[SparkType],
    large: bool,
    token: i64,
    lender: Arc<dyn Lender>,
) -> Result<SharedBatch, RowsError> {
    let lender = AssertUnwindSafe(lender);
    let owner = Arc::new(Owner { token, lender });
    let mut records = Records::of(columns);
    let rows = usize::try_from(records.count()?).map_err(|_| RowsError::Layout("too many rows"))?;
    if usize::try_from(records.count()?) != Ok(types.len()) {
        return Err(RowsError::Layout("another number of columns"));
    }
    let columns = types
        .iter()
        .map(|of| {
            let column = column_type(of, large)?;
            // SAFETY: what this function asks of its caller.
            unsafe { read(&mut records, column, rows, &owner) }
        })
        .collect::<Result<_, _>>()?;
    records.end()?;
    // SAFETY: what this function asks of its caller; the owner tells the lender when all is let go.
    let arguments = unsafe { lend(arguments, token, Arc::clone(&owner) as Arc<dyn Lender>) }?;
    Ok(SharedBatch {
        arguments,
        columns,
        rows,
    })
}

/// Held by everything that leads to the batch's buffers.
struct Owner {
    token: i64,
    lender: AssertUnwindSafe<Arc<dyn Lender>>,
}

impl Lender for Owner {
    /// Python's half alone frees nothing.
    fn returned(&self, _token: i64) {}
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.lender.returned(self.token);
    }
}

/// What the JVM writes for a column of this type. Text is bytes: Spark takes any.
pub fn column_type(of: &SparkType, large: bool) -> Result<DataType, RowsError> {
    Ok(match of {
        SparkType::Boolean => DataType::Boolean,
        SparkType::Byte => DataType::Int8,
        SparkType::Short => DataType::Int16,
        SparkType::Int => DataType::Int32,
        SparkType::Long => DataType::Int64,
        SparkType::Float => DataType::Float32,
        SparkType::Double => DataType::Float64,
        SparkType::Date => DataType::Date32,
        SparkType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        SparkType::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
        SparkType::YearMonth => DataType::Interval(IntervalUnit::YearMonth),
        SparkType::DayTime => DataType::Duration(TimeUnit::Microsecond),
        SparkType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
        SparkType::String | SparkType::Binary if large => DataType::LargeBinary,
        SparkType::String | SparkType::Binary => DataType::Binary,
        _ => return Err(RowsError::Carried(of.to_string())),
    })
}

/// Reads the record of one column without children.
///
/// # Safety
///
/// As [`share`] says of its layouts.
unsafe fn read(
    records: &mut Records<'_>,
    of: DataType,
    rows: usize,
    owner: &Arc<Owner>,
) -> Result<ArrayData, RowsError> {
    let (length, nulls) = (records.count()?, records.count()?);
    let (buffers, children) = (records.count()?, records.count()?);
    let text = matches!(of, DataType::Binary | DataType::LargeBinary);
    let expected = if text { 3 } else { 2 };
    if usize::try_from(length) != Ok(rows) || buffers != expected || children != 0 {
        return Err(RowsError::Layout("a column of another form"));
    }
    let nulls = usize::try_from(nulls).map_err(|_| RowsError::Layout("too many nulls"))?;
    // SAFETY: what this function asks of its caller.
    let validity = unsafe { buffer(records, owner) }?;
    if nulls > rows || (nulls > 0 && validity.len() < rows.div_ceil(8)) {
        return Err(RowsError::Layout("nulls without bits"));
    }
    let mut column = ArrayData::builder(of).len(rows);
    if nulls > 0 {
        column = column.null_bit_buffer(Some(validity)).null_count(nulls);
    }
    for _ in 1..expected {
        // SAFETY: what this function asks of its caller.
        column = column.add_buffer(unsafe { buffer(records, owner) }?);
    }
    // SAFETY: number and order of the buffers are the type's, and the bits reach over all rows. Values
    // and offsets are read with checks of their own (`pages::to_rows`), whose only reader is the join.
    Ok(unsafe { column.build_unchecked() })
}

/// The next buffer, which keeps `owner` for as long as it lives.
///
/// # Safety
///
/// As [`share`] says of its layouts.
unsafe fn buffer(records: &mut Records<'_>, owner: &Arc<Owner>) -> Result<Buffer, RowsError> {
    let (address, bytes) = records.span()?;
    if bytes == 0 {
        return Ok(Buffer::default());
    }
    let start = NonNull::new(std::ptr::with_exposed_provenance_mut::<u8>(address));
    let start = start.ok_or(RowsError::Layout("bytes at no address"))?;
    let owner: Arc<dyn Allocation> = Arc::<Owner>::clone(owner);
    // SAFETY: readable and unwritten for as long as the owner lives, by this function's contract.
    Ok(unsafe { Buffer::from_custom_allocation(start, bytes, owner) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Book(Mutex<Vec<i64>>);

    impl Lender for Book {
        fn returned(&self, token: i64) {
            self.0.lock().unwrap().push(token);
        }
    }

    fn address<T>(values: &[T]) -> i64 {
        i64::try_from(values.as_ptr().expose_provenance()).unwrap()
    }

    fn shared(layout: &[i64], book: &Arc<Book>) -> Result<SharedBatch, RowsError> {
        let lender = Arc::clone(book) as Arc<dyn Lender>;
        // SAFETY: every test keeps its buffers until the batch is dropped.
        unsafe { share([layout, layout], &[SparkType::Long], false, 5, lender) }
    }

    #[test]
    fn a_batch_is_returned_when_both_halves_are_let_go() {
        let longs = [1_i64, 2];
        let book = Arc::new(Book::default());
        let layout = [2, 1, 2, 0, 2, 0, 0, 0, address(&longs), 16];
        let SharedBatch {
            mut arguments,
            columns,
            rows,
        } = shared(&layout, &book).unwrap();
        assert_eq!((rows, columns.len()), (2, 1));
        let half = columns.first().unwrap().slice(1, 1);
        drop(columns);
        let free = arguments.release.unwrap();
        // SAFETY: the struct is live and released once.
        unsafe { free(&raw mut arguments) };
        assert!(book.0.lock().unwrap().is_empty());
        assert_eq!(half.buffer::<i64>(0), [2]);
        drop(half);
        assert_eq!(*book.0.lock().unwrap(), [5]);
    }

    #[test]
    fn a_refused_batch_is_returned_at_once() {
        let longs = [1_i64, 2];
        let at = address(&longs);
        let refused = [
            vec![2, 1, 2, 1, 2, 0, 0, 0, at, 16],
            vec![2, 1, 3, 0, 2, 0, 0, 0, at, 16],
            vec![2, 1, 2, 0, 3, 0, 0, 0, at, 16],
            vec![2, 1, 2, 0, 2, 0, 0, 0, 0, 16],
            vec![2, 2, 2, 0, 2, 0, 0, 0, at, 16],
            vec![2, 1, 2, 0, 2, 0, 0, 0, at],
            vec![2, 1, 2, 0, 2, 0, 0, 0, at, 16, 7],
        ];
        for layout in refused {
            let book = Arc::new(Book::default());
            assert!(matches!(
                shared(&layout, &book),
                Err(RowsError::Layout(_) | RowsError::Lent(_))
            ));
            assert_eq!(*book.0.lock().unwrap(), [5], "{layout:?}");
        }
    }
}
