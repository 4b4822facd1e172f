//! TCP options in wire format (RFC 9293 section 3.2).
//!
//! Forty bytes hold any legal option list. Keeping the bytes preserves order, padding, unknown and
//! malformed options without special cases; readers iterate over them.

use std::fmt;

use crate::seq::SeqNum;

/// Option kinds (IANA TCP parameters).
pub mod kind {
    /// End of option list.
    pub const EOL: u8 = 0;
    /// No operation.
    pub const NOP: u8 = 1;
    /// Maximum segment size, RFC 9293 section 3.7.1.
    pub const MSS: u8 = 2;
    /// Window scale, RFC 7323 section 2.
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted, RFC 2018.
    pub const SACK_PERMITTED: u8 = 4;
    /// Selective acknowledgement, RFC 2018.
    pub const SACK: u8 = 5;
    /// Timestamps, RFC 7323 section 3.
    pub const TIMESTAMPS: u8 = 8;
    /// Fast Open cookie, RFC 7413.
    pub const FAST_OPEN: u8 = 34;
    /// Experiments, distinguished by a magic number (RFC 6994); one is Fast Open before its RFC.
    pub const EXPERIMENT_1: u8 = 254;
}

/// A list of options as wire bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    len: u8,
    bytes: [u8; Options::MAX],
}

impl Default for Options {
    fn default() -> Self {
        Options {
            len: 0,
            bytes: [0; Options::MAX],
        }
    }
}

