//! Ports that are chosen before the destination is known (`bind` to port 0): free towards all
//! destinations from a local address.
//!
//! Leaves out that an active open without a bound port skips ports that others are bound to: here
//! it shares them, towards another destination.

use std::net::Ipv4Addr;

use sim_core::Rng;

use super::pool::Pool;
use super::{Destination, PortAllocator, PortSearchResult, search};

/// The number of destinations towards which each port of a local address is used.
#[derive(Debug)]
pub(super) struct ForAll {
    local: Ipv4Addr,
    counts: Vec<u32>,
    /// Ports used towards any destination.
    used: Pool,
}

impl ForAll {
    fn add(&mut self, at: u32) {
        if let Some(count) = self.counts.get_mut(at as usize) {
            *count += 1;
            self.used.set(at);
        }
    }

    fn remove(&mut self, at: u32) {
        if let Some(count) = self.counts.get_mut(at as usize) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.used.clear(at);
            }
        }
    }
}

impl PortAllocator {
    /// Chooses a port that is free towards every destination from `to.local`, and marks it as used
    /// towards `to`. The search is that of Linux (`inet_csk_find_open_port`): from a random place, odd
    /// distances from the lower end of the range first.
    pub fn allocate_for_all(&mut self, to: Destination, rng: &mut Rng) -> PortSearchResult {
        let i = self.for_all(to.local);
        let (at, probes) = search::odd_first(&self.for_all[i].used, rng);
        if let Some(at) = at {
            let pool = self.pool_mut(to);
            pool.set(at);
            self.note_used(to.local, at);
            let used = self.for_all[i].used.used() - self.excluded_count;
            self.peak = self.peak.max(used);
        }
        let port = at.map(|at| self.low + at as u16);
        PortSearchResult { port, probes }
    }

    /// The index of the entry for a local address, built from the pools when first needed.
    fn for_all(&mut self, local: Ipv4Addr) -> usize {
        if let Some(i) = self.for_all.iter().position(|f| f.local == local) {
            return i;
        }
        let mut made = ForAll {
            local,
            counts: vec![0; self.count as usize],
            used: Pool::new(self.count),
        };
        let of_local = self.pools.iter().filter(|(to, _)| to.local == local);
        for (_, pool) in of_local {
            (0..self.count)
                .filter(|&at| pool.is_used(at))
                .for_each(|at| made.add(at));
        }
        for at in self.reserved.iter().filter_map(|&port| self.place(port)) {
            made.add(at);
        }
        self.excluded_places().for_each(|at| made.add(at));
        self.for_all.push(made);
        self.for_all.len() - 1
    }

    /// Notes that a port has become used towards a destination.
    #[inline]
    pub(super) fn note_used(&mut self, local: Ipv4Addr, at: u32) {
        if let Some(all) = self.for_all.iter_mut().find(|f| f.local == local) {
            all.add(at);
        }
    }

    /// Notes that a port has become free towards a destination.
    #[inline]
    pub(super) fn note_free(&mut self, local: Ipv4Addr, at: u32) {
        if let Some(all) = self.for_all.iter_mut().find(|f| f.local == local) {
            all.remove(at);
        }
    }
}
