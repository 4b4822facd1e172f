//! Crashes and boots of the hosts of a partition.

use super::Partition;
use crate::event::{Event, NodeId};
use crate::host::{Cx, Host};

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
        if let Some(host) = self.hosts.get_mut(place as usize) {
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
