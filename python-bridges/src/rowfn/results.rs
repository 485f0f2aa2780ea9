//! What a function returned, in the buffers of an Arrow array.
//!
//! Only results that pyarrow would take without conversion get here: of exactly the expected type,
//! and in its range. They can be made into objects again that `PySpark` converts alike, so nothing
//! is lost when a later result is of another kind.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateAccess, PyDateTime, PyFloat, PyInt, PyIterator, PyList,
    PyString, PyTimeAccess, PyTuple, PyTzInfo, PyTzInfoAccess,
};

use super::asked;
use super::calendar::{self, MICROS_OF_DAY};
use super::exported::{Buffer, Exported};
use super::kind::Kind;
use super::nested::{Given, Lists, Maps, Structs};
use super::text::append_utf8;

/// The results of one batch, if none of them had to be converted.
#[pyclass(frozen, module = "ember_bridge")]
pub(crate) struct Results {
    kind: Kind,
    values: Values,
    /// Whether a null is one of them.
    nullable: bool,
    /// Rows that are null, ascending; there `values` holds a zero or nothing.
    nulls: Vec<usize>,
    length: usize,
}

pub(super) enum Values {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bytes(Vec<usize>, Vec<u8>),
    Days(Vec<i64>),
    Micros(Vec<i64>),
    Instants(Vec<i64>),
    Lists(Lists),
    Maps(Maps),
    Structs(Structs),
    /// No result can be of this type without conversion.
    Foreign,
}

impl Results {
    /// No results yet, of at most `rows`.
    pub(super) fn new(kind: Kind, rows: usize) -> Self {
        let values = match kind {
            Kind::Bool => Values::Bool(Vec::with_capacity(rows)),
            Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => {
                Values::Int(Vec::with_capacity(rows))
            }
            Kind::Float32 | Kind::Float64 => Values::Float(Vec::with_capacity(rows)),
            Kind::Text | Kind::LargeText | Kind::Binary | Kind::LargeBinary => {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                Values::Bytes(ends, Vec::new())
            }
            Kind::Date => Values::Days(Vec::with_capacity(rows)),
            Kind::Timestamp => Values::Micros(Vec::with_capacity(rows)),
            Kind::Instant => Values::Instants(Vec::with_capacity(rows)),
            Kind::LocalTimestamp
            | Kind::Decimal(..)
            | Kind::JavaText
            | Kind::Moment
            | Kind::JavaDecimal(_)
            | Kind::Nested => Values::Foreign,
        };
        Self::of(kind, values)
    }

    /// The same for values that have parts.
    pub(super) const fn of_parts(values: Values) -> Self {
        Self::of(Kind::Nested, values)
    }

    /// The same, with as many results as the values have.
    pub(super) const fn with_length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    const fn of(kind: Kind, values: Values) -> Self {
        Self {
            kind,
            values,
            nullable: true,
            nulls: Vec::new(),
            length: 0,
        }
    }

    /// The same, where a null may be refused.
    pub(super) const fn with_nulls(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// Takes one result; false, and nothing is taken, if it is not exactly of the type.
    #[inline]
    pub(super) fn add(&mut self, result: &Bound<'_, PyAny>) -> bool {
        let taken = self.take(&Given::returned(result)).is_some();
        if !taken {
            self.values.truncate(self.length);
        }
        taken
    }

    /// Takes one value. Where it is not taken, parts of it may have been.
    #[inline]
    pub(super) fn take(&mut self, given: &Given<'_, '_>) -> Option<()> {
        if !given.value.is_none() {
            self.values.add(self.kind, given)?;
        } else if self.nullable {
            self.nulls.push(self.length);
            self.values.add_empty();
        } else {
            return None;
        }
        self.length += 1;
        Some(())
    }

    /// Adds what lies under a null of the whole that this is a part of.
    pub(super) fn add_empty(&mut self) {
        self.values.add_empty();
        self.length += 1;
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// The results as objects again.
    pub(super) fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        let mut nulls = self.nulls.iter().copied().peekable();
        for row in 0..self.length {
            if nulls.next_if_eq(&row).is_some() {
                list.append(py.None())?;
            } else {
                list.append(self.values.object(py, self.kind, row)?)?;
            }
        }
        Ok(list)
    }

    /// The result of one row as an object again.
    pub(super) fn object<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        match self.nulls.binary_search(&row) {
            Ok(_) => Ok(py.None().into_bound(py)),
            Err(_) => self.values.object(py, self.kind, row),
        }
    }

    /// The first `rows` of them.
    pub(super) fn truncated(mut self, rows: usize) -> Self {
        self.truncate(rows);
        self
    }

