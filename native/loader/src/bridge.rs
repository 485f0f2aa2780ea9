//! The bridge's table, behind calls that take and return Rust values.

use std::error::Error as _;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use ember_abi::{BRIDGE_SYMBOL, BridgeTable, Failure, MAJOR, SessionCalls, Span, StartSpec};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};

use crate::{StartConfig, libpython, memory};

/// Why a Python cannot be embedded. Each text is shown to the user after "cannot embed: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bridge speaks another version of the table; the jar is put together wrongly.
    #[error("{path} was built for bridge table {found}, this loader needs {MAJOR}")]
    Contract {
        /// The bridge.
        path: PathBuf,
        /// Its major version.
        found: u16,
    },
    /// The JVM's configuration is no configuration; please report it.
    #[error("the start configuration is malformed: {0}")]
    Config(#[source] serde_json::Error),
    /// The bridge was built for another Python.
    #[error("{path} serves Python {found:#06x}, the environment is {wanted}")]
    Version {
        /// The bridge.
        path: PathBuf,
        /// The version it was built for.
        found: u32,
        /// The version of the environment.
        wanted: String,
    },
    /// The library that was found belongs to another Python of the same minor version.
    #[error("{path} is Python {found}, the environment is {wanted}")]
    Build {
        /// The libpython.
        path: PathBuf,
        /// The version it states.
        found: String,
        /// The version of the environment.
        wanted: String,
    },
    /// The system maps no code from the bridge's folder, and has no room for it in memory.
    #[error("{path} cannot be copied into memory: {cause}")]
    Copy {
        /// The bridge.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The dynamic linker refused a library.
    #[error("{path} cannot be opened: {cause}")]
    Open {
        /// The library.
        path: PathBuf,
        /// The linker's words.
        cause: String,
    },
    /// The bridge's table lacks an entry; the jar is put together wrongly.
    #[error("the bridge offers no `{0}`")]
    Missing(&'static str),
    /// Python's own words for why it did not start, or why a session broke.
    #[error("{0}")]
    Python(String),
    /// A relative path would silently start the base environment instead of the one named.
    #[error("the Python executable must be an absolute path, not {0}")]
    RelativeExecutable(PathBuf),
}

/// A bridge that stays loaded for the life of the process.
#[derive(Debug)]
pub struct Bridge {
    table: BridgeTable,
}

impl Bridge {
    /// Opens `libpython` so that every extension module finds its symbols, then `bridge`.
    pub fn open(libpython: &Path, bridge: &Path, config: &StartConfig) -> Result<Self, LoadError> {
        libpython::check(
            libpython,
            &*open(libpython, RTLD_NOW | RTLD_GLOBAL)?,
            config,
        )?;
        let library = open_bridge(bridge)?;
        // SAFETY: the symbol's type is fixed by the name's version suffix.
        let entry =
            unsafe { library.get::<unsafe extern "C" fn() -> *const BridgeTable>(BRIDGE_SYMBOL) };
        let entry = entry.map_err(|error| refusal(bridge, &error))?;
        // SAFETY: the entry takes nothing and returns a static table.
        let table = unsafe { entry() };
        // SAFETY: a bridge of this symbol fills at least the fields of version 1.
        let table = unsafe { table.as_ref() }.ok_or(LoadError::Missing("table"))?;
        if table.major != MAJOR || (table.size as usize) < size_of::<BridgeTable>() {
            return Err(LoadError::Contract {
                path: bridge.to_owned(),
                found: table.major,
            });
        }
        if Some(table.python) != config.packed_version() {
            return Err(LoadError::Version {
                path: bridge.to_owned(),
                found: table.python,
                wanted: config.version.clone(),
            });
        }
        Ok(Self { table: *table })
    }

    /// A bridge made of `table`, for tests of what stands above it.
    pub const fn from_table(table: BridgeTable) -> Self {
        Self { table }
    }

    /// Starts the interpreter; the calling thread becomes Python's main thread.
    pub fn start(&self, config: &StartConfig) -> Result<(), LoadError> {
        let start = self.table.start.ok_or(LoadError::Missing("start"))?;
        let executable = config.executable.as_os_str().as_encoded_bytes();
        let worker_package = config.worker_package.as_os_str().as_encoded_bytes();
        let spec = StartSpec {
            size: u32::try_from(size_of::<StartSpec>()).unwrap_or(0),
            executable: Span::of(executable),
            python_path: Span::of(config.python_path.as_bytes()),
            worker_package: Span::of(worker_package),
            config: Span::of(&config.json),
        };
        let mut failure = Failure::none();
        // SAFETY: every span of `spec` outlives the call.
        let status = unsafe { start(&raw const spec, &raw mut failure) };
        outcome(status, &failure)
    }

    /// Gives the calling thread its Python thread state.
    pub fn attach(&self) -> Result<(), LoadError> {
        let attach = self.table.attach.ok_or(LoadError::Missing("attach"))?;
        // SAFETY: takes nothing; the interpreter was started before any lane.
        let status = unsafe { attach() };
        outcome(status, &Failure::none())
    }

    /// Runs one session on the calling thread, to its end.
    pub fn run(&self, calls: &SessionCalls) -> Result<(), LoadError> {
        let run = self.table.run.ok_or(LoadError::Missing("run"))?;
        let mut failure = Failure::none();
        // SAFETY: `calls` and what it lends outlive the call.
        let status = unsafe { run(std::ptr::from_ref(calls), &raw mut failure) };
        outcome(status, &failure)
    }

    /// Raises `SessionCancelled` in the session with this context. Waits for the GIL.
    ///
    /// `context` is only compared with those that are running; it is never followed.
    pub fn interrupt(&self, context: usize) -> bool {
        let context: *mut c_void = std::ptr::without_provenance_mut(context);
        // SAFETY: the bridge compares addresses.
        self.table
            .interrupt
            .is_some_and(|interrupt| unsafe { interrupt(context) } == 1)
    }

    /// Whether another application's functions find what they would find in a new interpreter. Waits for the GIL.
    pub fn is_as_new(&self) -> bool {
        // SAFETY: takes nothing; the interpreter was started before any lane.
        self.table
            .is_as_new
            .is_some_and(|is_as_new| unsafe { is_as_new() } == 1)
    }
}

/// Opens a bridge, from memory where the system maps no code from its folder.
fn open_bridge(path: &Path) -> Result<ManuallyDrop<Library>, LoadError> {
    match open(path, RTLD_NOW | RTLD_LOCAL) {
        Err(LoadError::Open { cause, .. }) if memory::is_not_mappable(&cause) => {
            let copied = memory::copy(path).map_err(|error| LoadError::Copy {
                path: path.to_owned(),
                cause: error,
            })?;
            open(&copied, RTLD_NOW | RTLD_LOCAL)
        }
        opened => opened,
    }
}

/// Opens a library that is never closed.
fn open(path: &Path, flags: i32) -> Result<ManuallyDrop<Library>, LoadError> {
    // SAFETY: libpython and the bridge run no code of their own on loading.
    let library = unsafe { Library::open(Some(path), flags) };
    library
        .map(ManuallyDrop::new)
        .map_err(|error| refusal(path, &error))
}

/// libloading says which call failed; why is in the error's source.
fn refusal(path: &Path, error: &libloading::Error) -> LoadError {
    LoadError::Open {
        path: path.to_owned(),
        cause: error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
    }
}

fn outcome(status: i32, failure: &Failure) -> Result<(), LoadError> {
    let bytes = Span {
        start: failure.text,
        len: failure.len,
    };
    // SAFETY: the bridge's text lives until it is freed, below.
    let text = String::from_utf8_lossy(unsafe { bytes.bytes() }).into_owned();
    if let Some(free) = failure.free {
        // SAFETY: once, with what came along.
        unsafe { free(failure.text, failure.len) };
    }
    if status == 0 {
        return Ok(());
    }
    let text = if text.is_empty() {
        "the bridge gave no reason".to_owned()
    } else {
        text
    };
    Err(LoadError::Python(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> StartConfig {
        let json = br#"{"executable":"/p","version":"3.11","pythonPath":"","workerPackage":"/x"}"#;
        StartConfig::parse(json).unwrap()
    }

    #[test]
    fn a_missing_libpython_is_an_error_that_names_the_file() {
        let refused = Bridge::open(
            Path::new("/nowhere/libpython.so"),
            Path::new("/b"),
            &config(),
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "/nowhere/libpython.so cannot be opened: /nowhere/libpython.so: \
             cannot open shared object file: No such file or directory"
        );
    }

    #[test]
    fn a_table_without_an_entry_says_which() {
        let bridge = Bridge::from_table(BridgeTable {
            size: 56,
            major: 1,
            minor: 1,
            python: 0x030B,
            start: None,
            attach: None,
            run: None,
            interrupt: None,
            is_as_new: None,
        });
        assert_eq!(
            bridge.start(&config()).unwrap_err().to_string(),
            "the bridge offers no `start`"
        );
        assert!(!bridge.interrupt(0));
        assert!(!bridge.is_as_new());
    }
}
