//! Scores and statistics of a few rows, worked out by hand.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use ember_policy::{Plan, Refusal, Statistics, score};

/// A number with the boundaries 0 and 1, of whose tree node 0 sends bins 0 and missing to the left.
fn plan(counting: &str, missing_is_error: bool) -> Result<Plan, String> {
    let (zero, one, half) = (0_f64.to_bits(), 1_f64.to_bits(), 0.5_f64.to_bits());
    let text = format!(
        r#"{{
        "features": [
          {{"missing_is_error": {missing_is_error}, "boundaries": [{zero}, {one}]}},
          {{"missing_is_error": false, "categories": ["a"], "unseen_is_error": false}}],
        "arms": ["none", "mail"],
        "trees": [{{
          "feature": [0, 0, 1], "left": [1, 1, 2], "right": [2, 1, 2], "left_codes": [[0, 3], [], []],
          "scores": [{zero}, {zero}, {half}, {one}, {one}, {half}]}}],
        "counting": {counting}}}"#
    );
    Plan::read(text.as_bytes()).map_err(|wrong| wrong.to_string())
}

const COUNTING: &str = r#"{"opened": 2, "places": [[-1, 0, 1]], "wanted": null, "valued": false,
    "draws": [{"seed": 0, "below": 4294967296, "half": null}]}"#;

fn features() -> Vec<ArrayRef> {
    let numbers = Float64Array::from(vec![Some(0.0), Some(0.5), None, Some(2.0), Some(f64::NAN)]);
    let texts = StringArray::from(vec![Some("a"), None, Some("b"), Some("a"), Some("a")]);
    vec![Arc::new(numbers), Arc::new(texts)]
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate();
    let named = named.map(|(at, column)| (at.to_string(), column));
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, column)| (name, column, true)))
        .unwrap_or_else(|_| RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())))
}

#[test]
fn rows_get_the_scores_of_their_leaves() -> Result<(), String> {
    let mut scores = [f64::NAN; 10];
    score(&plan("null", false)?, &batch(features()), &mut scores).map_err(|e| e.to_string())?;
    let expected = [0.5, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 0.5, 0.5, 1.0].map(f64::to_bits);
    assert_eq!(scores.map(f64::to_bits), expected);
    Ok(())
}

#[test]
fn a_missing_number_that_is_forbidden_is_refused() -> Result<(), String> {
    let told = score(&plan("null", true)?, &batch(features()), &mut [0.0; 10]);
    assert!(matches!(told, Err(Refusal::Value(_))));
    Ok(())
}

#[test]
fn rows_and_units_are_counted_by_node_code_and_arm() -> Result<(), String> {
    let plan = plan(COUNTING, false)?;
    let arms = StringArray::from(vec!["none", "mail", "mail", "none", "mail"]);
    let (hashes, units) = (vec![0; 5], vec![1, 20, 300, 4000, 50_000]);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(arms),
        Arc::new(Int64Array::from(hashes)),
        Arc::new(Int64Array::from(units)),
    ];
    columns.extend(features());
    let mut counted = Statistics::new(&plan).ok_or("nothing is counted")?;
    counted
        .add(&plan, &batch(columns))
        .map_err(|e| e.to_string())?;
    let mut cells = [0; 32 + 16];
    counted.copy(&mut cells).map_err(|e| e.to_string())?;
    let mut expected = [0; 48];
    for (at, rows, units) in [
        (0, 1, 1),           // node 1, code 0, none
        (14, 2, 50_300),     // node 1, missing, mail
        (16 + 6, 1, 20),     // node 2, code 1, mail
        (16 + 8, 1, 4000),   // node 2, code 2, none
        (32, 1, 1),          // node 1, "a", none
        (32 + 2, 1, 50_000), // node 1, "a", mail
        (32 + 6, 1, 300),    // node 1, unseen, mail
        (40, 1, 4000),       // node 2, "a", none
        (40 + 6, 1, 20),     // node 2, missing, mail
    ] {
        if let Some([of_rows, of_units]) = expected.get_mut(at..at + 2) {
            (*of_rows, *of_units) = (rows, units);
        }
    }
    assert_eq!(cells, expected);
    assert!(counted.copy(&mut [0; 47]).is_err());
    Ok(())
}

#[test]
fn plans_that_contradict_themselves_are_refused() {
    for wrong in [
        COUNTING.replace("[-1, 0, 1]", "[-1, 0, 2]"),
        COUNTING.replace("[-1, 0, 1]", "[-2, 0, 1]"),
        COUNTING.replace("[[-1, 0, 1]]", "[]"),
        COUNTING.replace("\"wanted\": null", "\"wanted\": [[0], [2]]"),
    ] {
        assert!(plan(&wrong, false).is_err(), "{wrong}");
    }
}
