//! A partition: a part of the network that runs independently between two exchanges of mail.

use std::sync::Arc;

use crate::event::{Event, EventKind, LinkId, NodeId, Tie};
use crate::event_queue::{AnyEventQueue, EventQueue};
use crate::host::core::{Core, Mailbag};
use crate::host::{Cx, Host};
use crate::link::{LinkStats, QueueTrace, Transmitter};
use crate::loss_cause::LossCause;
use crate::network::Network;
use crate::packet::PacketRef;
use crate::partition_map::PartitionMap;
use crate::time::{SimDuration, SimTime};

mod look_ahead;
mod mail;
mod object_bytes;
mod outages;

pub(crate) use look_ahead::LookAhead;
pub use object_bytes::ObjectBytes;

/// Nodes of one partition, their links and their events. Aligned so that partitions share no cache line, nor a
/// pair of lines that are fetched together.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Partition<H: Host> {
    pub(crate) core: Core<H>,
    /// In order of node number.
    pub(crate) hosts: Vec<H>,
    pub(crate) ahead: LookAhead,
    /// By sending partition.
    inbox: Vec<Mailbag<H::Payload>>,
    /// Partitions with mail in the inbox.
    senders: Vec<u32>,
    /// Time of the first event pending or in the inbox, as of the last window.
    next: Option<SimTime>,
}

impl<H: Host> Partition<H> {
    /// The partition `me` of `assignment` with its hosts.
    pub(crate) fn new(
        me: u32,
        network: &Arc<Network>,
        assignment: &Arc<PartitionMap>,
        hosts: Vec<H>,
        queue: AnyEventQueue,
        seed: u64,
        look_ahead: SimDuration,
    ) -> Partition<H> {
        let mut core = Core::new(me, network, assignment, queue, seed, look_ahead);
        for node in assignment.nodes_with_hosts(me) {
            let tie = core.draw_tie(node);
            core.queue.push(Event {
                time: SimTime::ZERO,
                tie,
                data: 0,
                target: node.0,
                kind: EventKind::Start,
            });
        }
        for outage in network.outages() {
            if assignment.part_of(outage.node) == me {
                core.schedule_outage(outage);
            }
        }
        let inbox = (0..assignment.parts).map(|_| Mailbag::default()).collect();
        let next = core.queue.next_time();
        Partition {
            core,
            hosts,
            ahead: LookAhead::default(),
            inbox,
            senders: Vec::new(),
            next,
        }
    }

    /// Time of the first event pending or in the inbox.
    pub(crate) fn next_time(&self) -> Option<SimTime> {
        self.next
    }

    /// Takes its mail, then runs at most `limit` events strictly before `horizon`, and before an
    /// answer to its own mail can arrive; returns the number of events run.
    pub(crate) fn run_before(&mut self, horizon: SimTime, limit: u64) -> u64 {
        self.take_mail();
        self.core.horizon = horizon;
        self.consider_looking_ahead();
        let mut done = 0;
        while done < limit {
            let Some(event) = self.core.queue.pop_before(self.core.horizon) else {
                break;
            };
            done += 1;
            if self.ahead.is_on {
                self.look_ahead(event);
            }
            self.handle(event);
        }
        self.core.events += done;
        self.core.max_pending = self.core.max_pending.max(self.core.queue.len());
        self.core.max_packets = self.core.max_packets.max(self.core.packets.len());
        self.next = self.core.queue.next_time();
        done
    }

    /// Calls [`Host::on_end`] of every host.
    pub(crate) fn end(&mut self, now: SimTime) {
        let assignment = Arc::clone(&self.core.assignment);
        let nodes = assignment.nodes_with_hosts(self.core.me);
        for (node, host) in nodes.zip(&mut self.hosts) {
            let tie = self.core.draw_tie(node);
            host.on_end(&mut Cx {
                core: &mut self.core,
                node,
                now,
                tie,
            });
        }
    }

