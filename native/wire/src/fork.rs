//! What a worker's function forks keeps the input as it was at the fork, and to itself.
//!
//! ```text
//! prepare: lock the register, copy the live blocks to a new file -> fork -> child:  map that file over each segment, unlock
//!                                                                       -> parent: close that file, unlock
//! ```
//!
//! Invariant: every [`Region`] is a mapping and every [`Live`] a block in one that its reader holds, for as long as
//! the token lives. Who makes or drops a token waits while another thread forks. Nothing here waits for Python.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::WireError;
use crate::memory::{Mapping, PAGE, Pages, limit_of_files, map_over, shared_file};

/// Addresses, each with its bytes.
type Spans = BTreeMap<usize, usize>;

/// What this process reads of its executor's memory.
struct Register {
    regions: Spans,
    blocks: Spans,
    /// For the child of the fork that is under way.
    copy: Option<Copied>,
}

/// What a child finds in the place of the blocks.
enum Copied {
    /// Each region after the one before it. It takes no address space, which a function may have limited.
    File(File),
    /// The spans of pages in which blocks lie, one after the other: the function has limited the size of files.
    Pages(Pages, Spans),
}

static REGISTER: Mutex<Register> = Mutex::new(Register {
    regions: Spans::new(),
    blocks: Spans::new(),
    copy: None,
});

/// Whether a process that had tokens has forked this one.
static INHERITED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// What `pthread_atfork` is made of, which old C libraries have in an archive only.
    fn __register_atfork(
        prepare: extern "C" fn(),
        parent: extern "C" fn(),
        child: extern "C" fn(),
        library: *mut c_void,
    ) -> i32;
}

thread_local! {
    /// The register's lock, while this thread forks.
    static FORKING: Cell<Option<MutexGuard<'static, Register>>> = const { Cell::new(None) };
}

/// A mapping whose blocks a child shall have for itself.
#[derive(Debug)]
pub(crate) struct Region(usize);

/// A block that a child shall find as it is.
#[derive(Debug)]
pub(crate) struct Live(usize);

/// From now on forks of this process heed tokens.
pub(crate) fn watch() -> Result<(), WireError> {
    static WATCHED: OnceLock<i32> = OnceLock::new();
    let answer = WATCHED.get_or_init(|| {
        // SAFETY: three functions of a library that is never unloaded, as no Python extension is.
        unsafe { __register_atfork(prepare, parent, child, std::ptr::null_mut()) }
    });
    match *answer {
        0 => Ok(()),
        error => Err(WireError::System(
            "pthread_atfork",
            std::io::Error::from_raw_os_error(error),
        )),
    }
}

/// Whether this process has its tokens from the one that forked it.
pub(crate) fn is_inherited() -> bool {
    INHERITED.load(Ordering::Relaxed)
}

impl Region {
    pub(crate) fn new(mapping: &Mapping) -> Self {
        let start = mapping.address(0).expose_provenance();
        register().regions.insert(start, mapping.len());
        Self(start)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        register().regions.remove(&self.0);
    }
}

impl Live {
    /// For `bytes` of `mapping` from `at` on, which lie within it.
    pub(crate) fn new(mapping: &Mapping, at: usize, bytes: usize) -> Self {
        let start = mapping.address(at).expose_provenance();
        register().blocks.insert(start, bytes);
        Self(start)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        register().blocks.remove(&self.0);
    }
}

impl Register {
    fn copied(&self) -> Result<Copied, WireError> {
        let bytes: usize = self.regions.values().sum();
        if limit_of_files() < bytes as u64 {
            self.in_pages()
        } else {
            self.in_file().map(Copied::File)
        }
    }

    fn in_file(&self) -> Result<File, WireError> {
        let refused = |error| WireError::System("a child's copy of the input", error);
        let file = shared_file(c"ember-forked")?;
        let mut end = 0;
        for (start, bytes) in &self.regions {
            for (at, held) in self.held(*start, *bytes) {
                file.write_all_at(held, end + at as u64).map_err(refused)?;
            }
            end += *bytes as u64;
        }
        file.set_len(end).map_err(refused)?;
        Ok(file)
    }

