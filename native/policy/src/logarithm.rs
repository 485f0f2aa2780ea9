//! Natural logarithms that are the same bits on every processor: `logarithm.py` says why, and the same.

/// The first 32 bits of ln 2, which times an exponent is exact.
const HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
/// The rest of ln 2.
const LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
const ROOT_OF_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;

const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// The exponent of numbers from a half to one, as their bits have it.
const OF_HALF: u64 = 1022;

/// Of a positive number that is not subnormal.
pub(crate) fn log(value: f64) -> f64 {
    let bits = value.to_bits();
    let mut fraction = f64::from_bits(bits & FRACTION | OF_HALF << FRACTION_BITS);
    #[expect(clippy::cast_precision_loss, reason = "an exponent has eleven bits")]
    let mut exponent = (bits >> FRACTION_BITS) as f64 - OF_HALF as f64;
    if fraction < ROOT_OF_HALF {
        fraction += fraction;
        exponent -= 1.0;
    }
    let s = (fraction - 1.0) / (fraction + 1.0);
    let square = s * s;
    let mut series = 0.0;
    for divisor in [23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = (series + 1.0 / divisor) * square;
    }
    let twice = s + s;
    exponent * HIGH + (exponent * LOW + (twice + twice * series))
}

#[cfg(test)]
mod tests {
    use super::log;

    #[test]
    fn logarithms_are_near_those_of_the_library() {
        assert_eq!(log(1.0).to_bits(), 0);
        for at in 1..10_000 {
            let value = f64::from(at).powi(3) / 1e9;
            let (found, expected) = (log(value), value.ln());
            assert!((found - expected).abs() <= 4.0 * f64::EPSILON * expected.abs().max(1e-300));
        }
    }
}
