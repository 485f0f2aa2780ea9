//! Sessions over a worker that is a thread: every turn they can take.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use ember_rows::Returned;
use ember_session::{End, Next, TaskSide};

use crate::fake::{Lending, Undertaker, does, spec, worker, workers};
use crate::{ProcessSession, Workers};

struct Stage {
    undertaker: Arc<Undertaker>,
    pool: Arc<Workers>,
    lending: Arc<Lending>,
}

fn stage(count: usize) -> Stage {
    let undertaker = Arc::default();
    let idle = (0..count).map(|_| worker(&undertaker)).collect();
    Stage {
        pool: workers(idle),
        undertaker,
        lending: Arc::default(),
    }
}

fn first_of(batch: &Returned) -> (i64, String) {
    let columns = arrow_array::StructArray::from(batch.data().clone());
    let texts = columns.column(1).as_binary::<i32>();
    let text = String::from_utf8(texts.value(0).to_vec()).unwrap();
    (columns.column(0).as_primitive::<Int64Type>().value(0), text)
}

impl Stage {
    fn open(&self, does: &[u8], depth: usize) -> ProcessSession {
        self.pool.open(&spec(does, depth)).unwrap()
    }

    /// Gives `batches` and takes what comes, to the end; what each output began with.
    fn drive(&self, session: &ProcessSession, batches: i64, rows: usize) -> Vec<i64> {
        let (mut given, mut taken) = (0, Vec::new());
        loop {
            match session.next() {
                Next::Input if given == batches => session.end_input(),
                Next::Input => {
                    session.offer(self.lending.batch(given * 100, rows), 0);
                    given += 1;
                }
                Next::Output => {
                    let batch = session.take_output().unwrap();
                    let (first, text) = first_of(&batch);
                    assert_eq!(text, first.to_string());
                    taken.push(first);
                    session.give_back(batch);
                }
                Next::End => return taken,
            }
        }
    }

    fn wait_for_idle(&self, count: usize) {
        let begun = Instant::now();
        while self.pool.idle() != count {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{} are idle",
                self.pool.idle()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn hundreds(count: i64) -> Vec<i64> {
    (0..count).map(|batch| batch * 100).collect()
}

#[test]
fn batches_come_back_in_order_and_nothing_stays_lent() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&session, 200, 1000), hundreds(200));
    assert_eq!(session.end(), Some(End::Worker(b"tail".to_vec())));
    assert!(session.output_schema().is_some());
    assert!(session.close(Duration::ZERO));
    assert_eq!((stage.lending.out(), stage.pool.idle()), (0, 1));
}

#[test]
fn a_function_may_take_all_of_its_input_before_it_gives_anything() {
    let stage = stage(1);
    let session = stage.open(does::HOARD, 1);
    assert_eq!(stage.drive(&session, 40, 10), hundreds(40));
}

#[test]
fn small_batches_wait_in_greater_number_than_the_depth_says() {
    let stage = stage(1);
    let session = stage.open(does::HANG, 2);
    let mut given = 0;
    while given < 64 {
        assert_eq!(session.next(), Next::Input);
        session.offer(stage.lending.batch(given, 1), 0);
        given += 1;
    }
    session.cancel();
    assert_eq!(session.next(), Next::End);
}

#[test]
fn without_a_pipeline_one_batch_waits() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 0);
    assert_eq!(stage.drive(&session, 100, 2), hundreds(100));
}

#[test]
fn many_small_batches_come_back_in_order_and_leave_no_memory_behind() {
    let stage = stage(1);
    for _ in 0..3 {
        let session = stage.open(does::ECHO, 2);
        assert_eq!(stage.drive(&session, 5000, 3), hundreds(5000));
        assert!(session.held() < 4 << 20, "{} bytes", session.held());
        session.close(Duration::ZERO);
    }
    assert_eq!((stage.lending.out(), stage.pool.idle()), (0, 1));
}

#[test]
fn a_worker_serves_one_session_after_another() {
    let stage = stage(1);
    for round in 1..20 {
        let session = stage.open(does::ECHO, 2);
        assert_eq!(stage.drive(&session, round, 5), hundreds(round));
        session.close(Duration::ZERO);
    }
    assert_eq!(
        (stage.pool.idle(), stage.undertaker.0.load(Ordering::SeqCst)),
        (1, 0)
    );
}

#[test]
fn a_session_without_input_ends() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&session, 0, 1), [0; 0]);
    assert_eq!(session.end(), Some(End::Worker(b"tail".to_vec())));
}

#[test]
fn a_function_that_takes_nothing_ends_and_its_worker_serves_on() {
    let stage = stage(1);
    let session = stage.open(does::NOTHING, 2);
    stage.drive(&session, 10, 10);
    session.close(Duration::ZERO);
    let next = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&next, 3, 10), hundreds(3));
}

#[test]
fn batches_larger_than_the_arena_make_it_grow() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&session, 4, 300_000), hundreds(4));
    session.close(Duration::ZERO);
    assert_eq!(stage.pool.idle(), 1);
}

