//! The form of a segment in the network: the common ones take 40 bytes, so that a packet fills one
//! cache line.

use std::num::NonZeroU8;

use sim_core::Packet;

use super::{ConnId, Flags, RecordingDetail, Segment, Tag};
use crate::seq::SeqNum;

/// A segment as packets carry it.
#[derive(Clone, Debug)]
pub enum Packed {
    /// No options, or timestamps alone in the layout all stacks send.
    Common(CommonSegment),
    /// Any other: SYNs, SACK, urgent data.
    Other(Box<Segment>),
}

/// A segment without options or with timestamps alone. The length of its text follows from that of
/// the packet; its ECN field is the packet's.
#[derive(Clone, Copy, Debug)]
pub struct CommonSegment {
    conn: ConnId,
    offset: u64,
    seq: SeqNum,
    ack: SeqNum,
    stamps: (u32, u32),
    src_port: u16,
    dst_port: u16,
    window: u16,
    flags: u8,
    kind: PackedKind,
}

/// Whether there are timestamps (bit 0), how far the segment is recorded (bits 1 to 3: not at all,
/// or how), and whether it has an IPv6 header (bit 4). Never zero, which leaves room for
/// [`Packed::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PackedKind(NonZeroU8);

impl PackedKind {
    const UNTRACED: NonZeroU8 = NonZeroU8::new(2).unwrap();

    #[inline(always)]
    fn new(stamped: bool, ip_header: u32, tag: &Tag) -> PackedKind {
        let flags = u8::from(stamped) | u8::from(ip_header > 20) << 4;
        if !tag.traced {
            return PackedKind(PackedKind::UNTRACED | flags);
        }
        let recorded = match tag.detail {
            RecordingDetail::Full => const { NonZeroU8::new(4).unwrap() },
            RecordingDetail::Echo => const { NonZeroU8::new(6).unwrap() },
            RecordingDetail::Background => const { NonZeroU8::new(8).unwrap() },
            RecordingDetail::None => const { NonZeroU8::new(10).unwrap() },
        };
        PackedKind(recorded | flags)
    }

    #[inline(always)]
    fn is_stamped(self) -> bool {
        self.0.get() & 1 != 0
    }

    /// Bytes of the headers around the text.
    #[inline(always)]
    fn headers(self) -> u32 {
        let bits = u32::from(self.0.get());
        40 + 12 * (bits & 1) + 20 * (bits >> 4)
    }

    #[inline(always)]
    fn is_traced(self) -> bool {
        self.0.get() & 0xf > 3
    }

    #[inline(always)]
    fn detail(self) -> RecordingDetail {
        match self.0.get() & 0xe {
            6 => RecordingDetail::Echo,
            8 => RecordingDetail::Background,
            10 => RecordingDetail::None,
            _ => RecordingDetail::Full,
        }
    }
}

/// Boxes kept: more may arrive in one partition than leave it.
const BOXES: usize = 4096;

const _: () = assert!(size_of::<Packet<Packed>>() == 64);

impl Packed {
    /// Packs a segment behind an IP header of `ip_header` bytes, 20 or 40; a box for it is taken from
    /// `boxes` where there is one.
    #[inline(always)]
    pub fn new(segment: &Segment, ip_header: u32, boxes: &mut Vec<Box<Segment>>) -> Packed {
        match CommonSegment::new(segment, ip_header) {
            Some(common) => Packed::Common(common),
            None => Packed::Other(boxed(segment, boxes)),
        }
    }

    /// The segment of a packet of `size` bytes.
    #[inline]
    pub fn segment(&self, size: u32) -> Segment {
        match self {
            Packed::Common(common) => {
                let mut segment = Segment::default();
                common.write(size, &mut segment);
                segment
            }
            Packed::Other(segment) => **segment,
        }
    }

    /// As [`Packed::segment`]: writes the segment of a packet of `size` bytes to `segment`, a default
    /// one, and keeps the box if it had one.
    #[inline(always)]
    pub fn unpack(self, size: u32, segment: &mut Segment, boxes: &mut Vec<Box<Segment>>) {
        match self {
            Packed::Common(common) => common.write(size, segment),
            Packed::Other(place) => {
                *segment = *place;
                if boxes.len() < BOXES {
                    boxes.push(place);
                }
            }
        }
    }

    /// Whether it is recorded, or may still be.
    pub fn is_recorded(&self) -> bool {
        match self {
            Packed::Common(common) => {
                common.kind.is_traced() && common.kind.detail() != RecordingDetail::None
            }
            Packed::Other(segment) => segment.tag.is_recorded(),
        }
    }

    /// Control bits.
    pub fn flags(&self) -> Flags {
        match self {
            Packed::Common(common) => Flags(common.flags.into()),
            Packed::Other(segment) => segment.flags,
        }
    }

    /// Changes the source and the destination port.
    pub fn set_ports(&mut self, src: u16, dst: u16) {
        match self {
            Packed::Common(common) => (common.src_port, common.dst_port) = (src, dst),
            Packed::Other(segment) => (segment.src_port, segment.dst_port) = (src, dst),
        }
    }

