//! Where C structs and pointers become Rust's, and where errors and panics stop.

use std::any::Any;
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Mutex, PoisonError};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};

use crate::abi::{DONE, EmberPolicy, FAILED, MAJOR, MINOR, REFUSED};
use crate::codes::Refusal;
use crate::plan::Plan;
use crate::scores::score;
use crate::search::best_splits;
use crate::statistics::Statistics;

/// What a caller holds between `open` and `close`, from whatever threads.
struct Opened {
    plan: Plan,
    counted: Option<Mutex<Statistics>>,
}

/// The library's table.
#[unsafe(no_mangle)]
pub extern "C" fn ember_policy_v1() -> *const EmberPolicy {
    const TABLE: &EmberPolicy = &EmberPolicy {
        #[expect(clippy::cast_possible_truncation, reason = "it is 64")]
        size: size_of::<EmberPolicy>() as u32,
        major: MAJOR,
        minor: MINOR,
        close,
        open,
        score: score_batch,
        add,
        cells,
        merge,
        search,
    };
    TABLE
}

/// # Safety
///
/// `opened` is of `open`, and nobody uses it any more.
unsafe extern "C" fn close(opened: *mut c_void) -> i32 {
    // SAFETY: the caller promises that it is what `open` leaked, and its last owner.
    let opened = unsafe { Box::from_raw(opened.cast::<Opened>()) };
    drop(opened);
    DONE
}

/// # Safety
///
/// `plan` has `length` bytes, `opened` has room for a pointer, and `error` for `room` bytes.
unsafe extern "C" fn open(
    plan: *const u8,
    length: usize,
    opened: *mut *mut c_void,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let told = guarded(|| {
        // SAFETY: the caller promises the bytes.
        let text = unsafe { slice::from_raw_parts(plan, length) };
        let plan = Plan::read(text).map_err(|wrong| (FAILED, wrong.to_string()))?;
        let counted = Statistics::new(&plan).map(Mutex::new);
        let found = Box::into_raw(Box::new(Opened { plan, counted }));
        // SAFETY: the caller promises the place; `close` takes what it points to back.
        unsafe { opened.write(found.cast()) };
        Ok(())
    });
    // SAFETY: the caller promises room for the words.
    unsafe { answer(told, error, room) }
}

/// # Safety
///
/// As of [`with_batch`]; `scores` has `length` places that nobody else uses.
unsafe extern "C" fn score_batch(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    scores: *mut f64,
    length: usize,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let work = |opened: &Opened, batch: &RecordBatch| {
        // SAFETY: the caller promises the places; numpy's memory is never null.
        let scores = unsafe { slice::from_raw_parts_mut(scores, length) };
        score(&opened.plan, batch, scores)
    };
    // SAFETY: the caller promises the same.
    unsafe { with_batch(opened, schema, batch, (error, room), work) }
}

/// # Safety
///
/// As of [`with_batch`].
unsafe extern "C" fn add(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let work = |opened: &Opened, batch: &RecordBatch| {
        with_counted(opened, |counted| counted.add(&opened.plan, batch))
    };
    // SAFETY: the caller promises the same.
    unsafe { with_batch(opened, schema, batch, (error, room), work) }
}

/// # Safety
///
/// As of [`with_batch`].
unsafe extern "C" fn merge(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let work =
        |opened: &Opened, batch: &RecordBatch| with_counted(opened, |counted| counted.merge(batch));
    // SAFETY: the caller promises the same.
    unsafe { with_batch(opened, schema, batch, (error, room), work) }
}

/// # Safety
///
/// As of [`with_opened`]; `cells` has `length` places that nobody else uses.
unsafe extern "C" fn cells(
    opened: *const c_void,
    cells: *mut i64,
    length: usize,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let work = |opened: &Opened| {
        // SAFETY: the caller promises the places; numpy's memory is never null.
        let cells = unsafe { slice::from_raw_parts_mut(cells, length) };
        with_counted(opened, |counted| counted.copy(cells))
    };
    // SAFETY: the caller promises the same.
    unsafe { with_opened(opened, (error, room), work) }
}

