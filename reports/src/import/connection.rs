//! Groups the packets of a capture by connection.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use tcp_model::options::Options;
use tcp_model::segment::Flags;

use super::link_layer::ip_packet;
use super::packet_file::CaptureFile;

/// A TCP segment as it passed the capture point.
#[derive(Clone, Debug)]
pub(crate) struct CapturedPacket {
    /// Seconds since the first packet of the capture.
    pub(crate) time: f64,
    /// Whether it was sent by the end that opened the connection.
    pub(crate) from_opener: bool,
    pub(crate) flags: Flags,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) len: u32,
    pub(crate) window: u16,
    pub(crate) options: Options,
}

impl CapturedPacket {
    /// The sequence number after it: SYN and FIN count as one each (RFC 9293 section 3.4).
    pub(crate) fn end(&self) -> u32 {
        let more = u32::from(self.flags.is_syn()) + u32::from(self.flags.is_fin());
        self.seq.wrapping_add(self.len).wrapping_add(more)
    }

    /// Whether it occupies sequence numbers, and is therefore retransmitted until it is
    /// acknowledged.
    pub(crate) fn takes_numbers(&self) -> bool {
        self.end() != self.seq
    }
}

/// The packets of a connection.
#[derive(Clone, Debug)]
pub(crate) struct CapturedConnection {
    /// Addresses of the end that opened it, and of the other.
    pub(crate) ends: [SocketAddrV4; 2],
    /// Names of the ends; their addresses if they have no names.
    pub(crate) names: [String; 2],
    pub(crate) packets: Vec<CapturedPacket>,
}

impl CapturedConnection {
    /// When its last packet passed, seconds.
    pub(crate) fn end_s(&self) -> f64 {
        self.packets.iter().map(|p| p.time).fold(0.0, f64::max)
    }
}

/// Whether a sequence number comes after another, modulo 2^32 (RFC 9293 section 3.4).
pub(super) fn is_after(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}

/// A segment with its addresses, before it is known which end opened the connection.
struct Segment {
    src: SocketAddrV4,
    dst: SocketAddrV4,
    packet: CapturedPacket,
}

/// The connections in the order of their first packets, and the number of packets that belong to
/// none.
pub(super) fn connections(capture: &CaptureFile) -> (Vec<CapturedConnection>, u64) {
    let mut all: Vec<CapturedConnection> = Vec::new();
    let mut open: HashMap<(SocketAddrV4, SocketAddrV4), usize> = HashMap::new();
    let mut left_out = 0;
    for (time, link, frame) in capture.packets() {
        let Some(mut one) = ip_packet(link, frame).and_then(|ip| segment(time, ip)) else {
            left_out += 1;
            continue;
        };
        let key = (one.src.min(one.dst), one.src.max(one.dst));
        let opens = one.packet.flags.is_syn() && !one.packet.flags.is_ack();
        let known = open
            .get(&key)
            .copied()
            .filter(|&i| !(opens && begins_another(&all[i], &one)));
        let place = known.unwrap_or_else(|| {
            let ends = opener_first(&one);
            let name = |end: &SocketAddrV4| match capture.names.get(end.ip()) {
                Some(name) => name.clone(),
                None => end.to_string(),
            };
            all.push(CapturedConnection {
                names: [name(&ends[0]), name(&ends[1])],
                ends,
                packets: Vec::new(),
            });
            open.insert(key, all.len() - 1);
            all.len() - 1
        });
        let connection = &mut all[place];
        if connection.names[0] == connection.names[1] {
            connection.names = connection.ends.map(|end| end.to_string());
        }
        one.packet.from_opener = one.src == connection.ends[0];
        connection.packets.push(one.packet);
    }
    for connection in &mut all {
        connection.packets.sort_by(|a, b| a.time.total_cmp(&b.time));
    }
    (all, left_out)
}

