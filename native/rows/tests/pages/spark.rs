//! Values as Spark holds them, and a writer that lays them out as `UnsafeRowWriter` does.

use ember_rows::pages::{SparkField, SparkType};
use proptest::collection::vec;
use proptest::prelude::*;

/// A value; `Null` where there is none.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    /// The bytes of a fixed-width value.
    Plain(Vec<u8>),
    /// The bytes of text, or of a variant with its size in front.
    Text(Vec<u8>),
    Decimal(i128),
    /// Two words that are reserved even for nulls.
    Pair([u64; 2]),
    Array(Vec<Value>),
    Map(Vec<Value>, Vec<Value>),
    Struct(Vec<Value>),
}

/// A page of these rows.
pub(crate) fn page(fields: &[SparkField], rows: &[Vec<Value>]) -> Vec<u8> {
    let mut page = Vec::new();
    for values in rows {
        let row = row(fields, values);
        page.extend((row.len() as u64).to_le_bytes());
        page.extend(row);
    }
    page
}

fn row(fields: &[SparkField], values: &[Value]) -> Vec<u8> {
    let bits = fields.len().div_ceil(64) * 8;
    let mut row = vec![0; bits + 8 * fields.len()];
    for (ordinal, (field, value)) in fields.iter().zip(values).enumerate() {
        let slot = bits + 8 * ordinal;
        if matches!(value, Value::Null) {
            row[ordinal / 8] |= 1 << (ordinal % 8);
            if let Some(size) = reserved(&field.of) {
                point(&mut row, slot, size);
                row.extend([0; 16]);
            }
            continue;
        }
        if let Value::Decimal(value) = value
            && great(&field.of)
        {
            let bytes = java_bytes(*value);
            point(&mut row, slot, bytes.len());
            row.extend(&bytes);
            row.resize(row.len() + 16 - bytes.len(), 0);
            continue;
        }
        put(&mut row, slot, &field.of, value);
    }
    row
}

fn array(of: &SparkType, values: &[Value]) -> Vec<u8> {
    let width = width(of);
    let header = 8 + values.len().div_ceil(64) * 8;
    let mut array = vec![0; header + (values.len() * width).next_multiple_of(8)];
    array[..8].copy_from_slice(&(values.len() as u64).to_le_bytes());
    for (ordinal, value) in values.iter().enumerate() {
        if matches!(value, Value::Null) {
            array[8 + ordinal / 8] |= 1 << (ordinal % 8);
        } else {
            put(&mut array, header + ordinal * width, of, value);
        }
    }
    array
}

fn put(out: &mut Vec<u8>, slot: usize, of: &SparkType, value: &Value) {
    let behind = match (of, value) {
        (_, Value::Plain(bytes)) => {
            out[slot..slot + bytes.len()].copy_from_slice(bytes);
            return;
        }
        (of, Value::Decimal(value)) if !great(of) => {
            let long = i64::try_from(*value).unwrap();
            out[slot..slot + 8].copy_from_slice(&long.to_le_bytes());
            return;
        }
        (_, Value::Decimal(value)) => java_bytes(*value),
        (_, Value::Text(bytes)) => bytes.clone(),
        (_, Value::Pair(words)) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        (SparkType::Array { element, .. }, Value::Array(values)) => array(element, values),
        (SparkType::Map { key, value, .. }, Value::Map(keys, values)) => {
            let keys = array(key, keys);
            let mut map = (keys.len() as u64).to_le_bytes().to_vec();
            map.extend(keys);
            map.extend(array(value, values));
            map
        }
        (SparkType::Struct(fields), Value::Struct(values)) => row(fields, values),
        (of, value) => panic!("{value:?} is no {of}"),
    };
    point(out, slot, behind.len());
    out.extend(&behind);
    out.resize(out.len().next_multiple_of(8), 0);
}

fn point(out: &mut [u8], slot: usize, size: usize) {
    let word = (out.len() as u64) << 32 | size as u64;
    out[slot..slot + 8].copy_from_slice(&word.to_le_bytes());
}

fn great(of: &SparkType) -> bool {
    matches!(of, SparkType::Decimal { precision, .. } if *precision > 18)
}

fn reserved(of: &SparkType) -> Option<usize> {
    match of {
        of if great(of) => Some(0),
        SparkType::Interval | SparkType::TimestampNtzNanos | SparkType::TimestampLtzNanos => {
            Some(16)
        }
        _ => None,
    }
}

fn width(of: &SparkType) -> usize {
    match of {
        SparkType::Boolean | SparkType::Byte => 1,
        SparkType::Short => 2,
        SparkType::Int | SparkType::Float | SparkType::Date | SparkType::YearMonth => 4,
        _ => 8,
    }
}

