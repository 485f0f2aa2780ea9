//! Pages through a row session's conversions, with the test as both the JVM and the function.

#![cfg(test)]

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::{Array, Int32Array, Int64Array, StructArray};
use arrow_schema::{DataType, Field, Fields};
use ember_abi::ArrowArray;
use ember_rows::pages::PageError;
use ember_rows::{Returned, ReturnedSchema};
use ember_session::{Groups, OutputPage, RowPipe, RowPlan, Side};

const LONG: &str =
    r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}"#;

/// Bytes of a row of one long in its page, and of a row of two.
const ROW: usize = 24;
const JOINED: usize = 32;

fn pipe(ordinals: &str, joined: bool) -> RowPipe {
    planned(ordinals, joined, false)
}

fn planned(ordinals: &str, joined: bool, grouped: bool) -> RowPipe {
    returning(LONG, ordinals, joined, grouped)
}

fn returning(output: &str, ordinals: &str, joined: bool, grouped: bool) -> RowPipe {
    let plan = format!(
        r#"{{"input":{LONG},"arguments":{LONG},"ordinals":{ordinals},"output":{output},"large":false,"wrapped":false,"joined":{joined},"grouped":{grouped},"spill_folder":"/tmp"}}"#
    );
    RowPipe::new(RowPlan::parse(plan.as_bytes()).unwrap())
}

/// Writes rows of one long into the page, as the JVM does.
fn fill(pipe: &mut RowPipe, side: Side, values: &[i64]) -> usize {
    let words = values.iter().flat_map(|value| [16, 0, *value]);
    let words: Vec<i64> = words.collect();
    let address = pipe.room(side, words.len() * 8);
    let page: *mut i64 = std::ptr::with_exposed_provenance_mut(address);
    // SAFETY: the pipe has made room for that many words and leaves them to its caller.
    unsafe { page.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    values.len() * ROW
}

fn batch(pipe: &mut RowPipe, values: &[i64]) -> Vec<i64> {
    let bytes = fill(pipe, Side::Input, values);
    longs(pipe.batch(bytes, values.len(), Side::Input).unwrap())
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("a", DataType::Int64, true)])
}

/// A batch with these columns, imported as Python would.
fn imported(batch: ArrowArray, fields: Fields) -> StructArray {
    let mut batch = batch;
    let batch: *mut ArrowArray = &raw mut batch;
    // SAFETY: the struct is live, and is moved out exactly once.
    let batch = unsafe { FFI_ArrowArray::from_raw(batch.cast()) };
    // SAFETY: every caller names the columns of the plan.
    let data = unsafe { from_ffi_and_data_type(batch, DataType::Struct(fields)) }.unwrap();
    StructArray::from(data)
}

/// The one column of a batch.
fn longs(batch: ArrowArray) -> Vec<i64> {
    let batch = imported(batch, fields());
    let column: &Int64Array = batch.column(0).as_any().downcast_ref().unwrap();
    column.values().to_vec()
}

/// What a function returned.
fn returned(values: &[i64]) -> Returned {
    of_column(Int64Array::from(values.to_vec()))
}

fn of_column(column: Int64Array) -> Returned {
    let batch = StructArray::new(fields(), vec![std::sync::Arc::new(column)], None);
    let mut schema = FFI_ArrowSchema::try_from(batch.data_type()).unwrap();
    let schema: *mut FFI_ArrowSchema = &raw mut schema;
    let mut array = FFI_ArrowArray::new(&batch.to_data());
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
    if page.bytes == 0 {
        return Vec::new();
    }
    let start: *const i64 = std::ptr::with_exposed_provenance(page.address);
    // SAFETY: every caller asks while the page is readable.
    unsafe { std::slice::from_raw_parts(start, page.bytes / 8) }.to_vec()
}

/// The input and the result of every joined row.
fn pairs(page: OutputPage) -> Vec<(i64, i64)> {
    assert_eq!(page.bytes, page.rows * JOINED);
    let words = words(page);
    let rows = words.chunks_exact(4).map(|row| {
        assert_eq!(row[..2], [24, 0]);
        (row[2], row[3])
    });
    rows.collect()
}

#[test]
fn a_batch_holds_the_rows_of_its_page_and_comes_back_joined() {
    let mut pipe = pipe("[0]", true);
    assert_eq!(batch(&mut pipe, &[1, 2, 3]), [1, 2, 3]);
    let page = pipe.rows(&returned(&[10, 20, 30])).unwrap();
    assert_eq!(pairs(page), [(1, 10), (2, 20), (3, 30)]);
}

