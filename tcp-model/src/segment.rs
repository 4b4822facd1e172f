//! The TCP segment: all header fields (RFC 9293 section 3.1), with the payload only counted.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use crate::options::Options;
use crate::resend_rule::RetransmitReason;
use crate::seq::SeqNum;

mod packed;

pub use packed::{CommonSegment, Packed};

/// The control bits, with ECN's three (RFC 3168, RFC 9768).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(pub u16);

macro_rules! flags {
    ($($name:ident $is:ident $bit:expr, $doc:expr;)*) => {
        impl Flags {
            $(#[doc = $doc] pub const $name: Flags = Flags(1 << $bit);
            #[doc = concat!("True when ", stringify!($name), " is set.")]
            pub const fn $is(self) -> bool { self.0 & (1 << $bit) != 0 })*
        }
    };
}

flags! {
    FIN is_fin 0, "No more data from the sender.";
    SYN is_syn 1, "Synchronise sequence numbers.";
    RST is_rst 2, "Reset the connection.";
    PSH is_psh 3, "Push: deliver at once.";
    ACK is_ack 4, "The acknowledgement field is valid.";
    URG is_urg 5, "The urgent pointer is valid.";
    ECE is_ece 6, "ECN echo.";
    CWR is_cwr 7, "Congestion window reduced.";
    AE is_ae 8, "Accurate ECN.";
}

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// SYN and ACK.
    pub const SYN_ACK: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);

    /// True when all of `other` are set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags without those of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Flags {
    /// "SYN,ACK", in the order SYN FIN RST PSH URG ACK ECE CWR AE; "-" for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Flags::SYN, "SYN"),
            (Flags::FIN, "FIN"),
            (Flags::RST, "RST"),
            (Flags::PSH, "PSH"),
            (Flags::URG, "URG"),
            (Flags::ACK, "ACK"),
            (Flags::ECE, "ECE"),
            (Flags::CWR, "CWR"),
            (Flags::AE, "AE"),
        ];
        let mut any = false;
        for (flag, name) in names {
            if self.contains(flag) {
                write!(f, "{}{name}", if any { "," } else { "" })?;
                any = true;
            }
        }
        if any { Ok(()) } else { f.write_str("-") }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The ECN field of the IP header (RFC 3168 section 5): its two bits as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Ecn {
    /// The sender does not use ECN.
    #[default]
    NotEct = 0,
    /// ECN-capable, ECT(1).
    Ect1 = 1,
    /// ECN-capable, ECT(0): what TCP sends.
    Ect0 = 2,
    /// Congestion experienced.
    Ce = 3,
}

impl Ecn {
    /// The low two bits of a traffic class or TOS octet.
    pub const fn from_tos(tos: u8) -> Ecn {
        match tos & 3 {
            0 => Ecn::NotEct,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        }
    }

    /// `tos` with this codepoint as its low two bits.
    pub const fn on_tos(self, tos: u8) -> u8 {
        tos & !3 | self as u8
    }
}

/// Identity of a connection within a run: the node that opened it and that node's serial number, the same
/// at both end points. The class distinguishes applications that share a server port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ConnId(pub u64);

impl ConnId {
    /// Node numbers have 24 bits; the topmost bit stays free for tables with signed numbers.
    const CLASS_SHIFT: u32 = 56;
    const CLASSES: u64 = 0x7f;

    /// The `serial`-th connection opened by `node`.
    pub const fn new(node: u32, serial: u32) -> ConnId {
        ConnId((node as u64) << 32 | serial as u64)
    }

    /// This identity with a class, below 128.
    #[must_use]
    pub const fn with_class(self, class: u8) -> ConnId {
        let class = (class as u64 & Self::CLASSES) << Self::CLASS_SHIFT;
        ConnId(self.0 & !(Self::CLASSES << Self::CLASS_SHIFT) | class)
    }

    /// Its class, 0 by default.
    pub const fn class(self) -> u8 {
        (self.0 >> Self::CLASS_SHIFT & Self::CLASSES) as u8
    }

    /// The node that opened it.
    pub const fn node(self) -> u32 {
        (self.0 >> 32) as u32 & 0xff_ffff
    }

    /// The node's serial number.
    pub const fn serial(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for ConnId {
    /// "node.serial".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node(), self.serial())
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{self}")
    }
}

/// Information about a segment that only the simulator has; not part of the wire format, and no model may
/// use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Tag {
    /// The connection (incarnation) that sent it.
    pub conn: ConnId,
    /// Offset of its first payload byte in the sender's stream, from 0.
    pub offset: u64,
    /// The connection is one of those whose segments are recorded.
    pub traced: bool,
    /// The recording detail of a segment of a traced connection.
    pub detail: RecordingDetail,
    /// The rule by which its sender retransmits these octets; `None` for the first transmission.
    pub again: Option<RetransmitReason>,
}

