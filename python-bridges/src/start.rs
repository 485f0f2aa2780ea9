//! Starts the interpreter of this process.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;

use ember_abi::StartSpec;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::arenas;

/// What `ember_worker` offers this side.
pub(crate) struct Worker {
    /// `ember_worker.session.run`.
    pub(crate) run: Py<PyAny>,
    /// `ember_worker.boot.SessionCancelled`.
    pub(crate) cancelled: Py<PyType>,
}

static WORKER: PyOnceLock<Worker> = PyOnceLock::new();

/// The loaded worker package, if [`start`] succeeded.
pub(crate) fn worker(py: Python<'_>) -> Option<&'static Worker> {
    WORKER.get(py)
}

/// Starts Python on this thread, loads `ember_worker` and lets the GIL go.
pub(crate) fn start(spec: &StartSpec) -> Result<(), String> {
    // SAFETY: asks a flag.
    if unsafe { ffi::Py_IsInitialized() } != 0 {
        return Err("this process already runs a Python interpreter".to_owned());
    }
    // SAFETY: the loader's spans live for the length of the call.
    let executable = unsafe { spec.executable.bytes() };
    // SAFETY: as above.
    let python_path = unsafe { spec.python_path.bytes() };
    initialize(executable, python_path)?;
    let loaded = Python::attach(|py| load_worker(py, spec).map_err(|error| reason(py, &error)));
    // SAFETY: this thread started the interpreter and holds the GIL; its state stays its own.
    unsafe { ffi::PyEval_SaveThread() };
    loaded
}

/// Makes this thread's Python state and never gives it back: extension modules may hold
/// thread-local data that must outlive a call.
pub(crate) fn keep_thread_state() {
    // SAFETY: the interpreter runs; the unbalanced call is what keeps the state.
    unsafe { ffi::PyGILState_Ensure() };
    // SAFETY: the GIL is held, by the line above.
    unsafe { ffi::PyEval_SaveThread() };
}

fn initialize(executable: &[u8], python_path: &[u8]) -> Result<(), String> {
    let mut preconfig = MaybeUninit::<ffi::PyPreConfig>::uninit();
    // SAFETY: initialises the struct it is given.
    unsafe { ffi::PyPreConfig_InitPythonConfig(preconfig.as_mut_ptr()) };
    // SAFETY: initialised by the line above.
    let mut preconfig = unsafe { preconfig.assume_init() };
    preconfig.parse_argv = 0;
    preconfig.coerce_c_locale = 0; // it would change the JVM's environment
    // SAFETY: a complete struct.
    check(unsafe { ffi::Py_PreInitialize(&raw const preconfig) })?;

    let mut config = MaybeUninit::<ffi::PyConfig>::uninit();
    // SAFETY: initialises the struct it is given.
    unsafe { ffi::PyConfig_InitPythonConfig(config.as_mut_ptr()) };
    // SAFETY: initialised by the line above.
    let mut config = unsafe { config.assume_init() };
    config.parse_argv = 0;
    config.install_signal_handlers = 0; // the JVM owns them
    config.faulthandler = 0; // it would take the JVM's SIGSEGV handler
    config.use_hash_seed = 1;
    config.hash_seed = 0; // as Spark's workers have it
    config.buffered_stdio = 0; // PYTHONUNBUFFERED, as Spark's workers have it
    config.configure_c_stdio = 0; // the C streams are the JVM's
    config.pathconfig_warnings = 0;
    let status = configure(&mut config, executable, python_path);
    // SAFETY: initialised above, and cleared once.
    unsafe { ffi::PyConfig_Clear(&raw mut config) };
    status
}

fn configure(
    config: &mut ffi::PyConfig,
    executable: &[u8],
    python_path: &[u8],
) -> Result<(), String> {
    set_text(&raw mut *config, &raw mut config.program_name, executable)?;
    set_text(&raw mut *config, &raw mut config.executable, executable)?;
    set_text(
        &raw mut *config,
        &raw mut config.pythonpath_env,
        python_path,
    )?;
    // SAFETY: a complete configuration.
    check(unsafe { ffi::Py_InitializeFromConfig(&raw const *config) })
}

/// Copies `text` into a field of `config`.
fn set_text(
    config: *mut ffi::PyConfig,
    field: *mut *mut libc::wchar_t,
    text: &[u8],
) -> Result<(), String> {
    let text = CString::new(text).map_err(|_| "NUL in a path")?;
    // SAFETY: a field of this live struct, and text that ends with NUL.
    check(unsafe { ffi::PyConfig_SetBytesString(config, field, text.as_ptr()) })
}

fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: a status the API returned.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    let text: *const c_char = status.err_msg;
    if text.is_null() {
        return Err(format!("Python asked to exit with {}", status.exitcode));
    }
    // SAFETY: a static text of CPython's.
    Err(unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned())
}

