//! The engine's interface for a host that handles an event.

use std::net::Ipv4Addr;

use super::Host;
use super::core::Core;
use crate::event::{Event, EventKind, NodeId, Tie};
use crate::event_queue::EventQueue as _;
use crate::loss_cause::{Loss, LossCause};
use crate::network::Network;
use crate::packet::{Outgoing, Packet};
use crate::record::Record;
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};

/// The engine's interface for a host that handles an event.
#[derive(Debug)]
pub struct Cx<'a, H: Host> {
    pub(crate) core: &'a mut Core<H>,
    pub(crate) node: NodeId,
    pub(crate) now: SimTime,
    pub(crate) tie: Tie,
}

impl<H: Host> Cx<'_, H> {
    /// The current time.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The node that is running.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The name of the node that is running.
    pub fn name(&self) -> &str {
        self.core.network.name(self.node)
    }

    /// The first address of the node that is running.
    pub fn address(&self) -> Ipv4Addr {
        let first = self.core.network.address(self.node);
        first.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// The addresses of the node that is running, in order.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<H> {
        self.core.network.addresses(self.node)
    }

    /// The first address of the host of that name. Searches all nodes, so keep the result.
    pub fn address_of(&self, name: &str) -> Option<Ipv4Addr> {
        let network = &self.core.network;
        network.address(network.node(name)?)
    }

    /// The network to which this node belongs.
    pub fn network(&self) -> &Network {
        &self.core.network
    }

    /// The seed of the run, for draws that several nodes must agree on.
    pub fn seed(&self) -> u64 {
        self.core.seed
    }

    /// This node's random stream for `purpose`. Keep it: each call starts it from its beginning.
    pub fn rng(&self, purpose: &str) -> Rng {
        Rng::stream(self.core.seed, purpose, u64::from(self.node.0))
    }

    /// Sends a packet; returns its number, unique in the run. A source that is left out
    /// ([`Outgoing::to`]) becomes the first address of this node.
    // Always inlined, so that the packet is constructed in its slot.
    #[inline(always)]
    pub fn send(&mut self, packet: Outgoing<H::Payload>) -> u64 {
        let tie = self.core.draw_tie(self.node);
        let id = tie.as_u64();
        let src = if packet.src.is_unspecified() {
            self.address()
        } else {
            packet.src
        };
        let packet = Packet {
            id,
            src,
            dst: packet.dst,
            size: packet.size,
            ttl: packet.ttl,
            tos: packet.tos,
            corrupt: false,
            payload: packet.payload,
        };
        let (dst, size) = (packet.dst, packet.size);
        let at = self.core.packets.insert(packet);
        self.core
            .forward(self.node, (at, dst, size), tie, self.now, self.tie);
        id
    }

    /// Forwards a packet that arrived at a gateway, changed or not, with its TTL decremented. It keeps its
    /// number. If its TTL runs out, it is lost here.
    #[inline(never)]
    pub fn pass_on(&mut self, mut packet: Packet<H::Payload>) {
        if packet.ttl <= 1 {
            self.drop_packet(packet, LossCause::TtlExpired);
            return;
        }
        packet.ttl -= 1;
        let (dst, size) = (packet.dst, packet.size);
        let tie = self.core.draw_tie(self.node);
        let at = self.core.packets.insert(packet);
        self.core
            .forward(self.node, (at, dst, size), tie, self.now, self.tie);
    }

    /// Drops a packet that arrived at this node, and records the loss.
    pub fn drop_packet(&mut self, packet: Packet<H::Payload>, cause: LossCause) {
        let (node, link) = (self.node, None);
        if let Some(sample) = H::lost(&packet, Loss { node, link, cause }) {
            self.record(sample);
        }
    }

    /// Sends one packet to each of several destinations, in order; returns how many.
    pub fn multicast(
        &mut self,
        to: impl IntoIterator<Item = Ipv4Addr>,
        packet: &Outgoing<H::Payload>,
    ) -> usize {
        let mut sent = 0;
        for dst in to {
            self.send(Outgoing {
                dst,
                ..packet.clone()
            });
            sent += 1;
        }
        sent
    }

    /// Requests a call of [`Host::on_timer`] with `token` at `at`, or now if that is past.
    pub fn wake(&mut self, at: SimTime, token: u64) {
        let mut tie = self.core.draw_tie(self.node);
        let time = at.max(self.now);
        if time == self.now {
            tie = tie.at_same_instant();
        }
        let target = self.node.0;
        self.core.queue.push(Event {
            time,
            tie,
            data: token,
            target,
            kind: EventKind::Timer,
        });
    }

    /// Requests a call of [`Host::on_timer`] with `token` after `delay`.
    pub fn wake_in(&mut self, delay: SimDuration, token: u64) {
        self.wake(self.now.saturating_add(delay), token);
    }

    /// The working memory of the partition.
    #[inline]
    pub fn scratch(&mut self) -> &mut H::Scratch {
        &mut self.core.scratch
    }

    /// Writes a record.
    pub fn record(&mut self, sample: H::Sample) {
        let (time, tie, node) = (self.now, self.tie, self.node);
        self.core.records.push(Record {
            time,
            tie,
            node,
            sample,
        });
    }
}
