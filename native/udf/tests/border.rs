//! What crosses the border of `ember_udf.h`, with the caller's side played by hand.

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Schema};
use ember_udf::{Scalar, ScalarFunction, abi, table};

/// Gives its first argument back, unless that is empty or begins with a number that it does not like.
struct Moody;

impl Scalar for Moody {
    fn returns(arguments: &Schema) -> Result<DataType, String> {
        let first = arguments.fields().first().ok_or("no argument")?;
        Ok(first.data_type().clone())
    }

    fn call(arguments: &RecordBatch) -> Result<ArrayRef, String> {
        let numbers = arguments
            .column(0)
            .as_any()
            .downcast_ref::<Int64Array>()
            .ok_or("no numbers")?;
        match numbers.iter().next() {
            Some(Some(7)) => Err("seven is refused".to_owned()),
            Some(Some(13)) => {
                #[expect(clippy::panic, reason = "what the border has to stop")]
                {
                    panic!("thirteen")
                }
            }
            _ => Ok(Arc::new(numbers.clone())),
        }
    }
}

fn batch(numbers: Vec<i64>) -> StructArray {
    let field = Field::new("_0", DataType::Int64, true);
    let column: ArrayRef = Arc::new(Int64Array::from(numbers));
    StructArray::from(vec![(Arc::new(field), column)])
}

/// The results, or the words; `room` is what there is for these.
fn call(numbers: Vec<i64>, room: usize) -> Result<ArrayRef, String> {
    let (mut lent, schema) = to_ffi(&batch(numbers).to_data()).map_err(|e| e.to_string())?;
    let mut given = FFI_ArrowArray::empty();
    let mut words: Vec<c_char> = vec![1; room];
    let function = table::<ScalarFunction<Moody>>().call;
    // SAFETY: every pointer is to a live struct of this function's, `room` is that of the words.
    let status = unsafe {
        function(
            &raw const schema,
            &raw mut lent,
            &raw mut given,
            words.as_mut_ptr(),
            room,
        )
    };
    assert!(lent.is_released(), "the callee owns its arguments");
    if status == 0 {
        let field = Field::new("result", DataType::Int64, true);
        let result = FFI_ArrowSchema::try_from(DataType::Struct(vec![field].into()))
            .map_err(|e| e.to_string())?;
        // SAFETY: a status of 0 promises an array of the schema that was told.
        let data = unsafe { from_ffi(given, &result) }.map_err(|e| e.to_string())?;
        return Ok(Arc::clone(StructArray::from(data).column(0)));
    }
    // SAFETY: another status promises a text that ends within the room.
    let text = unsafe { CStr::from_ptr(words.as_ptr()) };
    Err(text.to_string_lossy().into_owned())
}

#[test]
fn a_batch_comes_back() {
    let given = call(vec![1, 2, 3], 100).expect("results");
    let wanted: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    assert_eq!(&given, &wanted);
}

#[test]
fn an_error_and_a_panic_are_words_that_fit_their_room() {
    assert_eq!(call(vec![7], 100), Err("seven is refused".to_owned()));
    assert_eq!(call(vec![7], 6), Err("seven".to_owned()));
    assert_eq!(
        call(vec![13], 100),
        Err("the function panicked: thirteen".to_owned())
    );
}

#[test]
fn the_schema_of_the_results_is_told_first() {
    let ask = table::<ScalarFunction<Moody>>().results;
    let told = |fields: Vec<Field>| {
        let lent = FFI_ArrowSchema::try_from(Schema::new(fields)).expect("a schema");
        let mut given = FFI_ArrowSchema::empty();
        let mut words = [0; 50];
        // SAFETY: every pointer is to a live struct of this function's.
        let status = unsafe {
            ask(
                &raw const lent,
                &raw mut given,
                words.as_mut_ptr(),
                words.len(),
            )
        };
        (status == 0).then(|| Schema::try_from(&given).expect("a schema"))
    };
    let given = told(vec![Field::new("_0", DataType::Utf8, true)]).expect("results");
    assert_eq!(given.field(0).data_type(), &DataType::Utf8);
    assert_eq!(told(vec![]), None);
}

#[test]
fn the_table_says_what_it_is() {
    let table = table::<ScalarFunction<Moody>>();
    assert_eq!(
        (table.size, table.major, table.kind),
        (32, abi::MAJOR, abi::SCALAR)
    );
}
