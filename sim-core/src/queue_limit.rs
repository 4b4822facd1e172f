//! How much a queue may hold.

use std::fmt;
use std::str::FromStr;

use crate::units::Bytes;

/// The limit of a queue. In a drop-tail queue the packet in service counts; in a managed one, only
/// those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// No limit.
    Unlimited,
    /// At most this many packets.
    Packets(u32),
    /// At most this many bytes.
    Bytes(Bytes),
}

impl QueueLimit {
    /// True when a packet of `size` bytes fits beside `pkts` packets of `bytes` bytes.
    #[inline]
    pub fn admits(self, size: u32, pkts: usize, bytes: u64) -> bool {
        match self {
            QueueLimit::Unlimited => true,
            QueueLimit::Packets(n) => pkts < n as usize,
            QueueLimit::Bytes(b) => bytes + u64::from(size) <= b.0,
        }
    }

    /// True when it lets nothing in.
    pub fn is_nothing(self) -> bool {
        matches!(self, QueueLimit::Packets(0) | QueueLimit::Bytes(Bytes(0)))
    }
}

impl FromStr for QueueLimit {
    type Err = String;

    /// Reads `100 packets`, `64 KiB` or `unlimited`.
    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed == "unlimited" {
            return Ok(QueueLimit::Unlimited);
        }
        let packets = trimmed
            .strip_suffix("packets")
            .or_else(|| trimmed.strip_suffix("packet"));
        if let Some(number) = packets {
            return match number.trim().replace('_', "").parse::<u32>() {
                Ok(0) => {
                    Err("a queue of 0 packets holds nothing; write at least \"1 packet\"".into())
                }
                Ok(n) => Ok(QueueLimit::Packets(n)),
                Err(_) => Err(format!(
                    "cannot read {text:?} as a number of packets; write for example \"100 packets\""
                )),
            };
        }
        match trimmed.parse::<Bytes>() {
            Ok(Bytes(0)) => {
                Err("a queue of 0 bytes holds nothing; write for example \"64 KiB\"".into())
            }
            Ok(bytes) => Ok(QueueLimit::Bytes(bytes)),
            Err(e) => Err(format!("{e}, \"100 packets\" or \"unlimited\"")),
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
        }
    }
}
