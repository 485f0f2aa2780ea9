//! Rows to Arrow and back, for any type and any value; and pages that lie.

use ember_rows::pages::{Page, PageError, RowPage, Rows, SparkField, SparkType, ToRows};
use proptest::prelude::*;

use crate::spark::{Value, any_rows, page};
use crate::support::{alone, to_arrow};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_come_back_byte_for_byte((fields, rows) in any_rows(), large in any::<bool>()) {
        let before = page(&fields, &rows);
        let batch = to_arrow(&fields, &before, rows.len(), large).unwrap();
        prop_assert_eq!(alone(&fields, &batch).unwrap(), before);
    }

    #[test]
    fn a_type_without_nulls_changes_no_byte_and_refuses_each_null((fields, rows) in any_rows()) {
        let batch = to_arrow(&fields, &page(&fields, &rows), rows.len(), false).unwrap();
        let solid: Vec<_> = fields.iter().map(|field| SparkField::new(without_nulls(&field.of), false)).collect();
        match alone(&solid, &batch) {
            Ok(written) => {
                prop_assert!(!rows.iter().flatten().any(has_null));
                prop_assert_eq!(written, page(&fields, &rows));
            }
            Err(error) => {
                prop_assert!(matches!(error, PageError::Null), "{}", error);
                prop_assert!(rows.iter().flatten().any(has_null));
            }
        }
    }

    #[test]
    fn a_joined_row_is_the_row_of_both((fields, rows) in any_rows(), (more, others) in any_rows()) {
        let count = rows.len().min(others.len());
        let (left, right) = (page(&fields, &rows[..count]), page(&more, &others[..count]));
        let batch = to_arrow(&more, &right, count, false).unwrap();
        let mut joined = RowPage::default();
        let input = Rows::new(Page::of(&left), count);
        ToRows::joined(&fields, more.clone()).write(&[input], &batch, &mut joined).unwrap();
        let both: Vec<_> = rows.iter().zip(&others).map(|(a, b)| [&a[..], b].concat()).collect();
        prop_assert_eq!(joined.as_slice(), page(&[fields, more].concat(), &both));
    }

    #[test]
    fn a_row_of_fields_in_any_order_is_the_row_of_those(
        (fields, rows) in any_rows(),
        (more, others) in any_rows(),
        chosen in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let count = rows.len().min(others.len());
        let all = [fields.clone(), more.clone()].concat();
        let places: Vec<usize> = match all.len() {
            0 => Vec::new(),
            some => chosen.iter().map(|at| at.index(some)).collect(),
        };
        let (left, right) = (page(&fields, &rows[..count]), page(&more, &others[..count]));
        let batch = to_arrow(&more, &right, count, false).unwrap();
        let mut written = RowPage::default();
        let input = Rows::new(Page::of(&left), count);
        let writer = ToRows::chosen(&fields, &places, more).unwrap();
        writer.write(&[input], &batch, &mut written).unwrap();
        let kept: Vec<_> = places.iter().map(|at| all[*at].clone()).collect();
        let row = |row: Vec<Value>| places.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
        let both = rows.iter().zip(&others).map(|(a, b)| row([&a[..], b].concat()));
        prop_assert_eq!(written.as_slice(), page(&kept, &both.collect::<Vec<_>>()));
        prop_assert!(ToRows::chosen(&fields, &[fields.len()], Vec::new()).is_none());
    }

    #[test]
    fn a_slice_of_a_batch_gives_its_rows((fields, rows) in any_rows(), from in 0..6_usize) {
        let from = from.min(rows.len());
        let batch = to_arrow(&fields, &page(&fields, &rows), rows.len(), false).unwrap();
        let slice = batch.slice(from, rows.len() - from);
        prop_assert_eq!(alone(&fields, &slice).unwrap(), page(&fields, &rows[from..]));
    }

    #[test]
    fn a_page_with_wrong_bytes_is_refused_or_read_within_itself(
        (fields, rows) in any_rows(),
        dirt in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = page(&fields, &rows);
        for (at, byte) in dirt {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        // An allocation of exactly these bytes, so that the sanitizer sees a read behind them.
        let bytes = bytes.into_boxed_slice();
        let arrow = to_arrow(&fields, &bytes, rows.len(), false);
        if let Ok(batch) = &arrow {
            prop_assert_eq!(batch.len(), rows.len());
            drop(alone(&fields, batch));
        }
        let one = [SparkField::new(SparkType::Int, true)];
        let numbers = vec![vec![Value::Null]; rows.len()];
        let batch = to_arrow(&one, &page(&one, &numbers), rows.len(), false).unwrap();
        let input = Rows::new(Page::of(&bytes), rows.len());
        drop(ToRows::joined(&fields, one.to_vec()).write(&[input], &batch, &mut RowPage::default()));
    }
}