#[test]
fn an_output_that_is_still_read_outlives_session_and_worker() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 2);
    session.offer(stage.lending.batch(700, 10), 0);
    while session.next() != Next::Output {
        session.end_input();
    }
    let kept = session.take_output().unwrap();
    session.close(Duration::ZERO);
    drop(session);
    drop(stage.pool);
    assert_eq!(first_of(&kept), (700, "700".to_owned()));
}

#[test]
fn a_worker_that_dies_ends_its_session_with_how_it_died() {
    for does in [does::DIE_AT_ONCE, does::DIE_AT_THREE, does::DIE_AT_THE_END] {
        let stage = stage(1);
        let session = stage.open(does, 2);
        let taken = stage.drive(&session, 5, 10);
        assert!(taken.len() <= 5);
        match session.end() {
            Some(End::Died(words)) => assert!(words.contains("signal 11 (SIGSEGV"), "{words}"),
            other => panic!("{other:?}"),
        }
        session.close(Duration::ZERO);
        assert_eq!(stage.lending.out(), 0);
        stage.wait_for_idle(0);
    }
}

#[test]
fn a_worker_whose_function_failed_is_not_used_again() {
    let stage = stage(1);
    let session = stage.open(does::FAIL, 2);
    stage.drive(&session, 2, 10);
    assert_eq!(session.end(), Some(End::Worker(b"tail".to_vec())));
    session.close(Duration::ZERO);
    assert_eq!(
        (stage.pool.idle(), stage.undertaker.0.load(Ordering::SeqCst)),
        (0, 1)
    );
}

#[test]
fn what_a_worker_said_last_is_heard_though_it_left_messages_unread() {
    for _ in 0..50 {
        let stage = stage(1);
        let session = stage.open(does::FAIL_EARLY, 4);
        stage.drive(&session, 8, 10);
        assert_eq!(session.end(), Some(End::Worker(b"tail".to_vec())));
        session.close(Duration::ZERO);
    }
}

#[test]
fn a_session_that_is_left_early_gives_its_worker_back_when_that_has_ended() {
    let stage = stage(1);
    let session = stage.open(does::ECHO, 2);
    session.offer(stage.lending.batch(0, 10), 0);
    while session.next() != Next::Output {
        session.offer(stage.lending.batch(1, 10), 0);
    }
    assert!(session.close(Duration::from_secs(10)));
    stage.wait_for_idle(1);
    let next = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&next, 5, 10), hundreds(5));
}

#[test]
fn a_function_that_does_not_stop_is_killed_after_its_grace() {
    let stage = stage(1);
    let session = stage.open(does::HANG, 2);
    assert!(session.close(Duration::from_millis(50)));
    let begun = Instant::now();
    while stage.undertaker.0.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(stage.pool.idle(), 0);
}

#[test]
fn a_cancelled_session_wakes_the_task_that_waits_for_it() {
    let stage = stage(1);
    let session = Arc::new(stage.open(does::HANG, 1));
    let (waiting, lending) = (Arc::clone(&session), Arc::clone(&stage.lending));
    let task = std::thread::spawn(move || {
        while waiting.next() == Next::Input {
            waiting.offer(lending.batch(0, 10), 0);
        }
        waiting.end()
    });
    std::thread::sleep(Duration::from_millis(50));
    session.cancel();
    assert_eq!(task.join().unwrap(), Some(End::Cancelled));
    session.close(Duration::ZERO);
}

#[test]
fn sessions_chained_in_a_task_have_a_worker_each() {
    let stage = stage(3);
    let sessions: Vec<_> = (0..3).map(|_| stage.open(does::ECHO, 2)).collect();
    for session in sessions.iter().rev() {
        assert_eq!(stage.drive(session, 2, 10), hundreds(2));
        session.close(Duration::ZERO);
    }
    assert_eq!(stage.pool.idle(), 3);
}

#[test]
fn an_idle_worker_that_has_died_is_passed_over() {
    let stage = stage(2);
    let gone = stage.open(does::DIE_AT_ONCE, 2);
    stage.drive(&gone, 0, 1);
    gone.close(Duration::ZERO);
    let session = stage.open(does::ECHO, 2);
    assert_eq!(stage.drive(&session, 2, 10), hundreds(2));
}

#[test]
fn idle_workers_go_after_their_time() {
    let stage = stage(2);
    stage.pool.trim(Instant::now());
    assert_eq!(stage.pool.idle(), 2);
    stage.pool.trim(Instant::now() + Duration::from_secs(61));
    assert_eq!(
        (stage.pool.idle(), stage.undertaker.0.load(Ordering::SeqCst)),
        (0, 2)
    );
}

#[test]
fn workers_that_are_let_go_end_at_once_and_those_with_a_session_after_it() {
    let stage = stage(2);
    let session = stage.open(does::ECHO, 2);
    stage.pool.let_go();
    assert_eq!(stage.undertaker.0.load(Ordering::SeqCst), 1);
    assert_eq!(stage.drive(&session, 2, 10), hundreds(2));
    session.close(Duration::ZERO);
    assert_eq!(
        (stage.pool.idle(), stage.undertaker.0.load(Ordering::SeqCst)),
        (0, 2)
    );
}
