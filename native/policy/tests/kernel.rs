//! Scores, statistics and splits of a few rows, worked out by hand.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use ember_policy::{Plan, Refusal, Statistics, best_splits, score};

/// A number with the boundaries 0 and 1, of whose tree node 0 sends bins 0 and missing to the left.
fn plan(counting: &str, missing_is_error: bool) -> Result<Plan, String> {
    searching(counting, "null", missing_is_error)
}

fn searching(counting: &str, search: &str, missing_is_error: bool) -> Result<Plan, String> {
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
        "counting": {counting}, "search": {search}}}"#
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

/// The same with a list of numbers and a list of texts for each row, of one value each.
fn lists() -> Vec<ArrayRef> {
    let listed = |column: &ArrayRef| {
        let item = Arc::new(Field::new_list_field(column.data_type().clone(), true));
        let ends = OffsetBuffer::from_repeated_length(1, column.len());
        Arc::new(ListArray::new(item, ends, Arc::clone(column), None)) as ArrayRef
    };
    features().iter().map(listed).collect()
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
    columns.extend(lists());
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

/// All rows in one node that is open.
const ROOT: &str = r#"{"opened": 1, "places": [[0, 0, 0]], "wanted": null, "valued": false,
    "draws": [{"seed": 0, "below": 4294967296, "half": null}]}"#;

const SEARCH: &str = r#"{"control": 0, "digits": 0, "criterion": "euclidean", "min_leaf": 1, "min_uplift": 0,
    "prior_rows": 0, "normalized": false, "priors": null}"#;

/// Cells of a feature in the node.
fn cells(feature: i32, numbers: &[i64]) -> RecordBatch {
    let lists = [Some(numbers.iter().copied().map(Some).collect::<Vec<_>>())];
    batch(vec![
        Arc::new(Int32Array::from(vec![feature])),
        Arc::new(Int32Array::from(vec![0])),
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)),
    ])
}

#[test]
fn of_cells_that_were_merged_the_best_split_is_found() -> Result<(), String> {
    let plan = searching(ROOT, SEARCH, false)?;
    let mut counted = Statistics::new(&plan).ok_or("nothing is counted")?;
    // rows and units of "none" and of "mail", for the bins 0 to 2 and what is missing
    let number = [2, 0, 2, 2, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1];
    let half = number.map(|of_all: i64| of_all * 10);
    let text = [5, 1, 5, 3, 0, 0, 0, 0].map(|of_all: i64| of_all * 20);
    for given in [cells(1, &text), cells(0, &half), cells(0, &half)] {
        counted.merge(&given).map_err(|e| e.to_string())?;
    }
    let found = best_splits(&plan, &counted).map_err(|e| e.to_string())?;
    assert_eq!(found.num_rows(), 1);
    assert_eq!(found.column(0).as_primitive::<Int32Type>().values(), &[0]);
    // bin 0 to the left, what is missing to the right: 4/10 * 1 + 6/10 * 0 - 0.4^2
    let gain = found.column(2).as_primitive::<Float64Type>().value(0);
    assert!((gain - (0.4 - 0.16)).abs() < 1e-15, "{gain}");
    assert_eq!(
        found
            .column(3)
            .as_list::<i32>()
            .value(0)
            .as_primitive::<Int32Type>()
            .values(),
        &[0]
    );
    let left = found.column(4).as_list::<i32>().value(0);
    assert_eq!(left.as_primitive::<Int64Type>().values(), &[40, 0, 40, 40]);
    let total = found.column(5).as_list::<i32>().value(0);
    assert_eq!(
        total.as_primitive::<Int64Type>().values(),
        &[100, 20, 100, 60]
    );
    Ok(())
}

#[test]
fn a_node_that_nothing_may_split_has_no_gain() -> Result<(), String> {
    let plan = searching(
        ROOT,
        &SEARCH.replace("\"min_leaf\": 1", "\"min_leaf\": 9"),
        false,
    )?;
    let mut counted = Statistics::new(&plan).ok_or("nothing is counted")?;
    counted
        .merge(&cells(1, &[5, 1, 5, 3, 5, 5, 5, 5]))
        .map_err(|e| e.to_string())?;
    let found = best_splits(&plan, &counted).map_err(|e| e.to_string())?;
    assert_eq!((found.num_rows(), found.column(2).null_count()), (1, 1));
    Ok(())
}

#[test]
fn cells_of_nothing_that_is_counted_are_refused() -> Result<(), String> {
    let plan = searching(ROOT, SEARCH, false)?;
    let mut counted = Statistics::new(&plan).ok_or("nothing is counted")?;
    for wrong in [
        cells(2, &[0; 8]),
        cells(-1, &[0; 8]),
        cells(1, &[0; 7]),
        cells(1, &[0; 10]),
    ] {
        assert!(matches!(counted.merge(&wrong), Err(Refusal::Shape(_))));
    }
    let most = cells(1, &[1, i64::MAX, 0, 0, 0, 0, 0, 0]);
    assert!(counted.merge(&most).is_ok());
    assert!(matches!(counted.merge(&most), Err(Refusal::Value(_))));
    Ok(())
}

#[test]
fn outcomes_that_are_no_shares_are_refused_by_their_divergences() -> Result<(), String> {
    let shares = ROOT.replace("\"valued\"", "\"shares\": 1, \"valued\"");
    let plan = searching(&shares, &SEARCH.replace("euclidean", "kl"), false)?;
    let rows = |units: [i64; 5]| {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["none"; 5])),
            Arc::new(Int64Array::from(vec![0; 5])),
            Arc::new(Int64Array::from(units.to_vec())),
        ];
        columns.extend(lists());
        batch(columns)
    };
    let mut counted = Statistics::new(&plan).ok_or("nothing is counted")?;
    assert!(counted.add(&plan, &rows([0, 1, 1, 0, 1])).is_ok());
    for wrong in [[0, 2, 0, 0, 0], [1, 1, 1, -1, 1]] {
        assert!(matches!(
            counted.add(&plan, &rows(wrong)),
            Err(Refusal::Value(_))
        ));
    }
    Ok(())
}

#[test]
fn plans_that_contradict_themselves_are_refused() {
    for wrong in [
        SEARCH.replace("\"control\": 0", "\"control\": 2"),
        SEARCH.replace("\"priors\": null", "\"priors\": [0]"),
        SEARCH.replace("\"digits\": 0", "\"digits\": 19"),
    ] {
        assert!(searching(ROOT, &wrong, false).is_err(), "{wrong}");
    }
    assert!(searching("null", SEARCH, false).is_err());
    for wrong in [
        COUNTING.replace("[-1, 0, 1]", "[-1, 0, 2]"),
        COUNTING.replace("[-1, 0, 1]", "[-2, 0, 1]"),
        COUNTING.replace("[[-1, 0, 1]]", "[]"),
        COUNTING.replace("\"wanted\": null", "\"wanted\": [[0], [2]]"),
    ] {
        assert!(plan(&wrong, false).is_err(), "{wrong}");
    }
}
