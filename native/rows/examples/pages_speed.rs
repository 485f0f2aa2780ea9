//! CPU nanoseconds per row of both conversions: `cargo run --release -p ember-rows --example pages_speed`.
//!
//! Shapes: L one long, S one string of about 20 characters, M5 five mixed columns, N5 the same with a
//! null in every tenth place, each in batches of 10,000 rows with hot buffers; then what a batch of
//! one row costs. Printed: the least and the median of the rounds. An argument
//! names the one shape to run.
#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program to run by hand"
)]

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_data::ArrayData;
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Field, TimeUnit};
use ember_abi::ArrowArray;
use ember_rows::pages::{Page, RowPage, Rows, Shape, SparkField, SparkType, ToArrow, ToRows};

const ROWS: usize = 10_000;
const BATCHES: usize = 20;
const ROUNDS: usize = 15;

fn main() {
    let decimal = SparkType::Decimal {
        precision: 12,
        scale: 2,
    };
    let mixed = vec![
        (SparkType::Int, DataType::Int32),
        (SparkType::Double, DataType::Float64),
        (SparkType::String, DataType::Utf8),
        (decimal, DataType::Decimal128(12, 2)),
        (
            SparkType::Timestamp,
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ),
    ];
    measure("L ", &[(SparkType::Long, DataType::Int64)]);
    measure("S ", &[(SparkType::String, DataType::Utf8)]);
    measure("M5", &mixed);
    measure("N5", &mixed);
}

fn measure(name: &str, columns: &[(SparkType, DataType)]) {
    if std::env::args()
        .nth(1)
        .is_some_and(|only| only != name.trim())
    {
        return;
    }
    let types: Vec<_> = columns.iter().map(|(of, _)| of.clone()).collect();
    let page = page(&types, name.starts_with('N'));
    let rows = Rows::new(Page::of(&page), ROWS);
    let shape = Shape::new(types.len(), types.iter().cloned().enumerate().collect());
    let reader = ToArrow::new(shape).unwrap();
    let fields: Vec<_> = types
        .into_iter()
        .map(|of| SparkField::new(of, true))
        .collect();
    let fields_of = columns.iter().enumerate();
    let fields_of = fields_of.map(|(at, (_, of))| Field::new(format!("c{at}"), of.clone(), true));
    let of = DataType::Struct(fields_of.collect());
    time(name, "pages to Arrow", || {
        free(reader.convert(&[rows]).unwrap());
    });
    let batch = import(reader.convert(&[rows]).unwrap(), of);
    let joined = ToRows::joined(&fields, fields.clone());
    let mut out = RowPage::default();
    time(name, "Arrow to joined rows", || {
        joined.write(&[rows], &batch, &mut out).unwrap();
    });
    let alone = ToRows::alone(fields, false);
    time(name, "Arrow to rows", || {
        alone.write(&[], &batch, &mut out).unwrap();
    });
    let (one, first) = (rows.take(1), batch.slice(0, 1));
    time(name, "one row, both ways", || {
        free(reader.convert(&[one]).unwrap());
        joined.write(&[one], &first, &mut out).unwrap();
    });
}

fn time(name: &str, what: &str, mut work: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_nanos();
            for _ in 0..BATCHES {
                work();
            }
            (cpu_nanos() - start) / (ROWS * BATCHES) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let (least, median) = (rounds.first().unwrap(), rounds.get(ROUNDS / 2).unwrap());
    println!("{name} {what:22} {least:6.2} / {median:6.2} ns per row of {ROWS}");
}

fn cpu_nanos() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock is known, and `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Rows as Spark lays them out; text of 16 to 24 characters.
fn page(types: &[SparkType], nulls: bool) -> Vec<u8> {
    let mut page = Vec::new();
    for row in 0..ROWS as u64 {
        let mut slots = vec![0_u64];
        let mut tail = Vec::new();
        for (ordinal, of) in types.iter().enumerate() {
            if nulls && row.wrapping_mul(0x9E37_79B9) % 10 == ordinal as u64 {
                *slots.first_mut().unwrap() |= 1 << ordinal;
                slots.push(0);
                continue;
            }
            let text = matches!(of, SparkType::String);
            let len = 16 + row.wrapping_mul(0x9E37_79B9) % 9;
            let at = (8 + 8 * types.len() + tail.len()) as u64;
            slots.push(match of {
                SparkType::Int => row & 0xFFFF,
                _ if text => (at << 32) | len,
                _ => row * 7,
            });
            if text {
                tail.extend((0..len).map(|at| b'a' + (at % 26) as u8));
                tail.resize(tail.len().next_multiple_of(8), 0);
            }
        }
        page.extend(((8 * slots.len() + tail.len()) as u64).to_le_bytes());
        page.extend(slots.iter().flat_map(|slot| slot.to_le_bytes()));
        page.extend(tail);
    }
    page
}

fn free(mut array: ArrowArray) {
    let release = array.release.unwrap();
    // SAFETY: the struct is live and released once.
    unsafe { release(&raw mut array) };
}

fn import(array: ArrowArray, of: DataType) -> ArrayData {
    let mut array = std::mem::ManuallyDrop::new(array);
    let array: *mut ArrowArray = &raw mut *array;
    // SAFETY: the struct is live, and is moved out exactly once.
    let array = unsafe { FFI_ArrowArray::from_raw(array.cast()) };
    // SAFETY: the type is the one the array was made for.
    unsafe { from_ffi_and_data_type(array, of) }.unwrap()
}
