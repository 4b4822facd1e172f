//! The network as data: nodes, links, addresses; checked once, then shared and immutable.

mod builder;
mod error;
pub mod routing;

use std::net::Ipv4Addr;

use crate::event::{LinkId, NodeId, Tie};
pub use crate::impairments::Impairments;
use crate::impairments::{AnyRate, LossSpec};
use crate::plugin::Plugin;
use crate::queue_disc::{QueueLimit, QueueSpec};
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;
pub use builder::NetworkBuilder;
pub use error::NetworkError;
use routing::Routes;

/// The first address of the simulated address space, 10.0.0.1.
pub const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Runs a protocol; owns this many consecutive addresses, at least one. Forwards nothing.
    Host {
        /// Number of addresses.
        addresses: u32,
    },
    /// Forwards packets; has no address.
    Router,
    /// Runs a protocol and is on the path of others: it owns this many consecutive addresses, and its
    /// [`Host`](crate::Host) can change, forward or drop the packets that pass
    /// ([`Host::on_transit`](crate::Host::on_transit)). For example a NAT, firewall or load balancer.
    Gateway {
        /// Number of addresses; may be zero.
        addresses: u32,
    },
}

impl NodeKind {
    /// Number of addresses it owns.
    pub const fn addresses(self) -> u32 {
        match self {
            NodeKind::Host { addresses: 0 } => 1,
            NodeKind::Host { addresses } | NodeKind::Gateway { addresses } => addresses,
            NodeKind::Router => 0,
        }
    }

    /// True if packets may pass through it.
    pub const fn forwards(self) -> bool {
        !matches!(self, NodeKind::Host { .. })
    }

    /// True when it has a [`Host`](crate::Host).
    pub const fn has_host(self) -> bool {
        !matches!(self, NodeKind::Router)
    }
}

/// A period during which a node is down.
///
/// A packet that arrives during that time is lost. When a host or gateway goes down, all its pending wakes
/// are cancelled and it may drop its state ([`Host::on_crash`](crate::Host::on_crash)); when it comes up, it
/// starts again ([`Host::on_boot`](crate::Host::on_boot)). Packets already in its queues are still sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which node.
    pub node: NodeId,
    /// When it goes down.
    pub down: SimTime,
    /// When it comes up again, later; `None` for never.
    pub up: Option<SimTime>,
}

/// The description of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Unique name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
}

/// A change of a link at a given time. Fields that are `None` stay unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkChange {
    /// When.
    pub at: SimTime,
    /// New rate; transmissions in progress continue at it.
    pub rate: Option<Rate>,
    /// New propagation delay, for packets whose transmission ends from then on. A shorter delay
    /// does not let packets overtake: they arrive no earlier than those sent before them.
    pub delay: Option<SimDuration>,
    /// New loss probability, for packets offered from then on; it replaces a loss model.
    pub loss: Option<f64>,
    /// False: packets offered from then on are lost. True: the link works again.
    pub up: Option<bool>,
}

/// One direction of a link. A host may have a link to itself, its loopback, for packets to its own addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// Sending node: it owns queue and transmitter.
    pub from: NodeId,
    /// Receiving node.
    pub to: NodeId,
    /// Bit rate; `None` for no serialisation time.
    pub rate: Option<Rate>,
    /// Propagation delay, greater than zero.
    pub delay: SimDuration,
    /// What happens to packets that find the transmitter busy.
    pub queue: QueueSpec,
    /// How the rate varies; `None` if it does not.
    pub rate_process: Option<Plugin<AnyRate>>,
    /// Loss, bit errors, duplicates, reordering.
    pub impairments: Impairments,
    /// Changes during the run, in order of time.
    pub changes: Vec<LinkChange>,
}

impl LinkSpec {
    /// A lossless link with an unlimited queue.
    pub fn new(from: NodeId, to: NodeId, rate: Option<Rate>, delay: SimDuration) -> LinkSpec {
        LinkSpec {
            from,
            to,
            rate,
            delay,
            queue: QueueLimit::Unlimited.into(),
            rate_process: None,
            impairments: Impairments::default(),
            changes: Vec::new(),
        }
    }

