//! Selects the segments of a traced connection to record: those that a ladder diagram shows, not the
//! millions in between.
//!
//! Recorded are the first hundred segments that each end sends, SYN, FIN and RST, retransmissions with
//! their originals, windows that close or open, state changes, a few segments before and after each of
//! these ("trouble"), and the last hundred. The sender decides and marks the segment ([`RecordingDetail`]), so that
//! either both sending and arrival are recorded or neither. All others go to two rings, of segments sent
//! and received, from which those before trouble and the last ones are taken.
//!
//! The records of one end are bounded by the lengths of the rings and by [`MOST_AROUND`] segments around
//! trouble; after that only SYN, FIN and RST are recorded, and losses, which the network reports.

use sim_core::SimTime;

use crate::sample::{SegmentTrace, SenderSample};
use crate::segment::{RecordingDetail, Segment};
use crate::state::State;

/// First segments that an end sends, all recorded.
const HEAD: u32 = 100;
/// Last segments sent, and received, that are recorded when the connection ends.
const TAIL: usize = 100;
/// Segments recorded before and after trouble, in each direction.
const AROUND: usize = 8;
/// Maximum number of segments around trouble recorded at one end.
const MOST_AROUND: u32 = 512;
/// Sent segments remembered: the original of a retransmission must be among them.
const SENT: usize = 2048;
/// Received segments remembered.
const RECEIVED: usize = 256;

/// Receives the records.
pub(super) type TraceSink<'a> = dyn FnMut(SegmentTrace) + 'a;

/// The tracing state of one end of a connection.
#[derive(Debug)]
pub(super) struct Tracer {
    /// The last sample of the sender's variables.
    pub(super) sender: Option<(SimTime, SenderSample)>,
    sent: Ring,
    received: Ring,
    /// Segments sent.
    count: u64,
    /// How many of the next segments still count as the first ones.
    head: u32,
    /// How many of the next segments follow trouble, and their mark.
    after: usize,
    mark: RecordingDetail,
    /// Segments that may still be recorded around trouble.
    budget: u32,
    state: State,
    zero_window: bool,
}

/// The last unrecorded segments, and how many of them came after the last recorded one.
#[derive(Debug, Default)]
struct Ring {
    /// In order from `oldest`, which is 0 unless the ring is full.
    traces: Vec<SegmentTrace>,
    oldest: usize,
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
            mark: RecordingDetail::Full,
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

    /// The recording detail of a segment about to be sent; `again` for a retransmission.
    pub(super) fn before_sending(
        &mut self,
        segment: &Segment,
        again: bool,
        state: State,
        record: &mut TraceSink<'_>,
    ) -> RecordingDetail {
        let flags = segment.flags;
        let changed = std::mem::replace(&mut self.state, state) != state;
        let zero = segment.window == 0 && !flags.is_rst();
        let window = std::mem::replace(&mut self.zero_window, zero) != zero;
        let lasting = flags.is_syn() || flags.is_fin() || flags.is_rst();
        if self.head > 0 {
            self.head -= 1;
            return RecordingDetail::Full;
        }
        if (again || changed || window || lasting) && self.budget > 0 {
            if again {
                self.sent.take_same(segment, &mut self.budget, record);
            }
            self.trouble(RecordingDetail::Full, record);
            return RecordingDetail::Full;
        }
        if self.after > 0 && self.budget > 0 {
            self.after -= 1;
            self.budget -= 1;
            return self.mark;
        }
        if lasting {
            RecordingDetail::Full
        } else {
            RecordingDetail::Background
        }
    }

    /// Records the segments sent just before, and marks those that follow.
    fn trouble(&mut self, mark: RecordingDetail, record: &mut TraceSink<'_>) {
        self.sent.take_fresh(&mut self.budget, record);
        self.after = AROUND;
        self.mark = mark;
    }

