//! Columns as codes, a block of rows at a time: `codes.py` says the same.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, GenericStringArray, OffsetSizeTrait};
use arrow_schema::DataType;

use crate::plan::{By, Feature, Vocabulary};

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
    Numbers(&'a Float64Array),
    Texts(&'a GenericStringArray<i32>),
    LargeTexts(&'a GenericStringArray<i64>),
}

impl<'a> Column<'a> {
    pub(crate) fn of(array: &'a dyn Array) -> Result<Self, Refusal> {
        match array.data_type() {
            DataType::Float64 => Ok(Self::Numbers(array.as_primitive::<Float64Type>())),
            DataType::Utf8 => Ok(Self::Texts(array.as_string())),
            DataType::LargeUtf8 => Ok(Self::LargeTexts(array.as_string())),
            other => Err(Refusal::Shape(format!("a column is {other}"))),
        }
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
        rows: std::ops::Range<usize>,
    ) -> Result<(), Refusal> {
        let first = at * self.rows;
        let Some(line) = self.codes.get_mut(first..first + rows.len()) else {
            return Err(Refusal::Shape("a block is too large".to_owned()));
        };
        match (&feature.by, column) {
            (By::Boundaries(boundaries), Column::Numbers(numbers)) => bins(
                line,
                feature,
                boundaries,
                &Float64Array::slice(numbers, rows.start, rows.len()),
            ),
            (
                By::Categories {
                    codes,
                    unseen_is_error,
                },
                column,
            ) => {
                let by = Words {
                    feature,
                    codes,
                    unseen_is_error: *unseen_is_error,
                };
                match column {
                    Column::Texts(texts) => places(line, &by, sliced(texts, rows)),
                    Column::LargeTexts(texts) => places(line, &by, sliced(texts, rows)),
                    Column::Numbers(_) => Err(Refusal::Shape("a category is a number".to_owned())),
                }
            }
            (By::Boundaries(_), _) => Err(Refusal::Shape("a number is a text".to_owned())),
        }
    }
}

fn sliced<O: OffsetSizeTrait>(
    texts: &GenericStringArray<O>,
    rows: std::ops::Range<usize>,
) -> impl Iterator<Item = Option<&str>> {
    rows.map(|row| texts.is_valid(row).then(|| texts.value(row)))
}

/// A value's bin is the number of boundaries below it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a feature has at most MOST_CODES codes"
)]
fn bins(
    line: &mut [u16],
    feature: &Feature,
    boundaries: &[f64],
    numbers: &Float64Array,
) -> Result<(), Refusal> {
    let missing = feature.missing();
    let mut some_missing = false;
    for (code, &value) in line.iter_mut().zip(numbers.values()) {
        *code = boundaries.partition_point(|boundary| *boundary < value) as u16;
        if value.is_nan() {
            *code = missing;
            some_missing = true;
        }
    }
    if let Some(nulls) = numbers.nulls().filter(|nulls| nulls.null_count() > 0) {
        some_missing = true;
        for (code, valid) in line.iter_mut().zip(nulls) {
            if !valid {
                *code = missing;
            }
        }
    }
    if some_missing && feature.missing_is_error {
        return Err(Refusal::Value("a number is missing".to_owned()));
    }
    Ok(())
}

struct Words<'a> {
    feature: &'a Feature,
    codes: &'a Vocabulary,
    unseen_is_error: bool,
}

fn places<'a>(
    line: &mut [u16],
    by: &Words<'_>,
    texts: impl Iterator<Item = Option<&'a str>>,
) -> Result<(), Refusal> {
    let missing = by.feature.missing();
    for (code, text) in line.iter_mut().zip(texts) {
        let known = text.and_then(|text| by.codes.get(text));
        let refused = match (known, text) {
            (Some(_), _) => false,
            (None, Some(_)) => by.unseen_is_error,
            (None, None) => by.feature.missing_is_error,
        };
        if refused {
            return Err(Refusal::Value(format!("{text:?} is no category")));
        }
        *code = known.copied().unwrap_or(missing);
    }
    Ok(())
}
