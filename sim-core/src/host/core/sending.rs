//! How a packet gets onto a link: through impairments and queue, or not at all if it is lost.

use std::net::Ipv4Addr;

use super::Core;
use crate::event::{Event, EventKind, LinkId, NodeId, Tie};
use crate::event_queue::EventQueue;
use crate::host::Host;
use crate::link::{Fate, Served};
use crate::loss_cause::{Loss, LossCause};
use crate::packet::PacketRef;
use crate::queue_disc::{QueueDrop, QueuedPacket};
use crate::record::Record;
use crate::time::SimTime;

impl<H: Host> Core<H> {
    #[inline]
    pub(crate) fn draw_tie(&mut self, node: NodeId) -> Tie {
        let counter = &mut self.counters[node.0 as usize];
        let tie = Tie::new(node, *counter);
        *counter += 1;
        tie
    }

    /// Sends the packet in the slab, `size` bytes to `dst`, from `node` on the link towards its
    /// destination, with `tie` as the key of its arrival.
    // Always inlined: this runs for every packet at every hop.
    #[inline(always)]
    pub(crate) fn forward(
        &mut self,
        node: NodeId,
        (at, dst, size): (PacketRef, Ipv4Addr, u32),
        tie: Tie,
        now: SimTime,
        event: Tie,
    ) {
        let Some(link) = self.network.next_link(node, dst) else {
            self.unrouted += 1;
            self.lose_at(node, at, LossCause::NoRoute, now, event);
            return;
        };
        let place = self.transmitter_of[link.0 as usize];
        let transmitter = &mut self.transmitters[place as usize];
        let (part, wire) = (transmitter.part, transmitter.wire);
        match transmitter.offer(size, now) {
            Fate::Lost(cause) => self.lose_on(node, link, at, cause, now, event),
            Fate::Arrives {
                at: time,
                corrupt,
                duplicate,
            } => {
                if corrupt {
                    self.packets.get_mut(at).corrupt = true;
                }
                if duplicate {
                    self.launch_twice(node, (part, wire), time, tie, at);
                } else {
                    self.launch(part, wire, time, tie, at);
                }
            }
            Fate::Waits => self.enqueue(node, place, at, now, event),
            Fate::Inspect => self.inspect(node, place, (at, tie), now, event),
        }
    }

    /// Passes a packet to the filter of a link, and sends it if it is not dropped.
    #[cold]
    fn inspect(
        &mut self,
        node: NodeId,
        place: u32,
        (at, tie): (PacketRef, Tie),
        now: SimTime,
        event: Tie,
    ) {
        let packet = self.packets.get_mut(at);
        let filter = self.filters.get_mut(&place);
        let dropped = filter.is_some_and(|filter| filter.drops(packet));
        let transmitter = &mut self.transmitters[place as usize];
        let (part, wire) = (transmitter.part, transmitter.wire);
        let link = Some(transmitter.link);
        match transmitter.offer_inspected(packet.size, now, dropped) {
            Fate::Lost(cause) => self.lose(at, Loss { node, link, cause }, now, event),
            Fate::Arrives {
                at: time,
                corrupt,
                duplicate,
            } => {
                packet.corrupt |= corrupt;
                if duplicate {
                    self.launch_twice(node, (part, wire), time, tie, at);
                } else {
                    self.launch(part, wire, time, tie, at);
                }
            }
            Fate::Waits => self.enqueue(node, place, at, now, event),
            Fate::Inspect => {}
        }
    }

    /// Sends a packet and a copy right behind it.
    #[cold]
    fn launch_twice(
        &mut self,
        node: NodeId,
        (part, wire): (u32, u32),
        time: SimTime,
        tie: Tie,
        at: PacketRef,
    ) {
        let copy = self.packets.get_mut(at).clone();
        let copy = self.packets.insert(copy);
        self.launch(part, wire, time, tie, at);
        let tie = self.draw_tie(node);
        self.launch(part, wire, time, tie, copy);
    }

