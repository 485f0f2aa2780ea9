//! `decimal.Decimal` objects as numbers of 128 bits.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::super::exported::{Buffer, Exported};
use super::super::results::validity;
use super::super::text::append_utf8;
use super::view::{Cells, is_null};

/// The numbers of a column, each without its point.
pub(super) struct Decimals {
    unscaled: Vec<[u8; 16]>,
    nulls: Vec<usize>,
}

impl Decimals {
    /// Those of the cells; nothing if one of them is no number that the type holds as it is.
    pub(super) fn gathered(
        precision: u32,
        scale: i32,
        cells: &Cells<'_>,
    ) -> PyResult<Option<Self>> {
        static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let decimal = DECIMAL.import(cells.py(), "decimal", "Decimal")?;
        let mut gathered = Self {
            unscaled: Vec::with_capacity(cells.len()),
            nulls: Vec::new(),
        };
        let mut text = Vec::new();
        for row in 0..cells.len() {
            let object = cells.get(row);
            let value = if is_null(&object) {
                gathered.nulls.push(row);
                Some(0)
            } else if object.get_type().is(decimal) {
                text.clear();
                append_utf8(&object.str()?, &mut text);
                unscaled(&text, precision, scale)
            } else {
                None
            };
            match value {
                Some(value) => gathered.unscaled.push(value.to_le_bytes()),
                None => return Ok(None),
            }
        }
        Ok(Some(gathered))
    }

    /// The numbers as an Arrow array.
    pub(super) fn into_exported(self) -> Exported {
        let (length, nulls) = (self.unscaled.len(), self.nulls.len());
        let validity = Buffer::of(validity(length, &self.nulls));
        let buffers = vec![validity, Buffer::of(self.unscaled)];
        Exported::new(length, nulls, buffers, Vec::new())
    }
}

/// What a number is worth in units of the scale, if Arrow takes it without rounding.
///
/// Arrow counts digits as they are written: zeros in front of the point do not count, zeros
/// behind it do, and so do those that the scale adds.
fn unscaled(text: &[u8], precision: u32, scale: i32) -> Option<i128> {
    let (negative, number) = match text {
        [b'-', number @ ..] => (true, number),
        _ => (false, text),
    };
    let end = number.iter().position(|byte| matches!(byte, b'E' | b'e'));
    let (digits, exponent) = match end {
        Some(end) => (number.get(..end)?, exponent(number.get(end + 1..)?)?),
        None => (number, 0),
    };
    let (mut value, mut counted, mut behind) = (0_i128, 0_u32, None);
    for byte in digits {
        if *byte == b'.' {
            behind = Some(0_i32);
            continue;
        }
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        value = value.checked_mul(10)?.checked_add(digit.into())?;
        counted += u32::from(value != 0 || behind.is_some());
        behind = behind.map(|count| count + 1);
    }
    let added = scale.checked_sub(behind.unwrap_or(0).checked_sub(exponent)?)?;
    let added = u32::try_from(added).ok()?;
    (counted.checked_add(added)? <= precision).then_some(())?;
    let value = value.checked_mul(10_i128.checked_pow(added)?)?;
    Some(if negative { -value } else { value })
}

fn exponent(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
