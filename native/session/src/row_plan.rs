//! What a row session converts, as the JVM says it.

use std::path::PathBuf;

use ember_rows::RowColumns;
use ember_rows::pages::{PageError, Shape, SparkField, SparkType, ToArrow, ToRows};
use serde::Deserialize;
use serde_json::Value;

/// The two conversions of a row session.
#[derive(Debug)]
pub struct RowPlan {
    /// From rows to the function's input.
    pub to_arrow: ToArrow,
    /// From the function's output to rows.
    pub to_rows: ToRows,
    /// Whether an output row begins with fields of its input row.
    pub joined: bool,
    /// From these fields to columns; nothing if they are not joined.
    pub to_columns: Option<RowColumns>,
    /// Whether the function's output has one column more, of pickles for the JVM to read.
    pub pickles: bool,
    /// Where input rows go that wait for their results and are too many.
    pub spill_folder: PathBuf,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "the JVM's flags, each by its name"
)]
#[derive(Deserialize)]
struct Wire {
    /// The input row: a `StructType` as Spark writes it.
    input: Value,
    /// What the function gets, a `StructType`.
    arguments: Value,
    /// Where each argument stands in the input row; without it, arguments have rows of their own.
    ordinals: Option<Vec<usize>>,
    /// What the function returns, a `StructType`.
    output: Value,
    /// 64-bit offsets for text and bytes.
    large: bool,
    /// Arguments and results are the fields of one struct column.
    wrapped: bool,
    /// Arguments are columns of their own even so.
    #[serde(default)]
    flat: bool,
    joined: bool,
    /// Which fields of an input row and its results make an output row, if not all in that order.
    chosen: Option<Vec<usize>>,
    /// The output has one column more.
    #[serde(default)]
    pickles: bool,
    /// Batches hold many groups and tell where they end.
    #[serde(default)]
    grouped: bool,
    spill_folder: PathBuf,
}

impl RowPlan {
    /// Reads the plan, a JSON object.
    pub fn parse(json: &[u8]) -> Result<Self, PageError> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| PageError::Schema(error.to_string()))?;
        let input = fields(&wire.input)?;
        let arguments = fields(&wire.arguments)?.into_iter().map(|field| field.of);
        let (width, columns): (usize, Vec<(usize, SparkType)>) = match wire.ordinals {
            Some(ordinals) => (input.len(), ordinals.into_iter().zip(arguments).collect()),
            None => (arguments.len(), arguments.enumerate().collect()),
        };
        let shape = Shape::new(width, columns)
            .large(wire.large)
            .wrapped(wire.wrapped && !wire.flat)
            .grouped(wire.grouped);
        let output = fields(&wire.output)?;
        let to_columns = wire
            .joined
            .then(|| to_columns(&input, wire.chosen.as_deref(), wire.large));
        let to_rows = match wire.chosen {
            Some(chosen) => ToRows::chosen(&input, &chosen, output).ok_or_else(missing)?,
            None if wire.joined => ToRows::joined(&input, output),
            None => ToRows::alone(output, wire.wrapped),
        };
        Ok(Self {
            to_arrow: ToArrow::new(shape)?,
            to_rows,
            joined: wire.joined,
            to_columns: to_columns.transpose()?,
            pickles: wire.pickles,
            spill_folder: wire.spill_folder,
        })
    }
}

/// An output row has a field that is neither the input's nor a result.
pub(crate) fn missing() -> PageError {
    PageError::Schema("a field that rows do not have".to_owned())
}

/// Those of the input stand before the results, where columns are asked for.
fn to_columns(
    input: &[SparkField],
    chosen: Option<&[usize]>,
    large: bool,
) -> Result<RowColumns, PageError> {
    let of = |at: usize| input.get(at).map(|field| (at, field.of.clone()));
    let columns = match chosen {
        Some(chosen) => chosen.iter().filter_map(|at| of(*at)).collect(),
        None => (0..input.len()).filter_map(of).collect(),
    };
    RowColumns::new(input.len(), columns, large)
}

fn fields(of: &Value) -> Result<Vec<SparkField>, PageError> {
    SparkType::fields_from_json(&of.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(ordinals: &str) -> String {
        choosing(ordinals, "null")
    }

    fn choosing(ordinals: &str, chosen: &str) -> String {
        let long = r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}"#;
        format!(
            r#"{{"input":{long},"arguments":{long},"ordinals":{ordinals},"output":{long},"large":false,"wrapped":false,"joined":true,"chosen":{chosen},"spill_folder":"/tmp"}}"#
        )
    }

    #[test]
    fn a_plan_names_plain_columns_or_rows_of_their_own() {
        assert!(RowPlan::parse(plan("[0]").as_bytes()).unwrap().joined);
        assert!(RowPlan::parse(plan("null").as_bytes()).is_ok());
    }

    #[test]
    fn a_column_the_rows_do_not_have_is_refused() {
        assert!(RowPlan::parse(plan("[1]").as_bytes()).is_err());
        assert!(RowPlan::parse(choosing("[0]", "[2]").as_bytes()).is_err());
        assert!(RowPlan::parse(choosing("[0]", "[1,0]").as_bytes()).is_ok());
        assert!(matches!(RowPlan::parse(b"{}"), Err(PageError::Schema(_))));
    }
}
