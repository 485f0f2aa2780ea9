//! Every type, and values of it.

use ember_rows::pages::{SparkField, SparkType};

use crate::spark::Value;

/// A name for the report, and the type as Spark writes it.
pub(crate) const TYPES: [(&str, &str); 27] = [
    ("boolean", r#""boolean""#),
    ("byte", r#""byte""#),
    ("short", r#""short""#),
    ("int", r#""integer""#),
    ("long", r#""long""#),
    ("float", r#""float""#),
    ("double", r#""double""#),
    ("decimal_10_2", r#""decimal(10,2)""#),
    ("decimal_38_10", r#""decimal(38,10)""#),
    ("string", r#""string""#),
    ("binary", r#""binary""#),
    ("date", r#""date""#),
    ("timestamp", r#""timestamp""#),
    ("timestamp_ntz", r#""timestamp_ntz""#),
    ("timestamp_ltz_nanos", r#""timestamp_ltz(9)""#),
    ("timestamp_ntz_nanos", r#""timestamp_ntz(9)""#),
    ("time", r#""time(6)""#),
    ("year_month", r#""interval year to month""#),
    ("day_time", r#""interval day to second""#),
    ("interval", r#""interval""#),
    ("null", r#""void""#),
    ("variant", r#""variant""#),
    (
        "udt",
        r#"{"type":"udt","class":"Point","sqlType":{"type":"array","elementType":"double","containsNull":false}}"#,
    ),
    (
        "array_long",
        r#"{"type":"array","elementType":"long","containsNull":true}"#,
    ),
    (
        "array_string",
        r#"{"type":"array","elementType":"string","containsNull":true}"#,
    ),
    (
        "map",
        r#"{"type":"map","keyType":"string","valueType":"long","valueContainsNull":true}"#,
    ),
    (
        "struct",
        r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true},{"name":"b","type":"string","nullable":true}]}"#,
    ),
];

/// The type of a name in [`TYPES`].
pub(crate) fn parse(json: &str) -> SparkType {
    SparkType::from_json(json).unwrap()
}

/// Rows of these fields, every tenth value null.
pub(crate) fn rows(fields: &[SparkField], count: usize) -> Vec<Vec<Value>> {
    let mut seed = 0_u64;
    let mut next = || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (seed ^ (seed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    };
    let row = |_| {
        let fields = fields.iter();
        fields.map(|field| value(&field.of, &mut next)).collect()
    };
    (0..count).map(row).collect()
}

fn value(of: &SparkType, next: &mut impl FnMut() -> u64) -> Value {
    if next().is_multiple_of(10) || *of == SparkType::Null {
        return Value::Null;
    }
    solid(of, next)
}

fn solid(of: &SparkType, next: &mut impl FnMut() -> u64) -> Value {
    let plain =
        |width, word: u64| Value::Plain(word.to_le_bytes().into_iter().take(width).collect());
    match of {
        SparkType::Boolean => plain(1, next() & 1),
        SparkType::Byte => plain(1, next()),
        SparkType::Short => plain(2, next()),
        SparkType::Int | SparkType::Float | SparkType::Date | SparkType::YearMonth => {
            plain(4, next() >> 34)
        }
        SparkType::Decimal { precision: 38, .. } => {
            Value::Decimal(i128::from(next()) * i128::from(next() >> 8))
        }
        SparkType::Decimal { .. } => Value::Decimal((next() % 10_000_000_000).into()),
        SparkType::String | SparkType::Binary => Value::Text(text(next)),
        SparkType::Variant => Value::Text([&[4, 0, 0, 0], &text(next)[..]].concat()),
        SparkType::Interval => Value::Pair([next() >> 50, next() >> 12]),
        SparkType::TimestampNtzNanos | SparkType::TimestampLtzNanos => {
            Value::Pair([next() >> 14, next() % 1000])
        }
        SparkType::Array { element, nulls } => {
            let one = if *nulls { value } else { solid };
            Value::Array((0..3).map(|_| one(element, next)).collect())
        }
        SparkType::Map { key, value: of, .. } => Value::Map(
            (0..2).map(|_| solid(key, next)).collect(),
            (0..2).map(|_| value(of, next)).collect(),
        ),
        SparkType::Struct(fields) => {
            let fields = fields.iter();
            Value::Struct(fields.map(|field| value(&field.of, next)).collect())
        }
        _ => plain(8, next() >> 14),
    }
}

fn text(next: &mut impl FnMut() -> u64) -> Vec<u8> {
    let letters = b"abcdefghijklmnopqrstuvwxyz".iter().copied().cycle();
    let first = usize::try_from(next() % 26).unwrap();
    letters.skip(first).take(20).collect()
}