fn without_nulls(of: &SparkType) -> SparkType {
    let boxed = |of: &SparkType| Box::new(without_nulls(of));
    match of {
        SparkType::Array { element, .. } => SparkType::Array {
            element: boxed(element),
            nulls: false,
        },
        SparkType::Map { key, value, .. } => SparkType::Map {
            key: boxed(key),
            value: boxed(value),
            nulls: false,
        },
        SparkType::Struct(fields) => {
            let solid = |field: &SparkField| SparkField::new(without_nulls(&field.of), false);
            SparkType::Struct(fields.iter().map(solid).collect())
        }
        plain => plain.clone(),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) | Value::Struct(values) => values.iter().any(has_null),
        Value::Map(keys, values) => keys.iter().chain(values).any(has_null),
        _ => false,
    }
}

#[test]
fn many_rows_pass_block_by_block() {
    let fields = [SparkType::Long, SparkType::String, SparkType::Boolean];
    let fields = fields.map(|of| SparkField::new(of, true));
    let rows: Vec<_> = (0..3000_u64)
        .map(|row| {
            let long = Value::Plain(row.to_le_bytes().to_vec());
            let text = Value::Text(vec![b'x'; usize::try_from(row % 40).unwrap()]);
            let flag = Value::Plain(vec![u8::from(row % 3 == 0)]);
            // Nulls begin after whole blocks without any.
            let null = |at: u64, value| {
                if row > 700 && row % 7 == at {
                    Value::Null
                } else {
                    value
                }
            };
            vec![null(0, long), null(1, text), null(2, flag)]
        })
        .collect();
    let before = page(&fields, &rows);
    let batch = to_arrow(&fields, &before, rows.len(), false).unwrap();
    assert_eq!(alone(&fields, &batch).unwrap(), before);
}

#[test]
fn dirt_in_a_slot_is_not_copied_to_a_joined_row() {
    let fields = [SparkType::Int, SparkType::Long, SparkType::String];
    let fields = fields.map(|of| SparkField::new(of, true));
    let int = Value::Plain(7_u32.to_le_bytes().to_vec());
    let rows = [vec![int, Value::Null, Value::Text(b"abc".to_vec())]];
    let clean = page(&fields, &rows);
    let mut dirty = clean.clone();
    dirty[8 + 8 + 6] = 1; // above the int
    dirty[8 + 16 + 2] = 1; // under the null
    dirty[8 + 32 + 5] = 1; // behind the text
    dirty[8 + 7] = 0x80; // a null bit without a field
    let none = to_arrow(&[], &page(&[], &[vec![]]), 1, false).unwrap();
    let mut joined = RowPage::default();
    let input = Rows::new(Page::of(&dirty), 1);
    ToRows::joined(&fields, vec![])
        .write(&[input], &none, &mut joined)
        .unwrap();
    assert_eq!(joined.as_slice(), clean);
}

#[test]
fn one_row_with_dirt_among_many_of_one_length_is_cleaned() {
    let fields = [
        SparkField::new(SparkType::Int, true),
        SparkField::new(SparkType::Long, true),
    ];
    let rows: Vec<_> = (0..600_u32)
        .map(|row| vec![Value::Plain(row.to_le_bytes().to_vec()), long(3)])
        .collect();
    let clean = page(&fields, &rows);
    let none = to_arrow(&[], &page(&[], &vec![vec![]; 600]), 600, false).unwrap();
    let joined = |page: &[u8]| {
        let mut joined = RowPage::default();
        let input = Rows::new(Page::of(page), 600);
        let written = ToRows::joined(&fields, vec![]).write(&[input], &none, &mut joined);
        written.map(|_| joined.as_slice().to_vec())
    };
    assert_eq!(joined(&clean).unwrap(), clean);
    let mut dirty = clean.clone();
    dirty[400 * 32 + 8 + 8 + 6] = 1; // above an int
    assert_eq!(joined(&dirty).unwrap(), clean);
    let with_more = |row: &[u8]| [&40_u64.to_le_bytes(), &row[8..], &[9; 16]].concat();
    let longer: Vec<u8> = clean.chunks(32).flat_map(with_more).collect();
    assert_eq!(joined(&longer).unwrap(), clean);
}

/// One column of these values, read as `declared` by a function of `of`.
fn read_as(of: &SparkType, declared: SparkField, values: Vec<Value>) -> Result<Vec<u8>, PageError> {
    let fields = [SparkField::new(of.clone(), true)];
    let rows: Vec<_> = values.into_iter().map(|value| vec![value]).collect();
    let batch = to_arrow(&fields, &page(&fields, &rows), rows.len(), false).unwrap();
    alone(&[declared], &batch)
}

