//! A finished tree of columns as a C Data Interface array, and its way home after release.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ember_abi::ArrowArray;

use super::Shape;
use super::column::Column;

/// About how many trees are kept for the next batches; what comes home beyond them is freed.
const KEPT: usize = 4;

/// Where trees of one shape come back to.
#[derive(Debug, Default)]
pub(super) struct Home {
    spare: Mutex<Vec<Vec<Column>>>,
    held: AtomicU64,
}

impl Home {
    /// An empty tree whose buffers have served before.
    pub(super) fn take(&self) -> Option<Vec<Column>> {
        let spare = self.spare().pop();
        let tree = spare?;
        self.held.fetch_sub(capacity(&tree), Ordering::Relaxed);
        Some(tree)
    }

    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    fn give(&self, mut tree: Vec<Column>, bytes: u64) {
        tree.iter_mut().for_each(Column::clear);
        let full = self.spare().len() >= KEPT;
        if full {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        } else {
            self.spare().push(tree);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<Column>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn capacity(tree: &[Column]) -> u64 {
    tree.iter().map(|column| column.capacity() as u64).sum()
}

/// Gives the tree to whoever imports the returned struct.
pub(super) fn seal(tree: Vec<Column>, rows: usize, shape: &Shape, home: &Arc<Home>) -> ArrowArray {
    let bytes = capacity(&tree);
    home.held.fetch_add(bytes, Ordering::Relaxed);
    let mut batch = Batch {
        nodes: Vec::new(),
        bytes,
        home: Arc::clone(home),
        tree,
    };
    // The columns stay where they are, in the tree's own allocation, until the batch is dropped.
    let mut nodes = Vec::new();
    let mut columns: Vec<_> = batch.tree.iter().map(|it| add(&mut nodes, it)).collect();
    if shape.wrapped {
        let beside = columns.split_off(columns.len() - usize::from(shape.grouped));
        columns = vec![push(&mut nodes, array(rows, 0, &[ptr::null()], columns))];
        columns.extend(beside);
    }
    let root = array(rows, 0, &[ptr::null()], columns);
    let root = push(&mut nodes, root);
    batch.nodes = nodes;
    let owner = Arc::new(batch);
    for node in &owner.nodes {
        // SAFETY: the node came from a box, lives until `owner` goes, and nobody else knows it yet.
        let array = unsafe { &mut *node.array };
        array.set_private_data(Arc::into_raw(Arc::clone(&owner)).cast_mut().cast());
        array.release = Some(release);
    }
    // SAFETY: as above; the copy left behind is nobody's child and is never released.
    unsafe { root.read() }
}

/// Everything one batch owns; dropped with the last of its structs.
struct Batch {
    nodes: Vec<Node>,
    bytes: u64,
    home: Arc<Home>,
    tree: Vec<Column>,
}

// SAFETY: the nodes' pointers lead to what this same batch owns.
unsafe impl Send for Batch {}
// SAFETY: a sealed batch is only read, and dropped once.
unsafe impl Sync for Batch {}

impl Drop for Batch {
    fn drop(&mut self) {
        self.nodes.clear();
        self.home.give(std::mem::take(&mut self.tree), self.bytes);
    }
}

/// One struct, owned as a pointer because consumers write to it, and the lists it points to.
struct Node {
    array: *mut ArrowArray,
    _buffers: Vec<*const c_void>,
    _children: Vec<*mut ArrowArray>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: `push` took it from a box, and it is freed here only.
        drop(unsafe { Box::from_raw(self.array) });
    }
}

fn add(nodes: &mut Vec<Node>, column: &Column) -> *mut ArrowArray {
    let view = column.view();
    let children = view.children.iter().map(|it| add(nodes, it)).collect();
    let buffers = view.buffers.get(..view.used).unwrap_or_default();
    push(nodes, array(view.len, view.nulls, buffers, children))
}

fn array(
    len: usize,
    nulls: usize,
    buffers: &[*const u8],
    mut children: Vec<*mut ArrowArray>,
) -> (ArrowArray, Vec<*const c_void>, Vec<*mut ArrowArray>) {
    let mut array = ArrowArray::empty();
    array.length = count(len);
    array.null_count = count(nulls);
    let mut buffers: Vec<*const c_void> = buffers.iter().map(|buffer| buffer.cast()).collect();
    array.n_buffers = count(buffers.len());
    array.buffers = buffers.as_mut_ptr();
    array.n_children = count(children.len());
    array.children = children.as_mut_ptr();
    (array, buffers, children)
}

fn push(
    nodes: &mut Vec<Node>,
    (array, buffers, children): (ArrowArray, Vec<*const c_void>, Vec<*mut ArrowArray>),
) -> *mut ArrowArray {
    let array = Box::into_raw(Box::new(array));
    nodes.push(Node {
        array,
        _buffers: buffers,
        _children: children,
    });
    array
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// Releases one struct and what is left of its children.
///
/// # Safety
///
/// `array` must be a live struct that [`seal`] made, or one of its children.
unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: the interface hands `release` the struct itself, once.
    let Some(array) = (unsafe { array.as_mut() }) else {
        return;
    };
    array.release = None;
    for index in 0..usize::try_from(array.n_children).unwrap_or(0) {
        // SAFETY: the list has `n_children` entries and lives as long as the batch.
        let child = unsafe { array.children.add(index) };
        // SAFETY: within the list.
        let child = unsafe { child.read() };
        // SAFETY: a child's struct lives until the last release of its batch.
        if let Some(release) = unsafe { (*child).release } {
            // SAFETY: not released and not moved away, or `release` would be gone.
            unsafe { release(child) };
        }
    }
    let batch: *const Batch = array.private_data().cast();
    // SAFETY: `seal` stored one strong count per struct, and this is this struct's one release.
    drop(unsafe { Arc::from_raw(batch) });
}
