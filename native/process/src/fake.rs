//! A worker that is a thread of the test: the real worker's end of the wire, and no Python.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema};
use ember_abi::{ArrowArray, ArrowSchema, PullStatus, PushStatus, SessionCalls, Span};
use ember_session::SessionSpec;
use ember_wire::{Control, Job, Link, Socket, shared_file};

use crate::life::Life;
use crate::worker::{Parent, Worker};
use crate::{Config, Workers};

/// What the worker's function does, by the header of the session.
pub(crate) mod does {
    /// Gives every batch back.
    pub(crate) const ECHO: &[u8] = b"echo";
    /// Takes all input, and then gives it back.
    pub(crate) const HOARD: &[u8] = b"hoard";
    /// Gives every batch back, until it has given three; then it dies.
    pub(crate) const DIE_AT_THREE: &[u8] = b"die at three";
    /// Dies before it takes anything.
    pub(crate) const DIE_AT_ONCE: &[u8] = b"die at once";
    /// Gives every batch back, and dies before it tells the end.
    pub(crate) const DIE_AT_THE_END: &[u8] = b"die at the end";
    /// Takes no batch, and ends.
    pub(crate) const NOTHING: &[u8] = b"nothing";
    /// Gives every batch back, and cannot be used again.
    pub(crate) const FAIL: &[u8] = b"fail";
    /// Takes one batch, leaves the others unread, and cannot be used again.
    pub(crate) const FAIL_EARLY: &[u8] = b"fail early";
    /// Sleeps for longer than any test, whatever it is told.
    pub(crate) const HANG: &[u8] = b"hang";
}

/// Counts who was killed.
#[derive(Debug, Default)]
pub(crate) struct Undertaker(pub(crate) AtomicUsize);

impl Parent for Undertaker {
    fn kill(&self, _pid: i32) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn worker(parent: &Arc<Undertaker>) -> Worker {
    let (here, there) = Socket::pair().unwrap();
    let (input, output) = (
        shared_file(c"input").unwrap(),
        shared_file(c"output").unwrap(),
    );
    let control = Control::create(&input).unwrap();
    let link = Link::new(
        there.into_inner(),
        input.try_clone().unwrap(),
        output.try_clone().unwrap(),
    );
    let life = Arc::new(Life::new(1, here));
    let (link, ending) = (Arc::new(link.unwrap()), Arc::clone(&life));
    thread::spawn(move || {
        let died = serve(&link);
        ending.end(if died { libc::SIGSEGV } else { 0 });
    });
    Worker::new(
        life,
        control,
        input,
        output,
        Arc::clone(parent) as Arc<dyn Parent>,
    )
}

pub(crate) fn workers(idle: Vec<Worker>) -> Arc<Workers> {
    let json =
        br#"{"executable":"/p","bridge":"/b","workerPackage":"/w","environment":{},"scope":"a",
        "idleSeconds":60,"residentBytes":1000000000000,"startSeconds":1}"#;
    Workers::of(Config::parse(json).unwrap(), idle)
}

pub(crate) fn spec(does: &[u8], depth: usize) -> SessionSpec {
    SessionSpec {
        header: does.to_vec(),
        input_schema: message(),
        environment: b"A=1".to_vec(),
        depth,
        gathers: false,
    }
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
    ])
}

fn message() -> Vec<u8> {
    let batch = RecordBatch::new_empty(Arc::new(schema()));
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.finish().unwrap();
    let mut bytes = writer.into_inner().unwrap();
    bytes.truncate(bytes.len() - 8);
    bytes
}

/// Serves sessions until one dies (true) or is not to be followed by another.
fn serve(link: &Arc<Link>) -> bool {
    while let Ok(Some(job)) = link.open() {
        let header = {
            let calls = job.calls();
            // SAFETY: the job lives.
            unsafe { calls.header.bytes() }.to_vec()
        };
        if !run(&job, &header) {
            return true;
        }
        let reusable = header != does::FAIL && header != does::FAIL_EARLY;
        if job.finish(b"tail", reusable).is_err() || !reusable {
            return false;
        }
    }
    false
}

