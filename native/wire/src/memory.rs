//! Memory of a file without a name, which two processes map.

use std::collections::BTreeMap;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;
use std::ptr::NonNull;

use crate::WireError;

/// Bytes of a page; segments are whole pages.
pub(crate) const PAGE: u64 = 4096;

/// Bytes of a file that is not to grow: more than a worker writes while it lives.
const WIDE: u64 = 1 << 40;

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

/// The same, so long from the beginning that to write into it makes it no longer: a limit of the size of files
/// (`RLIMIT_FSIZE`) that the writer's function sets is for files that are. It holds no memory for that.
pub fn wide_file(name: &'static std::ffi::CStr) -> Result<File, WireError> {
    let file = shared_file(name)?;
    if WIDE < limit_of_files() {
        file.set_len(WIDE)
            .map_err(|error| WireError::System("ftruncate", error))?;
    }
    Ok(file)
}

/// Bytes that a file may have that this process writes.
pub(crate) fn limit_of_files() -> u64 {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a place for the answer, which stays 0 without one.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limits) };
    limits.rlim_cur
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

/// Pages of this process alone, zero at first, which are of no file.
#[derive(Debug)]
pub(crate) struct Pages {
    start: usize,
    bytes: usize,
}

impl Pages {
    /// So many bytes, which are whole pages.
    pub(crate) fn new(bytes: usize) -> Result<Self, WireError> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new range wherever the system likes.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(WireError::last("memory of this process alone"));
        }
        let start = start.expose_provenance();
        Ok(Self { start, bytes })
    }

    /// Writes `bytes` at `at`; what does not fit is left out.
    pub(crate) fn put(&self, at: usize, bytes: &[u8]) {
        if at + bytes.len() <= self.bytes {
            let to = std::ptr::with_exposed_provenance_mut::<u8>(self.start + at);
            // SAFETY: within these pages, which nobody else knows of.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        }
    }

    /// Moves spans, addresses with their bytes that are as many as there are here, to their places; false if the
    /// system refuses.
    ///
    /// # Safety
    ///
    /// Each span must be whole pages of mappings, and what is still read there the same here.
    pub(crate) unsafe fn move_to(self, spans: &BTreeMap<usize, usize>) -> bool {
        let mut at = ManuallyDrop::new(self).start;
        spans.iter().all(|(start, bytes)| {
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            let place = std::ptr::with_exposed_provenance_mut(*start);
            let from = std::ptr::with_exposed_provenance_mut(at);
            at += bytes;
            // SAFETY: takes the place of mappings, by this function's contract, and of nothing else.
            unsafe { libc::mremap(from, *bytes, *bytes, flags, place) == place }
        })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let start = std::ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: mapped by `new`, and moved nowhere.
        unsafe { libc::munmap(start, self.bytes) };
    }
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
        let facts = file
            .metadata()
            .map_err(|error| WireError::System("fstat", error))?;
        let end = at.checked_add(bytes).filter(|end| *end <= facts.len());
        // A file may be longer than what it holds.
        let is_held = bytes / PAGE <= facts.blocks() / (PAGE / 512);
        if end.is_none() || !is_held || bytes == 0 || !at.is_multiple_of(PAGE) {
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