    /// Records a sent segment of this detail, or remembers it in the ring.
    #[inline(always)]
    pub(super) fn on_sent(
        &mut self,
        detail: RecordingDetail,
        trace: impl FnOnce() -> SegmentTrace,
        now: SimTime,
        record: &mut TraceSink<'_>,
    ) {
        self.count += 1;
        let number = self.count;
        let numbered = || SegmentTrace { number, ..trace() };
        if detail == RecordingDetail::Background {
            self.sent.push(SENT, numbered, now);
        } else {
            record(numbered());
        }
    }

    /// Remembers an arrival of this detail, or records it, with the ones before it if its sender had
    /// trouble.
    #[inline(always)]
    pub(super) fn on_received(
        &mut self,
        detail: RecordingDetail,
        trace: impl FnOnce() -> SegmentTrace,
        now: SimTime,
        record: &mut TraceSink<'_>,
    ) {
        if detail == RecordingDetail::Background {
            self.received.push(RECEIVED, trace, now);
        } else {
            self.record_received(trace(), record);
        }
    }

    #[inline(never)]
    fn record_received(&mut self, trace: SegmentTrace, record: &mut TraceSink<'_>) {
        let detail = trace.segment.tag.detail;
        if self.received.take_fresh(&mut self.budget, record)
            && detail == RecordingDetail::Full
            && self.head == 0
            && self.after == 0
        {
            self.trouble(RecordingDetail::Echo, record);
        }
        if trace.segment.len > 0 {
            let same = &trace.segment;
            self.received.take_same(same, &mut self.budget, record);
        }
        record(trace);
    }

    /// Records the last segments when the connection or the run ends.
    pub(super) fn end(&mut self, record: &mut TraceSink<'_>) {
        for ring in [&mut self.sent, &mut self.received] {
            ring.straighten();
            let traces = std::mem::take(&mut ring.traces);
            let passed = traces.len().saturating_sub(TAIL);
            traces.into_iter().skip(passed).for_each(&mut *record);
        }
    }
}

impl Ring {
    /// Remembers a segment in place of the oldest of `most`; built where it is kept, since this is done for
    /// every segment of a long transfer.
    #[inline(always)]
    fn push(&mut self, most: usize, trace: impl FnOnce() -> SegmentTrace, now: SimTime) {
        let at = Some(now);
        self.fresh += 1;
        if self.traces.len() < most {
            self.traces.push(SegmentTrace { at, ..trace() });
        } else if let Some(place) = self.traces.get_mut(self.oldest) {
            *place = SegmentTrace { at, ..trace() };
            self.oldest += 1;
            if self.oldest == most {
                self.oldest = 0;
            }
        }
    }

    /// Puts the oldest first.
    fn straighten(&mut self) {
        self.traces.rotate_left(self.oldest);
        self.oldest = 0;
    }

    /// Records the segments since the last recorded one, within the budget; false when there is none.
    fn take_fresh(&mut self, budget: &mut u32, record: &mut TraceSink<'_>) -> bool {
        let fresh = std::mem::take(&mut self.fresh);
        let n = fresh
            .min(AROUND)
            .min(self.traces.len())
            .min(*budget as usize);
        if n > 0 {
            *budget -= n as u32;
            self.straighten();
            self.traces.drain(self.traces.len() - n..).for_each(record);
        }
        fresh > 0
    }

    /// Records the last segment with the same octets.
    fn take_same(&mut self, segment: &Segment, budget: &mut u32, record: &mut TraceSink<'_>) {
        if *budget == 0 {
            return;
        }
        let same = |t: &SegmentTrace| t.segment.seq == segment.seq && t.segment.len > 0;
        let (later, earlier) = self.traces.split_at(self.oldest);
        let at = later.iter().rposition(same);
        let at = at.or_else(|| Some(self.oldest + earlier.iter().rposition(same)?));
        if let Some(at) = at {
            let age_order = (at + self.traces.len() - self.oldest) % self.traces.len();
            self.straighten();
            *budget -= 1;
            record(self.traces.remove(age_order));
        }
    }
}

#[cfg(test)]
mod tests;