fn long(value: u8) -> Value {
    Value::Plain([value, 0, 0, 0, 0, 0, 0, 0].to_vec())
}

fn array(nulls: bool) -> SparkType {
    SparkType::Array {
        element: Box::new(SparkType::Long),
        nulls,
    }
}

fn map(nulls: bool) -> SparkType {
    SparkType::Map {
        key: Box::new(SparkType::Long),
        value: Box::new(SparkType::Long),
        nulls,
    }
}

fn structs(nulls: bool) -> SparkType {
    SparkType::Struct(vec![SparkField::new(SparkType::Long, nulls)])
}

#[test]
fn a_null_where_the_type_has_none_is_an_error_at_any_depth() {
    let forbidden = |of: SparkType, declared: SparkField, value: Value| {
        let refused = read_as(&of, declared, vec![value]).unwrap_err();
        assert!(matches!(refused, PageError::Null) && refused.is_for_spark());
    };
    for of in [SparkType::Long, SparkType::String, SparkType::Null] {
        forbidden(of.clone(), SparkField::new(of, false), Value::Null);
    }
    let array_of_null = Value::Array(vec![long(1), Value::Null]);
    let solid = |of: SparkType| SparkField::new(of, true);
    forbidden(array(true), solid(array(false)), array_of_null);
    let map_of_null = Value::Map(vec![long(1)], vec![Value::Null]);
    forbidden(map(true), solid(map(false)), map_of_null);
    let null_key = Value::Map(vec![Value::Null], vec![long(1)]);
    forbidden(map(true), solid(map(true)), null_key);
    let struct_of_null = Value::Struct(vec![Value::Null]);
    forbidden(structs(true), solid(structs(false)), struct_of_null);
}

#[test]
fn a_null_parent_hides_nothing_that_is_forbidden() {
    for (of, declared, value) in [
        (array(true), array(false), Value::Array(vec![long(1)])),
        (
            map(true),
            map(false),
            Value::Map(vec![long(1)], vec![long(2)]),
        ),
        (structs(true), structs(false), Value::Struct(vec![long(3)])),
    ] {
        let rows = || vec![Value::Null, value.clone(), Value::Null];
        let solid = read_as(&of, SparkField::new(declared, true), rows()).unwrap();
        assert_eq!(
            solid,
            read_as(&of, SparkField::new(of.clone(), true), rows()).unwrap()
        );
    }
}

#[test]
fn rows_are_copied_as_they_are_from_several_parts() {
    let fields = [SparkField::new(SparkType::Long, false)];
    let rows: Vec<_> = (0..5).map(|value| vec![long(value)]).collect();
    let (first, second) = (page(&fields, &rows[..3]), page(&fields, &rows[3..]));
    let all = Rows::new(Page::of(&first), 3).skip(1).unwrap();
    let some = Rows::new(Page::of(&second), 2).take(1);
    let mut copy = RowPage::default();
    copy.copy(&[all, some]).unwrap();
    assert_eq!(copy.as_slice(), page(&fields, &rows[1..4]));
    let short = Rows::new(Page::of(&second), 3);
    assert!(matches!(copy.copy(&[short]), Err(PageError::Malformed(_))));
}

#[test]
fn results_of_another_type_or_number_are_errors() {
    let long = [SparkField::new(SparkType::Long, true)];
    let double = [SparkField::new(SparkType::Double, true)];
    let rows = page(&long, &[vec![Value::Null]]);
    let batch = to_arrow(&long, &rows, 1, false).unwrap();
    assert!(matches!(
        alone(&double, &batch),
        Err(PageError::Mismatch { .. })
    ));
    assert!(matches!(alone(&[], &batch), Err(PageError::Batch(_))));
    let writer = ToRows::joined(&long, long.to_vec());
    let none = Rows::new(Page::of(&rows), 0);
    let refused = writer.write(&[none], &batch, &mut RowPage::default());
    assert!(matches!(
        refused,
        Err(PageError::Count {
            rows: 0,
            results: 1
        })
    ));
}

#[test]
fn nanoseconds_that_do_not_fit_are_an_error() {
    for of in [SparkType::Interval, SparkType::TimestampNtzNanos] {
        let fields = [SparkField::new(of, true)];
        let rows = [vec![Value::Pair([i64::MAX.cast_unsigned(); 2])]];
        let refused = to_arrow(&fields, &page(&fields, &rows), 1, false);
        assert!(matches!(refused, Err(PageError::Nanoseconds(_))));
    }
}