    /// Forgets all but the first `rows` of them.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.length = self.length.min(rows);
        self.nulls
            .truncate(self.nulls.partition_point(|null| *null < rows));
        self.values.truncate(rows);
    }

    /// The results as an Arrow array.
    pub(super) fn exported(&self) -> Exported {
        let mut buffers = vec![Buffer::of(validity(self.length, &self.nulls))];
        buffers.extend(self.values.buffers(self.kind));
        let nulls = self.nulls.len();
        Exported::new(self.length, nulls, buffers, self.values.children())
    }
}

impl Values {
    #[inline]
    fn add_empty(&mut self) {
        match self {
            Self::Bool(values) => values.push(false),
            Self::Int(values)
            | Self::Days(values)
            | Self::Micros(values)
            | Self::Instants(values) => values.push(0),
            Self::Float(values) => values.push(0.0),
            Self::Bytes(ends, bytes) => ends.push(bytes.len()),
            Self::Lists(lists) => lists.add_empty(),
            Self::Maps(maps) => maps.add_empty(),
            Self::Structs(structs) => structs.add_empty(),
            Self::Foreign => {}
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Self::Bool(values) => values.truncate(rows),
            Self::Int(values)
            | Self::Days(values)
            | Self::Micros(values)
            | Self::Instants(values) => values.truncate(rows),
            Self::Float(values) => values.truncate(rows),
            Self::Bytes(ends, bytes) => {
                ends.truncate(rows + 1);
                bytes.truncate(ends.last().copied().unwrap_or(0));
            }
            Self::Lists(lists) => lists.truncate(rows),
            Self::Maps(maps) => maps.truncate(rows),
            Self::Structs(structs) => structs.truncate(rows),
            Self::Foreign => {}
        }
    }

    #[inline]
    fn add(&mut self, kind: Kind, given: &Given<'_, '_>) -> Option<()> {
        let result = given.value;
        match self {
            Self::Bool(values) => values.push(result.cast_exact::<PyBool>().ok()?.is_true()),
            Self::Int(values) => {
                let value = asked::value(result.cast_exact::<PyInt>().ok()?)?;
                fits(kind, value).then(|| values.push(value))?;
            }
            Self::Float(values) => values.push(result.cast_exact::<PyFloat>().ok()?.value()),
            Self::Bytes(ends, bytes) => {
                match kind {
                    Kind::Text | Kind::LargeText => {
                        let text = result.cast_exact::<PyString>().ok()?;
                        append_utf8(text, bytes)?;
                    }
                    _ => {
                        let binary = result.cast_exact::<PyBytes>().ok()?;
                        bytes.extend_from_slice(binary.as_bytes());
                    }
                }
                if i32::try_from(bytes.len()).is_err() {
                    bytes.truncate(ends.last().copied().unwrap_or(0));
                    return None;
                }
                ends.push(bytes.len());
            }
            Self::Days(values) => values.push(day(result.cast_exact::<PyDate>().ok()?)),
            Self::Micros(values) => values.push(micros(result.cast_exact::<PyDateTime>().ok()?)?),
            Self::Instants(values) => values.push(instant(result.cast::<PyDateTime>().ok()?)?),
            Self::Lists(lists) => lists.add(given)?,
            Self::Maps(maps) => maps.add(given)?,
            Self::Structs(structs) => structs.add(given)?,
            Self::Foreign => return None,
        }
        Some(())
    }

    fn object<'py>(&self, py: Python<'py>, kind: Kind, row: usize) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Bool(values) => PyBool::new(py, at(values, row)).to_owned().into_any(),
            Self::Int(values) => super::values::int(py, at(values, row)),
            Self::Float(values) => PyFloat::new(py, at(values, row)).into_any(),
            Self::Bytes(ends, bytes) => {
                let piece = bytes
                    .get(at(ends, row)..at(ends, row + 1))
                    .unwrap_or_default();
                match kind {
                    Kind::Text | Kind::LargeText => PyString::from_bytes(py, piece)?.into_any(),
                    _ => PyBytes::new(py, piece).into_any(),
                }
            }
            Self::Days(values) => super::values::date(py, at(values, row))?,
            Self::Micros(values) => super::values::timestamp(py, at(values, row), None)?,
            Self::Instants(values) => {
                super::values::timestamp(py, at(values, row), Some(&PyTzInfo::utc(py)?.to_owned()))?
            }
            Self::Lists(lists) => lists.object(py, row)?,
            Self::Maps(maps) => maps.object(py, row)?,
            Self::Structs(structs) => structs.object(py, row)?,
            Self::Foreign => py.None().into_bound(py),
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "`add` took only what fits; a float is rounded as C does"
    )]
    /// The buffers after the validity, in the layout of this kind.
    fn buffers(&self, kind: Kind) -> Vec<Buffer> {
        match (self, kind) {
            (Self::Bool(values), _) => vec![Buffer::of(packed(values))],
            (Self::Int(values), Kind::Int8) => vec![Buffer::narrowed(values, |v| v as i8)],
            (Self::Int(values), Kind::Int16) => vec![Buffer::narrowed(values, |v| v as i16)],
            (Self::Int(values), Kind::Int32) | (Self::Days(values), _) => {
                vec![Buffer::narrowed(values, |v| v as i32)]
            }
            (Self::Int(values) | Self::Micros(values) | Self::Instants(values), _) => {
                vec![Buffer::of(values.clone())]
            }
            (Self::Float(values), Kind::Float32) => vec![Buffer::narrowed(values, |v| v as f32)],
            (Self::Float(values), _) => vec![Buffer::of(values.clone())],
            (Self::Bytes(ends, bytes), Kind::Text | Kind::Binary) => vec![
                Buffer::narrowed(ends, |v| v as i32),
                Buffer::of(bytes.clone()),
            ],
            (Self::Bytes(ends, bytes), _) => vec![
                Buffer::narrowed(ends, |v| v as i64),
                Buffer::of(bytes.clone()),
            ],
            (Self::Lists(lists), _) => vec![lists.offsets()],
            (Self::Maps(maps), _) => vec![maps.offsets()],
            (Self::Structs(_) | Self::Foreign, _) => Vec::new(),
        }
    }

    fn children(&self) -> Vec<Exported> {
        match self {
            Self::Lists(lists) => lists.children(),
            Self::Maps(maps) => maps.children(),
            Self::Structs(structs) => structs.children(),
            _ => Vec::new(),
        }
    }
}

