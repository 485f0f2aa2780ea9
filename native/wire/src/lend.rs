//! Lent buffers to a C Data Interface array that Python may keep for as long as it likes.
//!
//! A *layout* is a run of longs: `rows, columns`, then for each column, depth first,
//! `length, null_count, n_buffers, n_children, (address, bytes) * n_buffers` and its children. The
//! buffers stand in the order of the Arrow columnar format; offsets are already applied.
//!
//! Invariant: the buffers named by a layout stay mapped and unwritten until the lender is told that
//! they are free. [`lend`] takes that on trust, once; everything below relies on it.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use ember_abi::ArrowArray;

use crate::WireError;

/// Told when the last reference to a lent batch has gone. Called on any thread.
pub trait Lender: Send + Sync {
    /// The buffers lent under `token` may be reused.
    fn returned(&self, token: i64);
}

/// Depth past which a layout is refused rather than followed.
const DEEPEST: usize = 64;
/// Stands in for an empty buffer without an address: readers may look at a first offset of 0.
static NOTHING: [u64; 8] = [0; 8];

/// Makes the struct array that `layout` describes, to be moved into an importer's memory.
///
/// # Safety
///
/// Every `(address, bytes)` of the layout must be readable and unwritten until `lender` is told
/// that `token` is returned.
pub unsafe fn lend(
    layout: &[i64],
    token: i64,
    lender: Arc<dyn Lender>,
) -> Result<ArrowArray, WireError> {
    build(Records::of(layout), token, lender)
}

/// Bytes of the buffers that `layout` names; of as many as there are, if it ends too early.
pub fn lent_bytes(layout: &[i64]) -> u64 {
    let mut bytes = 0_u64;
    let mut rest = layout.get(2..).unwrap_or_default();
    while let [_length, _nulls, buffers, _children, spans @ ..] = rest {
        let longs = usize::try_from(*buffers).unwrap_or(0).saturating_mul(2);
        let (spans, next) = spans.split_at_checked(longs).unwrap_or((spans, &[]));
        for span in spans.chunks_exact(2) {
            bytes = bytes.saturating_add(span.last().map_or(0, |size| size.unsigned_abs()));
        }
        rest = next;
    }
    bytes
}

/// The same for a layout whose addresses count from `base`, and which may lead to `bytes` from there.
///
/// # Safety
///
/// `base..base + bytes` must be readable and unwritten until `lender` is dropped.
pub(crate) unsafe fn lend_within(
    layout: &[i64],
    base: *const u8,
    bytes: usize,
    lender: Arc<dyn Lender>,
) -> Result<ArrowArray, WireError> {
    let records = Records {
        rest: layout,
        within: Some((base.expose_provenance(), bytes)),
    };
    build(records, 0, lender)
}

fn build(
    mut records: Records<'_>,
    token: i64,
    lender: Arc<dyn Lender>,
) -> Result<ArrowArray, WireError> {
    let rows = records.count()?;
    let columns = records.count()?;
    let mut lent = Lent {
        nodes: Vec::new(),
        token,
        lender,
    };
    let root = lent.node(rows, 0, vec![ptr::null()]);
    let children = (0..columns)
        .map(|_| lent.read(&mut records, 1))
        .collect::<Result<Vec<_>, _>>()?;
    lent.adopt(root, children);
    records.end()?;
    Ok(lent.seal(root))
}

/// The unread part of a layout.
#[derive(Debug)]
pub struct Records<'layout> {
    rest: &'layout [i64],
    /// What addresses count from, and how far they may lead.
    within: Option<(usize, usize)>,
}

impl<'layout> Records<'layout> {
    /// Reads `layout`, whose addresses are whole.
    pub const fn of(layout: &'layout [i64]) -> Self {
        Self {
            rest: layout,
            within: None,
        }
    }

