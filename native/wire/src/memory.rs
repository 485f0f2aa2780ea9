//! Memory of a file without a name, which two processes map.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::NonNull;

use crate::WireError;

/// Bytes of a page; segments are whole pages.
pub(crate) const PAGE: u64 = 4096;

/// A new file in memory that can grow but never shrink: who has mapped it may read it for ever.
pub fn shared_file(name: &'static std::ffi::CStr) -> Result<File, WireError> {
    // SAFETY: a text that ends with NUL, and flags.
    let fd =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(WireError::last("memfd_create"));
    }
    // SAFETY: a new descriptor that nobody else owns.
    let file = unsafe { File::from_raw_fd(fd) };
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
    // SAFETY: an open descriptor and flags.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } < 0 {
        return Err(WireError::last("F_ADD_SEALS"));
    }
    Ok(file)
}

/// Gives `bytes` of `file` from `at` on their memory, now: where there is none it is an error here,
/// and not a SIGBUS later.
pub(crate) fn reserve(file: &File, at: u64, bytes: u64) -> Result<(), WireError> {
    let (at, bytes) = (offset(at)?, offset(bytes)?);
    // SAFETY: an open descriptor and numbers.
    if unsafe { libc::fallocate(file.as_raw_fd(), 0, at, bytes) } < 0 {
        return Err(WireError::last("shared memory"));
    }
    Ok(())
}

/// Gives the memory of a part of `file` back to the system.
pub(crate) fn discard(file: &File, at: u64, bytes: u64) -> Result<(), WireError> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let (at, bytes) = (offset(at)?, offset(bytes)?);
    // SAFETY: an open descriptor and numbers.
    if unsafe { libc::fallocate(file.as_raw_fd(), mode, at, bytes) } < 0 {
        return Err(WireError::last("giving shared memory back"));
    }
    Ok(())
}

fn offset(number: u64) -> Result<i64, WireError> {
    i64::try_from(number).map_err(|_| WireError::Layout("a file offset past the system's"))
}

/// Puts bytes of `file` from `at` on, or zeros without one, in the place of a mapping, for this process
/// alone; false if the system refuses.
///
/// # Safety
///
/// `bytes` from `start` on must be a mapping, and what is still read there the same in the file.
pub(crate) unsafe fn map_over(start: usize, bytes: usize, file: Option<&File>, at: u64) -> bool {
    let Ok(at) = offset(at) else { return false };
    let (fd, anonymous) = match file {
        Some(file) => (file.as_raw_fd(), 0),
        None => (-1, libc::MAP_ANONYMOUS),
    };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE | anonymous;
    let place = std::ptr::with_exposed_provenance_mut(start);
    // SAFETY: takes the place of one mapping, by this function's contract, and of nothing else.
    unsafe { libc::mmap(place, bytes, protection, flags, fd, at) == place }
}

/// A part of a file, mapped for reading and writing until it is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping is an address range; who may write to which part of it is the business of
// `Arena` and `View`.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `bytes` of `file` from `at` on, which must lie within the file.
    pub(crate) fn new(file: &File, at: u64, bytes: u64) -> Result<Self, WireError> {
        let size = file
            .metadata()
            .map_err(|error| WireError::System("fstat", error))?
            .len();
        let end = at.checked_add(bytes).filter(|end| *end <= size);
        if end.is_none() || bytes == 0 || !at.is_multiple_of(PAGE) {
            return Err(WireError::Layout("a segment outside its file"));
        }
        let bytes = usize::try_from(bytes).map_err(|_| WireError::Layout("a segment too long"))?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new range wherever the system likes; the file is open and long enough, and its
        // seal keeps it so.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                flags,
                file.as_raw_fd(),
                offset(at)?,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(WireError::last("mapping shared memory"));
        }
        let start = NonNull::new(start.cast()).ok_or(WireError::Layout("a mapping at zero"))?;
        Ok(Self { start, bytes })
    }

    pub(crate) const fn len(&self) -> usize {
        self.bytes
    }

    /// The address of byte `at`; past the end it is the end.
    pub(crate) fn address(&self, at: usize) -> *mut u8 {
        // SAFETY: within the mapping or one past it.
        unsafe { self.start.as_ptr().add(at.min(self.bytes)) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, unmapped once; whoever points into it holds it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
