//! Packets and the slab that holds those in flight.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use crate::event::Tie;
use crate::prefetch::prefetch;
use crate::time::SimTime;

/// A packet: an abbreviated IPv4 header and the protocol's payload.
///
/// Leaves out fragmentation and IP options; the identification field is derived from `id` where
/// bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<P> {
    /// Unique in the run: the tie assigned by its sender. A duplicate has that of its original.
    pub id: u64,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Length on the wire in bytes, including the IP header, for serialisation and queue limits.
    pub size: u32,
    /// Remaining hops; a router that would decrement it to zero drops the packet.
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

/// A packet to send, with [`Cx::send`](crate::Cx::send).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<P> {
    /// Source address; unspecified (0.0.0.0) for the first address of the sender.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Length on the wire in bytes, including the IP header.
    pub size: u32,
    /// Hops it may take.
    pub ttl: u8,
    /// Differentiated services code point and ECN field (RFC 2474, RFC 3168).
    pub tos: u8,
    /// The protocol's data unit.
    pub payload: P,
}

impl<P> Outgoing<P> {
    /// Initial time to live (RFC 1700, and the default of Linux).
    pub const TTL: u8 = 64;

    /// A packet of `size` bytes to `dst`, from the first address of the sender, with the default time to live and
    /// type of service.
    pub fn to(dst: Ipv4Addr, size: u32, payload: P) -> Outgoing<P> {
        Outgoing {
            src: Ipv4Addr::UNSPECIFIED,
            dst,
            size,
            ttl: Self::TTL,
            tos: 0,
            payload,
        }
    }
}

/// Index of a packet in a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketRef(NonZeroU32);

impl PacketRef {
    #[cfg(test)]
    pub(crate) fn for_test() -> PacketRef {
        PacketRef::new(0)
    }

    fn new(index: usize) -> PacketRef {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        PacketRef(number.expect("fewer than 2^32 packets in flight"))
    }

    #[inline(always)]
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// As the data of an event.
    #[inline(always)]
    pub(crate) fn as_data(self) -> u64 {
        self.0.get().into()
    }

    /// From the data of an event.
    #[inline(always)]
    pub(crate) fn from_data(data: u64) -> PacketRef {
        PacketRef(NonZeroU32::new(data as u32).expect("an arrival names its packet"))
    }
}

/// The position of a packet on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    /// When it arrives.
    pub(crate) at: SimTime,
    /// The key assigned by its sender.
    pub(crate) tie: Tie,
    /// The packet that arrives next on the same wire.
    pub(crate) next: Option<PacketRef>,
}

/// Storage for packets in flight. Slots are reused, last freed first, so that a steady flow touches only a few
/// cache lines and allocates nothing.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    flights: Vec<Flight>,
    free: Vec<PacketRef>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            slots: Vec::new(),
            flights: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Bytes of an entry, including its entry in the free list.
    pub(crate) const ENTRY_BYTES: usize =
        size_of::<Option<T>>() + size_of::<Flight>() + size_of::<PacketRef>();

    // Always inlined, so that the packet is constructed in its slot.
    #[inline(always)]
    pub(crate) fn insert(&mut self, value: T) -> PacketRef {
        let at = self.free.pop().unwrap_or_else(|| self.add_slot());
        self.slots[at.index()] = Some(value);
        at
    }

    /// Adds an empty slot and what belongs to it: its position on the wire, and its place in the free list, so that
    /// removing a packet never allocates.
    #[cold]
    fn add_slot(&mut self) -> PacketRef {
        let at = PacketRef::new(self.slots.len());
        self.slots.push(None);
        self.flights.push(Flight {
            at: SimTime::ZERO,
            tie: Tie::FIRST,
            next: None,
        });
        if self.free.capacity() < self.slots.capacity() {
            self.free.reserve(self.slots.capacity() - self.free.len());
        }
        at
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: PacketRef) -> &mut T {
        self.slots[at.index()]
            .as_mut()
            .expect("a packet in flight is in the slab")
    }

    /// The packet, if there is one.
    #[inline]
    pub(crate) fn get(&self, at: PacketRef) -> Option<&T> {
        self.slots[at.index()].as_ref()
    }

    /// Prefetches a packet and its position on the wire.
    #[inline]
    pub(crate) fn prefetch(&self, at: PacketRef) {
        prefetch(&self.slots[at.index()]);
        prefetch(&self.flights[at.index()]);
    }

    /// The packet that arrives after this one on the same wire.
    #[inline]
    pub(crate) fn next_of(&self, at: PacketRef) -> Option<PacketRef> {
        self.flights[at.index()].next
    }

    #[inline]
    pub(crate) fn flight_mut(&mut self, at: PacketRef) -> &mut Flight {
        &mut self.flights[at.index()]
    }

    #[inline(always)]
    pub(crate) fn remove(&mut self, at: PacketRef) -> T {
        let value = self.slots[at.index()]
            .take()
            .expect("a packet is taken once");
        self.free.push(at);
        value
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Option<T>>()
            + self.flights.capacity() * size_of::<Flight>()
            + self.free.capacity() * size_of::<PacketRef>()
    }
}