    fn next(&mut self) -> Result<i64, WireError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(WireError::Layout("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// A length or a number of things.
    pub fn count(&mut self) -> Result<i64, WireError> {
        let count = self.next()?;
        if count < 0 {
            Err(WireError::Layout("a negative count"))
        } else {
            Ok(count)
        }
    }

    /// Address and bytes of a buffer.
    pub fn span(&mut self) -> Result<(usize, usize), WireError> {
        let outside = |_| WireError::Layout("an address outside the address space");
        let address = usize::try_from(self.next()?).map_err(outside)?;
        let bytes = usize::try_from(self.count()?).map_err(outside)?;
        Ok((address, bytes))
    }

    /// That nothing is left to read.
    pub const fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(WireError::Layout("longs left over"))
        }
    }
}

/// Everything one lent batch owns: freed when the last of its structs is released.
struct Lent {
    nodes: Vec<Node>,
    token: i64,
    lender: Arc<dyn Lender>,
}

/// One array of the tree with the lists its C struct points to.
struct Node {
    array: Box<ArrowArray>,
    buffers: Box<[*const c_void]>,
    children: Box<[*mut ArrowArray]>,
}

// SAFETY: the pointers lead to lent buffers, which nobody writes, and to boxes of this same `Lent`.
unsafe impl Send for Lent {}
// SAFETY: a sealed `Lent` is only read, and dropped once.
unsafe impl Sync for Lent {}

