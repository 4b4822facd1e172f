//! Units that carry their meaning in the type: bytes, bit rates, event rates; and how they are
//! read from and printed to text.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::quantity::{parse_scaled, print_scaled};
use crate::time::{SimDuration, SimTime};

pub use crate::quantity::ParseUnitError;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Zero bytes.
    pub const ZERO: Bytes = Bytes(0);
}

impl Add for Bytes {
    type Output = Bytes;
    fn add(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(other.0))
    }
}

impl Sub for Bytes {
    type Output = Bytes;
    fn sub(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }
}

const BYTE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

impl FromStr for Bytes {
    type Err = ParseUnitError;
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse_scaled(text, "size", "64 KiB", BYTE_UNITS).map(Bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTED: &[(&str, u64)] = &[
            ("B", 1),
            ("kB", 1_000),
            ("KiB", 1 << 10),
            ("MB", 1_000_000),
            ("MiB", 1 << 20),
            ("GB", 1_000_000_000),
            ("GiB", 1 << 30),
        ];
        print_scaled(f, self.0, PRINTED)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A bit rate in bits per second, never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

const RATE_UNITS: &[(&str, u64)] = &[
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
];

impl Rate {
    /// A rate from bits per second; `None` for zero.
    pub const fn from_bps(bps: u64) -> Option<Rate> {
        if bps == 0 { None } else { Some(Rate(bps)) }
    }

    /// A rate from megabits per second.
    ///
    /// # Panics
    /// If `mbps` is zero.
    pub const fn mbps(mbps: u64) -> Rate {
        assert!(mbps > 0, "a rate is positive");
        Rate(mbps * 1_000_000)
    }

    /// Bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// How long `bytes` occupy a line of this rate, rounded up to a picosecond.
    pub fn transmission_time(self, bytes: u64) -> SimDuration {
        const PS_BITS: u64 = 8_000_000_000_000;
        if let Some(ps) = bytes.checked_mul(PS_BITS) {
            return SimDuration::from_ps(ps.div_ceil(self.0));
        }
        let ps = (u128::from(bytes) * u128::from(PS_BITS)).div_ceil(u128::from(self.0));
        SimDuration::from_ps(u64::try_from(ps).unwrap_or(u64::MAX))
    }
}

impl FromStr for Rate {
    type Err = ParseUnitError;
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let bps = parse_scaled(text, "rate", "10 Mbit/s", RATE_UNITS)?;
        Rate::from_bps(bps).ok_or(ParseUnitError {
            text: text.to_owned(),
            what: "rate",
            problem: "it must be greater than zero".into(),
            example: "10 Mbit/s",
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_scaled(f, self.0, RATE_UNITS)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Implements serde for units that configuration files give as text: read through `FromStr`,
/// written through `Display`.
macro_rules! serde_as_text {
    ($($unit:ty),*) => {$(
        impl Serialize for $unit {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TextVisitor;
                impl de::Visitor<'_> for TextVisitor {
                    type Value = $unit;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a quoted number with its unit")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$unit, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(TextVisitor)
            }
        }
    )*};
}
serde_as_text!(Bytes, Rate, SimDuration);

impl Serialize for SimTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_rates_read_and_print() {
        for (text, value, printed) in [
            ("64 KiB", 65_536, "64 KiB"),
            ("1.5 kB", 1_500, "1500 B"),
            ("0 B", 0, "0 B"),
            ("2 MB", 2_000_000, "2 MB"),
        ] {
            let b: Bytes = text.parse().unwrap();
            assert_eq!((b.0, b.to_string().as_str()), (value, printed));
        }
        let r: Rate = "10 Mbit/s".parse().unwrap();
        assert_eq!(
            (r.as_bps(), r.to_string().as_str()),
            (10_000_000, "10 Mbit/s")
        );
        assert!("0 bit/s".parse::<Rate>().is_err());
        let message = "10 Mbps".parse::<Rate>().unwrap_err().to_string();
        assert!(
            message.contains("unknown unit \"Mbps\"") && message.contains("Mbit/s"),
            "{message}"
        );
    }

    #[test]
    fn transmission_time_is_exact() {
        assert_eq!(
            Rate::mbps(10).transmission_time(1500),
            SimDuration::from_micros(1200)
        );
        assert_eq!(
            Rate::from_bps(3).unwrap().transmission_time(1).as_ps(),
            2_666_666_666_667
        );
        assert_eq!(
            Rate::mbps(10).transmission_time(3_000_000).as_secs_f64(),
            2.4
        );
    }
}
