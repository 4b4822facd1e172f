//! Segments as bytes: exact IPv4 and TCP headers, and a synthetic payload (RFC 791 section 3.1, RFC 9293
//! section 3.1).
//!
//! Within a run segments are structs; bytes are produced for capture files and read back in tests. Leaves
//! out IP options and fragments.

use std::net::Ipv4Addr;

use sim_core::Packet;

use crate::options::Options;
use crate::segment::{Ecn, Flags, Segment, Tag};
use crate::seq::SeqNum;

/// The IPv4 header fields that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Meta {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
    /// DS field and ECN.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// Length of the packet in bytes; anything beyond is link padding.
    pub total_len: u16,
}

/// Why bytes cannot be decoded, or a segment cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Fewer bytes than the smallest headers.
    #[error("{have} bytes are too few for {what}, which takes {need}")]
    TooShort {
        /// What was expected.
        what: &'static str,
        /// Bytes needed.
        need: usize,
        /// Bytes present.
        have: usize,
    },
    /// Not IPv4.
    #[error("IP version is {0}, not 4")]
    Version(u8),
    /// IHL below five words or beyond the packet.
    #[error("the IP header length of {0} bytes is less than 20 or more than the packet")]
    HeaderLength(usize),
    /// Total length below the header length or beyond the bytes.
    #[error("the IP total length {total} does not fit the {have} bytes present")]
    TotalLength {
        /// As the header says.
        total: usize,
        /// Bytes present.
        have: usize,
    },
    /// A fragment; synfin sets DF everywhere.
    #[error("the packet is a fragment")]
    Fragment,
    /// Not TCP.
    #[error("IP protocol is {0}, not 6")]
    Protocol(u8),
    /// The IP header checksum fails.
    #[error("the IP header checksum fails")]
    IpChecksum,
    /// The TCP checksum fails.
    #[error("the TCP checksum fails")]
    TcpChecksum,
    /// Data offset below five words or beyond the segment.
    #[error("the TCP data offset of {0} bytes is less than 20 or more than the segment")]
    DataOffset(usize),
    /// The packet would be longer than IPv4 allows.
    #[error("a packet of {0} bytes is longer than 65535")]
    TooLong(u32),
}

const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const PROTOCOL_TCP: u8 = 6;
const DONT_FRAGMENT: u16 = 0x4000;
/// More fragments, and the fragment offset.
const FRAGMENT: u16 = 0x3fff;

/// The payload byte at a stream offset: the alphabet, repeated.
pub const fn payload_byte(offset: u64) -> u8 {
    b'a' + (offset % 26) as u8
}

/// The identification field of a packet: the low bits of its number, so that a duplicate has its
/// original's.
pub const fn ipv4_id(packet: u64) -> u16 {
    packet as u16
}

/// Appends the packet's bytes to `out`, with both checksums valid regardless of [`Packet::corrupt`].
///
/// # Errors
/// [`WireError::TooLong`] beyond 65535 bytes; nothing is appended then.
pub fn encode_ipv4(packet: &Packet<Segment>, out: &mut Vec<u8>) -> Result<(), WireError> {
    encode_ipv4_with(packet, out, |_| {})
}

/// [`encode_ipv4`] with a `fill` that may overwrite the payload's letters.
///
/// # Errors
/// As [`encode_ipv4`].
pub fn encode_ipv4_with(
    packet: &Packet<Segment>,
    out: &mut Vec<u8>,
    fill: impl FnOnce(&mut [u8]),
) -> Result<(), WireError> {
    let seg = &packet.payload;
    let header_len = seg.header_len();
    let total = (IP_HEADER as u32 + header_len).saturating_add(seg.len);
    let Ok(total_len) = u16::try_from(total) else {
        return Err(WireError::TooLong(total));
    };
    let start = out.len();
    out.reserve(total as usize);
    out.extend_from_slice(&[0x45, packet.tos]);
    out.extend_from_slice(&total_len.to_be_bytes());
    out.extend_from_slice(&ipv4_id(packet.id).to_be_bytes());
    out.extend_from_slice(&DONT_FRAGMENT.to_be_bytes());
    out.extend_from_slice(&[packet.ttl, PROTOCOL_TCP, 0, 0]);
    out.extend_from_slice(&packet.src.octets());
    out.extend_from_slice(&packet.dst.octets());
    let checksum = !fold(sum(&out[start..]));
    put16(out, start + 10, checksum);

    let tcp = out.len();
    out.extend_from_slice(&seg.src_port.to_be_bytes());
    out.extend_from_slice(&seg.dst_port.to_be_bytes());
    out.extend_from_slice(&seg.seq.0.to_be_bytes());
    out.extend_from_slice(&seg.ack.0.to_be_bytes());
    // Four bits data offset, three reserved, AE; then the classic eight control bits.
    let offset = (header_len / 4) as u8;
    out.push(offset << 4 | (seg.reserved & 7) << 1 | u8::from(seg.flags.is_ae()));
    out.push(seg.flags.0 as u8);
    out.extend_from_slice(&seg.window.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&seg.urgent.to_be_bytes());
    out.extend_from_slice(seg.options.as_bytes());
    out.resize(tcp + header_len as usize, 0);
    let from = seg.tag.offset;
    out.extend((0..u64::from(seg.len)).map(|i| payload_byte(from.wrapping_add(i))));
    fill(&mut out[tcp + header_len as usize..]);
    let checksum = !fold(pseudo_header(packet.src, packet.dst, out.len() - tcp) + sum(&out[tcp..]));
    put16(out, tcp + 16, checksum);
    Ok(())
}

