//! Why rows and batches cannot be turned into one another.

/// Why a page or a batch was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The JVM's page does not hold the rows it was said to hold; please report it.
    #[error("the page of rows is malformed: {0}")]
    Malformed(&'static str),
    /// The checked batch contradicts its own type; please report it.
    #[error("the batch is malformed: {0}")]
    Batch(&'static str),
    /// Not a type in Spark's JSON.
    #[error("not a Spark type: {0}")]
    Schema(String),
    /// A Spark type without a conversion here.
    #[error("type {0} is not carried")]
    Unsupported(String),
    /// The function's result has another type than the one declared.
    #[error("the function returned {returned} for a column of type {declared}")]
    Mismatch {
        /// The declared type.
        declared: String,
        /// The Arrow type that came instead.
        returned: String,
    },
    /// The function returned a null where its declared type has none.
    #[error("the function returned a null where the declared type has none")]
    Null,
    /// The function returned a decimal with more digits than declared.
    #[error("the function returned a decimal of more than {0} digits")]
    Precision(u8),
    /// 32-bit offsets cannot reach over all text, bytes or elements of a column of one batch.
    #[error("a column of one batch has more than 2 GiB of text, bytes or elements")]
    Overflow,
    /// A count of microseconds does not fit as nanoseconds.
    #[error("{0} does not fit in 64 bits of nanoseconds")]
    Nanoseconds(&'static str),
    /// A joined row would be larger than Spark's rows can be.
    #[error("a row of {0} bytes is larger than Spark's rows can be")]
    RowSize(usize),
    /// Rows that wait could not be written to a file, or read from it.
    #[error("rows that wait for their results could not be kept in a file: {0}")]
    Spill(String),
    /// Rows and results differ in number.
    #[error("{results} results for {rows} rows")]
    Count {
        /// Rows given in.
        rows: usize,
        /// Results that came back.
        results: usize,
    },
}

impl PageError {
    /// Whether what becomes of the batch is for Spark's own code to say: it may refuse it, or read something
    /// else than a null.
    pub const fn is_for_spark(&self) -> bool {
        matches!(self, Self::Null | Self::Precision(_))
    }

    /// Whether what could not be written is for Spark's own code; any other error stays one.
    pub fn left_for_spark<T>(written: Result<T, Self>) -> Result<bool, Self> {
        match written {
            Ok(_) => Ok(false),
            Err(error) if error.is_for_spark() => Ok(true),
            Err(error) => Err(error),
        }
    }
}
