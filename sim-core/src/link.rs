//! A link direction in motion: drop-tail queue, transmitter, wire.
//!
//! A drop-tail queue serves in order of arrival at a known rate, so the time at which a packet
//! leaves is known when it enters: no event marks the end of a transmission. The wire keeps its
//! packets in a queue of its own and has one pending event, for the first of them.

use std::collections::VecDeque;

use crate::event::Tie;
use crate::host::LossCause;
use crate::network::{Impairments, LinkSpec, QueueLimit};
use crate::packet::PacketRef;
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

/// What a link direction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets offered to the queue.
    pub offered_pkts: u64,
    /// Packets transmitted, those lost on the wire included.
    pub sent_pkts: u64,
    /// Bytes transmitted.
    pub sent_bytes: u64,
    /// Packets refused by a full queue.
    pub queue_drops: u64,
    /// Packets lost on the wire: random, scripted, link down.
    pub wire_losses: u64,
    /// Largest backlog in packets, the one in service included; zero for an unlimited queue, which
    /// keeps no count.
    pub max_backlog_pkts: u32,
    /// Time spent transmitting.
    pub busy: SimDuration,
}

/// The sender's side: queue and transmitter, owned by the sending node.
#[derive(Debug)]
pub(crate) struct Transmitter {
    rate: Option<Rate>,
    delay: SimDuration,
    limit: QueueLimit,
    up: bool,
    free_at: SimTime,
    last_arrival: SimTime,
    /// (end of transmission, size) of packets not yet sent; kept only where a limit needs it.
    backlog: VecDeque<(SimTime, u32)>,
    backlog_bytes: u64,
    impairments: Impairments,
    changes: VecDeque<crate::network::LinkChange>,
    rng: Rng,
    pub(crate) stats: LinkStats,
}

/// Where a packet offered to a link ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost(LossCause),
    Arrives {
        at: SimTime,
        corrupt: bool,
        duplicate: bool,
    },
}

impl Transmitter {
    pub(crate) fn new(spec: &LinkSpec, rng: Rng) -> Transmitter {
        Transmitter {
            rate: spec.rate,
            delay: spec.delay,
            limit: spec.queue,
            up: true,
            free_at: SimTime::ZERO,
            last_arrival: SimTime::ZERO,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            impairments: spec.impairments.clone(),
            changes: spec.changes.iter().copied().collect(),
            rng,
            stats: LinkStats::default(),
        }
    }

    /// Offers a packet of `size` bytes at `now`.
    pub(crate) fn offer(&mut self, size: u32, now: SimTime) -> Fate {
        if self.changes.front().is_some_and(|c| c.at <= now) {
            self.apply_changes(now);
        }
        self.stats.offered_pkts += 1;
        if !self.up {
            self.stats.wire_losses += 1;
            return Fate::Lost(LossCause::LinkDown);
        }
        if !self.has_room(size, now) {
            self.stats.queue_drops += 1;
            return Fate::Lost(LossCause::QueueFull);
        }
        let departs = self.transmit(size, now);
        self.stats.sent_pkts += 1;
        self.stats.sent_bytes += u64::from(size);
        self.wire(departs)
    }

    fn has_room(&mut self, size: u32, now: SimTime) -> bool {
        if self.limit == QueueLimit::Unlimited {
            return true;
        }
        while let Some(&(end, bytes)) = self.backlog.front() {
            if end > now {
                break;
            }
            self.backlog.pop_front();
            self.backlog_bytes -= u64::from(bytes);
        }
        let room = match self.limit {
            QueueLimit::Unlimited => true,
            QueueLimit::Packets(n) => self.backlog.len() < n as usize,
            QueueLimit::Bytes(b) => self.backlog_bytes + u64::from(size) <= b.0,
        };
        let depth = self.backlog.len() as u32 + u32::from(room);
        self.stats.max_backlog_pkts = self.stats.max_backlog_pkts.max(depth);
        room
    }

    /// Occupies the transmitter; the time at which the last bit leaves.
    fn transmit(&mut self, size: u32, now: SimTime) -> SimTime {
        let start = self.free_at.max(now);
        let departs = if self.changes.iter().any(|c| c.rate.is_some()) {
            self.departure_across_changes(size, start)
        } else {
            start
                + self
                    .rate
                    .map_or(SimDuration::ZERO, |r| r.transmission_time(size.into()))
        };
        self.stats.busy += departs.since(start);
        self.free_at = departs;
        if self.limit != QueueLimit::Unlimited {
            self.backlog.push_back((departs, size));
            self.backlog_bytes += u64::from(size);
        }
        departs
    }

