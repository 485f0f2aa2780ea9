//! What there is once per process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use ember_loader::{Bridge, StartConfig};
use ember_process::{Config, Workers};
use ember_rows::{Lender, Returned};
use ember_session::{
    LaneError, LaneSession, Lanes, Released, RowPipe, Session, SessionSpec, TaskSide,
};

use crate::errors::NativeError;
use crate::handles::Handles;
use crate::locked::locked;

/// The lanes, or why there are none: a failed start is remembered with its cause.
static LANES: OnceLock<Result<Lanes, String>> = OnceLock::new();
static RELEASED: LazyLock<Arc<Released>> = LazyLock::new(Arc::default);

/// Open sessions.
pub(crate) static SESSIONS: Handles<Open> = Handles::new();
/// Pages of sessions that have ended, whose rows may still be looked at.
pub(crate) static RETIRED: Handles<Arc<Mutex<RowPipe>>> = Handles::new();
/// Sessions that were closed while their functions went on, until they are asked about.
pub(crate) static LEFT: Handles<Arc<dyn TaskSide>> = Handles::new();
/// Output batches the JVM is reading, with the session they came from.
pub(crate) static OUTPUTS: Handles<(Arc<dyn TaskSide>, Returned)> = Handles::new();
/// Workers, by the number that a session is opened with.
static POOLS: Handles<Arc<Workers>> = Handles::new();
/// The same by what they are made from.
static KNOWN: Mutex<BTreeMap<Config, i64>> = Mutex::new(BTreeMap::new());

/// The lane that is this process itself.
const EMBEDDED: i64 = 0;

/// An open session, and its pages if its rows cross as such.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) session: Arc<dyn TaskSide>,
    pub(crate) pipe: Option<Arc<Mutex<RowPipe>>>,
    /// Nanoseconds in which the task thread turned rows or columns into batches, and batches into rows.
    converted: Arc<AtomicU64>,
}

impl Open {
    pub(crate) fn new(session: Arc<dyn TaskSide>, pipe: Option<RowPipe>) -> Self {
        Self {
            session,
            pipe: pipe.map(|pipe| Arc::new(Mutex::new(pipe))),
            converted: Arc::default(),
        }
    }

    /// Does a conversion, and counts its time.
    pub(crate) fn converting<T>(&self, convert: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let made = convert();
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.converted.fetch_add(took, Ordering::Relaxed);
        made
    }

    pub(crate) fn converted(&self) -> u64 {
        self.converted.load(Ordering::Relaxed)
    }

    /// The pages; held by the task thread for the length of a call.
    pub(crate) fn pipe(&self) -> Result<MutexGuard<'_, RowPipe>, NativeError> {
        let pipe = self.pipe.as_ref();
        let pipe = pipe.ok_or(NativeError::Argument("a session whose rows are no pages"))?;
        Ok(locked(pipe))
    }
}

/// Starts the interpreter, once; every later call gets the first outcome.
pub(crate) fn start(libpython: &str, bridge: &str, config: &[u8]) -> Result<(), NativeError> {
    let outcome = LANES.get_or_init(|| {
        lanes(Path::new(libpython), Path::new(bridge), config).map_err(|error| error.to_string())
    });
    outcome
        .as_ref()
        .map(|_| ())
        .map_err(|cause| NativeError::Python(cause.clone()))
}

fn lanes(libpython: &Path, bridge: &Path, config: &[u8]) -> Result<Lanes, LaneError> {
    let config = StartConfig::parse(config)?;
    let bridge = Bridge::open(libpython, bridge, &config)?;
    Lanes::start(bridge, config)
}

/// The lanes of a started process.
pub(crate) fn running() -> Result<&'static Lanes, NativeError> {
    match LANES.get() {
        Some(Ok(lanes)) => Ok(lanes),
        Some(Err(cause)) => Err(NativeError::Unavailable(cause.clone())),
        None => Err(NativeError::Unavailable(
            "Python was not started".to_owned(),
        )),
    }
}

/// The number of the workers that `config` describes. None is started yet.
pub(crate) fn workers(config: &[u8]) -> Result<i64, NativeError> {
    let config = Config::parse(config)?;
    let made = || POOLS.keep(Workers::new(config.clone()));
    let mut known = locked(&KNOWN);
    let handle = *known.entry(config.clone()).or_insert_with(made);
    drop(known);
    Ok(handle)
}

/// Lets the workers of this number go, those in a session when that ends; the number is dead from
/// here on.
pub(crate) fn let_go(handle: i64) -> Result<(), NativeError> {
    let mut known = locked(&KNOWN);
    known.retain(|_, live| *live != handle);
    drop(known);
    POOLS.take(handle)?.let_go();
    Ok(())
}

/// Opens a session on the lane with this number: that of [`workers`], or 0 for this process.
pub(crate) fn open(lane: i64, spec: SessionSpec) -> Result<Arc<dyn TaskSide>, NativeError> {
    if lane == EMBEDDED {
        let lanes = running()?;
        let session = Arc::new(Session::new(spec));
        lanes.run(&session)?;
        return Ok(Arc::new(LaneSession::new(session, lanes)));
    }
    Ok(Arc::new(POOLS.get(lane)?.open(&spec)?))
}

/// Whom lent batches are returned to.
pub(crate) fn lender() -> Arc<dyn Lender> {
    let released: &Arc<Released> = &RELEASED;
    Arc::clone(released) as Arc<dyn Lender>
}

/// Tokens of the lent batches that are free again.
pub(crate) fn released() -> Vec<i64> {
    RELEASED.drain()
}
