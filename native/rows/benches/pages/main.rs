//! Both conversions of every type that Spark stores: `cargo bench -p ember-rows`.
//!
//! One column of 10,000 rows, every tenth null, buffers hot, as in a task's later batches. Text and
//! binary hold 20 bytes, arrays three elements, maps two entries. `cargo bench -p ember-rows string`
//! measures only what that names. The figures are wall time: they want a quiet machine. An import
//! of the batch and its drop, as Python does them, are within `to_arrow`.
#![expect(
    clippy::unwrap_used,
    clippy::missing_docs_in_private_items,
    reason = "a program to run by hand"
)]

mod values;

#[path = "../../tests/pages/spark.rs"]
#[expect(
    dead_code,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "it is a part of the tests, which use more of it"
)]
mod spark;
#[path = "../../tests/pages/support.rs"]
#[expect(
    dead_code,
    clippy::panic,
    reason = "it is a part of the tests, which use more of it"
)]
mod support;

use std::time::Duration;

use arrow_schema::DataType;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ember_rows::pages::{Page, RowPage, Rows, Shape, SparkField, ToArrow, ToRows};

const ROWS: usize = 10_000;

criterion_group! {
    name = pages;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = every_type
}
criterion_main!(pages);

fn every_type(criterion: &mut Criterion) {
    for (name, json) in values::TYPES {
        one_type(criterion, name, json);
    }
}

fn one_type(criterion: &mut Criterion, name: &str, json: &str) {
    let fields = vec![SparkField::new(values::parse(json), true)];
    let page = spark::page(&fields, &values::rows(&fields, ROWS));
    let rows = Rows::new(Page::of(&page), ROWS);
    let columns = fields.iter().map(|field| field.of.clone()).enumerate();
    let reader = ToArrow::new(Shape::new(1, columns.collect())).unwrap();
    let of = DataType::Struct(support::arrow_fields(&fields, false));
    let batch = support::import(reader.convert(&[rows]).unwrap(), of.clone());
    let joined = ToRows::joined(&fields, fields.clone());
    let alone = ToRows::alone(fields, false);
    let mut out = RowPage::default();

    let mut group = criterion.benchmark_group("pages");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function(BenchmarkId::new("to_arrow", name), |bencher| {
        bencher.iter(|| support::import(reader.convert(&[rows]).unwrap(), of.clone()));
    });
    group.bench_function(BenchmarkId::new("to_joined_rows", name), |bencher| {
        bencher.iter(|| joined.write(&[rows], &batch, &mut out).unwrap());
    });
    group.bench_function(BenchmarkId::new("to_rows", name), |bencher| {
        bencher.iter(|| alone.write(&[], &batch, &mut out).unwrap());
    });
    group.finish();
}