#[test]
fn under_a_forbidden_null_come_the_input_rows_alone_and_the_next_batch_is_joined_again() {
    let solid = LONG.replace("true", "false");
    let mut pipe = returning(&solid, "[0]", true, false);
    for values in [[1, 2], [3, 4], [5, 6]] {
        batch(&mut pipe, &values);
    }
    let page = pipe.rows(&returned(&[10, 20, 30])).unwrap();
    assert!(!page.for_spark);
    assert_eq!(pairs(page), [(1, 10), (2, 20), (3, 30)]);
    let with_null = of_column(Int64Array::from(vec![Some(40), None]));
    let page = pipe.rows(&with_null).unwrap();
    assert!(page.for_spark && page.rows == 2);
    assert_eq!(words(page), [16, 0, 4, 16, 0, 5]);
    let page = pipe.rows(&returned(&[60])).unwrap();
    assert!(!page.for_spark);
    assert_eq!(pairs(page), [(6, 60)]);
}

#[test]
fn under_a_forbidden_null_comes_nothing_that_is_not_joined() {
    let mut pipe = returning(&LONG.replace("true", "false"), "[0]", false, false);
    batch(&mut pipe, &[1, 2]);
    let page = pipe
        .rows(&of_column(Int64Array::from(vec![None, Some(1)])))
        .unwrap();
    assert_eq!((page.for_spark, page.bytes), (true, 0));
}

/// The columns of a batch that is shown.
fn columns(batch: &Returned) -> Vec<Vec<i64>> {
    let columns = batch.data().child_data().iter();
    let longs = columns.map(|column| Int64Array::from(column.clone()).values().to_vec());
    longs.collect()
}

#[test]
fn columns_of_the_rows_stand_before_results_that_stay_columns() {
    let mut pipe = pipe("[0]", true);
    batch(&mut pipe, &[1, 2, 3]);
    let mut joined = |results: &[i64]| pipe.joined(&returned(results)).unwrap().unwrap();
    assert_eq!(columns(&joined(&[10, 20])), [[1, 2], [10, 20]]);
    assert_eq!(columns(&joined(&[])), vec![Vec::<i64>::new(); 2]);
    assert_eq!(columns(&joined(&[30])), [[3], [30]]);
}

#[test]
fn columns_are_of_all_pages_that_results_span() {
    let mut pipe = pipe("[0]", true);
    batch(&mut pipe, &[1, 2]);
    batch(&mut pipe, &[3]);
    let joined = pipe.joined(&returned(&[10, 20, 30])).unwrap().unwrap();
    assert_eq!(columns(&joined), [[1, 2, 3], [10, 20, 30]]);
    let too_many = pipe.joined(&returned(&[40]));
    assert!(matches!(
        too_many,
        Err(PageError::Count {
            rows: 0,
            results: 1
        })
    ));
}

#[test]
fn results_that_are_not_joined_have_no_columns_before_them() {
    let mut pipe = pipe("[0]", false);
    batch(&mut pipe, &[1]);
    assert!(pipe.joined(&returned(&[10])).unwrap().is_none());
}

#[test]
fn arguments_of_their_own_are_the_batch_and_the_input_is_joined() {
    let mut pipe = pipe("null", true);
    for first in [1, 100] {
        fill(&mut pipe, Side::Input, &[first, first + 1]);
        let bytes = fill(&mut pipe, Side::Arguments, &[-first, -first - 1]);
        let made = pipe.batch(bytes, 2, Side::Arguments).unwrap();
        assert_eq!(longs(made), [-first, -first - 1]);
        let page = pipe.rows(&returned(&[7, 8])).unwrap();
        assert_eq!(pairs(page), [(first, 7), (first + 1, 8)]);
    }
}

#[test]
fn results_may_come_in_other_batches_than_the_input_went() {
    let mut pipe = pipe("[0]", true);
    for first in [0, 3, 6] {
        batch(&mut pipe, &[first, first + 1, first + 2]);
    }
    let mut from = 0;
    for count in [1, 1, 4, 0, 3] {
        let results: Vec<i64> = (from..from + count).map(|row| row * 10).collect();
        let page = pipe.rows(&returned(&results)).unwrap();
        let wanted: Vec<_> = (from..from + count).map(|row| (row, row * 10)).collect();
        assert_eq!(pairs(page), wanted);
        from += count;
    }
}

#[test]
fn a_batch_without_rows_takes_no_row_from_the_next() {
    let mut pipe = pipe("[0]", true);
    assert!(batch(&mut pipe, &[]).is_empty());
    batch(&mut pipe, &[5]);
    assert_eq!(pipe.rows(&returned(&[])).unwrap().rows, 0);
    assert_eq!(pairs(pipe.rows(&returned(&[50])).unwrap()), [(5, 50)]);
}

#[test]
fn the_page_before_stays_readable_while_the_next_is_read() {
    let mut pipe = pipe("[0]", true);
    batch(&mut pipe, &[1, 2]);
    batch(&mut pipe, &[3, 4]);
    let first = pipe.rows(&returned(&[10, 20])).unwrap();
    let second = pipe.rows(&returned(&[30, 40])).unwrap();
    assert_eq!(pairs(first), [(1, 10), (2, 20)]);
    assert_eq!(pairs(second), [(3, 30), (4, 40)]);
}

