//! A queue whose discipline decides when a packet leaves, and the event for that.

use super::{Fate, QueueTrace};
use crate::event::LinkId;
use crate::queue_disc::{
    AnyQueueDisc, Backlog, CeMarks, QueueCx, QueueDisc as _, QueueDrop, QueuedPacket,
};
use crate::rng::Rng;
use crate::time::SimTime;
use crate::units::Rate;

/// A discipline with its random stream and its counters.
#[derive(Debug)]
pub(crate) struct ManagedQueue {
    discipline: AnyQueueDisc,
    rng: Rng,
    /// The time of this queue's pending event; `MAX` if there is none.
    wake_at: SimTime,
    pub(super) full_drops: u64,
    pub(super) early_drops: u64,
    pub(super) policed_drops: u64,
    pub(super) marks: CeMarks,
    /// Its history, if recorded.
    pub(super) trace: Option<Box<QueueTrace>>,
}

/// What a link does when it is free.
#[derive(Debug)]
pub(crate) enum Served {
    /// It sends this packet.
    Sent(QueuedPacket, Fate),
    /// Nothing now.
    Nothing,
}

impl ManagedQueue {
    pub(super) fn new(link: LinkId, discipline: AnyQueueDisc, seed: u64) -> ManagedQueue {
        ManagedQueue {
            discipline,
            rng: Rng::stream(seed, "queue", link.0.into()),
            wake_at: SimTime::MAX,
            full_drops: 0,
            early_drops: 0,
            policed_drops: 0,
            marks: CeMarks::default(),
            trace: None,
        }
    }

    /// Passes a packet to the discipline; `dropped` collects the packets that the discipline drops.
    pub(super) fn enqueue(
        &mut self,
        packet: QueuedPacket,
        now: SimTime,
        rate: Option<Rate>,
        dropped: &mut Vec<(QueuedPacket, QueueDrop)>,
    ) {
        let already = dropped.len();
        let marks = self.marks.pkts;
        let mut cx = QueueCx::new(now, &mut self.rng, dropped, &mut self.marks).with_rate(rate);
        self.discipline.enqueue(packet, &mut cx);
        self.count(&dropped[already..]);
        if let Some(trace) = &mut self.trace {
            let Backlog { pkts, bytes } = self.discipline.backlog();
            trace.holds(now, pkts, bytes);
            let drops = (dropped.len() - already) as u32;
            trace.signals(now, drops, (self.marks.pkts - marks) as u32);
        }
    }

    /// The packet to send next.
    pub(super) fn dequeue(
        &mut self,
        now: SimTime,
        rate: Option<Rate>,
        dropped: &mut Vec<(QueuedPacket, QueueDrop)>,
    ) -> Option<QueuedPacket> {
        let already = dropped.len();
        let marks = self.marks.pkts;
        let mut cx = QueueCx::new(now, &mut self.rng, dropped, &mut self.marks).with_rate(rate);
        let packet = self.discipline.dequeue(&mut cx);
        self.count(&dropped[already..]);
        if let Some(trace) = &mut self.trace {
            if let Some(packet) = &packet {
                trace.waits(now, packet.sojourn(now));
            }
            let drops = (dropped.len() - already) as u32;
            trace.signals(now, drops, (self.marks.pkts - marks) as u32);
        }
        packet
    }

    fn count(&mut self, dropped: &[(QueuedPacket, QueueDrop)]) {
        for (_, why) in dropped {
            match why {
                QueueDrop::Full => self.full_drops += 1,
                QueueDrop::Early => self.early_drops += 1,
                QueueDrop::Policed => self.policed_drops += 1,
            }
        }
    }

    pub(super) fn waiting_pkts(&self) -> u32 {
        self.discipline.backlog().pkts
    }

    /// When to serve this queue again, if an event must be scheduled for that: at the end of the transmission
    /// while packets wait, or when the discipline says so.
    pub(super) fn next_wake(&mut self, free_at: SimTime, now: SimTime) -> Option<SimTime> {
        if self.waiting_pkts() == 0 {
            return None;
        }
        let at = if free_at > now {
            free_at
        } else {
            // The discipline holds packets back: the wake must be later than now, so that time advances.
            let soon = SimTime::from_ps(now.as_ps().saturating_add(1));
            self.discipline.ready_at()?.max(soon)
        };
        (at < self.wake_at).then(|| {
            self.wake_at = at;
            at
        })
    }

    /// True if the event at `now` is the one that was scheduled last.
    pub(super) fn is_due(&mut self, now: SimTime) -> bool {
        let due = self.wake_at == now;
        if due {
            self.wake_at = SimTime::MAX;
        }
        due
    }

    pub(super) fn bytes_of_memory(&self) -> usize {
        size_of::<ManagedQueue>() + self.discipline.allocated_bytes()
    }
}