impl Tag {
    /// Whether the segment is recorded, or may still be.
    pub fn is_recorded(&self) -> bool {
        self.traced && self.detail != RecordingDetail::None
    }
}

/// The recording detail of a segment of a traced connection, decided by the sending host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum RecordingDetail {
    /// Recorded when it is sent and when it arrives.
    #[default]
    Full,
    /// As `Full`, because the other end had trouble; not a sign of trouble to its receiver.
    Echo,
    /// Remembered by both hosts for a while, and recorded only if trouble follows soon.
    Background,
    /// Not recorded; only the sender's variables of the connection are.
    None,
}

/// A TCP segment, plus the ECN field of the IP header. The payload is counted, not stored; data offset and
/// checksum are derived in [`crate::wire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Segment {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number of the first octet, SYN included.
    pub seq: SeqNum,
    /// Acknowledgement number; meaningful when ACK is set.
    pub ack: SeqNum,
    /// Control bits.
    pub flags: Flags,
    /// The reserved bits between data offset and AE; sent as zero, ignored on receipt.
    pub reserved: u8,
    /// The window field as sent, unscaled.
    pub window: u16,
    /// Urgent pointer; meaningful when URG is set.
    pub urgent: u16,
    /// Options in wire format.
    pub options: Options,
    /// Payload bytes.
    pub len: u32,
    /// The ECN field of the packet's IP header: as set by the model when sending, as received when
    /// arriving.
    pub ecn: Ecn,
    /// Length of the segments that the receiver's device merged into this one (Linux `gso_size`), in bytes;
    /// 0 if not merged. Simulated devices do not merge segments.
    pub joined: u16,
    /// The simulator's information.
    pub tag: Tag,
}

impl Segment {
    /// All zero.
    pub const EMPTY: Segment = Segment {
        src_port: 0,
        dst_port: 0,
        seq: SeqNum(0),
        ack: SeqNum(0),
        flags: Flags::NONE,
        reserved: 0,
        window: 0,
        urgent: 0,
        options: Options::NONE,
        len: 0,
        joined: 0,
        tag: Tag {
            conn: ConnId(0),
            offset: 0,
            traced: false,
            detail: RecordingDetail::Full,
            again: None,
        },
        ecn: Ecn::NotEct,
    };

    /// SEG.LEN: octets of sequence space, SYN and FIN counted.
    pub const fn seq_len(&self) -> u32 {
        self.len + self.flags.is_syn() as u32 + self.flags.is_fin() as u32
    }

    /// Number of segments on the wire that it represents: more than one if the device merged them.
    pub const fn wire_segments(&self) -> u32 {
        match self.joined {
            0 => 1,
            _ if self.len == 0 => 1,
            size => self.len.div_ceil(size as u32),
        }
    }

    /// The sequence number after the last octet.
    pub fn seq_end(&self) -> SeqNum {
        self.seq + self.seq_len()
    }

    /// Header length in bytes, options and their padding included.
    pub const fn header_len(&self) -> u32 {
        20 + self.options.padded_len() as u32
    }

    /// The reset that answers this segment if there is no end point; `None` for a reset (RFC 9293 section
    /// 3.10.7.1).
    pub fn refusal(&self) -> Option<Segment> {
        if self.flags.is_rst() {
            return None;
        }
        // "If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN>
        // <CTL=RST,ACK>. If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>."
        let (seq, ack, flags) = if self.flags.is_ack() {
            (self.ack, SeqNum(0), Flags::RST)
        } else {
            (SeqNum(0), self.seq_end(), Flags::RST | Flags::ACK)
        };
        Some(Segment {
            src_port: self.dst_port,
            dst_port: self.src_port,
            seq,
            ack,
            flags,
            tag: Tag {
                conn: self.tag.conn,
                offset: 0,
                traced: self.tag.traced,
                ..Tag::default()
            },
            ..Segment::default()
        })
    }

    /// Length as an IPv4 packet without IP options.
    pub const fn ipv4_len(&self) -> u32 {
        self.packet_len(20)
    }

    /// Length as a packet with an IP header of `ip_header` bytes.
    pub const fn packet_len(&self, ip_header: u32) -> u32 {
        ip_header + self.header_len() + self.len
    }
}
