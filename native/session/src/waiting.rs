//! Input rows whose results have not all come back; in a file once they are many.
//!
//! A function over an iterator may read its whole input before it answers. Then the rows that wait
//! would take as much native memory as the partition has; Spark's own queue of them spills, too.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_buffer::MutableBuffer;
use ember_rows::pages::{Page, PageError, Rows};

/// Bytes of pages that are kept in memory.
const MOST: usize = 64 << 20;

/// Pages of rows, first in, first out.
#[derive(Debug)]
pub(crate) struct WaitingRows {
    pages: VecDeque<Waiting>,
    /// Bytes of those in memory, and how many may be.
    held: usize,
    most: usize,
    folder: PathBuf,
    spilled: Option<Spilled>,
}

/// Some rows, of which the first may have been joined already.
#[derive(Debug)]
struct Waiting {
    place: Place,
    /// Bytes of the page that were consumed.
    read: usize,
    rows: usize,
}

#[derive(Debug)]
enum Place {
    Memory(MutableBuffer),
    /// So many bytes of the file, from there on.
    File {
        at: u64,
        bytes: usize,
    },
}

impl WaitingRows {
    /// Nothing waits yet; what is too much for memory goes to a file in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            pages: VecDeque::new(),
            held: 0,
            most: MOST,
            folder,
            spilled: None,
        }
    }

    /// Adds the `rows` of a page. Gives the page back if they went to the file.
    pub(crate) fn push(
        &mut self,
        page: MutableBuffer,
        rows: usize,
    ) -> Result<Option<MutableBuffer>, PageError> {
        let waiting = |place| Waiting {
            place,
            read: 0,
            rows,
        };
        if self.held + page.len() <= self.most || self.pages.is_empty() {
            self.held += page.len();
            self.pages.push_back(waiting(Place::Memory(page)));
            return Ok(None);
        }
        let all = Rows::new(Page::of(page.as_slice()), rows);
        let bytes = all.skip(rows)?.read();
        let place = self.write_out(page.as_slice().get(..bytes).unwrap_or_default());
        self.pages.push_back(waiting(place.map_err(spill)?));
        Ok(Some(page))
    }

    /// Bytes of the pages in memory.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// The first `wanted` rows, or as many as there are, in parts.
    pub(crate) fn first(&mut self, wanted: usize) -> Result<Vec<Rows<'_>>, PageError> {
        self.load(wanted).map_err(spill)?;
        let (mut parts, mut left) = (Vec::new(), wanted);
        for waiting in &self.pages {
            if left == 0 {
                break;
            }
            let here = waiting.unread()?.take(left);
            left -= here.left();
            parts.push(here);
        }
        Ok(parts)
    }

    /// Forgets the first `rows`, which [`first`](Self::first) has given; `done` gets the pages that
    /// nothing is left of.
    pub(crate) fn forget(
        &mut self,
        mut rows: usize,
        mut done: impl FnMut(MutableBuffer),
    ) -> Result<(), PageError> {
        while rows > 0 {
            let Some(first) = self.pages.front_mut() else {
                return Ok(());
            };
            if first.rows > rows {
                first.read += first.unread()?.skip(rows)?.read();
                first.rows -= rows;
                return Ok(());
            }
            rows -= first.rows;
            if let Some(Place::Memory(page)) = self.pages.pop_front().map(|first| first.place) {
                self.held -= page.len();
                done(page);
            }
        }
        Ok(())
    }

    fn write_out(&mut self, bytes: &[u8]) -> io::Result<Place> {
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled::create(&self.folder)?),
        };
        let at = spilled.append(bytes)?;
        Ok(Place::File {
            at,
            bytes: bytes.len(),
        })
    }

    /// Brings the pages of the first `wanted` rows back to memory.
    fn load(&mut self, wanted: usize) -> io::Result<()> {
        let mut left = wanted;
        for waiting in &mut self.pages {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(waiting.rows);
            if let (Place::File { at, bytes }, Some(spilled)) = (&waiting.place, &mut self.spilled)
            {
                let page = spilled.read(*at, *bytes)?;
                self.held += page.len();
                waiting.place = Place::Memory(page);
            }
        }
        Ok(())
    }
}

