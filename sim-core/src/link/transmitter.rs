//! The sender's side of a link: queue and transmitter, owned by the sending node.

use super::drop_tail::DropTail;
use super::impaired::Impaired;
use super::{Fate, LinkStats, ManagedQueue, QueueTrace, Served};
use crate::event::LinkId;
use crate::impairments::Impairments;
use crate::loss_cause::LossCause;
use crate::network::LinkSpec;
use crate::queue_disc::{QueueDrop, QueueLimit, QueueSpec, QueuedPacket};
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

/// Queue and transmitter of a link direction.
///
/// The state of a plain link is in the first cache line, counters are in the second, and features that few
/// links have, such as a limited or managed queue and impairments, are in boxes.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Transmitter {
    free_at: SimTime,
    delay: SimDuration,
    /// Transmission time of a byte in picoseconds if that is a whole number; otherwise zero.
    ps_per_byte: u64,
    rate: Option<Rate>,
    queue: Option<Box<DropTail>>,
    special: Option<Box<SlowPathParts>>,
    /// Where its packets arrive: the partition, and the wire among those of the partition.
    pub(crate) part: u32,
    pub(crate) wire: u32,
    pub(crate) link: LinkId,
    counters: Counters,
}

/// Counters of every link.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    max_backlog_pkts: u32,
    offered_pkts: u64,
    sent_pkts: u64,
    sent_bytes: u64,
    queue_drops: u64,
    wire_losses: u64,
    busy: SimDuration,
}

/// Features for which a link takes the slow path.
#[derive(Debug)]
struct SlowPathParts {
    impaired: Impaired,
    managed: Option<ManagedQueue>,
}