    /// Puts a packet into the managed queue of the transmitter at `place`, and sends what can be
    /// sent.
    #[inline(never)]
    fn enqueue(&mut self, node: NodeId, place: u32, at: PacketRef, now: SimTime, event: Tie) {
        let packet = self.packets.get_mut(at);
        let ends = (packet.src, packet.dst);
        let flow = H::flow(packet);
        let queued = QueuedPacket::new(at, packet.size, packet.tos, ends, flow, now);
        let mut dropped = std::mem::take(&mut self.dropped);
        self.transmitters[place as usize].enqueue(queued, now, &mut dropped);
        self.dropped = dropped;
        self.serve(node, place, now, event);
    }

    /// Sends packets from the managed queue at `place` while its link is free, and schedules an event if some
    /// must wait. `event` is the one being handled.
    fn serve(&mut self, node: NodeId, place: u32, now: SimTime, event: Tie) {
        let mut dropped = std::mem::take(&mut self.dropped);
        loop {
            let transmitter = &mut self.transmitters[place as usize];
            let link = transmitter.link;
            let end = (transmitter.part, transmitter.wire);
            let served = transmitter.serve(now, &mut dropped);
            for (packet, why) in dropped.drain(..) {
                let cause = match why {
                    QueueDrop::Full => LossCause::QueueFull,
                    QueueDrop::Early => LossCause::QueueEarly,
                    QueueDrop::Policed => LossCause::Policed,
                };
                let link = Some(link);
                self.lose(packet.place, Loss { node, link, cause }, now, event);
            }
            let Served::Sent(queued, fate) = served else {
                break;
            };
            self.dispatch(node, link, end, &queued, fate, now, event);
        }
        self.dropped = dropped;
        if let Some(time) = self.transmitters[place as usize].next_wake(now) {
            let tie = self.draw_tie(node);
            self.queue.push(Event {
                time,
                tie,
                data: 0,
                target: place,
                kind: EventKind::Departure,
            });
        }
    }

    /// Sends a packet that a managed queue has released. The key of its arrival is made now, so
    /// that arrivals follow the order of departure.
    #[expect(
        clippy::too_many_arguments,
        reason = "a link direction, a packet and an instant"
    )]
    fn dispatch(
        &mut self,
        node: NodeId,
        link: LinkId,
        (part, wire): (u32, u32),
        queued: &QueuedPacket,
        fate: Fate,
        now: SimTime,
        event: Tie,
    ) {
        let at = queued.place;
        match fate {
            Fate::Lost(cause) => {
                let link = Some(link);
                self.lose(at, Loss { node, link, cause }, now, event);
            }
            Fate::Arrives {
                at: time,
                corrupt,
                duplicate,
            } => {
                let packet = self.packets.get_mut(at);
                packet.corrupt |= corrupt;
                packet.tos = queued.tos();
                let tie = self.draw_tie(node);
                if duplicate {
                    self.launch_twice(node, (part, wire), time, tie, at);
                } else {
                    self.launch(part, wire, time, tie, at);
                }
            }
            Fate::Waits | Fate::Inspect => {}
        }
    }

    /// A transmission has ended, or a discipline is ready to send again.
    #[inline(never)]
    pub(crate) fn depart(&mut self, place: u32, now: SimTime, event: Tie) {
        let transmitter = &mut self.transmitters[place as usize];
        if transmitter.is_due(now) {
            let node = self.network.links()[transmitter.link.0 as usize].from;
            self.serve(node, place, now, event);
        }
    }

    #[cold]
    pub(crate) fn lose_at(
        &mut self,
        node: NodeId,
        at: PacketRef,
        cause: LossCause,
        now: SimTime,
        event: Tie,
    ) {
        let loss = Loss {
            node,
            link: None,
            cause,
        };
        self.lose(at, loss, now, event);
    }

    #[inline(never)]
    fn lose_on(
        &mut self,
        node: NodeId,
        link: LinkId,
        at: PacketRef,
        cause: LossCause,
        now: SimTime,
        event: Tie,
    ) {
        let link = Some(link);
        self.lose(at, Loss { node, link, cause }, now, event);
    }

    pub(crate) fn lose(&mut self, at: PacketRef, loss: Loss, now: SimTime, event: Tie) {
        let packet = self.packets.remove(at);
        if let Some(sample) = H::lost(&packet, loss) {
            self.records.push(Record {
                time: now,
                tie: event,
                node: loss.node,
                sample,
            });
        }
    }
}
