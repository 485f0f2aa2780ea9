//! Rows as columns that are read on this side: what a function's input becomes where its results go on
//! as columns.

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_data::ArrayData;
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Field};

use crate::columns::column_type;
use crate::pages::{PageError, Rows, Shape, SparkType, ToArrow};

/// Makes columns of some fields of rows.
#[derive(Debug)]
pub struct RowColumns {
    to_arrow: ToArrow,
    columns: Vec<SparkType>,
    large: bool,
}

impl RowColumns {
    /// Takes which fields of rows of `fields` become columns, and of which type each is.
    pub fn new(
        fields: usize,
        columns: Vec<(usize, SparkType)>,
        large: bool,
    ) -> Result<Self, PageError> {
        let types = columns.iter().map(|(_, of)| of.clone()).collect();
        Ok(Self {
            to_arrow: ToArrow::new(Shape::new(fields, columns).large(large))?,
            columns: types,
            large,
        })
    }

    /// The columns of all rows of `pages`; refuses types that columns are not joined by.
    pub fn of(&self, pages: &[Rows<'_>]) -> Result<Vec<ArrayData>, PageError> {
        let fields = self.columns.iter().map(|of| {
            let column = column_type(of, self.large);
            let column = column.map_err(|_| PageError::Unsupported(of.to_string()))?;
            Ok(Field::new("", column, true))
        });
        let all = DataType::Struct(fields.collect::<Result<_, PageError>>()?);
        let mut batch = self.to_arrow.convert(pages)?;
        // SAFETY: `batch` is live, and `from_raw` moves it out and leaves it empty.
        let batch = unsafe { FFI_ArrowArray::from_raw((&raw mut batch).cast()) };
        // SAFETY: `to_arrow` made it with columns of these types, text and bytes alike.
        let data = unsafe { from_ffi_and_data_type(batch, all) };
        let data = data.map_err(|_| PageError::Batch("columns of rows have another form"))?;
        Ok(data.child_data().to_vec())
    }

    /// Bytes of buffers now held, as [`ToArrow::held`] says.
    pub fn held(&self) -> u64 {
        self.to_arrow.held()
    }
}
