//! Packets and the slab that holds those in flight.

use std::net::Ipv4Addr;

/// A packet on its way: an IPv4 header in short, and the protocol's payload.
///
/// Leaves out fragmentation and IP options; the identification field is derived from `id` where
/// bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<P> {
    /// Unique in the run: the tie its sender drew. A duplicate keeps its original's.
    pub id: u64,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Length on the wire in bytes, IP header included: what links serialise and queues count.
    pub size: u32,
    /// Hops left; a router that would bring it to zero drops the packet.
    pub ttl: u8,
    /// Differentiated services code point and ECN field (RFC 2474, RFC 3168).
    pub tos: u8,
    /// A bit error hit the packet: the receiver's checksum fails.
    pub corrupt: bool,
    /// The protocol's data unit.
    pub payload: P,
}

impl<P> Packet<P> {
    /// The packet with another payload.
    pub fn with<Q>(&self, payload: Q) -> Packet<Q> {
        Packet {
            id: self.id,
            src: self.src,
            dst: self.dst,
            size: self.size,
            ttl: self.ttl,
            tos: self.tos,
            corrupt: self.corrupt,
            payload,
        }
    }
}

/// Place of a packet in a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketRef(u32);

/// Storage for packets in flight: slots are reused, last freed first, so that a steady flow touches
/// the same few cache lines and allocates nothing.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    #[inline(always)]
    pub(crate) fn insert(&mut self, value: T) -> PacketRef {
        if let Some(i) = self.free.pop() {
            self.slots[i as usize] = Some(value);
            return PacketRef(i);
        }
        let i = u32::try_from(self.slots.len()).expect("fewer than 2^32 packets in flight");
        self.slots.push(Some(value));
        PacketRef(i)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: PacketRef) -> &mut T {
        self.slots[at.0 as usize]
            .as_mut()
            .expect("a packet in flight is in the slab")
    }

    #[inline(always)]
    pub(crate) fn remove(&mut self, at: PacketRef) -> T {
        let value = self.slots[at.0 as usize]
            .take()
            .expect("a packet is taken once");
        self.free.push(at.0);
        value
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Option<T>>() + self.free.capacity() * 4
    }
}