/// Loads the package from its own folder, which does not stay on `sys.path`.
fn load_worker(py: Python<'_>, spec: &StartSpec) -> PyResult<()> {
    // SAFETY: the loader's spans live for the length of the call.
    let folder = String::from_utf8_lossy(unsafe { spec.worker_package.bytes() });
    // SAFETY: as above.
    let config = unsafe { spec.config.bytes() };
    let package = format!("{folder}/ember_worker");
    let util = py.import("importlib.util")?;
    let options = PyDict::new(py);
    options.set_item("submodule_search_locations", [package.as_str()])?;
    let file = format!("{package}/__init__.py");
    let found = util.call_method(
        "spec_from_file_location",
        ("ember_worker", file),
        Some(&options),
    )?;
    let module = util.call_method1("module_from_spec", (&found,))?;
    py.import("sys")?
        .getattr("modules")?
        .set_item("ember_worker", &module)?;
    found
        .getattr("loader")?
        .call_method1("exec_module", (&module,))?;

    let config = py.import("json")?.call_method1("loads", (config,))?;
    let boot = py.import("ember_worker.boot")?;
    boot.call_method1("start", (config,))?;
    let row_functions = pyo3::wrap_pymodule!(crate::rowfn::ember_bridge)(py);
    py.import("ember_worker.rowfn")?
        .call_method1("use", (row_functions,))?;
    let cancelled = boot
        .getattr("SessionCancelled")?
        .cast_into::<PyType>()?
        .unbind();
    let run = py.import("ember_worker.session")?.getattr("run")?.unbind();
    serve_with(py, run, cancelled);
    Ok(())
}

/// Takes what `ember_worker` offers. Called once per process: the first call counts.
pub(crate) fn serve_with(py: Python<'_>, run: Py<PyAny>, cancelled: Py<PyType>) {
    if WORKER.set(py, Worker { run, cancelled }).is_ok() {
        arenas::keep(py);
    }
}

/// Whether another application's functions find what they would find in a new interpreter: it is theirs then.
pub(crate) fn is_as_new() -> bool {
    Python::attach(|py| {
        let told = py
            .import("ember_worker.isolation")
            .and_then(|isolation| isolation.call_method0("hand_over"))
            .and_then(|told| told.is_truthy());
        told.unwrap_or(false)
    })
}

/// The worker package's own words for why this Python cannot be embedded, or the whole error.
fn reason(py: Python<'_>, error: &PyErr) -> String {
    let refusal = py
        .import("ember_worker.boot")
        .and_then(|boot| boot.getattr("CannotEmbedError"));
    match refusal {
        Ok(refusal) if error.is_instance(py, &refusal) => error.value(py).to_string(),
        _ => explain(py, error),
    }
}

/// The error as Python would print it.
pub(crate) fn explain(py: Python<'_>, error: &PyErr) -> String {
    let format = |error: &PyErr| -> PyResult<String> {
        let lines = py.import("traceback")?.call_method1(
            "format_exception",
            (error.get_type(py), error.value(py), error.traceback(py)),
        )?;
        let lines: Vec<String> = lines.extract()?;
        Ok(lines.concat().trim_end().to_owned())
    };
    format(error).unwrap_or_else(|_| error.to_string())
}