fn java_bytes(value: i128) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let sign = if value < 0 { 0xFF } else { 0 };
    let mut first = 0;
    while first < 15 && bytes[first] == sign && (bytes[first + 1] ^ sign) < 0x80 {
        first += 1;
    }
    bytes[first..].to_vec()
}

/// Any type, nested a little.
pub(crate) fn any_type() -> impl Strategy<Value = SparkType> {
    let decimal = (1_u8..=38).prop_map(|precision| SparkType::Decimal {
        precision,
        scale: 2,
    });
    let leaf = prop_oneof![
        Just(SparkType::Boolean),
        Just(SparkType::Byte),
        Just(SparkType::Short),
        Just(SparkType::Int),
        Just(SparkType::Long),
        Just(SparkType::Float),
        Just(SparkType::Timestamp),
        decimal,
        Just(SparkType::String),
        Just(SparkType::Binary),
        Just(SparkType::Interval),
        Just(SparkType::TimestampNtzNanos),
        Just(SparkType::Null),
        Just(SparkType::Variant),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let array = inner.clone().prop_map(|element| SparkType::Array {
            element: Box::new(element),
            nulls: true,
        });
        let map = (inner.clone(), inner.clone()).prop_map(|(key, value)| SparkType::Map {
            key: Box::new(if key == SparkType::Null {
                SparkType::Int
            } else {
                key
            }),
            value: Box::new(value),
            nulls: true,
        });
        let fields = vec(inner, 1..4);
        let fields = fields.prop_map(|fields| {
            let fields = fields.into_iter().map(|of| SparkField::new(of, true));
            SparkType::Struct(fields.collect())
        });
        prop_oneof![array, map, fields]
    })
}

/// A value of the type, or null.
pub(crate) fn any_value(of: &SparkType) -> BoxedStrategy<Value> {
    if *of == SparkType::Null {
        return Just(Value::Null).boxed();
    }
    prop_oneof![1 => Just(Value::Null), 4 => solid_value(of)].boxed()
}

fn solid_value(of: &SparkType) -> BoxedStrategy<Value> {
    match of {
        SparkType::Boolean => any::<bool>()
            .prop_map(|it| Value::Plain(vec![it.into()]))
            .boxed(),
        SparkType::Decimal { precision, .. } => {
            let most = 10_i128.pow((*precision).into()) - 1;
            let small = most.min(300);
            let small = (-small..=small).prop_map(Value::Decimal);
            prop_oneof![(-most..=most).prop_map(Value::Decimal), small].boxed()
        }
        SparkType::String | SparkType::Binary => {
            vec(any::<u8>(), 0..70).prop_map(Value::Text).boxed()
        }
        SparkType::Variant => (vec(any::<u8>(), 0..20), vec(any::<u8>(), 1..9))
            .prop_map(|(value, metadata)| {
                let size = u32::try_from(value.len()).unwrap().to_le_bytes();
                Value::Text([&size[..], &value, &metadata].concat())
            })
            .boxed(),
        SparkType::Interval => (
            any::<u64>(),
            -9_000_000_000_000_000_i64..=9_000_000_000_000_000,
        )
            .prop_map(|(days, micros)| Value::Pair([days, micros.cast_unsigned()]))
            .boxed(),
        SparkType::TimestampNtzNanos => (
            -9_000_000_000_000_000_i64..=9_000_000_000_000_000,
            0..1000_u64,
        )
            .prop_map(|(micros, nanos)| Value::Pair([micros.cast_unsigned(), nanos]))
            .boxed(),
        SparkType::Array { element, .. } => {
            vec(any_value(element), 0..5).prop_map(Value::Array).boxed()
        }
        SparkType::Map { key, value, .. } => vec((solid_value(key), any_value(value)), 0..4)
            .prop_map(|entries| {
                let (keys, values) = entries.into_iter().unzip();
                Value::Map(keys, values)
            })
            .boxed(),
        SparkType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| any_value(&field.of)).collect();
            fields.prop_map(Value::Struct).boxed()
        }
        plain => vec(any::<u8>(), width(plain))
            .prop_map(Value::Plain)
            .boxed(),
    }
}

/// Fields and some rows of them.
pub(crate) fn any_rows() -> impl Strategy<Value = (Vec<SparkField>, Vec<Vec<Value>>)> {
    vec(any_type(), 1..5).prop_flat_map(|types| {
        let row: Vec<_> = types.iter().map(any_value).collect();
        let fields = types.into_iter().map(|of| SparkField::new(of, true));
        (Just(fields.collect()), vec(row, 0..12))
    })
}
