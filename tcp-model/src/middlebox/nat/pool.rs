//! The free ports of a NAT towards one destination.

use std::collections::VecDeque;

/// Ports by their number in the pool of the NAT; the one that has been free longest is taken first.
#[derive(Debug, Default)]
pub(super) struct PortPool {
    /// Those from this number on were never taken.
    fresh: u32,
    /// Those that were given back, in that order.
    freed: VecDeque<u32>,
}

impl PortPool {
    /// Takes a port out of `size`; `None` when all are taken.
    pub(super) fn take(&mut self, size: u32) -> Option<u32> {
        if self.fresh < size {
            self.fresh += 1;
            return Some(self.fresh - 1);
        }
        self.freed.pop_front()
    }

    /// Ports that are taken.
    pub(super) fn taken(&self) -> u32 {
        self.fresh.saturating_sub(self.freed.len() as u32)
    }

    /// Gives a port back.
    pub(super) fn give_back(&mut self, port: u32) {
        self.freed.push_back(port);
    }
}
