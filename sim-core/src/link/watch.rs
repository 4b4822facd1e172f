//! The history of a queue: waiting times, backlog, drops, marks, and how busy its link is; in constant memory,
//! however long the run.
//!
//! Time is divided into cells. When there are too many, each pair is merged into one.

use crate::event::LinkId;
use crate::histogram::Histogram;
use crate::time::{SimDuration, SimTime};

/// The largest number of cells.
const CELLS: usize = 1024;
/// Initial length of a cell.
const FIRST_STEP: SimDuration = SimDuration::from_millis(1);

/// What happened at a queue in one cell of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCell {
    /// In a managed queue, packets whose wait ended; in a drop-tail queue, packets that arrived.
    pub pkts: u32,
    /// Sum of their waits, from arrival to the beginning of transmission.
    pub wait: SimDuration,
    /// The longest wait.
    pub max_wait: SimDuration,
    /// The most packets in the queue at an arrival, including the arriving packet and, in a
    /// drop-tail queue, the one in service.
    pub max_pkts: u32,
    /// The most bytes, counted likewise.
    pub max_bytes: u64,
    /// Packets that the queue dropped, for any reason.
    pub drops: u32,
    /// Packets that it marked.
    pub marks: u32,
    /// Time that the link spent transmitting.
    pub busy: SimDuration,
}

impl QueueCell {
    fn add(&mut self, other: &QueueCell) {
        self.pkts += other.pkts;
        self.wait += other.wait;
        self.max_wait = self.max_wait.max(other.max_wait);
        self.max_pkts = self.max_pkts.max(other.max_pkts);
        self.max_bytes = self.max_bytes.max(other.max_bytes);
        self.drops += other.drops;
        self.marks += other.marks;
        self.busy += other.busy;
    }
}

/// The history of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueTrace {
    /// The link it belongs to.
    pub link: LinkId,
    /// Length of a cell.
    pub step: SimDuration,
    /// The cells from the beginning of the run; the last may extend beyond its end.
    pub cells: Vec<QueueCell>,
    /// Waits of all packets.
    pub waits: Histogram,
    /// The cell of the last arrival, and that of the end of the last transmission.
    arrivals: CellSpan,
    transmissions: CellSpan,
}

/// Where a cell begins and ends, so that the next event in it needs no division; empty if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CellSpan {
    index: usize,
    from: SimTime,
    to: SimTime,
}

impl CellSpan {
    #[inline]
    fn holds(&self, at: SimTime) -> bool {
        self.from <= at && at < self.to
    }
}

impl QueueTrace {
    pub(super) fn new(link: LinkId) -> Box<QueueTrace> {
        Box::new(QueueTrace {
            link,
            step: FIRST_STEP,
            cells: Vec::with_capacity(CELLS),
            waits: Histogram::default(),
            arrivals: CellSpan::default(),
            transmissions: CellSpan::default(),
        })
    }

    /// The cell of a time, which exists afterwards, and whose place is found again in `last` if it is
    /// that of the last call.
    #[inline]
    fn cell(&mut self, at: SimTime, last: fn(&mut QueueTrace) -> &mut CellSpan) -> &mut QueueCell {
        let known = *last(self);
        let index = if known.holds(at) {
            known.index
        } else {
            let span = self.find(at);
            *last(self) = span;
            span.index
        };
        &mut self.cells[index]
    }

    #[inline(never)]
    fn find(&mut self, at: SimTime) -> CellSpan {
        while at.as_ps() / self.step.as_ps() >= CELLS as u64 {
            self.coarsen();
        }
        let index = at.as_ps() / self.step.as_ps();
        let from = SimTime::from_ps(index * self.step.as_ps());
        let to = from.saturating_add(self.step);
        let index = index as usize;
        if index >= self.cells.len() {
            self.cells.resize(index + 1, QueueCell::default());
        }
        CellSpan { index, from, to }
    }

