//! A link direction in motion: drop-tail queue, transmitter, wire.
//!
//! A drop-tail queue serves in order of arrival at a known rate, so the time at which a packet
//! leaves is known when it enters: no event marks the end of a transmission. The wire chains its
//! packets and has one pending event, for the first of them.

use std::collections::VecDeque;

use crate::event::{LinkId, NodeId};
use crate::host::LossCause;
use crate::network::{Impairments, LinkChange, LinkSpec, QueueLimit};
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
///
/// What a plain link needs is in its first cache line, counters in the second, and what few links
/// have, a limited queue and mishaps, in boxes.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Transmitter {
    free_at: SimTime,
    delay: SimDuration,
    /// Transmission time of a byte, picoseconds, where that is a whole number; otherwise zero.
    ps_per_byte: u64,
    rate: Option<Rate>,
    queue: Option<Box<DropTail>>,
    mishaps: Option<Box<Mishaps>>,
    /// Where its packets arrive: the partition, and the wire among those of the partition.
    pub(crate) part: u32,
    pub(crate) wire: u32,
    pub(crate) link: LinkId,
    stats: LinkStats,
}

/// A queue with a limit.
#[derive(Debug)]
struct DropTail {
    limit: QueueLimit,
    /// (end of transmission, size) of packets not yet sent.
    backlog: VecDeque<(SimTime, u32)>,
    backlog_bytes: u64,
}

/// What may befall packets besides queueing, and changes in mid-run.
#[derive(Debug)]
struct Mishaps {
    impairments: Impairments,
    changes: VecDeque<LinkChange>,
    up: bool,
    last_arrival: SimTime,
    rng: Rng,
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
    /// The sending side of a link whose packets arrive at `wire` of partition `part`.
    pub(crate) fn new(link: LinkId, spec: &LinkSpec, seed: u64, part: u32, wire: u32) -> Self {
        let plain = spec.impairments == Impairments::default() && spec.changes.is_empty();
        let mut new = Transmitter {
            free_at: SimTime::ZERO,
            delay: spec.delay,
            ps_per_byte: 0,
            rate: None,
            queue: (spec.queue != QueueLimit::Unlimited).then(|| Box::new(DropTail::new(spec))),
            mishaps: (!plain).then(|| Box::new(Mishaps::new(link, spec, seed))),
            part,
            wire,
            link,
            stats: LinkStats::default(),
        };
        new.set_rate(spec.rate);
        new
    }

    fn set_rate(&mut self, rate: Option<Rate>) {
        const PS_BITS: u64 = 8_000_000_000_000;
        self.rate = rate;
        self.ps_per_byte = match rate.map(Rate::as_bps) {
            Some(bps) if PS_BITS.is_multiple_of(bps) => PS_BITS / bps,
            _ => 0,
        };
    }

    /// What it did.
    pub(crate) fn stats(&self) -> LinkStats {
        self.stats
    }

    /// Offers a packet of `size` bytes at `now`.
    #[inline]
    pub(crate) fn offer(&mut self, size: u32, now: SimTime) -> Fate {
        if self.mishaps.is_some() {
            return self.offer_to_troubled(size, now);
        }
        self.stats.offered_pkts += 1;
        if !self.has_room(size, now) {
            return Fate::Lost(LossCause::QueueFull);
        }
        let start = self.free_at.max(now);
        let departs = self.departure(size, start);
        self.occupy(size, start, departs);
        Fate::Arrives {
            at: departs + self.delay,
            corrupt: false,
            duplicate: false,
        }
    }

    /// The same on a link with mishaps or changes.
    fn offer_to_troubled(&mut self, size: u32, now: SimTime) -> Fate {
        let Some(mut mishaps) = self.mishaps.take() else {
            return Fate::Lost(LossCause::LinkDown); // not called then
        };
        self.apply_changes(&mut mishaps, now);
        self.stats.offered_pkts += 1;
        let fate = if !mishaps.up {
            self.stats.wire_losses += 1;
            Fate::Lost(LossCause::LinkDown)
        } else if !self.has_room(size, now) {
            Fate::Lost(LossCause::QueueFull)
        } else {
            let start = self.free_at.max(now);
            let departs = match mishaps.changes.iter().any(|c| c.rate.is_some()) {
                true => mishaps.departure_across_changes(self.rate, size, start),
                false => self.departure(size, start),
            };
            self.occupy(size, start, departs);
            let fate = mishaps.befall(self.stats.sent_pkts, departs, self.delay);
            self.stats.wire_losses += u64::from(matches!(fate, Fate::Lost(_)));
            fate
        };
        self.mishaps = Some(mishaps);
        fate
    }

    #[inline]
    fn has_room(&mut self, size: u32, now: SimTime) -> bool {
        let Some(queue) = &mut self.queue else {
            return true;
        };
        let room = queue.has_room(size, now);
        let depth = queue.backlog.len() as u32 + u32::from(room);
        self.stats.max_backlog_pkts = self.stats.max_backlog_pkts.max(depth);
        self.stats.queue_drops += u64::from(!room);
        room
    }

