//! Buffers of this side, given to pyarrow.

use std::any::Any;
use std::ffi::c_void;
use std::ptr;

use ember_abi::ArrowArray;

/// One buffer; an empty one is absent.
pub(super) struct Buffer {
    first: *const c_void,
    values: Box<dyn Any + Send>,
}

impl Buffer {
    /// A buffer that holds these values.
    pub(super) fn of<T: Send + 'static>(values: Vec<T>) -> Self {
        let first = if values.is_empty() {
            ptr::null()
        } else {
            values.as_ptr().cast()
        };
        Self {
            first,
            values: Box::new(values),
        }
    }

    /// A buffer that holds these values in fewer bytes each.
    pub(super) fn narrowed<T: Copy, N: Send + 'static>(values: &[T], to: fn(T) -> N) -> Self {
        Self::of(values.iter().copied().map(to).collect())
    }
}

/// An array that waits to be imported.
pub(super) struct Exported(ArrowArray);

/// What the importer holds until it calls `release`.
struct Held {
    pointers: Vec<*const c_void>,
    _values: Vec<Box<dyn Any + Send>>,
    /// Each from `Box::into_raw`. The importer may have moved what is in them.
    children: Vec<*mut ArrowArray>,
}

impl Exported {
    pub(super) fn new(
        length: usize,
        nulls: usize,
        buffers: Vec<Buffer>,
        children: Vec<Self>,
    ) -> Self {
        let (pointers, values): (Vec<_>, Vec<_>) = buffers
            .into_iter()
            .map(|buffer| (buffer.first, buffer.values))
            .unzip();
        let mut held = Box::new(Held {
            pointers,
            _values: values,
            children: children.into_iter().map(Self::given_away).collect(),
        });
        let mut array = ArrowArray::empty();
        array.length = i64::try_from(length).unwrap_or(0);
        array.null_count = i64::try_from(nulls).unwrap_or(-1);
        array.n_buffers = i64::try_from(held.pointers.len()).unwrap_or(0);
        array.buffers = held.pointers.as_mut_ptr();
        array.n_children = i64::try_from(held.children.len()).unwrap_or(0);
        array.children = held.children.as_mut_ptr();
        array.set_private_data(Box::into_raw(held).cast());
        array.release = Some(release);
        Self(array)
    }

    /// The struct for another to own.
    fn given_away(mut self) -> *mut ArrowArray {
        Box::into_raw(Box::new(std::mem::replace(
            &mut self.0,
            ArrowArray::empty(),
        )))
    }

    /// Where the importer finds the struct, which it leaves empty.
    pub(super) fn address(&mut self) -> usize {
        (&raw mut self.0).expose_provenance()
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: nobody imported it, so it is live and released once.
            unsafe { release(&raw mut self.0) };
        }
    }
}

/// # Safety
///
/// `array` must come from [`Exported::new`], moved or not, and be live.
unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: live by this function's contract.
    let array = unsafe { &mut *array };
    array.release = None;
    let held: *mut Held = array.private_data().cast();
    // SAFETY: the box that `new` gave away; `release` is null now, so this happens once.
    let held = unsafe { Box::from_raw(held) };
    for child in held.children {
        // SAFETY: a box that `given_away` left to this struct, taken back once.
        drop(Exported(*unsafe { Box::from_raw(child) }));
    }
}
