//! The limit of a queue.

use std::fmt;
use std::str::FromStr;

use crate::time::SimDuration;
use crate::units::{Bytes, ParseUnitError, Rate};

/// The limit of a queue. It includes the packet in service in a drop-tail queue, but not in a managed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// No limit.
    Unlimited,
    /// At most this many packets.
    Packets(u32),
    /// At most this many bytes.
    Bytes(Bytes),
    /// At most as many bytes as the link sends in this time at its nominal rate, ignoring any rate
    /// process. A link without a rate has no queue.
    Time(SimDuration),
}

impl QueueLimit {
    /// True when a packet of `size` bytes fits beside `pkts` packets of `bytes` bytes, in front of a
    /// link of this rate.
    #[inline]
    pub fn admits(self, size: u32, pkts: usize, bytes: u64, rate: Option<Rate>) -> bool {
        match self {
            QueueLimit::Unlimited => true,
            QueueLimit::Packets(n) => pkts < n as usize,
            QueueLimit::Bytes(b) => bytes + u64::from(size) <= b.0,
            QueueLimit::Time(most) => {
                rate.is_none_or(|rate| rate.transmission_time(bytes + u64::from(size)) <= most)
            }
        }
    }

    /// True if `pkts` packets of `bytes` bytes in front of a link of this rate exceed it.
    pub fn is_exceeded_by(self, pkts: usize, bytes: u64, rate: Option<Rate>) -> bool {
        pkts > 0 && !self.admits(0, pkts - 1, bytes, rate)
    }

    /// True if no packet can ever fit.
    pub fn is_nothing(self) -> bool {
        matches!(
            self,
            QueueLimit::Packets(0)
                | QueueLimit::Bytes(Bytes(0))
                | QueueLimit::Time(SimDuration::ZERO)
        )
    }
}

/// A queue limit could not be read from text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseLimitError {
    /// The limit admits no packet at all.
    #[error("a queue of {0} holds nothing; write {1}")]
    HoldsNothing(&'static str, &'static str),
    /// The text before "packets" is not a number of packets.
    #[error("cannot read {0:?} as a number of packets; write for example \"100 packets\"")]
    Packets(String),
    /// The text is not a number of packets, a size or a time.
    #[error("{0}, \"100 packets\", \"50 ms\" or \"unlimited\"")]
    Size(ParseUnitError),
}

impl FromStr for QueueLimit {
    type Err = ParseLimitError;

    /// Reads `100 packets`, `64 KiB`, `50 ms` or `unlimited`.
    fn from_str(text: &str) -> Result<Self, ParseLimitError> {
        use ParseLimitError::HoldsNothing;
        let trimmed = text.trim();
        if trimmed == "unlimited" {
            return Ok(QueueLimit::Unlimited);
        }
        let packets = trimmed
            .strip_suffix("packets")
            .or_else(|| trimmed.strip_suffix("packet"));
        if let Some(number) = packets {
            return match number.trim().replace('_', "").parse::<u32>() {
                Ok(0) => Err(HoldsNothing("0 packets", "at least \"1 packet\"")),
                Ok(n) => Ok(QueueLimit::Packets(n)),
                Err(_) => Err(ParseLimitError::Packets(text.to_owned())),
            };
        }
        match trimmed.parse::<SimDuration>() {
            Ok(SimDuration::ZERO) => return Err(HoldsNothing("0 s", "for example \"50 ms\"")),
            Ok(time) => return Ok(QueueLimit::Time(time)),
            Err(_) => {}
        }
        match trimmed.parse::<Bytes>() {
            Ok(Bytes(0)) => Err(HoldsNothing("0 bytes", "for example \"64 KiB\"")),
            Ok(bytes) => Ok(QueueLimit::Bytes(bytes)),
            Err(error) => Err(ParseLimitError::Size(error)),
        }
    }
}

impl fmt::Display for QueueLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueLimit::Unlimited => f.write_str("unlimited"),
            QueueLimit::Packets(1) => f.write_str("1 packet"),
            QueueLimit::Packets(n) => write!(f, "{n} packets"),
            QueueLimit::Bytes(b) => write!(f, "{b}"),
            QueueLimit::Time(t) => write!(f, "{t}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_or_refused_with_what_to_write() {
        for text in ["unlimited", "1 packet", "100 packets", "64 KiB", "50 ms"] {
            let limit: QueueLimit = text.parse().unwrap();
            assert_eq!(limit.to_string().parse(), Ok(limit), "{text}");
        }
        for (text, message) in [
            (
                "0 packets",
                "a queue of 0 packets holds nothing; write at least \"1 packet\"",
            ),
            (
                "0 s",
                "a queue of 0 s holds nothing; write for example \"50 ms\"",
            ),
            (
                "0 B",
                "a queue of 0 bytes holds nothing; write for example \"64 KiB\"",
            ),
            (
                "ten packets",
                "cannot read \"ten packets\" as a number of packets; write for example \"100 packets\"",
            ),
        ] {
            let error = text.parse::<QueueLimit>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let error = "much".parse::<QueueLimit>().unwrap_err().to_string();
        assert!(error.ends_with(", \"100 packets\", \"50 ms\" or \"unlimited\""));
    }
}
