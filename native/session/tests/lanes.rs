//! Sessions on real lane threads, over a bridge that gives every batch back unchanged.

#![cfg(test)]

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use arrow_array::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Fields};
use ember_abi::{
    ArrowArray, ArrowSchema, BridgeTable, Failure, PullStatus, PushStatus, SessionCalls, Span,
    StartSpec,
};
use ember_loader::{Bridge, StartConfig};
use ember_rows::{Lender, lend};
use ember_session::{End, LaneSession, Lanes, Next, Released, Session, SessionSpec, TaskSide};

static INTERRUPTED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static STARTED: AtomicUsize = AtomicUsize::new(0);
static HOLD: AtomicBool = AtomicBool::new(true);
static HELD: AtomicUsize = AtomicUsize::new(0);

/// # Safety
///
/// As [`BridgeTable`] says of this entry.
unsafe extern "C" fn start(_spec: *const StartSpec, _failure: *mut Failure) -> i32 {
    STARTED.fetch_add(1, Ordering::SeqCst);
    0
}

/// # Safety
///
/// As [`BridgeTable`] says of this entry.
unsafe extern "C" fn attach() -> i32 {
    0
}

/// # Safety
///
/// As [`BridgeTable`] says of this entry.
unsafe extern "C" fn interrupt(context: *mut c_void) -> i32 {
    INTERRUPTED.lock().unwrap().push(context.addr());
    1
}

/// # Safety
///
/// As [`BridgeTable`] says of this entry.
unsafe extern "C" fn is_as_new() -> i32 {
    1
}

/// Gives back what it pulls; a header of `stuck` stays busy until interrupted, one of `held` for as
/// long as the test says.
///
/// # Safety
///
/// As [`BridgeTable`] says of this entry.
unsafe extern "C" fn run(calls: *const SessionCalls, _failure: *mut Failure) -> i32 {
    // SAFETY: the lane lends it for the length of the call.
    let calls = unsafe { &*calls };
    // SAFETY: as above.
    let header = unsafe { calls.header.bytes() };
    if header == b"held" {
        HELD.fetch_add(1, Ordering::SeqCst);
    }
    while header == b"held" && HOLD.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
    if header == b"stuck" {
        while !INTERRUPTED.lock().unwrap().contains(&calls.context.addr()) {
            thread::sleep(Duration::from_millis(5));
        }
        return 0;
    }
    let fields = Fields::from(vec![Field::new("a", DataType::Int64, true)]);
    let mut schema = FFI_ArrowSchema::try_from(&DataType::Struct(fields)).unwrap();
    let first: *mut FFI_ArrowSchema = &raw mut schema;
    let mut first: *mut ArrowSchema = first.cast();
    let mut array = ArrowArray::empty();
    // SAFETY: the callbacks take the lane's own context and this call's structs.
    while unsafe { (calls.pull)(calls.context, &raw mut array) } == PullStatus::BATCH {
        // SAFETY: as above.
        let status =
            unsafe { (calls.push)(calls.context, &raw mut array, first, Span::of(b"schema")) };
        if status == PushStatus::CANCELLED {
            break;
        }
        first = std::ptr::null_mut();
    }
    // SAFETY: as above.
    unsafe { (calls.tail)(calls.context, Span::of(b"done")) };
    0
}

fn lanes() -> Lanes {
    let table = BridgeTable {
        size: 56,
        major: 1,
        minor: 1,
        python: 0x030B,
        start: Some(start),
        attach: Some(attach),
        run: Some(run),
        interrupt: Some(interrupt),
        is_as_new: Some(is_as_new),
    };
    let json = br#"{"executable":"/p","version":"3.11","pythonPath":"","workerPackage":"/x"}"#;
    Lanes::start(Bridge::from_table(table), StartConfig::parse(json).unwrap()).unwrap()
}

fn session(header: &[u8]) -> Arc<Session> {
    Arc::new(Session::new(SessionSpec {
        header: header.to_vec(),
        input_schema: Vec::new(),
        environment: Vec::new(),
        depth: 2,
        gathers: false,
    }))
}

fn longs(values: &[i64], token: i64, lender: &Arc<Released>) -> ArrowArray {
    let rows = i64::try_from(values.len()).unwrap();
    let address = i64::try_from(values.as_ptr().expose_provenance()).unwrap();
    let layout = [rows, 1, rows, 0, 2, 0, 0, 0, address, rows * 8];
    // SAFETY: every caller keeps `values` until the token is back.
    unsafe { lend(&layout, token, Arc::clone(lender) as Arc<dyn Lender>) }.unwrap()
}

