//! Working memory of hosts, shared within a partition and empty between events.

use std::collections::VecDeque;

use crate::app::AppEvent;
use crate::model::Outputs;
use crate::sample::{EndpointSummary, SegmentTrace, SenderSample, TcpSample};
use crate::segment::Segment;

/// Buffers that hosts use while handling an event.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A model's outputs; taken while in use.
    pub(super) out: Option<Box<Outputs>>,
    /// Events for applications, in order, with the application's number.
    pub(super) events: VecDeque<(u16, AppEvent)>,
    /// The slot whose connection took a step with events, and whose timer is still to be set.
    pub(super) stepped: Option<u32>,
    /// Slots whose connection may have ended.
    pub(super) finished: Vec<u32>,
    /// Boxes of received segments, reused for segments sent.
    #[expect(clippy::vec_box, reason = "the boxes themselves are reused")]
    pub(super) boxes: Vec<Box<Segment>>,
    /// Boxes of processed records, for reuse.
    #[expect(clippy::vec_box, reason = "the boxes themselves are reused")]
    traces: Vec<Box<SegmentTrace>>,
    #[expect(clippy::vec_box, reason = "the boxes themselves are reused")]
    senders: Vec<Box<SenderSample>>,
    #[expect(clippy::vec_box, reason = "the boxes themselves are reused")]
    summaries: Vec<Box<EndpointSummary>>,
}

/// Maximum number of boxes kept per kind of record: about as many as are created before they are handed
/// over.
const MOST_KEPT: usize = 1 << 15;

/// Puts a value into a reused box, or a new one.
fn boxed<T>(value: T, used: &mut Vec<Box<T>>) -> Box<T> {
    match used.pop() {
        Some(mut place) => {
            *place = value;
            place
        }
        None => Box::new(value),
    }
}

impl Scratch {
    /// Keeps the box of a record for reuse.
    #[inline(always)]
    pub(super) fn reuse(&mut self, sample: TcpSample) {
        match sample {
            TcpSample::Ended(summary) if self.summaries.len() < MOST_KEPT => {
                self.summaries.push(summary);
            }
            TcpSample::Segment(trace) if self.traces.len() < MOST_KEPT => self.traces.push(trace),
            TcpSample::Sender(sender) if self.senders.len() < MOST_KEPT => {
                self.senders.push(sender);
            }
            _ => {}
        }
    }

    /// A record of a segment.
    #[inline]
    pub(super) fn segment(&mut self, trace: SegmentTrace) -> TcpSample {
        TcpSample::Segment(boxed(trace, &mut self.traces))
    }

    /// A record of what an end point did.
    pub(super) fn ended(&mut self, summary: EndpointSummary) -> TcpSample {
        TcpSample::Ended(boxed(summary, &mut self.summaries))
    }

    /// A record of a sender's variables.
    pub(super) fn sender(&mut self, sample: SenderSample) -> TcpSample {
        TcpSample::Sender(boxed(sample, &mut self.senders))
    }
}