impl Lent {
    fn read(&mut self, records: &mut Records<'_>, depth: usize) -> Result<usize, WireError> {
        if depth > DEEPEST {
            return Err(WireError::Layout("nested too deep"));
        }
        let length = records.count()?;
        let null_count = records.next()?;
        let buffers = records.count()?;
        let children = records.count()?;
        let buffers = (0..buffers)
            .map(|index| read_buffer(records, index == 0))
            .collect::<Result<Vec<_>, _>>()?;
        let node = self.node(length, null_count, buffers);
        let children = (0..children)
            .map(|_| self.read(records, depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        self.adopt(node, children);
        Ok(node)
    }

    fn node(&mut self, length: i64, null_count: i64, buffers: Vec<*const c_void>) -> usize {
        let mut array = Box::new(ArrowArray::empty());
        array.length = length;
        array.null_count = null_count;
        self.nodes.push(Node {
            array,
            buffers: buffers.into(),
            children: Box::default(),
        });
        self.nodes.len() - 1
    }

    fn adopt(&mut self, parent: usize, children: Vec<usize>) {
        let mut pointers = Vec::with_capacity(children.len());
        for child in children {
            if let Some(node) = self.nodes.get_mut(child) {
                pointers.push(ptr::from_mut(node.array.as_mut()));
            }
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children = pointers.into();
        }
    }

    /// Ties every struct to this owner and returns the root for the importer to move out.
    fn seal(mut self, root: usize) -> ArrowArray {
        for node in &mut self.nodes {
            node.array.n_buffers = count(node.buffers.len());
            node.array.buffers = node.buffers.as_mut_ptr();
            node.array.n_children = count(node.children.len());
            node.array.children = node.children.as_mut_ptr();
        }
        let arrays: Vec<*mut ArrowArray> = self
            .nodes
            .iter_mut()
            .map(|node| ptr::from_mut(node.array.as_mut()))
            .collect();
        let owner = Arc::new(self);
        for array in &arrays {
            // SAFETY: the boxes live in `owner`, and no reference to them is left.
            let array = unsafe { &mut **array };
            array.set_private_data(Arc::into_raw(Arc::clone(&owner)).cast_mut().cast());
            array.release = Some(release);
        }
        match arrays.get(root) {
            // SAFETY: as above; the copy left in the box is never released again, for the root is
            // nobody's child.
            Some(root) => unsafe { ptr::read(*root) },
            None => ArrowArray::empty(),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.lender.returned(self.token);
    }
}

fn read_buffer(records: &mut Records<'_>, first: bool) -> Result<*const c_void, WireError> {
    let (address, bytes) = records.span()?;
    let address = match records.within {
        Some((base, room)) if address > 0 => {
            if address.checked_add(bytes).is_none_or(|end| end > room) {
                return Err(WireError::Layout("a buffer outside its block"));
            }
            base + address
        }
        _ => address,
    };
    Ok(match address {
        0 if first => ptr::null(),
        0 => NOTHING.as_ptr().cast(),
        address => ptr::with_exposed_provenance(address),
    })
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// Releases one struct; the owner goes with the last of them.
///
/// # Safety
///
/// `array` must be a live struct that [`lend`] made, or one of its children.
unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: the interface hands `release` the struct itself, once.
    let Some(array) = (unsafe { array.as_mut() }) else {
        return;
    };
    array.release = None;
    let children = usize::try_from(array.n_children).unwrap_or(0);
    for index in 0..children {
        // SAFETY: `children` holds `n_children` pointers.
        let child = unsafe { array.children.add(index) };
        // SAFETY: inside that list, by the line above.
        let child = unsafe { child.read() };
        // SAFETY: the child's box lives until the last private_data of this batch goes, below.
        let released = unsafe { (*child).release };
        if let Some(release) = released {
            // SAFETY: not released yet; it is called once because it clears itself.
            unsafe { release(child) };
        }
    }
    let owner: *const Lent = array.private_data().cast();
    // SAFETY: `seal` stored one strong count per struct, and this is the struct's one release.
    drop(unsafe { Arc::from_raw(owner) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Book(Mutex<Vec<i64>>);

    impl Lender for Book {
        fn returned(&self, token: i64) {
            self.0.lock().unwrap().push(token);
        }
    }

    fn address<T>(values: &[T]) -> i64 {
        i64::try_from(values.as_ptr().expose_provenance()).unwrap()
    }

    #[test]
    fn a_lent_batch_is_returned_once_when_released() {
        let longs = [1_i64, 2, 3];
        let book = Arc::new(Book::default());
        let layout = [3, 1, 3, 0, 2, 0, 0, 0, address(&longs), 24];
        // SAFETY: `longs` outlives the batch.
        let mut array = unsafe { lend(&layout, 7, Arc::clone(&book) as Arc<dyn Lender>) }.unwrap();
        assert_eq!((array.length, array.n_children, array.n_buffers), (3, 1, 1));
        assert!(book.0.lock().unwrap().is_empty());
        let free = array.release.unwrap();
        // SAFETY: the struct is live and released once.
        unsafe { free(&raw mut array) };
        assert!(array.release.is_none());
        assert_eq!(*book.0.lock().unwrap(), [7]);
    }

    #[test]
    fn the_bytes_of_a_layout_are_those_of_all_its_buffers() {
        let list = [2, 0, 2, 1, 0, 0, 64, 12];
        let element = [3, 0, 2, 0, 128, 8, 192, 24];
        let layout = [&[2, 1][..], &list, &element].concat();
        assert_eq!(lent_bytes(&layout), 12 + 8 + 24);
        assert_eq!(lent_bytes(&layout[..12]), 12);
        assert_eq!(lent_bytes(&[]), 0);
    }

    #[test]
    fn a_short_layout_is_refused_and_its_token_returned() {
        let book = Arc::new(Book::default());
        let layout = [3, 1, 3, 0, 2, 0, 0, 0];
        // SAFETY: nothing is read before the layout is found short.
        let refused = unsafe { lend(&layout, 9, Arc::clone(&book) as Arc<dyn Lender>) };
        assert!(matches!(refused, Err(WireError::Layout(_))));
        assert_eq!(*book.0.lock().unwrap(), [9]);
    }

    #[test]
    fn a_layout_nested_too_deep_is_refused() {
        let mut layout = vec![1, 1];
        for _ in 0..100 {
            layout.extend([1, 0, 0, 1]);
        }
        let book: Arc<dyn Lender> = Arc::new(Book::default());
        // SAFETY: the layout names no buffer.
        let refused = unsafe { lend(&layout, 1, book) };
        assert!(matches!(refused, Err(WireError::Layout("nested too deep"))));
    }
}
