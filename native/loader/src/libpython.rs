//! Whether an opened libpython is the Python it was taken for.

use std::ffi::{CStr, c_char};
use std::path::Path;

use libloading::os::unix::Library;

use crate::{LoadError, StartConfig};

/// Refuses another build than the environment's: its standard library would not be its own.
pub(crate) fn check(path: &Path, library: &Library, config: &StartConfig) -> Result<(), LoadError> {
    compare(
        path,
        stated_version(library),
        config.full_version.as_deref(),
    )
}

/// A version that nobody states is not compared; the bridge still asks for the minor version.
fn compare(path: &Path, found: Option<String>, wanted: Option<&str>) -> Result<(), LoadError> {
    match (found, wanted) {
        (Some(found), Some(wanted)) if found != wanted => Err(LoadError::Build {
            path: path.to_owned(),
            found,
            wanted: wanted.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The first word of what Python calls its version.
fn stated_version(library: &Library) -> Option<String> {
    // SAFETY: the symbol's type has been this in every Python 3.
    let version =
        unsafe { library.get::<unsafe extern "C" fn() -> *const c_char>(b"Py_GetVersion") };
    // SAFETY: may be called before Python is started.
    let text = unsafe { version.ok()?() };
    if text.is_null() {
        return None;
    }
    // SAFETY: a static text of CPython's.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    text.split_whitespace().next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_build_of_the_same_minor_version_is_refused() {
        let path = Path::new("/usr/lib/libpython3.11.so.1.0");
        let refused = compare(path, Some("3.11.2".to_owned()), Some("3.11.7")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "/usr/lib/libpython3.11.so.1.0 is Python 3.11.2, the environment is 3.11.7"
        );
        compare(path, Some("3.11.7".to_owned()), Some("3.11.7")).unwrap();
    }

    #[test]
    fn what_is_not_stated_is_not_compared() {
        let path = Path::new("/lib/libpython3.11.so");
        compare(path, None, Some("3.11.7")).unwrap();
        compare(path, Some("3.11.7".to_owned()), None).unwrap();
        assert_eq!(stated_version(&Library::this()), None);
    }
}
