//! Spark SQL's types, parsed once from Spark's own JSON.

use std::fmt;

use serde_json::Value;

use super::PageError;

/// The type of a column, a field or an element, as far as bytes care: a user-defined type is its SQL
/// type; char, varchar and every collation are text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SparkType {
    /// `boolean`
    Boolean,
    /// `byte`
    Byte,
    /// `short`
    Short,
    /// `integer`
    Int,
    /// `long`
    Long,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `decimal(precision,scale)`
    Decimal {
        /// Digits, at most 38.
        precision: u8,
        /// Digits behind the point.
        scale: i8,
    },
    /// `string`, `char(n)`, `varchar(n)`
    String,
    /// `binary`
    Binary,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `timestamp_ntz`
    TimestampNtz,
    /// `timestamp_ltz(p)`
    TimestampLtzNanos,
    /// `timestamp_ntz(p)`
    TimestampNtzNanos,
    /// `time(p)`
    Time,
    /// `interval year to month` and its parts
    YearMonth,
    /// `interval day to second` and its parts
    DayTime,
    /// `interval`
    Interval,
    /// `void`
    Null,
    /// `variant`
    Variant,
    /// An array.
    Array {
        /// Type of the elements.
        element: Box<SparkType>,
        /// Whether an element may be null.
        nulls: bool,
    },
    /// A map.
    Map {
        /// Type of the keys.
        key: Box<SparkType>,
        /// Type of the values.
        value: Box<SparkType>,
        /// Whether a value may be null.
        nulls: bool,
    },
    /// A struct.
    Struct(Vec<SparkField>),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparkField {
    /// Its type.
    pub of: SparkType,
    /// Whether it may be null.
    pub nullable: bool,
}

impl SparkField {
    /// A field.
    pub const fn new(of: SparkType, nullable: bool) -> Self {
        Self { of, nullable }
    }
}

impl SparkType {
    /// Parses what Spark's `DataType.json` wrote.
    pub fn from_json(json: &str) -> Result<Self, PageError> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| PageError::Schema(error.to_string()))?;
        Self::parse(&value)
    }

    /// Parses a `StructType`'s JSON to its fields.
    pub fn fields_from_json(json: &str) -> Result<Vec<SparkField>, PageError> {
        match Self::from_json(json)? {
            Self::Struct(fields) => Ok(fields),
            other => Err(PageError::Schema(format!("{other} is not a struct"))),
        }
    }

    fn parse(value: &Value) -> Result<Self, PageError> {
        if let Some(name) = value.as_str() {
            return Self::named(name);
        }
        let inner = |key: &str| Self::parse(member(value, key)?);
        let flag = |key: &str| member(value, key).map(|flag| flag.as_bool().unwrap_or(true));
        match member(value, "type")?.as_str() {
            Some("array") => Ok(Self::Array {
                element: Box::new(inner("elementType")?),
                nulls: flag("containsNull")?,
            }),
            Some("map") => Ok(Self::Map {
                key: Box::new(inner("keyType")?),
                value: Box::new(inner("valueType")?),
                nulls: flag("valueContainsNull")?,
            }),
            Some("struct") => {
                let fields = member(value, "fields")?.as_array();
                let fields = fields.ok_or_else(|| PageError::Schema(value.to_string()))?;
                fields
                    .iter()
                    .map(Self::field)
                    .collect::<Result<_, _>>()
                    .map(Self::Struct)
            }
            Some("udt") => inner("sqlType"),
            _ => Err(PageError::Unsupported(value.to_string())),
        }
    }

    fn field(value: &Value) -> Result<SparkField, PageError> {
        let nullable = member(value, "nullable")?.as_bool().unwrap_or(true);
        let of = Self::parse(member(value, "type")?)?;
        Ok(SparkField { of, nullable })
    }

    fn named(name: &str) -> Result<Self, PageError> {
        let family = name.split(['(', ' ']).next().unwrap_or(name);
        Ok(match family {
            "boolean" => Self::Boolean,
            "byte" => Self::Byte,
            "short" => Self::Short,
            "integer" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "decimal" => return Self::decimal(name),
            "string" | "char" | "varchar" => Self::String,
            "binary" => Self::Binary,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamp_ntz" if name.contains('(') => Self::TimestampNtzNanos,
            "timestamp_ntz" => Self::TimestampNtz,
            "timestamp_ltz" if name.contains('(') => Self::TimestampLtzNanos,
            "time" => Self::Time,
            "interval" => return Self::interval(name),
            "void" | "null" => Self::Null,
            "variant" => Self::Variant,
            _ => return Err(PageError::Unsupported(name.to_owned())),
        })
    }

    fn decimal(name: &str) -> Result<Self, PageError> {
        let wrong = || PageError::Schema(name.to_owned());
        let inside = name.strip_prefix("decimal").ok_or_else(wrong)?.trim();
        if inside.is_empty() {
            return Ok(Self::Decimal {
                precision: 10,
                scale: 0,
            });
        }
        let inside = inside.strip_prefix('(').and_then(|s| s.strip_suffix(')'));
        let (precision, scale) = inside.and_then(|s| s.split_once(',')).ok_or_else(wrong)?;
        let precision = precision.trim().parse().map_err(|_| wrong())?;
        let scale = scale.trim().parse().map_err(|_| wrong())?;
        if !(1..=38).contains(&precision) {
            return Err(wrong());
        }
        Ok(Self::Decimal { precision, scale })
    }

    fn interval(name: &str) -> Result<Self, PageError> {
        match name.split(' ').nth(1) {
            None => Ok(Self::Interval),
            Some("year" | "month") => Ok(Self::YearMonth),
            Some("day" | "hour" | "minute" | "second") => Ok(Self::DayTime),
            Some(_) => Err(PageError::Unsupported(name.to_owned())),
        }
    }

    /// Bytes of the value in the packed elements of an array; 8 for whatever lies elsewhere.
    pub(super) const fn element_width(&self) -> usize {
        match self {
            Self::Boolean | Self::Byte => 1,
            Self::Short => 2,
            Self::Int | Self::Float | Self::Date | Self::YearMonth => 4,
            _ => 8,
        }
    }
}

