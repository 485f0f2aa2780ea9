//! What a worker does whose function has limited the size of files. The limit is the process's, so this test has
//! one of its own.

#![cfg(test)]

use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray};
use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, Span};
use ember_wire::{
    Arena, Control, Draft, Job, Kind, Link, Message, Received, Shape, Socket, View, read,
    shared_file, wide_file,
};

/// More than an arena has at first.
const ROWS: i64 = 300_000;

/// An array and its schema, of [`ROWS`] numbers.
struct Numbers(FFI_ArrowArray, FFI_ArrowSchema);

impl Numbers {
    fn new() -> Self {
        let numbers: Int64Array = (0..ROWS).collect();
        let column: ArrayRef = Arc::new(numbers);
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let (array, schema) = to_ffi(&StructArray::from(batch).into_data()).unwrap();
        Self(array, schema)
    }

    fn array(&mut self) -> *mut ArrowArray {
        (&raw mut self.0).cast()
    }

    fn schema(&mut self) -> *mut ArrowSchema {
        (&raw mut self.1).cast()
    }

    fn shape(&mut self) -> Shape {
        // SAFETY: the same struct under another name.
        let schema = unsafe { &*self.schema() };
        // SAFETY: live and complete.
        unsafe { Shape::of(schema) }.unwrap()
    }
}

fn sum(array: &ArrowArray) -> i64 {
    // SAFETY: a batch of one column.
    let column = unsafe { *array.children };
    // SAFETY: which lives with its batch.
    let buffers = unsafe { (*column).buffers };
    // SAFETY: an array of numbers has two buffers.
    let second = unsafe { buffers.add(1) };
    // SAFETY: of which the second has its values.
    let values = unsafe { *second }.cast::<i64>();
    // SAFETY: as many as the array's length says.
    unsafe { std::slice::from_raw_parts(values, usize::try_from(array.length).unwrap()) }
        .iter()
        .sum()
}

fn offered(arena: &mut Arena, numbers: &mut Numbers) -> Message {
    let (mut draft, shape) = (Draft::default(), numbers.shape());
    // SAFETY: the same struct under another name.
    let array = unsafe { &*numbers.array() };
    // SAFETY: live, and of this type.
    let bytes = unsafe { draft.measure(&shape, array) }.unwrap();
    let mut room = arena.room(bytes).unwrap();
    // SAFETY: as above.
    unsafe { draft.write(&mut room) }.unwrap();
    room.message(Kind::BATCH)
}

fn pull(job: &Arc<Job>) -> ArrowArray {
    let (calls, mut array) = (job.calls(), ArrowArray::empty());
    // SAFETY: the job lives, and the struct is this call's own.
    let status = unsafe { (calls.pull)(calls.context, &raw mut array) };
    assert_eq!(status, PullStatus::BATCH);
    array
}

fn push(job: &Arc<Job>, numbers: &mut Numbers) -> PushStatus {
    let calls = job.calls();
    let (array, schema) = (numbers.array(), numbers.schema());
    // SAFETY: the job and the structs live.
    unsafe { (calls.push)(calls.context, array, schema, Span::of(b"schema")) }
}

fn limit_files(bytes: u64) {
    let limits = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: numbers.
    let answer = unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limits) };
    assert_eq!(answer, 0);
}

/// How a child ends that reads the array.
fn child_that_reads(array: &ArrowArray) -> i32 {
    // SAFETY: the child reads and ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let is_whole = sum(array) == ROWS * (ROWS - 1) / 2;
        // SAFETY: a number.
        unsafe { libc::_exit(if is_whole { 7 } else { 8 }) };
    }
    let mut status = 0;
    // SAFETY: a child of this process, and a place for its status.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        -libc::WTERMSIG(status)
    }
}

#[test]
fn a_worker_that_may_write_no_files_gives_results_and_its_children_have_their_input() {
    let (executor, worker) = Socket::pair().unwrap();
    let (input, output) = (
        shared_file(c"input").unwrap(),
        wide_file(c"output").unwrap(),
    );
    let _control = Control::create(&input).unwrap();
    let (mut arena, view) = (
        Arena::new(input.try_clone().unwrap()),
        View::new(output.try_clone().unwrap()),
    );
    let link = Arc::new(Link::new(worker.into_inner(), input, output).unwrap());
    let opening = [2_u64, 0, 0, 0].map(u64::to_le_bytes).concat();
    let opening = arena.bytes(&[&opening]).unwrap();
    executor.send(&opening.message(Kind::OPEN)).unwrap();
    let job = link.open().unwrap().unwrap();
    let mut numbers = Numbers::new();
    executor.send(&offered(&mut arena, &mut numbers)).unwrap();

    limit_files(8);
    let pulled = pull(&job);
    let (child, pushed) = (child_that_reads(&pulled), push(&job, &mut numbers));
    limit_files(libc::RLIM_INFINITY); // what is told of this test may go to a file
    assert_eq!((child, pushed), (7, PushStatus::TAKEN));
    let said = std::iter::repeat_with(|| executor.receive().unwrap()).take(2);
    let Some(Received::Message(pushed)) = said.last() else {
        panic!("nothing was said");
    };
    let result = read(view.block(&pushed).unwrap(), Some(&numbers.shape())).unwrap();
    assert_eq!(sum(&result), ROWS * (ROWS - 1) / 2);
}
