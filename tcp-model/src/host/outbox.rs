//! Outputs of a driven host: packets, events, records, wakes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::Ipv4Addr;

use sim_core::{Packet, SimTime};

use super::scratch::Scratch;
use crate::app::AppEvent;
use crate::sample::TcpSample;
use crate::segment::Segment;
use crate::state::State;

/// A segment to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutgoingSegment<'s> {
    pub(super) src: Ipv4Addr,
    pub(super) dst: Ipv4Addr,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) segment: &'s Segment,
    /// Bytes of the IP header.
    pub(super) ip_header: u32,
    /// It retransmits octets.
    pub(super) again: bool,
    /// State of its connection; `None` if it belongs to none.
    pub(super) state: Option<State>,
}

/// A segment sent by a driven host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// When it was sent.
    pub at: SimTime,
    /// The packet, in the form [`Driver::receive`](super::Driver::receive) of another host takes.
    pub packet: Packet<Segment>,
    /// It retransmits octets.
    pub retransmission: bool,
    /// State of its connection after the step that sent it; `None` if it belongs to none.
    pub state: Option<State>,
}

/// Outputs of a driven host that have not been taken yet.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) now: SimTime,
    pub(super) node: u32,
    pub(super) seed: u64,
    pub(super) addresses: Vec<Ipv4Addr>,
    pub(super) scratch: Scratch,
    pub(super) events: VecDeque<AppEvent>,
    pub(super) packets: VecDeque<Departure>,
    /// `None` if not recording.
    pub(super) records: Option<Vec<(SimTime, TcpSample)>>,
    /// By time, then in the order requested.
    pub(super) wakes: BinaryHeap<Reverse<(SimTime, u64, u64)>>,
    pub(super) count: u64,
}

impl Outbox {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn send(&mut self, out: &OutgoingSegment<'_>) -> u64 {
        let id = u64::from(self.node) << 40 | self.number();
        self.packets.push_back(Departure {
            at: self.now,
            packet: Packet {
                id,
                src: out.src,
                dst: out.dst,
                size: out.segment.packet_len(out.ip_header),
                ttl: out.ttl,
                tos: out.tos,
                corrupt: false,
                payload: *out.segment,
            },
            retransmission: out.again,
            state: out.state,
        });
        id
    }

    pub(super) fn record(&mut self, sample: TcpSample) {
        if let Some(records) = &mut self.records {
            records.push((self.now, sample));
        }
    }

    pub(super) fn wake(&mut self, at: SimTime, token: u64) {
        let number = self.number();
        self.wakes.push(Reverse((at.max(self.now), number, token)));
    }
}
