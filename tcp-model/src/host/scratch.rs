//! Working memory of hosts, shared by all of a partition and empty between events.

use std::collections::VecDeque;

use crate::app::AppEvent;
use crate::model::Outputs;
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
}
