//! Pickles in the last column of an output batch, which the JVM reads beside the batch's rows.

use std::ops::Range;

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Fields};
use ember_rows::pages::PageError;

/// The value in the first row of a column of bytes.
#[derive(Debug)]
pub(crate) struct Pickles {
    bytes: Buffer,
    range: Range<usize>,
}

impl Pickles {
    /// Parts a batch from its last column.
    pub(crate) fn beside(batch: &ArrayData) -> Result<(ArrayData, Option<Self>), PageError> {
        let DataType::Struct(fields) = batch.data_type() else {
            return Err(PageError::Batch("it is no struct"));
        };
        let (Some(last), Some((_, others))) =
            (batch.child_data().last(), batch.child_data().split_last())
        else {
            return Err(PageError::Batch("it has no column of pickles"));
        };
        let fields: Fields = fields.iter().take(others.len()).cloned().collect();
        let results = ArrayData::builder(DataType::Struct(fields))
            .len(batch.len())
            .offset(batch.offset())
            .nulls(batch.nulls().cloned())
            .child_data(others.to_vec());
        let results = results
            .build()
            .map_err(|_| PageError::Batch("its columns are not of one length"))?;
        Ok((results, Self::first(last, batch.offset())?))
    }

    /// Address and bytes.
    pub(crate) fn place(&self) -> (usize, usize) {
        let start = self.bytes.as_ptr().expose_provenance();
        (start + self.range.start, self.range.len())
    }

    fn first(column: &ArrayData, row: usize) -> Result<Option<Self>, PageError> {
        if column.is_null(row) {
            return Ok(None);
        }
        let [offsets, bytes] = column.buffers() else {
            return Err(PageError::Batch("pickles are no bytes"));
        };
        let range = match column.data_type() {
            DataType::LargeBinary => {
                let offsets: &[i64] = offsets.typed_data();
                let at = |row: usize| offsets.get(row).and_then(|end| usize::try_from(*end).ok());
                at(column.offset() + row).zip(at(column.offset() + row + 1))
            }
            _ => None,
        };
        let (from, to) = range.ok_or(PageError::Batch("pickles are no bytes"))?;
        if from > to || to > bytes.len() {
            return Err(PageError::Batch("pickles end outside of their column"));
        }
        Ok(Some(Self {
            bytes: bytes.clone(),
            range: from..to,
        }))
    }
}
