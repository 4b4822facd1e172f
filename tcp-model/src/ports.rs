//! Local ports for active opens (RFC 6056), one pool per (local address, remote address, remote
//! port): a port is free when no connection and no TIME-WAIT entry holds the 4-tuple.
//!
//! The search checks 64 ports at a time and reports how many ports a one-by-one search would have tried:
//! the cost that makes a real `connect` slow when the pool is nearly full.

mod for_all;
mod pool;
mod search;

use std::net::{Ipv4Addr, SocketAddrV4};

use hashbrown::HashTable;
use sim_core::rng::mix;
use sim_core::{Rng, SimDuration, SimTime};

use crate::params::{PortSelection, PortSet};
use for_all::ForAll;
use pool::Pool;

/// The destination of an active open that needs a local port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Local address.
    pub local: Ipv4Addr,
    /// Peer's address and port.
    pub remote: SocketAddrV4,
}

/// The result of a search and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSearchResult {
    /// The port; `None` when all are in use.
    pub port: Option<u16>,
    /// Ports tried, including the one found.
    pub probes: u32,
}

/// The local ports of a host.
#[derive(Debug)]
pub struct PortAllocator {
    low: u16,
    count: u32,
    selection: PortSelection,
    secret: u64,
    /// Ports never allocated, such as those of listeners.
    reserved: Vec<u16>,
    /// Ports that are only for applications that ask for them (Linux `ip_local_reserved_ports`).
    excluded: PortSet,
    /// How many of these are in the range.
    excluded_count: u32,
    pools: Vec<(Destination, Pool)>,
    /// Peak number of ports in use towards one destination.
    peak: u32,
    /// Index in `pools` by destination, if there are more than a few.
    index: Option<Box<HashTable<u32>>>,
    /// By local address: ports bound before connecting, for all destinations.
    for_all: Vec<ForAll>,
    /// Counters shared by destinations in some algorithms of RFC 6056; empty until needed.
    shared: Vec<u32>,
}

/// Interval at which Linux changes the offset of a destination's ports (`EPHEMERAL_PORT_SHUFFLE_PERIOD`), so
/// that a sequence of ports continues elsewhere.
const SHUFFLE: SimDuration = SimDuration::from_secs(10);

/// Size of the counter table of RFC 6056's algorithm 4.
const COUNTS: usize = 64;

/// Number of destinations that are searched linearly.
const FEW: usize = 4;

fn hash(to: &Destination) -> u64 {
    let addresses = u64::from(to.local.to_bits()) << 32 | u64::from(to.remote.ip().to_bits());
    mix(addresses ^ mix(u64::from(to.remote.port())))
}

