//! Middleboxes: nodes between clients and servers that change packets and keep state.
//!
//! ```text
//!   inside ──► transit ──► Middlebox ──► changed packet ──► next link
//!   outside ─► own address ───┘   └────► dropped
//! ```
//!
//! A middlebox runs on a gateway node of the network ([`sim_core::NodeKind::Gateway`]): it sees every
//! packet that passes the node and every packet for the node's own addresses. It acts only through
//! [`MiddleboxCx`], so that the engine controls partitions and the order of events.
//!
//! A new one is a file with its [`ModelKind`](sim_core::plugin::ModelKind) and a line in [`built_in`]: a
//! router in a scenario then takes `middlebox = { kind = "syn-limit", rate = 100 }`; likewise for a user's
//! own.

mod balancer;
mod conntrack;
mod direct_return;
mod flow_table;
mod nat;
mod refusal;
mod syn_limit;

use std::any::Any;
use std::fmt;
use std::net::Ipv4Addr;

use sim_core::plugin::ModelKinds;
use sim_core::{Cx, LossCause, NodeId, Outgoing, Packet, SimTime, Wakes};

pub use balancer::Balancer;
pub use conntrack::Conntrack;
pub use nat::{NAT_PROFILES, Nat, NatMapping, NatSpec, NatStats, NatTimeouts};
pub use syn_limit::SynLimit;

use crate::host::TcpHost;
use crate::segment::{Packed, Segment};

/// Lengths of the headers of a segment without options, bytes.
const IP_HEADER: u32 = 20;
const TCP_HEADER: u32 = 20;

/// A hash table of flows, addresses or ports. Results never depend on its order.
type FxMap<K, V> = hashbrown::HashMap<K, V, rustc_hash::FxBuildHasher>;

/// A middlebox: NAT, firewall, load balancer.
///
/// Calls go through a box, for the built-in ones too: one call per packet, beside several look-ups in hash tables.
pub trait Middlebox: Any + Send + fmt::Debug {
    /// Called once at time zero.
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let _ = cx;
    }

    /// Handles a packet that passes or is addressed to the node: pass it on with [`MiddleboxCx::pass_on`],
    /// drop it with [`MiddleboxCx::drop`], or return it, which leaves it to the node's own TCP.
    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>>;

    /// Handles the requested wake, or an earlier one.
    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let _ = cx;
    }

    /// Handles a crash of the node: the middlebox loses its state.
    fn on_crash(&mut self);

    /// The number of connections for which it has an entry, recorded over time; `None`, the
    /// default, if it has no entries.
    fn entries(&self) -> Option<u32> {
        None
    }

    /// Its counters at the end of the run, each of which becomes a metric. Names must be registered; those
    /// of a user's own middlebox start with `custom.`. `<name>` in a name is replaced by the group of the node.
    /// None by default.
    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        Vec::new()
    }

    /// Counters to add to those of the hosts of its group, in the summary of a run. None by default.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// A middlebox as a node stores it. [`Any`] recovers its type: `(middlebox as &dyn
/// Any).downcast_ref::<Nat>()`.
pub type BoxedMiddlebox = Box<dyn Middlebox>;

/// A number reported by a middlebox, and how several are combined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MiddleboxCount {
    /// The sum.
    Sum(f64),
    /// The largest.
    Most(f64),
    /// The smallest.
    Least(f64),
}

impl MiddleboxCount {
    /// The number itself.
    pub fn value(self) -> f64 {
        match self {
            MiddleboxCount::Sum(n) | MiddleboxCount::Most(n) | MiddleboxCount::Least(n) => n,
        }
    }

    /// Combines it with the number of another middlebox.
    pub fn and(self, other: f64) -> f64 {
        match self {
            MiddleboxCount::Sum(n) => n + other,
            MiddleboxCount::Most(n) => n.max(other),
            MiddleboxCount::Least(n) => n.min(other),
        }
    }
}

/// The environment of a middlebox.
#[derive(Debug)]
pub struct MiddleboxCx<'a, 'b> {
    cx: &'a mut Cx<'b, TcpHost>,
    token: u64,
}

impl<'a, 'b> MiddleboxCx<'a, 'b> {
    /// The environment of a middlebox whose wakes carry `token`.
    pub(crate) fn new(cx: &'a mut Cx<'b, TcpHost>, token: u64) -> MiddleboxCx<'a, 'b> {
        MiddleboxCx { cx, token }
    }

    /// The current time.
    pub fn now(&self) -> SimTime {
        self.cx.now()
    }

    /// The addresses of the node, in order.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        self.cx.network().addresses(self.cx.node())
    }

    /// Whether an address is one of the node's own.
    pub fn owns(&self, address: Ipv4Addr) -> bool {
        self.cx.network().owner(address) == Some(self.cx.node())
    }

    /// The first address of each host of that name, or of the group whose hosts are called `name-0`,
    /// `name-1` and so on.
    pub fn hosts_named(&self, name: &str) -> Vec<Ipv4Addr> {
        let network = self.cx.network();
        let is_named = |node: &str| {
            let number = node
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('-'));
            node == name || number.is_some_and(|n| n.parse::<u32>().is_ok())
        };
        let nodes = network.nodes().iter().zip(0u32..);
        let named = nodes.filter(|(node, _)| is_named(&node.name));
        named
            .filter_map(|(_, i)| network.addresses(NodeId(i)).next())
            .collect()
    }

    /// Forwards a packet towards its destination, with its TTL decremented.
    pub fn pass_on(&mut self, packet: Packet<Packed>) {
        self.cx.pass_on(packet);
    }

    /// Sends a segment of its own from one of the node's addresses.
    pub fn send(&mut self, src: Ipv4Addr, dst: Ipv4Addr, segment: &Segment) {
        let packed = Packed::new(segment, IP_HEADER, &mut Vec::new());
        let size = IP_HEADER + TCP_HEADER + segment.len;
        let outgoing = Outgoing::to(dst, size, packed);
        self.cx.send(Outgoing { src, ..outgoing });
    }

    /// Drops a packet; it is recorded as lost here.
    pub fn drop(&mut self, packet: Packet<Packed>) {
        self.cx.drop_packet(packet, LossCause::Middlebox);
    }

    /// A [`Wakes`] for a [`sim_core::LazyTimer`]; its token is [`MiddleboxCx::token`].
    pub fn wakes(&mut self) -> &mut impl Wakes {
        self.cx
    }

    /// The token of this middlebox's wakes.
    pub fn token(&self) -> u64 {
        self.token
    }
}

/// The built-in middleboxes. A node has as many addresses as the parameter `addresses` of its middlebox says, or
/// one if there is no such parameter.
pub fn built_in() -> ModelKinds<BoxedMiddlebox> {
    ModelKinds::new(
        "middlebox",
        vec![
            syn_limit::kind(),
            conntrack::kind(),
            balancer::kind(),
            direct_return::kind(),
            nat::kind(),
        ],
    )
}