fn member<'json>(value: &'json Value, key: &str) -> Result<&'json Value, PageError> {
    value
        .get(key)
        .ok_or_else(|| PageError::Schema(format!("no {key} in {value}")))
}

impl fmt::Display for SparkType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(out, "decimal({precision},{scale})"),
            Self::Array { element, .. } => write!(out, "array<{element}>"),
            Self::Map { key, value, .. } => write!(out, "map<{key},{value}>"),
            Self::Struct(fields) => {
                out.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    write!(out, "{}{}", if index == 0 { "" } else { "," }, field.of)?;
                }
                out.write_str(">")
            }
            plain => write!(out, "{}", format!("{plain:?}").to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_to_what_their_bytes_are() {
        let parsed = |json: &str| SparkType::from_json(json).unwrap();
        assert_eq!(parsed("\"varchar(20)\""), SparkType::String);
        assert_eq!(parsed("\"string collate UTF8_LCASE\""), SparkType::String);
        assert_eq!(parsed("\"interval day\""), SparkType::DayTime);
        assert_eq!(parsed("\"interval year to month\""), SparkType::YearMonth);
        assert_eq!(parsed("\"timestamp_ntz\""), SparkType::TimestampNtz);
        let decimal = SparkType::Decimal {
            precision: 38,
            scale: -2,
        };
        assert_eq!(parsed("\"decimal(38,-2)\""), decimal);
    }

    #[test]
    fn a_user_defined_type_is_its_sql_type() {
        let json = r#"{"type":"udt","class":"x","sqlType":{"type":"array","elementType":"double","containsNull":false}}"#;
        let array = SparkType::Array {
            element: Box::new(SparkType::Double),
            nulls: false,
        };
        assert_eq!(SparkType::from_json(json).unwrap(), array);
    }

    #[test]
    fn what_is_not_carried_is_refused_by_name() {
        for json in [
            "\"geometry(4326)\"",
            "\"interval week\"",
            "{\"type\":\"x\"}",
        ] {
            let refused = SparkType::from_json(json);
            assert!(matches!(refused, Err(PageError::Unsupported(_))), "{json}");
        }
        for json in ["\"decimal(39,0)\"", "\"decimal(1\"", "{", "{}"] {
            let refused = SparkType::from_json(json);
            assert!(matches!(refused, Err(PageError::Schema(_))), "{json}");
        }
    }
}
