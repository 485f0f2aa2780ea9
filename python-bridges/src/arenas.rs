//! Memory of Python's that is kept for the objects to come.
//!
//! Python takes the memory of small objects from the kernel by arenas, and gives an arena back with its
//! last object. The texts of a batch come and go together, so each batch would take its arenas anew, and
//! every page of them costs a fault and is cleared. Up to [`MOST`] bytes of arenas stay.

use std::ffi::c_void;
use std::sync::{Mutex, OnceLock};

use pyo3::ffi::{self, PyObjectArenaAllocator};
use pyo3::prelude::*;

/// Bytes that are kept at most: the objects of a few columns of ten thousand texts.
const MOST: usize = 16 << 20;

static OWN: OnceLock<Own> = OnceLock::new();
static KEPT: Mutex<Kept> = Mutex::new(Kept {
    arenas: Vec::new(),
    bytes: 0,
});

/// What takes arenas from the kernel and gives them back.
struct Own(PyObjectArenaAllocator);

// SAFETY: Python's own functions, which may be called from any thread, and a context of theirs.
unsafe impl Send for Own {}
// SAFETY: as above.
unsafe impl Sync for Own {}

struct Arena {
    start: *mut c_void,
    size: usize,
}

// SAFETY: memory that nobody uses until it is taken from the list.
unsafe impl Send for Arena {}

struct Kept {
    arenas: Vec<Arena>,
    bytes: usize,
}

impl Kept {
    fn take(&mut self, size: usize) -> Option<*mut c_void> {
        let last = self.arenas.pop_if(|arena| arena.size == size)?;
        self.bytes -= last.size;
        Some(last.start)
    }

    /// Whether there was room for it.
    fn keep(&mut self, arena: Arena) -> bool {
        let room = self.bytes + arena.size <= MOST && self.arenas.try_reserve(1).is_ok();
        if room {
            self.bytes += arena.size;
            self.arenas.push(arena);
        }
        room
    }
}

/// Stands between Python and the kernel from now on.
pub(crate) fn keep(_: Python<'_>) {
    let mut found = PyObjectArenaAllocator {
        ctx: std::ptr::null_mut(),
        alloc: None,
        free: None,
    };
    // SAFETY: fills a live struct.
    unsafe { ffi::PyObject_GetArenaAllocator(&raw mut found) };
    if OWN.set(Own(found)).is_ok() {
        let mut ours = PyObjectArenaAllocator {
            ctx: std::ptr::null_mut(),
            alloc: Some(take),
            free: Some(give),
        };
        // SAFETY: a complete struct, which Python copies; arenas that it has already are such as `give` takes.
        unsafe { ffi::PyObject_SetArenaAllocator(&raw mut ours) };
    }
}

/// Another interpreter of this process may be in here, or have been when the process was forked: then
/// nothing is kept.
extern "C" fn take(_: *mut c_void, size: usize) -> *mut c_void {
    let kept = KEPT.try_lock().ok().and_then(|mut kept| kept.take(size));
    kept.unwrap_or_else(|| {
        let own = OWN.get().and_then(|own| Some((own.0.ctx, own.0.alloc?)));
        own.map_or(std::ptr::null_mut(), |(context, take)| take(context, size))
    })
}

extern "C" fn give(_: *mut c_void, start: *mut c_void, size: usize) {
    let kept = KEPT
        .try_lock()
        .is_ok_and(|mut kept| kept.keep(Arena { start, size }));
    if !kept && let Some((context, give)) = OWN.get().and_then(|own| Some((own.0.ctx, own.0.free?)))
    {
        give(context, start, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn arena(start: usize, size: usize) -> Arena {
        Arena {
            start: std::ptr::without_provenance_mut(start),
            size,
        }
    }

    fn none() -> Kept {
        Kept {
            arenas: Vec::new(),
            bytes: 0,
        }
    }

    #[test]
    fn the_last_arena_comes_back_first() {
        let mut kept = none();
        assert!(kept.keep(arena(1, MIB)));
        assert!(kept.keep(arena(2, MIB)));
        assert_eq!(kept.take(MIB).map(<*mut c_void>::addr), Some(2));
        assert_eq!(kept.take(MIB).map(<*mut c_void>::addr), Some(1));
        assert_eq!(kept.take(MIB), None);
    }

    #[test]
    fn an_arena_of_another_size_stays() {
        let mut kept = none();
        assert!(kept.keep(arena(1, MIB)));
        assert_eq!(kept.take(2 * MIB), None);
        assert_eq!(kept.bytes, MIB);
    }

    #[test]
    fn no_more_than_most_is_kept() {
        let mut kept = none();
        for start in 0..MOST / MIB {
            assert!(kept.keep(arena(start, MIB)));
        }
        assert!(!kept.keep(arena(99, MIB)));
        assert!(kept.take(MIB).is_some());
        assert!(kept.keep(arena(99, MIB)));
    }
}
