//! Decimals as Java writes them for a pickle: `BigDecimal.toEngineeringString`.

/// The text of `unscaled` times ten to the power of minus `scale`.
pub(super) fn text(unscaled: i128, scale: i32) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    let scale = i64::from(scale);
    let count = i64::try_from(digits.len()).unwrap_or(0);
    let exponent = count - 1 - scale;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    if scale > 0 && exponent >= -6 {
        return format!("{sign}{}", plain(&digits, scale));
    }
    let (mantissa, exponent) = in_thousands(&digits, exponent, unscaled == 0);
    if exponent == 0 {
        return format!("{sign}{mantissa}");
    }
    format!("{sign}{mantissa}E{exponent:+}")
}

/// The digits with so many of them after the point.
fn plain(digits: &str, after: i64) -> String {
    let after = usize::try_from(after).unwrap_or(0);
    let padded = format!("{digits:0>width$}", width = after + 1);
    let (whole, fraction) = padded.split_at(padded.len() - after);
    format!("{whole}.{fraction}")
}

/// One to three digits before the point, and an exponent that three divides.
fn in_thousands(digits: &str, exponent: i64, zero: bool) -> (String, i64) {
    let before = exponent.rem_euclid(3);
    let exponent = exponent - before;
    if zero {
        return match before {
            0 => ("0".to_owned(), exponent),
            1 => ("0.00".to_owned(), exponent + 3),
            _ => ("0.0".to_owned(), exponent + 3),
        };
    }
    let before = usize::try_from(before + 1).unwrap_or(1);
    if before >= digits.len() {
        return (format!("{digits:0<before$}"), exponent);
    }
    let (whole, fraction) = digits.split_at(before);
    (format!("{whole}.{fraction}"), exponent)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn small_numbers_have_exponents_that_three_divides() {
        let written = [
            ((0, 0), "0"),
            ((-5, 0), "-5"),
            ((12345, 2), "123.45"),
            ((-1, 6), "-0.000001"),
            ((1, 7), "100E-9"),
            ((1, 8), "10E-9"),
            ((1, 9), "1E-9"),
            ((-12, 9), "-12E-9"),
            ((1234, 12), "1.234E-9"),
            ((12345, 12), "12.345E-9"),
            ((0, 6), "0.000000"),
            ((0, 7), "0.0E-6"),
            ((0, 8), "0.00E-6"),
            ((0, 9), "0E-9"),
            ((0, 18), "0E-18"),
        ];
        for ((unscaled, scale), expected) in written {
            assert_eq!(text(unscaled, scale), expected);
        }
    }
}
