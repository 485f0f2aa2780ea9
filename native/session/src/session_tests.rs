use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::ffi::to_ffi;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray};

use super::*;

/// Bytes of a batch that is not small.
const LARGE: u64 = 1 << 20;

fn session(depth: usize) -> Session {
    Session::new(SessionSpec {
        header: Vec::new(),
        input_schema: Vec::new(),
        environment: Vec::new(),
        depth,
        gathers: true,
    })
}

#[test]
fn input_is_asked_for_until_the_queue_is_full() {
    let session = session(2);
    assert_eq!(session.next(), Next::Input);
    session.offer(ArrowArray::empty(), LARGE);
    assert_eq!(session.next(), Next::Input);
    session.offer(ArrowArray::empty(), LARGE);
    session.worker_ended(b"t");
    assert_eq!(session.next(), Next::End);
}

#[test]
fn without_a_pipeline_input_is_asked_for_when_the_lane_waits() {
    let session = session(0);
    std::thread::scope(|threads| {
        let lane = threads.spawn(|| {
            let batches = std::iter::from_fn(|| session.pull().unwrap());
            let count = batches
                .inspect(|_| assert!(session.state().input.is_empty()))
                .count();
            session.worker_ended(b"");
            count
        });
        for _ in 0..3 {
            assert_eq!(session.next(), Next::Input);
            session.offer(ArrowArray::empty(), LARGE);
        }
        assert_eq!(session.next(), Next::Input);
        session.end_input();
        assert_eq!(session.next(), Next::End);
        assert_eq!(lane.join().unwrap(), 3);
    });
}

#[test]
fn pull_gives_batches_then_the_end_of_input() {
    let session = session(1);
    session.offer(ArrowArray::empty(), LARGE);
    session.end_input();
    assert!(session.pull().unwrap().is_some());
    assert!(session.pull().unwrap().is_none());
}

fn result(value: i64) -> Checked {
    checked(vec![value])
}

fn checked(values: Vec<i64>) -> Checked {
    let column: ArrayRef = Arc::new(Int64Array::from(values));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let (array, schema) = to_ffi(&StructArray::from(batch).to_data()).unwrap();
    let (mut array, mut schema) = (ManuallyDrop::new(array), ManuallyDrop::new(schema));
    // SAFETY: just exported, and moved out exactly once.
    let schema = unsafe { ReturnedSchema::take((&raw mut *schema).cast()) }.unwrap();
    // SAFETY: as above; exported with this schema.
    unsafe { schema.check((&raw mut *array).cast()) }.unwrap()
}

/// Rows and batches of the outputs that are ready.
fn ready(session: &Session) -> Vec<(usize, usize)> {
    let batches = std::iter::from_fn(|| session.take_output());
    batches
        .map(|batch| (batch.data().len(), batch.batches()))
        .collect()
}

#[test]
fn results_that_come_quickly_are_handed_over_together() {
    let session = session(2);
    assert!(session.push(&result(0)).unwrap()); // the first is awaited
    let mut waited = Vec::new();
    while waited.iter().all(|(_, batches)| *batches == 1) {
        assert!(session.push(&result(1)).unwrap());
        waited.extend(ready(&session)); // one alone where the machine has stopped
    }
    assert!(session.push(&result(2)).unwrap());
    session.offer(ArrowArray::empty(), LARGE);
    session.pull().unwrap();
    assert_eq!(ready(&session).last(), Some(&(1, 1)));
}

#[test]
fn a_result_after_a_slow_one_does_not_wait() {
    let session = session(2);
    for _ in 0..3 {
        assert!(session.push(&result(1)).unwrap());
        assert_eq!(ready(&session), [(1, 1)]);
        std::thread::sleep(crate::queue::QUICK);
    }
}

#[test]
fn who_takes_output_wakes_no_lane_that_waits_for_input() {
    let session = session(2);
    let sleeps = || session.state().lane_sleeps;
    std::thread::scope(|threads| {
        threads.spawn(|| {
            assert!(session.push(&result(0)).unwrap()); // the first is awaited
            assert_eq!(session.pull().map(|_| ()), Err(Stopped));
        });
        while !sleeps() {
            std::thread::yield_now();
        }
        assert_eq!(session.next(), Next::Output);
        let (taken, asleep) = (session.take_output(), sleeps());
        session.cancel();
        assert!(taken.is_some() && asleep);
    });
}

