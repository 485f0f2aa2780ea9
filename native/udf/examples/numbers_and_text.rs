//! Functions for Ember in Rust, as a library to load: `cargo build --release -p ember-udf --example numbers_and_text`.

use std::sync::Arc;

use ember_udf::arrow_array::cast::AsArray;
use ember_udf::arrow_array::types::Int64Type;
use ember_udf::arrow_array::{ArrayRef, RecordBatch, StringArray};
use ember_udf::arrow_schema::{DataType, Schema};
use ember_udf::{Map, MapFunction, Scalar, ScalarFunction};

/// `x + 1`.
#[derive(Debug)]
pub struct AddOne;

impl Scalar for AddOne {
    fn returns(arguments: &Schema) -> Result<DataType, String> {
        only(arguments, &DataType::Int64)
    }

    fn call(arguments: &RecordBatch) -> Result<ArrayRef, String> {
        let numbers = arguments.column(0).as_primitive::<Int64Type>();
        Ok(Arc::new(
            numbers.unary::<_, Int64Type>(|number| number.wrapping_add(1)),
        ))
    }
}

/// A text without its vowels, and backwards.
#[derive(Debug)]
pub struct Disemvowel;

impl Scalar for Disemvowel {
    fn returns(arguments: &Schema) -> Result<DataType, String> {
        only(arguments, &DataType::Utf8)
    }

    fn call(arguments: &RecordBatch) -> Result<ArrayRef, String> {
        let texts = arguments.column(0).as_string::<i32>();
        let changed: StringArray = texts
            .iter()
            .map(|text| text.map(backwards_without_vowels))
            .collect();
        Ok(Arc::new(changed))
    }
}

fn backwards_without_vowels(text: &str) -> String {
    let rest = text.chars().rev();
    rest.filter(|letter| !"aeiouAEIOU".contains(*letter))
        .collect()
}

/// The first half of each batch.
#[derive(Debug)]
pub struct FirstHalf;

impl Map for FirstHalf {
    fn returns(batches: &Schema) -> Result<Schema, String> {
        Ok(batches.clone())
    }

    fn call(batch: &RecordBatch) -> Result<RecordBatch, String> {
        Ok(batch.slice(0, batch.num_rows() / 2))
    }
}

fn only(arguments: &Schema, wanted: &DataType) -> Result<DataType, String> {
    match arguments.fields().as_ref() {
        [one] if one.data_type() == wanted => Ok(wanted.clone()),
        other => Err(format!("wants one column of {wanted}, and got {other:?}")),
    }
}

ember_udf::export!(add_one, ScalarFunction<AddOne>);
ember_udf::export!(disemvowel, ScalarFunction<Disemvowel>);
ember_udf::export!(first_half, MapFunction<FirstHalf>);