impl PortAllocator {
    /// An allocator with all ports from `range.0` to `range.1` free. `secret` offsets the start of
    /// searches.
    pub fn new(range: (u16, u16), selection: PortSelection, secret: u64) -> PortAllocator {
        PortAllocator {
            low: range.0,
            count: (u32::from(range.1) + 1).saturating_sub(u32::from(range.0)),
            selection,
            secret,
            reserved: Vec::new(),
            excluded: PortSet::empty(),
            excluded_count: 0,
            pools: Vec::new(),
            peak: 0,
            index: None,
            for_all: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// Excludes these ports from allocation; call it before the first use.
    #[must_use]
    pub fn without(mut self, excluded: &PortSet) -> PortAllocator {
        self.excluded = excluded.clone();
        self.excluded_count = self.excluded_places().count() as u32;
        self
    }

    /// Number of ports in the range, without excluded ones.
    pub fn port_count(&self) -> u32 {
        self.count - self.excluded_count
    }

    /// Places of the excluded ports of the range.
    fn excluded_places(&self) -> impl Iterator<Item = u32> {
        let low = u32::from(self.low);
        let high = (low + self.count).saturating_sub(1) as u16;
        let ports = self.excluded.within((self.low, high));
        ports.filter_map(|port| self.place(port))
    }

    /// Chooses a free port towards `to` and marks it as used.
    pub fn allocate(&mut self, to: Destination, now: SimTime, rng: &mut Rng) -> PortSearchResult {
        let i = self.pool_of(to);
        let (at, probes) = match self.selection {
            PortSelection::Linux => {
                let period = now.since(SimTime::ZERO).as_ps() / SHUFFLE.as_ps();
                let offset = mix(hash(&to) ^ self.secret ^ mix(period)) as u32;
                search::linux(&mut self.pools[i].1, offset, rng)
            }
            PortSelection::Sequential => search::sequential(&mut self.pools[i].1),
            other => self.search_otherwise(i, other, rng),
        };
        let pool = &mut self.pools[i].1;
        if let Some(at) = at {
            pool.set(at);
        }
        let used = pool.used() - self.excluded_count;
        self.peak = self.peak.max(used);
        if let Some(at) = at {
            self.note_used(to.local, at);
        }
        let port = at.map(|at| self.low + at as u16);
        PortSearchResult { port, probes }
    }

    /// Chooses by an algorithm that is rarely selected.
    #[inline(never)]
    fn search_otherwise(
        &mut self,
        i: usize,
        selection: PortSelection,
        rng: &mut Rng,
    ) -> (Option<u32>, u32) {
        let to = self.pools[i].0;
        let offset = self.offset(&to);
        let shared = self.shared_place(&to);
        let mut count = shared.map_or(0, |place| self.shared_count(place));
        let found = search::choose(&mut self.pools[i].1, selection, offset, &mut count, rng);
        if let Some(place) = shared {
            self.set_shared_count(place, count);
        }
        found
    }

    /// Marks a port as used; false if it was already, or is not in the range.
    pub fn occupy(&mut self, to: Destination, port: u16) -> bool {
        let Some(at) = self.place(port) else {
            return false;
        };
        let excluded = self.excluded_count;
        let pool = self.pool_mut(to);
        let changed = pool.set(at);
        let used = pool.used() - excluded;
        self.peak = self.peak.max(used);
        if changed {
            self.note_used(to.local, at);
        }
        changed
    }

    /// Releases a port; false if it was not in use. Reserved ports stay reserved.
    pub fn release(&mut self, to: Destination, port: u16) -> bool {
        let (Some(at), Some(pool)) = (self.place(port), self.find(&to)) else {
            return false;
        };
        if self.reserved.contains(&port) || self.excluded.contains(port) {
            return false;
        }
        let released = self.pools[pool].1.clear(at);
        if released {
            self.note_free(to.local, at);
        }
        released
    }

    /// Removes a port from all pools until it is [unreserved](PortAllocator::unreserve).
    pub fn reserve(&mut self, port: u16) {
        if self.reserved.contains(&port) {
            return;
        }
        self.reserved.push(port);
        self.for_all.clear(); // rebuilt when needed
        if let Some(at) = self.place(port) {
            for (_, pool) in &mut self.pools {
                pool.set(at);
            }
        }
    }

    /// Whether the port is reserved.
    pub fn is_reserved(&self, port: u16) -> bool {
        self.reserved.contains(&port)
    }

    /// Makes a reserved, unused port available again.
    pub fn unreserve(&mut self, port: u16) {
        let before = self.reserved.len();
        self.reserved.retain(|&other| other != port);
        self.for_all.clear();
        let freed = self.reserved.len() < before && !self.excluded.contains(port);
        if let (Some(at), true) = (self.place(port), freed) {
            for (_, pool) in &mut self.pools {
                pool.clear(at);
            }
        }
    }

    /// Changes the range and the excluded ports; all others are free except reserved ones.
    pub fn set_range(&mut self, range: (u16, u16), excluded: &PortSet) {
        let reserved = std::mem::take(&mut self.reserved);
        *self = PortAllocator::new(range, self.selection, self.secret).without(excluded);
        self.reserved = reserved;
    }

    /// Ports in use towards `to`, including reserved ones but not excluded ones.
    pub fn used(&self, to: Destination) -> u32 {
        self.find(&to).map_or_else(
            || {
                self.reserved
                    .iter()
                    .filter(|p| self.place(**p).is_some() && !self.excluded.contains(**p))
                    .count() as u32
            },
            |i| self.pools[i].1.used() - self.excluded_count,
        )
    }

    /// Peak number of ports in use towards one destination so far, including reserved ones.
    pub fn peak(&self) -> u32 {
        self.peak
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> usize {
        let pools: usize = self.pools.iter().map(|(_, p)| p.memory_bytes()).sum();
        let index = self.index.as_deref().map_or(0, HashTable::allocation_size);
        pools + self.pools.capacity() * size_of::<(Destination, Pool)>() + index
    }

    /// Bytes of memory of a destination with few ports in use.
    pub fn bytes_per_destination(&self) -> usize {
        size_of::<(Destination, Pool)>() + 5
    }

    fn place(&self, port: u16) -> Option<u32> {
        let at = u32::from(port).checked_sub(u32::from(self.low))?;
        (at < self.count).then_some(at)
    }

    fn find(&self, to: &Destination) -> Option<usize> {
        let pools = &self.pools;
        let Some(index) = &self.index else {
            return pools.iter().position(|(other, _)| other == to);
        };
        index
            .find(hash(to), |&i| pools[i as usize].0 == *to)
            .map(|&i| i as usize)
    }

    /// The starting offset for the ports of a destination in RFC 6056's algorithms 3 and 4, different for each
    /// and secret to the host.
    fn offset(&self, to: &Destination) -> u32 {
        match self.selection {
            PortSelection::Hash | PortSelection::DoubleHash => mix(hash(to) ^ self.secret) as u32,
            _ => 0,
        }
    }

    /// The index of a destination in [`PortAllocator::shared`]; `None` if nothing is shared.
    fn shared_place(&self, to: &Destination) -> Option<usize> {
        match self.selection {
            PortSelection::Hash | PortSelection::RandomIncrements => Some(0),
            PortSelection::DoubleHash => {
                Some(mix(hash(to) ^ self.secret.rotate_left(32)) as usize % COUNTS)
            }
            _ => None,
        }
    }

    fn shared_count(&self, place: usize) -> u32 {
        self.shared.get(place).copied().unwrap_or(0)
    }

    fn set_shared_count(&mut self, place: usize, count: u32) {
        if self.shared.len() <= place {
            self.shared.resize(place + 1, 0);
        }
        self.shared[place] = count;
    }

    fn pool_mut(&mut self, to: Destination) -> &mut Pool {
        let i = self.pool_of(to);
        &mut self.pools[i].1
    }

    /// The index of a destination's pool, which is made when first needed.
    fn pool_of(&mut self, to: Destination) -> usize {
        self.find(&to).unwrap_or_else(|| self.add_pool(to))
    }

    #[cold]
    fn add_pool(&mut self, to: Destination) -> usize {
        let mut pool = Pool::new(self.count);
        for &port in &self.reserved {
            if let Some(at) = self.place(port) {
                pool.set(at);
            }
        }
        for at in self.excluded_places() {
            pool.set(at);
        }
        let i = self.pools.len();
        if i == 0 {
            self.pools.reserve_exact(1); // most hosts have one destination
        }
        self.pools.push((to, pool));
        let pools = &self.pools;
        if pools.len() > FEW {
            // A new index takes all pools, an existing one only the new pool.
            let first = if self.index.is_some() { i } else { 0 };
            let index = self.index.get_or_insert_default();
            let hash_of = |&i: &u32| hash(&pools[i as usize].0);
            (first as u32..=i as u32).for_each(|i| {
                index.insert_unique(hash_of(&i), i, hash_of);
            });
        }
        i
    }
}

#[cfg(test)]
mod tests;
