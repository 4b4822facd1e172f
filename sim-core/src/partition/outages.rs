//! Nodes that go down and come up.

use super::{Core, Partition};
use crate::cx::Cx;
use crate::event::{Event, EventKind, NodeId, Tie};
use crate::event_queue::EventQueue;
use crate::host::Host;
use crate::network::Outage;

/// A node that goes down at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeState {
    is_down: bool,
    /// Wakes with a smaller count were asked for before the last crash.
    booted: u64,
}

impl<H: Host> Core<H> {
    pub(super) fn schedule_outage(&mut self, outage: &Outage) {
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

    pub(super) fn set_down(&mut self, node: NodeId, is_down: bool) {
        let booted = self.counters[node.0 as usize];
        let state = self.outages.entry(node.0).or_default();
        state.is_down = is_down;
        if is_down {
            state.booted = booted;
        }
    }

    pub(super) fn is_down(&self, node: NodeId) -> bool {
        self.outages.get(&node.0).is_some_and(|s| s.is_down)
    }

    /// True when a crash has cancelled the wake with this key.
    pub(super) fn is_cancelled(&self, node: NodeId, tie: Tie) -> bool {
        let state = self.outages.get(&node.0);
        state.is_some_and(|s| s.is_down || tie.count() < s.booted)
    }
}

impl<H: Host> Partition<H> {
    /// A node goes down or comes up.
    #[cold]
    pub(super) fn go_down_or_up(&mut self, event: Event) {
        let node = NodeId(event.target);
        let goes_down = event.data == 0;
        let place = self.core.assignment.place_of(node.0);
        if !goes_down {
            self.core.set_down(node, false);
        }
        if let Some((_, host)) = self.hosts.get_mut(place as usize) {
            let mut cx = Cx {
                core: &mut self.core,
                node,
                now: event.time,
                tie: event.tie,
            };
            if goes_down {
                host.on_crash(&mut cx);
            } else {
                host.on_boot(&mut cx);
            }
        }
        if goes_down {
            self.core.set_down(node, true);
        }
    }
}