#[test]
fn a_page_is_used_again_once_its_rows_are_joined_and_not_before() {
    let mut pipe = pipe("[0]", true);
    let first = pipe.room(Side::Input, 4 * ROW);
    batch(&mut pipe, &[1]);
    let second = pipe.room(Side::Input, 4 * ROW);
    assert_ne!(first, second, "its row waits to be joined");
    batch(&mut pipe, &[2]);
    pipe.rows(&returned(&[10])).unwrap();
    assert_eq!(pipe.room(Side::Input, 4 * ROW), first);
    batch(&mut pipe, &[3]);
    let page = pipe.rows(&returned(&[20, 30])).unwrap();
    assert_eq!(pairs(page), [(2, 20), (3, 30)]);
}

#[test]
fn a_page_that_a_batch_hardly_fills_serves_the_next_one_too() {
    let mut pipe = pipe("[0]", true);
    let first = pipe.room(Side::Input, 64 * ROW);
    for value in 1..=3 {
        batch(&mut pipe, &[value]);
        assert_eq!(pipe.room(Side::Input, 64 * ROW), first);
    }
    let page = pipe.rows(&returned(&[10, 20, 30])).unwrap();
    assert_eq!(pairs(page), [(1, 10), (2, 20), (3, 30)]);
}

#[test]
fn what_was_written_stays_when_a_page_grows() {
    let mut pipe = pipe("[0]", true);
    fill(&mut pipe, Side::Input, &[1, 2]);
    let address = pipe.room(Side::Input, 1 << 20);
    let page: *mut i64 = std::ptr::with_exposed_provenance_mut(address);
    // SAFETY: the page has room for a third row.
    let third = unsafe { page.add(6) };
    // SAFETY: as above.
    unsafe { third.copy_from_nonoverlapping([16, 0, 3].as_ptr(), 3) };
    let made = pipe.batch(3 * ROW, 3, Side::Input).unwrap();
    assert_eq!(longs(made), [1, 2, 3]);
}

#[test]
fn rows_that_are_not_joined_are_the_results_alone() {
    let mut pipe = pipe("[0]", false);
    batch(&mut pipe, &[1, 2]);
    let page = pipe.rows(&returned(&[10, 20, 30])).unwrap();
    assert_eq!((page.rows, page.bytes), (3, 3 * ROW));
    assert_eq!(words(page), [16, 0, 10, 16, 0, 20, 16, 0, 30]);
}

#[test]
fn more_results_than_rows_are_refused() {
    let mut pipe = pipe("[0]", true);
    batch(&mut pipe, &[1]);
    let refused = pipe.rows(&returned(&[10, 20])).unwrap_err();
    let counts = matches!(
        refused,
        PageError::Count {
            rows: 1,
            results: 2
        }
    );
    assert!(counts, "{refused}");
}

#[test]
fn a_page_that_lies_about_its_rows_is_refused() {
    let mut pipe = pipe("[0]", true);
    let bytes = fill(&mut pipe, Side::Input, &[1, 2]);
    assert!(pipe.batch(bytes, 3, Side::Input).is_err());
    assert!(pipe.batch(bytes + (1 << 20), 2, Side::Input).is_err());
    assert!(pipe.batch(bytes - 8, 2, Side::Input).is_err());
    assert_eq!(
        longs(pipe.batch(bytes, 2, Side::Input).unwrap()),
        [1, 2],
        "a refused batch takes nothing"
    );
}

#[test]
fn a_batch_of_groups_tells_its_pieces_and_a_key_waits_for_each_group() {
    let mut pipe = planned("null", true, true);
    fill(&mut pipe, Side::Input, &[10, 20]);
    let bytes = fill(&mut pipe, Side::Arguments, &[1, 2, 3, 4, 5]);
    let groups = Groups {
        pieces: &[2, -3],
        joined: 2,
    };
    let made = pipe.batch_of_groups(bytes, 5, Side::Arguments, groups);
    let fields = Fields::from(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("pieces", DataType::Int32, false),
    ]);
    let batch = imported(made.unwrap(), fields.clone());
    let pieces: &Int32Array = batch.column(1).as_any().downcast_ref().unwrap();
    assert_eq!(pieces.values(), &[2, -3, 0, 0, 0]);
    let rest = Groups {
        pieces: &[1],
        joined: 0,
    };
    let bytes = fill(&mut pipe, Side::Arguments, &[6]);
    let made = pipe.batch_of_groups(bytes, 1, Side::Arguments, rest);
    assert_eq!(imported(made.unwrap(), fields).column(0).len(), 1);
    let page = pipe.rows(&returned(&[7, 8])).unwrap();
    assert_eq!(pairs(page), [(10, 7), (20, 8)]);
}

#[test]
fn more_pieces_than_rows_are_refused() {
    let mut pipe = planned("[0]", false, true);
    let bytes = fill(&mut pipe, Side::Input, &[1, 2]);
    let groups = Groups {
        pieces: &[1, 1, 1],
        joined: 2,
    };
    assert!(pipe.batch_of_groups(bytes, 2, Side::Input, groups).is_err());
}
