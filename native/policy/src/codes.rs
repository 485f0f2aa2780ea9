//! Columns as codes, a block of rows at a time: `codes.py` says the same.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, GenericStringArray, ListArray, OffsetSizeTrait};
use arrow_schema::DataType;

use crate::plan::{By, Feature};
use crate::words::Unknown;

/// Why rows cannot be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The caller gave other columns than the plan has.
    #[error("{0}")]
    Shape(String),
    /// The manifest forbids a value.
    #[error("{0}")]
    Value(String),
}

/// A column that can be read without asking again for its type.
pub(crate) enum Column<'a> {
    Numbers(Every<'a, Float64Array>),
    Texts(Every<'a, GenericStringArray<i32>>),
    LargeTexts(Every<'a, GenericStringArray<i64>>),
}

/// The values of an array from one on, of which every so manieth is a row's.
pub(crate) struct Every<'a, A> {
    array: &'a A,
    first: usize,
    step: usize,
}

impl<'a> Column<'a> {
    /// All values of an array.
    pub(crate) fn of(array: &'a dyn Array) -> Result<Self, Refusal> {
        Self::every(array, 0, 1)
    }

    /// A column for each place in lists of so many values.
    pub(crate) fn each(lists: &'a dyn Array, many: usize) -> Result<Vec<Self>, Refusal> {
        if many == 0 {
            return Ok(Vec::new());
        }
        let lists: Option<&ListArray> = lists.as_list_opt();
        let lists = lists.filter(|lists| lists.null_count() == 0);
        let lists = lists.ok_or_else(|| Refusal::Shape("features are no lists".to_owned()))?;
        let mut lengths = lists.offsets().lengths();
        if !lengths.all(|length| length == many) {
            let words = format!("lists of features have not {many} values");
            return Err(Refusal::Shape(words));
        }
        let first = lists.value_offsets().first().copied().map(usize::try_from);
        let first = first.and_then(Result::ok).unwrap_or_default();
        let columns = first..first + many;
        columns
            .map(|first| Self::every(lists.values().as_ref(), first, many))
            .collect()
    }

    fn every(array: &'a dyn Array, first: usize, step: usize) -> Result<Self, Refusal> {
        match array.data_type() {
            DataType::Float64 => {
                let array = array.as_primitive::<Float64Type>();
                Ok(Self::Numbers(Every { array, first, step }))
            }
            DataType::Utf8 => {
                let array = array.as_string();
                Ok(Self::Texts(Every { array, first, step }))
            }
            DataType::LargeUtf8 => {
                let array = array.as_string();
                Ok(Self::LargeTexts(Every { array, first, step }))
            }
            other => Err(Refusal::Shape(format!("a column is {other}"))),
        }
    }
}

impl<'a, A> Every<'a, A> {
    pub(crate) fn array(&self) -> &'a A {
        self.array
    }

    /// Where the values of rows are in the array.
    pub(crate) fn places(&self, rows: Range<usize>) -> impl Iterator<Item = usize> + use<'a, A> {
        let (first, step) = (self.first, self.step);
        rows.map(move |row| first + row * step)
    }
}

impl<'a, O: OffsetSizeTrait> Every<'a, GenericStringArray<O>> {
    pub(crate) fn texts(&self, rows: Range<usize>) -> impl Iterator<Item = Option<&'a str>> {
        let array = self.array;
        self.places(rows)
            .map(move |at| array.is_valid(at).then(|| array.value(at)))
    }
}

/// Codes of a block of rows: a line for each feature.
#[derive(Debug)]
pub(crate) struct Block {
    codes: Vec<u16>,
    rows: usize,
}

impl Block {
    /// Room for as many rows as keep all features' codes near the processor.
    pub(crate) fn new(features: usize) -> Self {
        let rows = (65_536 / features.max(1)).clamp(64, 1024);
        let codes = vec![0; rows * features];
        Self { codes, rows }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn line(&self, feature: usize) -> &[u16] {
        let first = feature * self.rows;
        self.codes.get(first..first + self.rows).unwrap_or_default()
    }

    pub(crate) fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// Encodes rows of one column.
    pub(crate) fn encode(
        &mut self,
        at: usize,
        feature: &Feature,
        column: &Column<'_>,
        rows: Range<usize>,
    ) -> Result<(), Refusal> {
        let first = at * self.rows;
        let Some(line) = self.codes.get_mut(first..first + rows.len()) else {
            return Err(Refusal::Shape("a block is too large".to_owned()));
        };
        match (&feature.by, column) {
            (By::Boundaries(boundaries), Column::Numbers(numbers)) => {
                bins(line, feature, boundaries, numbers, rows)
            }
            (
                By::Categories {
                    codes,
                    unseen_is_error,
                },
                column,
            ) => {
                let unknown = Unknown {
                    code: feature.missing(),
                    missing_is_error: feature.missing_is_error,
                    unseen_is_error: *unseen_is_error,
                };
                match column {
                    Column::Texts(texts) => codes.encode(line, texts, rows, &unknown),
                    Column::LargeTexts(texts) => codes.encode(line, texts, rows, &unknown),
                    Column::Numbers(_) => Err(Refusal::Shape("a category is a number".to_owned())),
                }
            }
            (By::Boundaries(_), _) => Err(Refusal::Shape("a number is a text".to_owned())),
        }
    }
}

/// A value's bin is the number of boundaries below it.
fn bins(
    line: &mut [u16],
    feature: &Feature,
    boundaries: &[f64],
    numbers: &Every<'_, Float64Array>,
    rows: Range<usize>,
) -> Result<(), Refusal> {
    let missing = feature.missing();
    let first = numbers.first + rows.start * numbers.step;
    let values = numbers.array.values().get(first..).unwrap_or_default();
    let mut some_missing = if numbers.step == 1 {
        binned(line, missing, boundaries, values.iter())
    } else {
        binned(
            line,
            missing,
            boundaries,
            values.iter().step_by(numbers.step),
        )
    };
    if numbers.array.null_count() > 0 {
        for (code, at) in line.iter_mut().zip(numbers.places(rows)) {
            if numbers.array.is_null(at) {
                *code = missing;
                some_missing = true;
            }
        }
    }
    if some_missing && feature.missing_is_error {
        return Err(Refusal::Value("a number is missing".to_owned()));
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a feature has at most MOST_CODES codes"
)]
fn binned<'a>(
    line: &mut [u16],
    missing: u16,
    boundaries: &[f64],
    values: impl Iterator<Item = &'a f64>,
) -> bool {
    let mut some_missing = false;
    for (code, &value) in line.iter_mut().zip(values) {
        *code = boundaries.partition_point(|boundary| *boundary < value) as u16;
        if value.is_nan() {
            *code = missing;
            some_missing = true;
        }
    }
    some_missing
}
