//! Where the C structs become batches, and where errors and panics stop.

use std::any::Any;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Schema};

use crate::Function;
use crate::abi::{self, EmberUdf};

/// The table of a function.
pub const fn table<F: Function>() -> EmberUdf {
    EmberUdf {
        #[expect(clippy::cast_possible_truncation, reason = "it is 32")]
        size: size_of::<EmberUdf>() as u32,
        major: abi::MAJOR,
        minor: abi::MINOR,
        kind: F::KIND,
        reserved: 0,
        results: results::<F>,
        call: call::<F>,
    }
}

/// # Safety
///
/// Of `ember_udf.h`: `arguments` is a live schema, `results` has room for one, and `error` for `room` bytes.
unsafe extern "C" fn results<F: Function>(
    arguments: *const FFI_ArrowSchema,
    results: *mut FFI_ArrowSchema,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let told = guarded(|| {
        // SAFETY: the caller promises a live schema.
        let arguments = unsafe { &*arguments };
        let schema = Schema::try_from(arguments).map_err(|error| words(&error))?;
        let given = F::results(&schema)?;
        FFI_ArrowSchema::try_from(&given).map_err(|error| words(&error))
    });
    // SAFETY: the caller promises room for a schema and for the words.
    unsafe { answer(told, results, error, room) }
}

/// # Safety
///
/// Of `ember_udf.h`: `schema` is a live schema, `arguments` a live array of it that is given away, `results` has
/// room for an array, and `error` for `room` bytes.
unsafe extern "C" fn call<F: Function>(
    schema: *const FFI_ArrowSchema,
    arguments: *mut FFI_ArrowArray,
    results: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let told = guarded(|| {
        // SAFETY: the caller gives the array away; what is left behind in its place is empty.
        let array = unsafe { FFI_ArrowArray::from_raw(arguments) };
        // SAFETY: the caller promises a live schema.
        let schema = unsafe { &*schema };
        // SAFETY: the caller promises that the array is one of the schema.
        let data = unsafe { from_ffi(array, schema) }.map_err(|error| words(&error))?;
        let given = F::call(&RecordBatch::from(StructArray::from(data)))?;
        let sent = to_ffi(&StructArray::from(given).to_data());
        sent.map(|(array, _)| array).map_err(|error| words(&error))
    });
    // SAFETY: the caller promises room for an array and for the words.
    unsafe { answer(told, results, error, room) }
}

fn words(error: &ArrowError) -> String {
    error.to_string()
}

fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(said(panic.as_ref())))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!(
        "the function panicked: {}",
        text.unwrap_or("it did not say why")
    )
}

/// # Safety
///
/// `place` has room for a `T`, and `error` for `room` bytes.
unsafe fn answer<T>(
    told: Result<T, String>,
    place: *mut T,
    error: *mut c_char,
    room: usize,
) -> i32 {
    match told {
        Ok(given) => {
            // SAFETY: the caller promises the place.
            unsafe { place.write(given) };
            0
        }
        Err(text) => {
            // SAFETY: the caller promises the room, of bytes that it owns.
            let room = unsafe { slice::from_raw_parts_mut(error.cast::<u8>(), room) };
            let length = text.len().min(room.len().saturating_sub(1));
            for (place, byte) in room
                .iter_mut()
                .zip(text.as_bytes().iter().take(length).chain(&[0]))
            {
                *place = *byte;
            }
            1
        }
    }
}