    /// Sets the queue: a [`QueueLimit`] or a discipline.
    #[must_use]
    pub fn with_queue(mut self, queue: impl Into<QueueSpec>) -> LinkSpec {
        self.queue = queue.into();
        self
    }

    /// Sets the loss: a probability or a model.
    #[must_use]
    pub fn with_loss(mut self, loss: impl Into<LossSpec>) -> LinkSpec {
        self.impairments.loss = loss.into();
        self
    }

    /// The same link in the opposite direction.
    pub fn reversed(&self) -> LinkSpec {
        LinkSpec {
            from: self.to,
            to: self.from,
            ..self.clone()
        }
    }

    /// The shortest propagation delay that the link ever has: its look-ahead.
    pub fn min_delay(&self) -> SimDuration {
        self.changes
            .iter()
            .filter_map(|c| c.delay)
            .fold(self.delay, SimDuration::min)
    }
}

/// A checked network with its addresses and routes; shared by all partitions.
#[derive(Clone, Debug)]
pub struct Network {
    nodes: Vec<NodeSpec>,
    links: Vec<LinkSpec>,
    first_address: Vec<u32>,
    owner_of_address: Vec<NodeId>,
    routes: Routes,
    outages: Vec<Outage>,
}

const MAX_ADDRESSES: u32 = (1 << 24) - 2;

impl Network {
    /// Checks the parts, numbers the addresses (10.0.0.1 onwards, in node order) and finds the
    /// routes.
    ///
    /// # Errors
    /// When a link has no delay or does not join two nodes, or a value is out of range.
    pub fn new(nodes: Vec<NodeSpec>, links: Vec<LinkSpec>) -> Result<Network, NetworkError> {
        if nodes.len() > Tie::MAX_NODES as usize {
            return Err(NetworkError::TooMany("nodes", Tie::MAX_NODES));
        }
        for (i, link) in links.iter().enumerate() {
            check_link(i, link, &nodes)?;
        }
        let mut first_address = Vec::with_capacity(nodes.len());
        let mut owner_of_address = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            first_address.push(owner_of_address.len() as u32);
            let count = node.kind.addresses() as usize;
            if owner_of_address.len() + count > MAX_ADDRESSES as usize {
                return Err(NetworkError::TooMany("addresses", MAX_ADDRESSES));
            }
            owner_of_address.extend(std::iter::repeat_n(NodeId(i as u32), count));
        }
        let routes = Routes::shortest_paths(&nodes, &links);
        Ok(Network {
            nodes,
            links,
            first_address,
            owner_of_address,
            routes,
            outages: Vec::new(),
        })
    }

    /// Adds outages of nodes, in any order.
    ///
    /// # Errors
    /// If an outage names a node that does not exist, does not end after it begins, or overlaps
    /// another one of the same node.
    pub fn with_outages(mut self, outages: Vec<Outage>) -> Result<Network, NetworkError> {
        let end = |o: &Outage| o.up.unwrap_or(SimTime::MAX);
        for (i, outage) in outages.iter().enumerate() {
            let overlaps = |other: &Outage| {
                other.node == outage.node && other.down <= end(outage) && outage.down <= end(other)
            };
            let known = (outage.node.0 as usize) < self.nodes.len();
            if !known || end(outage) <= outage.down || outages[..i].iter().any(overlaps) {
                return Err(NetworkError::Outage(i));
            }
        }
        self.outages = outages;
        Ok(self)
    }

    /// Outages of nodes.
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// All nodes, by number.
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.nodes
    }

    /// All link directions, by number.
    pub fn links(&self) -> &[LinkSpec] {
        &self.links
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes
            .iter()
            .position(|n| n.name == name)
            .map(|i| NodeId(i as u32))
    }

    /// The addresses of a node, in order; none for a router.
    pub fn addresses(&self, node: NodeId) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let first = self.first_address[node.0 as usize];
        let count = self.nodes[node.0 as usize].kind.addresses();
        let base = u32::from(FIRST_ADDRESS);
        (first..first + count).map(move |i| Ipv4Addr::from(base + i))
    }

    /// The first address of a host; none for a router.
    pub fn address(&self, node: NodeId) -> Option<Ipv4Addr> {
        self.addresses(node).next()
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.nodes[node.0 as usize].name
    }

    /// The hosts as [`Simulation::new`](crate::Simulation::new) takes them: `make(node)` for each host
    /// and gateway, `None` for each router.
    pub fn place<H>(&self, mut make: impl FnMut(NodeId) -> H) -> Vec<Option<H>> {
        let nodes = self.nodes.iter().zip(0..);
        nodes
            .map(|(node, i)| node.kind.has_host().then(|| make(NodeId(i))))
            .collect()
    }

    /// The node that owns an address.
    #[inline]
    pub fn owner(&self, address: Ipv4Addr) -> Option<NodeId> {
        let i = u32::from(address).checked_sub(u32::from(FIRST_ADDRESS))?;
        self.owner_of_address.get(i as usize).copied()
    }

    /// The link on which `node` sends towards `address`; `None` if there is no route.
    #[inline]
    pub fn next_link(&self, node: NodeId, address: Ipv4Addr) -> Option<LinkId> {
        self.routes.next_link(node, self.owner(address)?)
    }

    /// The link from a host to itself, its loopback, if it has one.
    pub fn loopback(&self, node: NodeId) -> Option<LinkId> {
        self.routes.next_link(node, node)
    }

    /// The propagation delay from one host to another along the route, without queueing and
    /// serialisation; `None` if there is no route.
    pub fn path_delay(&self, from: NodeId, to: NodeId) -> Option<SimDuration> {
        if let Some(own) = self.loopback(from).filter(|_| from == to) {
            return Some(self.links[own.0 as usize].delay);
        }
        let (mut at, mut delay) = (from, SimDuration::ZERO);
        for _ in 0..self.nodes.len() {
            if at == to {
                return Some(delay);
            }
            if !self.nodes[at.0 as usize].kind.forwards() && at != from {
                return None;
            }
            let link = &self.links[self.routes.next_link(at, to)?.0 as usize];
            delay += link.delay;
            at = link.to;
        }
        None
    }
}

