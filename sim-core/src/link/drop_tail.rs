//! A drop-tail queue with a limit; the departure of a packet is known when it arrives.

use std::collections::VecDeque;

use super::QueueTrace;
use crate::queue_disc::QueueLimit;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

/// Packets whose transmission has not ended, including the one in service.
#[derive(Debug)]
pub(super) struct DropTail {
    limit: QueueLimit,
    /// (end of transmission, size) of packets not yet sent.
    backlog: VecDeque<(SimTime, u32)>,
    bytes: u64,
    /// Its history, if recorded.
    pub(super) trace: Option<Box<QueueTrace>>,
}

impl DropTail {
    pub(super) fn new(limit: QueueLimit) -> DropTail {
        DropTail {
            limit,
            backlog: VecDeque::new(),
            bytes: 0,
            trace: None,
        }
    }

    /// Returns true if a packet of `size` bytes fits into the queue; packets that have left by
    /// `now` make room.
    #[inline]
    pub(super) fn has_room(&mut self, size: u32, rate: Option<Rate>, now: SimTime) -> bool {
        while let Some((_, bytes)) = self.backlog.pop_front_if(|(end, _)| *end <= now) {
            self.bytes -= u64::from(bytes);
        }
        self.limit
            .admits(size, self.backlog.len(), self.bytes, rate)
    }

    pub(super) fn push(&mut self, departs: SimTime, size: u32) {
        self.backlog.push_back((departs, size));
        self.bytes += u64::from(size);
    }

    /// Records the arrival of a packet of `size` bytes, whether there was room for it, and its wait
    /// if so.
    #[inline(never)]
    pub(super) fn record(&mut self, size: u32, room: bool, wait: SimDuration, now: SimTime) {
        let (pkts, bytes) = (self.pkts(), self.bytes);
        let Some(trace) = &mut self.trace else { return };
        if room {
            trace.holds(now, pkts + 1, bytes + u64::from(size));
            trace.waits(now, wait);
        } else {
            trace.signals(now, 1, 0);
        }
    }

    pub(super) fn pkts(&self) -> u32 {
        self.backlog.len() as u32
    }

    pub(super) fn bytes_of_memory(&self) -> usize {
        size_of::<DropTail>() + self.backlog.capacity() * size_of::<(SimTime, u32)>()
    }
}
