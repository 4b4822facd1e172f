//! Nodes on the way: what stands between clients and servers, changes packets and keeps state.
//!
//! ```text
//!   inside ──► transit ──► Middlebox ──► changed packet ──► next link
//!   outside ─► own address ───┘   └────► dropped
//! ```
//!
//! A middlebox runs on a gateway node of the network ([`sim_core::NodeKind::Gateway`]): it sees every
//! packet that passes the node and every packet for the node's own addresses. It acts through
//! [`MiddleboxCx`] alone, so that partitions and the order of events are the engine's business.
//!
//! A new one is a file with its [`ModelKind`](sim_core::plugin::ModelKind) and a line in [`built_in`]: a router of
//! a scenario takes it as `middlebox = { kind = "syn-limit", rate = 100 }`, and a user's own likewise.

mod balancer;
mod conntrack;
mod flow_table;
mod nat;
mod syn_limit;

use std::fmt;
use std::net::Ipv4Addr;

use sim_core::plugin::{ModelKinds, Plugin};
use sim_core::{Cx, LossCause, NodeId, Packet, SimTime, Wakes};

pub use balancer::Balancer;
pub use conntrack::Conntrack;
pub use nat::{Nat, NatMapping, NatSpec, NatStats, NatTimeouts};
pub use syn_limit::SynLimit;

use crate::host::TcpHost;
use crate::segment::Packed;

/// A function of a node on the way: NAT, firewall, load balancer.
pub trait Middlebox: Send + fmt::Debug {
    /// Called once at time zero.
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let _ = cx;
    }

    /// A packet passes, or has come for an address of the node: it is passed on with
    /// [`MiddleboxCx::pass_on`], dropped with [`MiddleboxCx::drop`], or given back, which leaves it
    /// to the node's own TCP.
    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>>;

    /// The wake asked for has come, or an earlier one.
    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let _ = cx;
    }

    /// The node has crashed: what the middlebox knew is lost.
    fn on_crash(&mut self);

    /// What it has counted when the run ends: a metric of the run each. Names must be registered; those of a
    /// user's own middlebox begin with `custom.`. None by default.
    fn counts(&self) -> Vec<(&'static str, Count)> {
        Vec::new()
    }
}

/// A number that a middlebox reports, and how several make one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Count {
    /// They are added.
    Sum(f64),
    /// The largest counts.
    Most(f64),
    /// The smallest counts.
    Least(f64),
}

impl Count {
    /// This number alone.
    pub fn value(self) -> f64 {
        match self {
            Count::Sum(n) | Count::Most(n) | Count::Least(n) => n,
        }
    }

    /// This number and that of another middlebox.
    pub fn and(self, other: f64) -> f64 {
        match self {
            Count::Sum(n) => n + other,
            Count::Most(n) => n.max(other),
            Count::Least(n) => n.min(other),
        }
    }
}

/// What a middlebox acts through.
#[derive(Debug)]
pub struct MiddleboxCx<'a, 'b> {
    cx: &'a mut Cx<'b, TcpHost>,
    token: u64,
}

impl<'a, 'b> MiddleboxCx<'a, 'b> {
    /// For a middlebox whose wakes carry `token`.
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

    /// True when an address is one of the node's own.
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

    /// Sends a packet on towards its destination, with one hop less to live.
    pub fn pass_on(&mut self, packet: Packet<Packed>) {
        self.cx.pass_on(packet);
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

/// A middlebox as data.
#[derive(Clone, Debug, PartialEq)]
pub enum MiddleboxSpec {
    /// A source NAT.
    Nat(NatSpec),
    /// One by its name.
    Named(Plugin<AnyMiddlebox>),
}

/// The middleboxes that a scenario takes by name, besides the NAT, which has keys of its own.
pub fn built_in() -> ModelKinds<AnyMiddlebox> {
    ModelKinds::new(
        "middlebox",
        vec![syn_limit::kind(), conntrack::kind(), balancer::kind()],
    )
}

/// Any middlebox; calls to ours go through a `match`.
#[derive(Debug)]
pub enum AnyMiddlebox {
    /// [`Nat`].
    Nat(Box<Nat>),
    /// A user's own.
    Custom(Box<dyn Middlebox>),
}

impl AnyMiddlebox {
    /// The middlebox as described.
    pub fn new(spec: MiddleboxSpec) -> AnyMiddlebox {
        match spec {
            MiddleboxSpec::Nat(spec) => AnyMiddlebox::Nat(Box::new(Nat::new(spec))),
            MiddleboxSpec::Named(plugin) => plugin.build(),
        }
    }
}

macro_rules! each {
    ($self:ident, $inner:ident => $call:expr) => {
        match $self {
            AnyMiddlebox::Nat($inner) => $call,
            AnyMiddlebox::Custom($inner) => $call,
        }
    };
}

impl Middlebox for AnyMiddlebox {
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        each!(self, m => m.on_start(cx));
    }

    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        each!(self, m => m.on_packet(packet, cx))
    }

    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        each!(self, m => m.on_wake(cx));
    }

    fn on_crash(&mut self) {
        each!(self, m => m.on_crash());
    }

    fn counts(&self) -> Vec<(&'static str, Count)> {
        each!(self, m => m.counts())
    }
}