fn check_link(i: usize, link: &LinkSpec, nodes: &[NodeSpec]) -> Result<(), NetworkError> {
    let name = |n: NodeId| nodes.get(n.0 as usize).map(|n| n.name.clone());
    let (Some(from), Some(to)) = (name(link.from), name(link.to)) else {
        return Err(NetworkError::BadEnds(i));
    };
    let is_host = matches!(nodes[link.from.0 as usize].kind, NodeKind::Host { .. });
    if link.from == link.to && !is_host {
        return Err(NetworkError::BadEnds(i));
    }
    if link.min_delay().is_zero() {
        return Err(NetworkError::NoDelay { from, to });
    }
    if matches!(link.queue, QueueSpec::DropTail(limit) if limit.is_nothing()) {
        return Err(NetworkError::EmptyQueue { from, to });
    }
    if !link.changes.is_sorted_by_key(|c| c.at) {
        return Err(NetworkError::UnorderedChanges { from, to });
    }
    let im = &link.impairments;
    let losses = link
        .changes
        .iter()
        .filter_map(|c| c.loss)
        .map(|p| ("loss", p));
    let loss = match im.loss {
        LossSpec::Random(p) => p,
        LossSpec::Model(_) => 0.0,
    };
    let all = [
        ("loss", loss),
        ("corrupt", im.corrupt),
        ("duplicate", im.duplicate),
        ("reorder", im.reorder),
    ];
    for (what, p) in all.into_iter().chain(losses) {
        if !(0.0..=1.0).contains(&p) {
            return Err(NetworkError::Probability {
                from,
                to,
                what,
                value: p.to_string(),
            });
        }
    }
    Ok(())
}
