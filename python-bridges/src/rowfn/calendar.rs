//! Days and microseconds since 1970 to calendar fields and back, in the proleptic Gregorian
//! calendar that Python's `datetime` uses.

const DAYS_OF_ERA: i64 = 146_097; // 400 years
const DAYS_BEFORE_1970: i64 = 719_468; // since 1 March of year 0

/// Microseconds of a day.
pub(super) const MICROS_OF_DAY: i64 = 86_400_000_000;

/// The first and the last day that `datetime.date` knows: 0001-01-01 and 9999-12-31.
pub(super) const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// Days since 1970 to year, month and day.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`DAYS` lead to four digits, months to 12 and days to 31"
)]
pub(super) const fn date(days: i64) -> (i32, u8, u8) {
    let days = days + DAYS_BEFORE_1970;
    let era = days.div_euclid(DAYS_OF_ERA);
    let day_of_era = days.rem_euclid(DAYS_OF_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // 0 is March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (
        (year_of_era + era * 400 + carried) as i32,
        month as u8,
        day as u8,
    )
}

/// Year, month and day to days since 1970.
pub(super) fn days(year: i32, month: u8, day: u8) -> i64 {
    let (month, year) = (i64::from(month), i64::from(year));
    let (month, year) = if month > 2 {
        (month - 3, year)
    } else {
        (month + 9, year - 1)
    };
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * DAYS_OF_ERA + day_of_era - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_that_python_knows_is_found_again() {
        let mut expected = (1, 1, 1);
        for day in DAYS {
            let (year, month, of_month) = date(day);
            assert_eq!((year, month, of_month), expected);
            assert_eq!(days(year, month, of_month), day);
            expected = following(expected);
        }
        assert_eq!(expected, (10_000, 1, 1));
    }

    fn following((year, month, day): (i32, u8, u8)) -> (i32, u8, u8) {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            _ if day == last => (year, month + 1, 1),
            _ => (year, month, day + 1),
        }
    }
}
