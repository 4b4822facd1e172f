//! Packets on the wires that end in a partition: only the first packet of each wire has an event.

use super::Core;
use crate::event::{Event, EventKind, NodeId, Tie};
use crate::event_queue::EventQueue;
use crate::host::Host;
use crate::packet::{Flight, PacketRef};
use crate::time::SimTime;

impl<H: Host> Core<H> {
    /// Puts a packet on a wire of partition `part`.
    #[inline(always)]
    pub(crate) fn launch(
        &mut self,
        part: u32,
        wire: u32,
        at: SimTime,
        tie: Tie,
        packet: PacketRef,
    ) {
        if part == self.me {
            self.board(wire, at, tie, packet);
            return;
        }
        self.mail(part, wire, at, tie, packet);
    }

    #[inline(always)]
    pub(crate) fn board(&mut self, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
        let place = &mut self.wires[wire as usize];
        if !place.disorders {
            let last = place.last.replace(packet);
            let next = None;
            *self.packets.flight_mut(packet) = Flight { at, tie, next };
            if let Some(last) = last {
                let ahead = self.packets.flight_mut(last);
                debug_assert!((ahead.at, ahead.tie) < (at, tie), "arrivals in order");
                ahead.next = Some(packet);
                return;
            }
        }
        self.queue.push(arrival(wire, at, tie, packet));
    }

    /// Takes a packet off its wire and schedules the event of the next one. Returns the node where the packet
    /// arrives, and the index of its host.
    #[inline(always)]
    pub(crate) fn land(&mut self, wire: u32, packet: PacketRef) -> (NodeId, u32) {
        let place = &mut self.wires[wire as usize];
        if !place.disorders {
            match self.packets.flight_mut(packet).next {
                Some(next) => {
                    let Flight { at, tie, .. } = *self.packets.flight_mut(next);
                    self.queue.push(arrival(wire, at, tie, next));
                }
                None => place.last = None,
            }
        }
        (place.to, place.host)
    }
}

#[inline]
fn arrival(wire: u32, time: SimTime, tie: Tie, packet: PacketRef) -> Event {
    Event {
        time,
        tie,
        data: packet.as_data(),
        target: wire,
        kind: EventKind::Arrival,
    }
}
