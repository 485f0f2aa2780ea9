//! Functions for Ember in Rust.
//!
//! A function is a type that says how; [`export`] makes it a symbol of the library, which is built as a `cdylib`:
//!
//! ```
//! use ember_udf::arrow_array::{ArrayRef, Int64Array, RecordBatch, cast::AsArray, types::Int64Type};
//! use ember_udf::arrow_schema::{DataType, Field, Schema};
//! use std::sync::Arc;
//!
//! struct AddOne;
//!
//! impl ember_udf::Scalar for AddOne {
//!     fn returns(_arguments: &Schema) -> Result<DataType, String> {
//!         Ok(DataType::Int64)
//!     }
//!
//!     fn call(arguments: &RecordBatch) -> Result<ArrayRef, String> {
//!         let numbers: &Int64Array = arguments.column(0).as_primitive::<Int64Type>();
//!         Ok(Arc::new(numbers.unary::<_, Int64Type>(|x| x.wrapping_add(1))))
//!     }
//! }
//!
//! ember_udf::export!(add_one, ember_udf::ScalarFunction<AddOne>);
//! ```
//!
//! `include/ember_udf.h` is the same contract for C and C++.

pub mod abi;
mod border;

pub use arrow_array;
pub use arrow_schema;
pub use border::table;

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

/// A function that gives a value for each row of its arguments.
pub trait Scalar {
    /// The type of the values, for arguments of these types.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, for the user.
    fn returns(arguments: &Schema) -> Result<DataType, String>;

    /// As many values as there are rows.
    ///
    /// # Errors
    ///
    /// What the task is to fail with.
    fn call(arguments: &RecordBatch) -> Result<ArrayRef, String>;
}

/// A function that gives any number of rows for a batch.
pub trait Map {
    /// The columns of the rows, for batches of these.
    ///
    /// # Errors
    ///
    /// What is wrong with the batches, for the user.
    fn returns(batches: &Schema) -> Result<Schema, String>;

    /// The rows for one batch.
    ///
    /// # Errors
    ///
    /// What the task is to fail with.
    fn call(batch: &RecordBatch) -> Result<RecordBatch, String>;
}

/// What a symbol of a library stands for.
pub trait Function {
    /// `abi::SCALAR` or `abi::MAP`.
    const KIND: u32;

    /// The columns of the results.
    ///
    /// # Errors
    ///
    /// See [`Scalar::returns`].
    fn results(arguments: &Schema) -> Result<Schema, String>;

    /// The results of a batch.
    ///
    /// # Errors
    ///
    /// See [`Scalar::call`].
    fn call(arguments: &RecordBatch) -> Result<RecordBatch, String>;
}

/// A [`Scalar`] as a symbol.
#[derive(Debug)]
pub struct ScalarFunction<F>(PhantomData<F>);

impl<F: Scalar> Function for ScalarFunction<F> {
    const KIND: u32 = abi::SCALAR;

    fn results(arguments: &Schema) -> Result<Schema, String> {
        let field = Field::new("result", F::returns(arguments)?, true);
        Ok(Schema::new(vec![field]))
    }

    fn call(arguments: &RecordBatch) -> Result<RecordBatch, String> {
        let values = F::call(arguments)?;
        let field = Field::new("result", values.data_type().clone(), true);
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![values])
            .map_err(|error| error.to_string())
    }
}

/// A [`Map`] as a symbol.
#[derive(Debug)]
pub struct MapFunction<F>(PhantomData<F>);

impl<F: Map> Function for MapFunction<F> {
    const KIND: u32 = abi::MAP;

    fn results(arguments: &Schema) -> Result<Schema, String> {
        F::returns(arguments)
    }

    fn call(arguments: &RecordBatch) -> Result<RecordBatch, String> {
        F::call(arguments)
    }
}

/// Makes a [`Function`] a symbol of the library.
#[macro_export]
macro_rules! export {
    ($symbol:ident, $function:ty) => {
        /// The function's table, for Ember.
        #[unsafe(no_mangle)]
        pub extern "C" fn $symbol() -> *const $crate::abi::EmberUdf {
            const TABLE: &$crate::abi::EmberUdf = &$crate::table::<$function>();
            TABLE
        }
    };
}
