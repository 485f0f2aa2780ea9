//! Values in Arrow buffers, made into the objects that pyarrow's `as_py` makes of them.
//!
//! Whatever cannot be made without an error is refused when the values are looked at first, so
//! that the error is raised by pyarrow, before the function is called.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    IntoPyDict, PyBool, PyBytes, PyDate, PyDateTime, PyFloat, PyString, PyType, PyTzInfo,
};

use super::calendar::{self, MICROS_OF_DAY};
use super::engineering;
use super::java_text;
use super::kind::Kind;
use super::lent::{Lent, Plain};
use super::parts::{Lists, Maps, Rows};

const SECONDS_OF_DAY: i64 = 86_400;

/// The values of one column; a slice starts at the column's first row.
pub(super) enum Values {
    Bool(&'static [u8], usize),
    Int8(&'static [i8]),
    Int16(&'static [i16]),
    Int32(&'static [i32]),
    Int64(&'static [i64]),
    Float32(&'static [f32]),
    Float64(&'static [f64]),
    Ascii(Spans),
    Text(Spans),
    Binary(Spans),
    Date(&'static [i32]),
    Timestamp(&'static [i64]),
    LocalTimestamp(&'static [i64]),
    Decimal(&'static [[u8; 16]], i32),
    Decoded(Vec<String>),
    Moment(&'static [i64]),
    JavaDecimal(&'static [[u8; 16]], i32),
    Lists(Lists),
    Maps(Maps),
    Rows(Rows),
    /// There are no rows.
    Nothing,
}

impl Values {
    /// Looks at the buffers of `lent`; `None` if some value is not for this side to make.
    pub(super) fn of(lent: &Lent, kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Bool => {
                let bits = lent.slice(1, (lent.offset() + lent.len()).div_ceil(8))?;
                Self::Bool(bits, lent.offset())
            }
            Kind::Int8 => Self::Int8(fixed(lent)?),
            Kind::Int16 => Self::Int16(fixed(lent)?),
            Kind::Int32 => Self::Int32(fixed(lent)?),
            Kind::Int64 => Self::Int64(fixed(lent)?),
            Kind::Float32 => Self::Float32(fixed(lent)?),
            Kind::Float64 => Self::Float64(fixed(lent)?),
            Kind::Text => text(Spans::short(lent)?).ok()?,
            Kind::LargeText => text(Spans::long(lent)?).ok()?,
            Kind::Binary => Self::Binary(Spans::short(lent)?),
            Kind::LargeBinary => Self::Binary(Spans::long(lent)?),
            Kind::Date => Self::Date(dates(fixed(lent)?)?),
            Kind::Timestamp => Self::Timestamp(instants(fixed(lent)?, 0)?),
            Kind::LocalTimestamp => Self::LocalTimestamp(instants(fixed(lent)?, 366)?),
            Kind::Decimal(_, scale) => Self::Decimal(fixed(lent)?, scale),
            Kind::JavaText => java(Spans::short(lent)?),
            Kind::Moment => Self::Moment(instants(fixed(lent)?, 366)?),
            Kind::JavaDecimal(scale) => Self::JavaDecimal(fixed(lent)?, scale),
            Kind::Instant | Kind::Nested => return None,
        })
    }

    /// The object of one row.
    #[inline]
    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Bool(bits, first) => {
                let bit = first + row;
                let set = at(bits, bit / 8) >> (bit % 8) & 1 == 1;
                PyBool::new(py, set).to_owned().into_any()
            }
            Self::Int8(values) => int(py, at(values, row).into()),
            Self::Int16(values) => int(py, at(values, row).into()),
            Self::Int32(values) => int(py, at(values, row).into()),
            Self::Int64(values) => int(py, at(values, row)),
            Self::Float32(values) => PyFloat::new(py, at(values, row).into()).into_any(),
            Self::Float64(values) => PyFloat::new(py, at(values, row)).into_any(),
            Self::Ascii(spans) | Self::Text(spans) => {
                PyString::from_bytes(py, spans.at(row))?.into_any()
            }
            Self::Binary(spans) => PyBytes::new(py, spans.at(row)).into_any(),
            Self::Date(days) => date(py, at(days, row).into())?,
            Self::Timestamp(micros) => timestamp(py, at(micros, row), None)?,
            Self::LocalTimestamp(micros) => timestamp(py, local(at(micros, row)), None)?,
            Self::Decimal(values, scale) => {
                let unscaled = values.get(row).copied().unwrap_or_default();
                let unscaled = i128::from_le_bytes(unscaled);
                decimal(py, &format!("{unscaled}E{}", -i64::from(*scale)))?
            }
            Self::Decoded(texts) => {
                PyString::new(py, texts.get(row).map_or("", String::as_str)).into_any()
            }
            Self::Moment(micros) => moment(py, at(micros, row))?,
            Self::JavaDecimal(values, scale) => {
                let unscaled = values.get(row).copied().unwrap_or_default();
                decimal(
                    py,
                    &engineering::text(i128::from_le_bytes(unscaled), *scale),
                )?
            }
            Self::Lists(lists) => lists.object(py, row)?,
            Self::Maps(maps) => maps.object(py, row)?,
            Self::Rows(rows) => rows.object(py, row)?,
            Self::Nothing => py.None().into_bound(py),
        })
    }
}

/// Pieces of one buffer of bytes.
pub(super) struct Spans {
    offsets: Offsets,
    bytes: &'static [u8],
}

enum Offsets {
    Short(&'static [i32]),
    Long(&'static [i64]),
}

impl Spans {
    pub(super) fn short(lent: &Lent) -> Option<Self> {
        let offsets = lent.slice::<i32>(1, lent.offset() + lent.len() + 1)?;
        let end = usize::try_from(*offsets.last()?).ok()?;
        let offsets = Offsets::Short(offsets.get(lent.offset()..)?);
        Self::checked(lent, offsets, end)
    }

    pub(super) fn long(lent: &Lent) -> Option<Self> {
        let offsets = lent.slice::<i64>(1, lent.offset() + lent.len() + 1)?;
        let end = usize::try_from(*offsets.last()?).ok()?;
        let offsets = Offsets::Long(offsets.get(lent.offset()..)?);
        Self::checked(lent, offsets, end)
    }

    fn checked(lent: &Lent, offsets: Offsets, end: usize) -> Option<Self> {
        let bytes = match end {
            0 => &[],
            _ => lent.slice(2, end)?,
        };
        Some(Self { offsets, bytes })
    }

    /// The bytes of one row.
    #[inline]
    pub(super) fn at(&self, row: usize) -> &'static [u8] {
        let (from, to) = match self.offsets {
            Offsets::Short(offsets) => (at(offsets, row).into(), at(offsets, row + 1).into()),
            Offsets::Long(offsets) => (at(offsets, row), at(offsets, row + 1)),
        };
        let (from, to) = (usize::try_from(from), usize::try_from(to));
        let (Ok(from), Ok(to)) = (from, to) else {
            return &[];
        };
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// The bytes from the first row to the last.
    fn all(&self) -> &'static [u8] {
        let first = match self.offsets {
            Offsets::Short(offsets) => at(offsets, 0).into(),
            Offsets::Long(offsets) => at(offsets, 0),
        };
        let first = usize::try_from(first).unwrap_or(0);
        self.bytes.get(first..).unwrap_or_default()
    }

    fn len(&self) -> usize {
        match self.offsets {
            Offsets::Short(offsets) => offsets.len() - 1,
            Offsets::Long(offsets) => offsets.len() - 1,
        }
    }
}

fn fixed<T: Plain>(lent: &Lent) -> Option<&'static [T]> {
    lent.slice(1, lent.offset() + lent.len())?
        .get(lent.offset()..)
}

#[inline]
pub(super) fn at<T: Copy + Default>(values: &[T], row: usize) -> T {
    values.get(row).copied().unwrap_or_default()
}

/// Text, if all of it is: Spark's strings may hold any bytes.
fn text(spans: Spans) -> Result<Values, Spans> {
    let all = spans.all();
    if all.is_ascii() {
        return Ok(Values::Ascii(spans));
    }
    let rows = 0..spans.len();
    let valid = rows
        .into_iter()
        .all(|row| std::str::from_utf8(spans.at(row)).is_ok());
    if valid {
        Ok(Values::Text(spans))
    } else {
        Err(spans)
    }
}

/// Text as Java reads it; what is no text is rare, and made at once.
fn java(spans: Spans) -> Values {
    let rows = spans.len();
    match text(spans) {
        Ok(values) => values,
        Err(spans) => Values::Decoded(
            (0..rows)
                .map(|row| java_text::decoded(spans.at(row)))
                .collect(),
        ),
    }
}

fn dates(days: &'static [i32]) -> Option<&'static [i32]> {
    let known = |days: &i32| calendar::DAYS.contains(&i64::from(*days));
    days.iter().all(known).then_some(days)
}

/// Instants whose day is one, and not among the first or last `margin` days that `datetime` knows.
fn instants(micros: &'static [i64], margin: i64) -> Option<&'static [i64]> {
    let first = (calendar::DAYS.start() + margin) * MICROS_OF_DAY;
    let end = (calendar::DAYS.end() + 1 - margin) * MICROS_OF_DAY;
    let known = |micros: &i64| (first..end).contains(micros);
    micros.iter().all(known).then_some(micros)
}

#[inline]
pub(super) fn int(py: Python<'_>, value: i64) -> Bound<'_, PyAny> {
    let Ok(made) = value.into_pyobject(py);
    made.into_any()
}

pub(super) fn date(py: Python<'_>, days: i64) -> PyResult<Bound<'_, PyAny>> {
    let (year, month, day) = calendar::date(days);
    Ok(PyDate::new(py, year, month, day)?.into_any())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "hours, minutes, seconds and microseconds of a day"
)]
pub(super) fn timestamp<'py>(
    py: Python<'py>,
    micros: i64,
    zone: Option<&Bound<'py, PyTzInfo>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (year, month, day) = calendar::date(micros.div_euclid(MICROS_OF_DAY));
    let rest = micros.rem_euclid(MICROS_OF_DAY);
    let seconds = rest / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let made = PyDateTime::new(
        py,
        year,
        month,
        day,
        hour as u8,
        minute as u8,
        second as u8,
        (rest % 1_000_000) as u32,
        zone,
    )?;
    Ok(made.into_any())
}

/// An instant as the local time of this process, by the very call that `datetime.astimezone` uses.
fn local(micros: i64) -> i64 {
    let seconds = micros.div_euclid(1_000_000);
    micros + super::asked::local_offset(seconds) * 1_000_000
}

/// Digits and exponent are those of the text.
fn decimal<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")?.call1((text,))
}

/// What `datetime.fromtimestamp` makes of an instant, and of its microseconds.
fn moment(py: Python<'_>, micros: i64) -> PyResult<Bound<'_, PyAny>> {
    let ahead = |seconds: i64| super::asked::local_offset(seconds);
    let seconds = micros.div_euclid(1_000_000);
    let offset = ahead(seconds);
    // The second of two equal times comes within a day after clocks were put back.
    let back = offset - ahead(seconds - SECONDS_OF_DAY);
    let second = back < 0 && ahead(seconds + back) + back == offset;
    let local = timestamp(py, micros + offset * 1_000_000, None)?;
    if !second {
        return Ok(local);
    }
    let fold = [("fold", 1)].into_py_dict(py)?;
    local.call_method("replace", (), Some(&fold))
}
