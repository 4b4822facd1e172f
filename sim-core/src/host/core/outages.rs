//! Nodes that go down and come up.

use super::Core;
use crate::event::{Event, EventKind, NodeId, Tie};
use crate::event_queue::EventQueue;
use crate::host::Host;
use crate::network::Outage;

/// A node that goes down at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeState {
    is_down: bool,
    /// Wakes with a smaller count were requested before the last crash.
    booted: u64,
}

impl<H: Host> Core<H> {
    pub(crate) fn schedule_outage(&mut self, outage: &Outage) {
        self.outages.insert(outage.node.0, NodeState::default());
        let times = [Some(outage.down), outage.up];
        for (time, data) in times.into_iter().zip(0..) {
            let Some(time) = time else { continue };
            let tie = self.draw_tie(outage.node);
            self.queue.push(Event {
                time,
                tie,
                data,
                target: outage.node.0,
                kind: EventKind::Outage,
            });
        }
    }

    pub(crate) fn set_down(&mut self, node: NodeId, is_down: bool) {
        let booted = self.counters[node.0 as usize];
        let state = self.outages.entry(node.0).or_default();
        state.is_down = is_down;
        if is_down {
            state.booted = booted;
        }
    }

    pub(crate) fn is_down(&self, node: NodeId) -> bool {
        self.outages.get(&node.0).is_some_and(|s| s.is_down)
    }

    /// True when a crash has cancelled the wake with this key.
    pub(crate) fn is_cancelled(&self, node: NodeId, tie: Tie) -> bool {
        let state = self.outages.get(&node.0);
        state.is_some_and(|s| s.is_down || tie.count() < s.booted)
    }
}
