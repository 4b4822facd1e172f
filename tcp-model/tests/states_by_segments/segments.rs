//! The classes of segments: flags, sequence number, length, acknowledgment, window, timestamp.

use tcp_model::{Flags, Segment, SeqNum};

use super::places::{Facts, PEER_WINDOW, TS_RECENT, options};

const fn flags(list: &[Flags]) -> Flags {
    let (mut all, mut i) = (0, 0);
    while i < list.len() {
        all |= list[i].0;
        i += 1;
    }
    Flags(all)
}

const FLAGS: [Flags; 14] = [
    Flags::NONE,
    Flags::ACK,
    Flags::SYN,
    Flags::SYN_ACK,
    flags(&[Flags::FIN, Flags::ACK]),
    Flags::FIN,
    Flags::RST,
    flags(&[Flags::RST, Flags::ACK]),
    flags(&[Flags::PSH, Flags::ACK]),
    flags(&[Flags::URG, Flags::ACK]),
    flags(&[Flags::SYN, Flags::FIN]),
    flags(&[Flags::SYN, Flags::FIN, Flags::ACK]),
    flags(&[Flags::SYN, Flags::RST]),
    Flags(0x3f),
];

/// Below the window, one before its left edge, at RCV.NXT, inside, the last octet, the right edge,
/// beyond.
fn places(facts: &Facts) -> Vec<SeqNum> {
    let (nxt, wnd) = (facts.rcv_nxt, facts.rcv_wnd);
    let mut all = vec![nxt - 50, nxt - 1, nxt, nxt + wnd / 2];
    all.extend((wnd > 0).then(|| nxt + (wnd - 1)));
    all.extend([nxt + wnd, nxt + wnd + 50, nxt + 0x7fff_0000]);
    all.dedup();
    all
}

/// Zero, one octet, several; up to the left edge and over it; up to the right edge and over it.
fn lengths(facts: &Facts, seq: SeqNum) -> Vec<u32> {
    let mut all = vec![0, 1, 20];
    let to_left = facts.rcv_nxt.offset_from(seq);
    if to_left <= 50 {
        all.extend([to_left, to_left + 10]);
    }
    let to_right = (facts.rcv_nxt + facts.rcv_wnd).offset_from(seq);
    if to_right <= facts.rcv_wnd + 50 {
        all.extend([to_right, to_right + 10]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Far too old, just old enough to be accepted, old, SND.UNA, in flight, SND.NXT, in the future.
fn acks(facts: &Facts, flags: Flags) -> Vec<SeqNum> {
    if !flags.is_ack() {
        return vec![SeqNum(0)];
    }
    let (una, nxt) = (facts.una, facts.nxt);
    let mut all = vec![
        una - facts.max_snd_wnd - 1,
        una - facts.max_snd_wnd,
        una - 1,
        una,
        una + nxt.offset_from(una) / 2,
        nxt,
        nxt + 1,
        nxt + 100_000,
    ];
    all.dedup();
    all
}

/// The peer's timestamp: newer, the same, older, none.
fn timestamps(facts: &Facts) -> &'static [Option<u32>] {
    if facts.setting.timestamps {
        &[
            Some(TS_RECENT + 1),
            Some(TS_RECENT),
            Some(TS_RECENT - 1),
            None,
        ]
    } else {
        &[None]
    }
}

/// Calls `each` with every segment.
pub(super) fn all(facts: &Facts, mut each: impl FnMut(&Segment)) {
    for flags in FLAGS {
        for seq in places(facts) {
            for len in lengths(facts, seq) {
                for ack in acks(facts, flags) {
                    for window in [0, PEER_WINDOW, PEER_WINDOW + 1_000] {
                        for &ts in timestamps(facts) {
                            each(&Segment {
                                src_port: 2,
                                dst_port: 1,
                                seq,
                                ack,
                                flags,
                                window,
                                urgent: if flags.is_urg() { 5 } else { 0 },
                                options: options(ts),
                                len,
                                ..Segment::default()
                            });
                        }
                    }
                }
            }
        }
    }
}
