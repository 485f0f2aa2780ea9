//! Columns through a column session's conversions, with the test as both the JVM and the function.

#![cfg(test)]

use std::sync::{Arc, Mutex};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::{Int64Array, StructArray};
use arrow_schema::{DataType, Field, Fields};
use ember_abi::ArrowArray;
use ember_rows::pages::PageError;
use ember_rows::{Lender, Returned, ReturnedSchema, RowsError};
use ember_session::{ColumnPipe, ColumnPlan, OutputPage};

const TWO: &str = r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":false,"metadata":{}},{"name":"s","type":"string","nullable":true,"metadata":{}}]}"#;
const LONG: &str =
    r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}"#;

#[derive(Default)]
struct Book(Mutex<Vec<i64>>);

impl Lender for Book {
    fn returned(&self, token: i64) {
        self.0.lock().unwrap().push(token);
    }
}

fn pipe(joined: bool) -> ColumnPipe {
    choosing(joined, "null")
}

fn choosing(joined: bool, chosen: &str) -> ColumnPipe {
    returning(LONG, joined, chosen)
}

fn returning(output: &str, joined: bool, chosen: &str) -> ColumnPipe {
    let plan = format!(
        r#"{{"input":{TWO},"output":{output},"large":false,"wrapped":false,"joined":{joined},"chosen":{chosen}}}"#
    );
    ColumnPipe::new(ColumnPlan::parse(plan.as_bytes()).unwrap())
}

fn address<T>(values: &[T]) -> i64 {
    i64::try_from(values.as_ptr().expose_provenance()).unwrap()
}

/// A long and a text, the second of which is null.
struct Columns {
    longs: [i64; 3],
    bits: [u8; 1],
    offsets: [i32; 4],
    text: [u8; 4],
}

const COLUMNS: Columns = Columns {
    longs: [7, 8, 9],
    bits: [0b101],
    offsets: [0, 1, 1, 4],
    text: *b"xyzz",
};

impl Columns {
    fn arguments(&self) -> Vec<i64> {
        vec![3, 1, 3, 0, 2, 0, 0, 0, address(&self.longs), 24]
    }

    fn all(&self) -> Vec<i64> {
        let mut layout = vec![3, 2, 3, 0, 2, 0, 0, 0, address(&self.longs), 24];
        layout.extend([3, 1, 3, 0, address(&self.bits), 1]);
        layout.extend([address(&self.offsets), 16, address(&self.text), 4]);
        layout
    }

    fn offer(&self, pipe: &mut ColumnPipe, book: &Arc<Book>) -> Result<ArrowArray, RowsError> {
        let layouts = [&self.arguments()[..], &self.all()[..]];
        // SAFETY: the columns outlive the pipe of every test.
        unsafe { pipe.batch(layouts, 3, Arc::clone(book) as Arc<dyn Lender>) }
    }
}

fn release(mut batch: ArrowArray) {
    let free = batch.release.unwrap();
    // SAFETY: the struct is live and released once.
    unsafe { free(&raw mut batch) };
}

/// What a function returned.
fn returned(values: &[i64]) -> Returned {
    of_column(Int64Array::from(values.to_vec()))
}

fn of_column(column: Int64Array) -> Returned {
    let fields = Fields::from(vec![Field::new("a", DataType::Int64, true)]);
    let batch = StructArray::new(fields, vec![Arc::new(column)], None);
    let mut schema = FFI_ArrowSchema::try_from(arrow_array::Array::data_type(&batch)).unwrap();
    let schema: *mut FFI_ArrowSchema = &raw mut schema;
    let mut array = FFI_ArrowArray::new(&arrow_array::Array::to_data(&batch));
    let array: *mut FFI_ArrowArray = &raw mut array;
    // SAFETY: live, and moved out.
    let schema = unsafe { ReturnedSchema::take(schema.cast()) }.unwrap();
    // SAFETY: live, and exported with that schema.
    unsafe { schema.check(array.cast()) }
        .unwrap()
        .copied()
        .unwrap()
}

/// The words of a page.
fn words(page: OutputPage) -> Vec<i64> {
    let start: *const i64 = std::ptr::with_exposed_provenance(page.address);
    // SAFETY: every caller asks while the page is readable.
    unsafe { std::slice::from_raw_parts(start, page.bytes / 8) }.to_vec()
}

fn row(long: i64, text: Option<i64>, result: i64) -> Vec<i64> {
    match text {
        Some(text) => {
            let size = if text > 0xFF { 3 } else { 1 };
            vec![40, 0, long, (32 << 32) | size, result, text]
        }
        None => vec![32, 2, long, 0, result],
    }
}