    /// The end of a transmission that begins at `start`, at the present rate.
    #[inline]
    fn departure(&self, size: u32, start: SimTime) -> SimTime {
        if self.ps_per_byte != 0 {
            start + SimDuration::from_ps(self.ps_per_byte.saturating_mul(size.into()))
        } else {
            self.rate
                .map_or(start, |rate| start + rate.transmission_time(size.into()))
        }
    }

    #[inline]
    fn occupy(&mut self, size: u32, start: SimTime, departs: SimTime) {
        self.stats.busy += departs.since(start);
        self.stats.sent_pkts += 1;
        self.stats.sent_bytes += u64::from(size);
        self.free_at = departs;
        if let Some(queue) = &mut self.queue {
            queue.backlog.push_back((departs, size));
            queue.backlog_bytes += u64::from(size);
        }
    }

    fn apply_changes(&mut self, mishaps: &mut Mishaps, now: SimTime) {
        while let Some(change) = mishaps.changes.pop_front_if(|c| c.at <= now) {
            // A transmitter busy beyond the change has already planned with the new rate.
            if change.rate.is_some() {
                self.set_rate(change.rate);
            }
            self.delay = change.delay.unwrap_or(self.delay);
            mishaps.impairments.loss = change.loss.unwrap_or(mishaps.impairments.loss);
            mishaps.up = change.up.unwrap_or(mishaps.up);
        }
    }

    /// Bytes of memory beside the transmitter itself.
    pub(crate) fn boxed_bytes(&self) -> usize {
        let queue = self.queue.as_ref().map_or(0, |q| {
            size_of::<DropTail>() + q.backlog.capacity() * size_of::<(SimTime, u32)>()
        });
        queue + self.mishaps.as_ref().map_or(0, |_| size_of::<Mishaps>())
    }
}

impl DropTail {
    fn new(spec: &LinkSpec) -> DropTail {
        DropTail {
            limit: spec.queue,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
        }
    }

    fn has_room(&mut self, size: u32, now: SimTime) -> bool {
        while let Some((_, bytes)) = self.backlog.pop_front_if(|(end, _)| *end <= now) {
            self.backlog_bytes -= u64::from(bytes);
        }
        match self.limit {
            QueueLimit::Unlimited => true,
            QueueLimit::Packets(n) => self.backlog.len() < n as usize,
            QueueLimit::Bytes(b) => self.backlog_bytes + u64::from(size) <= b.0,
        }
    }
}

impl Mishaps {
    fn new(link: LinkId, spec: &LinkSpec, seed: u64) -> Mishaps {
        Mishaps {
            impairments: spec.impairments.clone(),
            changes: spec.changes.iter().copied().collect(),
            up: true,
            last_arrival: SimTime::ZERO,
            rng: Rng::stream(seed, "link", link.0.into()),
        }
    }

    /// The end of a transmission that begins at `start` while the rate changes at known times.
    fn departure_across_changes(&self, rate: Option<Rate>, size: u32, start: SimTime) -> SimTime {
        const PS_BITS: u128 = 1_000_000_000_000;
        let (mut at, mut rate) = (start, rate);
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

    /// Delay, loss, corruption, duplication and disorder of the `count`-th packet sent, which
    /// leaves at `departs`.
    fn befall(&mut self, count: u64, departs: SimTime, delay: SimDuration) -> Fate {
        let mut at = departs + self.delay_at(departs, delay);
        let im = &self.impairments;
        if im.drop.binary_search(&count).is_ok() {
            return Fate::Lost(LossCause::Scripted);
        }
        if self.rng.chance(im.loss) {
            return Fate::Lost(LossCause::Random);
        }
        let corrupt = self.rng.chance(im.corrupt);
        let duplicate = self.rng.chance(im.duplicate);
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

    fn delay_at(&self, departs: SimTime, delay: SimDuration) -> SimDuration {
        let later = self
            .changes
            .iter()
            .take_while(|c| c.at <= departs)
            .filter_map(|c| c.delay);
        later.last().unwrap_or(delay)
    }
}

/// The receiver's side: the packets on the wire, a chain through their places in the slab in order
/// of arrival. Only the first has a pending event. Where packets may overtake each other, all have,
/// and there is no chain.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The packet that arrives last.
    pub(crate) last: Option<PacketRef>,
    pub(crate) disorders: bool,
    /// The node at its end, and the place of its host in the partition.
    pub(crate) to: NodeId,
    pub(crate) host: u32,
}

impl Wire {
    /// Nothing on its way along a link as described; the host at its end has place `host`.
    pub(crate) fn new(spec: &LinkSpec, host: u32) -> Wire {
        Wire {
            last: None,
            disorders: spec.impairments.disorders(),
            to: spec.to,
            host,
        }
    }
}