#[pymethods]
impl Results {
    fn __len__(&self) -> usize {
        self.length
    }

    /// Yields these results once, as they are: `PySpark` converts results one by one, and none
    /// here is changed by that.
    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyIterator>> {
        PyTuple::new(slf.py(), [slf])?.try_iter()
    }

    /// The results as a pyarrow array of this type, which must be of the kind they were taken as.
    fn array<'py>(&self, of: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        array_of(self.exported(), of)
    }
}

/// The pyarrow array of this type over what is exported.
pub(super) fn array_of<'py>(
    mut exported: Exported,
    of: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static IMPORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = of.py();
    let import = IMPORT.get_or_try_init(py, || {
        let array = py.import("pyarrow")?.getattr("Array")?;
        PyResult::Ok(array.getattr("_import_from_c")?.unbind())
    })?;
    import.bind(py).call1((exported.address(), of))
}

/// The bitmap of so many rows of which these are null; nothing if none is.
pub(super) fn validity(length: usize, nulls: &[usize]) -> Vec<u8> {
    if nulls.is_empty() {
        return Vec::new();
    }
    let mut bits = vec![0xFF_u8; length.div_ceil(8)];
    if let Some(last) = bits.last_mut() {
        *last >>= (8 - length % 8) % 8; // as pyarrow leaves the bits after the end
    }
    for row in nulls {
        if let Some(byte) = bits.get_mut(row / 8) {
            *byte &= !(1 << (row % 8));
        }
    }
    bits
}

#[inline]
fn at<T: Copy + Default>(values: &[T], row: usize) -> T {
    values.get(row).copied().unwrap_or_default()
}

fn fits(kind: Kind, value: i64) -> bool {
    match kind {
        Kind::Int8 => i8::try_from(value).is_ok(),
        Kind::Int16 => i16::try_from(value).is_ok(),
        Kind::Int32 => i32::try_from(value).is_ok(),
        _ => true,
    }
}

fn packed(values: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| {
        bits.iter()
            .rev()
            .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
    };
    values.chunks(8).map(byte).collect()
}

fn day(date: &impl PyDateAccess) -> i64 {
    calendar::days(date.get_year(), date.get_month(), date.get_day())
}

/// A time without a zone; one that says which of two equal times it is stays an object.
fn micros(time: &Bound<'_, PyDateTime>) -> Option<i64> {
    if time.get_tzinfo().is_some() || time.get_fold() {
        return None;
    }
    let minutes = i64::from(time.get_hour()) * 60 + i64::from(time.get_minute());
    let seconds = minutes * 60 + i64::from(time.get_second());
    let micros = seconds * 1_000_000 + i64::from(time.get_microsecond());
    Some(day(time) * MICROS_OF_DAY + micros)
}

/// What `PySpark` makes of a time, by the clocks of this process; it makes the same of the time of UTC.
fn instant(time: &Bound<'_, PyDateTime>) -> Option<i64> {
    static CONVERT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = time.py();
    let convert = CONVERT.get_or_try_init(py, || {
        let kind = py.import("pyspark.sql.types")?.getattr("TimestampType")?;
        PyResult::Ok(kind.call0()?.getattr("toInternal")?.unbind())
    });
    let converted = convert.ok()?.bind(py).call1((time,)).ok()?;
    let micros = asked::value(converted.cast_exact::<PyInt>().ok()?)?;
    let known = calendar::DAYS.contains(&micros.div_euclid(MICROS_OF_DAY));
    known.then_some(micros)
}