#[test]
fn a_lane_without_room_goes_on_when_output_is_taken() {
    const BATCHES: usize = 100;
    let session = session(1);
    let wide = checked(vec![0; 100_000]);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for _ in 0..BATCHES {
                assert!(session.push(&wide).unwrap());
            }
            session.worker_ended(b"");
        });
        let mut taken = 0;
        while taken < BATCHES {
            while !session.state().lane_sleeps && session.end().is_none() {
                std::thread::yield_now();
            }
            taken += usize::from(session.take_output().is_some()); // and nothing else wakes it
        }
    });
}

#[test]
fn what_was_gathered_is_not_handed_over_by_a_thread_that_reads() {
    let session = session(2);
    while !ready(&session).is_empty() || session.hand().output.batches() == 0 {
        assert!(session.push(&result(0)).unwrap()); // handed over at once where the machine has stopped
    }
    session.offer(ArrowArray::empty(), LARGE);
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| session.pull().unwrap().is_some());
        assert!(reading.join().unwrap());
    });
    assert_eq!(ready(&session), []);
    session.worker_ended(b"");
    assert_eq!(ready(&session).len(), 1);
}

#[test]
fn a_function_may_read_on_a_thread_of_its_own() {
    const BATCHES: usize = 10_000;
    let session = session(1);
    let (session, wide) = (&session, &checked(vec![0; 100_000]));
    let (read, to_work) = std::sync::mpsc::sync_channel(1);
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let mut outputs = 0;
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let waits = finished.recv_timeout(Duration::from_mins(1));
            assert_eq!(waits, Ok(()), "{}", session.cancel());
        });
        threads.spawn(move || {
            while let Ok(Some(_)) = session.pull() {
                read.send(()).unwrap();
            }
        });
        threads.spawn(move || {
            while to_work.recv().is_ok() && session.push(wide).unwrap() {}
            session.worker_ended(b"");
        });
        let mut inputs = 0;
        loop {
            match session.next() {
                Next::Input if inputs == BATCHES => session.end_input(),
                Next::Input => {
                    session.offer(ArrowArray::empty(), LARGE);
                    inputs += 1;
                }
                Next::Output => outputs += session.take_output().map_or(0, |_| 1),
                Next::End => break,
            }
        }
        finish.send(()).unwrap();
    });
    assert_eq!(outputs, BATCHES);
}

#[test]
fn what_was_gathered_comes_before_the_end() {
    let session = session(2);
    let count = 5;
    for value in 0..count {
        assert!(session.push(&result(value)).unwrap());
    }
    session.worker_ended(b"tail");
    assert!(!session.push(&result(9)).unwrap());
    let rows: usize = ready(&session).iter().map(|(rows, _)| rows).sum();
    assert_eq!(rows, 5);
    assert_eq!(session.next(), Next::End);
}

#[test]
fn small_input_is_taken_together_and_large_input_is_not() {
    let session = session(4);
    for _ in 0..4 {
        session.offer(ArrowArray::empty(), 10);
    }
    assert!(session.pull().unwrap().is_some());
    assert!(session.state().input.is_empty());
    for _ in 0..3 {
        assert!(session.pull().unwrap().is_some());
    }
    for _ in 0..2 {
        session.offer(ArrowArray::empty(), LARGE);
    }
    assert!(session.pull().unwrap().is_some());
    assert!(!session.state().input.is_empty());
    assert!(session.cancel());
    assert_eq!(session.pull().unwrap_err(), Stopped);
}

#[test]
fn the_first_end_wins() {
    let session = session(1);
    session.worker_ended(b"tail");
    assert!(!session.cancel());
    session.lane_left(None);
    assert_eq!(session.end(), Some(End::Worker(b"tail".to_vec())));
}

#[test]
fn a_cancelled_session_stops_its_lane() {
    let session = session(1);
    assert!(session.cancel());
    assert_eq!(session.pull().unwrap_err(), Stopped);
    assert_eq!(session.next(), Next::End);
    assert!(!session.wait_for_lane(Duration::from_millis(1)));
    session.lane_left(None);
    assert!(session.wait_for_lane(Duration::ZERO));
}

#[test]
fn a_lane_that_leaves_without_a_tail_breaks_the_session() {
    let session = session(1);
    session.lane_left(Some("no interpreter".to_owned()));
    assert_eq!(
        session.end(),
        Some(End::Broken("no interpreter".to_owned()))
    );
}
