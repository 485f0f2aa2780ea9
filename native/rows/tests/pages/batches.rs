//! Batches made from pages: who owns them, and for how long.

use std::thread;

use arrow_schema::DataType;
use ember_abi::ArrowArray;
use ember_rows::pages::{
    Page, PageError, RowPage, Rows, Shape, SparkField, SparkType, ToArrow, ToRows,
};

use crate::spark::{Value, page};
use crate::support::{alone, arrow_fields, import};

fn texts(count: usize) -> (Vec<SparkField>, Vec<u8>) {
    let fields = vec![SparkField::new(SparkType::String, true)];
    let rows: Vec<_> = (0..count)
        .map(|row| vec![Value::Text(vec![b'a'; row % 30])])
        .collect();
    let page = page(&fields, &rows);
    (fields, page)
}

fn release(array: &mut ArrowArray) {
    let free = array.release.unwrap();
    // SAFETY: the struct is live and released once.
    unsafe { free(array) };
    assert!(array.release.is_none());
}

/// A struct on its way to another thread, as consumers move them.
struct Moved(ArrowArray);

// SAFETY: the interface allows release on any thread.
unsafe impl Send for Moved {}

#[test]
fn buffers_come_back_when_a_batch_is_released_and_serve_again() {
    let (_, page) = texts(1000);
    let reader = ToArrow::new(Shape::new(1, vec![(0, SparkType::String)])).unwrap();
    let rows = Rows::new(Page::of(&page), 1000);
    let mut first = reader.convert(&[rows]).unwrap();
    let held = reader.held();
    assert!(held > 0);
    release(&mut first);
    let mut second = reader.convert(&[rows]).unwrap();
    assert_eq!(reader.held(), held);
    let mut third = reader.convert(&[rows]).unwrap();
    assert_eq!(reader.held(), 2 * held);
    release(&mut second);
    release(&mut third);
}

#[test]
fn a_batch_outlives_its_page_and_its_maker_and_goes_on_another_thread() {
    let (fields, page) = texts(100);
    let reader = ToArrow::new(Shape::new(1, vec![(0, SparkType::String)])).unwrap();
    let array = Moved(reader.convert(&[Rows::new(Page::of(&page), 100)]).unwrap());
    drop((reader, page));
    let lengths = thread::spawn(move || {
        let whole = array;
        let of = DataType::Struct(arrow_fields(&fields, false));
        let batch = import(whole.0, of);
        batch.validate_full().unwrap();
        batch.child_data()[0].buffers()[1].len()
    });
    assert_eq!(
        lengths.join().unwrap(),
        (0..100).map(|row| row % 30).sum::<usize>()
    );
}

#[test]
fn a_child_may_be_moved_out_and_released_after_its_parent() {
    let (_, page) = texts(10);
    let reader = ToArrow::new(Shape::new(1, vec![(0, SparkType::String)])).unwrap();
    let mut root = reader.convert(&[Rows::new(Page::of(&page), 10)]).unwrap();
    // SAFETY: a live struct with one child.
    let place = unsafe { root.children.read() };
    // SAFETY: the child is live; it is moved as the interface allows, the old one emptied below.
    let mut child = unsafe { place.read() };
    // SAFETY: as above.
    unsafe { (*place).release = None };
    release(&mut root);
    assert_eq!(child.length, 10);
    release(&mut child);
}

#[test]
fn all_columns_may_be_the_fields_of_one_struct() {
    let (fields, page) = texts(10);
    let shape = Shape::new(1, vec![(0, SparkType::String)]).wrapped(true);
    let array = ToArrow::new(shape).unwrap();
    let array = array.convert(&[Rows::new(Page::of(&page), 10)]).unwrap();
    let inner = SparkField::new(SparkType::Struct(fields.clone()), true);
    let of = DataType::Struct(arrow_fields(&[inner], false));
    let batch = import(array, of);
    assert_eq!((batch.len(), batch.child_data()[0].len()), (10, 10));
    let mut back = RowPage::default();
    ToRows::alone(fields, true)
        .write(&[], &batch.slice(0, 10), &mut back)
        .unwrap();
    assert_eq!(back.as_slice(), page);
    let rows = Rows::new(Page::of(&page), 10).skip(4).unwrap();
    let fields = vec![SparkField::new(SparkType::String, true)];
    ToRows::alone(fields, true)
        .write(&[], &batch.slice(4, 6), &mut back)
        .unwrap();
    assert_eq!(back.as_slice(), &page[rows.read()..]);
}

#[test]
fn a_batch_may_be_made_of_some_columns_and_several_pages() {
    let fields = [SparkType::Int, SparkType::String, SparkType::Long];
    let fields = fields.map(|of| SparkField::new(of, true));
    let row = |n: u8| {
        let long = Value::Plain(u64::from(n).to_le_bytes().to_vec());
        vec![Value::Null, Value::Text(vec![n; n.into()]), long]
    };
    let pages = [page(&fields, &[row(1), row(2)]), page(&fields, &[row(3)])];
    let columns = vec![(2, SparkType::Long), (1, SparkType::String)];
    let reader = ToArrow::new(Shape::new(3, columns)).unwrap();
    let rows = [
        Rows::new(Page::of(&pages[0]), 2),
        Rows::new(Page::of(&pages[1]), 1),
    ];
    let array = reader.convert(&rows).unwrap();
    let of = [
        SparkField::new(SparkType::Long, true),
        SparkField::new(SparkType::String, true),
    ];
    let batch = import(array, DataType::Struct(arrow_fields(&of, false)));
    let longs = batch.child_data()[0].buffers()[0].as_slice();
    assert_eq!(longs[..24], [1_u64, 2, 3].map(u64::to_le_bytes).concat());
    assert_eq!(
        batch.child_data()[1].buffers()[1].as_slice()[..6],
        [1, 2, 2, 3, 3, 3]
    );
}

#[test]
fn a_batch_that_was_never_checked_gives_an_error_and_no_stray_read() {
    let bytes = |bytes: &[u8]| arrow_buffer::Buffer::from(bytes);
    let offsets = arrow_buffer::Buffer::from_vec(vec![0_i32, 1_000_000]);
    let text = arrow_data::ArrayData::builder(DataType::Utf8).len(1);
    let text = text.add_buffer(offsets.clone()).add_buffer(bytes(b"abc"));
    // SAFETY: deliberately wrong; only the code under test reads it.
    let text = unsafe { text.build_unchecked() };
    let of = DataType::new_list(DataType::Utf8, true);
    let list = arrow_data::ArrayData::builder(of).len(1);
    let list = list.add_buffer(offsets).add_child_data(text.clone());
    // SAFETY: as above.
    let list = unsafe { list.build_unchecked() };
    let array = SparkType::Array {
        element: Box::new(SparkType::String),
        nulls: true,
    };
    for (of, column) in [(SparkType::String, text), (array, list)] {
        let field = arrow_schema::Field::new("c", column.data_type().clone(), true);
        let batch = DataType::Struct(vec![field].into());
        let batch = arrow_data::ArrayData::builder(batch).len(1);
        // SAFETY: as above.
        let batch = unsafe { batch.add_child_data(column).build_unchecked() };
        let fields = [SparkField::new(of, true)];
        assert!(matches!(alone(&fields, &batch), Err(PageError::Batch(_))));
    }
}
