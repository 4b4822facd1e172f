//! Test bench for a discipline by itself: packets in and out at given times.

use super::{AnyQueueDisc, Backlog, CeMarks, QueueCx, QueueDisc as _, QueueDrop, QueuedPacket};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

/// A discipline, and what it dropped (flow and reason).
pub(super) struct QueueBench {
    queue: AnyQueueDisc,
    rng: Rng,
    pub(super) rate: Option<Rate>,
    pub(super) dropped: Vec<(u64, QueueDrop)>,
    pub(super) marks: CeMarks,
}

/// A point in time in milliseconds.
pub(super) fn at(ms: u64) -> SimTime {
    SimTime::ZERO.saturating_add(SimDuration::from_millis(ms))
}

impl QueueBench {
    pub(super) fn new(queue: AnyQueueDisc) -> QueueBench {
        QueueBench {
            queue,
            rng: Rng::stream(1, "bench", 0),
            rate: None,
            dropped: Vec::new(),
            marks: CeMarks::default(),
        }
    }

    fn call<T>(
        &mut self,
        now: SimTime,
        act: impl FnOnce(&mut AnyQueueDisc, &mut QueueCx<'_>) -> T,
    ) -> T {
        let mut dropped = Vec::new();
        let cx = QueueCx::new(now, &mut self.rng, &mut dropped, &mut self.marks);
        let result = act(&mut self.queue, &mut cx.with_rate(self.rate));
        let said = dropped.iter().map(|(p, why)| (p.flow(), *why));
        self.dropped.extend(said);
        result
    }

    /// A packet of a flow arrives at `ms` milliseconds.
    pub(super) fn put(&mut self, ms: u64, flow: u64, size: u32) {
        self.put_marked(ms, flow, size, 0);
    }

    /// [`QueueBench::put`] with a type of service.
    pub(super) fn put_marked(&mut self, ms: u64, flow: u64, size: u32, tos: u8) {
        let packet = QueuedPacket::for_test(size)
            .of_flow(flow, at(ms))
            .with_tos(tos);
        self.call(at(ms), |queue, cx| queue.enqueue(packet, cx));
    }

    /// The packet that leaves at `ms` milliseconds: its flow and type of service.
    pub(super) fn take(&mut self, ms: u64) -> Option<(u64, u8)> {
        let packet = self.call(at(ms), |queue, cx| queue.dequeue(cx))?;
        Some((packet.flow(), packet.tos()))
    }

    /// The flows of the packets that leave at `ms` milliseconds, at most `n`.
    pub(super) fn flows(&mut self, ms: u64, n: usize) -> Vec<u64> {
        (0..n).map_while(|_| Some(self.take(ms)?.0)).collect()
    }

    pub(super) fn backlog(&self) -> Backlog {
        self.queue.backlog()
    }

    pub(super) fn ready_at(&self) -> Option<SimTime> {
        self.queue.ready_at()
    }
}