/// # Safety
///
/// As of [`with_opened`]; schema and batch have room for their structs.
unsafe extern "C" fn search(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: *mut c_char,
    room: usize,
) -> i32 {
    let work = |opened: &Opened| {
        let found = with_counted(opened, |counted| best_splits(&opened.plan, counted))?;
        let exported = to_ffi(&StructArray::from(found).to_data());
        let (array, described) = exported.map_err(|error| wrong(&error.to_string()))?;
        // SAFETY: the caller promises the room, and releases what it gets.
        unsafe { schema.write(described) };
        // SAFETY: the same of the batch.
        unsafe { batch.write(array) };
        Ok(())
    };
    // SAFETY: the caller promises the same.
    unsafe { with_opened(opened, (error, room), work) }
}

/// Works with what was opened and a batch, which is taken away.
///
/// # Safety
///
/// As of [`with_opened`]; schema and batch are live, belong together and are given away.
unsafe fn with_batch(
    opened: *const c_void,
    schema: *mut FFI_ArrowSchema,
    batch: *mut FFI_ArrowArray,
    error: (*mut c_char, usize),
    work: impl FnOnce(&Opened, &RecordBatch) -> Result<(), Refusal>,
) -> i32 {
    // SAFETY: the caller gives it away; what is left behind in its place is empty.
    let schema = unsafe { FFI_ArrowSchema::from_raw(schema) };
    // SAFETY: the caller gives it away; what is left behind in its place is empty.
    let batch = unsafe { FFI_ArrowArray::from_raw(batch) };
    let work = |opened: &Opened| {
        // SAFETY: the caller promises that they belong together.
        let data = unsafe { from_ffi(batch, &schema) };
        let data = data.map_err(|error| wrong(&error.to_string()))?;
        work(opened, &RecordBatch::from(StructArray::from(data)))
    };
    // SAFETY: the caller promises the same.
    unsafe { with_opened(opened, error, work) }
}

/// Works with what was opened, and says how that ended.
///
/// # Safety
///
/// `opened` is of `open`; `error` points to so many bytes that nobody else uses.
unsafe fn with_opened(
    opened: *const c_void,
    (error, room): (*mut c_char, usize),
    work: impl FnOnce(&Opened) -> Result<(), Refusal>,
) -> i32 {
    // SAFETY: the caller promises what `open` gave.
    let opened = unsafe { &*opened.cast::<Opened>() };
    let told = guarded(|| work(opened).map_err(status));
    // SAFETY: the caller promises room for the words.
    unsafe { answer(told, error, room) }
}

fn with_counted<T>(
    opened: &Opened,
    work: impl FnOnce(&mut Statistics) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let counted = opened.counted.as_ref();
    let counted = counted.ok_or_else(|| wrong("the plan counts nothing"))?;
    work(&mut counted.lock().unwrap_or_else(PoisonError::into_inner))
}

fn wrong(words: &str) -> Refusal {
    Refusal::Shape(words.to_owned())
}

fn status(refusal: Refusal) -> (i32, String) {
    match refusal {
        Refusal::Shape(words) => (FAILED, words),
        Refusal::Value(words) => (REFUSED, words),
    }
}

fn guarded(work: impl FnOnce() -> Result<(), (i32, String)>) -> Result<(), (i32, String)> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err((FAILED, said(panic.as_ref()))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the kernel panicked: {}", text.unwrap_or("without words"))
}

/// # Safety
///
/// `error` has `room` bytes that nobody else uses.
unsafe fn answer(told: Result<(), (i32, String)>, error: *mut c_char, room: usize) -> i32 {
    let Err((status, text)) = told else {
        return DONE;
    };
    // SAFETY: the caller promises the bytes.
    let room = unsafe { slice::from_raw_parts_mut(error.cast::<u8>(), room) };
    let length = text.len().min(room.len().saturating_sub(1));
    let bytes = text.as_bytes().iter().take(length).chain(&[0]);
    for (place, byte) in room.iter_mut().zip(bytes) {
        *place = *byte;
    }
    status
}