#[test]
fn columns_stand_before_their_results() {
    let (mut pipe, book) = (pipe(true), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let page = pipe.rows(&returned(&[1, 2, 3])).unwrap();
    let zzy = i64::from_le_bytes(*b"yzz\0\0\0\0\0");
    let expected = [
        row(7, Some(i64::from(b'x')), 1),
        row(8, None, 2),
        row(9, Some(zzy), 3),
    ];
    assert_eq!(words(page), expected.concat());
    assert_eq!(*book.0.lock().unwrap(), [3]);
}

#[test]
fn under_a_forbidden_null_come_the_rows_of_the_input_alone() {
    let solid = LONG.replace("true", "false");
    let (mut pipe, book) = (returning(&solid, true, "null"), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let page = pipe.rows(&returned(&[1])).unwrap();
    assert!(!page.for_spark);
    assert_eq!(words(page), row(7, Some(i64::from(b'x')), 1));
    let page = pipe
        .rows(&of_column(Int64Array::from(vec![Some(2), None])))
        .unwrap();
    assert!(page.for_spark);
    let zzy = i64::from_le_bytes(*b"yzz\0\0\0\0\0");
    let inputs = [vec![24, 2, 8, 0], vec![32, 0, 9, (24 << 32) | 3, zzy]];
    assert_eq!(words(page), inputs.concat());
    assert_eq!(*book.0.lock().unwrap(), [3]);
}

/// The longs of a column that is shown.
fn longs(batch: &Returned, column: usize) -> Vec<i64> {
    let column = batch.data().child_data()[column].clone();
    Int64Array::from(column).values().to_vec()
}

#[test]
fn columns_stay_columns_before_results_that_do() {
    let (mut pipe, book) = (pipe(true), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let empty = pipe.joined(&returned(&[])).unwrap().unwrap();
    assert_eq!((longs(&empty, 0), longs(&empty, 2)), (vec![], vec![]));
    let first = pipe.joined(&returned(&[1, 2])).unwrap().unwrap();
    assert_eq!(
        (longs(&first, 0), longs(&first, 2)),
        (vec![7, 8], vec![1, 2])
    );
    let last = pipe.joined(&returned(&[3])).unwrap().unwrap();
    assert_eq!((longs(&last, 0), longs(&last, 2)), (vec![9], vec![3]));
    drop((first, empty));
    assert!(book.0.lock().unwrap().is_empty());
    drop(last);
    assert_eq!(*book.0.lock().unwrap(), [3]);
    assert!(pipe.joined(&returned(&[4])).is_err());
}

#[test]
fn results_alone_have_no_columns_before_them() {
    let mut pipe = pipe(false);
    assert!(pipe.joined(&returned(&[1])).unwrap().is_none());
}

#[test]
fn columns_that_are_not_kept_stand_nowhere() {
    let (mut pipe, book) = (choosing(true, "[0,2]"), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let page = pipe.rows(&returned(&[1, 2, 3])).unwrap();
    let row = |long, result| [24, 0, long, result];
    assert_eq!(words(page), [row(7, 1), row(8, 2), row(9, 3)].concat());
}

#[test]
fn results_stand_where_they_are_wanted() {
    let (mut pipe, book) = (choosing(true, "[2,0,2]"), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let page = pipe.rows(&returned(&[1, 2, 3])).unwrap();
    let row = |result, long| [32, 0, result, long, result];
    assert_eq!(words(page), [row(1, 7), row(2, 8), row(3, 9)].concat());
    let page = choosing(false, "[2,2]").rows(&returned(&[5])).unwrap();
    assert_eq!(page.bytes, 32);
}

#[test]
fn results_may_come_in_pieces_of_one_batch() {
    let (mut pipe, book) = (pipe(true), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    assert_eq!(pipe.rows(&returned(&[])).unwrap().rows, 0);
    let first = words(pipe.rows(&returned(&[1, 2])).unwrap());
    assert_eq!(first.last(), Some(&2));
    assert!(book.0.lock().unwrap().is_empty());
    let last = words(pipe.rows(&returned(&[3])).unwrap());
    assert_eq!(last.get(2), Some(&9));
    assert_eq!(*book.0.lock().unwrap(), [3]);
}

#[test]
fn more_results_than_rows_are_refused() {
    let (mut pipe, book) = (pipe(true), Arc::new(Book::default()));
    let columns = COLUMNS;
    release(columns.offer(&mut pipe, &book).unwrap());
    let refused = pipe.rows(&returned(&[1, 2, 3, 4]));
    assert!(matches!(
        refused,
        Err(PageError::Count {
            rows: 3,
            results: 4
        })
    ));
}

#[test]
fn what_is_not_joined_is_kept_by_the_function_alone() {
    let (mut pipe, book) = (pipe(false), Arc::new(Book::default()));
    let columns = COLUMNS;
    let layouts = [&columns.arguments()[..], &[3, 0][..]];
    let lender = Arc::clone(&book) as Arc<dyn Lender>;
    // SAFETY: the columns outlive the pipe.
    release(unsafe { pipe.batch(layouts, 4, lender) }.unwrap());
    assert_eq!(*book.0.lock().unwrap(), [4]);
    let page = pipe.rows(&returned(&[5])).unwrap();
    assert_eq!(words(page), [16, 0, 5]);
}