    fn in_pages(&self) -> Result<Copied, WireError> {
        let spans = self.spans();
        let pages = Pages::new(spans.values().sum())?;
        let mut end = 0;
        for (start, bytes) in &spans {
            for (at, held) in self.held(*start, *bytes) {
                pages.put(end + at, held);
            }
            end += bytes;
        }
        Ok(Copied::Pages(pages, spans))
    }

    /// The blocks within so many bytes, and how far from the first of these they begin.
    fn held(&self, start: usize, bytes: usize) -> impl Iterator<Item = (usize, &[u8])> {
        let within = self.blocks.range(start..start + bytes);
        within.map(move |(block, bytes)| {
            let from = std::ptr::with_exposed_provenance::<u8>(*block);
            // SAFETY: a block that its reader holds, by this module's invariant, and nobody
            // writes it meanwhile: to give it back takes the lock that the caller has.
            let held = unsafe { std::slice::from_raw_parts(from, *bytes) };
            (block - start, held)
        })
    }

    /// The pages in which the blocks lie.
    fn spans(&self) -> Spans {
        let page = usize::try_from(PAGE).unwrap_or(1);
        let mut spans = Spans::new();
        for (start, bytes) in &self.blocks {
            let from = start - start % page;
            let end = (start + bytes).next_multiple_of(page);
            match spans.last_entry() {
                Some(mut last) if last.key() + last.get() >= from => {
                    let bytes = end - last.key();
                    last.insert(bytes);
                }
                _ => {
                    spans.insert(from, end - from);
                }
            }
        }
        spans
    }

    /// Puts the copy in place of what is shared; false if something would stay shared or be lost.
    fn inherit(&mut self) -> bool {
        let copy = self.copy.take();
        if copy.is_none() && !self.blocks.is_empty() {
            return false;
        }
        self.blocks.clear();
        let file = match &copy {
            Some(Copied::File(file)) => Some(file),
            _ => None,
        };
        let mut at = 0;
        for (start, bytes) in std::mem::take(&mut self.regions) {
            // SAFETY: a mapping, by this module's invariant. What it held that somebody still reads
            // is in the copy: at the same place of the file, or about to be moved here.
            if !unsafe { map_over(start, bytes, file, at) } {
                return false;
            }
            at += bytes as u64;
        }
        match copy {
            // SAFETY: pages of these mappings.
            Some(Copied::Pages(pages, spans)) => unsafe { pages.move_to(&spans) },
            _ => true,
        }
    }
}

fn register() -> MutexGuard<'static, Register> {
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock that [`prepare`] took on this thread.
fn forking() -> MutexGuard<'static, Register> {
    let taken = FORKING.try_with(Cell::take).ok().flatten();
    taken.unwrap_or_else(register)
}

/// The lock, and under it the copy if it could be made.
fn prepared() -> MutexGuard<'static, Register> {
    let mut register = register();
    if !register.blocks.is_empty() {
        register.copy = register.copied().ok();
    }
    register
}

extern "C" fn prepare() {
    let _kept = FORKING
        .try_with(|forking| forking.set(Some(prepared())))
        .is_ok();
}

extern "C" fn parent() {
    forking().copy = None;
}