fn run(job: &Arc<Job>, does: &[u8]) -> bool {
    let calls = job.calls();
    match does {
        does::DIE_AT_ONCE => return false,
        does::NOTHING => return true,
        does::HANG => thread::sleep(Duration::from_mins(10)),
        _ => {}
    }
    let (mut given, mut first, mut hoard) = (0, true, Vec::new());
    while let Some(batch) = pull(&calls) {
        if does == does::FAIL_EARLY {
            release(batch);
            return true;
        }
        if does == does::HOARD {
            hoard.push(batch);
        } else if push(&calls, batch, std::mem::take(&mut first)) {
            given += 1;
        } else {
            return true;
        }
        if does == does::DIE_AT_THREE && given == 3 {
            return false;
        }
    }
    for batch in hoard {
        push(&calls, batch, std::mem::take(&mut first));
    }
    does != does::DIE_AT_THE_END
}

fn pull(calls: &SessionCalls) -> Option<ArrowArray> {
    let mut array = ArrowArray::empty();
    // SAFETY: the job lives, and the struct is this call's own.
    let status = unsafe { (calls.pull)(calls.context, &raw mut array) };
    (status == PullStatus::BATCH).then_some(array)
}

fn push(calls: &SessionCalls, mut array: ArrowArray, first: bool) -> bool {
    let mut schema = FFI_ArrowSchema::try_from(&DataType::Struct(schema().fields)).unwrap();
    let schema: *mut FFI_ArrowSchema = &raw mut schema;
    let schema: *mut ArrowSchema = if first {
        schema.cast()
    } else {
        std::ptr::null_mut()
    };
    // SAFETY: the job lives, and the structs are this call's own.
    let status =
        unsafe { (calls.push)(calls.context, &raw mut array, schema, Span::of(&message())) };
    release(array);
    status == PushStatus::TAKEN
}

fn release(mut array: ArrowArray) {
    if let Some(release) = array.release {
        // SAFETY: live, and released once.
        unsafe { release(&raw mut array) };
    }
}

/// Batches that a test lends, and how many of them are out.
#[derive(Debug, Default)]
pub(crate) struct Lending(Mutex<i64>);

impl ember_rows::Lender for Lending {
    fn returned(&self, _token: i64) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl Lending {
    pub(crate) fn out(&self) -> i64 {
        *self.0.lock().unwrap()
    }

    /// A batch of `rows` longs that begin with `first`, and texts of theirs.
    pub(crate) fn batch(self: &Arc<Self>, first: i64, rows: usize) -> ArrowArray {
        *self.0.lock().unwrap() += 1;
        let longs: &'static [i64] = Vec::leak((first..).take(rows).collect());
        let text = longs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let ends: Vec<i32> = text
            .iter()
            .scan(0, |end, one| {
                *end += i32::try_from(one.len()).unwrap();
                Some(*end)
            })
            .collect();
        let offsets: &'static [i32] = Vec::leak([vec![0], ends].concat());
        let text: &'static [u8] = Vec::leak(text.concat().into_bytes());
        let place =
            |address: usize, bytes: usize| [address, bytes].map(|it| i64::try_from(it).unwrap());
        let rows = i64::try_from(rows).unwrap();
        let mut layout = vec![rows, 2, rows, 0, 2, 0, 0, 0];
        layout.extend(place(longs.as_ptr().expose_provenance(), longs.len() * 8));
        layout.extend([rows, 0, 3, 0, 0, 0]);
        layout.extend(place(
            offsets.as_ptr().expose_provenance(),
            offsets.len() * 4,
        ));
        layout.extend(place(text.as_ptr().expose_provenance(), text.len()));
        // SAFETY: the memory is never freed.
        unsafe { ember_rows::lend(&layout, 0, Arc::clone(self) as Arc<dyn ember_rows::Lender>) }
            .unwrap()
    }
}
