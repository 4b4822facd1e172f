//! Converts TOML dates to times since 1970.

use toml::value::{Date, Datetime, Offset};

use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// Returns the nanoseconds since 1970-01-01T00:00:00Z; `None` for a time without a date, before 1970, or too
/// late for a 64-bit number. A date without a time means its midnight; without an offset, UTC.
pub(crate) fn unix_ns(at: Datetime) -> Option<u64> {
    let days = days_since_1970(at.date?);
    let (seconds, ns) = at.time.map_or((0, 0), |t| {
        let minutes = 60 * i64::from(t.hour) + i64::from(t.minute);
        let second = i64::from(t.second.unwrap_or(0));
        (60 * minutes + second, t.nanosecond.unwrap_or(0))
    });
    let offset = match at.offset {
        Some(Offset::Custom { minutes }) => i64::from(minutes),
        Some(Offset::Z) | None => 0,
    };
    let seconds = u64::try_from(86_400 * days + seconds - 60 * offset).ok()?;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(u64::from(ns))
}

/// Days from 1970-01-01 in the Gregorian calendar, in which 400 years have 146097 days.
fn days_since_1970(date: Date) -> i64 {
    // If years start in March, the leap day is at the end of a year.
    let (year, month) = match i64::from(date.month) {
        month @ 3.. => (i64::from(date.year), month - 3),
        month => (i64::from(date.year) - 1, month + 9),
    };
    let of_year = (153 * month + 2) / 5 + i64::from(date.day) - 1;
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_era = 365 * in_era + in_era / 4 - in_era / 100 + of_year;
    146_097 * era + of_era - 719_468
}

/// Rejects a date that cannot be used for the time stamps of packets.
///
/// # Errors
/// When it is not a date, or out of range.
pub(super) fn check(at: Datetime, path: &DottedPath) -> Result<Datetime, Problem> {
    // Leaves room for runs of several years.
    match unix_ns(at) {
        Some(ns) if ns < u64::MAX / 2 => Ok(at),
        _ => Err(Problem::new(
            path.clone(),
            format!("{at} cannot be the start of a capture"),
        )
        .help("write a date from 1970 to 2262, for example 2026-11-29T10:00:00Z")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_as_by_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:01Z", 1),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2026-11-29T10:00:00Z", 1_795_946_400),
            ("2026-11-29T10:00:00+01:30", 1_795_946_400 - 5_400),
            ("2100-02-28T23:59:59Z", 4_107_542_399),
        ] {
            let at: Datetime = text.parse().unwrap();
            assert_eq!(unix_ns(at), Some(seconds * 1_000_000_000), "{text}");
        }
        assert_eq!(unix_ns("1969-12-31".parse().unwrap()), None);
        assert_eq!(unix_ns("12:00:00".parse().unwrap()), None);
    }
}