/// One option of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// End of list; the rest is padding.
    Eol,
    /// No operation.
    Nop,
    /// Maximum segment size.
    Mss(u16),
    /// Window scale shift count, as sent (RFC 7323 section 2.3: above 14 counts as 14).
    WindowScale(u8),
    /// SACK permitted.
    SackPermitted,
    /// SACK blocks, eight bytes each.
    Sack(&'a [u8]),
    /// TSval and TSecr.
    Timestamps(u32, u32),
    /// Any other option, or a known one with an invalid length: kind and data.
    Unknown(u8, &'a [u8]),
}

/// An option list ends in the middle of an option, or has a length below two (MUST-7, MUST-68).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed option of kind {kind} at byte {at}")]
pub struct MalformedOption {
    /// Its kind.
    pub kind: u8,
    /// Offset in the list.
    pub at: u8,
}

/// There is no room left in the forty bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TCP options take more than 40 bytes")]
pub struct OptionsFull;

impl Options {
    /// Room for options in a TCP header.
    pub const MAX: usize = 40;
    /// No options.
    pub const NONE: Options = Options {
        len: 0,
        bytes: [0; Options::MAX],
    };

    /// Creates a list from its wire bytes, at most 40.
    ///
    /// # Errors
    /// When `bytes` is longer than 40.
    pub fn from_bytes(bytes: &[u8]) -> Result<Options, OptionsFull> {
        let mut options = Options::NONE;
        options.push_bytes(bytes)?;
        Ok(options)
    }

    /// The wire bytes, without padding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// Length with the padding to a multiple of four.
    pub const fn padded_len(&self) -> usize {
        (self.len as usize).next_multiple_of(4)
    }

    /// True when there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes still free.
    pub const fn room(&self) -> usize {
        Self::MAX - self.len as usize
    }

    fn push_bytes(&mut self, new: &[u8]) -> Result<(), OptionsFull> {
        let at = self.len as usize;
        self.bytes
            .get_mut(at..at + new.len())
            .ok_or(OptionsFull)?
            .copy_from_slice(new);
        self.len += new.len() as u8;
        Ok(())
    }

    /// Appends one option.
    ///
    /// # Errors
    /// When it does not fit; the list is then unchanged.
    pub fn push(&mut self, option: TcpOption<'_>) -> Result<(), OptionsFull> {
        match option {
            TcpOption::Eol => self.push_bytes(&[kind::EOL]),
            TcpOption::Nop => self.push_bytes(&[kind::NOP]),
            TcpOption::Mss(mss) => {
                let [a, b] = mss.to_be_bytes();
                self.push_bytes(&[kind::MSS, 4, a, b])
            }
            TcpOption::WindowScale(shift) => self.push_bytes(&[kind::WINDOW_SCALE, 3, shift]),
            TcpOption::SackPermitted => self.push_bytes(&[kind::SACK_PERMITTED, 2]),
            TcpOption::Timestamps(val, ecr) => {
                let mut bytes = [kind::TIMESTAMPS, 10, 0, 0, 0, 0, 0, 0, 0, 0];
                bytes[2..6].copy_from_slice(&val.to_be_bytes());
                bytes[6..].copy_from_slice(&ecr.to_be_bytes());
                self.push_bytes(&bytes)
            }
            TcpOption::Sack(data) => self.push_tlv(kind::SACK, data),
            TcpOption::Unknown(kind, data) => self.push_tlv(kind, data),
        }
    }

    fn push_tlv(&mut self, kind: u8, data: &[u8]) -> Result<(), OptionsFull> {
        if data.len() + 2 > self.room() {
            return Err(OptionsFull);
        }
        self.push_bytes(&[kind, data.len() as u8 + 2])?;
        self.push_bytes(data)
    }

    /// The layout of all segments with timestamps after the handshake: NOP, NOP, timestamps.
    #[inline]
    pub fn timestamps_only(val: u32, ecr: u32) -> Options {
        let mut options = Options::NONE;
        options.set_timestamps_only(val, ecr);
        options
    }

    /// The same, written into an empty list, which avoids a copy on hot paths.
    #[inline]
    pub fn set_timestamps_only(&mut self, val: u32, ecr: u32) {
        self.len = 12;
        self.bytes[..4].copy_from_slice(&[kind::NOP, kind::NOP, kind::TIMESTAMPS, 10]);
        self.bytes[4..8].copy_from_slice(&val.to_be_bytes());
        self.bytes[8..12].copy_from_slice(&ecr.to_be_bytes());
    }

    /// TSval and TSecr, if the list is exactly that of [`Options::timestamps_only`].
    #[inline]
    pub fn only_timestamps(&self) -> Option<(u32, u32)> {
        let stamps = || (be32(&self.bytes[4..8]), be32(&self.bytes[8..12]));
        self.is_timestamps_only().then(stamps)
    }

    /// True for the usual layout after the handshake, RFC 7323 appendix A; avoids iterating in the common
    /// case.
    #[inline]
    fn is_timestamps_only(&self) -> bool {
        self.len == 12 && self.begins_with_timestamps()
    }

    /// Whether the list begins as in [`Options::timestamps_only`].
    #[inline]
    fn begins_with_timestamps(&self) -> bool {
        self.len >= 12 && self.bytes[..4] == [kind::NOP, kind::NOP, kind::TIMESTAMPS, 10]
    }

    /// Appends a SACK option, aligned by two NOPs, with as many of the blocks as fit.
    pub fn push_sack(&mut self, blocks: &[(SeqNum, SeqNum)]) {
        let fits = self.room().saturating_sub(4) / 8;
        let blocks = &blocks[..blocks.len().min(fits)];
        if blocks.is_empty() {
            return;
        }
        let mut data = [0u8; 32];
        for (place, &(left, right)) in data.chunks_exact_mut(8).zip(blocks) {
            place[..4].copy_from_slice(&left.0.to_be_bytes());
            place[4..].copy_from_slice(&right.0.to_be_bytes());
        }
        let _ = self.push(TcpOption::Nop);
        let _ = self.push(TcpOption::Nop);
        let _ = self.push(TcpOption::Sack(&data[..blocks.len() * 8]));
    }

    /// Iterates over the list; stops after EOL or at a malformed option.
    pub fn iter(&self) -> OptionIter<'_> {
        OptionIter {
            bytes: self.as_bytes(),
            at: 0,
            done: false,
        }
    }

    /// TSval and TSecr of the first well-formed timestamps option.
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        if self.begins_with_timestamps() {
            return Some((be32(&self.bytes[4..8]), be32(&self.bytes[8..12])));
        }
        if self.len == 0 {
            return None;
        }
        self.iter().find_map(|o| match o {
            Ok(TcpOption::Timestamps(val, ecr)) => Some((val, ecr)),
            _ => None,
        })
    }

    /// True for no options or only timestamps, as in almost all segments.
    #[inline]
    pub fn is_usual(&self) -> bool {
        self.len == 0 || self.is_timestamps_only()
    }

    #[inline(never)]
    fn sack_data(&self) -> &[u8] {
        self.aligned_sack().unwrap_or_else(|| self.first_sack())
    }

    /// The data of a SACK option in the layout that all stacks send: behind two NOPs, at the start or after the
    /// timestamps.
    #[inline]
    fn aligned_sack(&self) -> Option<&[u8]> {
        let bytes = self.as_bytes();
        let rest = match self.begins_with_timestamps() {
            true => &bytes[12..],
            false => bytes,
        };
        let [kind::NOP, kind::NOP, kind::SACK, len, data @ ..] = rest else {
            return None;
        };
        let len = usize::from(*len).checked_sub(2)?;
        data.get(..len)
            .filter(|data| !data.is_empty() && data.len() % 8 == 0)
    }

    /// The data of the first SACK option, wherever it is.
    #[inline(never)]
    fn first_sack(&self) -> &[u8] {
        let found = self.iter().find_map(|o| match o {
            Ok(TcpOption::Sack(data)) => Some(data),
            _ => None,
        });
        found.unwrap_or(&[])
    }

    /// The SACK blocks, in order, of the first SACK option.
    #[inline]
    pub fn sack_blocks(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        let data = if self.is_usual() {
            &[]
        } else {
            self.sack_data()
        };
        data.chunks_exact(8)
            .map(|b| (SeqNum(be32(&b[..4])), SeqNum(be32(&b[4..]))))
    }
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Iterator over an option list.
#[derive(Clone, Debug)]
pub struct OptionIter<'a> {
    bytes: &'a [u8],
    at: usize,
    done: bool,
}

