//! What a host remembers of a traced connection, so that the segments a ladder diagram shows are
//! recorded and the millions between them are not.
//!
//! Recorded are the first hundred segments that each end sends, SYN, FIN and RST, retransmissions
//! with their originals, windows that close or open, changes of state, a few segments before and
//! after each of these, and the last hundred. The sender decides and marks the segment
//! ([`Detail`]), so that sending and arrival are recorded both or neither. All others go to two
//! rings, of segments sent and received, from which those before some trouble, and the last ones,
//! are taken.
//!
//! What is recorded of one end is bounded: by the lengths of the rings, and by [`MOST_AROUND`]
//! segments around trouble; of later trouble only SYN, FIN and RST are recorded, and losses, which
//! the network reports.

use std::collections::VecDeque;

use sim_core::SimTime;

use crate::sample::{SegmentTrace, SenderSample};
use crate::segment::{Detail, Segment};
use crate::state::State;

/// First segments that an end sends, all recorded.
const HEAD: u32 = 100;
/// Last segments sent, and received, that are recorded when the connection ends.
const TAIL: usize = 100;
/// Segments recorded before and after trouble, in each direction.
const AROUND: usize = 8;
/// Segments around trouble that an end records in all.
const MOST_AROUND: u32 = 512;
/// Sent segments remembered: the original of a retransmission must be among them.
const SENT: usize = 2048;
/// Received segments remembered.
const RECEIVED: usize = 256;

/// Receives what is to be recorded.
pub(super) type Record<'a> = dyn FnMut(SegmentTrace) + 'a;

/// The memory of one end of a traced connection.
#[derive(Debug)]
pub(super) struct Tracer {
    /// The last sample of the sender's variables.
    pub(super) sender: Option<(SimTime, SenderSample)>,
    sent: Ring,
    received: Ring,
    /// Segments sent.
    count: u64,
    /// Segments still to be sent as the first ones.
    head: u32,
    /// Segments still to be sent after trouble, and how they are marked.
    after: usize,
    mark: Detail,
    /// Segments that may still be recorded around trouble.
    budget: u32,
    state: State,
    zero_window: bool,
}

/// The last segments in the background, and how many of them came after the last one recorded.
#[derive(Debug, Default)]
struct Ring {
    traces: VecDeque<SegmentTrace>,
    fresh: usize,
}

impl Default for Tracer {
    fn default() -> Tracer {
        Tracer {
            sender: None,
            sent: Ring::default(),
            received: Ring::default(),
            count: 0,
            head: HEAD,
            after: 0,
            mark: Detail::Full,
            budget: MOST_AROUND,
            state: State::Closed,
            zero_window: false,
        }
    }
}

impl Tracer {
    /// Its bytes, rings included.
    pub(super) fn bytes(&self) -> usize {
        let places = self.sent.traces.capacity() + self.received.traces.capacity();
        size_of::<Tracer>() + places * size_of::<SegmentTrace>()
    }

    /// How far a segment about to be sent is recorded; `again` for a retransmission.
    pub(super) fn before_sending(
        &mut self,
        segment: &Segment,
        again: bool,
        state: State,
        record: &mut Record<'_>,
    ) -> Detail {
        let flags = segment.flags;
        let changed = std::mem::replace(&mut self.state, state) != state;
        let zero = segment.window == 0 && !flags.is_rst();
        let window = std::mem::replace(&mut self.zero_window, zero) != zero;
        let lasting = flags.is_syn() || flags.is_fin() || flags.is_rst();
        if self.head > 0 {
            self.head -= 1;
            return Detail::Full;
        }
        if (again || changed || window || lasting) && self.budget > 0 {
            if again {
                self.sent.take_same(segment, &mut self.budget, record);
            }
            self.trouble(Detail::Full, record);
            return Detail::Full;
        }
        if self.after > 0 && self.budget > 0 {
            self.after -= 1;
            self.budget -= 1;
            return self.mark;
        }
        if lasting {
            Detail::Full
        } else {
            Detail::Background
        }
    }

    /// Records the segments sent just before, and marks those that follow.
    fn trouble(&mut self, mark: Detail, record: &mut Record<'_>) {
        self.sent.take_fresh(&mut self.budget, record);
        self.after = AROUND;
        self.mark = mark;
    }

    /// A segment was sent: recorded, or remembered when it is in the background.
    pub(super) fn on_sent(
        &mut self,
        mut trace: SegmentTrace,
        now: SimTime,
        record: &mut Record<'_>,
    ) {
        self.count += 1;
        trace.number = self.count;
        if trace.segment.tag.detail == Detail::Background {
            self.sent.push(SENT, trace, now);
        } else {
            record(trace);
        }
    }

    /// An arrival: remembered, or recorded, with those before it where its sender had trouble.
    pub(super) fn on_received(
        &mut self,
        trace: SegmentTrace,
        now: SimTime,
        record: &mut Record<'_>,
    ) {
        let detail = trace.segment.tag.detail;
        if detail == Detail::Background {
            self.received.push(RECEIVED, trace, now);
            return;
        }
        if self.received.take_fresh(&mut self.budget, record)
            && detail == Detail::Full
            && self.head == 0
            && self.after == 0
        {
            self.trouble(Detail::Echo, record);
        }
        if trace.segment.len > 0 {
            let same = &trace.segment;
            self.received.take_same(same, &mut self.budget, record);
        }
        record(trace);
    }

    /// The connection is over, or the run: records the last segments.
    pub(super) fn end(&mut self, record: &mut Record<'_>) {
        for ring in [&mut self.sent, &mut self.received] {
            let traces = std::mem::take(&mut ring.traces);
            let passed = traces.len().saturating_sub(TAIL);
            traces.into_iter().skip(passed).for_each(&mut *record);
        }
    }
}

impl Ring {
    fn push(&mut self, most: usize, trace: SegmentTrace, now: SimTime) {
        if self.traces.len() == most {
            self.traces.pop_front();
        }
        self.fresh += 1;
        self.traces.push_back(SegmentTrace {
            at: Some(now),
            ..trace
        });
    }

    /// Records the last segments since one was recorded, as far as the budget goes; false when there
    /// is none.
    fn take_fresh(&mut self, budget: &mut u32, record: &mut Record<'_>) -> bool {
        let fresh = std::mem::take(&mut self.fresh);
        let n = fresh
            .min(AROUND)
            .min(self.traces.len())
            .min(*budget as usize);
        *budget -= n as u32;
        self.traces.drain(self.traces.len() - n..).for_each(record);
        fresh > 0
    }

    /// Records the last segment with the same octets.
    fn take_same(&mut self, segment: &Segment, budget: &mut u32, record: &mut Record<'_>) {
        let same = |t: &SegmentTrace| t.segment.seq == segment.seq && t.segment.len > 0;
        if *budget > 0
            && let Some(i) = self.traces.iter().rposition(same)
            && let Some(trace) = self.traces.remove(i)
        {
            *budget -= 1;
            record(trace);
        }
    }
}

#[cfg(test)]
mod tests;