/// Ends a child that would read what another process writes.
extern "C" fn child() {
    INHERITED.store(true, Ordering::Relaxed);
    if forking().inherit() {
        return;
    }
    let why = b"ember: no memory for the input of a process that a function has forked\n";
    // SAFETY: a text of this length. What cannot be told is not.
    unsafe { libc::write(2, why.as_ptr().cast(), why.len()) };
    // SAFETY: ends this process only, which has run nothing yet.
    unsafe { libc::abort() };
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Arena, Block, Kind, Message, View};
    use std::io::{PipeWriter, Read, Write, pipe};

    const BYTES: usize = 100_000;

    fn sides() -> (Arena, View) {
        let file = shared_file(c"forks").unwrap();
        (
            Arena::new(file.try_clone().unwrap()),
            View::of_worker(file).unwrap(),
        )
    }

    fn sent(arena: &mut Arena, filled: u8) -> Message {
        let room = arena.bytes(&[&vec![filled; BYTES]]).unwrap();
        room.message(Kind::BATCH)
    }

    /// A child that answers by its exit status, once it may run.
    pub(crate) struct Child {
        pid: i32,
        may_run: PipeWriter,
    }

    impl Child {
        pub(crate) fn fork(answer: impl FnOnce() -> u8) -> Self {
            let (mut heard, may_run) = pipe().unwrap();
            // SAFETY: the child reads, writes and ends; what locks it takes are free in it.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                let told = heard.read_exact(&mut [0]).is_ok();
                let status = if told { answer() } else { 255 };
                // SAFETY: a number.
                unsafe { libc::_exit(i32::from(status)) };
            }
            assert!(pid > 0);
            Self { pid, may_run }
        }

        pub(crate) fn answer(mut self) -> i32 {
            self.may_run.write_all(&[1]).unwrap();
            let mut status = 0;
            // SAFETY: a child of this process, and a place for its status.
            let ended = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
            assert_eq!(ended, self.pid);
            assert!(libc::WIFEXITED(status), "{status:x}");
            libc::WEXITSTATUS(status)
        }
    }

    /// What all of a block is filled with, or 254.
    fn filling(block: &Block) -> u8 {
        let bytes = &block.bytes()[..BYTES];
        let first = bytes[0];
        if bytes.iter().all(|byte| *byte == first) {
            first
        } else {
            254
        }
    }

    #[test]
    fn a_child_reads_its_input_though_its_parent_gave_it_back_and_other_input_came() {
        let (mut arena, view) = sides();
        let before = sent(&mut arena, 5);
        let first = sent(&mut arena, 1);
        drop(view.block(&before).unwrap());
        let mut block = Some(view.block(&first).unwrap());
        let child = Child::fork(|| block.as_ref().map_or(253, filling));
        block = None;
        let messages = [7, 8, 9].map(|filled| sent(&mut arena, filled));
        assert!(messages.iter().any(|message| message.block == first.block));
        assert_eq!(child.answer(), 1);
        drop(block);
    }

    #[test]
    fn what_a_child_lets_go_of_its_parent_keeps() {
        let (mut arena, view) = sides();
        let first = sent(&mut arena, 1);
        let mut block = Some(view.block(&first).unwrap());
        let child = Child::fork(|| {
            block = None;
            0
        });
        assert_eq!(child.answer(), 0);
        assert_ne!(sent(&mut arena, 2).block, first.block);
        assert_eq!(block.as_ref().map(filling), Some(1));
    }

    #[test]
    fn a_child_of_a_child_has_the_same_input_and_gets_no_more() {
        let (mut arena, view) = sides();
        let segments = [sent(&mut arena, 1), sent(&mut arena, 2)];
        let large = arena.bytes(&[&vec![3; 3 << 20]]).unwrap();
        let large = large.message(Kind::BATCH);
        let unread = sent(&mut arena, 4);
        let small = segments.map(|message| view.block(&message).unwrap());
        let mut blocks = Vec::from(small);
        blocks.push(view.block(&large).unwrap());
        let child = Child::fork(|| {
            drop(blocks.remove(0));
            let grandchild = Child::fork(|| blocks.iter().map(filling).sum());
            let refused = view.block(&unread).is_err();
            u8::from(refused) * 100 + u8::try_from(grandchild.answer()).unwrap()
        });
        blocks.clear();
        for filled in 10..40 {
            drop(view.block(&sent(&mut arena, filled)).unwrap());
        }
        assert_eq!(child.answer(), 105);
    }

    #[test]
    fn a_fork_waits_for_those_who_take_blocks_and_give_them_back() {
        let (mut arena, view) = sides();
        let kept = view.block(&sent(&mut arena, 1)).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    drop(view.block(&sent(&mut arena, 2)).unwrap());
                }
            });
            for _ in 0..50 {
                let child = Child::fork(|| filling(&kept));
                assert_eq!(child.answer(), 1);
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
