//! Working memory of hosts, shared by all of a partition and empty between events.

use std::collections::VecDeque;

use crate::app::AppEvent;
use crate::model::Outputs;
use crate::sample::{SegmentTrace, SenderSample, TcpSample};
use crate::segment::Segment;

/// What hosts write to while they handle an event.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What a model put out; taken while it is in use.
    pub(super) out: Option<Box<Outputs>>,
    /// News for applications, in order, with the application's number.
    pub(super) events: VecDeque<(u16, AppEvent)>,
    /// The slot whose connection took a step with news, and whose timer is still to be set.
    pub(super) stepped: Option<u32>,
    /// Slots whose connection may be over.
    pub(super) finished: Vec<u32>,
    /// Boxes of segments that have arrived, for those that leave.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    pub(super) boxes: Vec<Box<Segment>>,
    /// Boxes of records that have been dealt with, for others.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    traces: Vec<Box<SegmentTrace>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    senders: Vec<Box<SenderSample>>,
}

/// Boxes of records of a kind that are kept at most: about as many as are made before they are handed
/// over.
const MOST_KEPT: usize = 1 << 15;

/// Puts a value into a box that was used before, or into a new one.
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
    /// Keeps the box of a record for another one.
    #[inline]
    pub(super) fn reuse(&mut self, sample: TcpSample) {
        match sample {
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

    /// A record of a sender's variables.
    pub(super) fn sender(&mut self, sample: SenderSample) -> TcpSample {
        TcpSample::Sender(boxed(sample, &mut self.senders))
    }
}
