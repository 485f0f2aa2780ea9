//! A library copied into memory, for systems that map no code from any folder we may write.

use std::ffi::c_int;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::path::{Path, PathBuf};

/// How the dynamic linker says that a file system is mounted `noexec`.
pub(crate) fn is_not_mappable(words: &str) -> bool {
    words.contains("failed to map segment")
}

/// A file in memory that holds what `path` holds, by the name the dynamic linker can open it by.
///
/// It stays open for the life of the process: the linker knows libraries by their names, and
/// another file must never come to have this one's.
pub(crate) fn copy(path: &Path) -> io::Result<PathBuf> {
    let mut file = new_file()?;
    file.write_all(&fs::read(path)?)?;
    Ok(PathBuf::from(format!(
        "/proc/self/fd/{}",
        file.into_raw_fd()
    )))
}

/// Through `syscall`: the C library of our oldest system has no name for it.
fn new_file() -> io::Result<File> {
    // SAFETY: the name is a C string; the flag is one that every kernel with this call knows.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_create, c"ember".as_ptr(), libc::MFD_CLOEXEC) };
    match c_int::try_from(fd) {
        // SAFETY: the descriptor is new and ours alone.
        Ok(fd) if fd >= 0 => Ok(unsafe { File::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_what_the_file_holds() {
        let source = std::env::current_exe().unwrap();
        let copied = copy(&source).unwrap();
        assert!(fs::read(source).unwrap() == fs::read(copied).unwrap());
    }

    #[test]
    fn two_copies_have_names_of_their_own() {
        let source = Path::new("/proc/self/exe");
        assert_ne!(copy(source).unwrap(), copy(source).unwrap());
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        assert!(copy(Path::new("/nowhere/libember_bridge.so")).is_err());
    }
}