impl Transmitter {
    /// The sending side of a link whose packets arrive at `wire` of partition `part`.
    pub(crate) fn new(link: LinkId, spec: &LinkSpec, seed: u64, part: u32, wire: u32) -> Self {
        let managed = match &spec.queue {
            QueueSpec::DropTail(_) => None,
            QueueSpec::Managed(plugin) => Some(ManagedQueue::new(link, plugin.build(), seed)),
        };
        let plain = spec.impairments == Impairments::default()
            && spec.changes.is_empty()
            && spec.rate_process.is_none()
            && managed.is_none();
        let queue = match spec.queue {
            QueueSpec::DropTail(limit) if limit != QueueLimit::Unlimited => {
                Some(Box::new(DropTail::new(limit)))
            }
            _ => None,
        };
        let impaired = || Impaired::new(link, spec, seed);
        let mut new = Transmitter {
            free_at: SimTime::ZERO,
            delay: spec.delay,
            ps_per_byte: 0,
            rate: None,
            queue,
            special: (!plain).then(|| {
                let impaired = impaired();
                Box::new(SlowPathParts { impaired, managed })
            }),
            part,
            wire,
            link,
            counters: Counters::default(),
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

    /// Its counters.
    pub(crate) fn stats(&self) -> LinkStats {
        let counted = &self.counters;
        let special = self.special.as_deref();
        let managed = special.and_then(|s| s.managed.as_ref());
        LinkStats {
            offered_pkts: counted.offered_pkts,
            sent_pkts: counted.sent_pkts,
            sent_bytes: counted.sent_bytes,
            queue_drops: counted.queue_drops + managed.map_or(0, |m| m.full_drops),
            early_drops: managed.map_or(0, |m| m.early_drops),
            policed_drops: managed.map_or(0, |m| m.policed_drops),
            ce_marks: managed.map_or(0, |m| m.marks.pkts),
            ce_marks_bytes: managed.map_or(0, |m| m.marks.bytes),
            wire_losses: counted.wire_losses,
            random_losses: special.map_or(0, |s| s.impaired.random_losses),
            max_backlog_pkts: counted.max_backlog_pkts,
            busy: counted.busy,
        }
    }

    /// Records the history of its queue from now on, if the queue is limited or managed.
    pub(crate) fn watch(&mut self) {
        let trace = Some(QueueTrace::new(self.link));
        if let Some(queue) = &mut self.queue {
            queue.trace = trace;
        } else if let Some(managed) = self.managed() {
            managed.trace = trace;
        }
    }

    /// The history of its queue, if that was recorded.
    pub(crate) fn trace(&self) -> Option<&QueueTrace> {
        let drop_tail = self.queue.as_ref().and_then(|q| q.trace.as_deref());
        let managed = || self.special.as_deref()?.managed.as_ref()?.trace.as_deref();
        drop_tail.or_else(managed)
    }

    /// Offers a packet of `size` bytes to the link at `now`.
    #[inline(always)]
    pub(crate) fn offer(&mut self, size: u32, now: SimTime) -> Fate {
        if self.special.is_some() {
            return self.offer_special(size, now);
        }
        self.counters.offered_pkts += 1;
        if self.queue.is_some() {
            return self.offer_limited(size, now);
        }
        let start = self.free_at.max(now);
        let departs = self.end_of_transmission(size, start);
        self.occupy(size, start, departs);
        self.arrives_after(departs)
    }

    /// [`Transmitter::offer`] for a link whose queue has a limit.
    #[inline]
    fn offer_limited(&mut self, size: u32, now: SimTime) -> Fate {
        if !self.has_room(size, now) {
            return Fate::Lost(LossCause::QueueFull);
        }
        let start = self.free_at.max(now);
        let departs = self.end_of_transmission(size, start);
        self.occupy(size, start, departs);
        self.wait_in_queue(size, start, departs);
        self.arrives_after(departs)
    }

    #[inline]
    fn arrives_after(&self, departs: SimTime) -> Fate {
        Fate::Arrives {
            at: departs + self.delay,
            corrupt: false,
            duplicate: false,
        }
    }

    /// [`Transmitter::offer`] for a link with impairments, changes or a managed queue.
    #[inline(never)]
    fn offer_special(&mut self, size: u32, now: SimTime) -> Fate {
        let Some(mut special) = self.special.take() else {
            return Fate::Lost(LossCause::LinkDown); // never: called only if `special` is set
        };
        self.apply_changes(&mut special.impaired, now);
        self.counters.offered_pkts += 1;
        let fate = if !special.impaired.up {
            self.lost(LossCause::LinkDown)
        } else if special.impaired.drops(self.counters.offered_pkts) {
            self.lost(LossCause::Scripted)
        } else if special.impaired.inspects() {
            Fate::Inspect
        } else {
            self.admit(&mut special, size, now)
        };
        self.special = Some(special);
        fate
    }

    /// Continues with a packet for which [`Transmitter::offer`] returned [`Fate::Inspect`].
    pub(crate) fn offer_inspected(&mut self, size: u32, now: SimTime, dropped: bool) -> Fate {
        if dropped {
            return self.lost(LossCause::Scripted);
        }
        let Some(mut special) = self.special.take() else {
            return Fate::Lost(LossCause::LinkDown); // never: called only if `special` is set
        };
        let fate = self.admit(&mut special, size, now);
        self.special = Some(special);
        fate
    }

    fn lost(&mut self, cause: LossCause) -> Fate {
        self.counters.wire_losses += 1;
        Fate::Lost(cause)
    }

    /// Lets a packet into the queue, if there is room.
    fn admit(&mut self, special: &mut SlowPathParts, size: u32, now: SimTime) -> Fate {
        if special.managed.is_some() {
            Fate::Waits
        } else if !self.has_room(size, now) {
            Fate::Lost(LossCause::QueueFull)
        } else {
            let start = self.free_at.max(now);
            self.transmit(&mut special.impaired, size, start)
        }
    }

    /// Puts a packet for which [`Transmitter::offer`] returned [`Fate::Waits`] into the managed
    /// queue.
    pub(crate) fn enqueue(
        &mut self,
        packet: QueuedPacket,
        now: SimTime,
        dropped: &mut Vec<(QueuedPacket, QueueDrop)>,
    ) {
        let in_service = u32::from(self.free_at > now);
        let rate = self.rate;
        if let Some(managed) = self.managed() {
            managed.enqueue(packet, now, rate, dropped);
            let pkts = managed.waiting_pkts() + in_service;
            self.counters.max_backlog_pkts = self.counters.max_backlog_pkts.max(pkts);
        }
    }

    /// Sends the next packet of the managed queue, if the link is free.
    pub(crate) fn serve(
        &mut self,
        now: SimTime,
        dropped: &mut Vec<(QueuedPacket, QueueDrop)>,
    ) -> Served {
        if self.free_at > now {
            return Served::Nothing;
        }
        let Some(mut special) = self.special.take() else {
            return Served::Nothing;
        };
        self.apply_changes(&mut special.impaired, now);
        let packet = special
            .managed
            .as_mut()
            .and_then(|m| m.dequeue(now, self.rate, dropped));
        let served = match packet {
            Some(packet) => {
                let fate = self.transmit(&mut special.impaired, packet.size(), now);
                let trace = special.managed.as_mut().and_then(|m| m.trace.as_mut());
                if let Some(trace) = trace {
                    trace.sends(now, self.free_at);
                }
                Served::Sent(packet, fate)
            }
            None => Served::Nothing,
        };
        self.special = Some(special);
        served
    }

    /// When to call [`Transmitter::serve`] again, if an event must be scheduled for that.
    pub(crate) fn next_wake(&mut self, now: SimTime) -> Option<SimTime> {
        let free_at = self.free_at;
        self.managed()?.next_wake(free_at, now)
    }

    /// Returns true if the event at `now` is the one that was requested last.
    pub(crate) fn is_due(&mut self, now: SimTime) -> bool {
        self.managed().is_some_and(|m| m.is_due(now))
    }

    fn managed(&mut self) -> Option<&mut ManagedQueue> {
        self.special.as_deref_mut()?.managed.as_mut()
    }

    /// Transmits a packet from `start` on, and applies the impairments.
    fn transmit(&mut self, impaired: &mut Impaired, size: u32, start: SimTime) -> Fate {
        let departs = impaired
            .end_of_transmission(self.rate, size, start)
            .unwrap_or_else(|| self.end_of_transmission(size, start));
        self.occupy(size, start, departs);
        self.wait_in_queue(size, start, departs);
        let fate = impaired.apply(departs, self.delay);
        self.counters.wire_losses += u64::from(matches!(fate, Fate::Lost(_)));
        fate
    }

    #[inline(always)]
    fn has_room(&mut self, size: u32, now: SimTime) -> bool {
        let Some(queue) = &mut self.queue else {
            return true;
        };
        let room = queue.has_room(size, self.rate, now);
        let depth = queue.pkts() + u32::from(room);
        self.counters.max_backlog_pkts = self.counters.max_backlog_pkts.max(depth);
        self.counters.queue_drops += u64::from(!room);
        if queue.trace.is_some() {
            queue.record(size, room, self.free_at.since(now), now);
        }
        room
    }

    /// The end of a transmission that begins at `start`, at the current rate.
    #[inline]
    fn end_of_transmission(&self, size: u32, start: SimTime) -> SimTime {
        if self.ps_per_byte != 0 {
            start + SimDuration::from_ps(self.ps_per_byte.saturating_mul(size.into()))
        } else {
            self.rate
                .map_or(start, |rate| start + rate.transmission_time(size.into()))
        }
    }

    #[inline]
    fn occupy(&mut self, size: u32, start: SimTime, departs: SimTime) {
        self.counters.busy += departs.since(start);
        self.counters.sent_pkts += 1;
        self.counters.sent_bytes += u64::from(size);
        self.free_at = departs;
    }

    /// Counts a packet as queued until its transmission ends, if the queue is limited.
    #[inline]
    fn wait_in_queue(&mut self, size: u32, start: SimTime, departs: SimTime) {
        if let Some(queue) = &mut self.queue {
            queue.push(departs, size);
            if let Some(trace) = &mut queue.trace {
                trace.sends(start, departs);
            }
        }
    }

    fn apply_changes(&mut self, impaired: &mut Impaired, now: SimTime) {
        while let Some(change) = impaired.next_change(now) {
            // A transmitter that is busy beyond the change has already taken the new rate into account.
            if change.rate.is_some() {
                self.set_rate(change.rate);
            }
            self.delay = change.delay.unwrap_or(self.delay);
        }
    }

    /// Bytes of memory besides the transmitter itself.
    pub(crate) fn boxed_bytes(&self) -> usize {
        let queue = self.queue.as_ref().map_or(0, |q| q.bytes_of_memory());
        let special = self.special.as_ref().map_or(0, |s| {
            let managed = s.managed.as_ref().map_or(0, ManagedQueue::bytes_of_memory);
            size_of::<SlowPathParts>() + managed
        });
        queue + special
    }
}