    fn handle(&mut self, event: Event) {
        let (now, tie) = (event.time, event.tie);
        match event.kind {
            EventKind::Arrival => {
                self.arrive(event.target, PacketRef::from_data(event.data), now, tie);
            }
            EventKind::Departure => self.core.depart(event.target, now, tie),
            EventKind::Outage => self.go_down_or_up(event),
            EventKind::Timer | EventKind::Start => {
                let node = NodeId(event.target);
                if !self.core.outages.is_empty() && self.core.is_cancelled(node, tie) {
                    return;
                }
                let place = self.core.assignment.place_of(node.0);
                let host = &mut self.hosts[place as usize];
                let mut cx = Cx {
                    core: &mut self.core,
                    node,
                    now,
                    tie,
                };
                if event.kind == EventKind::Start {
                    host.on_start(&mut cx);
                } else {
                    host.on_timer(event.data, &mut cx);
                }
            }
        }
    }

    fn arrive(&mut self, wire: u32, at: PacketRef, now: SimTime, tie: Tie) {
        let core = &mut self.core;
        let (node, host) = core.land(wire, at);
        if !core.outages.is_empty() && core.is_down(node) {
            core.lose_at(node, at, LossCause::NodeDown, now, tie);
            return;
        }
        let packet = core.packets.get_mut(at);
        let Some(host) = self.hosts.get_mut(host as usize) else {
            if packet.ttl <= 1 {
                core.lose_at(node, at, LossCause::TtlExpired, now, tie);
                return;
            }
            packet.ttl -= 1;
            let head = (at, packet.dst, packet.size);
            let next_tie = core.draw_tie(node);
            core.forward(node, head, next_tie, now, tie);
            return;
        };
        if core.network.owner(packet.dst) != Some(node) {
            if core.network.nodes()[node.0 as usize].kind.forwards() {
                let packet = core.packets.remove(at);
                host.on_transit(
                    packet,
                    &mut Cx {
                        core,
                        node,
                        now,
                        tie,
                    },
                );
                return;
            }
            core.unrouted += 1;
            core.lose_at(node, at, LossCause::NoRoute, now, tie);
            return;
        }
        let packet = core.packets.remove(at);
        let mut cx = Cx {
            core,
            node,
            now,
            tie,
        };
        host.on_packet(packet, &mut cx);
    }

    /// Counters of the links this partition sends on.
    pub(crate) fn link_stats(&self) -> impl Iterator<Item = (LinkId, LinkStats)> {
        self.core.transmitters.iter().map(|t| (t.link, t.stats()))
    }

    /// Starts to record the queue history of those `links` on which this partition sends.
    pub(crate) fn watch(&mut self, links: &[LinkId]) {
        for link in links {
            let place = self.core.transmitter_of.get(link.0 as usize);
            let own = place.and_then(|place| self.core.transmitters.get_mut(*place as usize));
            if let Some(transmitter) = own {
                transmitter.watch();
            }
        }
    }

    /// The recorded histories of its queues.
    pub(crate) fn queue_traces(&self) -> impl Iterator<Item = &QueueTrace> {
        self.core.transmitters.iter().filter_map(Transmitter::trace)
    }

    /// True if no event is pending and no packet in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.next_time().is_none() && self.core.packets.len() == 0
    }

    pub(crate) fn unrouted(&self) -> u64 {
        self.core.unrouted
    }

    pub(crate) fn packet_bytes(&self) -> usize {
        self.core.packets.capacity_bytes()
    }

    pub(crate) fn link_bytes(&self) -> usize {
        let (senders, wires) = (&self.core.transmitters, &self.core.wires);
        let boxed = senders.iter().map(Transmitter::boxed_bytes).sum::<usize>();
        boxed + size_of_val(senders.as_slice()) + size_of_val(wires.as_slice())
    }

    /// The hosts, in order of node number.
    pub(crate) fn into_hosts(self) -> Vec<H> {
        self.hosts
    }
}
