//! The native methods of sessions whose input crosses as columns.

use std::sync::{Arc, Mutex};

use ember_session::{ColumnPipe, ColumnPlan};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JLongArray};
use jni::sys::{jint, jlong};

use ember_rows::pages::PageError;
use ember_rows::{Returned, lent_bytes};

use crate::errors::{NativeError, Throw};
use crate::handles::Handles;
use crate::locked::locked;
use crate::methods::{keep, long_or_most, spec, told};
use crate::process::{SESSIONS, lender};

/// The columns of sessions, under the sessions' handles; they outlive a session that has ended,
/// since its last rows may still be looked at.
static COLUMNS: Handles<Arc<Mutex<ColumnPipe>>> = Handles::new();

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_openColumns<'local>(
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
        let plan = ColumnPlan::parse(&env.convert_byte_array(&plan)?)?;
        let spec = spec(env, &header, &input_schema, &environment, depth)?;
        let handle = keep(lane, spec, None)?;
        COLUMNS.keep_as(handle, Arc::new(Mutex::new(ColumnPipe::new(plan))));
        Ok(handle)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_offerColumns<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
    arguments: JLongArray<'local>,
    columns: JLongArray<'local>,
    token: jlong,
) {
    env.with_env(|env| -> Result<(), NativeError> {
        let mut longs = [Vec::new(), Vec::new()];
        for (array, longs) in [arguments, columns].iter().zip(&mut longs) {
            longs.resize(array.len(env)?, 0);
            array.get_region(env, 0, longs)?;
        }
        let open = SESSIONS.get(session)?;
        let pipe = COLUMNS.get(session)?;
        let layouts = longs.each_ref().map(Vec::as_slice);
        // SAFETY: NativeApi.offerColumns' contract: the buffers stay until `released` gives the token.
        let batch = open.converting(|| unsafe { locked(&pipe).batch(layouts, token, lender()) })?;
        let [arguments, _] = &longs;
        open.session.offer(batch, lent_bytes(arguments));
        Ok(())
    })
    .resolve::<Throw>();
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_outputColumns<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) -> JLongArray<'local> {
    env.with_env(|env| -> Result<JLongArray<'local>, NativeError> {
        let open = SESSIONS.get(session)?;
        let pipe = COLUMNS.get(session)?;
        let batch = open
            .session
            .take_output()
            .ok_or(NativeError::Argument("no output is ready"))?;
        let page = open.converting(|| locked(&pipe).rows(&batch));
        let held = long_or_most(open.session.held());
        told(env, open.session, page, batch, held)
    })
    .resolve::<Throw>()
}

#[unsafe(no_mangle)]
extern "system" fn Java_dev_ember_nativeapi_NativeApi_freeColumns<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    session: jlong,
) {
    env.with_env(|_| COLUMNS.take(session).map(drop))
        .resolve::<Throw>();
}

/// The batch behind the columns of the input that comes next, if this session has columns and joins them.
pub(crate) fn joined(session: jlong, batch: &Returned) -> Result<Option<Returned>, PageError> {
    COLUMNS
        .get(session)
        .map_or(Ok(None), |pipe| locked(&pipe).joined(batch))
}
