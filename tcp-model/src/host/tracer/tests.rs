//! Two tracers talk to each other over a path without engine: what is recorded of a connection.

use std::collections::BTreeMap;

use super::*;
use crate::sample::SegmentEvent;
use crate::segment::{ConnId, Flags, Tag};
use crate::seq::SeqNum;
use std::net::Ipv4Addr;

/// Both ends of a connection, and what they recorded.
#[derive(Default)]
struct TracedPath {
    ends: [Tracer; 2],
    packet: u64,
    now: u64,
    recorded: Vec<SegmentTrace>,
}

impl TracedPath {
    /// Sends a segment from an end; the other receives it unless it is lost.
    fn send(&mut self, from: usize, segment: Segment, again: bool, lost: bool) {
        let mut segment = segment;
        segment.tag.traced = true;
        let recorded = &mut self.recorded;
        let mut record = |trace| recorded.push(trace);
        self.packet += 1;
        self.now += 1;
        let now = SimTime::from_ps(self.now);
        let state = State::Established;
        segment.tag.detail = self.ends[from].before_sending(&segment, again, state, &mut record);
        let trace = SegmentTrace {
            packet: self.packet,
            at: None,
            number: 0,
            event: SegmentEvent::Sent,
            src: Ipv4Addr::LOCALHOST,
            dst: Ipv4Addr::LOCALHOST,
            ttl: 64,
            tos: 0,
            state: Some(state),
            retransmission: None,
            spurious: None,
            segment,
        };
        let detail = segment.tag.detail;
        self.ends[from].on_sent(detail, || trace.clone(), now, &mut record);
        if !lost {
            let trace = SegmentTrace {
                event: SegmentEvent::Received,
                ..trace
            };
            self.ends[1 - from].on_received(detail, || trace, now, &mut record);
        }
    }

    /// This many data segments, each answered by an ACK.
    fn transfer(&mut self, n: u32) {
        for _ in 0..n {
            self.send(0, data(self.packet as u32), false, false);
            self.send(1, ACK, false, false);
        }
    }

    fn end(&mut self) {
        let recorded = &mut self.recorded;
        for end in &mut self.ends {
            end.end(&mut |trace| recorded.push(trace));
        }
    }

    /// What was recorded of each packet: its sending, its arrival.
    fn packets(&self) -> BTreeMap<u64, (u32, u32)> {
        let mut all = BTreeMap::<u64, (u32, u32)>::new();
        for trace in &self.recorded {
            let of_packet = all.entry(trace.packet).or_default();
            match trace.event {
                SegmentEvent::Sent => of_packet.0 += 1,
                _ => of_packet.1 += 1,
            }
        }
        all
    }
}

const ACK: Segment = Segment {
    flags: Flags::ACK,
    window: 1000,
    tag: Tag {
        conn: ConnId(1),
        ..Segment::EMPTY.tag
    },
    ..Segment::EMPTY
};

fn data(seq: u32) -> Segment {
    Segment {
        seq: SeqNum(seq),
        len: 1,
        ..ACK
    }
}

#[test]
fn first_and_last_are_recorded_at_both_ends_and_nothing_between() {
    let mut path = TracedPath::default();
    path.transfer(100_000);
    path.end();
    let packets = path.packets();
    assert!(packets.values().all(|n| *n == (1, 1)), "both or neither");
    let first: Vec<u64> = (1..=200).collect();
    let last: Vec<u64> = (199_801..=200_000).collect();
    assert!(packets.keys().eq(first.iter().chain(&last)));
}

#[test]
fn a_retransmission_brings_its_original_and_what_lies_around() {
    let mut path = TracedPath::default();
    path.transfer(1000);
    let lost = path.packet + 1;
    path.send(0, data(u32::MAX), false, true);
    path.transfer(200);
    let again = path.packet + 1;
    path.send(0, data(u32::MAX), true, false);
    path.transfer(1000);
    path.end();
    let packets = path.packets();
    assert_eq!(packets[&lost], (1, 0));
    let around: Vec<u64> = (again - 16..=again + 16).collect();
    let recorded = around.iter().filter(|p| packets.contains_key(p));
    assert!(recorded.count() >= 32, "{packets:?}");
    let whole = packets.iter().filter(|(p, _)| **p != lost);
    assert!(whole.into_iter().all(|(_, n)| *n == (1, 1)), "{packets:?}");
    assert!(
        packets.len() < 400 + 1 + 4 * AROUND + 2,
        "{}",
        packets.len()
    );
}

#[test]
fn records_are_bounded_however_often_there_is_trouble() {
    let mut path = TracedPath::default();
    for _ in 0..20_000 {
        path.transfer(5);
        path.send(0, data(path.packet as u32 - 5), true, false);
        path.send(1, Segment { window: 0, ..ACK }, false, false);
    }
    let most = 2 * 2 * (HEAD + 2 * MOST_AROUND) as usize;
    assert!(path.recorded.len() < most, "{}", path.recorded.len());
    assert!(path.ends[0].bytes() < 4096 * size_of::<SegmentTrace>());
    path.end();
    assert!(path.recorded.len() < most + 4 * TAIL);
}

#[test]
fn trouble_at_one_end_does_not_make_the_other_record_for_ever() {
    let mut path = TracedPath::default();
    path.transfer(1000);
    path.send(0, data(0), true, false);
    let before = path.recorded.len();
    path.transfer(10_000);
    assert!(path.recorded.len() - before <= 8 * AROUND);
}
