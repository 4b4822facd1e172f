//! The 4-tuple of a connection, and the tables that find its owner.

use std::net::{Ipv4Addr, SocketAddrV4};

use hashbrown::HashTable;

use super::slot_table::SlotTable;

/// A 4-tuple as seen from one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FourTuple {
    local: u32,
    remote: u32,
    /// Local port in the upper half.
    ports: u32,
}

impl FourTuple {
    pub(super) fn new(local: SocketAddrV4, remote: SocketAddrV4) -> FourTuple {
        FourTuple::from_parts(*local.ip(), local.port(), *remote.ip(), remote.port())
    }

    pub(super) fn from_parts(
        local: Ipv4Addr,
        local_port: u16,
        remote: Ipv4Addr,
        remote_port: u16,
    ) -> FourTuple {
        FourTuple {
            local: local.to_bits(),
            remote: remote.to_bits(),
            ports: u32::from(local_port) << 16 | u32::from(remote_port),
        }
    }

    pub(super) fn local(self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::from(self.local), (self.ports >> 16) as u16)
    }

    pub(super) fn remote(self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::from(self.remote), self.ports as u16)
    }

    /// The 4-tuple as twelve bytes, for keyed hashes.
    pub(super) fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.local.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.remote.to_be_bytes());
        bytes[8..].copy_from_slice(&self.ports.to_be_bytes());
        bytes
    }

    /// One folded multiplication: a simulation has no adversary that chooses addresses and ports.
    pub(super) fn hash(self) -> u64 {
        let addresses = u64::from(self.local) << 32 | u64::from(self.remote);
        let a = addresses ^ 0x9e37_79b9_7f4a_7c15;
        let b = u64::from(self.ports).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ 0xa076_1d64_78bd_642f;
        let wide = u128::from(a) * u128::from(b);
        (wide >> 64) as u64 ^ wide as u64
    }
}

/// The owner of a 4-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A connection, by slot.
    Connection(u32),
    /// A TIME-WAIT entry, by place.
    TimeWait(u32),
}

/// Finds the owner of a 4-tuple. Uses four or five bytes per owner; the 4-tuples are stored with the
/// owners, and `flow_of` returns them.
///
/// Connections are few and active, TIME-WAIT entries many and quiet: with separate tables, most packets
/// touch only the small one.
///
/// The last connection found is checked first: packets come in bursts, and many hosts have only one
/// connection.
#[derive(Debug)]
pub(super) struct Demux {
    connections: SlotTable,
    /// The connection last found, and its 4-tuple; [`NONE`] if it has been removed.
    last: (FourTuple, u32),
    time_waits: HashTable<u32>,
}

/// No slot.
const NONE: u32 = u32::MAX;

impl Default for Demux {
    fn default() -> Self {
        Demux {
            connections: SlotTable::default(),
            last: (FourTuple::default(), NONE),
            time_waits: HashTable::default(),
        }
    }
}

impl Demux {
    #[inline]
    pub(super) fn find(
        &mut self,
        flow: FourTuple,
        flow_of: impl Fn(Owner) -> FourTuple,
    ) -> Option<Owner> {
        if self.last.0 == flow && self.last.1 != NONE {
            return Some(Owner::Connection(self.last.1));
        }
        let connection = |slot| flow_of(Owner::Connection(slot)) == flow;
        let hash = flow.hash();
        if let Some(slot) = self.connections.find(hash, connection) {
            self.last = (flow, slot);
            return Some(Owner::Connection(slot));
        }
        let time_wait = |&place: &u32| flow_of(Owner::TimeWait(place)) == flow;
        self.time_waits
            .find(hash, time_wait)
            .map(|&place| Owner::TimeWait(place))
    }

    /// Adds an owner for a 4-tuple that has none yet.
    pub(super) fn insert(
        &mut self,
        flow: FourTuple,
        owner: Owner,
        flow_of: impl Fn(Owner) -> FourTuple,
    ) {
        let hash = flow.hash();
        match owner {
            Owner::Connection(slot) => {
                let hash_of = |slot| flow_of(Owner::Connection(slot)).hash();
                self.connections.insert(hash, slot, hash_of);
            }
            Owner::TimeWait(place) => {
                let hash_of = |&place: &u32| flow_of(Owner::TimeWait(place)).hash();
                self.time_waits.insert_unique(hash, place, hash_of);
            }
        }
    }

    pub(super) fn remove(&mut self, flow: FourTuple, owner: Owner) {
        let hash = flow.hash();
        match owner {
            Owner::Connection(slot) => {
                if self.last.1 == slot {
                    self.last.1 = NONE;
                }
                self.connections.remove(hash, slot);
            }
            Owner::TimeWait(place) => {
                if let Ok(found) = self.time_waits.find_entry(hash, |&other| other == place) {
                    found.remove();
                }
            }
        }
    }

    /// The connections, by the hash of their 4-tuple.
    pub(super) fn connections(&self) -> &SlotTable {
        &self.connections
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.connections.len() + self.time_waits.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.connections.memory_bytes() + self.time_waits.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_flow_gives_back_its_ends() {
        let local = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 65_535);
        let remote = SocketAddrV4::new(Ipv4Addr::new(10, 255, 0, 2), 1);
        let flow = FourTuple::new(local, remote);
        assert_eq!((flow.local(), flow.remote()), (local, remote));
        assert_ne!(flow, FourTuple::new(remote, local));
        assert_eq!(flow.bytes(), [10, 0, 0, 1, 10, 255, 0, 2, 255, 255, 0, 1]);
    }

    #[test]
    fn hashes_of_neighbours_spread() {
        let ip = |i: u32| Ipv4Addr::from(0x0a00_0001 + i);
        let flows = (0..64u32)
            .flat_map(|host| (0..1024u16).map(move |port| (host, 32_768 + 2 * port)))
            .map(|(host, port)| FourTuple::from_parts(ip(0), 80, ip(host), port));
        let buckets: BTreeSet<u64> = flows.map(|f| f.hash() & 0xf_ffff).collect();
        // 65536 balls in 2^20 bins leave about 63540 bins non-empty.
        assert!(buckets.len() > 62_500, "{}", buckets.len());
    }

    #[test]
    fn owners_are_found_and_removed() {
        let flows: Vec<FourTuple> = (0..100)
            .map(|p| FourTuple::from_parts(Ipv4Addr::LOCALHOST, p, Ipv4Addr::LOCALHOST, 80))
            .collect();
        let flow_of = |owner: Owner| match owner {
            Owner::Connection(i) => flows[i as usize],
            Owner::TimeWait(i) => flows[i as usize - 1000],
        };
        let mut demux = Demux::default();
        for (i, flow) in flows.iter().enumerate() {
            assert_eq!(demux.find(*flow, flow_of), None);
            demux.insert(*flow, Owner::Connection(i as u32), flow_of);
        }
        let (old, new) = (Owner::Connection(7), Owner::TimeWait(1007));
        demux.remove(flows[7], old);
        demux.insert(flows[7], new, flow_of);
        assert_eq!(demux.find(flows[7], flow_of), Some(new));
        demux.remove(flows[7], old);
        assert_eq!(demux.len(), 100);
        demux.remove(flows[7], new);
        assert_eq!((demux.len(), demux.find(flows[7], flow_of)), (99, None));
        assert_eq!(demux.find(flows[8], flow_of), Some(Owner::Connection(8)));
    }
}