/// Returns true for a SYN with another initial sequence number than the earlier connection between
/// these addresses had.
fn begins_another(before: &CapturedConnection, one: &Segment) -> bool {
    let is_opener = one.src == before.ends[0];
    let own = before.packets.iter().filter(|p| p.from_opener == is_opener);
    let mut own = own.filter(|p| p.flags.is_syn());
    let has_begun = before.packets.iter().any(|p| !p.flags.is_syn());
    match own.next() {
        Some(syn) => syn.seq != one.packet.seq,
        None => has_begun,
    }
}

/// The end that opened: the sender of a SYN or the receiver of a SYN-ACK; if the handshake is not
/// in the capture, the end with the higher port, which is usually an ephemeral one.
fn opener_first(first: &Segment) -> [SocketAddrV4; 2] {
    let sender_opened = match (first.packet.flags.is_syn(), first.packet.flags.is_ack()) {
        (true, false) => true,
        (true, true) => false,
        _ => first.src.port() >= first.dst.port(),
    };
    match sender_opened {
        true => [first.src, first.dst],
        false => [first.dst, first.src],
    }
}

/// Reads the headers of a packet; `None` if it is not TCP over IPv4, or not whole. The payload may
/// have been truncated: its length is in the header.
fn segment(time: f64, ip: &[u8]) -> Option<Segment> {
    let word =
        |bytes: &[u8], at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let long = |bytes: &[u8], at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(four))
    };
    let first = *ip.first()?;
    let header = usize::from(first & 15) * 4;
    let is_whole = first >> 4 == 4 && header >= 20 && word(ip, 6)? & 0x3fff == 0;
    if !is_whole || *ip.get(9)? != 6 {
        return None;
    }
    // Zero if the network card had yet to segment the packet (segmentation offload).
    let total = match usize::from(word(ip, 2)?) {
        0 => ip.len(),
        total => total,
    };
    let tcp = ip.get(header..)?;
    let offset = usize::from(*tcp.get(12)? >> 4) * 4;
    let options = Options::from_bytes(tcp.get(20..offset)?).ok()?;
    let len = total.checked_sub(header + offset)?;
    let flags = Flags(u16::from(tcp[12] & 1) << 8 | u16::from(*tcp.get(13)?));
    let end = |address: usize, port: usize| {
        Some(SocketAddrV4::new(
            Ipv4Addr::from(long(ip, address)?),
            word(tcp, port)?,
        ))
    };
    Some(Segment {
        src: end(12, 0)?,
        dst: end(16, 2)?,
        packet: CapturedPacket {
            time,
            from_opener: true,
            flags,
            seq: long(tcp, 4)?,
            ack: long(tcp, 8)?,
            len: len as u32,
            window: word(tcp, 14)?,
            options,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_what_is_none_is_left_out() {
        // 20 bytes of IP, 20 of TCP, 5 of payload, of which 2 were captured.
        let mut bytes = vec![
            0x45, 0, 0, 45, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        bytes.extend([
            0x1f, 0x90, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 1, 0, 0, 0, 0, 0, 1, 2,
        ]);
        let s = segment(1.5, &bytes).unwrap();
        assert_eq!((s.src.port(), s.dst.port()), (8080, 80));
        assert_eq!(
            (s.packet.seq, s.packet.ack, s.packet.len, s.packet.end()),
            (7, 9, 5, 12)
        );
        assert!(s.packet.flags.is_ack() && !s.packet.flags.is_syn());
        for cut in 0..40 {
            assert!(segment(0.0, &bytes[..cut]).is_none(), "{cut}");
        }
        let changed = |at: usize, to: u8| {
            let mut other = bytes.clone();
            other[at] = to;
            segment(0.0, &other).is_none()
        };
        assert!(changed(0, 0x65), "IPv6");
        assert!(changed(9, 17), "UDP");
        assert!(changed(7, 5), "a fragment");
        assert!(changed(32, 0x10), "a data offset within the header");
    }

    #[test]
    fn numbers_are_compared_on_the_circle() {
        assert!(is_after(5, u32::MAX) && !is_after(u32::MAX, 5) && !is_after(5, 5));
    }
}