    /// Merges every two cells into one.
    fn coarsen(&mut self) {
        self.step = self.step.saturating_mul(2);
        (self.arrivals, self.transmissions) = <(CellSpan, CellSpan)>::default();
        let half = self.cells.len().div_ceil(2);
        for i in 0..half {
            let mut both = self.cells[2 * i];
            if let Some(second) = self.cells.get(2 * i + 1) {
                both.add(second);
            }
            self.cells[i] = both;
        }
        self.cells.truncate(half);
    }

    fn at_arrival(&mut self, now: SimTime) -> &mut QueueCell {
        self.cell(now, |trace| &mut trace.arrivals)
    }

    /// Records the backlog when a packet has arrived.
    pub(super) fn holds(&mut self, now: SimTime, pkts: u32, bytes: u64) {
        let cell = self.at_arrival(now);
        cell.max_pkts = cell.max_pkts.max(pkts);
        cell.max_bytes = cell.max_bytes.max(bytes);
    }

    /// Records the wait of a packet.
    pub(super) fn waits(&mut self, now: SimTime, wait: SimDuration) {
        self.waits.add(wait);
        let cell = self.at_arrival(now);
        cell.pkts += 1;
        cell.wait += wait;
        cell.max_wait = cell.max_wait.max(wait);
    }

    /// Records drops and marks.
    pub(super) fn signals(&mut self, now: SimTime, drops: u32, marks: u32) {
        if drops + marks > 0 {
            let cell = self.at_arrival(now);
            cell.drops += drops;
            cell.marks += marks;
        }
    }

    /// Records that the link transmits from `start` to `end`.
    pub(super) fn sends(&mut self, start: SimTime, end: SimTime) {
        let transmissions: fn(&mut QueueTrace) -> &mut CellSpan = |trace| &mut trace.transmissions;
        // Makes cells long enough before the time is divided among them.
        self.cell(end, transmissions);
        let mut at = start;
        while at < end {
            if !self.transmissions.holds(at) {
                self.transmissions = self.find(at);
            }
            let until = self.transmissions.to.min(end);
            self.cell(at, transmissions).busy += until.since(at);
            at = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO.saturating_add(SimDuration::from_millis(ms))
    }

    #[test]
    fn cells_grow_with_time_and_keep_sums_and_extremes() {
        let ms = SimDuration::from_millis;
        let mut trace = *QueueTrace::new(LinkId(3));
        for i in 0..5000 {
            trace.waits(at(i), ms(i % 7));
            trace.holds(at(i), (i % 5) as u32, i % 11);
            trace.signals(at(i), u32::from(i % 2 == 0), 1);
        }
        trace.sends(at(0), at(2500));
        assert_eq!(trace.step, ms(8));
        assert_eq!(trace.cells.len(), 625);
        let sum = |f: fn(&QueueCell) -> u32| trace.cells.iter().map(f).sum::<u32>();
        assert_eq!(
            (sum(|c| c.pkts), sum(|c| c.drops), sum(|c| c.marks)),
            (5000, 2500, 5000)
        );
        let busy: u64 = trace.cells.iter().map(|c| c.busy.as_millis()).sum();
        assert_eq!(busy, 2500);
        assert!(trace.cells[..312].iter().all(|c| c.busy == ms(8)));
        assert_eq!(trace.cells[0].max_wait, ms(6));
        assert_eq!(trace.cells[0].wait, ms(1 + 2 + 3 + 4 + 5 + 6));
        assert_eq!((trace.cells[0].max_pkts, trace.cells[0].max_bytes), (4, 7));
        assert_eq!(
            (trace.waits.len(), trace.waits.max_s()),
            (5000, Some(0.006))
        );
    }

    #[test]
    fn a_transmission_may_never_end() {
        let mut trace = *QueueTrace::new(LinkId(0));
        trace.sends(at(0), SimTime::MAX);
        trace.sends(SimTime::MAX, SimTime::MAX);
        assert!(trace.cells.len() <= CELLS);
    }
}