    /// Source and destination port.
    pub fn ports(&self) -> (u16, u16) {
        match self {
            Packed::Common(common) => (common.src_port, common.dst_port),
            Packed::Other(segment) => (segment.src_port, segment.dst_port),
        }
    }
}

#[expect(clippy::vec_box, reason = "the boxes themselves are used again")]
#[inline(never)]
fn boxed(segment: &Segment, boxes: &mut Vec<Box<Segment>>) -> Box<Segment> {
    match boxes.pop() {
        Some(mut place) => {
            *place = *segment;
            place
        }
        None => Box::new(*segment),
    }
}

impl CommonSegment {
    /// Destination and source port.
    #[inline]
    pub fn ports_of_receiver(&self) -> (u16, u16) {
        (self.dst_port, self.src_port)
    }

    #[inline(always)]
    fn new(segment: &Segment, ip_header: u32) -> Option<CommonSegment> {
        let stamps = segment.options.only_timestamps();
        if stamps.is_none() && !segment.options.is_empty() {
            return None;
        }
        let kind = PackedKind::new(stamps.is_some(), ip_header, &segment.tag);
        let flags = u8::try_from(segment.flags.0).ok()?;
        if segment.flags.is_urg()
            || segment.urgent != 0
            || segment.reserved != 0
            || segment.joined != 0
            || segment.tag.again.is_some()
        {
            return None;
        }
        Some(CommonSegment {
            conn: segment.tag.conn,
            offset: segment.tag.offset,
            seq: segment.seq,
            ack: segment.ack,
            stamps: stamps.unwrap_or_default(),
            src_port: segment.src_port,
            dst_port: segment.dst_port,
            window: segment.window,
            flags,
            kind,
        })
    }

    /// Writes the segment over a default one.
    #[inline(always)]
    fn write(&self, size: u32, segment: &mut Segment) {
        segment.src_port = self.src_port;
        segment.dst_port = self.dst_port;
        segment.seq = self.seq;
        segment.ack = self.ack;
        segment.flags = Flags(self.flags.into());
        segment.window = self.window;
        segment.tag.conn = self.conn;
        segment.tag.offset = self.offset;
        if self.kind.is_traced() {
            segment.tag.traced = true;
            segment.tag.detail = self.kind.detail();
        }
        if self.kind.is_stamped() {
            let (val, ecr) = self.stamps;
            segment.options.set_timestamps_only(val, ecr);
        }
        segment.len = size.saturating_sub(self.kind.headers());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RetransmitReason;
    use crate::options::{Options, TcpOption};

    proptest! {
        #[test]
        fn any_segment_comes_back_as_it_was(
            numbers in any::<[u32; 4]>(),
            shorts in any::<[u16; 5]>(),
            (len, reserved, which) in (0u32..70_000, 0u8..8, 0u8..5),
            (offset, traced, detail, again) in (any::<u64>(), any::<bool>(), 0usize..4, any::<bool>()),
        ) {
            let details = [RecordingDetail::Full, RecordingDetail::Echo, RecordingDetail::Background, RecordingDetail::None];
            let mut options = Options::NONE;
            match which {
                0 => {}
                1 => options = Options::timestamps_only(numbers[2], numbers[3]),
                2 => options.push(TcpOption::Timestamps(numbers[2], numbers[3])).unwrap(),
                3 => options.push(TcpOption::Mss(shorts[0])).unwrap(),
                _ => {
                    options = Options::timestamps_only(numbers[2], numbers[3]);
                    options.push_sack(&[(SeqNum(1), SeqNum(2))]);
                }
            }
            let segment = Segment {
                src_port: shorts[0],
                dst_port: shorts[1],
                seq: SeqNum(numbers[0]),
                ack: SeqNum(numbers[1]),
                flags: Flags(shorts[2] & 0x1ff),
                reserved: if which < 2 { 0 } else { reserved },
                window: shorts[3],
                urgent: if reserved < 4 { 0 } else { shorts[4] },
                options,
                len,
                tag: Tag {
                    conn: ConnId(offset.rotate_left(7)),
                    offset,
                    traced,
                    // Without meaning where nothing is traced.
                    detail: if traced { details[detail] } else { RecordingDetail::Full },
                    again: again.then_some(RetransmitReason::Rack),
                },
                ..Segment::default()
            };
            let mut boxes = Vec::new();
            for ip_header in [20, 40] {
                let size = segment.packet_len(ip_header);
                let packed = Packed::new(&segment, ip_header, &mut boxes);
                prop_assert_eq!(packed.is_recorded(), traced && segment.tag.detail != RecordingDetail::None);
                prop_assert_eq!(packed.segment(size), segment);
                let mut unpacked = Segment::default();
                packed.unpack(size, &mut unpacked, &mut boxes);
                prop_assert_eq!(unpacked, segment);
            }
        }
    }
}
