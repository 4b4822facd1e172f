//! The free ports of a NAT in one scope: towards one destination, where mappings depend on it.

use std::collections::VecDeque;
use std::ops::Range;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

/// Ports by their number in the pool of the NAT; the one that has been free longest is taken first.
#[derive(Debug, Default)]
pub(super) struct PortPool {
    /// Ports from this number on were never taken.
    fresh: u32,
    /// Ports that were given back, in that order.
    freed: VecDeque<u32>,
    /// Ports taken, if it matters which one is taken.
    held: HashSet<u32, FxBuildHasher>,
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

    /// Takes a port from a range: the wanted one, or the next free one after it; `None` when all
    /// are taken.
    pub(super) fn take_from(&mut self, range: Range<u32>, wanted: u32) -> Option<u32> {
        let wanted = wanted.clamp(range.start, range.end.saturating_sub(1));
        if self.held.len() as u32 >= range.end - range.start
            && range.clone().all(|port| self.held.contains(&port))
        {
            return None;
        }
        let mut order = (wanted..range.end).chain(range.start..wanted);
        let port = order.find(|port| !self.held.contains(port))?;
        self.held.insert(port);
        Some(port)
    }

    /// Gives back a port of [`PortPool::take_from`].
    pub(super) fn release(&mut self, port: u32) {
        self.held.remove(&port);
    }

    /// Ports that are taken.
    pub(super) fn taken(&self) -> u32 {
        self.fresh.saturating_sub(self.freed.len() as u32) + self.held.len() as u32
    }

    /// Gives a port back.
    pub(super) fn give_back(&mut self, port: u32) {
        self.freed.push_back(port);
    }
}
