//! Python's text from UTF-8 and to it. Text of one byte a character, which most is, is converted here;
//! Python does the same in several passes, and keeps the UTF-8 of what it was asked for.

use std::ffi::c_int;

use pyo3::exceptions::PyUnicodeDecodeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::types::string::PyStringData;

/// The text that the bytes are, if they are UTF-8. `room` serves again and again.
#[inline]
pub(super) fn decoded<'py>(
    py: Python<'py>,
    bytes: &[u8],
    room: &mut Vec<u8>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if bytes.is_ascii() {
        return of_bytes(py, bytes).map(Some);
    }
    room.clear();
    if latin(bytes, room).is_some() {
        return of_bytes(py, room).map(Some);
    }
    match PyString::from_bytes(py, bytes) {
        Ok(text) => Ok(Some(text.into_any())),
        Err(error) if error.is_instance_of::<PyUnicodeDecodeError>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes UTF-8 as one byte a character, if that is enough for each.
fn latin(mut bytes: &[u8], to: &mut Vec<u8>) -> Option<()> {
    to.reserve(bytes.len() + 8);
    while !bytes.is_empty() {
        let plain = append_plain(bytes, to);
        bytes = match bytes.split_at_checked(plain)?.1 {
            [first @ (0xC2 | 0xC3), second @ 0x80..0xC0, rest @ ..] => {
                to.push(first << 6 | second & 0x3F);
                rest
            }
            [0x80..=0xFF, ..] => return None,
            rest => rest,
        };
    }
    Some(())
}

/// Appends the plain bytes at the start, at most eight of them; says how many.
#[inline]
fn append_plain(bytes: &[u8], to: &mut Vec<u8>) -> usize {
    let Some(piece) = bytes.first_chunk::<8>() else {
        let plain = bytes.iter().take_while(|byte| byte.is_ascii()).count();
        to.extend(bytes.iter().take(plain));
        return plain;
    };
    let others = u64::from_le_bytes(*piece) & 0x8080_8080_8080_8080;
    let plain = (others.trailing_zeros() / 8) as usize;
    to.extend_from_slice(piece);
    to.truncate(to.len() - 8 + plain);
    plain
}

/// The text of characters of a byte each.
#[inline]
fn of_bytes<'py>(py: Python<'py>, characters: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    const ONE: c_int = 1;
    let length = characters.len().cast_signed();
    // SAFETY: as many characters of this width, which are read during the call.
    let made = unsafe { ffi::PyUnicode_FromKindAndData(ONE, characters.as_ptr().cast(), length) };
    // SAFETY: a new reference, or null with the error set.
    unsafe { Bound::from_owned_ptr_or_err(py, made) }
}

/// Writes the text as UTF-8 behind what is there; nothing if it cannot be.
#[inline]
pub(super) fn append_utf8(text: &Bound<'_, PyString>, to: &mut Vec<u8>) -> Option<()> {
    // SAFETY: text lies as in the Python that this was built for, which is the one that runs; the
    // tests of row functions and of frames have text of every width.
    match unsafe { text.data() }.ok()? {
        PyStringData::Ucs1(characters) if characters.is_ascii() => to.extend_from_slice(characters),
        PyStringData::Ucs1(characters) => widened(characters, to),
        PyStringData::Ucs2(_) | PyStringData::Ucs4(_) => {
            to.extend_from_slice(text.to_str().ok()?.as_bytes());
        }
    }
    Some(())
}

fn widened(mut characters: &[u8], to: &mut Vec<u8>) {
    to.reserve(characters.len() * 2 + 8);
    while !characters.is_empty() {
        let plain = append_plain(characters, to);
        characters = match characters.get(plain..).unwrap_or_default() {
            [other @ 0x80..=0xFF, rest @ ..] => {
                to.extend_from_slice(&[0xC0 | other >> 6, 0x80 | other & 0x3F]);
                rest
            }
            rest => rest,
        };
    }
}
