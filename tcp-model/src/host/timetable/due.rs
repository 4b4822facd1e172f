//! What is to happen next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use sim_core::SimTime;

/// Where the next event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A track: one of its steps.
    Track(u32),
    /// A client: its next connection. After tracks, whose steps may free the port that it needs.
    Client(u32),
}

/// The sources by the time of their next event. An entry is stale if its source has no event at its time: such an
/// entry is removed when its time comes.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<(SimTime, Source)>>,
}

impl Agenda {
    pub(super) fn add(&mut self, at: SimTime, source: Source) {
        if at < SimTime::MAX {
            self.entries.push(Reverse((at, source)));
        }
    }

    /// The first entry.
    pub(super) fn first(&self) -> Option<(SimTime, Source)> {
        self.entries.peek().map(|&Reverse(entry)| entry)
    }

    /// The entry after the first.
    pub(super) fn second(&self) -> Option<(SimTime, Source)> {
        let children = self.entries.as_slice().get(1..)?.iter().take(2);
        children.map(|&Reverse(entry)| entry).min()
    }

    /// Gives the first entry another time.
    pub(super) fn move_first(&mut self, at: SimTime) {
        if let Some(mut first) = self.entries.peek_mut() {
            if at < SimTime::MAX {
                first.0.0 = at;
            } else {
                PeekMut::pop(first);
            }
        }
    }
}