#[test]
fn batches_come_back_in_order_and_every_token_is_returned() {
    let (lanes, lender) = (lanes(), Arc::new(Released::default()));
    let values: Vec<Vec<i64>> = (0..50).map(|batch| vec![batch; 3]).collect();
    let session = session(b"");
    lanes.run(&session).unwrap();
    let (mut offered, mut taken) = (0, Vec::new());
    loop {
        match session.next() {
            Next::Input if offered == values.len() => session.end_input(),
            Next::Input => {
                let number = i64::try_from(offered).unwrap();
                session.offer(longs(&values[offered], number, &lender), 24);
                offered += 1;
            }
            Next::Output => {
                let batch = session.take_output().unwrap();
                let address: *const i64 =
                    std::ptr::with_exposed_provenance(usize::try_from(batch.layout()[8]).unwrap());
                // SAFETY: the batch is alive and has three longs.
                taken.push(unsafe { *address });
                session.give_back(batch);
            }
            Next::End => break,
        }
    }
    assert_eq!(taken, (0..50).collect::<Vec<i64>>());
    assert_eq!(session.end(), Some(End::Worker(b"done".to_vec())));
    assert_eq!(session.output_schema(), Some(b"schema".to_vec()));
    assert!(session.wait_for_lane(Duration::from_secs(5)));
    let mut tokens = lender.drain();
    tokens.sort_unstable();
    assert_eq!(tokens, taken);
}

#[test]
fn there_is_a_lane_for_every_open_session() {
    let (lanes, lender) = (lanes(), Arc::new(Released::default()));
    let values = [1_i64];
    let sessions: Vec<_> = (0..8).map(|_| session(b"")).collect();
    for session in &sessions {
        lanes.run(session).unwrap();
    }
    for session in sessions.iter().rev() {
        assert_eq!(session.next(), Next::Input);
        session.offer(longs(&values, 1, &lender), 24);
        session.end_input();
        assert_eq!(session.next(), Next::Output);
        session.give_back(session.take_output().unwrap());
        assert_eq!(session.next(), Next::End);
    }
    assert!(STARTED.load(Ordering::SeqCst) >= 1);
}

#[test]
fn a_cancelled_session_that_goes_on_is_interrupted() {
    let lanes = lanes();
    let stuck = session(b"stuck");
    lanes.run(&stuck).unwrap();
    lanes.cancel(&stuck);
    assert_eq!(stuck.next(), Next::End);
    assert_eq!(stuck.end(), Some(End::Cancelled));
    assert!(stuck.wait_for_lane(Duration::from_secs(10)));
    let after = session(b"");
    lanes.run(&after).unwrap();
    after.end_input();
    assert_eq!(after.next(), Next::End);
    assert_eq!(after.end(), Some(End::Worker(b"done".to_vec())));
}

#[test]
fn a_lane_that_outlives_its_session_is_counted_until_it_is_back() {
    let lanes: &'static Lanes = Box::leak(Box::new(lanes()));
    let held = [session(b"held"), session(b"held")];
    for session in &held {
        lanes.run(session).unwrap();
    }
    while HELD.load(Ordering::SeqCst) < held.len() {
        thread::sleep(Duration::from_millis(5));
    }
    for session in &held {
        assert!(!lanes.close(session, Duration::from_millis(20)));
    }
    let beside = session(b"");
    lanes.run(&beside).unwrap();
    assert!(lanes.close(&beside, Duration::from_secs(10)));
    let out =
        [&held[0], &held[1], &beside].map(|one| LaneSession::new(Arc::clone(one), lanes).runs_on());
    assert_eq!(out, [true, true, false], "each is judged by its own lane");
    assert_eq!((lanes.abandoned(), lanes.are_as_new()), (2, false));
    HOLD.store(false, Ordering::SeqCst);
    for session in &held {
        assert!(session.wait_for_lane(Duration::from_secs(10)));
    }
    assert_eq!(lanes.abandoned(), 0);
    let prompt = session(b"");
    lanes.run(&prompt).unwrap();
    assert!(lanes.close(&prompt, Duration::from_secs(10)));
    assert_eq!((lanes.abandoned(), lanes.are_as_new()), (0, true));
}