impl<'a> OptionIter<'a> {
    /// The bytes from the next option on; after the iteration, those from the end of the list on.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

impl<'a> Iterator for OptionIter<'a> {
    type Item = Result<TcpOption<'a>, MalformedOption>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest();
        let (false, Some(&kind)) = (self.done, rest.first()) else {
            return None;
        };
        let option = match kind {
            kind::EOL => {
                self.done = true;
                return Some(Ok(TcpOption::Eol));
            }
            kind::NOP => {
                self.at += 1;
                return Some(Ok(TcpOption::Nop));
            }
            _ => {
                let len = rest.get(1).map_or(0, |&l| l as usize);
                let Some(data) = (len >= 2).then(|| rest.get(2..len)).flatten() else {
                    self.done = true;
                    return Some(Err(MalformedOption {
                        kind,
                        at: self.at as u8,
                    }));
                };
                self.at += len;
                match (kind, data) {
                    (kind::MSS, &[a, b]) => TcpOption::Mss(u16::from_be_bytes([a, b])),
                    (kind::WINDOW_SCALE, &[shift]) => TcpOption::WindowScale(shift),
                    (kind::SACK_PERMITTED, &[]) => TcpOption::SackPermitted,
                    (kind::SACK, data) if !data.is_empty() && data.len() % 8 == 0 => {
                        TcpOption::Sack(data)
                    }
                    (kind::TIMESTAMPS, data) if data.len() == 8 => {
                        TcpOption::Timestamps(be32(&data[..4]), be32(&data[4..]))
                    }
                    (kind, data) => TcpOption::Unknown(kind, data),
                }
            }
        };
        Some(Ok(option))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Options {
    /// As tcpdump and packetdrill write them: `mss 1460,nop,wscale 7,sackOK,TS val 1 ecr 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, option) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            match option {
                Err(bad) => write!(f, "malformed {}", bad.kind)?,
                Ok(option) => write!(f, "{option}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for TcpOption<'_> {
    /// As in the list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TcpOption::Eol => f.write_str("eol"),
            TcpOption::Nop => f.write_str("nop"),
            TcpOption::Mss(mss) => write!(f, "mss {mss}"),
            TcpOption::WindowScale(shift) => write!(f, "wscale {shift}"),
            TcpOption::SackPermitted => f.write_str("sackOK"),
            TcpOption::Timestamps(val, ecr) => write!(f, "TS val {val} ecr {ecr}"),
            TcpOption::Sack(data) => {
                f.write_str("sack")?;
                let mut blocks = data.chunks_exact(8);
                blocks.try_for_each(|b| write!(f, " {}:{}", be32(&b[..4]), be32(&b[4..])))
            }
            TcpOption::Unknown(kind, data) => {
                write!(f, "unknown {kind} 0x")?;
                data.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
