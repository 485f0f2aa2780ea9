//! What there is once per process.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use ember_loader::{Bridge, StartConfig};
use ember_rows::{Lender, Returned};
use ember_session::{LaneError, Lanes, Released, RowPipe, Session};

use crate::errors::NativeError;
use crate::handles::Handles;

/// The lanes, or why there are none: a failed start is remembered with its cause.
static LANES: OnceLock<Result<Lanes, String>> = OnceLock::new();
static RELEASED: LazyLock<Arc<Released>> = LazyLock::new(Arc::default);

/// Open sessions.
pub(crate) static SESSIONS: Handles<Open> = Handles::new();
/// Pages of sessions that have ended, whose rows may still be looked at.
pub(crate) static RETIRED: Handles<Arc<Mutex<RowPipe>>> = Handles::new();
/// Output batches the JVM is reading, with the session they came from.
pub(crate) static OUTPUTS: Handles<(Arc<Session>, Returned)> = Handles::new();

/// An open session, and its pages if its rows cross as such.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) session: Arc<Session>,
    pub(crate) pipe: Option<Arc<Mutex<RowPipe>>>,
}

impl Open {
    /// The pages; held by the task thread for the length of a call.
    pub(crate) fn pipe(&self) -> Result<MutexGuard<'_, RowPipe>, NativeError> {
        let pipe = self.pipe.as_ref();
        let pipe = pipe.ok_or(NativeError::Argument("a session whose rows are no pages"))?;
        Ok(pipe.lock().unwrap_or_else(PoisonError::into_inner))
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

/// Whom lent batches are returned to.
pub(crate) fn lender() -> Arc<dyn Lender> {
    let released: &Arc<Released> = &RELEASED;
    Arc::clone(released) as Arc<dyn Lender>
}

/// Tokens of the lent batches that are free again.
pub(crate) fn released() -> Vec<i64> {
    RELEASED.drain()
}
