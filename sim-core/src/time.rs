//! Simulated time: integer picoseconds.
//!
//! A picosecond divides the transmission time of a byte exactly at every common link rate up to
//! 8 Tbit/s, so that no rounding accumulates; 64 bits hold 213 days.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;

use crate::quantity::{ParseUnitError, parse_scaled};

/// A point in simulated time: picoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

/// A length of simulated time in picoseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimDuration(u64);

const PS_PER_SEC: u64 = 1_000_000_000_000;

impl SimTime {
    /// The start of the run.
    pub const ZERO: SimTime = SimTime(0);
    /// The end of representable time, 213 days; used as "never".
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// A time from its picoseconds.
    pub const fn from_ps(ps: u64) -> Self {
        SimTime(ps)
    }

    /// Picoseconds since the start.
    pub const fn as_ps(self) -> u64 {
        self.0
    }

    /// Whole nanoseconds since the start, rounded down.
    pub const fn as_ns(self) -> u64 {
        self.0 / 1_000
    }

    /// Seconds since the start; exact to a picosecond up to 9007 s.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / PS_PER_SEC as f64
    }

    /// Time elapsed since `earlier`, zero if that lies in the future.
    pub const fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// Adds a duration, saturating at [`SimTime::MAX`].
    pub const fn saturating_add(self, d: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(d.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);
    /// The longest duration, 213 days.
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    /// From picoseconds.
    pub const fn from_ps(ps: u64) -> Self {
        SimDuration(ps)
    }
    /// From nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        SimDuration(ns * 1_000)
    }
    /// From microseconds.
    pub const fn from_micros(us: u64) -> Self {
        SimDuration(us * 1_000_000)
    }
    /// From milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        SimDuration(ms * 1_000_000_000)
    }
    /// From seconds.
    pub const fn from_secs(s: u64) -> Self {
        SimDuration(s * PS_PER_SEC)
    }

    /// From seconds as a float, rounded to the nearest picosecond; negative values and NaN give
    /// zero, values out of range [`SimDuration::MAX`].
    pub fn from_secs_f64(s: f64) -> Self {
        let ps = libm::round(s * PS_PER_SEC as f64);
        SimDuration(ps as u64) // `as` saturates and maps NaN to 0
    }

    /// Picoseconds.
    pub const fn as_ps(self) -> u64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000_000
    }
    /// Seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / PS_PER_SEC as f64
    }
    /// True for zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// Multiplies by `k`, saturating at [`SimDuration::MAX`].
    pub const fn saturating_mul(self, k: u64) -> Self {
        SimDuration(self.0.saturating_mul(k))
    }
    /// The difference, zero when `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        SimDuration(self.0.saturating_sub(other.0))
    }
    /// The distance between two durations.
    pub const fn abs_diff(self, other: Self) -> Self {
        SimDuration(self.0.abs_diff(other.0))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, d: SimDuration) -> SimTime {
        self.saturating_add(d)
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, d: SimDuration) {
        *self = *self + d;
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, d: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(d.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, d: SimDuration) {
        *self = *self + d;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    fn sub(self, d: SimDuration) -> SimDuration {
        self.saturating_sub(d)
    }
}

impl Mul<u64> for SimDuration {
    type Output = SimDuration;
    fn mul(self, k: u64) -> SimDuration {
        self.saturating_mul(k)
    }
}

impl Div<u64> for SimDuration {
    type Output = SimDuration;
    fn div(self, k: u64) -> SimDuration {
        SimDuration(self.0 / k)
    }
}

impl Sum for SimDuration {
    fn sum<I: Iterator<Item = SimDuration>>(iter: I) -> Self {
        iter.fold(SimDuration::ZERO, Add::add)
    }
}

/// The units in which a duration may be given, with their length in picoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ps", 1),
    ("ns", 1_000),
    ("us", 1_000_000),
    ("µs", 1_000_000),
    ("μs", 1_000_000),
    ("ms", 1_000_000_000),
    ("s", PS_PER_SEC),
    ("min", 60 * PS_PER_SEC),
    ("h", 3600 * PS_PER_SEC),
];

impl FromStr for SimDuration {
    type Err = ParseUnitError;
    /// Reads "5 ms", "1.5s", "2 min"; the number may have a fraction, which must be a whole number
    /// of picoseconds.
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse_scaled(text, "duration", "5 ms", UNITS).map(SimDuration)
    }
}

impl fmt::Display for SimDuration {
    /// The shortest exact form in the largest of s, ms, us, ns, ps that is at most the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = [
            ("s", PS_PER_SEC),
            ("ms", 1_000_000_000),
            ("us", 1_000_000),
            ("ns", 1_000),
            ("ps", 1),
        ]
        .into_iter()
        .find(|&(_, scale)| self.0 >= scale)
        .unwrap_or(("s", PS_PER_SEC));
        let (whole, fraction) = (self.0 / scale, self.0 % scale);
        if fraction == 0 {
            return write!(f, "{whole} {unit}");
        }
        let digits = scale.ilog10() as usize;
        let text = format!("{fraction:0digits$}");
        write!(f, "{whole}.{} {unit}", text.trim_end_matches('0'))
    }
}

impl fmt::Debug for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&SimDuration(self.0), f)
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t={self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, ps, printed) in [
            ("5 ms", 5_000_000_000, "5 ms"),
            ("1.5s", 1_500_000_000_000, "1.5 s"),
            ("0 s", 0, "0 s"),
            ("250us", 250_000_000, "250 us"),
            ("2 min", 120 * PS_PER_SEC, "120 s"),
            ("1 ps", 1, "1 ps"),
            ("0.000001 us", 1, "1 ps"),
            ("12.000000000001 s", 12_000_000_000_001, "12.000000000001 s"),
        ] {
            let d: SimDuration = text.parse().unwrap();
            assert_eq!((d.as_ps(), d.to_string().as_str()), (ps, printed), "{text}");
            assert_eq!(d.to_string().parse::<SimDuration>().unwrap(), d);
        }
        for bad in [
            "",
            "5",
            "ms",
            "5 parsecs",
            "-1 s",
            "1e400 s",
            "0.1 ps",
            "99999999999 s",
        ] {
            assert!(bad.parse::<SimDuration>().is_err(), "{bad}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(SimTime::MAX + SimDuration::from_secs(1), SimTime::MAX);
        assert_eq!(SimTime::ZERO.since(SimTime::from_ps(5)), SimDuration::ZERO);
        assert_eq!(SimDuration::from_secs_f64(-1.0), SimDuration::ZERO);
        assert_eq!(
            SimDuration::from_secs_f64(0.1),
            SimDuration::from_millis(100)
        );
    }
}
