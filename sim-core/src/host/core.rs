//! The state of a partition without its hosts, on which a host acts while it handles an event.

mod mail;
mod outages;
mod sending;
mod wires;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Host, PacketFilter};
use crate::event::LinkId;
use crate::event_queue::AnyEventQueue;
use crate::link::{Transmitter, Wire};
use crate::network::Network;
use crate::packet::{Packet, Slab};
use crate::partition_map::PartitionMap;
use crate::queue_disc::{QueueDrop, QueuedPacket};
use crate::record::Record;
use crate::time::{SimDuration, SimTime};
pub(crate) use mail::Mailbag;
use outages::NodeState;

/// The state of a partition without its hosts, so that a host can be borrowed at the same time.
#[derive(Debug)]
pub(crate) struct Core<H: Host> {
    pub(crate) me: u32,
    pub(crate) network: Arc<Network>,
    pub(crate) assignment: Arc<PartitionMap>,
    pub(crate) queue: AnyEventQueue,
    pub(crate) packets: Slab<Packet<H::Payload>>,
    pub(crate) scratch: H::Scratch,
    /// Transmitters of the links on which this partition sends, in order of link number.
    pub(crate) transmitters: Vec<Transmitter>,
    /// Place in `transmitters` by link number.
    pub(crate) transmitter_of: Vec<u32>,
    /// Wires of the links on which this partition receives, in order of link number.
    pub(crate) wires: Vec<Wire>,
    pub(crate) counters: Vec<u64>,
    pub(crate) seed: u64,
    /// By receiving partition.
    pub(crate) outbox: Vec<Mailbag<H::Payload>>,
    /// Partitions with mail in the outbox.
    pub(crate) mailed: Vec<u32>,
    /// How far this partition may run: nothing from other partitions can arrive before that.
    pub(crate) horizon: SimTime,
    /// The shortest delay of a link between partitions.
    pub(crate) look_ahead: SimDuration,
    pub(crate) records: Vec<Record<H::Sample>>,
    pub(crate) events: u64,
    pub(crate) max_pending: usize,
    pub(crate) max_packets: usize,
    pub(crate) unrouted: u64,
    /// Nodes that go down at some time: whether they are down, and which of their wakes a crash has
    /// cancelled.
    pub(crate) outages: FxHashMap<u32, NodeState>,
    /// Packets dropped by managed queues during a call; empty between events.
    pub(crate) dropped: Vec<(QueuedPacket, QueueDrop)>,
    /// Filters of the few links that have one, by their place in `transmitters`.
    pub(crate) filters: FxHashMap<u32, Box<dyn PacketFilter<H::Payload>>>,
}

impl<H: Host> Core<H> {
    /// The state of partition `me` at time zero, without an event.
    pub(crate) fn new(
        me: u32,
        network: &Arc<Network>,
        assignment: &Arc<PartitionMap>,
        queue: AnyEventQueue,
        seed: u64,
        look_ahead: SimDuration,
    ) -> Core<H> {
        let links = network.links();
        let mut transmitters = Vec::new();
        let mut transmitter_of = vec![u32::MAX; links.len()];
        let mut wires = Vec::new();
        let mut filters = FxHashMap::default();
        // Each partition numbers the wires that end in it.
        let mut wires_of = vec![0u32; assignment.parts];
        for (link, spec) in (0u32..).map(LinkId).zip(links) {
            let (from, to) = (assignment.part_of(spec.from), assignment.part_of(spec.to));
            let wire = &mut wires_of[to as usize];
            if from == me {
                let named = &spec.impairments.drop_named;
                if let Some(filter) = Some(named)
                    .filter(|n| !n.is_empty())
                    .and_then(|n| H::packet_filter(n))
                {
                    filters.insert(transmitters.len() as u32, filter);
                }
                transmitter_of[link.0 as usize] = transmitters.len() as u32;
                transmitters.push(Transmitter::new(link, spec, seed, to, *wire));
            }
            if to == me {
                let host = assignment.place[spec.to.0 as usize];
                wires.push(Wire::new(spec, host));
            }
            *wire += 1;
        }
        Core {
            me,
            network: Arc::clone(network),
            assignment: Arc::clone(assignment),
            queue,
            packets: Slab::default(),
            scratch: H::Scratch::default(),
            transmitters,
            transmitter_of,
            wires,
            counters: vec![0; network.nodes().len()],
            seed,
            outbox: (0..assignment.parts).map(|_| Mailbag::default()).collect(),
            mailed: Vec::new(),
            horizon: SimTime::ZERO,
            look_ahead,
            records: Vec::new(),
            events: 0,
            max_pending: 0,
            max_packets: 0,
            unrouted: 0,
            outages: FxHashMap::default(),
            dropped: Vec::new(),
            filters,
        }
    }
}
