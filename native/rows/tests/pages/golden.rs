//! Every byte as Spark makes it: `tests/golden/*.golden` were written by Spark 4.3.0
//! (`Golden.scala` beside them).

use std::fs;
use std::io::Cursor;
use std::path::Path;

use arrow_array::{Array, StructArray};
use arrow_data::ArrayData;
use arrow_ipc::reader::StreamReader;
use arrow_schema::DataType;
use ember_rows::pages::{Page, RowPage, Rows, Shape, SparkField, SparkType, ToArrow, ToRows};

use crate::support::{alone, import};

/// One golden file: input rows, results, and what Spark made of both.
struct Case {
    name: String,
    input: Vec<SparkField>,
    output: Vec<SparkField>,
    page: Vec<u8>,
    rows: usize,
    arrow: ArrayData,
    results: ArrayData,
    joined: Vec<u8>,
    alone: Vec<u8>,
}

#[test]
fn pages_become_the_buffers_that_spark_writes() {
    each(|case| {
        let columns = case.input.iter().map(|field| field.of.clone()).enumerate();
        let large = has_large(case.arrow.data_type());
        let shape = Shape::new(case.input.len(), columns.collect()).large(large);
        let reader = ToArrow::new(shape).unwrap();
        let rows = Rows::new(Page::of(&case.page), case.rows);
        for _ in 0..2 {
            let array = reader.convert(&[rows]).unwrap();
            let ours = import(array, case.arrow.data_type().clone());
            ours.validate().unwrap();
            same(&ours, &case.arrow, &case.name);
        }
    });
}

#[test]
fn joined_rows_are_the_rows_that_spark_projects() {
    each(|case| {
        let writer = ToRows::joined(&case.input, case.output.clone());
        let mut page = RowPage::default();
        let rows = Rows::new(Page::of(&case.page), case.rows);
        for _ in 0..2 {
            let written = writer.write(&[rows], &case.results, &mut page).unwrap();
            assert_eq!(written, case.rows, "{}", case.name);
            same_rows(page.as_slice(), &case.joined, &case.name);
        }
        let split = case.rows / 2;
        let pages = [rows.take(split), rows.skip(split).unwrap()];
        writer.write(&pages, &case.results, &mut page).unwrap();
        same_rows(page.as_slice(), &case.joined, &case.name);
    });
}

#[test]
fn results_alone_are_the_rows_that_spark_projects() {
    each(|case| {
        let page = alone(&case.output, &case.results).unwrap();
        same_rows(&page, &case.alone, &case.name);
    });
}

#[test]
fn a_slice_of_the_results_gives_the_same_rows() {
    each(|case| {
        if case.rows < 3 {
            return;
        }
        let middle = case.results.slice(1, case.rows - 2);
        let page = alone(&case.output, &middle).unwrap();
        let all = Rows::new(Page::of(&case.alone), case.rows);
        let (first, last) = (all.skip(1).unwrap(), all.skip(case.rows - 1).unwrap());
        same_rows(&page, &case.alone[first.read()..last.read()], &case.name);
    });
}

fn each(check: impl Fn(&Case)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "golden") {
            check(&read(&path));
            cases += 1;
        }
    }
    assert!(cases > 40, "only {cases} golden files were found");
}

fn read(path: &Path) -> Case {
    let file = fs::read(path).unwrap();
    let mut rest = &file[..];
    let mut section = || {
        let (len, after) = rest.split_first_chunk::<4>().unwrap();
        let (section, after) = after.split_at(u32::from_be_bytes(*len) as usize);
        rest = after;
        section.to_vec()
    };
    let mut fields =
        || SparkType::fields_from_json(std::str::from_utf8(&section()).unwrap()).unwrap();
    let (input, output) = (fields(), fields());
    let page = section();
    let (arrow, results) = (batch(&section()), batch(&section()));
    Case {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        rows: arrow.len(),
        joined: section(),
        alone: section(),
        input,
        output,
        page,
        arrow,
        results,
    }
}

fn batch(stream: &[u8]) -> ArrayData {
    let reader = StreamReader::try_new(Cursor::new(stream), None).unwrap();
    // SAFETY: Spark wrote the stream; only its text may not be UTF-8, and nothing reads it as such.
    let mut reader = unsafe { reader.with_skip_validation(true) };
    StructArray::from(reader.next().unwrap().unwrap()).into_data()
}

fn has_large(of: &DataType) -> bool {
    match of {
        DataType::LargeUtf8 | DataType::LargeBinary => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_large(field.data_type())),
        DataType::List(field) | DataType::Map(field, _) => has_large(field.data_type()),
        _ => false,
    }
}

/// Equal to the byte, under nulls too.
fn same(ours: &ArrayData, sparks: &ArrayData, name: &str) {
    assert_eq!((ours.offset(), sparks.offset()), (0, 0), "{name}");
    assert_eq!(ours.len(), sparks.len(), "{name}");
    assert_eq!(ours.null_count(), sparks.null_count(), "{name}");
    for row in 0..ours.len() {
        assert_eq!(ours.is_null(row), sparks.is_null(row), "{name}, row {row}");
    }
    for index in 0..ours.buffers().len() {
        let bits = used_bits(ours, index);
        let (ours, sparks) = (&ours.buffers()[index], &sparks.buffers()[index]);
        assert_eq!(
            ours[..bits / 8],
            sparks[..bits / 8],
            "{name}, buffer {index}"
        );
        for bit in bits / 8 * 8..bits {
            let bit = |buffer: &[u8]| buffer[bit / 8] & (1 << (bit % 8)) != 0;
            assert_eq!(bit(ours), bit(sparks), "{name}, buffer {index}");
        }
    }
    for (ours, sparks) in ours.child_data().iter().zip(sparks.child_data()) {
        same(ours, sparks, name);
    }
}

/// Bits of a buffer that mean something; Spark leaves out the one offset of an empty array.
fn used_bits(data: &ArrayData, index: usize) -> usize {
    let offsets = if data.is_empty() { 0 } else { data.len() + 1 };
    match (data.data_type(), index) {
        (DataType::Boolean, _) => data.len(),
        (DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary, 1) => {
            data.buffers()[1].len() * 8
        }
        (DataType::LargeUtf8 | DataType::LargeBinary, _) => offsets * 64,
        (DataType::Utf8 | DataType::Binary | DataType::List(_) | DataType::Map(_, _), _) => {
            offsets * 32
        }
        (fixed, _) => data.len() * fixed.primitive_width().unwrap() * 8,
    }
}

fn same_rows(ours: &[u8], sparks: &[u8], name: &str) {
    let words = |page: &[u8]| {
        let words = page.as_chunks::<8>().0.iter();
        words
            .map(|word| format!("{:016x}", u64::from_le_bytes(*word)))
            .collect::<Vec<_>>()
    };
    assert_eq!(words(ours), words(sparks), "{name}");
}
