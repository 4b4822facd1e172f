//! Announces upcoming events to hosts, some events ahead, so that they can prefetch the memory needed.
//!
//! ```text
//!   wheel: slots not yet sorted ──► timers ──┐
//!   wire: packets behind the first ──────────┼─► Host::look_ahead ──► key ──► once more, later
//! ```
//!
//! Used only if a partition's state is too large for the caches. No result of a run depends on it.

use std::collections::VecDeque;

use super::Partition;
use crate::event::{Event, EventKind};
use crate::event_queue::EventQueue;
use crate::host::{Host, Upcoming};
use crate::packet::PacketRef;

/// Packets on all wires together that are announced before they are first on their wire.
const ON_WIRES: usize = 64;
/// The most such packets on one wire.
const ON_WIRE: u32 = 16;
/// Announcements that wait for their first prefetch to complete.
const WAITING: usize = 4;

/// Room for announcements: the queue shows this many events at once, or more where many are due together.
const AT_ONCE: usize = 128;

/// How far a partition has looked.
#[derive(Debug, Default)]
pub(crate) struct LookAhead {
    pub(crate) is_on: bool,
    /// Number of pending events and packets in flight at which it starts to look ahead.
    pub(crate) from: usize,
    /// By wire.
    cursors: Vec<WirePosition>,
    /// Packets to announce on each wire.
    on_wire: u32,
    /// Indices of hosts, and packets to announce to them.
    packets: VecDeque<(u32, PacketRef)>,
    /// Indices of hosts, and the keys they have returned.
    keys: VecDeque<(u32, u64)>,
}

/// The last packet announced on a wire.
#[derive(Clone, Copy, Debug, Default)]
struct WirePosition {
    at: Option<PacketRef>,
    /// Packets from the first one of the wire to this one.
    gap: u32,
}

impl<H: Host> Partition<H> {
    /// Starts looking ahead if enough is pending, and stops otherwise.
    pub(crate) fn consider_looking_ahead(&mut self) {
        let pending = self.core.queue.len() + self.core.packets.len();
        let wires = self.core.wires.len();
        self.ahead.switch(pending >= self.ahead.from, wires);
    }

    /// Announces what follows an event that is about to be handled.
    #[cold]
    pub(crate) fn look_ahead(&mut self, event: Event) {
        let (core, hosts, ahead) = (&mut self.core, &self.hosts, &mut self.ahead);
        let LookAhead {
            cursors,
            on_wire,
            packets,
            keys,
            ..
        } = ahead;
        let host = |place: u32| hosts.get(place as usize);
        if event.kind == EventKind::Arrival {
            let wire = &core.wires[event.target as usize];
            if !wire.disorders {
                let first = PacketRef::from_data(event.data);
                cursors[event.target as usize].step(first, *on_wire, |packet| {
                    let next = core.packets.next_of(packet)?;
                    core.packets.prefetch(next);
                    packets.push_back((wire.host, next));
                    Some(next)
                });
            }
        }
        let (places, slab, wires) = (&core.assignment, &core.packets, &core.wires);
        core.queue.show_upcoming(&mut |event| match event.kind {
            EventKind::Timer => {
                let place = places.place_of(event.target);
                let key = host(place).and_then(|h| h.look_ahead(Upcoming::Timer(event.data)));
                keys.extend(key.map(|key| (place, key)));
            }
            EventKind::Arrival => {
                let packet = PacketRef::from_data(event.data);
                slab.prefetch(packet);
                packets.push_back((wires[event.target as usize].host, packet));
            }
            EventKind::Start | EventKind::Departure | EventKind::Outage => {}
        });
        while packets.len() > WAITING
            && let Some((place, packet)) = packets.pop_front()
        {
            if let (Some(host), Some(packet)) = (host(place), slab.get(packet)) {
                let key = host.look_ahead(Upcoming::Packet(packet));
                keys.extend(key.map(|key| (place, key)));
            }
        }
        // Only those waiting now: a host may return another key each time it is called.
        for _ in WAITING..keys.len() {
            if let Some((place, key)) = keys.pop_front()
                && let Some(key) = host(place).and_then(|h| h.look_ahead(Upcoming::Again(key)))
            {
                keys.push_back((place, key));
            }
        }
    }
}

impl LookAhead {
    /// Number of pending events and packets in flight at which it begins to save time: below that,
    /// most of what hosts need is in the caches, and looking ahead costs more than it saves
    /// (`synfin bench growth`).
    pub(crate) const WORTH_WHILE: usize = 1 << 16;

    #[inline]
    fn switch(&mut self, on: bool, wires: usize) {
        if on != self.is_on {
            self.is_on = on;
            self.on_wire = (ON_WIRES / wires.max(1)).clamp(1, ON_WIRE as usize) as u32;
            self.packets.clear();
            self.keys.clear();
            if on {
                self.packets.reserve(AT_ONCE);
                self.keys.reserve(AT_ONCE);
            }
            // The packets at the cursors may be gone.
            self.cursors.clear();
            self.cursors
                .resize(if on { wires } else { 0 }, WirePosition::default());
        }
    }
}

impl WirePosition {
    /// Announces packets up to `most` ahead of `first`, which is about to leave the wire. `look` announces the
    /// packet after the given one and returns it.
    #[inline]
    fn step(
        &mut self,
        first: PacketRef,
        most: u32,
        mut look: impl FnMut(PacketRef) -> Option<PacketRef>,
    ) {
        if self.gap == 0 {
            self.at = Some(first);
        } else {
            self.gap -= 1;
        }
        while self.gap < most {
            let Some(next) = self.at.and_then(&mut look) else {
                break;
            };
            self.at = Some(next);
            self.gap += 1;
        }
    }
}