impl Waiting {
    fn unread(&self) -> Result<Rows<'_>, PageError> {
        let page = match &self.place {
            Place::Memory(page) => page.as_slice().get(self.read..),
            Place::File { .. } => None,
        };
        let page = page.ok_or(PageError::Malformed("it is shorter"))?;
        Ok(Rows::new(Page::of(page), self.rows))
    }
}

/// A file without a name: it is gone when it is closed, however that comes about.
#[derive(Debug)]
struct Spilled {
    file: File,
    end: u64,
    /// Bytes that were not read back yet.
    unread: u64,
}

impl Spilled {
    fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("ember-rows-{}-{number}", std::process::id()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self {
            file,
            end: 0,
            unread: 0,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        if self.unread == 0 {
            self.end = 0; // everything was read back: its room serves again
        }
        let at = self.end;
        self.file.write_all_at(bytes, at)?;
        self.end += bytes.len() as u64;
        self.unread += bytes.len() as u64;
        Ok(at)
    }

    fn read(&mut self, at: u64, bytes: usize) -> io::Result<MutableBuffer> {
        let mut page = MutableBuffer::from_len_zeroed(bytes);
        self.file.read_exact_at(page.as_slice_mut(), at)?;
        self.unread -= bytes as u64;
        Ok(page)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn spill(error: io::Error) -> PageError {
    PageError::Spill(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(values: &[u64]) -> MutableBuffer {
        let mut page = MutableBuffer::new(0);
        for value in values {
            for word in [16, 0, *value] {
                page.extend_from_slice(&word.to_le_bytes());
            }
        }
        page.resize(page.len() + 40, 0xEE);
        page
    }

    /// The first values that wait, which are then forgotten.
    fn taken(waiting: &mut WaitingRows, count: usize) -> Vec<u64> {
        let mut values = Vec::new();
        for rows in waiting.first(count).unwrap() {
            let end = rows.skip(rows.left()).unwrap().read();
            for row in rows.bytes().get(..end).unwrap().chunks_exact(24) {
                values.push(u64::from_le_bytes(*row.last_chunk().unwrap()));
            }
        }
        waiting.forget(count, |_| ()).unwrap();
        values
    }

    fn small() -> WaitingRows {
        let mut waiting = WaitingRows::new(std::env::temp_dir());
        waiting.most = 100;
        waiting
    }

    #[test]
    fn rows_come_back_in_order_from_memory_and_file() {
        let mut waiting = small();
        for round in 0..3_u64 {
            let base = round * 100;
            assert!(waiting.push(page(&[base, base + 1]), 2).unwrap().is_none());
            for first in [2, 5, 8] {
                let values = [base + first, base + first + 1, base + first + 2];
                assert!(waiting.push(page(&values), 3).unwrap().is_some());
            }
            assert_eq!(taken(&mut waiting, 1), [base]);
            let next: Vec<u64> = (base + 1..base + 7).collect();
            assert_eq!(taken(&mut waiting, 6), next);
            assert_eq!(
                taken(&mut waiting, 4),
                [base + 7, base + 8, base + 9, base + 10]
            );
            assert_eq!(waiting.held, 0);
        }
        let spilled = waiting.spilled.as_ref().unwrap();
        assert_eq!((spilled.unread, spilled.end), (0, 3 * 72));
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let mut waiting = small();
        waiting.folder = PathBuf::from("/nowhere");
        assert!(waiting.push(page(&[1, 2, 3]), 3).unwrap().is_none());
        let refused = waiting.push(page(&[4]), 1);
        assert!(matches!(refused, Err(PageError::Spill(_))));
    }
}