    /// The end of a transmission that begins at `start` while the rate changes at known times.
    fn departure_across_changes(&self, size: u32, start: SimTime) -> SimTime {
        const PS_BITS: u128 = 1_000_000_000_000;
        let (mut at, mut rate) = (start, self.rate);
        let mut left = u128::from(size) * 8 * PS_BITS; // bit-picoseconds per second
        for change in self.changes.iter().filter(|c| c.rate.is_some()) {
            let Some(current) = rate else { return at };
            if change.at > at {
                let sent = u128::from(current.as_bps()) * u128::from(change.at.since(at).as_ps());
                if sent >= left {
                    break;
                }
                left -= sent;
                at = change.at;
            }
            rate = change.rate;
        }
        let Some(current) = rate else { return at };
        let ps = left.div_ceil(u128::from(current.as_bps()));
        at + SimDuration::from_ps(u64::try_from(ps).unwrap_or(u64::MAX))
    }

    /// Delay, loss, corruption, duplication and disorder of a packet that leaves at `departs`.
    fn wire(&mut self, departs: SimTime) -> Fate {
        let im = &self.impairments;
        if im.drop.binary_search(&self.stats.sent_pkts).is_ok() {
            self.stats.wire_losses += 1;
            return Fate::Lost(LossCause::Scripted);
        }
        if self.rng.chance(im.loss) {
            self.stats.wire_losses += 1;
            return Fate::Lost(LossCause::Random);
        }
        let corrupt = self.rng.chance(im.corrupt);
        let duplicate = self.rng.chance(im.duplicate);
        let mut at = departs + self.delay_at(departs);
        if im.disorders() {
            if self.rng.chance(im.reorder) {
                at += im.reorder_delay;
            }
            at += SimDuration::from_ps(self.rng.below(im.jitter.as_ps().saturating_add(1)));
        } else {
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        Fate::Arrives {
            at,
            corrupt,
            duplicate,
        }
    }

    fn delay_at(&self, departs: SimTime) -> SimDuration {
        let later = self
            .changes
            .iter()
            .take_while(|c| c.at <= departs)
            .filter_map(|c| c.delay);
        later.last().unwrap_or(self.delay)
    }

    fn apply_changes(&mut self, now: SimTime) {
        while let Some(change) = self.changes.pop_front_if(|c| c.at <= now) {
            // A transmitter busy beyond the change has already planned with the new rate.
            self.rate = change.rate.or(self.rate);
            self.delay = change.delay.unwrap_or(self.delay);
            self.impairments.loss = change.loss.unwrap_or(self.impairments.loss);
            self.up = change.up.unwrap_or(self.up);
        }
    }
}

/// A packet on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) at: SimTime,
    pub(crate) tie: Tie,
    pub(crate) packet: PacketRef,
    /// Its arrival event is pending.
    queued: bool,
}

impl InFlight {
    pub(crate) fn new(at: SimTime, tie: Tie, packet: PacketRef) -> InFlight {
        InFlight {
            at,
            tie,
            packet,
            queued: false,
        }
    }
}

/// The receiver's side: packets on the wire in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    in_flight: VecDeque<InFlight>,
}

impl Wire {
    /// Adds a packet; true when it is the first and needs an event.
    pub(crate) fn insert(&mut self, mut new: InFlight) -> bool {
        let key = |p: &InFlight| (p.at, p.tie);
        let place = match self.in_flight.back() {
            Some(last) if key(&new) < key(last) => {
                self.in_flight.partition_point(|p| key(p) < key(&new))
            }
            _ => self.in_flight.len(),
        };
        new.queued = place == 0;
        self.in_flight.insert(place, new);
        new.queued
    }

    /// Takes the first packet, whose event carried `tie`, and the next one if that now needs an
    /// event.
    pub(crate) fn take(&mut self, tie: Tie) -> (PacketRef, Option<InFlight>) {
        let head = self
            .in_flight
            .pop_front()
            .expect("an arrival event has a packet on the wire");
        debug_assert_eq!(head.tie, tie, "arrivals in order");
        let next = self.in_flight.front_mut().filter(|p| !p.queued).map(|p| {
            p.queued = true;
            *p
        });
        (head.packet, next)
    }
}
