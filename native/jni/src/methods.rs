//! One function per native method; each is a call, its arguments and nothing else.

use std::sync::Arc;
use std::time::Duration;

use ember_abi::ArrowArray;
use ember_process::{let_zygotes_go, worker_processes};
use ember_rows::pages::PageError;
use ember_rows::{Returned, RowsError, lend, lent_bytes};
use ember_session::{
    End, Groups, Lanes, OutputPage, RowPipe, RowPlan, SessionSpec, Side, TaskSide,
};
use jni::objects::{JByteArray, JClass, JIntArray, JLongArray, JString};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, EnvUnowned};

use crate::columns;
use crate::errors::{NativeError, Throw};
use crate::process::{
    LEFT, OUTPUTS, Open, RETIRED, SESSIONS, lender, let_go, open, released, running, start, workers,
};
use crate::trim::{trim, worked};

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_start<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    libpython: JString<'local>,
    bridge: JString<'local>,
    config: JByteArray<'local>,
) {
    env.with_env(|env| -> Result<(), NativeError> {
        let libpython = libpython.try_to_string(env)?;
        let bridge = bridge.try_to_string(env)?;
        start(&libpython, &bridge, &env.convert_byte_array(&config)?)
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_workers<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    config: JByteArray<'local>,
) -> jlong {
    env.with_env(|env| workers(&env.convert_byte_array(&config)?))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_letGo<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    workers: jlong,
) {
    env.with_env(|_| let_go(workers)).resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_letZygotesGo<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) {
    env.with_env(|_| -> Result<(), NativeError> {
        let_zygotes_go();
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_workerProcesses<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jint {
    env.with_env(|_| -> Result<jint, NativeError> {
        Ok(jint::try_from(worker_processes()).unwrap_or(jint::MAX))
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_open<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    header: JByteArray<'local>,
    input_schema: JByteArray<'local>,
    environment: JByteArray<'local>,
    depth: jint,
    lane: jlong,
) -> jlong {
    env.with_env(|env| -> Result<jlong, NativeError> {
        let spec = spec(env, &header, &input_schema, &environment, depth)?;
        keep(lane, spec, None)
    })
    .resolve::<Throw>()
}

pub(crate) fn spec(
    env: &Env<'_>,
    header: &JByteArray<'_>,
    input_schema: &JByteArray<'_>,
    environment: &JByteArray<'_>,
    depth: jint,
) -> Result<SessionSpec, NativeError> {
    Ok(SessionSpec {
        header: env.convert_byte_array(header)?,
        input_schema: env.convert_byte_array(input_schema)?,
        environment: env.convert_byte_array(environment)?,
        depth: usize::try_from(depth).map_err(|_| NativeError::Argument("depth"))?,
        gathers: false,
    })
}

pub(crate) fn keep(
    lane: jlong,
    spec: SessionSpec,
    pipe: Option<RowPipe>,
) -> Result<jlong, NativeError> {
    let session = open(lane, spec)?;
    worked();
    Ok(SESSIONS.keep(Open::new(session, pipe)))
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_openRows<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    header: JByteArray<'local>,
    input_schema: JByteArray<'local>,
    environment: JByteArray<'local>,
    depth: jint,
    lane: jlong,
    plan: JByteArray<'local>,
) -> jlong {
    env.with_env(|env| -> Result<jlong, NativeError> {
        let plan = RowPlan::parse(&env.convert_byte_array(&plan)?)?;
        let mut spec = spec(env, &header, &input_schema, &environment, depth)?;
        spec.gathers = !plan.pickles; // which are of one batch
        keep(lane, spec, Some(RowPipe::new(plan)))
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_next<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> jint {
    env.with_env(|_| Ok(SESSIONS.get(session)?.session.next() as jint))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_offer<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    layout: JLongArray<'local>,
    length: jint,
    token: jlong,
) {
    env.with_env(|env| -> Result<(), NativeError> {
        let length = usize::try_from(length).map_err(|_| NativeError::Argument("length"))?;
        let mut longs = vec![0; length];
        layout.get_region(env, 0, &mut longs)?;
        let open = SESSIONS.get(session)?; // first: what is lent is to find its way back
        // SAFETY: NativeApi.offer's contract: the buffers stay until `released` gives the token.
        let batch = unsafe { lend(&longs, token, lender()) }.map_err(RowsError::from)?;
        open.session.offer(batch, lent_bytes(&longs));
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_endInput<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) {
    env.with_env(|_| {
        SESSIONS.get(session)?.session.end_input();
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_output<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JLongArray<'local> {
    env.with_env(|env| -> Result<JLongArray<'local>, NativeError> {
        let open = SESSIONS.get(session)?;
        let batch = open
            .session
            .take_output()
            .ok_or(NativeError::Argument("no output is ready"))?;
        let batch = behind_input(session, &open, batch)?;
        kept(env, &[], open.session, batch)
    })
    .resolve::<Throw>()
}

/// `before`, the handle of a batch that waits for `releaseOutput`, and its layout.
fn kept<'local>(
    env: &mut Env<'local>,
    before: &[jlong],
    session: Arc<dyn TaskSide>,
    batch: Returned,
) -> Result<JLongArray<'local>, NativeError> {
    let mut longs = [before, &[0], batch.layout()].concat();
    let array = env.new_long_array(longs.len())?;
    let handle = OUTPUTS.keep((session, batch));
    if let Some(place) = longs.get_mut(before.len()) {
        *place = handle;
    }
    array.set_region(env, 0, &longs)?;
    Ok(array)
}

/// The batch behind the columns of the input rows that come next, if the session joins them.
fn behind_input(session: jlong, open: &Open, batch: Returned) -> Result<Returned, NativeError> {
    let joined = match &open.pipe {
        Some(_) => {
            let mut pipe = open.pipe()?;
            open.converting(|| pipe.joined(&batch))
        }
        None => open.converting(|| columns::joined(session, &batch)),
    };
    let Some(joined) = joined.transpose() else {
        return Ok(batch);
    };
    // What was joined shares its memory, and is the last to let go of it.
    open.session.give_back(batch);
    Ok(joined?)
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_room<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    arguments: jboolean,
    bytes: jlong,
) -> jlong {
    env.with_env(|_| -> Result<jlong, NativeError> {
        let bytes = usize::try_from(bytes).map_err(|_| NativeError::Argument("bytes"))?;
        let address = SESSIONS.get(session)?.pipe()?.room(side(arguments), bytes);
        long(address)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_offerRows<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    arguments: jboolean,
    bytes: jlong,
    rows: jint,
) -> jlong {
    env.with_env(|_| -> Result<jlong, NativeError> {
        let bytes = usize::try_from(bytes).map_err(|_| NativeError::Argument("bytes"))?;
        let rows = usize::try_from(rows).map_err(|_| NativeError::Argument("rows"))?;
        offered(session, bytes, |pipe| {
            pipe.batch(bytes, rows, side(arguments))
        })
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_offerGroups<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    arguments: jboolean,
    bytes: jlong,
    rows: jint,
    joined: jint,
    pieces: JIntArray<'local>,
) -> jlong {
    env.with_env(|env| -> Result<jlong, NativeError> {
        let bytes = usize::try_from(bytes).map_err(|_| NativeError::Argument("bytes"))?;
        let rows = usize::try_from(rows).map_err(|_| NativeError::Argument("rows"))?;
        let joined = usize::try_from(joined).map_err(|_| NativeError::Argument("joined"))?;
        let mut ints = vec![0; pieces.len(env)?];
        pieces.get_region(env, 0, &mut ints)?;
        let groups = Groups {
            pieces: &ints,
            joined,
        };
        offered(session, bytes, |pipe| {
            pipe.batch_of_groups(bytes, rows, side(arguments), groups)
        })
    })
    .resolve::<Throw>()
}

/// Offers the batch that `make` takes from the session's pages; returns what they hold.
fn offered(
    session: jlong,
    bytes: usize,
    make: impl FnOnce(&mut RowPipe) -> Result<ArrowArray, PageError>,
) -> Result<jlong, NativeError> {
    let open = SESSIONS.get(session)?;
    let mut pipe = open.pipe()?;
    let batch = open.converting(|| make(&mut pipe))?;
    let held = held(&open, &pipe);
    drop(pipe);
    open.session.offer(batch, bytes as u64);
    Ok(held)
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_outputRows<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JLongArray<'local> {
    env.with_env(|env| -> Result<JLongArray<'local>, NativeError> {
        let open = SESSIONS.get(session)?;
        let batch = open
            .session
            .take_output()
            .ok_or(NativeError::Argument("no output is ready"))?;
        let mut pipe = open.pipe()?;
        let page = open.converting(|| pipe.rows(&batch));
        let held = held(&open, &pipe);
        drop(pipe);
        told(env, open.session, page, batch, held)
    })
    .resolve::<Throw>()
}

/// Bytes that the pages take, the batches made of them, and what the session shares with a worker.
fn held(open: &Open, pipe: &RowPipe) -> jlong {
    long_or_most(pipe.held() + open.session.held())
}

/// The number, or the JVM's largest.
pub(crate) fn long_or_most(bytes: u64) -> jlong {
    jlong::try_from(bytes).unwrap_or(jlong::MAX)
}

const fn side(arguments: jboolean) -> Side {
    if arguments {
        Side::Arguments
    } else {
        Side::Input
    }
}

/// An output page as the JVM reads it, with the bytes of Python's own batches, their number, and the bytes that
/// all pages take and the batches made of them. A batch that only Spark's own code can read comes behind it, as
/// `output` gives it; any other goes back to its session.
pub(crate) fn told<'local>(
    env: &mut Env<'local>,
    session: Arc<dyn TaskSide>,
    page: Result<OutputPage, PageError>,
    batch: Returned,
    held: jlong,
) -> Result<JLongArray<'local>, NativeError> {
    let (bytes, batches) = (batch.bytes().cast_signed(), batch.batches());
    let for_spark = page.as_ref().is_ok_and(|page| page.for_spark);
    let left = if for_spark {
        Some(batch)
    } else {
        session.give_back(batch);
        None
    };
    let page = page?;
    let longs = [
        long(page.address)?,
        long(page.bytes)?,
        long(page.rows)?,
        bytes,
        long(batches)?,
        held,
        long(page.pickles.0)?,
        long(page.pickles.1)?,
    ];
    if let Some(batch) = left {
        return kept(env, &longs, session, batch);
    }
    let array = env.new_long_array(longs.len())?;
    array.set_region(env, 0, &longs)?;
    Ok(array)
}

fn long(value: usize) -> Result<jlong, NativeError> {
    jlong::try_from(value).map_err(|_| NativeError::Argument("a number past the JVM's"))
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_outputSchema<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JByteArray<'local> {
    env.with_env(|env| {
        let schema = SESSIONS.get(session)?.session.output_schema();
        bytes(
            env,
            &schema.ok_or(NativeError::Argument("no output came yet"))?,
        )
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_releaseOutput<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    batch: jlong,
) {
    env.with_env(|_| {
        let (session, batch) = OUTPUTS.take(batch)?;
        session.give_back(batch);
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_tail<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JByteArray<'local> {
    env.with_env(|env| match SESSIONS.get(session)?.session.end() {
        Some(End::Worker(tail)) => bytes(env, &tail),
        Some(End::Cancelled) => bytes(env, &[]),
        Some(End::Malformed(text)) => Err(NativeError::Malformed(text)),
        Some(End::Broken(text)) => Err(NativeError::Unavailable(text)),
        Some(End::Died(text)) => Err(NativeError::Died(text)),
        None => Err(NativeError::Argument("the session has not ended")),
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_spent<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JLongArray<'local> {
    env.with_env(|env| -> Result<JLongArray<'local>, NativeError> {
        let open = SESSIONS.get(session)?;
        let spent = open.session.spent();
        let longs = [
            spent.rows,
            spent.busy,
            spent.cpu,
            spent.lock,
            spent.idle,
            spent.delay,
            open.converted(),
            spent.known,
        ]
        .map(u64::cast_signed);
        let array = env.new_long_array(longs.len())?;
        array.set_region(env, 0, &longs)?;
        Ok(array)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_held<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> jlong {
    env.with_env(|_| Ok(long_or_most(SESSIONS.get(session)?.session.held())))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_cancel<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) {
    env.with_env(|_| {
        SESSIONS.get(session)?.session.cancel();
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_close<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    grace_ms: jlong,
) -> jboolean {
    env.with_env(|_| {
        let grace = u64::try_from(grace_ms).map_err(|_| NativeError::Argument("grace"))?;
        let handle = session;
        let Open { session, pipe, .. } = SESSIONS.take(handle)?;
        if let Some(pipe) = pipe {
            RETIRED.keep_as(handle, pipe);
        }
        worked();
        let came_back = session.close(Duration::from_millis(grace));
        if !came_back {
            LEFT.keep_as(handle, session);
        }
        Ok(came_back)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_isOut<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> jboolean {
    env.with_env(|_| LEFT.take(session).map(|left| left.runs_on()))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_abandoned<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jint {
    env.with_env(|_| Ok(jint::try_from(running()?.abandoned()).unwrap_or(jint::MAX)))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_isAsNew<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jboolean {
    env.with_env(|_| running().map(Lanes::are_as_new))
        .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_freeRows<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) {
    env.with_env(|_| RETIRED.take(session).map(drop))
        .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_released<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JLongArray<'local> {
    env.with_env(|env| -> Result<JLongArray<'local>, NativeError> {
        let tokens = released();
        let array = env.new_long_array(tokens.len())?;
        array.set_region(env, 0, &tokens)?;
        Ok(array)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_trim<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) {
    env.with_env(|_| {
        trim(!SESSIONS.is_empty());
        Ok(())
    })
    .resolve::<Throw>();
}

fn bytes<'local>(env: &mut Env<'local>, bytes: &[u8]) -> Result<JByteArray<'local>, NativeError> {
    Ok(env.byte_array_from_slice(bytes)?)
}
