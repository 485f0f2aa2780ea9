//! The types that are converted here, by their names in the C Data Interface.

/// An Arrow type, with what its values are in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `bool`.
    Bool,
    /// `int`, of as many bytes.
    Int8,
    /// As above.
    Int16,
    /// As above.
    Int32,
    /// As above.
    Int64,
    /// `float`, rounded.
    Float32,
    /// `float`.
    Float64,
    /// `str`.
    Text,
    /// `str`, with long offsets.
    LargeText,
    /// `bytes`.
    Binary,
    /// `bytes`, with long offsets.
    LargeBinary,
    /// `datetime.date`.
    Date,
    /// `datetime.datetime` without a time zone.
    Timestamp,
    /// An instant; a `datetime.datetime` without a time zone, in the local time of the process.
    LocalTimestamp,
    /// `decimal.Decimal` of 128 bits with this precision and scale.
    Decimal(u32, i32),
    /// `str`, of bytes that Java reads as text.
    JavaText,
    /// An instant; a `datetime.datetime` in the local time of the process, with its fold.
    Moment,
    /// An instant; any `datetime.datetime`, as `PySpark` converts it.
    Instant,
    /// `decimal.Decimal` of 128 bits with this scale, as Java writes it.
    JavaDecimal(i32),
    /// Made of parts, which have kinds of their own.
    Nested,
}

impl Kind {
    /// The type with this format string.
    pub(crate) fn of(format: &str) -> Option<Self> {
        Some(match format {
            "b" => Self::Bool,
            "c" => Self::Int8,
            "s" => Self::Int16,
            "i" => Self::Int32,
            "l" => Self::Int64,
            "f" => Self::Float32,
            "g" => Self::Float64,
            "u" => Self::Text,
            "U" => Self::LargeText,
            "z" => Self::Binary,
            "Z" => Self::LargeBinary,
            "tdD" => Self::Date,
            "tsu:" => Self::Timestamp,
            "tsu:local" => Self::LocalTimestamp,
            "u:java" => Self::JavaText,
            "tsu:moment" => Self::Moment,
            "tsu:UTC" => Self::Instant,
            _ => Self::decimal(format)?,
        })
    }

    fn decimal(format: &str) -> Option<Self> {
        let (precision, scale) = format.strip_prefix("d:")?.split_once(',')?;
        let scale = scale.parse().ok()?;
        Some(match precision {
            "java" => Self::JavaDecimal(scale),
            _ => Self::Decimal(precision.parse().ok()?, scale),
        })
    }
}