/// Reads a packet; the payload is counted, the tag is empty, and options keep their padding.
///
/// # Errors
/// When the bytes are not an IPv4 packet with a TCP segment, or a checksum fails.
pub fn decode_ipv4(bytes: &[u8]) -> Result<(Ipv4Meta, Segment), WireError> {
    let have = bytes.len();
    let at_least = |what, need| {
        if have < need {
            return Err(WireError::TooShort { what, need, have });
        }
        Ok(())
    };
    at_least("an IPv4 header", IP_HEADER)?;
    if bytes[0] >> 4 != 4 {
        return Err(WireError::Version(bytes[0] >> 4));
    }
    let ihl = usize::from(bytes[0] & 15) * 4;
    if ihl < IP_HEADER || ihl > have {
        return Err(WireError::HeaderLength(ihl));
    }
    let total_len = get16(bytes, 2);
    let total = usize::from(total_len);
    if total < ihl || total > have {
        return Err(WireError::TotalLength { total, have });
    }
    if fold(sum(&bytes[..ihl])) != 0xffff {
        return Err(WireError::IpChecksum);
    }
    let fragment = get16(bytes, 6);
    if fragment & FRAGMENT != 0 {
        return Err(WireError::Fragment);
    }
    if bytes[9] != PROTOCOL_TCP {
        return Err(WireError::Protocol(bytes[9]));
    }
    let meta = Ipv4Meta {
        src: Ipv4Addr::from(get32(bytes, 12)),
        dst: Ipv4Addr::from(get32(bytes, 16)),
        ttl: bytes[8],
        tos: bytes[1],
        id: get16(bytes, 4),
        dont_fragment: fragment & DONT_FRAGMENT != 0,
        total_len,
    };
    let mut segment = decode_tcp(meta.src, meta.dst, &bytes[ihl..total])?;
    segment.ecn = Ecn::from_tos(meta.tos);
    Ok((meta, segment))
}

/// Reads the TCP part of a packet between two addresses.
fn decode_tcp(src: Ipv4Addr, dst: Ipv4Addr, tcp: &[u8]) -> Result<Segment, WireError> {
    if tcp.len() < TCP_HEADER {
        return Err(WireError::TooShort {
            what: "a TCP header",
            need: TCP_HEADER,
            have: tcp.len(),
        });
    }
    let offset = usize::from(tcp[12] >> 4) * 4;
    if offset < TCP_HEADER || offset > tcp.len() {
        return Err(WireError::DataOffset(offset));
    }
    // MUST-3: the receiver checks it.
    if fold(pseudo_header(src, dst, tcp.len()) + sum(tcp)) != 0xffff {
        return Err(WireError::TcpChecksum);
    }
    let options =
        Options::from_bytes(&tcp[TCP_HEADER..offset]).map_err(|_| WireError::DataOffset(offset))?;
    Ok(Segment {
        src_port: get16(tcp, 0),
        dst_port: get16(tcp, 2),
        seq: SeqNum(get32(tcp, 4)),
        ack: SeqNum(get32(tcp, 8)),
        flags: Flags(u16::from(tcp[12] & 1) << 8 | u16::from(tcp[13])),
        reserved: tcp[12] >> 1 & 7,
        window: get16(tcp, 14),
        urgent: get16(tcp, 18),
        options,
        len: (tcp.len() - offset) as u32,
        joined: 0,
        ecn: Ecn::NotEct,
        tag: Tag::default(),
    })
}

/// Sum of the pseudo header's words (RFC 9293 section 3.1).
fn pseudo_header(src: Ipv4Addr, dst: Ipv4Addr, tcp_len: usize) -> u64 {
    sum(&src.octets()) + sum(&dst.octets()) + u64::from(PROTOCOL_TCP) + tcp_len as u64
}

/// Sum of big-endian 16-bit words, the last one padded with a zero byte (RFC 1071).
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(2);
    let whole: u64 = words
        .by_ref()
        .map(|w| u64::from(u16::from_be_bytes([w[0], w[1]])))
        .sum();
    whole + words.remainder().first().map_or(0, |&b| u64::from(b) << 8)
}

/// Folds the carries back in: one's complement addition.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

fn put16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

fn get16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn get32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests;
