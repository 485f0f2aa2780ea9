//! What a type means in memory: which buffers a column has, and how long they are.

use std::ffi::CStr;

use ember_abi::ArrowSchema;

use crate::WireError;

/// Depth past which a type is refused rather than followed.
const DEEPEST: usize = 64;

/// A type, down to its leaves.
#[derive(Debug, Clone)]
pub struct Shape {
    pub(crate) form: Form,
    pub(crate) children: Vec<Shape>,
}

/// How one level of a type lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing but a length.
    Null,
    /// Validity, bits.
    Bits,
    /// Validity, values of so many bytes.
    Fixed(usize),
    /// Validity, offsets of so many bytes, bytes.
    Variable(usize),
    /// Validity, views, any number of buffers they lead to, the lengths of these.
    Views,
    /// Validity, offsets of so many bytes; one child.
    List(usize),
    /// Validity, offsets and sizes of so many bytes; one child, whose values stand anywhere.
    ListView(usize),
    /// Validity; one child with so many values for each of this.
    FixedList(usize),
    /// Validity; children.
    Struct,
}

impl Shape {
    /// Reads the type out of a schema of the C Data Interface.
    ///
    /// # Safety
    ///
    /// `schema` must be live and complete.
    pub unsafe fn of(schema: &ArrowSchema) -> Result<Self, WireError> {
        // SAFETY: live by this function's contract.
        unsafe { read(schema, 0) }
    }
}

/// # Safety
///
/// `schema` must be live and complete.
unsafe fn read(schema: &ArrowSchema, depth: usize) -> Result<Shape, WireError> {
    if schema.format.is_null() || depth > DEEPEST {
        return Err(WireError::Layout(
            "a type without a format, or nested too deep",
        ));
    }
    // SAFETY: a live schema's format is a text that ends with NUL.
    let format = unsafe { CStr::from_ptr(schema.format) }.to_string_lossy();
    // Of a dictionary only the indices cross: they are all that Spark's reader shows of it.
    let form = form(&format).ok_or_else(|| WireError::Unsupported(format.clone().into_owned()))?;
    let count = usize::try_from(schema.n_children).unwrap_or(0);
    let mut children = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: a live schema has `n_children` pointers there.
        let child = unsafe { schema.children.add(index) };
        // SAFETY: as above.
        let child = unsafe { child.read() };
        // SAFETY: they lead to live schemas.
        let child =
            unsafe { child.as_ref() }.ok_or(WireError::Layout("a type without its child"))?;
        // SAFETY: as above.
        children.push(unsafe { read(child, depth + 1) }?);
    }
    let fits = match form {
        Form::List(_) | Form::ListView(_) | Form::FixedList(_) => children.len() == 1,
        Form::Struct => true,
        _ => children.is_empty(),
    };
    if !fits {
        return Err(WireError::Layout("a type with another number of children"));
    }
    Ok(Shape { form, children })
}

fn form(format: &str) -> Option<Form> {
    let (kind, parameter) = format.split_once(':').unwrap_or((format, ""));
    Some(match kind {
        "n" => Form::Null,
        "b" => Form::Bits,
        "c" | "C" => Form::Fixed(1),
        "s" | "S" | "e" => Form::Fixed(2),
        "i" | "I" | "f" | "tdD" | "tts" | "ttm" | "tiM" => Form::Fixed(4),
        "l" | "L" | "g" | "tdm" | "ttu" | "ttn" | "tiD" | "tss" | "tsm" | "tsu" | "tsn" | "tDs"
        | "tDm" | "tDu" | "tDn" => Form::Fixed(8),
        "tin" => Form::Fixed(16),
        "d" => Form::Fixed(decimal_bytes(parameter)?),
        "w" => Form::Fixed(parameter.parse().ok()?),
        "u" | "z" => Form::Variable(4),
        "U" | "Z" => Form::Variable(8),
        "vu" | "vz" => Form::Views,
        "+l" | "+m" => Form::List(4),
        "+L" => Form::List(8),
        "+vl" => Form::ListView(4),
        "+w" => Form::FixedList(parameter.parse().ok()?),
        "+s" => Form::Struct,
        _ => return None,
    })
}

/// `precision,scale` is of 128 bits; a third number says otherwise.
fn decimal_bytes(parameter: &str) -> Option<usize> {
    match parameter.split(',').nth(2) {
        None => Some(16),
        Some(bits) => bits.parse::<usize>().ok().map(|bits| bits / 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_say_how_wide_their_values_are() {
        let cases = [
            ("l", Form::Fixed(8)),
            ("tsu:America/Los_Angeles", Form::Fixed(8)),
            ("d:38,10", Form::Fixed(16)),
            ("d:9,2,32", Form::Fixed(4)),
            ("w:7", Form::Fixed(7)),
            ("+w:3", Form::FixedList(3)),
            ("U", Form::Variable(8)),
        ];
        for (format, expected) in cases {
            assert_eq!(form(format), Some(expected), "{format}");
        }
    }

    #[test]
    fn types_that_nobody_reads_have_no_form() {
        for format in ["+ud:0,1", "+us:0", "+r", "+vL", "", "?"] {
            assert_eq!(form(format), None, "{format}");
        }
    }
}
