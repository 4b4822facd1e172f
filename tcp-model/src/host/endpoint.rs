//! Connections of a host, in reusable slots.

use std::sync::Arc;

use sim_core::prefetch::{prefetch, prefetch_start};
use sim_core::{LazyTimer, SimTime};

use super::any_tcp::AnyTcp;
use super::chunked::Chunked;
use super::four_tuple::FourTuple;
use super::tracer::Tracer;
use crate::model::{ConnectionEnd, Input, Outputs, TcpModel};
use crate::params::TcpParams;
use crate::sample::Side;
use crate::segment::ConnId;
use crate::state::State;
use crate::time_wait::TimeWait;

/// The application's handle of a connection. Never reused, so that a call on an ended connection has no
/// effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId {
    slot: u32,
    generation: u32,
}

impl SocketId {
    pub(super) const fn new(slot: u32, generation: u32) -> SocketId {
        SocketId { slot, generation }
    }

    #[cfg(test)]
    pub(crate) const fn for_test(slot: u32) -> SocketId {
        SocketId::new(slot, 0)
    }

    /// Index in the host's table, below the peak number of connections; reused after the connection ends.
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// Number of earlier connections in this slot.
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

/// No listener: the end point was opened actively.
pub(super) const NO_LISTENER: u16 = u16::MAX;

/// A TIME-WAIT entry replaced by a SYN, kept until the SYN has proved to be new.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplacedTimeWait {
    pub(super) entry: TimeWait,
    pub(super) side: Side,
    pub(super) holds_port: bool,
}

/// A connection in the table.
///
/// Fields used by every segment come first and rarely used ones last, so that cold cache lines are not
/// loaded.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Endpoint {
    pub(super) flow: FourTuple,
    pub(super) app: u16,
    pub(super) listener: u16,
    pub(super) state: State,
    pub(super) side: Side,
    /// The application knows it: it connected, or it accepted.
    pub(super) has_app: bool,
    pub(super) traced: bool,
    /// It has its own options.
    pub(super) has_own: bool,
    /// It holds its local port in the port allocator.
    pub(super) holds_port: bool,
    pub(super) closed_first: bool,
    /// It reached TIME-WAIT when the table was full.
    pub(super) overflowed: bool,
    pub(super) peer_closed: bool,
    /// The application knows it or finds it in the accept queue.
    pub(super) connected: bool,
    /// Its SYN waits for the first data (`TCP_FASTOPEN_CONNECT`).
    pub(super) deferred: bool,
    /// Soft errors are not reported to the application (SHLD-20).
    pub(super) errors_suppressed: bool,
    /// Closing sends a reset (`SO_LINGER` of zero).
    pub(super) hard_close: bool,
    /// Is in the list of connections to check for removal.
    pub(super) is_finished: bool,
    /// It has ended and is kept only for inspection and reading: its port, 4-tuple and timer are released.
    pub(super) detached: bool,
    /// [`Reuse`](super::Reuse) flags of its socket.
    pub(super) reuse: u8,
    pub(super) tcp: AnyTcp,
    pub(super) conn: ConnId,
    pub(super) opened: SimTime,
    /// `SimTime::MAX` before.
    pub(super) established: SimTime,
    /// `SimTime::MAX` before.
    pub(super) app_closed: SimTime,
    /// State for recording, only of traced connections.
    pub(super) tracer: Option<Box<Tracer>>,
    /// Only before ESTABLISHED.
    pub(super) replaced: Option<Box<ReplacedTimeWait>>,
    /// Its own options.
    pub(super) own: Option<Arc<TcpParams>>,
    pub(super) end: Option<ConnectionEnd>,
}

impl Endpoint {
    /// Opened by a SYN whose sender has not been heard of again.
    #[inline]
    pub(super) fn is_half_open(&self) -> bool {
        self.state == State::SynReceived && self.side == Side::Passive && !self.connected
    }

    /// RECEIVE on an ended connection: data that have arrived can still be read.
    #[cold]
    pub(super) fn read_rest(&mut self, input: Input<'_>, now: SimTime) {
        if matches!(input, Input::Receive(_)) {
            self.tcp.step(input, now, &mut Outputs::default());
        }
    }

    /// Bytes allocated outside its slot.
    pub(super) fn boxed_bytes(&self) -> usize {
        let tracer = self.tracer.as_deref().map_or(0, Tracer::bytes);
        tracer + self.replaced.as_deref().map_or(0, size_of_val)
    }
}

/// A slot for a connection. The timer belongs to the slot: an event still queued when one connection ends
/// serves the next.
///
/// Aligned to cache lines: a stale timer touches only the first line, a look-up the first two.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct EndpointSlot {
    pub(super) timer: LazyTimer,
    pub(super) generation: u32,
    pub(super) endpoint: Option<Endpoint>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<EndpointSlot>() == 640);

/// Bytes of the hot part of an end point.
const HOT: usize = std::mem::offset_of!(Endpoint, conn);

/// All connections of a host.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    slots: Chunked<EndpointSlot, 128>,
    free: Vec<u32>,
    peak: u32,
}

impl Endpoints {
    pub(super) fn insert(&mut self, endpoint: Endpoint) -> SocketId {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.slots.push(EndpointSlot::default()),
        };
        let place = &mut self.slots[slot];
        place.endpoint = Some(endpoint);
        let generation = place.generation;
        self.peak = self.peak.max(self.len());
        SocketId { slot, generation }
    }

    /// Removes a connection and frees its slot; its timer must be off.
    pub(super) fn remove(&mut self, slot: u32) {
        let place = &mut self.slots[slot];
        place.endpoint = None;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot);
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, slot: u32) -> Option<&mut EndpointSlot> {
        self.slots.get_mut(slot)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Endpoint> {
        self.slots.get(slot)?.endpoint.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Endpoint> {
        self.slots.get_mut(slot)?.endpoint.as_mut()
    }

    /// Prefetches the timer of a slot.
    #[inline]
    pub(super) fn prefetch_timer(&self, slot: u32) {
        if let Some(place) = self.slots.get(slot) {
            prefetch(&place.timer);
        }
    }

    /// Prefetches the hot part of a slot.
    #[inline]
    pub(super) fn prefetch(&self, slot: u32) {
        if let Some(place) = self.slots.get(slot) {
            prefetch_start(place, std::mem::offset_of!(EndpointSlot, endpoint) + HOT);
        }
    }

    /// Prefetches a slot if its timer, already in the cache, is about to fire.
    #[inline]
    pub(super) fn prefetch_if_due(&self, slot: u32) {
        if self.slots.get(slot).is_some_and(|s| s.timer.is_due_next()) {
            self.prefetch(slot);
        }
    }

    /// The connections, by slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        (0..self.slots.len() as u32).filter_map(|slot| self.get(slot))
    }

    /// Number of slots, in use or not.
    pub(super) fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(super) fn id(&self, slot: u32) -> SocketId {
        SocketId::new(slot, self.slots[slot].generation)
    }

    /// The slot of a socket, if its connection still exists.
    pub(super) fn live(&self, id: SocketId) -> Option<u32> {
        let place = self.slots.get(id.slot)?;
        (place.generation == id.generation && place.endpoint.is_some()).then_some(id.slot)
    }

    pub(super) fn len(&self) -> u32 {
        (self.slots.len() - self.free.len()) as u32
    }

    pub(super) fn peak(&self) -> u32 {
        self.peak
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.free.capacity() * 4
    }
}
